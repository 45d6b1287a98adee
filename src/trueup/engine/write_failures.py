"""What came of a write that did not go well, in words, and how a person goes on from there.

Looks at one change, what was sent for it and what was answered; sends nothing, and knows neither state nor journal.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from trueup.core.call import Reply
from trueup.core.command import HERE, Message
from trueup.core.errors import NotSent, OutcomeUnknown
from trueup.core.field_table import STAMP_KEY
from trueup.core.plans.plan import Action, Change
from trueup.wire.base import Adapter, Problem, Unexpected
from trueup.wire.replies import is_page

PLAN, APPLY = HERE.command("plan"), HERE.command("apply")
"""The commands to go on with; the run under way adds its target, its names and its flags."""

AGAIN = Message("To try again: ", APPLY)
JUDGE = Message("To see what is live now: ", PLAN)
ANEW = Message("Nothing was recorded. ", JUDGE)
NO_STAMP = "To go on with the state file alone, set `stamp: false` for this target in trueup.yaml."
STAYS = Message(AGAIN, ". If it persists, delete it at the vendor; the next apply then forgets it.")
TAKE_OFF = Message(f"Remove the key {STAMP_KEY} from its metadata at the vendor. ", AGAIN)
IGNORED = "this server ignores it: remove it from the definition, or list it in `ignore_changes`."
MEND = Message("Correct what it names, then plan again: ", PLAN)
NETWORK = "Check base_url, the network and any proxy."
PATIENCE = Message(
    "If it persists, check the network and any proxy, and give the target more time: ",
    HERE.command("apply", timeout="300"),
)
SLOWER = Message(
    "If it persists, set `rate_limit` for the target in trueup.yaml, or send fewer requests at once: ",
    HERE.command("apply", parallelism="1"),
)
QUOTA = "The account's quota is used up. Check it at the vendor."
RIGHT = "Check that the key belongs to this account and project and may write there."
ELSEWHERE = "Check base_url: a proxy or a login page may be responding instead of the target."
REDIRECT = "Check base_url and the proxy's settings. Trueup follows no redirect, so that no key is sent elsewhere."
NO_PATH = "Check base_url, and whether a gateway in between forwards this request."


@dataclass(frozen=True, slots=True)
class WriteFailure:
    """What was answered instead of what was hoped for; `hint` is the way on where the write was not done.

    `check` is the part of it that helps also where nobody knows whether it was done.
    """

    text: str
    hint: str
    check: str = ""


UNTRIED = WriteFailure("", "")
"""Before anything was sent."""


def fail_permanently(text: str, check: str) -> WriteFailure:
    """Return a failure that comes again until its cause is removed."""
    return WriteFailure(text, Message(check, " ", AGAIN), check)


def fail_transiently(text: str, check: str) -> WriteFailure:
    """Return a failure that may be over by now."""
    return WriteFailure(text, Message(AGAIN, ". ", check), check)


def describe_no_response(error: NotSent | OutcomeUnknown) -> WriteFailure:
    """Describe a request that got no answer at all."""
    text = str(error)
    return fail_permanently(text, NETWORK) if isinstance(error, NotSent) else fail_transiently(text, PATIENCE)


def describe_refusal(problem: Problem, reply: Reply, live_id: str = "") -> WriteFailure:
    """Describe an answer that is no success; `live_id` is whom the write was for, empty for a create."""
    if live_id and problem.is_of_another(live_id):
        return WriteFailure(f"the response is about another assistant: {problem.message}", ANEW)
    if problem.conflict or (live_id and problem.is_own_404(live_id)):
        return WriteFailure(problem.message, JUDGE)
    return _describe_status(problem, reply)


def describe_foreign_answer(text: str, reply: Reply) -> WriteFailure:
    """Describe a success whose body is not that of this write; `text` says what it is instead."""
    return fail_permanently(text, ELSEWHERE) if is_page(reply) else WriteFailure(text, ANEW)


def leaves_open(adapter: Adapter, change: Change, reply: Reply) -> bool:
    """Return whether an answer that shows no success leaves open what was done: one that speaks of another does too."""
    if reply.status < 300:
        return True
    problem = adapter.problem(reply)
    return problem.unclear or problem.is_of_another(change.id)


def describe_answer(adapter: Adapter, change: Change, reply: Reply) -> WriteFailure:
    """Describe an answer to a modify or a delete, should it be the last and what is live be as before."""
    if reply.status >= 300:
        return describe_refusal(adapter.problem(reply), reply, change.id)
    if change.action is Action.DELETE:
        failure = describe_foreign_answer(adapter.explain_not_deleted(reply, change.id), reply)
        return failure if failure.check else replace(failure, hint=STAYS)
    try:
        live = adapter.read(reply)
    except Unexpected as error:
        return describe_foreign_answer(str(error), reply)
    if live.id != change.id:
        return describe_foreign_answer(f"the response is another assistant ({live.id})", reply)
    return _describe_ignored(change)


def _describe_ignored(change: Change) -> WriteFailure:
    """Describe a success that changed nothing: which fields this server ignores."""
    fields = ", ".join(change.sets)
    if not fields:
        return WriteFailure("the response shows nothing of what was sent", NO_STAMP)
    text = f"the response shows nothing of what was sent ({fields})"
    return WriteFailure(text, Message(AGAIN, ". If it persists, ", IGNORED))


def _describe_status(problem: Problem, reply: Reply) -> WriteFailure:
    status, text = reply.status, problem.message
    if problem.code == "insufficient_quota":
        return fail_permanently(text, QUOTA)
    if 300 <= status < 400 or status == 407:
        return fail_permanently(text, REDIRECT)
    if problem.unclear:
        return fail_transiently(text, SLOWER)
    if is_page(reply):
        return fail_permanently(text, ELSEWHERE)
    if status in (401, 403):
        return fail_permanently(text, RIGHT)
    if status in (404, 405) and not problem.path:
        return fail_permanently(text, NO_PATH)
    return WriteFailure(text, MEND)
