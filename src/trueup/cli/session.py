"""The composition root: from flags and a folder to a project, a target, its protocol and its memory.

Knows where everything comes from and decides nothing about assistants. Opens no connection: `transport` does.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from trueup.cli.flags import Flags
from trueup.cli.output import Screen
from trueup.cli.paths import check_project_folder
from trueup.core.command import Message
from trueup.core.definitions.definition import Definition
from trueup.core.definitions.names import choose_target
from trueup.core.errors import DefinitionError, TrueupError
from trueup.core.field_table import FieldTable
from trueup.core.memory.stamp import DIGITS, OPERATION_DIGITS, Stamp, encode
from trueup.core.memory.state import Identity
from trueup.core.plans.plan import Options
from trueup.core.projects.endpoint import is_plain_http
from trueup.core.projects.project import Project, Target
from trueup.core.rules.validate import check_definition
from trueup.core.source import Diagnostic, Severity, in_order
from trueup.edge.definitions.loader import LoadResult, Workspace
from trueup.edge.project_file import load_guarded, load_project
from trueup.edge.schemas import Format
from trueup.edge.state.probe_files import read_answers
from trueup.edge.state.store import Store
from trueup.wire.base import Adapter
from trueup.wire.registry import adapter_for, identity_of, probe_of


@dataclass(frozen=True, slots=True)
class Session:
    """One command on one target; flags have been taken into `target`.

    `notes` are warnings about what the project file says; `commands` is where commands that give credentials run, if
    that is not `root`.
    """

    flags: Flags
    screen: Screen
    root: Path
    project: Project
    target: Target
    adapter: Adapter
    identity: Identity
    store: Store
    notes: tuple[Diagnostic, ...] = ()
    commands: Path | None = None

    def confirm(
        self, question: str, verb: str, *, unasked: TrueupError, declined: str, preview: Callable[[], str]
    ) -> bool:
        """Ask for a typed yes, unless --yes is given; return whether somebody was asked.

        `preview` is what is shown before the question. Raises `unasked` where nobody can be asked, and TrueupError
        with the sentence `declined` for any other answer than yes.
        """
        if self.flags.yes:
            return False
        if not self.screen.can_ask:
            raise unasked
        self.screen.write_stderr(preview())
        if self.screen.ask(f"\n{question} Type 'yes' to {verb}: ").lower() != "yes":
            raise TrueupError(declined)
        return True

    def plan_options(self, *, destroy: bool = False, accepted_ids: Sequence[str] = ()) -> Options:
        """Return what a plan is made with."""
        return Options(
            on_drift=self.target.on_drift,
            prune=self.target.prune,
            vars=dict(self.flags.vars),
            accepted_ids=tuple(sorted(accepted_ids)),
            destroy=destroy,
            stamp_all=self.flags.stamp,
        )


def open_session(flags: Flags, *, may_begin: bool = False) -> Session:
    """Open the project of the flags on the target they name, else on the default one.

    `may_begin`: the command may start a project in an empty folder. Raises TrueupError when there is no such folder,
    project or target, or the project file is wrong.
    """
    root, project = open_project(flags, may_begin=may_begin)
    return open_on_target(flags, root, project, flags.target)


def open_guarded(flags: Flags, trusted: str) -> Session:
    """Open the same, with the connections of the project in the folder `trusted`, where commands also run.

    Raises TrueupError.
    """
    root, folder = _find_folder(flags.chdir), Path(flags.chdir) / trusted
    if not folder.is_dir():
        raise TrueupError(f"There is no folder {trusted!r}.", "Name a folder that holds a trueup.yaml.")
    found = load_guarded(root, folder)
    check_project_folder(root, flags)
    session = open_on_target(flags, root, found.project, flags.target)
    if session.target.name in found.new:
        raise TrueupError(
            f"The target {session.target.name} is new in trueup.yaml, and its connection settings are not in force.",
            Message(
                "It can be planned once it is in the file in force. To validate it: ",
                replace(session.target.selection, is_default=False).command("validate"),
            ),
        )
    return replace(session, notes=(*session.notes, *found.notes), commands=folder)


def open_on_target(flags: Flags, root: Path, project: Project, target: str, *, use_probe: bool = True) -> Session:
    """Open a project on a target, the default one where the name is empty. Raises TrueupError.

    `use_probe`: what a probe of the target's server found out counts.
    """
    chosen = _apply_flags(project, target, flags)
    identity = identity_of(chosen)
    store = Store(root, chosen, identity)
    found = read_answers(store) if use_probe else None
    if found is not None and (probe := probe_of(chosen.protocol)) is not None:
        chosen = replace(chosen, settle=probe.settle(found, chosen.settle))
    adapter, notes = adapter_for(chosen, found), _find_warnings(chosen)
    return Session(flags, Screen(flags), root, project, chosen, adapter, identity, store, notes)


def _find_warnings(target: Target) -> tuple[Diagnostic, ...]:
    """Return what every plan of a target warns of."""
    if not (target.allow_http and is_plain_http(target.base_url)):
        return ()
    return (
        Diagnostic(
            Severity.WARNING, "plain-http", f"the key and every prompt go to {target.name} unencrypted (allow_http)",
            hint="Write https:// in base_url if the server supports it, and remove allow_http.",
        ),
    )  # fmt: skip


def open_project(flags: Flags, *, may_begin: bool = False) -> tuple[Path, Project]:
    """Load the project in the folder of the flags. Raises TrueupError."""
    root = _find_folder(flags.chdir)
    project = load_project(root)
    check_project_folder(root, flags, may_begin=may_begin)
    return root, project


def _find_folder(name: str) -> Path:
    root = Path(name)
    if not root.is_dir():
        raise TrueupError(f"There is no folder {name!r}.", "Name the project's folder with -C.")
    return root


def load_definitions(session: Session) -> LoadResult:
    """Load the definitions for the session's target, all without errors.

    Raises DefinitionError with every problem of every file, also of those that were not asked for: a file that
    cannot be read must never look like one that is gone.
    """
    loaded = check_definitions(Workspace(session.root, session.project), session.target, session.flags, session.adapter)
    refuse_errors(loaded.diagnostics)
    note_other_protocols(session.screen, loaded, session.target.name)
    return loaded


def note_other_protocols(screen: Screen, loaded: LoadResult, target: str) -> None:
    """Count the definitions that only other targets take, and name them with -v."""
    for protocol in sorted({*loaded.elsewhere.values()}):
        names = sorted(name for name, other in loaded.elsewhere.items() if other == protocol)
        count = "1 definition" if len(names) == 1 else f"{len(names)} definitions"
        shown = f": {', '.join(names)}" if screen.verbose else " (-v names them)"
        screen.note_wrapped(
            f"{count} of the protocol {protocol} {'is' if len(names) == 1 else 'are'} not for {target}{shown}."
        )


def check_definitions(workspace: Workspace, target: Target, flags: Flags, adapter: Adapter | None = None) -> LoadResult:
    """Load and check the files for one target: schema, references, limits, and the protocol's own rules.

    Without an adapter the target's is taken as it is documented.
    """
    adapter, identity = adapter or adapter_for(target), identity_of(target)
    today = date.today().isoformat()  # the day where the person is, as in the file

    def check_limits(definition: Definition, form: Format) -> list[Diagnostic]:
        length = _measure_stamp(definition, identity, adapter.dialect.table) if target.stamp else None
        needed = target.state == "stamps"
        return check_definition(
            definition, form.table, form.check, stamp_length=length, stamp_needed=needed, today=today
        )

    loaded = workspace.load(target, flags.vars, check_limits)
    audited = [problem for definition in loaded.definitions for problem in adapter.audit(definition)]
    held = tuple(adapter.drop_unsupported(definition) for definition in loaded.definitions)
    return replace(loaded, definitions=held, diagnostics=in_order([*loaded.diagnostics, *audited]))


def refuse_errors(diagnostics: Sequence[Diagnostic]) -> None:
    """Raise DefinitionError with all the diagnostics if one of them is an error."""
    errors = [item for item in diagnostics if item.severity is Severity.ERROR]
    if not errors:
        return
    files = {item.position.file for item in errors if item.position is not None}
    count = "One problem" if len(errors) == 1 else f"{len(errors)} problems"
    where = f" in {len(files)} files" if len(files) > 1 else ""
    raise DefinitionError(f"{count}{where} to fix; nothing was sent.", "", diagnostics)


def require_one(asked: str, names: Collection[str]) -> str:
    """Return the only name that `asked` stands for. Raises TrueupError where there are several."""
    if len(names) > 1:
        raise TrueupError(f"{asked!r} matches {len(names)} assistants: {', '.join(names)}.", "Name one of these.")
    return next(iter(names))


def _apply_flags(project: Project, name: str, flags: Flags) -> Target:
    """Return the target of a name, or the default one, with the flags applied. Raises TrueupError."""
    target = choose_target(project, name)
    is_default = target.name == project.default_target and "TRUEUP_TARGET" not in os.environ
    selection = replace(flags.selection, target=target.name, is_default=is_default)
    wanted: Mapping[str, Any] = {
        "parallelism": flags.parallelism,
        "timeout": flags.timeout,
        "max_retries": flags.max_retries,
        "on_drift": flags.on_drift,
        "prune": flags.prune,
    }
    return replace(target, selection=selection, **{name: value for name, value in wanted.items() if value is not None})


def _measure_stamp(definition: Definition, identity: Identity, table: FieldTable) -> int:
    """Return the characters of the longest stamp that the definition can come to carry."""
    fields = dict.fromkeys(table.letters, "0" * DIGITS)
    operation = "0" * OPERATION_DIGITS
    stamp = Stamp(identity.project, identity.target, definition.name, operation, True, fields=fields)
    return len(encode(stamp, table.letters))
