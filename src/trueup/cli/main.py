"""The command `trueup`: its list of commands, and the one way out. A command's module is imported when it is called.

Nothing heavier than click is imported for `--version`, `--help`, completion and usage errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from trueup import __version__
from trueup.cli.options import COMMON, SETTINGS, Commands, Table, show_help_alone

COMMANDS: Table = {
    "Write": {
        "init": ("setup", "Start a project: trueup.yaml, an example, editor schema."),
        "validate": ("validate", "Check the files and report every problem."),
        "render": ("validate", "Print the final body of each assistant."),
    },
    "Plan and apply": {
        "plan": ("plan", "Show what apply would do."),
        "apply": ("apply", "Change what is live to match the files."),
        "show": ("plan", "Show a saved plan again."),
        "destroy": ("apply", "Delete what is in the target's state."),
    },
    "Understand": {
        "drift": ("drift", "Show what differs from what was applied."),
        "why": ("drift", "Explain the state of each field of an assistant."),
    },
    "State": {
        "accept": ("live", "Write live values into a definition's file."),
        "import": ("live", "Turn live assistants into definitions, or link them."),
        "delete-duplicate": ("live", "Delete one duplicate of an assistant."),
        "export": ("export", "Write the target's live assistants to a file."),
        "state": ("state", "List, show, forget and rebuild records of the state."),
        "targets": ("targets", "List the targets and what they support."),
    },
    "Tools": {
        "serve": ("serve", "Run the embedded server over HTTP."),
        "schema": ("setup", "Print a JSON Schema."),
        "completion": ("setup", "Print the completion script of a shell."),
    },
}
ALIASES = {"diff": "plan"}


class Root(Commands):
    """All commands."""

    table = COMMANDS
    aliases = ALIASES


@click.version_option(__version__, prog_name="trueup", message="%(prog)s %(version)s")
def _root(**given: Any) -> None:
    """Keep AI assistants in sync with git.

    Definitions are files: validate, plan, apply, drift.
    """
    show_help_alone(**given)


for _option in reversed(COMMON):
    _root = _option(_root)
cli: click.Command = click.command(cls=Root, **SETTINGS)(_root)


def main(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code; every failure has been reported by then."""
    from trueup.cli.output import prepare_streams

    prepare_streams()
    try:
        result: object = cli.main(list(arguments), "trueup", standalone_mode=False, obj=tuple(arguments))
        return result if isinstance(result, int) else 0
    except (Exception, KeyboardInterrupt) as error:
        from trueup.cli.failure import report_failure

        return report_failure(error, arguments)
