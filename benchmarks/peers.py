"""What others take for the same number of things, in the same run; a tool that is not installed is skipped.

A peer is looked for in the folder that the environment variable TRUEUP_PEERS names, then on the PATH. Terraform is
measured on `terraform_data`, resources that only exist in its state: no network and no provider, the least it can take.
dbt-jobs-as-code is measured against a stub of the service it speaks to, octoDNS from one YAML file to another. The text
that a definition holds is in each but octoDNS, whose records are a line each.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator

from benchmarks import corpus, jobs
from benchmarks.process import Failed, Spent, run, trueup
from benchmarks.setting import Setting
from benchmarks.table import Row

TERRAFORM = "Terraform without network"
JOBS = "dbt-jobs-as-code"
OCTODNS = "octoDNS from YAML to YAML"
HALF = 0.5
TENFOLD = 10


def rows(setting: Setting) -> Iterator[Row]:
    """Yield our cost against theirs, for as many as are applied elsewhere in the suite."""
    count = setting.applied
    setting.stub.reset()
    setting.live = 0
    project = corpus.write(setting.folder / "peers", count, setting.stub.base_url)
    new = trueup("apply", "--yes", "--quiet", cwd=project)
    clean = trueup("plan", "--quiet", cwd=project)
    unchanged, created = f"peers: plan of {count:,} unchanged", f"peers: apply of {count:,} new"
    theirs = _terraform(setting, count)
    if theirs is None:
        yield _skip(f"{unchanged}, {TERRAFORM}", "terraform")
        yield _skip(f"{created}, {TERRAFORM}", "terraform")
    else:
        yield _cpu(f"{unchanged}, {TERRAFORM}", clean, theirs[1], HALF)
        yield _wall(f"{created}, {TERRAFORM}", new, theirs[0], TENFOLD)
    theirs = _jobs(setting, count)
    yield _cpu(f"{unchanged}, {JOBS}", clean, theirs[1], HALF) if theirs else _skip(f"{unchanged}, {JOBS}", JOBS)
    theirs = _octodns(setting, count)
    yield (_cpu(f"{unchanged}, {OCTODNS}", clean, theirs[1]) if theirs else _skip(f"{unchanged}, {OCTODNS}", "octodns"))


def _cpu(what: str, ours: Spent, theirs: Spent, target: float | None = None) -> Row:
    note = f"{ours.peak:.0f} MB and {theirs.peak:.0f} MB"
    return Row(what, f"{ours.cpu:.2f} s CPU", f"{theirs.cpu:.2f} s CPU", ours.cpu / theirs.cpu, target, note=note)


def _wall(what: str, ours: Spent, theirs: Spent, target: float) -> Row:
    ratio = theirs.wall / ours.wall
    return Row(what, f"{ours.wall:.2f} s", f"{theirs.wall:.2f} s", ratio, target, at_least=True)


def _skip(what: str, program: str) -> Row:
    return Row(what, skipped=f"{program} is not installed")


def _find_program(program: str) -> str | None:
    return shutil.which(program, path=os.pathsep.join([os.environ.get("TRUEUP_PEERS", ""), os.environ.get("PATH", "")]))


def _terraform(setting: Setting, count: int) -> tuple[Spent, Spent] | None:
    """Measure an apply of resources that are all new, and the plan after it."""
    program = _find_program("terraform")
    if program is None:
        return None
    folder = setting.folder / "terraform"
    folder.mkdir()
    made = {name: {"input": {"text": text}} for name, text in _texts(count).items()}
    (folder / "main.tf.json").write_text(json.dumps({"resource": {"terraform_data": made}}), encoding="utf-8")
    run([program, "init", "-no-color"], folder)
    new = run([program, "apply", "-auto-approve", "-no-color"], folder)
    return new, run([program, "plan", "-no-color", "-detailed-exitcode"], folder)


def _jobs(setting: Setting, count: int) -> tuple[Spent, Spent] | None:
    """Measure the same of jobs in a scheduler."""
    program = _find_program(JOBS)
    if program is None:
        return None
    folder = setting.folder / "jobs"
    folder.mkdir()
    (folder / "jobs.yml").write_text(jobs.configuration(_texts(count)), encoding="utf-8")
    with jobs.scheduler() as url:
        environ = {"DBT_BASE_URL": url, "DBT_API_KEY": "benchmark"}
        new = run([program, "sync", "jobs.yml"], folder, environ=environ)
        clean = run([program, "plan", "jobs.yml", "--json"], folder, environ=environ)
    if clean.json["job_changes"]:
        raise Failed(f"{JOBS} plans changes after its sync")
    return new, clean


def _octodns(setting: Setting, count: int) -> tuple[Spent, Spent] | None:
    """Measure the same of records in a zone."""
    program = _find_program("octodns-sync")
    if program is None:
        return None
    folder = setting.folder / "octodns"
    (folder / "wanted").mkdir(parents=True)
    (folder / "there").mkdir()
    kind = {"class": "octodns.provider.yaml.YamlProvider", "default_ttl": 300}
    providers = {place: {**kind, "directory": str(folder / place)} for place in ("wanted", "there")}
    zones = {"example.com.": {"sources": ["wanted"], "targets": ["there"]}}
    (folder / "octodns.yaml").write_text(json.dumps({"providers": providers, "zones": zones}), encoding="utf-8")
    records = {corpus.name(index): {"type": "A", "value": "192.0.2.1"} for index in range(count)}
    (folder / "wanted" / "example.com.yaml").write_text(json.dumps(records), encoding="utf-8")
    new = run([program, "--config-file", "octodns.yaml", "--doit", "--force"], folder)
    there = folder / "there" / "example.com.yaml"
    if corpus.name(count - 1) not in there.read_text(encoding="utf-8"):
        raise Failed(f"octodns-sync did not write {there.name}")
    return new, run([program, "--config-file", "octodns.yaml"], folder)


def _texts(count: int) -> dict[str, str]:
    return {corpus.name(index): corpus.definition(index) for index in range(count)}
