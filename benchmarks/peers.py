"""What others take for the same number of things, in the same run; a tool that is not installed is skipped.

Terraform is measured on `terraform_data`, resources that only exist in its state: no network and no provider, the least
it can take. The same shape of text is in each.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from benchmarks import corpus
from benchmarks.process import run, trueup
from benchmarks.setting import Setting
from benchmarks.table import Row


def rows(setting: Setting) -> Iterator[Row]:
    """Terraform and dbt-jobs-as-code, for as many as are applied elsewhere in the suite."""
    terraform = shutil.which("terraform")
    count = setting.applied
    if terraform is None:
        yield Row("peers: Terraform", skipped="no terraform on the PATH")
    else:
        yield from _terraform(setting, terraform, count)
    if shutil.which("dbt-jobs-as-code") is None:
        yield Row("peers: dbt-jobs-as-code", skipped="no dbt-jobs-as-code on the PATH")


def _terraform(setting: Setting, terraform: str, count: int) -> Iterator[Row]:
    folder = _configured(setting.folder / "terraform", count)
    run([terraform, "init", "-no-color"], folder)
    theirs_new = run([terraform, "apply", "-auto-approve", "-no-color"], folder)
    theirs_clean = run([terraform, "plan", "-no-color"], folder)
    setting.stub.reset()
    setting.live = 0
    project = corpus.write(setting.folder / "peers", count, setting.stub.base_url)
    ours_new = trueup("apply", "--yes", "--quiet", cwd=project)
    ours_clean = trueup("plan", "--quiet", cwd=project)
    yield Row(
        f"peers: plan of {count:,} unchanged, Terraform without network",
        f"{ours_clean.cpu:.2f} s CPU",
        f"{theirs_clean.cpu:.2f} s CPU",
        ours_clean.cpu / theirs_clean.cpu,
        0.5,
    )
    yield Row(
        f"peers: apply of {count:,} new, Terraform without network",
        f"{ours_new.wall:.2f} s",
        f"{theirs_new.wall:.2f} s",
        theirs_new.wall / ours_new.wall,
        10,
        at_least=True,
    )


def _configured(folder: Path, count: int) -> Path:
    """So many resources that hold what a definition holds."""
    folder.mkdir()
    made = {corpus.name(index): {"input": {"text": corpus.definition(index)}} for index in range(count)}
    (folder / "main.tf.json").write_text(json.dumps({"resource": {"terraform_data": made}}), encoding="utf-8")
    return folder
