"""`targets`: the places there are to apply to. Nothing is sent and no credential is looked at."""

from __future__ import annotations

import click

from trueup.cli.options import Flags, takes


@click.command(short_help="List the targets and what they can hold.")
@takes()
def targets(flags: Flags) -> int:
    """List the targets: protocol, address, project, and where each keeps its state."""
    from dataclasses import replace

    from trueup.cli.output import Screen
    from trueup.cli.session import open_project
    from trueup.core.names import choose_target
    from trueup.wire.adapters import adapter_for, base_url

    screen = Screen(flags)
    _, project = open_project(flags)
    chosen = [choose_target(project, flags.target)] if flags.target else list(project.targets.values())
    for target in chosen:
        adapter_for(target)  # an unknown protocol or dialect is an error here too
    shown = [replace(target, base_url=base_url(target)) for target in chosen]
    if flags.json:
        from trueup.render import json as as_json

        screen.result(as_json.targets(shown, project.default_target))
    else:
        from trueup.render import text

        screen.result(text.targets(shown, project.default_target, **screen.look))
    return 0


COMMANDS = {"targets": targets}
