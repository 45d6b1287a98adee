"""On a schedule: does live differ from what was applied, and is all that was merged applied? One issue says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from trueup_ci import texts
from trueup_ci.job import Job
from trueup_ci.problem import Problem
from trueup_ci.tool import Ran, Trueup, also

REPORTS = 30
"""Applies that are looked at for who applied an assistant last."""

AGAIN = "Run the job of its merge again; if that does not help, run this workflow by hand with the command `plan`."

BY_HAND = "Run this workflow by hand with the command `plan`, and apply that plan if it is what you want."

CLEAN, DIFFERS, UNREADABLE = 0, 2, 6


def look(job: Job) -> int:
    """Opens, updates or closes the target's issue. Ends with the code of `drift`; what is only not applied yet is 0."""
    commit, here = job.newest("branch")
    job.remember(here, commit)
    page = job.kept / "drift.md"
    drift = _drift(job, here, _history(job))
    if drift.code not in (CLEAN, DIFFERS, UNREADABLE) or not page.is_file():
        raise Problem("Nobody knows whether there is drift.", "What Trueup said stands above, in this job's log.")
    plan = here.on_target("plan", "--json", is_quiet=True).json
    if job.settings.keeps_snapshot:
        _keep_snapshot(job, here)
    unapplied = _unapplied(plan)
    text = page.read_text(encoding="utf-8")
    marker = job.marker("drift")
    text = texts.marked(text, marker)
    text = texts.with_notes(text, unapplied, commit, job.event.url)
    page.write_text(text, encoding="utf-8")
    job.summarize(text)
    is_clean = drift.code == CLEAN and not unapplied
    title = f"Trueup: {job.settings.target} is not as the files say"
    print(f"The issue: {job.forge.issue(marker, title, None if is_clean else text)}.")
    return drift.code


def _drift(job: Job, here: Trueup, history: list[str]) -> Ran:
    """What `drift` says; a history that cannot be used, as after the project got another name, is left out."""
    told = ["--format", "github", *also(job.kept.resolve(), "drift")]
    ran = here.on_target("drift", *history, *told)
    if history and ran.code not in (CLEAN, DIFFERS, UNREADABLE):
        print("Once more, without what earlier jobs kept.")
        return here.on_target("drift", *told)
    return ran


def _history(job: Job) -> list[str]:
    """The flags that tell since when a drift is seen, and who applied last, as far as earlier jobs kept reports."""
    words = []
    slug, forge = job.settings.slug, job.forge
    for content in forge.last(slug, "drift.json"):
        words += ["--since", str(job.keep("before.json", content).resolve())]
    reports = forge.last(slug, "apply.json", REPORTS)
    folder: Path = job.place / "reports"
    folder.mkdir()
    for place, content in enumerate(reports):
        (folder / f"{place}.json").write_bytes(content)
    return [*words, "--reports", str(folder.resolve())] if reports else words


def _unapplied(plan: Any) -> list[str]:
    """Sentences on what is merged and not applied or not deleted, and on what another checkout applied."""
    if plan.get("kind") != "plan":
        return ["**Whether everything merged is applied is not known**: no plan could be made."]
    waiting, gone, newer = texts.unapplied(plan), texts.undeleted(plan), texts.behind(plan)
    found = [f"**Merged and not applied**: {texts.listed(waiting)}. {AGAIN}"] if waiting else []
    if gone:
        found.append(f"**Not deleted yet**: {texts.listed(gone)}. No file asks for it any more. {BY_HAND}")
    if newer:
        names = texts.listed(newer)
        found.append(f"**Behind**: another checkout applied {names} since; its state is not in this branch.")
    return found


def _keep_snapshot(job: Job, here: Trueup) -> None:
    """Keeps an export, against which a fork's request can be planned without a credential."""
    path = (job.kept / "snapshot.json").resolve()
    if here.on_target("export", str(path), is_quiet=True).code != 0:
        raise Problem("No snapshot could be taken.", "What Trueup said stands above, in this job's log.")
