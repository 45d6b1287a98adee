"""A request: what would its merge do? One comment for each target says so, and the plan is kept for the merge.

The request's files are data: Trueup reads them, with the connections of the branch that it is for, and nothing of
them is run. What comes from a fork is looked at without any credential.
"""

from __future__ import annotations

from pathlib import Path

from trueup_ci import texts
from trueup_ci.forge import plan_file
from trueup_ci.job import CAPS, JOURNAL, STATE, Job
from trueup_ci.problem import Cancelled, Problem, unforeseen
from trueup_ci.tool import Trueup, also, read_json
from trueup_ci.web import Refused

WOULD = "What a merge of this request would do to {target}. Nothing is changed before."
FORK = (
    "**From a fork, so without credentials**: nothing was asked of {target}. What stands here is compared with a "
    "snapshot that an earlier job took."
)
ONLY_VALID = (
    "**From a fork, so without credentials**: nothing was asked of {target}, and no snapshot of it is kept, so the "
    "files were only checked. Somebody who may push here can push these commits to a branch of the repository for a "
    "plan."
)
CHANGED = (
    "**This request changes `trueup.yaml`.** Guards, `prune`, `on_drift`, `stamp` and `state` are used as it says "
    "there, also for this plan: the warnings `setting-changed` name each."
)
OTHERS = (
    "**Not of this request**: {names}. What {branch} says of it already was never applied, or a hand changed it since; "
    "the merge of this request sends that too."
)
REMEMBERED = (
    "**This request changes what Trueup remembers**: {what}. This plan is made without that; from the merge on it "
    "counts, and may let what a hand changed pass for unchanged, or lead to another assistant. Jobs write these files; "
    "ask why this request does."
)
FILES = 10
"""Files of Trueup's memory that a comment names, state first."""

SILENT = "No comment could be written with this job's token, as is usual for a fork; the summary has the same text."


def plan_request(job: Job) -> int:
    """Plans what the request's merge would come to, keeps the plan, and says so in its comment; or why not."""
    if job.event.is_fork:
        return plan_fork(job)
    try:
        return _plan_own(job)
    except Problem as problem:
        _refuse(job, problem)
        raise
    except Cancelled:
        raise
    except Exception as error:  # whatever the request's files or the platform's answers are, its comment says so
        found = unforeseen(error)
        _refuse(job, found)
        raise found from error


def _plan_own(job: Job) -> int:
    event = job.event
    tree, base = proposed(job)
    theirs, ours = job.checkout(base, "base"), job.checkout(tree, "request")
    for side in (theirs, ours):
        job.remember(side, base)
    plan, page = job.kept / plan_file(event.head), job.kept / "plan.md"
    ran = ours.on_target(
        "plan", "--connections", str(theirs.project), "--out", str(plan.resolve()), "--format", "github",
        *also(job.kept.resolve(), "plan"),
    )  # fmt: skip
    notes = [WOULD.format(target=texts.code(job.settings.target)), *_remembered(job, base, tree)]
    if _project_file(ours) != _project_file(theirs):
        notes.append(CHANGED)
    notes += [*_guard_note(job, page), *_not_of_it(job, theirs, ours)]
    _say(job, page, event.number, notes)
    return ran.code


def plan_fork(job: Job) -> int:
    """Checks what a fork proposes, against a snapshot where one is kept, and says so in its comment if it may."""
    number, tree, base = _fork(job)
    trusted, ours = (job.checkout(at, name, is_trusted=False) for at, name in ((base, "base"), (tree, "request")))
    for side in (trusted, ours):
        job.remember(side, base)
    snapshots = job.forge.last(job.settings.slug, "snapshot.json")
    page, note = job.kept / "plan.md", FORK
    if snapshots:
        snapshot = job.keep("snapshot.json", snapshots[0]).resolve()
        words = ["plan", "--connections", str(trusted.project), "--snapshot", str(snapshot)]
        ran = ours.on_target(*words, "--format", "github", *also(job.kept.resolve(), "plan"))
        (job.kept / "snapshot.json").unlink()
    else:
        note = ONLY_VALID
        ran = ours.on_target("validate", "--format", "github", *also(job.kept.resolve(), "plan"))
    notes = [note.format(target=texts.code(job.settings.target)), *_remembered(job, base, tree)]
    _say(job, page, number, notes, may_be_silent=True)
    return ran.code


def proposed(job: Job) -> tuple[str, str]:
    """What the request's merge comes to, and the newest commit of its target branch. Raises Problem for a conflict.

    The merge commit of the platform is used if it is of that newest commit; an old job that is run again has an old
    one, whose connections may lead where the key went then. Else the merge is made here.
    """
    return _merged(job, job.event.commit, job.event.head or job.event.commit)


def _merged(job: Job, made: str, head: str) -> tuple[str, str]:
    """The merge of a request's last commit with the newest of the target branch, which `made` may be already."""
    repository, branch = job.repository, f"refs/heads/{job.event.branch}"
    base = repository.fetch(branch, 1)
    if made != head:
        commit = repository.fetch(made, 2)
        if repository.parents(commit) == [base, head]:
            return commit, base
    repository.fetch(head)
    base = repository.fetch(branch)
    return repository.merge(base, head), base


def _fork(job: Job) -> tuple[int, str, str]:
    """The fork's request, what its merge comes to, and the commit of its target branch. Raises Problem."""
    if job.event.kind == "request":
        return job.event.number, *proposed(job)
    request = job.forge.open_request(job.event.head)
    if request is None or not request.is_fork:
        raise Problem("No open request of a fork has that commit as its last one.", "It was pushed to since: all well.")
    return request.number, *_merged(job, f"refs/pull/{request.number}/merge", request.head)


def _project_file(side: Trueup) -> bytes:
    path = side.project / "trueup.yaml"
    return path.read_bytes() if path.is_file() else b""


def _not_of_it(job: Job, theirs: Trueup, ours: Trueup) -> list[str]:
    """A note on what the merge would send though the target branch by itself asks for it already."""
    sent = texts.sent(read_json(job.kept / "plan.json"))
    before, after = (theirs.rendered(), ours.rendered()) if sent else ({}, {})
    names = [name for name in sent if before.get(name) == after.get(name)] if after else []
    if names:
        without = theirs.on_target("plan", "--json", is_quiet=True).json
        names = [name for name in names if name in texts.sent(without)]
    return [OTHERS.format(names=texts.listed(names), branch=texts.code(job.event.branch))] if names else []


def _remembered(job: Job, base: str, tree: str) -> list[str]:
    """A note on what the request changes of Trueup's memory, where that is the memory which counts."""
    told: list[str] = []
    for ending in (CAPS, JOURNAL) if job.settings.state_branch else (STATE, CAPS, JOURNAL):
        before, after = job.memory_of(base, ending), job.memory_of(tree, ending)
        for path in sorted({*before, *after}):
            old, new = texts.records(before.get(path)), texts.records(after.get(path))
            names = sorted(name for name in {*old, *new} if old.get(name) != new.get(name))
            if before.get(path) != after.get(path):
                told.append(f"{texts.listed(names)} in {texts.code(path)}" if names else texts.code(path))
    if len(told) > FILES:
        told[FILES:] = [f"{len(told) - FILES} files more"]
    return [REMEMBERED.format(what="; ".join(told))] if told else []


def _refuse(job: Job, problem: Problem) -> None:
    """Says in the request why there is no plan: an older one must not stand there as if it were of this commit."""
    event = job.event
    page = texts.refusal(job.marker("plan"), "no plan", problem)
    page = texts.with_notes(page, [], event.head or event.commit, event.url)
    job.summarize(page)
    if job.forge.head(event.number) == (event.head or event.commit):
        job.forge.comment(event.number, job.marker("plan"), page)


def _guard_note(job: Job, page: Path) -> list[str]:
    asked = page.is_file() and texts.asks_for_acknowledgement(page.read_text(encoding="utf-8"))
    digest = str(read_json(job.kept / "plan.json").get("digest", ""))
    return [texts.trailer_note(digest)] if asked and digest else []


def _say(job: Job, page: Path, number: int, notes: list[str], *, may_be_silent: bool = False) -> None:
    """Writes the page, with notes, as the request's comment and as the job's summary."""
    if not page.is_file():
        raise Problem("Trueup wrote no page.", "What it said stands above, in this job's log.")
    written = page.read_text(encoding="utf-8")
    marker = job.marker("plan")
    for note in notes:
        print(f"Note: {note}")
    text = texts.with_notes(texts.marked(written, marker), notes, job.event.head or job.event.commit, job.event.url)
    page.write_text(text, encoding="utf-8")
    job.summarize(text)
    if job.forge.head(number) != (job.event.head or job.event.commit):
        print("The request was pushed to since: its comment is left to the newer run.")
        return
    try:
        job.forge.comment(number, marker, text)
    except Refused as error:
        if not may_be_silent or error.status not in (401, 403):
            raise
        print(SILENT)
