"""One probe of a server: a throw-away assistant is made, asked with, and always removed. Touches no other assistant.

What it does is noted before it is done, so that the next probe finds what a killed one left. Knows no terminal, no file
and no meaning of an answer: the questions are the protocol's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from trueup.core.call import Reply
from trueup.core.errors import EndpointError, InterruptedRun, NotSent, OutcomeUnknown, TrueupError
from trueup.core.memory.capabilities import Capabilities
from trueup.core.memory.questions import UNKNOWN
from trueup.engine.ports import Progress
from trueup.engine.probe_create import Diary, Order, StillThereError, create, mark
from trueup.engine.probe_left import Gone, is_of, probe_name, remove, whole
from trueup.engine.refresh import View, ask, walk
from trueup.engine.request_runner import RequestRunner
from trueup.wire.base import Adapter, Live, Page, Unexpected
from trueup.wire.probe import METADATA, Ask, Probe, Subject

PATIENCE: Final = (0.0, 1.0, 2.0, 3.0, 4.0)
"""Seconds before each look for the assistant in the listing: ten in all."""

REFUSALS: Final = frozenset({400, 413, 422, 500, 501})
"""The statuses that can be about what was sent. Any other one, about who sends or when, ends the probe."""

LOOKS: Final = (1.0, 1.0, 2.0, 3.0, 5.0)
"""Seconds between the reads after a modify, until one shows what the modify answered: twelve in all."""

TIRED: Final = 3
"""Modifies whose answer no read ever showed, after which the first two pauses are all that later ones are given."""


async def probe(
    order: Order, asked: Probe, adapter: Adapter, runner: RequestRunner, view: View, diary: Diary
) -> Capabilities:
    """Return the server's answers to the questions that its protocol asks.

    `view` is all that is live already; `diary` is told of the assistant before it is made, once it has an id, and when
    it is gone.

    Raises TrueupError; the assistant is removed all the same, and if it is not, the error says so. Raises
    UnreadableError, with nothing sent, where the view is a part.
    """
    live = await create(order, asked, adapter, runner, whole(view), diary)
    diary.made(order.nonce, live.id)
    subject = Subject(adapter.dialect, probe_name(order.nonce), mark(order), order.file_id, order.store_id)
    try:
        await _look_for(live.id, subject, adapter, runner)
        await _ask_all(live.id, order.model, asked, subject, adapter, runner)
    except BaseException:  # whatever ends the questions, the assistant is removed first
        await _removed(live.id, order, adapter, runner, view, diary)
        raise
    gone = await _removed(live.id, order, adapter, runner, view, diary)
    answers = {**subject.answers, "deleted": gone.answer}
    return Capabilities(
        order.identity, order.dialect, order.gateway, order.model, answers, subject.tried, subject.fills, subject.words
    )


async def _removed(
    live_id: str, order: Order, adapter: Adapter, runner: RequestRunner, before: View, diary: Diary
) -> Gone:
    """Removes the assistant and what twins a gateway made of it, and notes that it is done. Raises StillThereError."""
    twins = await _twins(live_id, order, adapter, runner, before)
    for one in (live_id, *(twins or ())):
        gone = await remove(one, adapter, runner)
        if gone.problem:
            raise StillThereError(
                f"The probe's assistant {one} could not be removed: {gone.problem.rstrip('.')}.",
                "Probe again: it removes what an earlier probe left. Or delete it at the vendor.",
            )
    if twins is not None:
        diary.ended(order.nonce)
    return gone


async def _twins(
    live_id: str, order: Order, adapter: Adapter, runner: RequestRunner, before: View
) -> tuple[str, ...] | None:
    """What else of this probe is among the newest: a gateway may have sent the create twice; None where that cannot
    be read."""
    try:
        newest = (await _newest(adapter, runner)).items
    except (Unexpected, NotSent, OutcomeUnknown):
        return None
    ours = (item.id for item in newest if is_of(item, order.identity, order.nonce))
    return tuple(sorted({found for found in ours if found != live_id and found not in before.live}))


async def _look_for(live_id: str, subject: Subject, adapter: Adapter, runner: RequestRunner) -> None:
    """Whether the listing shows the create, and whether `has_more` tells the truth around it."""
    answers = subject.answers
    answers["listing"] = answers["has-more"] = UNKNOWN
    try:
        for number, seconds in enumerate(PATIENCE):
            await runner.pause(seconds, "Waiting before the listing is looked at again")
            if await _is_listed(live_id, adapter, runner):
                answers["listing"] = "later" if number else "at-once"
                break
        else:
            answers["listing"] = "not-seen"
            return
        answers["has-more"] = await _has_more(live_id, adapter, runner)
    except (Unexpected, EndpointError, NotSent, OutcomeUnknown):
        return  # what cannot be read is not known; whether the server answers at all the next question shows


async def _newest(adapter: Adapter, runner: RequestRunner) -> Page:
    """The page of the newest. Raises `Unexpected`, `NotSent` or `OutcomeUnknown`."""
    reply, _ = await ask(adapter, runner, "", "desc", adapter.dialect.page_size)
    return adapter.read_page(reply)


async def _is_listed(live_id: str, adapter: Adapter, runner: RequestRunner) -> bool:
    newest = await _newest(adapter, runner)
    return any(item.id == live_id for item in newest.items) or live_id in (await walk(adapter, runner)).live


async def _has_more(live_id: str, adapter: Adapter, runner: RequestRunner) -> str:
    """Whether `has_more` says of three pages of one entry each what the page behind it shows: the first one, the one
    that ends with the newest assistant, and the one behind that. Where none had one behind it, it could lie unseen."""

    async def page(after: str, order: str = "asc") -> Page:
        return adapter.read_page(await runner.read(adapter.list_page(after, order, 1)))

    older = (await page(live_id, "desc")).items
    needed = False
    for after in ("", older[0].id if older else "", live_id):
        found = await page(after)
        follows = found.cursor is not None and bool((await page(found.cursor)).items)
        if found.has_more is not follows:
            return "wrong"
        needed = needed or follows
    return "honest" if needed else UNKNOWN


async def _ask_all(
    live_id: str, model: str, asked: Probe, subject: Subject, adapter: Adapter, runner: RequestRunner
) -> None:
    """Every question in turn. Raises TrueupError."""
    subject.answers["reads"] = "at-once"
    await _read(live_id, subject, adapter, runner)
    subject.control = await _control(live_id, model, subject, adapter, runner)
    listed = asked.asks(subject)
    for number, (what, question) in enumerate(listed):
        runner.ports.progress(Progress("Asking", number, len(listed), name=what))
        before = subject.known()
        subject.in_doubt = False
        await _ask(live_id, question(subject), subject, adapter, runner)
        if subject.in_doubt:
            subject.forget(before)


async def _control(
    live_id: str, model: str, subject: Subject, adapter: Adapter, runner: RequestRunner
) -> Mapping[str, Any]:
    """A modify that the server takes and that changes nothing. Raises TrueupError where it takes none."""
    for control in ({"model": model}, {"name": subject.name}, {METADATA: dict(subject.mark)}):
        if await _modify(live_id, control, subject, adapter, runner):
            return control
    raise TrueupError(
        f"The server takes no modify, not even one that changes nothing: {subject.refusal.rstrip('.')}.",
        "Nothing was stored. Check whether the key may change assistants, and whether a gateway passes that on.",
    )


async def _ask(live_id: str, question: Ask, subject: Subject, adapter: Adapter, runner: RequestRunner) -> None:
    body = next(question, None)
    while body is not None:
        taken = await _modify(live_id, body, subject, adapter, runner)
        if not taken:
            if not await _modify(live_id, subject.control, subject, adapter, runner):
                raise TrueupError(
                    "The probe ended early: the server refuses now what it took before.",
                    "Nothing was stored. Probe again later.",
                )
            taken = await _modify(live_id, body, subject, adapter, runner)
        try:
            body = question.send(taken)
        except StopIteration:
            return


async def _modify(
    live_id: str, body: Mapping[str, Any], subject: Subject, adapter: Adapter, runner: RequestRunner
) -> bool:
    """Sends one modify and reads what is live then; False where the server refused it. Raises TrueupError."""
    if runner.ports.stop.is_set():
        raise InterruptedRun(
            "Interrupted: the probe's assistant is removed, and no answer was stored.", "Run the probe again."
        )
    call = adapter.post(live_id, body)
    subject.sent = call.json
    for attempt in range(runner.pace.max_retries + 1):
        reply, why = None, ""
        try:
            reply = await runner.write(call)
        except (NotSent, OutcomeUnknown) as error:
            why = str(error)
        if reply is not None and not adapter.problem(reply).unclear:
            break
        if attempt < runner.pace.max_retries and not runner.ports.stop.is_set():
            await runner.back_off(attempt, reply, why)
    if reply is None:
        raise EndpointError(
            f"The server gave no answer to the probe: {why.rstrip('.')}.", "Nothing was stored. Probe again later."
        )
    if not 200 <= reply.status < 300 and reply.status not in REFUSALS:
        why = adapter.problem(reply).message.rstrip(".")
        raise TrueupError(f"The probe ended early: {why}.", "Nothing was stored. Probe again later.")
    if reply.status < 300:
        subject.took(body)
    else:
        subject.refusal = adapter.problem(reply).message
    shown = _shown(reply, adapter)
    if reply.status < 300 and (shown is None or shown.id != live_id):
        shown, subject.in_doubt = None, True  # what it answered is not the assistant: a late read could not be told
    await _read(live_id, subject, adapter, runner, shown)
    return reply.status < 300


def _shown(reply: Reply, adapter: Adapter) -> Live | None:
    """The assistant in the answer to a modify, if it is one."""
    try:
        return adapter.read(reply) if reply.status < 300 else None
    except Unexpected:
        return None


async def _read(
    live_id: str, subject: Subject, adapter: Adapter, runner: RequestRunner, shown: Live | None = None
) -> None:
    """What is live now; where that is not what the modify answered, it may only be late. Raises TrueupError.

    Where it stays so it is not known which of the two is true, and what is asked is in doubt.
    """
    for seconds in (*(LOOKS if subject.never_shown < TIRED else LOOKS[:2]), 0.0):
        try:
            live = await runner.run_reads(adapter.get(live_id))
        except (Unexpected, NotSent, OutcomeUnknown) as error:
            raise EndpointError(
                f"The probe's assistant could not be read: {str(error).rstrip('.')}.",
                "Nothing was stored. Probe again later.",
            ) from error
        if live is None:
            raise TrueupError("Somebody deleted the probe's assistant.", "Nothing was stored. Probe again.")
        subject.body, subject.extra = live.body, live.extra
        if shown is None or all(live.body.get(key) == shown.body[key] for key in shown.body):
            return
        if seconds:
            subject.answers["reads"] = "later"
            await runner.pause(seconds)
    subject.never_shown += 1
    subject.in_doubt = True
