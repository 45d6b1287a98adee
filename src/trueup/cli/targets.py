"""`targets`: the places there are to apply to. Nothing is sent and no credential is looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from trueup.cli.options import Flags, takes

if TYPE_CHECKING:
    from trueup.cli.output import Screen


@click.command(short_help="List the targets and what they can hold.")
@click.option("--dialects", "rows", is_flag=True, help="Show instead what each dialect can hold.")
@takes()
def targets(flags: Flags, rows: bool) -> int:
    """List the targets: protocol, address, where its credential comes from, where each keeps its state, and what it
    cannot hold.

    With --dialects the table of all dialects: a length where there is a limit, `-` for what a dialect has no word for.
    """
    from trueup.cli.output import Screen

    screen = Screen(flags)
    screen.result(_dialects(screen) if rows else _targets(flags, screen))
    return 0


def _targets(flags: Flags, screen: Screen) -> str:
    from trueup.cli.session import open_project
    from trueup.core.definitions.names import choose_target
    from trueup.wire.described import described

    _, project = open_project(flags)
    chosen = [choose_target(project, flags.target)] if flags.target else list(project.targets.values())
    shown = [described(target) for target in chosen]
    if screen.json:
        from trueup.render import json as as_json

        return as_json.targets(shown, project.default_target)
    from trueup.render import text

    return text.targets(shown, project.default_target, **screen.look)


def _dialects(screen: Screen) -> str:
    from trueup.wire.described import dialect_table

    if screen.json:
        from trueup.render import json as as_json

        return as_json.dialects(dialect_table())
    from trueup.render import text

    return text.dialects(dialect_table(), **screen.look)


COMMANDS = {"targets": targets}
