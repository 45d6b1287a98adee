"""A merge: the plan that its request showed is applied, and nothing else; state is committed, all of it is kept.

Files and state are the newest of the default branch, so that an old job that is run again knows what was merged and
applied since. Only what stands in both plans, equal, is sent: that is Trueup's own promise. So what a later merge
changed or removed is left to that merge.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Mapping

from trueup_ci import texts
from trueup_ci.forge import Request
from trueup_ci.job import Job
from trueup_ci.problem import Cancelled, Problem, unforeseen
from trueup_ci.settings import is_digest
from trueup_ci.tool import Ran, Trueup, also, answering, read_json

ACK = "Trueup-Ack"
"""The trailer of a merge commit that acknowledges a plan."""

REFUSED = "refused"
"""The result of a change of the plan that does not stand in what there is to do now."""

AGAIN = (
    "Nothing was applied. Run this workflow by hand with the command `plan`, look at the plan in its summary, and run "
    "it with the command `apply` and the plan's digest as `acknowledge`. Until then plans of other requests show it "
    "too, as not of theirs, and the merge of one sends it."
)


def apply_merge(job: Job) -> int:
    """Applies what was reviewed for the commit, and says in its request what became of it.

    A job that is cancelled before Trueup's apply began sends nothing; later it lets Trueup end what is under way, and
    still commits its state.
    """
    commit = job.repository.fetch(job.event.commit, 1)
    request = job.forge.merged(commit)
    try:
        newest, here = job.newest("merged")
        before = job.remember(here, newest)
        words = _promised(job, here, commit, request)
    except Problem as problem:
        _refuse(job, request, problem)
        raise
    except Cancelled:
        raise
    except Exception as error:
        found = unforeseen(error)
        _refuse(job, request, found)
        raise found from error
    if words is None:
        print(f"The commit asks for nothing of {job.settings.target}.")
        return 0
    cancels: list[int] = []
    with answering(cancels.append):
        told = ["--format", "github", *also(job.kept.resolve(), "apply")]
        ran = here.on_target("apply", *words, *told, cancels=cancels)
        if cancels:
            print("Cancelled: what is under way is finished and kept.", file=sys.stderr)
        _finish(job, here, commit, request, before, ran)
    return ran.code


def plan_branch(job: Job) -> int:
    """Plans the branch as it is, for somebody who ran the job by hand; the plan's digest lets it be applied."""
    newest, here = job.newest("merged")
    job.remember(here, newest)
    page = job.kept / "plan.md"
    ran = here.on_target("plan", "--format", "github", *also(job.kept.resolve(), "plan"))
    if page.is_file():
        digest = str(_document(job, "plan").get("digest", ""))
        note = f"To apply exactly this: run the command `apply` with acknowledge `{digest[: texts.DIGEST]}`."
        text = texts.marked(page.read_text("utf-8"), job.marker("plan"))
        job.summarize(texts.with_notes(text, [note] if digest else []))
    return ran.code


def _promised(job: Job, here: Trueup, commit: str, request: Request | None) -> list[str] | None:
    """The words that have `apply` send what somebody agreed to; None where there is nothing to. Raises Problem."""
    if job.settings.acknowledge:
        return [_acknowledged(job, here), "--ack", job.settings.acknowledge]
    acks = [word for digest in _acknowledgements(job, commit, request) for word in ("--ack", digest)]
    if request is not None and not request.is_fork:
        plan = job.forge.plan_of(request, job.settings.slug)
        if plan is not None:
            return [str(job.keep("reviewed.plan", plan).resolve()), *acks]
    if job.settings.without_plan == "apply":
        return ["--yes", *acks]
    _refuse_unreviewed(job, commit, request)
    return None


def _acknowledgements(job: Job, commit: str, request: Request | None) -> list[str]:
    """The digests in the merge's message that stand in nothing which the request's author wrote."""
    found = [text for text in job.repository.trailers(commit, ACK) if is_digest(text)]
    if request is None or not found:
        return found
    kept = []
    for digest in found:
        texts_of_author = itertools.chain([job.repository.messages(request.head)], job.forge.authored(request.number))
        if any(digest in text for text in texts_of_author):
            print(f"{ACK}: {digest} counts for nothing: it stands in the request's own title, description or commits.")
        else:
            kept.append(digest)
    return kept


def _refuse_unreviewed(job: Job, commit: str, request: Request | None) -> None:
    """Raises Problem for a commit that nobody reviewed a plan for, unless its files ask for nothing."""
    own = job.checkout(commit, "own")
    job.remember(own, commit)
    told = ["--format", "github", *also(job.kept.resolve(), "plan")]
    ran = own.on_target("plan", "--detailed-exitcode", *told)
    if ran.code == 0:
        return
    why = "The commit is no merge of a request" if request is None else f"No plan is kept of request {request.number}"
    if not _document(job, "plan").get("digest"):
        words = f"{why}, and none can be made: Trueup says what is wrong below, or in this job's log."
        raise Problem(words, "Nothing was applied. Put that right with another request.")
    raise Problem(f"{why}, so nobody reviewed what would be applied to {job.settings.target}.", AGAIN)


def _refuse(job: Job, request: Request | None, problem: Problem) -> None:
    """Says in the request why nothing is applied, and what Trueup finds wrong where it can make no plan."""
    if request is None:
        return
    page = job.kept / "plan.md"
    is_wrong = page.is_file() and not _document(job, "plan").get("digest")
    said = page.read_text(encoding="utf-8").partition("\n")[2] if is_wrong else ""
    marker = job.marker("apply")
    job.forge.comment(request.number, marker, texts.refusal(marker, "not applied", problem, said))


def _finish(
    job: Job, here: Trueup, commit: str, request: Request | None, before: Mapping[str, bytes], ran: Ran
) -> None:
    """Commits the state and says what became of the merge, also where the state cannot be committed."""
    job.keep_memory(here)
    reviewed = _reviewed(job)
    notes = [*_on_the_plan(job, reviewed), *_left_to_later(job, here, commit)]
    try:
        pushed = job.repository.commit(
            job.state_branch(), before, job.state_in(here), _message(job, commit, ran, reviewed)
        )
    except Problem as problem:
        lost = f"**The state is not committed.** {problem.message} {problem.hint}"
        _say(job, commit, request, [lost, *notes])
        raise
    print(f"State of {job.settings.target} committed to {job.state_branch()}." if pushed else "State is as it was.")
    _say(job, commit, request, notes)


def _on_the_plan(job: Job, reviewed: str) -> list[str]:
    """Sentences on the plan that was reviewed, where what was applied is another one, and on a guard that refused."""
    document = _document(job, "apply")
    found = []
    if reviewed and reviewed != document.get("digest"):
        short = reviewed[: texts.DIGEST]
        found.append(f"**Reviewed was the plan `{short}`**; below is what there was to do when it was applied.")
    problems = document.get("problems")
    if isinstance(problems, list) and any(texts.GUARD_REFUSED in str(problem) for problem in problems):
        found.append(AGAIN)
    return found


def _reviewed(job: Job) -> str:
    """The digest of the plan that somebody agreed to; empty where it was a branch and no plan."""
    found = (read_json(job.kept / name).get("digest") for name in ("reviewed.plan", "fresh.plan"))
    return next((str(digest) for digest in found if digest), "")


def _left_to_later(job: Job, here: Trueup, commit: str) -> list[str]:
    """A sentence on what was not sent because the branch says something else by now than this commit did."""
    outcomes = _document(job, "apply").get("outcomes")
    refused = [str(one["name"]) for one in (outcomes if isinstance(outcomes, list) else []) if one["result"] == REFUSED]
    if not refused:
        return []
    then, now = job.checkout(commit, "then").rendered(), here.rendered()
    names = [name for name in refused if then.get(name) != now.get(name)]
    if not names:
        return []
    branch = texts.code(job.event.branch)
    print(f"A later merge decides on {texts.listed(names)}.")
    return [f"**A later merge decides** on {texts.listed(names)}: {branch} asks for something else of it by now."]


def _acknowledged(job: Job, here: Trueup) -> str:
    """A fresh plan, if its digest is the one that a person gave. Raises Problem."""
    plan = (job.kept / "fresh.plan").resolve()
    made = here.on_target("plan", "--out", str(plan), "--json", is_quiet=True).json
    digest = str(made.get("digest", ""))
    if not digest.startswith(job.settings.acknowledge):
        found = f"the plan is {digest[: texts.DIGEST]} now" if digest else "no plan could be made"
        raise Problem(f"The plan {job.settings.acknowledge} is not what there is to do: {found}.", AGAIN)
    return str(plan)


def _message(job: Job, commit: str, ran: Ran, reviewed: str) -> str:
    """The message of the commit that holds state: what was applied, by which job, how it ended."""
    document = _document(job, "apply")
    summary, digest = str(document.get("summary", "")).strip(), reviewed or str(document.get("digest", ""))
    return (
        f"Trueup: the state of {job.settings.target} [skip ci]\n\n{summary}\n\n"
        f"Trueup-Applied: {commit}\nTrueup-Plan: {digest}\nTrueup-Exit: {ran.code}\nTrueup-Job: {job.event.url}\n"
    )


def _say(job: Job, commit: str, request: Request | None, notes: list[str]) -> None:
    page = job.kept / "apply.md"
    if not page.is_file():
        return
    written = page.read_text(encoding="utf-8")
    marker = job.marker("apply")
    text = texts.with_notes(texts.marked(written, marker), notes, commit, job.event.url)
    page.write_text(text, encoding="utf-8")
    job.summarize(text)
    if request is not None:
        job.forge.comment(request.number, marker, text)


def _document(job: Job, kind: str) -> dict[str, object]:
    found = read_json(job.kept / f"{kind}.json")
    return found if isinstance(found, dict) else {}
