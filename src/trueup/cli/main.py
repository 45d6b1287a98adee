"""The command `trueup`: its list of commands, and the one way out. A command's module is imported when it is called.

Nothing heavier than click is imported for `--version`, `--help`, completion and usage errors.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, ClassVar

import click

from trueup import __version__
from trueup.cli.options import COMMON

Table = Mapping[str, Mapping[str, tuple[str, str]]]
"""Heading → command → (module, one line)."""

COMMANDS: Table = {
    "Write": {
        "init": ("init", "Start a project: trueup.yaml, an example, editor schema."),
        "validate": ("validate", "Check the files: everything that is wrong, at once."),
        "render": ("render", "Print the final body of each assistant."),
    },
    "Plan and apply": {
        "plan": ("plan", "Show what apply would do."),
        "apply": ("apply", "Make what is live as the files say."),
        "show": ("show", "Show a saved plan again."),
        "destroy": ("destroy", "Delete what state holds for the target."),
    },
    "Understand": {
        "drift": ("drift", "Show what differs from what was applied."),
        "why": ("why", "Explain what decides each field of an assistant."),
    },
    "State": {
        "import": ("importing", "Link definitions to live assistants."),
        "state": ("state", "List, show, forget and rebuild what state holds."),
        "targets": ("targets", "List the targets and what they can hold."),
    },
    "Tools": {
        "serve": ("serve", "Run the embedded server over HTTP."),
        "schema": ("schema", "Print a JSON Schema."),
        "completion": ("completion", "Print the completion script of a shell."),
    },
}
ALIASES = {"diff": "plan"}


class Commands(click.Group):
    """A group whose commands are only imported when they are called; flags before a command are handed on to it."""

    table: ClassVar[Table] = {}

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """All names, in the order of work."""
        return [name for section in self.table.values() for name in section]

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, or of that other name."""
        name = ALIASES.get(cmd_name, cmd_name) if self.table is COMMANDS else cmd_name
        for section in self.table.values():
            if name in section:
                command: click.Command = import_module(f"trueup.cli.{section[name][0]}").COMMANDS[name]
                return command
        return None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command with its arguments. Raises a usage error naming the nearest one."""
        name = args[0]
        command = self.get_command(ctx, name)
        if command is None:
            raise click.UsageError(f"There is no command {name!r}.{self._nearest(ctx, name)}", ctx)
        return name, command, [*_handed_on(ctx), *args[1:]]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands under their headings, one line each, without importing any."""
        width = max(len(name) for name in self.list_commands(ctx))
        for heading, section in self.table.items():
            with formatter.section(heading):
                formatter.write_dl([(name.ljust(width), text) for name, (_, text) in section.items()])

    def _nearest(self, ctx: click.Context, name: str) -> str:
        from difflib import get_close_matches

        close = get_close_matches(name, [*self.list_commands(ctx), *ALIASES], 1)
        return f" Did you mean {close[0]!r}?" if close else ""


def family(name: str, table: Table, text: str) -> click.Command:
    """A group of commands below another one."""
    made = type("Family", (Commands,), {"table": table})
    group: click.Command = made(name, help=text, callback=_help_alone, **_SETTINGS)
    for option in reversed(COMMON):
        group = option(group)
    return group


def _handed_on(ctx: click.Context) -> list[str]:
    """The flags that stood before the command, as they were given."""
    words: list[str] = []
    for option in ctx.command.params:
        value = ctx.params.get(option.name or "")
        given = ctx.get_parameter_source(option.name or "") is click.core.ParameterSource.COMMANDLINE
        if not given or not isinstance(option, click.Option):
            continue
        if option.is_flag:
            words.append(option.opts[-1] if value else option.secondary_opts[-1])
        elif option.count:
            words += [option.opts[-1]] * ctx.params[option.name or ""]
        else:
            words += [option.opts[-1], str(value)]
    return words


def _help_alone(**_given: Any) -> None:
    """Without a command, its help is the answer."""
    ctx = click.get_current_context()
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


_SETTINGS: Mapping[str, Any] = {
    "invoke_without_command": True,
    "context_settings": {"help_option_names": ["-h", "--help"], "max_content_width": 100},
    "subcommand_metavar": "COMMAND …",
}


class Root(Commands):
    """All commands."""

    table = COMMANDS


@click.version_option(__version__, prog_name="trueup", message="%(prog)s %(version)s")
def _root(**given: Any) -> None:
    """Keeps AI assistants the way git says they are.

    Definitions are files: validate, plan, apply, drift.
    """
    _help_alone(**given)


for _option in reversed(COMMON):
    _root = _option(_root)
cli: click.Command = click.command(cls=Root, **_SETTINGS)(_root)


def main(arguments: Sequence[str]) -> int:
    """Runs one command line and returns its exit code; every failure has been told when it returns."""
    from trueup.cli.output import steady_streams

    steady_streams()
    try:
        result: object = cli.main(list(arguments), "trueup", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except (Exception, KeyboardInterrupt) as error:
        from trueup.cli.failure import told

        return told(error, arguments)


def run() -> None:
    """The console entry. SIGTERM is taken as Ctrl-C is."""
    import signal

    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    code = main(sys.argv[1:])
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        from trueup.cli.output import forget_stdout

        forget_stdout()
    sys.exit(code)
