"""One probe of a server: a throw-away assistant is made, asked with, and always removed. Touches no other assistant.

What it does is noted before it is done, so that the next probe finds what a killed one left. An assistant counts as a
probe's only by two things together: its whole mark, the name with the probe's random number, and a note of either made
here. By one of them alone it is shown to a person and left alone: a server may have laid a probe's mark over somebody's
assistant. Knows no terminal, no file and no meaning of an answer: the questions are the protocol's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

from trueup.core.call import Call, Reply
from trueup.core.command import HERE, Message
from trueup.core.errors import (
    EndpointError,
    Exit,
    InterruptedRun,
    NotSent,
    OutcomeUnknown,
    TrueupError,
    UnreadableError,
)
from trueup.core.field_table import STAMP_KEY
from trueup.core.memory.capabilities import UNKNOWN, Capabilities
from trueup.core.memory.state import Identity
from trueup.engine.ports import Progress
from trueup.engine.refresh import View, list_all, request_page
from trueup.engine.request_runner import RequestRunner
from trueup.wire.base import Adapter, Live, Page, Unexpected
from trueup.wire.probe import METADATA, PREFIX, Ask, Probe, Subject

MARK: Final = PREFIX
"""The metadata key of a probe's assistant."""

YOUNG: Final = 600
"""Seconds for which a probe that nobody here noted may still be under way elsewhere."""

PATIENCE: Final = (0.0, 1.0, 2.0, 3.0, 4.0)
"""Seconds before each look for the assistant in the listing: ten in all."""

REFUSALS: Final = frozenset({400, 413, 422, 500, 501})
"""The statuses that can be about what was sent. Any other one, about who sends or when, ends the probe."""

LOOKS: Final = (1.0, 1.0, 2.0, 3.0, 5.0)
"""Seconds between the reads after a modify, until one shows what the modify answered: twelve in all."""

TIRED: Final = 3
"""Modifies whose answer no read ever showed, after which the first two pauses are all that later ones are given."""

AGAIN: Final = "Nothing was stored. Probe again later."

_NAME = re.compile(r"Trueup probe ([0-9a-f]{12}), can be deleted")


class StillThereError(TrueupError):
    """The probe's assistant could not be removed."""

    exit = Exit.PARTIAL


class Diary(Protocol):
    """Where it is noted which assistants are probes': each call returns once it is on disk."""

    def note_start(self, nonce: str) -> None:
        """Note that a probe is about to create its assistant."""

    def note_id(self, nonce: str, live_id: str) -> None:
        """Note the id of the assistant."""

    def note_end(self, nonce: str) -> None:
        """Note that nothing of this probe is live."""

    def spare(self, live_id: str) -> None:
        """Note that this assistant was there before a probe that it now looks like: it is never a probe's."""


@dataclass(frozen=True, slots=True)
class ProbeSpec:
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

    @property
    def mark(self) -> dict[str, str]:
        """The metadata by which the assistant of this probe is known."""
        whose = self.identity
        return {MARK: json.dumps({"project": whose.project, "target": whose.target, "probe": self.nonce})}


@dataclass(frozen=True, slots=True)
class LeftOver:
    """A probe's assistant: whose it is, which probe's, and its id; `created_at` is Unix seconds. Only one that is
    `sure` may be removed."""

    project: str
    target: str
    nonce: str
    id: str = ""
    created_at: int = 0
    sure: bool = False


def probe_name(nonce: str) -> str:
    """Return the display name of a probe's assistant."""
    return f"Trueup probe {nonce}, can be deleted"


def is_probe_made(live: Live) -> bool:
    """Return whether an assistant looks like some probe's, of whatever target."""
    return bool(_nonce_in_name(live)) or _read_mark(live) is not None


def find_left_over(
    view: View, identity: Identity, noted: Mapping[str, str] | None = None, spared: Collection[str] = ()
) -> tuple[LeftOver, ...]:
    """Return what looks like the assistants of probes of this target, in id order.

    `noted` are ids by the nonces of earlier probes, empty where none was known; `spared` are ids that are no probe's
    whatever they carry. What carries a stamp of ours is managed, and no probe's.
    """
    found = []
    for live in view.live.values():
        claim = _claim(live, identity, noted or {})
        if claim is not None and live.id not in spared and STAMP_KEY not in (live.body.get(METADATA) or {}):
            found.append(claim)
    return tuple(sorted(found, key=lambda left: left.id))


def find_in_use(found: Iterable[LeftOver], nonces: Iterable[str], now: float) -> tuple[LeftOver, ...]:
    """Return those that may be in use: nobody here noted them, and they were made within ten minutes of `now`.

    On either side of it: the server's clock may go before ours.
    """
    known = frozenset(nonces)
    return tuple(left for left in found if left.nonce not in known and abs(now - left.created_at) < YOUNG)


def require_complete(view: View) -> View:
    """Return the view, if it shows everything. Raises UnreadableError: a part of it is no ground to make anything."""
    if view.complete:
        return view
    why = view.problem.rstrip(".")
    raise UnreadableError(
        f"Not everything at the target could be read: {why}. A probe creates and removes nothing then.",
        "Fix the cause, or wait; then probe again.",
    )


async def read_unlisted(ids: Iterable[str], view: View, adapter: Adapter, runner: RequestRunner) -> None:
    """Add to a view what of these ids its listing did not show, and is there; an unreadable one makes it partial."""
    for live_id in sorted({*filter(None, ids)} - view.live.keys()):
        try:
            live = await runner.run_reads(adapter.get(live_id))
        except (Unexpected, NotSent, OutcomeUnknown) as error:
            view.cut(f"{live_id} could not be read: {error}")
            continue
        if live is not None:
            view.live[live_id] = live


async def remove(live_id: str, adapter: Adapter, runner: RequestRunner) -> str:
    """Delete one of ours until the server says that it is gone; an interrupt shortens the waits and no more.

    Return why it is not gone, empty where it is.
    """
    why = ""
    for attempt in range(runner.pace.max_retries + 1):
        try:
            reply = await runner.write(adapter.remove(Live(live_id, {})))
        except (NotSent, OutcomeUnknown) as error:
            reply, why = None, str(error)
        if reply is not None:
            problem = adapter.problem(reply)
            if adapter.is_deleted(reply, live_id) or problem.is_own_404(live_id):
                last = await _read_removed(live_id, adapter, runner)
                is_there = last is not None and last.status < 300
                return "it still exists after the server confirmed the delete" if is_there else ""
            why = problem.message if reply.status >= 300 else "the response does not confirm the delete"
            if reply.status >= 400 and not problem.unclear:
                break
        if attempt < runner.pace.max_retries:
            await runner.back_off(attempt, reply, why if reply is None else "")
    last = await _read_removed(live_id, adapter, runner)
    return "" if last is not None and adapter.problem(last).is_own_404(live_id) else why


async def _read_removed(live_id: str, adapter: Adapter, runner: RequestRunner) -> Reply | None:
    """Return the answer to a read of what was removed, which may come late; None where there is none."""
    reply = None
    for number in range(3):
        await runner.pause(1.0 if number else 0.0)
        try:
            reply = await runner.read(next(adapter.get(live_id)))
        except (NotSent, OutcomeUnknown):
            return None
        if reply.status >= 300:
            break
    return reply


async def probe(
    spec: ProbeSpec, asked: Probe, adapter: Adapter, runner: RequestRunner, view: View, diary: Diary
) -> Capabilities:
    """Return the server's answers to the questions that its protocol asks.

    `view` is all that is live already; `diary` is told of the assistant before it is made, once it has an id, and when
    it is gone.

    Raises TrueupError; the assistant is removed all the same, and if it is not, the error says so. Raises
    UnreadableError, with nothing sent, where the view is a part.
    """
    subject = Subject(adapter.dialect, probe_name(spec.nonce), spec.mark, spec.file_id, spec.store_id)
    run = _ProbeRun(spec, asked, adapter, runner, require_complete(view), diary, subject)
    run.live_id = (await run.create()).id
    diary.note_id(spec.nonce, run.live_id)
    try:
        await run.look_in_listing()
        await run.ask_all()
    finally:  # whatever ends the questions, the assistant is removed first
        await run.clean_up()
    return Capabilities(
        spec.identity,
        spec.dialect,
        spec.gateway,
        spec.model,
        subject.answers,
        subject.tried,
        subject.fills,
        subject.words,
    )


@dataclass(slots=True)
class _ProbeRun:
    """One probe under way. What was there `before` is never taken for what it made."""

    spec: ProbeSpec
    asked: Probe
    adapter: Adapter
    runner: RequestRunner
    before: View
    diary: Diary
    subject: Subject
    live_id: str = ""
    control: Mapping[str, Any] = field(default_factory=dict)
    """A modify that the server took and that changes nothing."""
    never_shown: int = 0
    """How many modifies' answers no read ever showed."""

    # --- the one create, sent once, and believed only where it shows what was sent

    async def create(self) -> Live:
        """Send the one create, once. Raises TrueupError; what an unclear one made is removed."""
        spec, diary = self.spec, self.diary
        body = self.asked.body(self.subject.name, spec.model, spec.mark)
        diary.note_start(spec.nonce)
        try:
            reply = await self.runner.write(self.adapter.create(self.adapter.dialect.table.split(body), ""))
        except NotSent as error:
            diary.note_end(spec.nonce)
            raise EndpointError(
                f"The probe's assistant could not be sent: {_bare(error)}.", "Nothing was created."
            ) from error
        except OutcomeUnknown as error:
            raise await self._remove_unclear(str(error)) from error
        if 200 <= reply.status < 300:
            try:
                live = self.adapter.read(reply)
            except Unexpected as error:
                raise await self._remove_unclear(str(error)) from error
            if live.id in self.before.live:
                raise await self._remove_unclear(f"it shows {live.id}, which existed before")
            if await self._is_confirmed(live):
                return live
            raise await self._remove_unclear(
                f"it shows {live.id}, which has neither the name nor the stamp of this probe and is left alone: check "
                "it, and delete it at the vendor if it is unused"
            )
        problem = self.adapter.problem(reply)
        if problem.unclear:
            raise await self._remove_unclear(problem.message)
        diary.note_end(spec.nonce)
        raise TrueupError(
            f"The server refused the probe's assistant: {_bare(problem.message)}.",
            Message(
                f"Nothing was created. If it does not have the model {spec.model}, name one that it has, such as: ",
                HERE.command("targets", "probe", spec.identity.target, model="gpt-4.1-mini"),
            ),
        )

    async def _is_confirmed(self, live: Live) -> bool:
        """Return whether what a create answered is known by its mark or its name, there or when it is read."""
        if self._is_ours(live):
            return True
        try:
            found = await self.runner.run_reads(self.adapter.get(live.id))
        except (Unexpected, NotSent, OutcomeUnknown):
            return False
        return found is not None and self._is_ours(found)

    def _is_ours(self, live: Live) -> bool:
        """Return whether an assistant carries the whole mark of this probe, or the name with its random number."""
        identity, nonce, mark = self.spec.identity, self.spec.nonce, _read_mark(live)
        if mark is None:
            return _nonce_in_name(live) == nonce
        return (mark.project, mark.target, mark.nonce) == (identity.project, identity.target, nonce)

    async def _remove_unclear(self, why: str) -> TrueupError:
        """Remove what a create made whose answer was not clear, as far as it can be seen; return what to say of it.

        What was there before is not removed, whatever it carries now.
        """
        await self.runner.pause(
            self.spec.settle, "The create has an unknown outcome; waiting for the consistency delay"
        )
        said = f"The response to the probe's create was unclear: {_bare(why)}."
        look = "Probe again: it removes what this one may have left."
        try:
            view = await list_all(self.adapter, self.runner)
        except EndpointError as error:
            return StillThereError(f"{said} {error.message}", look)
        found = sorted(live.id for live in view.live.values() if self._is_ours(live))
        changed = [live_id for live_id in found if live_id in self.before.live]
        made = [live_id for live_id in found if live_id not in self.before.live]
        for live_id in changed:
            self.diary.spare(live_id)
            said += f" {live_id} existed before and looks like the probe's now: it is left alone."
        for live_id in made:
            if problem := await remove(live_id, self.adapter, self.runner):
                return StillThereError(
                    f"{said} It created {live_id}, which could not be removed: {_bare(problem)}.",
                    "Probe again: it removes it.",
                )
        if made:
            said += f" It had created {', '.join(made)}, which is removed."
        if not view.complete:
            return StillThereError(f"{said} Not everything could be read afterwards: {_bare(view.problem)}.", look)
        if made:
            self.diary.note_end(self.spec.nonce)
            return TrueupError(said, "Probe again.")
        if changed:
            return TrueupError(
                said, "Check it: this server changes an existing assistant when it is asked to create one."
            )
        return TrueupError(
            f"{said} The listing shows nothing that it created.", "Probe again: it removes what appeared late."
        )

    async def clean_up(self) -> None:
        """Remove the assistant and what a gateway doubled of it, and note that it is done. Raises StillThereError."""
        duplicates = await self._find_duplicates()
        for one in (self.live_id, *(duplicates or ())):
            if problem := await remove(one, self.adapter, self.runner):
                raise StillThereError(
                    f"The probe's assistant {one} could not be removed: {_bare(problem)}.",
                    "Probe again to remove it, or delete it at the vendor.",
                )
        if duplicates is not None:
            self.diary.note_end(self.spec.nonce)

    async def _find_duplicates(self) -> list[str] | None:
        """Return what else of this probe is among the newest; None where that cannot be read."""
        try:
            newest = (await self._newest_page()).items
        except (Unexpected, NotSent, OutcomeUnknown):
            return None
        known = {self.live_id, *self.before.live}
        return sorted({item.id for item in newest if self._is_ours(item) and item.id not in known})

    # --- the listing

    async def look_in_listing(self) -> None:
        """Find out whether the listing shows the create, and whether `has_more` tells the truth around it."""
        answers = self.subject.answers
        answers["listing"] = answers["has-more"] = UNKNOWN
        try:
            for number, seconds in enumerate(PATIENCE):
                await self.runner.pause(seconds, "Waiting before the listing is read again")
                if await self._is_listed():
                    answers["listing"] = "later" if number else "at-once"
                    break
            else:
                answers["listing"] = "not-seen"
                return
            answers["has-more"] = await self._has_more()
        except (Unexpected, EndpointError, NotSent, OutcomeUnknown):
            return  # what cannot be read is not known; whether the server answers at all the next question shows

    async def _newest_page(self) -> Page:
        reply, _ = await request_page(self.adapter, self.runner, "", "desc", self.adapter.dialect.page_size)
        return self.adapter.read_page(reply)

    async def _is_listed(self) -> bool:
        newest = await self._newest_page()
        if any(item.id == self.live_id for item in newest.items):
            return True
        return self.live_id in (await list_all(self.adapter, self.runner)).live

    async def _has_more(self) -> str:
        """Compare `has_more` of three pages of one entry each with what the page behind it shows.

        The first one, the one that ends with the newest assistant, and the one behind that. Where none had one behind
        it, it could lie unseen.
        """

        async def page(after: str, order: str = "asc") -> Page:
            return self.adapter.read_page(await self.runner.read(self.adapter.list_page(after, order, 1)))

        older = (await page(self.live_id, "desc")).items
        is_needed = False
        for after in ("", older[0].id if older else "", self.live_id):
            found = await page(after)
            follows = found.cursor is not None and bool((await page(found.cursor)).items)
            if found.has_more is not follows:
                return "wrong"
            is_needed = is_needed or follows
        return "honest" if is_needed else UNKNOWN

    # --- the questions

    async def ask_all(self) -> None:
        """Ask every question in turn. Raises TrueupError."""
        await self._read(None)
        self.control = await self._find_control()
        listed = self.asked.asks(self.subject)
        for number, (what, question) in enumerate(listed):
            self.runner.ports.progress(Progress("Asking", number, len(listed), name=what))
            before = self.subject.copy_known()
            self.subject.in_doubt = False
            await self._ask(question(self.subject))
            if self.subject.in_doubt:
                self.subject.forget_since(before)

    async def _find_control(self) -> Mapping[str, Any]:
        """Return a modify that the server takes and that changes nothing. Raises TrueupError where it takes none."""
        subject = self.subject
        for control in ({"model": self.spec.model}, {"name": subject.name}, {METADATA: dict(subject.mark)}):
            if await self._modify(control):
                return control
        raise TrueupError(
            f"The server refuses every modify, even one without a change: {_bare(subject.refusal)}.",
            "Nothing was stored. Check whether the key may change assistants, and whether a gateway forwards it.",
        )

    async def _ask(self, question: Ask) -> None:
        body = next(question, None)
        while body is not None:
            is_taken = await self._modify(body)
            if not is_taken:
                if not await self._modify(self.control):
                    raise TrueupError("The probe ended early: the server now refuses what it accepted before.", AGAIN)
                is_taken = await self._modify(body)
            try:
                body = question.send(is_taken)
            except StopIteration:
                return

    async def _modify(self, body: Mapping[str, Any]) -> bool:
        """Send one modify and read what is live then; False where the server refused it. Raises TrueupError."""
        if self.runner.ports.stop.is_set():
            raise InterruptedRun(
                "Interrupted: the probe's assistant is removed, and no result was stored.", "Run the probe again."
            )
        call, subject = self.adapter.post(self.live_id, body), self.subject
        subject.sent = call.json
        reply = await self._send_until_clear(call)
        if not 200 <= reply.status < 300 and reply.status not in REFUSALS:
            raise TrueupError(f"The probe ended early: {_bare(self.adapter.problem(reply).message)}.", AGAIN)
        shown = None
        if reply.status < 300:
            subject.note_taken(body)
            try:
                shown = self.adapter.read(reply)
            except Unexpected:
                shown = None
            if shown is None or shown.id != self.live_id:
                shown, subject.in_doubt = None, True  # it is not the assistant: a late read could not be told
        else:
            subject.refusal = self.adapter.problem(reply).message
        await self._read(shown)
        return reply.status < 300

    async def _send_until_clear(self, call: Call) -> Reply:
        """Return the answer to a modify, sent again while it is unclear. Raises EndpointError where there is none."""
        runner, why = self.runner, ""
        for attempt in range(runner.pace.max_retries + 1):
            reply, why = None, ""
            try:
                reply = await runner.write(call)
            except (NotSent, OutcomeUnknown) as error:
                why = str(error)
            if reply is not None and not self.adapter.problem(reply).unclear:
                break
            if attempt < runner.pace.max_retries and not runner.ports.stop.is_set():
                await runner.back_off(attempt, reply, why)
        if reply is None:
            raise EndpointError(f"The server did not respond to the probe: {_bare(why)}.", AGAIN)
        return reply

    async def _read(self, shown: Live | None) -> None:
        """Read what is live now, for a while where that is not what the modify showed. Raises TrueupError.

        Where it stays so it is not known which of the two is true, and what is asked is in doubt.
        """
        for seconds in (*(LOOKS if self.never_shown < TIRED else LOOKS[:2]), 0.0):
            try:
                live = await self.runner.run_reads(self.adapter.get(self.live_id))
            except (Unexpected, NotSent, OutcomeUnknown) as error:
                raise EndpointError(f"The probe's assistant could not be read: {_bare(error)}.", AGAIN) from error
            if live is None:
                raise TrueupError("The probe's assistant was deleted outside.", "Nothing was stored. Probe again.")
            self.subject.body = live.body
            if shown is None or all(live.body.get(key) == shown.body[key] for key in shown.body):
                return
            if seconds:
                await self.runner.pause(seconds)
        self.never_shown += 1
        self.subject.in_doubt = True


def _claim(live: Live, identity: Identity, noted: Mapping[str, str]) -> LeftOver | None:
    """Return which probe of this target one assistant may belong to, if any."""
    mark, named = _read_mark(live), _nonce_in_name(live)
    if mark is not None and (mark.project, mark.target) != (identity.project, identity.target):
        return None
    if mark is not None:
        return replace(mark, sure=mark.nonce == named or noted.get(mark.nonce) == live.id)
    sure = noted.get(named) in ("", live.id)
    return LeftOver(identity.project, identity.target, named, live.id, live.created_at, sure) if named else None


def _nonce_in_name(live: Live) -> str:
    """Return the nonce in a name that a probe gives, empty for any other name."""
    name = live.body.get("name")
    found = _NAME.match(name) if isinstance(name, str) else None
    return found[1] if found else ""


def _read_mark(live: Live) -> LeftOver | None:
    """Return the mark in an assistant's metadata, if it is one to the letter."""
    metadata = live.body.get(METADATA)
    text = metadata.get(MARK) if isinstance(metadata, Mapping) else None
    try:
        content = json.loads(text) if isinstance(text, str) and len(text) <= 1024 else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(content, dict) or content.keys() != {"project", "target", "probe"}:
        return None
    if not all(isinstance(entry, str) and entry for entry in content.values()):
        return None
    return LeftOver(content["project"], content["target"], content["probe"], live.id, live.created_at)


def _bare(text: object) -> str:
    """Return a text without the full stop at its end."""
    return str(text).rstrip(".")
