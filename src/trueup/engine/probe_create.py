"""The one create of a probe: sent once, believed where it shows what was sent, looked for where that is not clear.

Knows no question. What was there before is never taken for what it made.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Protocol

from trueup.core.command import HERE, Message
from trueup.core.errors import EndpointError, Exit, NotSent, OutcomeUnknown, TrueupError
from trueup.core.memory.state import Identity
from trueup.engine.probe_left import MARK, is_of, probe_name, remove
from trueup.engine.refresh import View, walk
from trueup.engine.request_runner import RequestRunner
from trueup.wire.base import Adapter, Live, Unexpected
from trueup.wire.probe import Probe


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


def mark(order: Order) -> dict[str, str]:
    """The metadata by which the assistant of a probe is known."""
    whose = order.identity
    return {MARK: json.dumps({"project": whose.project, "target": whose.target, "probe": order.nonce})}


async def create(order: Order, asked: Probe, adapter: Adapter, runner: RequestRunner, view: View, diary: Diary) -> Live:
    """The one create, sent once. Raises TrueupError; what an unclear one made is removed."""
    body = asked.body(probe_name(order.nonce), order.model, mark(order))
    diary.begun(order.nonce)
    try:
        reply = await runner.write(adapter.create(adapter.dialect.table.split(body), ""))
    except NotSent as error:
        diary.ended(order.nonce)
        raise EndpointError(
            f"The probe's assistant could not be sent: {str(error).rstrip('.')}.", "Nothing was created."
        ) from error
    except OutcomeUnknown as error:
        raise await _unclear(order, adapter, runner, view, diary, str(error)) from error
    if 200 <= reply.status < 300:
        try:
            live = adapter.read(reply)
        except Unexpected as error:
            raise await _unclear(order, adapter, runner, view, diary, str(error)) from error
        if live.id in view.live:
            why = f"it shows {live.id}, which was there before"
        elif await _is_ours(live, order, adapter, runner):
            return live
        else:
            why = (
                f"it shows {live.id}, which has neither the name nor the mark of this probe and is left alone: look at "
                "it, and delete it at the vendor if nobody uses it"
            )
        raise await _unclear(order, adapter, runner, view, diary, why)
    problem = adapter.problem(reply)
    why = problem.message
    if problem.unclear:
        raise await _unclear(order, adapter, runner, view, diary, why)
    diary.ended(order.nonce)
    raise TrueupError(
        f"The server refused the probe's assistant: {why.rstrip('.')}.",
        Message(
            f"Nothing was created. If it does not know the model {order.model}, name one that it serves, such as: ",
            HERE.command("targets", "probe", order.identity.target, model="gpt-4.1-mini"),
        ),
    )


async def _is_ours(live: Live, order: Order, adapter: Adapter, runner: RequestRunner) -> bool:
    """Whether what a create answered is known by its mark or its name, there or when it is read."""
    if is_of(live, order.identity, order.nonce):
        return True
    try:
        read = await runner.run_reads(adapter.get(live.id))
    except (Unexpected, NotSent, OutcomeUnknown):
        return False
    return read is not None and is_of(read, order.identity, order.nonce)


async def _unclear(
    order: Order, adapter: Adapter, runner: RequestRunner, before: View, diary: Diary, why: str
) -> TrueupError:
    """What to say of a create whose answer was not clear, once what it made is removed as far as it can be seen.

    What was there before is not removed, whatever it carries now.
    """
    await runner.pause(order.settle, "The create was not answered clearly; waiting for the consistency delay")
    said = f"The answer to the probe's create was not clear: {why.rstrip('.')}."
    try:
        view = await walk(adapter, runner)
    except EndpointError as error:
        return StillThereError(f"{said} {error.message}", "Probe again: it looks for what this one may have left.")
    found = sorted(live.id for live in view.live.values() if is_of(live, order.identity, order.nonce))
    changed = [live_id for live_id in found if live_id in before.live]
    made = [live_id for live_id in found if live_id not in before.live]
    for live_id in changed:
        diary.spare(live_id)
        said += f" {live_id} was there before and looks like the probe's now: it is left alone."
    for live_id in made:
        gone = await remove(live_id, adapter, runner)
        if gone.problem:
            return StillThereError(
                f"{said} It made {live_id}, which could not be removed: {gone.problem.rstrip('.')}.",
                "Probe again: it removes it.",
            )
    if made:
        said += f" It had made {', '.join(made)}, which is removed."
    if not view.complete:
        return StillThereError(
            f"{said} Not everything could be read afterwards: {view.problem.rstrip('.')}.",
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
