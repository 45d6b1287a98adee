"""One probe of a server: a throw-away assistant is made, asked with, and always removed. Touches no other assistant.

What it does is noted before it is done, so that the next probe finds what a killed one left. Knows no terminal, no file
and no meaning of an answer: `engine.probe_questions` and `engine.probe_shapes` have those.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from trueup.core.call import Reply
from trueup.core.errors import EndpointError, Exit, InterruptedRun, NotSent, OutcomeUnknown, TrueupError
from trueup.core.memory.capabilities import Capabilities
from trueup.core.memory.questions import UNKNOWN
from trueup.core.memory.state import Identity
from trueup.engine.courier import Courier, is_unclear
from trueup.engine.probe_left import MARK, Gone, is_of, probe_name, remove, whole
from trueup.engine.probe_questions import questions
from trueup.engine.probe_subject import TEXT, Ask, Subject
from trueup.engine.refresh import View, walk
from trueup.wire.base import Adapter, Live, Page, Unexpected

PATIENCE: Final = (0.0, 1.0, 2.0, 3.0, 4.0)
"""Seconds before each look for the assistant in the listing: ten in all."""

LOOKS: Final = 3
"""Reads after a modify, a second apart, before what they show counts."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be probed. `nonce` tells this probe from others; `file_id` and `store_id` are what an assistant may
    name; `settle` is how many seconds an unclear create may take."""

    identity: Identity
    dialect: str
    gateway: str
    model: str
    nonce: str
    file_id: str
    store_id: str
    settle: float


class Diary(Protocol):
    """Where it is noted which assistants are probes': each call returns once it is on disk."""

    def begun(self, nonce: str) -> None:
        """A probe is about to create its assistant."""

    def made(self, nonce: str, live_id: str) -> None:
        """The assistant has this id."""

    def ended(self, nonce: str) -> None:
        """Nothing of this probe is live."""

    def spare(self, live_id: str) -> None:
        """This assistant was there before a probe that it now looks like: it is never a probe's."""


class StillThereError(TrueupError):
    """The probe's assistant could not be removed."""

    exit = Exit.PARTIAL


async def probe(order: Order, adapter: Adapter, courier: Courier, view: View, diary: Diary) -> Capabilities:
    """The answers of the server. `view` is all that is live already; `diary` is told of the assistant before it is
    made, once it has an id, and when it is gone.

    Raises TrueupError; the assistant is removed all the same, and if it is not, the error says so. Raises
    UnreadableError, with nothing sent, where the view is a part.
    """
    live = await _create(order, adapter, courier, whole(view), diary)
    diary.made(order.nonce, live.id)
    subject = Subject(adapter.dialect, probe_name(order.nonce), _mark(order), order.file_id, order.store_id)
    try:
        await _look_for(live.id, subject, adapter, courier)
        await _ask_all(live.id, subject, adapter, courier)
    except BaseException:  # whatever ends the questions, the assistant is removed first
        await _removed(live.id, order, adapter, courier, diary)
        raise
    gone = await _removed(live.id, order, adapter, courier, diary)
    answers = {**subject.answers, "deleted": gone.answer}
    return Capabilities(
        order.identity, order.dialect, order.gateway, order.model, answers, subject.tried, subject.fills, subject.words
    )


async def _removed(live_id: str, order: Order, adapter: Adapter, courier: Courier, diary: Diary) -> Gone:
    """Removes the assistant and notes that it is gone. Raises StillThereError."""
    gone = await remove(live_id, adapter, courier)
    if gone.problem:
        raise StillThereError(
            f"The probe's assistant {live_id} could not be removed: {gone.problem}.",
            "Probe again: it removes what an earlier probe left. Or delete it at the vendor.",
        )
    diary.ended(order.nonce)
    return gone


def _mark(order: Order) -> dict[str, str]:
    whose = order.identity
    return {MARK: json.dumps({"project": whose.project, "target": whose.target, "probe": order.nonce})}


async def _create(order: Order, adapter: Adapter, courier: Courier, view: View, diary: Diary) -> Live:
    """The one create, sent once. Raises TrueupError; what an unclear one made is removed."""
    body = {
        "name": probe_name(order.nonce), "model": order.model, "description": TEXT, "instructions": TEXT,
        "metadata": _mark(order),
    }  # fmt: skip
    diary.begun(order.nonce)
    try:
        reply = await courier.write(adapter.create(body))
    except NotSent as error:
        diary.ended(order.nonce)
        raise EndpointError(f"The probe's assistant could not be sent: {error}.", "Nothing was created.") from error
    except OutcomeUnknown as error:
        raise await _unclear(order, adapter, courier, view, diary, str(error)) from error
    if 200 <= reply.status < 300:
        try:
            live = adapter.read(reply)
        except Unexpected as error:
            raise await _unclear(order, adapter, courier, view, diary, str(error)) from error
        if live.id in view.live:
            why = f"it shows {live.id}, which was there before"
        elif await _is_ours(live, order, adapter, courier):
            return live
        else:
            why = (
                f"it shows {live.id}, which has neither the name nor the mark of this probe and is left alone: look at "
                "it, and delete it at the vendor if nobody uses it"
            )
        raise await _unclear(order, adapter, courier, view, diary, why)
    why = adapter.problem(reply).message
    if is_unclear(reply.status):
        raise await _unclear(order, adapter, courier, view, diary, why)
    diary.ended(order.nonce)
    raise TrueupError(
        f"The server refused the probe's assistant: {why}.",
        f"Nothing was created. If it does not know the model {order.model}, name another one with --model.",
    )


async def _is_ours(live: Live, order: Order, adapter: Adapter, courier: Courier) -> bool:
    """Whether what a create answered is known by its mark or its name, there or when it is read."""
    if is_of(live, order.identity, order.nonce):
        return True
    try:
        read = await courier.follow(adapter.get(live.id))
    except (Unexpected, NotSent, OutcomeUnknown):
        return False
    return read is not None and is_of(read, order.identity, order.nonce)


async def _unclear(
    order: Order, adapter: Adapter, courier: Courier, before: View, diary: Diary, why: str
) -> TrueupError:
    """What to say of a create whose answer was not clear, once what it made is removed as far as it can be seen.

    What was there before is not removed, whatever it carries now.
    """
    await courier.pause(order.settle)
    said = f"The answer to the probe's create was not clear: {why.rstrip('.')}."
    try:
        view = await walk(adapter, courier)
    except EndpointError as error:
        return StillThereError(f"{said} {error.message}", "Probe again: it looks for what this one may have left.")
    found = sorted(live.id for live in view.live.values() if is_of(live, order.identity, order.nonce))
    changed = [live_id for live_id in found if live_id in before.live]
    made = [live_id for live_id in found if live_id not in before.live]
    for live_id in changed:
        diary.spare(live_id)
        said += f" {live_id} was there before and looks like the probe's now: it is left alone."
    for live_id in made:
        gone = await remove(live_id, adapter, courier)
        if gone.problem:
            return StillThereError(
                f"{said} It made {live_id}, which could not be removed: {gone.problem}.", "Probe again: it removes it."
            )
    if made:
        said += f" It had made {', '.join(made)}, which is removed."
    if not view.complete:
        return StillThereError(
            f"{said} Not everything could be read afterwards: {view.problem}.",
            "Probe again: it looks for what this one may have left.",
        )
    if made:
        diary.ended(order.nonce)
        return TrueupError(said, "Probe again.")
    if changed:
        return TrueupError(
            said, "Look at it: this server changes what is there where it is asked to make something new."
        )
    return TrueupError(f"{said} The listing shows nothing that it made.", "Probe again: it looks for what came late.")


async def _look_for(live_id: str, subject: Subject, adapter: Adapter, courier: Courier) -> None:
    """Whether the listing shows the create, and whether `has_more` tells the truth around it."""
    answers = subject.answers
    answers["listing"] = answers["has-more"] = UNKNOWN
    try:
        for number, seconds in enumerate(PATIENCE):
            await courier.pause(seconds)
            if await _is_listed(live_id, adapter, courier):
                answers["listing"] = "later" if number else "at-once"
                break
        else:
            answers["listing"] = "not-seen"
            return
        answers["has-more"] = await _has_more(live_id, adapter, courier)
    except (Unexpected, EndpointError, NotSent, OutcomeUnknown):
        return  # what cannot be read is not known; whether the server answers at all the next question shows


async def _is_listed(live_id: str, adapter: Adapter, courier: Courier) -> bool:
    newest = adapter.read_page(await courier.read(adapter.list_page("", "desc")))
    return any(item.id == live_id for item in newest.items) or live_id in (await walk(adapter, courier)).live


async def _has_more(live_id: str, adapter: Adapter, courier: Courier) -> str:
    """Whether `has_more` says of three pages of one entry each what the page behind it shows: the first one, the one
    that ends with the newest assistant, and the one behind that. Where none had one behind it, it could lie unseen."""

    async def page(after: str, order: str = "asc") -> Page:
        call = adapter.list_page(after, order)
        return adapter.read_page(await courier.read(replace(call, query={**call.query, "limit": "1"})))

    older = (await page(live_id, "desc")).items
    needed = False
    for after in ("", older[0].id if older else "", live_id):
        found = await page(after)
        follows = bool(found.items) and bool((await page(found.cursor)).items)
        if found.has_more is not follows:
            return "wrong"
        needed = needed or follows
    return "honest" if needed else UNKNOWN


async def _ask_all(live_id: str, subject: Subject, adapter: Adapter, courier: Courier) -> None:
    """Every question in turn. Raises TrueupError."""
    subject.answers["reads"] = "at-once"
    await _read(live_id, subject, adapter, courier)
    listed = questions(subject)
    for number, (what, question) in enumerate(listed):
        courier.ports.progress(number, len(listed), what)
        await _ask(live_id, question(subject), subject, adapter, courier)


async def _ask(live_id: str, question: Ask, subject: Subject, adapter: Adapter, courier: Courier) -> None:
    body = next(question, None)
    while body is not None:
        if courier.ports.stop.is_set():
            raise InterruptedRun(
                "Interrupted: the probe's assistant is removed, and no answer was stored.", "Run the probe again."
            )
        taken = await _modify(live_id, body, subject, adapter, courier)
        try:
            body = question.send(taken)
        except StopIteration:
            return


async def _modify(live_id: str, body: Mapping[str, Any], subject: Subject, adapter: Adapter, courier: Courier) -> bool:
    """Sends one modify and reads what is live then; False where the server refused it. Raises TrueupError."""
    call = adapter.modify(live_id, body)
    subject.sent = call.json
    for attempt in range(courier.pace.max_retries + 1):
        reply, why = None, ""
        try:
            reply = await courier.write(call)
        except (NotSent, OutcomeUnknown) as error:
            why = str(error)
        if reply is not None and not is_unclear(reply.status):
            break
        if attempt < courier.pace.max_retries and not courier.ports.stop.is_set():
            await courier.wait(attempt, reply)
    if reply is None:
        raise EndpointError(f"The server gave no answer to the probe: {why}.", "Nothing was stored. Probe again later.")
    problem = adapter.problem(reply)
    if reply.status in (401, 403, 407, 429) or 300 <= reply.status < 400 or problem.absent:
        raise TrueupError(f"The probe ended early: {problem.message}.", "Nothing was stored. Probe again later.")
    await _read(live_id, subject, adapter, courier, _shown(reply, adapter))
    return reply.status < 300


def _shown(reply: Reply, adapter: Adapter) -> Live | None:
    """The assistant in the answer to a modify, if it is one."""
    try:
        return adapter.read(reply) if reply.status < 300 else None
    except Unexpected:
        return None


async def _read(live_id: str, subject: Subject, adapter: Adapter, courier: Courier, shown: Live | None = None) -> None:
    """What is live now; where that is not what the modify answered, it may only be late. Raises TrueupError."""
    for look in range(LOOKS):
        try:
            live = await courier.follow(adapter.get(live_id))
        except (Unexpected, NotSent, OutcomeUnknown) as error:
            raise EndpointError(
                f"The probe's assistant could not be read: {error}.", "Nothing was stored. Probe again later."
            ) from error
        if live is None:
            raise TrueupError("Somebody deleted the probe's assistant.", "Nothing was stored. Probe again.")
        subject.body, subject.extra = live.body, live.extra
        if shown is None or shown.id != live_id or all(live.body.get(key) == shown.body[key] for key in shown.body):
            return
        if look < LOOKS - 1:
            subject.answers["reads"] = "later"
            await courier.pause(1.0)
