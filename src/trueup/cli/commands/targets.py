"""`targets`: the places there are to apply to. Listing them sends nothing and looks at no credential."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import click

from trueup.cli.flags import Flags
from trueup.cli.options import SETTINGS, Commands, Table, takes

if TYPE_CHECKING:
    from trueup.cli.output import Screen


class Targets(Commands):
    """The list, and what can be asked of one target."""

    stands_alone = True
    table: ClassVar[Table] = {"Of one target": {"probe": ("probe", "Test what a target's server supports.")}}


@click.command(cls=Targets, short_help="List the targets and what they support.", **SETTINGS)
@click.option("--dialects", "rows", is_flag=True, help="Show what each dialect supports instead.")
@takes()
def targets(flags: Flags, rows: bool) -> int:
    """List the targets: protocol, URL, source of the credential, where the state is, and what is unsupported.

    --dialects shows the table of all dialects: a length where there is a limit, `-` for what is unsupported.
    """
    from trueup.cli.output import Screen

    if click.get_current_context().invoked_subcommand is not None:
        return 0
    screen = Screen(flags)
    screen.write_result(_write_dialects(screen) if rows else _write_targets(flags, screen))
    return 0


def _write_targets(flags: Flags, screen: Screen) -> str:
    from trueup.cli.session import open_project
    from trueup.core.definitions.names import choose_target
    from trueup.wire.described import describe_target

    _, project = open_project(flags)
    chosen = [choose_target(project, flags.target)] if flags.target else list(project.targets.values())
    shown = [describe_target(target) for target in chosen]
    if screen.json:
        from trueup.render.records import json as as_json

        return as_json.targets(shown, project.default_target)

    from trueup.render.terminal import answers

    return answers.write_targets(shown, project.default_target, **screen.look)


def _write_dialects(screen: Screen) -> str:
    from trueup.wire.described import dialect_tables

    if screen.json:
        from trueup.render.records import json as as_json

        return as_json.dialects(dialect_tables())

    from trueup.render.terminal import answers

    return answers.write_dialects(dialect_tables(), **screen.look)


COMMANDS = {"targets": targets}
