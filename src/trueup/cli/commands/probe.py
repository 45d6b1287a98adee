"""`targets probe`: ask a target's server what its documents leave open, with one assistant that is always removed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from trueup.cli.flags import Flags
from trueup.cli.options import CONSENT, NETWORK, VARS, takes

if TYPE_CHECKING:
    from trueup.cli.session import Session
    from trueup.core.memory.capabilities import Capabilities
    from trueup.edge.state.probe_files import ProbeDiary
    from trueup.engine.probe import LeftOver
    from trueup.engine.refresh import View
    from trueup.engine.request_runner import RequestRunner
    from trueup.wire.probe import Probe

NO_FILE, NO_STORE = "file-trueupprobe", "vs_trueupprobe"
"""Ids that no server made: one that looks for them refuses them, and leaves that question open."""


@click.command(short_help="Test what a target's server supports.")
@click.argument("name")
@click.option("--model", metavar="MODEL", help="The model of the probe's assistant; default: a definition's.")
@click.option("--file-id", metavar="ID", default=NO_FILE, help="An existing file's id, to test resources.")
@click.option("--store-id", metavar="ID", default=NO_STORE, help="An existing vector store's id, for the same.")
@takes(VARS, NETWORK, CONSENT)
def probe(flags: Flags, name: str, model: str | None, file_id: str, store_id: str) -> int:
    """Test what the server of the target NAME supports, and store the results for plan and apply.

    One assistant is made, changed about thirty times, and removed, also after Ctrl-C; no other one is touched. What a
    killed probe left is removed by the next one. The answers are for git: .trueup/NAME.caps.json.
    """
    from trueup.cli.session import open_on_target, open_project
    from trueup.cli.transport import run_async
    from trueup.core.errors import TrueupError

    typed = click.get_current_context().get_parameter_source("target") is click.core.ParameterSource.COMMANDLINE
    if typed and flags.target != name:
        raise TrueupError(f"Two targets are named: {name} and, with -t, {flags.target}.", "Name one of these.")
    session = open_on_target(flags, *open_project(flags), name, use_probe=False)
    asked = _questions_for(session)
    before = _read_last_answers(session)
    chosen = model or _choose_model(session, before)
    return run_async(_probe(session, asked, chosen, before, (file_id, store_id)))


def _questions_for(session: Session) -> Probe:
    """Return the probe of the target's protocol. Raises TrueupError for a protocol without one: nothing was sent."""
    from trueup.core.errors import TrueupError
    from trueup.wire.registry import probe_of

    found = probe_of(session.target.protocol)
    if found is None:
        raise TrueupError(
            f"{session.target.name} cannot be probed: there is no probe for the protocol "
            f"{session.target.protocol}. Nothing was sent.",
            "All other commands work without a probe.",
        )
    return found


def _read_last_answers(session: Session) -> Capabilities | None:
    """Return the last probe's answers; where they cannot be used, say why: they are written anew."""
    from trueup.core.command import Message
    from trueup.core.errors import StateError
    from trueup.edge.state.probe_files import read_answers

    try:
        return read_answers(session.store)
    except StateError as error:
        session.screen.note_wrapped(Message(error.message, " The results of this probe replace it."))
        return None


def _choose_model(session: Session, before: Capabilities | None) -> str:
    """Return the last probe's model, else that of the first definition, one that does not reason before others."""
    from trueup.cli.session import check_definitions
    from trueup.core.command import Message
    from trueup.core.errors import TrueupError
    from trueup.edge.definitions.loader import Workspace
    from trueup.wire.model_names import is_reasoning

    if before is not None:
        return before.model
    loaded = check_definitions(Workspace(session.root, session.project), session.target, session.flags)
    found = [model for item in loaded.definitions if isinstance(model := item.body.get("model"), str)]
    table = session.adapter.dialect.reasoning
    for model in sorted(found, key=lambda model: is_reasoning(model, table)):
        return model
    raise TrueupError(
        "The probe's assistant needs a model, and no definition of this target has one.",
        Message("Name a model that the server has, such as: ", session.flags.again(model="gpt-4.1-mini")),
    )


async def _probe(
    session: Session, asked: Probe, model: str, before: Capabilities | None, resources: tuple[str, str]
) -> int:
    from trueup.cli.applying import stoppable
    from trueup.cli.transport import writing
    from trueup.edge.state.probe_files import ProbeDiary, write_answers
    from trueup.engine.probe import ProbeSpec
    from trueup.engine.probe import probe as ask_all

    with session.store.lock():
        async with writing(session) as runner:
            diary = ProbeDiary(session.store, session.screen.note)
            view, left = await _find_left_over(session, runner, diary)
            _confirm(session, model, left)
            spec = ProbeSpec(
                identity=session.identity,
                dialect=session.target.dialect,
                gateway=session.target.gateway,
                model=model,
                nonce=f"{runner.ports.random.getrandbits(48):012x}",
                file_id=resources[0],
                store_id=resources[1],
                settle=session.target.settle,
            )
            with stoppable(session, runner.ports.stop):
                await _remove_left_over(session, runner, left, diary)
                found = await ask_all(spec, asked, session.adapter, runner, view, diary)
        write_answers(session.store, found)
    _print_answers(session, asked, found, before)
    return 0


async def _find_left_over(
    session: Session, runner: RequestRunner, diary: ProbeDiary
) -> tuple[View, tuple[LeftOver, ...]]:
    """Return all that is live, and what earlier probes of this target left of theirs, those under way elsewhere apart.

    Raises UnreadableError where not everything can be read.
    """
    from trueup.engine.probe import find_in_use, find_left_over, read_unlisted, require_complete
    from trueup.engine.refresh import list_all

    noted = diary.read_noted()
    view = await list_all(session.adapter, runner)
    await read_unlisted(noted.values(), view, session.adapter, runner)
    found = find_left_over(require_complete(view), session.identity, noted, diary.read_spared())
    records = session.store.load().records.items() if found else ()
    managed = {record.id: name for name, record in records}
    free = tuple(item for item in found if item.sure and item.id not in managed)
    busy = find_in_use(free, noted, runner.ports.clock.wall())
    for item in found:
        _report_left_alone(session, item, managed.get(item.id, ""), is_busy=item in busy)
    known = {item.nonce for item in found}
    for nonce, live_id in noted.items():
        if live_id in view.live and nonce not in known:
            session.screen.note_wrapped(
                f"An earlier probe made {live_id}, which no longer has its stamp or its name: it is left "
                "alone. Check it, and delete it at the vendor if it is unused."
            )
        elif nonce not in known:
            diary.note_end(nonce)
    return view, tuple(item for item in free if item not in busy)


def _report_left_alone(session: Session, item: LeftOver, name: str, *, is_busy: bool) -> None:
    """Say why one that looks like a probe's is left alone; `name` is the definition that it belongs to."""
    from trueup.core.command import Message

    if name:
        session.screen.note_wrapped(
            Message(
                f"{item.id} was made by a probe, but is recorded as {name}: it is left alone. If it was imported by "
                "mistake, delete its definition and forget it: ",
                session.target.command("state", "rm", name),
                ". Then probe again.",
            )
        )
    elif not item.sure:
        session.screen.note_wrapped(
            f"{item.id} looks like a probe's assistant, but does not have both its stamp and its name, and this "
            "folder does not list it: it is left alone. Check it, and delete it at the vendor if it is unused."
        )
    elif is_busy:
        session.screen.note_wrapped(
            f"{item.id} was made by a probe of this target less than ten minutes ago, and not from this folder: it is "
            "left alone. A probe after that time removes it."
        )


def _confirm(session: Session, model: str, left: Sequence[LeftOver]) -> None:
    """Ask whether to go on. Raises TrueupError where that is declined, and where there is no terminal to ask on."""
    from trueup.core.command import Message
    from trueup.core.errors import TrueupError
    from trueup.wire.registry import base_url

    to = session.target
    where = "the embedded server" if to.is_local else base_url(to)

    def preview() -> str:
        words = [
            f"One assistant with the model {model} is made at {to.name} ({where}), changed about thirty times, and "
            "removed. No other assistant is touched."
        ]
        words += [f"Earlier probes left {', '.join(item.id for item in left)}: removed first."] if left else []
        return "\n".join(session.screen.wrap(text) for text in words)

    unasked = TrueupError(
        f"A probe creates an assistant at {to.name}: confirmation required. Nothing was sent.",
        Message("To probe without confirmation: ", session.flags.again(yes=True)),
    )
    session.confirm(
        f"Probe {to.name}?", "probe", unasked=unasked, declined="Not probed: nothing was sent.", preview=preview
    )


async def _remove_left_over(
    session: Session, runner: RequestRunner, left: Sequence[LeftOver], diary: ProbeDiary
) -> None:
    from trueup.engine.probe import StillThereError, remove

    for item in left:
        if problem := await remove(item.id, session.adapter, runner):
            raise StillThereError(
                f"{item.id}, which an earlier probe left, could not be removed: {problem.rstrip('.')}.",
                "Delete it at the vendor, or probe again.",
            )
        diary.note_end(item.nonce)
        session.screen.note(f"Removed {item.id}, which an earlier probe left.")


def _print_answers(session: Session, asked: Probe, found: Capabilities, before: Capabilities | None) -> None:
    from trueup.core.memory.capabilities import differences

    screen, file = session.screen, str(session.store.answers_path)
    changed = differences(before, found, asked.questions)
    if screen.json:
        from trueup.render.records import json

        screen.write_result(json.probe(found, changed, file))
        return

    from trueup.render.terminal import answers

    screen.write_result(answers.write_probe(found, changed, file, **screen.look))


COMMANDS: Mapping[str, click.Command] = {"probe": probe}
