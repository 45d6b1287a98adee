"""Groups of commands that import a command's module only when it is called. Knows no command of its own.

Nothing heavier than click is imported for help, completion and usage errors.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, ClassVar

import click

from trueup.cli.options import COMMON

Table = Mapping[str, Mapping[str, tuple[str, str]]]
"""Heading → command → (module, one line)."""

SETTINGS: Mapping[str, Any] = {
    "invoke_without_command": True,
    "context_settings": {"help_option_names": ["-h", "--help"], "max_content_width": 100},
    "subcommand_metavar": "COMMAND …",
}


class Commands(click.Group):
    """A group whose commands are only imported when they are called; flags before a command are handed on to it."""

    table: ClassVar[Table] = {}
    aliases: ClassVar[Mapping[str, str]] = {}
    stands_alone: ClassVar[bool] = False
    """Whether it does something without a command of its table."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """All names, in the order of work."""
        return [name for section in self.table.values() for name in section]

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, or of that other name."""
        name = self.aliases.get(cmd_name, cmd_name)
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

        close = get_close_matches(name, [*self.list_commands(ctx), *self.aliases], 1)
        return f" Did you mean {close[0]!r}?" if close else ""


def family(name: str, table: Table, text: str) -> click.Command:
    """A group of commands below another one."""
    made = type("Family", (Commands,), {"table": table})
    group: click.Command = made(name, help=text, callback=help_alone, **SETTINGS)
    for option in COMMON:  # a finished command takes them in this order
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


def help_alone(**given: Any) -> None:
    """Without a command, its help is the answer; a program that asked for JSON gets a usage error instead."""
    ctx = click.get_current_context()
    if ctx.invoked_subcommand is not None:
        return
    if given.get("json") or given.get("format") == "json":
        raise click.UsageError(f"{ctx.command_path} wants a command.", ctx)
    click.echo(ctx.get_help())
