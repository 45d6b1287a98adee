"""`validate` and `render`: what the files say, without any network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from trueup.cli.flags import Flags
from trueup.cli.options import LISTS, VARS, takes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trueup.cli.output import Screen
    from trueup.core.projects.project import Target
    from trueup.core.source import Diagnostic
    from trueup.edge.definitions.loader import LoadResult

    Selection = tuple[list[Diagnostic], set[tuple[str, str]]]


@click.command(short_help="Check the files and report every problem.")
@click.argument("names", nargs=-1, metavar="[NAME]…")
@takes(VARS, formats=LISTS)
def validate(flags: Flags, names: tuple[str, ...]) -> int:
    """Check the files and report every problem.

    Checks the schema, references between files, and what each target supports. Without -t all targets are
    checked. NAME is a name, a path, a folder, a glob, or a shared file (everything that uses it). Nothing is sent.
    """
    from trueup.cli import session as sessions
    from trueup.cli.output import Screen
    from trueup.core.definitions.names import choose_target
    from trueup.core.source import Severity
    from trueup.edge.definitions.loader import Workspace

    screen = Screen(flags)
    root, project = sessions.open_project(flags)
    targets = [choose_target(project, flags.target)] if flags.target else list(project.targets.values())
    workspace = Workspace(root, project)
    found = {
        target.name: _add_warnings(sessions.check_definitions(workspace, target, flags), target) for target in targets
    }
    diagnostics = _name_targets(found)
    files = {(name, file) for loaded in found.values() for name, file in loaded.files.items()}
    if names:
        diagnostics, files = _filter_by_names(names, list(found.values()), diagnostics, files)
    if flags.target:
        sessions.note_other_protocols(screen, found[targets[0].name], targets[0].name)
    _show(diagnostics, [file for _, file in sorted(files)], sorted(found), screen)
    return int(any(item.severity is Severity.ERROR for item in diagnostics))


@click.command(short_help="Print the final body of each assistant.")
@click.argument("names", nargs=-1, metavar="[NAME]…")
@takes(VARS)
def render(flags: Flags, names: tuple[str, ...]) -> int:
    """Print the final body of each assistant, after extends, target patches, variables and files.

    The text is YAML. NAME is a name, a path, a folder, a glob, or a shared file (everything that uses it). Nothing is
    sent.
    """
    from trueup.cli.session import load_definitions, open_session
    from trueup.core.definitions.names import select
    from trueup.render.records import documents

    session = open_session(flags)
    loaded = load_definitions(session)
    chosen = select(names, loaded.definitions, loaded.left_out) if names else None
    shown = [item for item in loaded.definitions if chosen is None or item.name in chosen]
    target = session.target.name
    if flags.json:
        session.screen.write_result(documents.write_definitions(shown, target))
    else:
        session.screen.write_result(documents.write_definitions_yaml(shown, target))
        for name in sorted((chosen or set()) & loaded.left_out):
            session.screen.note(f"{name} is left out of the target {target}.")
    return 0


def _add_warnings(loaded: LoadResult, target: Target) -> LoadResult:
    """Add the warnings on definitions of one display name, and on models that look like another vendor's."""
    from dataclasses import replace

    from trueup.core.rules.fault import place_faults
    from trueup.core.rules.limits import find_repeated_names
    from trueup.wire.registry import model_faults

    doubts = [
        doubt
        for definition in loaded.definitions
        for doubt in place_faults(model_faults(target, definition), definition.locate, definition.file)
    ]
    return replace(loaded, diagnostics=(*loaded.diagnostics, *doubts, *find_repeated_names(loaded.definitions)))


def _name_targets(found: dict[str, LoadResult]) -> list[Diagnostic]:
    """Return all problems in order; one that not every target has names its targets."""
    from dataclasses import replace

    from trueup.core.source import in_order

    targets: dict[Diagnostic, list[str]] = {}
    for target, loaded in found.items():
        for item in loaded.diagnostics:
            targets.setdefault(item, []).append(target)
    return list(
        in_order(
            item if len(where) == len(found) else replace(item, message=f"{item.message} (target {', '.join(where)})")
            for item, where in ((_raise_severity(item), where) for item, where in targets.items())
        )
    )


def _raise_severity(item: Diagnostic) -> Diagnostic:
    """Make a day that has passed an error: plan and apply go on, so that no day stops them."""
    from dataclasses import replace

    from trueup.core.source import Severity

    return replace(item, severity=Severity.ERROR) if item.code == "until-passed" else item


def _filter_by_names(
    names: tuple[str, ...], found: Sequence[LoadResult], diagnostics: list[Diagnostic], files: set[tuple[str, str]]
) -> Selection:
    """Return the problems that concern the chosen names, and the chosen files.

    A problem in a part, in the project file or without a place is everybody's.
    """
    from trueup.core.definitions.definition import Definition
    from trueup.core.definitions.names import select

    parts = {item.name: item.parts for loaded in found for item in loaded.definitions}
    known = [Definition(name, {}, file, parts=parts.get(name, ())) for name, file in sorted(files)]
    chosen = select(names, known)
    others = {file for name, file in files if name not in chosen}
    kept = [item for item in diagnostics if item.position is None or item.position.file not in others]
    return kept, {(name, file) for name, file in files if name in chosen}


def _show(diagnostics: list[Diagnostic], files: list[str], targets: list[str], screen: Screen) -> None:
    """Show the problems, and what was checked."""
    from trueup.cli import answers
    from trueup.core.plans.summary import validate_summary

    checked = validate_summary(len(files), targets, diagnostics)
    screen.write_answer(lambda place: answers.write_diagnostics(diagnostics, checked, files, place))


COMMANDS = {"validate": validate, "render": render}
