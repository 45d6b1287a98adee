"""A request: what would its merge do? One comment for each target says so, and the plan is kept for the merge.

The request's files are data: Trueup reads them, with the connections of the branch that it is for, and nothing of
them is run. What comes from a fork is looked at without any credential.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath

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
"""Files of Trueup's memory that a comment names, the target's own state first."""

RECORDS = 50
"""Records of one of them that were there before and changed, which a comment names."""

SILENT = "No comment could be written with this job's token, as is usual for a fork; the summary has the same text."


def plan_request(job: Job) -> int:
    """Plans what the request's merge would come to, keeps the plan, and says so in its comment; or why not."""
    if job.event.is_fork:
        return plan_fork(job)
    return _or_refuse(job, job.event.number, lambda: _plan_own(job))


def _or_refuse(job: Job, number: int, plan: Callable[[], int], *, may_be_silent: bool = False) -> int:
    """Make a plan; where that fails, whatever files and answers were met, the request's comment says so."""
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
    number, made, head = _fork(job)
    return _or_refuse(job, number, lambda: _plan_fork(job, number, *_merged(job, made, head)), may_be_silent=True)


def _plan_fork(job: Job, number: int, tree: str, base: str) -> int:
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
    """The fork's request, the platform's merge of it, and its own last commit. Raises Problem."""
    if job.event.kind == "request":
        return job.event.number, job.event.commit, job.event.head or job.event.commit
    request = job.forge.open_request(job.event.head)
    if request is None or not request.is_fork:
        raise Problem("No open request of a fork has that commit as its last one.", "It was pushed to since: all well.")
    return request.number, f"refs/pull/{request.number}/merge", request.head


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
        for path in sorted({*before, *after}, key=lambda path: (not _is_own(job, path), path)):
            if before.get(path) != after.get(path):
                old, new = texts.records(before.get(path)), texts.records(after.get(path))
                told.append(_changed_records(old, new, path))
    if len(told) > FILES:
        told[FILES:] = [f"{len(told) - FILES} files more"]
    return [REMEMBERED.format(what="; ".join(told))] if told else []


def _is_own(job: Job, path: str) -> bool:
    """Whether a file of Trueup's memory is the one of this job's own target."""
    return PurePosixPath(path).name.removesuffix(STATE) == job.settings.target


def _changed_records(old: Mapping[str, object], new: Mapping[str, object], path: str) -> str:
    """Name what a file of Trueup's memory says otherwise: of records that were there each, of new ones a few."""
    changed = sorted(name for name in old if old[name] != new.get(name))
    added = sorted(name for name in new if name not in old)
    words = [texts.listed(changed, RECORDS)] if changed else []
    words += [f"{len(added)} added ({texts.listed(added)})"] if added else []
    return f"{' and '.join(words)} in {texts.code(path)}" if words else texts.code(path)


def _refuse(job: Job, number: int, problem: Problem, *, may_be_silent: bool = False) -> None:
    """Says in the request why there is no plan: an older one must not stand there as if it were of this commit."""
    event = job.event
    page = texts.refusal(job.marker("plan"), "no plan", problem)
    page = texts.with_notes(page, [], event.head or event.commit, event.url)
    job.summarize(page)
    if job.forge.head(number) == (event.head or event.commit):
        _comment(job, number, job.marker("plan"), page, may_be_silent=may_be_silent)


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
    _comment(job, number, marker, text, may_be_silent=may_be_silent)


def _comment(job: Job, number: int, marker: str, text: str, *, may_be_silent: bool) -> None:
    try:
        job.forge.comment(number, marker, text)
    except Refused as error:
        if not may_be_silent or error.status not in (401, 403):
            raise
        print(SILENT)
