"""Report on a schedule, in one issue, whether live was changed outside and whether all merges are applied."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from trueup_ci import texts
from trueup_ci.job import Job
from trueup_ci.problem import Problem
from trueup_ci.tool import Ran, Trueup, also

REPORTS = 30
"""Reports of applies that are read to find who applied an assistant last."""

AGAIN = "Run the job of its merge again; if that does not help, run this workflow by hand with the command `plan`."

BY_HAND = "Run this workflow by hand with the command `plan`, and apply that plan if it is what you want."

CLEAN, DIFFERS, UNREADABLE = 0, 2, 6


def check_drift(job: Job) -> int:
    """Open, update or close the target's issue; return the exit code of `drift`, which ignores unapplied changes."""
    commit, here = job.checkout_newest("branch")
    job.restore_memory(here, commit)
    page = job.kept / "drift.md"
    drift = _run_drift(job, here, _history_flags(job))
    if drift.code not in (CLEAN, DIFFERS, UNREADABLE) or not page.is_file():
        raise Problem("Drift could not be checked.", "Trueup's errors are above, in this job's log.")
    plan = here.run_on_target("plan", "--json", is_quiet=True).json
    if job.settings.keeps_snapshot:
        _keep_snapshot(job, here)
    unapplied = _note_unapplied(plan)
    text = page.read_text(encoding="utf-8")
    marker = job.marker("drift")
    text = texts.replace_marker(text, marker)
    text = texts.add_notes(text, unapplied, commit, job.event.url)
    page.write_text(text, encoding="utf-8")
    job.add_summary(text)
    is_clean = drift.code == CLEAN and not unapplied
    title = f"Trueup: {job.settings.target} does not match the files"
    print(f"Issue: {job.platform.update_issue(marker, title, None if is_clean else text)}.")
    return drift.code


def _run_drift(job: Job, here: Trueup, history: list[str]) -> Ran:
    """Run `drift`; again without the history if that cannot be used, as after the project was renamed."""
    told = ["--format", "github", *also(job.kept.resolve(), "drift")]
    ran = here.run_on_target("drift", *history, *told)
    if history and ran.code not in (CLEAN, DIFFERS, UNREADABLE):
        print("Retrying without the reports of earlier jobs.")
        return here.run_on_target("drift", *told)
    return ran


def _history_flags(job: Job) -> list[str]:
    """Return the flags for when a drift was first seen and who applied last, from the reports of earlier jobs."""
    words = []
    slug, platform = job.settings.slug, job.platform
    for content in platform.download_files(slug, "drift.json"):
        words += ["--since", str(job.keep("before.json", content).resolve())]
    reports = platform.download_files(slug, "apply.json", REPORTS)
    folder: Path = job.place / "reports"
    folder.mkdir()
    for place, content in enumerate(reports):
        (folder / f"{place}.json").write_bytes(content)
    return [*words, "--reports", str(folder.resolve())] if reports else words


def _note_unapplied(plan: Any) -> list[str]:
    """Return notes on changes that are merged and not applied, and on what another checkout applied."""
    if plan.get("kind") != "plan":
        return ["**Unapplied merges could not be checked**: no plan could be made."]
    waiting, gone, newer = texts.find_unapplied(plan), texts.find_undeleted(plan), texts.find_behind(plan)
    found = [f"**Merged and not applied**: {texts.list_names(waiting)}. {AGAIN}"] if waiting else []
    if gone:
        found.append(f"**Not deleted yet**: {texts.list_names(gone)}. No file describes them any more. {BY_HAND}")
    if newer:
        names = texts.list_names(newer)
        found.append(f"**Behind**: another checkout applied {names}; its state is not in this branch.")
    return found


def _keep_snapshot(job: Job, here: Trueup) -> None:
    """Keep an export, against which a fork's pull request can be planned without a credential."""
    path = (job.kept / "snapshot.json").resolve()
    if here.run_on_target("export", str(path), is_quiet=True).code != 0:
        raise Problem("The export for forks failed.", "Trueup's errors are above, in this job's log.")
