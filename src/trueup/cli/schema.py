"""`schema` and `completion`: texts that other programs read."""

from __future__ import annotations

import click

from trueup.cli.flags import Flags
from trueup.cli.options import takes


@click.command(short_help="Print a JSON Schema.")
@click.argument("name", required=False)
@takes()
def schema(flags: Flags, name: str | None) -> int:
    """Print the JSON Schema of that NAME, or the names there are."""
    import json

    from trueup.cli.output import Screen
    from trueup.edge import schemas

    screen = Screen(flags)
    if name is not None:
        screen.result(schemas.text(name))
    elif flags.json:
        screen.result(json.dumps({"format_version": 1, "kind": "schemas", "names": schemas.names()}, indent=2))
    else:
        screen.result("\n".join(schemas.names()))
    return 0


@click.command(short_help="Print the completion script of a shell.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@takes()
def completion(flags: Flags, shell: str) -> int:
    """Print the completion script of a shell.

    For bash: `source <(trueup completion bash)`; for zsh the same; for fish: `trueup completion fish | source`.
    """
    from click.shell_completion import get_completion_class

    from trueup.cli.output import Screen

    made = get_completion_class(shell)
    context = click.get_current_context().find_root()
    if made is None:
        raise click.UsageError(f"There is no completion for {shell!r}.")
    script = made(context.command, {}, "trueup", "_TRUEUP_COMPLETE")
    Screen(flags).result(script.source())
    return 0


COMMANDS = {"schema": schema, "completion": completion}
