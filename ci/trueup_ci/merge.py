"""Apply a merge: exactly the plan that its pull request showed; then commit the state and keep all files.

Files and state are the newest of the default branch, so an old job that is run again knows what was merged and applied
since. Trueup sends a change only if the reviewed plan and a fresh plan both have it. What a later merge changed or
removed is left to that merge.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Mapping

from trueup_ci import texts
from trueup_ci.job import Job
from trueup_ci.platform import PullRequest
from trueup_ci.problem import Cancelled, Problem, unforeseen
from trueup_ci.settings import is_digest
from trueup_ci.tool import Ran, Trueup, also, handle_signals, read_json

ACK = "Trueup-Ack"
"""The trailer of a merge commit that acknowledges a plan."""

REFUSED = "refused"
"""The result of a change that is in the reviewed plan and not in a fresh one."""

AGAIN = (
    "Nothing was applied. Run this workflow by hand with the command `plan`, review the plan in its summary, then run "
    "it with the command `apply` and the plan's digest as `acknowledge`. Until then other pull requests show these "
    "changes too, as unrelated, and merging one of them applies them."
)


def apply_merge(job: Job) -> int:
    """Apply the reviewed plan of the commit and report the result in its pull request.

    A job that is cancelled before Trueup's apply starts sends nothing. A job that is cancelled later lets Trueup finish
    the requests under way, and still commits the state.
    """
    commit = job.repository.fetch(job.event.commit, 1)
    request = job.platform.find_merged(commit)
    try:
        newest, here = job.checkout_newest("merged")
        before = job.restore_memory(here, newest)
        words = _choose_arguments(job, here, commit, request)
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
        print(f"Nothing to apply to {job.settings.target}.")
        return 0
    cancels: list[int] = []
    with handle_signals(cancels.append):
        told = ["--format", "github", *also(job.kept.resolve(), "apply")]
        ran = here.run_on_target("apply", *words, *told, cancels=cancels)
        if cancels:
            print("Cancelled: requests under way were finished, and the state is kept.", file=sys.stderr)
        _finish(job, here, commit, request, before, ran)
    return ran.code


def plan_branch(job: Job) -> int:
    """Plan the branch for a person who runs the job by hand; the digest of the plan lets them apply it."""
    newest, here = job.checkout_newest("merged")
    job.restore_memory(here, newest)
    page = job.kept / "plan.md"
    ran = here.run_on_target("plan", "--format", "github", *also(job.kept.resolve(), "plan"))
    if page.is_file():
        digest = str(_read_document(job, "plan").get("digest", ""))
        note = f"To apply exactly this plan, run the command `apply` with `acknowledge` = `{digest[: texts.DIGEST]}`."
        text = texts.replace_marker(page.read_text("utf-8"), job.marker("plan"))
        job.add_summary(texts.add_notes(text, [note] if digest else []))
    return ran.code


def _choose_arguments(job: Job, here: Trueup, commit: str, request: PullRequest | None) -> list[str] | None:
    """Return the arguments of `apply` that send what was reviewed; None if there is nothing to. Raises Problem."""
    if job.settings.acknowledge:
        return [_plan_acknowledged(job, here), "--ack", job.settings.acknowledge]
    acks = [word for digest in _read_acknowledgements(job, commit, request) for word in ("--ack", digest)]
    if request is not None and not request.is_fork:
        plan = job.platform.download_plan(request, job.settings.slug)
        if plan is not None:
            return [str(job.keep("reviewed.plan", plan).resolve()), *acks]
    if job.settings.without_plan == "apply":
        return ["--yes", *acks]
    _refuse_unreviewed(job, commit, request)
    return None


def _read_acknowledgements(job: Job, commit: str, request: PullRequest | None) -> list[str]:
    """Return the digests in the merge's message that the pull request's author did not write."""
    found = [text for text in job.repository.read_trailers(commit, ACK) if is_digest(text)]
    if request is None or not found:
        return found
    kept = []
    for digest in found:
        texts_of_author = itertools.chain(
            [job.repository.read_messages(request.head)], job.platform.read_author_texts(request.number)
        )
        if any(digest in text for text in texts_of_author):
            print(f"{ACK}: {digest} is ignored: the pull request's own title, description or commits contain it.")
        else:
            kept.append(digest)
    return kept


def _refuse_unreviewed(job: Job, commit: str, request: PullRequest | None) -> None:
    """Raise Problem for a commit without a reviewed plan, unless its plan is empty."""
    own = job.checkout(commit, "own")
    job.restore_memory(own, commit)
    told = ["--format", "github", *also(job.kept.resolve(), "plan")]
    ran = own.run_on_target("plan", "--detailed-exitcode", *told)
    if ran.code == 0:
        return
    why = "The commit is not the merge of a pull request"
    if request is not None:
        why = f"No plan is kept for pull request {request.number}"
    if not _read_document(job, "plan").get("digest"):
        words = f"{why}, and no plan can be made: the errors are below, or in this job's log."
        raise Problem(words, "Nothing was applied. Fix the files with another pull request.")
    raise Problem(f"{why}, so nobody reviewed the changes to {job.settings.target}.", AGAIN)


def _refuse(job: Job, request: PullRequest | None, problem: Problem) -> None:
    """Report in the pull request why nothing is applied, with Trueup's errors where it can make no plan."""
    if request is None:
        return
    page = job.kept / "plan.md"
    is_wrong = page.is_file() and not _read_document(job, "plan").get("digest")
    said = page.read_text(encoding="utf-8").partition("\n")[2] if is_wrong else ""
    marker = job.marker("apply")
    job.platform.write_comment(request.number, marker, texts.write_refusal(marker, "not applied", problem, said))


def _finish(
    job: Job, here: Trueup, commit: str, request: PullRequest | None, before: Mapping[str, bytes], ran: Ran
) -> None:
    """Commit the state and report the result of the merge, also if the state cannot be committed."""
    job.keep_memory(here)
    reviewed = _find_reviewed_digest(job)
    notes = [*_note_changed_plan(job, reviewed), *_note_later_merges(job, here, commit)]
    try:
        pushed = job.repository.commit(
            job.state_branch(), before, job.read_state(here), _commit_message(job, commit, ran, reviewed)
        )
    except Problem as problem:
        lost = f"**The state was not committed.** {problem.message} {problem.hint}"
        _publish(job, commit, request, [lost, *notes])
        raise
    print(f"State of {job.settings.target} committed to {job.state_branch()}." if pushed else "The state is unchanged.")
    _publish(job, commit, request, notes)


def _note_changed_plan(job: Job, reviewed: str) -> list[str]:
    """Return notes: the applied plan differs from the reviewed one; a guard refused."""
    document = _read_document(job, "apply")
    found = []
    if reviewed and reviewed != document.get("digest"):
        short = reviewed[: texts.DIGEST]
        found.append(
            f"**The reviewed plan is `{short}`.** Below is the plan at the time of the apply, which differs from it."
        )
    if texts.is_guarded(document):
        found.append(AGAIN)
    return found


def _find_reviewed_digest(job: Job) -> str:
    """Return the digest of the reviewed plan; empty if a branch was applied without one."""
    found = (read_json(job.kept / name).get("digest") for name in ("reviewed.plan", "fresh.plan"))
    return next((str(digest) for digest in found if digest), "")


def _note_later_merges(job: Job, here: Trueup, commit: str) -> list[str]:
    """Return a note on changes that were not sent because the branch has newer definitions than this commit."""
    outcomes = _read_document(job, "apply").get("outcomes")
    refused = [str(one["name"]) for one in (outcomes if isinstance(outcomes, list) else []) if one["result"] == REFUSED]
    if not refused:
        return []
    then, now = job.checkout(commit, "then").render_definitions(), here.render_definitions()
    names = [name for name in refused if then.get(name) != now.get(name)]
    if not names:
        return []
    branch = texts.code_span(job.event.branch)
    print(f"Left to a later merge: {texts.list_names(names)}.")
    return [f"**Left to a later merge**: {texts.list_names(names)}. {branch} has newer definitions by now."]


def _plan_acknowledged(job: Job, here: Trueup) -> str:
    """Make a plan and return its file if its digest is the acknowledged one. Raises Problem."""
    plan = (job.kept / "fresh.plan").resolve()
    made = here.run_on_target("plan", "--out", str(plan), "--json", is_quiet=True).json
    digest = str(made.get("digest", ""))
    if not digest.startswith(job.settings.acknowledge):
        found = f"the plan now is {digest[: texts.DIGEST]}" if digest else "no plan could be made"
        raise Problem(f"The acknowledged plan {job.settings.acknowledge} is out of date: {found}.", AGAIN)
    return str(plan)


def _commit_message(job: Job, commit: str, ran: Ran, reviewed: str) -> str:
    """Return the message of the commit of the state: what was applied, by which job, and its exit code."""
    document = _read_document(job, "apply")
    summary, digest = str(document.get("summary", "")).strip(), reviewed or str(document.get("digest", ""))
    return (
        f"Trueup: the state of {job.settings.target} [skip ci]\n\n{summary}\n\n"
        f"Trueup-Applied: {commit}\nTrueup-Plan: {digest}\nTrueup-Exit: {ran.code}\nTrueup-Job: {job.event.url}\n"
    )


def _publish(job: Job, commit: str, request: PullRequest | None, notes: list[str]) -> None:
    page = job.kept / "apply.md"
    if not page.is_file():
        return
    written = page.read_text(encoding="utf-8")
    marker = job.marker("apply")
    text = texts.add_notes(texts.replace_marker(written, marker), notes, commit, job.event.url)
    page.write_text(text, encoding="utf-8")
    job.add_summary(text)
    if request is not None:
        job.platform.write_comment(request.number, marker, text)


def _read_document(job: Job, kind: str) -> dict[str, object]:
    found = read_json(job.kept / f"{kind}.json")
    return found if isinstance(found, dict) else {}
