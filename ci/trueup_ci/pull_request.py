"""Plan a pull request: show in one comment for each target what its merge would do, and keep the plan for the merge.

The files of a pull request are data: Trueup reads them, with the connections of the target branch, and executes none
of them. A pull request of a fork is planned without any credential.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath

from trueup_ci import texts
from trueup_ci.job import CAPS, JOURNAL, STATE, Job
from trueup_ci.platform import plan_file
from trueup_ci.problem import Cancelled, Problem, unforeseen
from trueup_ci.tool import Trueup, also, read_json
from trueup_ci.web import Refused

WOULD = "Changes that merging this pull request would make to {target}. Nothing is changed before the merge."
FORK = (
    "**From a fork, so planned without credentials**: {target} was not read. The plan compares with a snapshot that an "
    "earlier job took."
)
ONLY_VALID = (
    "**From a fork, so without credentials**: {target} was not read, and no snapshot of it is kept, so the files were "
    "only validated. For a plan, a person with write access can push these commits to a branch of this repository."
)
CHANGED = (
    "**This pull request changes `trueup.yaml`.** The plan uses its new values of guards, `prune`, `on_drift`, `stamp` "
    "and `state`; a warning `setting-changed` lists each."
)
OTHERS = (
    "**Not changed by this pull request**: {names}. These changes are already on {branch} and were never applied, or "
    "were changed outside since; merging this pull request applies them too."
)
REMEMBERED = (
    "**This pull request changes Trueup's state files**: {what}. This plan ignores that change. After the merge it "
    "takes effect: manual changes may go unnoticed, or a name may point to another assistant. Only jobs write these "
    "files; ask why this pull request does."
)
FILES = 10
"""Files under `.trueup` that a comment names, the target's own state first."""

RECORDS = 50
"""Changed records of one of them that a comment names."""

SILENT = "This job's token may not write comments, as is usual for a fork; the job's summary has the same text."


def plan_pull_request(job: Job) -> int:
    """Plan the merge of the pull request, keep the plan, and report it, or the reason for none, in the comment."""
    if job.event.is_fork:
        return plan_fork(job)
    return _plan_or_refuse(job, job.event.number, lambda: _plan_own(job))


def _plan_or_refuse(job: Job, number: int, plan: Callable[[], int], *, may_be_silent: bool = False) -> int:
    """Make a plan; if that fails, for whatever reason, report it in the pull request's comment."""
    try:
        return plan()
    except Problem as problem:
        _refuse(job, number, problem, may_be_silent=may_be_silent)
        raise
    except Cancelled:
        raise
    except Exception as error:
        found = unforeseen(error)
        _refuse(job, number, found, may_be_silent=may_be_silent)
        raise found from error


def _plan_own(job: Job) -> int:
    event = job.event
    tree, base = merge_proposal(job)
    theirs, ours = job.checkout(base, "base"), job.checkout(tree, "proposed")
    for side in (theirs, ours):
        job.restore_memory(side, base)
    plan, page = job.kept / plan_file(event.head), job.kept / "plan.md"
    ran = ours.run_on_target(
        "plan", "--connections", str(theirs.project), "--out", str(plan.resolve()), "--format", "github",
        *also(job.kept.resolve(), "plan"),
    )  # fmt: skip
    notes = [WOULD.format(target=texts.code_span(job.settings.target)), *_note_memory(job, base, tree)]
    if _project_file(ours) != _project_file(theirs):
        notes.append(CHANGED)
    notes += [*_note_guard(job), *_note_unrelated(job, theirs, ours)]
    _publish(job, page, event.number, notes)
    return ran.code


def plan_fork(job: Job) -> int:
    """Plan a fork's pull request against a snapshot, if one is kept, and report it in its comment, if allowed."""
    number, made, head = _fork(job)
    return _plan_or_refuse(job, number, lambda: _plan_fork(job, number, *_merged(job, made, head)), may_be_silent=True)


def _plan_fork(job: Job, number: int, tree: str, base: str) -> int:
    trusted, ours = (job.checkout(at, name, is_trusted=False) for at, name in ((base, "base"), (tree, "proposed")))
    for side in (trusted, ours):
        job.restore_memory(side, base)
    snapshots = job.platform.download_files(job.settings.slug, "snapshot.json")
    page, note = job.kept / "plan.md", FORK
    if snapshots:
        snapshot = job.keep("snapshot.json", snapshots[0]).resolve()
        words = ["plan", "--connections", str(trusted.project), "--snapshot", str(snapshot)]
        ran = ours.run_on_target(*words, "--format", "github", *also(job.kept.resolve(), "plan"))
        (job.kept / "snapshot.json").unlink()
    else:
        note = ONLY_VALID
        ran = ours.run_on_target("validate", "--format", "github", *also(job.kept.resolve(), "plan"))
    notes = [note.format(target=texts.code_span(job.settings.target)), *_note_memory(job, base, tree)]
    _publish(job, page, number, notes, may_be_silent=True)
    return ran.code


def merge_proposal(job: Job) -> tuple[str, str]:
    """Return the merge of the pull request and the newest commit of its target branch. Raises Problem for a conflict.

    The platform's merge commit is used if it is of that newest commit. An old job that is run again has an old one,
    whose connections may be outdated; then the merge is made here.
    """
    return _merged(job, job.event.commit, job.event.head or job.event.commit)


def _merged(job: Job, made: str, head: str) -> tuple[str, str]:
    """Merge a pull request's last commit with the newest of the target branch; `made` may be that merge already."""
    repository, branch = job.repository, f"refs/heads/{job.event.branch}"
    base = repository.fetch(branch, 1)
    if made != head:
        commit = repository.fetch(made, 2)
        if repository.read_parents(commit) == [base, head]:
            return commit, base
    repository.fetch(head)
    base = repository.fetch(branch)
    return repository.merge(base, head), base


def _fork(job: Job) -> tuple[int, str, str]:
    """Return the fork's pull request, the platform's merge of it, and its last commit. Raises Problem."""
    if job.event.kind == "pull_request":
        return job.event.number, job.event.commit, job.event.head or job.event.commit
    request = job.platform.find_open(job.event.head)
    if request is None or not request.is_fork:
        raise Problem(
            "No open pull request of a fork ends with that commit.",
            "Newer commits were pushed since; their job reports.",
        )
    return request.number, f"refs/pull/{request.number}/merge", request.head


def _project_file(side: Trueup) -> bytes:
    path = side.project / "trueup.yaml"
    return path.read_bytes() if path.is_file() else b""


def _note_unrelated(job: Job, theirs: Trueup, ours: Trueup) -> list[str]:
    """Return a note on changes of the plan that the target branch alone would make too."""
    sent = texts.find_written(read_json(job.kept / "plan.json"))
    before, after = (theirs.render_definitions(), ours.render_definitions()) if sent else ({}, {})
    names = [name for name in sent if before.get(name) == after.get(name)] if after else []
    if names:
        without = theirs.run_on_target("plan", "--json", is_quiet=True).json
        names = [name for name in names if name in texts.find_written(without)]
    return [OTHERS.format(names=texts.list_names(names), branch=texts.code_span(job.event.branch))] if names else []


def _note_memory(job: Job, base: str, tree: str) -> list[str]:
    """Return a note on changes of the pull request to files under `.trueup` that take effect."""
    told: list[str] = []
    for ending in (CAPS, JOURNAL) if job.settings.state_branch else (STATE, CAPS, JOURNAL):
        before, after = job.read_memory(base, ending), job.read_memory(tree, ending)
        for path in sorted({*before, *after}, key=lambda path: (not _is_own(job, path), path)):
            if before.get(path) != after.get(path):
                old, new = texts.read_records(before.get(path)), texts.read_records(after.get(path))
                told.append(_describe_records(old, new, path))
    if len(told) > FILES:
        told[FILES:] = [f"and {len(told) - FILES} more files"]
    return [REMEMBERED.format(what="; ".join(told))] if told else []


def _is_own(job: Job, path: str) -> bool:
    """Return whether a state file is the one of this job's target."""
    return PurePosixPath(path).name.removesuffix(STATE) == job.settings.target


def _describe_records(old: Mapping[str, object], new: Mapping[str, object], path: str) -> str:
    """Describe the changed records of a state file: each one that was there before, and a few of the new ones."""
    changed = sorted(name for name in old if old[name] != new.get(name))
    added = sorted(name for name in new if name not in old)
    words = [texts.list_names(changed, RECORDS)] if changed else []
    words += [f"{len(added)} added ({texts.list_names(added)})"] if added else []
    return f"{' and '.join(words)} in {texts.code_span(path)}" if words else texts.code_span(path)


def _refuse(job: Job, number: int, problem: Problem, *, may_be_silent: bool = False) -> None:
    """Report in the pull request why there is no plan; an older plan must not look as if it were of this commit."""
    event = job.event
    page = texts.write_refusal(job.marker("plan"), "no plan", problem)
    page = texts.add_notes(page, [], event.head or event.commit, event.url)
    job.add_summary(page)
    if job.platform.read_head(number) == (event.head or event.commit):
        _comment(job, number, job.marker("plan"), page, may_be_silent=may_be_silent)


def _note_guard(job: Job) -> list[str]:
    plan = read_json(job.kept / "plan.json")
    return [texts.trailer_note(plan["digest"])] if texts.is_guarded(plan) else []


def _publish(job: Job, page: Path, number: int, notes: list[str], *, may_be_silent: bool = False) -> None:
    """Write the page with its notes as the pull request's comment and as the job's summary."""
    if not page.is_file():
        raise Problem("Trueup made no report.", "Its errors are above, in this job's log.")
    written = page.read_text(encoding="utf-8")
    marker = job.marker("plan")
    for note in notes:
        print(f"Note: {note}")
    text = texts.add_notes(
        texts.replace_marker(written, marker), notes, job.event.head or job.event.commit, job.event.url
    )
    page.write_text(text, encoding="utf-8")
    job.add_summary(text)
    if job.platform.read_head(number) != (job.event.head or job.event.commit):
        print("Newer commits were pushed: their run writes the comment.")
        return
    _comment(job, number, marker, text, may_be_silent=may_be_silent)


def _comment(job: Job, number: int, marker: str, text: str, *, may_be_silent: bool) -> None:
    try:
        job.platform.write_comment(number, marker, text)
    except Refused as error:
        if not may_be_silent or error.status not in (401, 403):
            raise
        print(SILENT)
