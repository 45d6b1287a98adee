"""A merge: the plan that its request showed is applied, and nothing else; state is committed, all of it is kept.

The files are those of the merge's own commit, the state is the newest there is, so that an old job that is run again
knows what was applied since. Only what stands in both plans, equal, is sent: that is Trueup's own promise.
"""

from __future__ import annotations

from trueup_ci import texts
from trueup_ci.forge import Request
from trueup_ci.job import Job
from trueup_ci.problem import Problem
from trueup_ci.settings import is_digest
from trueup_ci.tool import Ran, Trueup, also, handing_on, read_json

ACK = "Trueup-Ack"
"""The trailer of a merge commit that acknowledges a plan."""

AGAIN = (
    "Nothing was applied. Run this workflow by hand with the command `plan`, look at the plan in its summary, and run "
    "it with the command `apply` and the plan's digest as `acknowledge`."
)


def apply_merge(job: Job) -> int:
    """Applies what was reviewed for the commit, and says in its request what became of it.

    A job that is cancelled lets Trueup end what it began, and still commits its state.
    """
    with handing_on(lambda _: None):
        return _apply(job)


def _apply(job: Job) -> int:
    commit = job.repository.fetch(job.event.commit, 1)
    here = job.checkout(commit, "merged")
    before = job.with_newest_state(here)
    request = job.forge.merged(commit)
    try:
        ran = _applied(job, here, commit, request)
    except Problem as problem:
        if request is not None:
            marker = job.marker("apply")
            job.forge.comment(request.number, marker, texts.refusal(marker, problem))
        raise
    finally:
        job.keep_memory(here)
    pushed = job.repository.commit(job.state_branch(), before, job.state_in(here), _message(job, commit, ran))
    print(f"State of {job.settings.target} committed to {job.state_branch()}." if pushed else "State is as it was.")
    _say(job, commit, request)
    return ran.code


def plan_branch(job: Job) -> int:
    """Plans the branch as it is, for somebody who ran the job by hand; the plan's digest lets it be applied."""
    here = job.checkout(job.repository.fetch(job.event.commit, 1), "merged")
    job.with_newest_state(here)
    page = job.kept / "plan.md"
    ran = here.on_target("plan", "--format", "github", *also(job.kept.resolve(), "plan"))
    if page.is_file():
        digest = str(_document(job, "plan").get("digest", ""))
        note = f"To apply exactly this: run the command `apply` with acknowledge `{digest[: texts.DIGEST]}`."
        job.summarize(
            texts.with_notes(texts.marked(page.read_text("utf-8"), job.marker("plan", page.read_text("utf-8"))), [note])
        )
    return ran.code


def _applied(job: Job, here: Trueup, commit: str, request: Request | None) -> Ran:
    acks = [word for text in job.repository.trailers(commit, ACK) if is_digest(text) for word in ("--ack", text)]
    told = ["--format", "github", *also(job.kept.resolve(), "apply")]
    if job.settings.acknowledge:
        return here.on_target("apply", _acknowledged(job, here), "--ack", job.settings.acknowledge, *told)
    plan = job.forge.plan_of(request, job.settings.target) if request is not None and not request.is_fork else None
    if plan is not None:
        saved = str(job.keep("reviewed.plan", plan).resolve())
        return here.on_target("apply", saved, *acks, *told)
    if job.settings.without_plan == "apply":
        return here.on_target("apply", "--yes", *acks, *told)
    if _nothing_to_do(job, here):
        return Ran(0, "")
    why = "The commit is no merge of a request" if request is None else f"No plan is kept of request {request.number}"
    raise Problem(f"{why}, so nobody reviewed what would be applied to {job.settings.target}.", AGAIN)


def _nothing_to_do(job: Job, here: Trueup) -> bool:
    """Whether the files ask for nothing: a commit without a plan is no trouble then."""
    ran = here.on_target("plan", "--detailed-exitcode", "--format", "github", *also(job.kept.resolve(), "plan"))
    return ran.code == 0


def _acknowledged(job: Job, here: Trueup) -> str:
    """A fresh plan, if its digest is the one that a person gave. Raises Problem."""
    plan = (job.kept / "fresh.plan").resolve()
    made = here.on_target("plan", "--out", str(plan), "--json", is_quiet=True).json
    digest = str(made.get("digest", ""))
    if not digest.startswith(job.settings.acknowledge):
        found = f"the plan is {digest[: texts.DIGEST]} now" if digest else "no plan could be made"
        raise Problem(f"The plan {job.settings.acknowledge} is not what there is to do: {found}.", AGAIN)
    return str(plan)


def _message(job: Job, commit: str, ran: Ran) -> str:
    """The message of the commit that holds state: what was applied, by which job, how it ended."""
    summary = str(_document(job, "apply").get("summary", "")).strip()
    digest = str(_document(job, "apply").get("digest", ""))
    return (
        f"Trueup: the state of {job.settings.target} [skip ci]\n\n{summary}\n\n"
        f"Trueup-Applied: {commit}\nTrueup-Plan: {digest}\nTrueup-Exit: {ran.code}\nTrueup-Job: {job.event.url}\n"
    )


def _say(job: Job, commit: str, request: Request | None) -> None:
    page = job.kept / "apply.md"
    if not page.is_file():
        return
    written = page.read_text(encoding="utf-8")
    marker = job.marker("apply", written)
    text = texts.with_source(texts.marked(written, marker), commit, job.event.url)
    page.write_text(text, encoding="utf-8")
    job.summarize(text)
    if request is not None:
        job.forge.comment(request.number, marker, text)


def _document(job: Job, kind: str) -> dict[str, object]:
    found = read_json(job.kept / f"{kind}.json")
    return found if isinstance(found, dict) else {}
