"""The command line for click: the flags that commands share, and groups that import a command's file when it is called.

Knows nothing of what the flags decide, and no command of its own: nothing heavier than click is imported for help.

Precedence is click's own: the command line, then the environment (`TRUEUP_` and the flag's name). What neither gives
stays None here, so that the project file and its defaults decide.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import click

if TYPE_CHECKING:
    from trueup.cli.flags import Flags

Command = TypeVar("Command", bound=Callable[..., int])
Decorator = Callable[[Any], Any]

Table = Mapping[str, Mapping[str, tuple[str, str]]]
"""Heading → command → (module, one line)."""

SETTINGS: Mapping[str, Any] = {
    "invoke_without_command": True,
    "context_settings": {"help_option_names": ["-h", "--help"], "max_content_width": 100},
    "subcommand_metavar": "COMMAND …",
}

PREFIX = "TRUEUP"
"""What the names of environment variables begin with."""


LEAST_TIMEOUT, MOST_TIMEOUT = 0.001, 86_400
"""Seconds for one answer: a millisecond to a day."""


PLAIN = ("text", "json")
"""The formats of every command."""

PAGES = (*PLAIN, "markdown", "html", "github")
"""The formats of plans and of what became of them."""

LISTS = (*PAGES, "sarif", "junit")
"""The formats of what lists findings."""


class Pair(click.ParamType):  # type: ignore[type-arg]  # generic only since click 8.2
    """`NAME=VALUE` as two texts; in an environment variable there is one pair on each line."""

    name = "name=value"
    envvar_list_splitter = "\n"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Split at the first `=`."""
        if isinstance(value, tuple):
            return value
        name, equals, text = str(value).partition("=")
        if not equals or not name.strip():
            self.fail(f"{value!r} is not NAME=VALUE; write for example --var owner=alice.", param, ctx)
        return name.strip(), text


class FormatFile(Pair):
    """`FORMAT=FILE` as two texts, the first one of some formats; in an environment variable one on each line."""

    name = "format=file"

    def __init__(self, formats: Sequence[str]) -> None:
        self.formats = formats

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Split into format and file."""
        format_, file = value if isinstance(value, tuple) else str(value).partition("=")[::2]
        if format_ not in self.formats or not file:
            self.fail(f"{value!r} is not FORMAT=FILE with one of {', '.join(self.formats)}.", param, ctx)
        return format_, file


class Number(click.ParamType):  # type: ignore[type-arg]  # generic only since click 8.2
    """A number between two others, both of which may be had; `whole` takes no fraction."""

    name = "number"

    def __init__(self, least: float, most: float, *, whole: bool = True) -> None:
        self.least, self.most, self.whole = least, most, whole

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | float:
        """Return the number; NaN is in no range."""
        try:
            number = int(value) if self.whole else float(value)
        except ValueError:
            number = math.nan
        if not self.least <= number <= self.most:
            kind = "whole number" if self.whole else "number"
            self.fail(f"{value!r} is not a {kind} from {self.least:g} to {self.most:g}.", param, ctx)
        return number


def flag(*names: str, **settings: Any) -> Decorator:
    """Make a click option that may also be given as an environment variable."""
    long = next(name for name in names if name.startswith("--")).split("/")[0]
    variable = f"{PREFIX}_{long.removeprefix('--').replace('-', '_').upper()}"
    return click.option(*names, envvar=variable, **settings)


def format_flag(formats: Sequence[str]) -> Decorator:
    """Make the option that chooses among the formats that a command can write."""
    return flag("--format", type=click.Choice(formats), default="text", help="The format of the result.")


def also_flag(formats: Sequence[str]) -> Decorator:
    """Make the option that also writes the answer to files."""
    words = "Also write the result to a file, in another format; repeatable."
    return flag("--also", type=FormatFile(formats), multiple=True, metavar="FORMAT=FILE", help=words)


FORMAT = format_flag(LISTS)

COMMON: Sequence[Decorator] = (
    flag("-C", "--chdir", metavar="FOLDER", default=".", help="The project's folder; paths are relative to it."),
    flag("-t", "--target", metavar="NAME", default="", help="The target; default: default_target of trueup.yaml."),
    flag("--json", is_flag=True, help="One JSON document on stdout, also on failure; same as --format json."),
    FORMAT,
    flag("--no-input", is_flag=True, help="Never ask; where a question is needed, fail and name the flag."),
    flag("--color/--no-color", default=None, help="Colour; default: by NO_COLOR, FORCE_COLOR and the terminal."),
    flag("-q", "--quiet", is_flag=True, help="Only the result and errors."),
    flag("-v", "--verbose", count=True, help="-v shows whole texts, -vv also each request and tracebacks."),
)
"""What every command takes."""

VARS: Sequence[Decorator] = (
    flag(
        "--var",
        "vars",
        type=Pair(),
        multiple=True,
        metavar="NAME=VALUE",
        help="The value of a {var: NAME}; repeatable.",
    ),
)
"""What commands take that read definitions."""

NETWORK: Sequence[Decorator] = (
    flag("--parallelism", type=Number(1, 256), metavar="N", help="Requests under way at a time (8)."),
    flag(
        "--timeout",
        type=Number(LEAST_TIMEOUT, MOST_TIMEOUT, whole=False),
        metavar="SECONDS",
        help="Seconds for one response (60).",
    ),
    flag("--max-retries", type=Number(0, 20), metavar="N", help="Retries of a read that fails (3)."),
)
"""What commands take that read or write what is live."""

DECIDING: Sequence[Decorator] = (
    flag("--on-drift", type=click.Choice(["refuse", "revert"]), help="What to do with drift: leave it, or revert it."),
    flag("--prune/--no-prune", default=None, help="Delete assistants in the state that no file describes."),
    flag("--ack", "acks", multiple=True, metavar="TEXT", help="A plan's digest (16 characters or more), or an id."),
)
"""What commands take that make a plan to be applied."""

CONSENT: Sequence[Decorator] = (
    flag("-y", "--yes", "--auto-approve", "yes", is_flag=True, help="Do not ask before writing."),
)
"""What commands take that write."""

LAYOUT: Sequence[Decorator] = (
    flag("--compact/--no-compact", default=None, help="One row per assistant; default: only for many changes."),
)
"""What commands take that show a plan or drift."""

STAMPING: Sequence[Decorator] = (flag("--stamp", is_flag=True, help="Also stamp assistants that have no stamp yet."),)
"""What `plan` and `apply` take."""


def takes(*groups: Sequence[Decorator], formats: Sequence[str] = PLAIN) -> Callable[[Command], Any]:
    """Give a command the common flags and these groups; it is called with a `Flags` and its own parameters."""
    shared = [format_flag(formats) if option is FORMAT else option for option in COMMON]
    shared += [also_flag(formats)] if formats is not PLAIN else []

    def decorate(command: Command) -> Any:
        @wraps(command)
        def call_command(**given: Any) -> int:
            ctx = click.get_current_context()
            _refuse_empty(ctx)
            flags = _pop_flags(given, ctx)
            if flags.also:
                from trueup.cli.paths import refuse_places

                refuse_places(flags, given, ctx)
            return command(flags, **given)

        decorated: Any = call_command
        for option in reversed([option for group in (*groups, shared) for option in group]):
            decorated = option(decorated)
        return decorated

    return decorate


def _refuse_empty(ctx: click.Context) -> None:
    """Refuse a flag with an empty value, which mostly comes from an unset variable. Raises UsageError."""
    for option in ctx.command.params:
        value = ctx.params.get(option.name or "")
        values = value if isinstance(value, tuple) else (value,)
        given = ctx.get_parameter_source(option.name or "") is click.core.ParameterSource.COMMANDLINE
        if given and "" in values and isinstance(option, click.Option):
            raise click.UsageError(f"{option.opts[-1]} has an empty value; leave it out, or give a value.", ctx)


def _pop_flags(given: dict[str, Any], ctx: click.Context) -> Flags:
    """Take the shared flags out of a command's parameters."""
    from dataclasses import fields

    from trueup.cli.flags import Flags

    values = {item.name: given.pop(item.name) for item in fields(Flags) if item.name in given}
    if given.pop("json"):
        values["format"] = _choose_format(values["format"], ctx)
    values["vars"] = dict(values.get("vars", ()))
    return Flags(**values, arguments=ctx.find_root().obj or ())


def _choose_format(format_: str, ctx: click.Context) -> str:
    """Choose between --json and --format: the command line wins. Raises UsageError where both are typed."""
    typed = click.core.ParameterSource.COMMANDLINE
    if ctx.get_parameter_source("format") is not typed or format_ == "json":
        return "json"
    if ctx.get_parameter_source("json") is typed:
        raise click.UsageError(f"--json and --format {format_} are two formats; give one of them.", ctx)
    return format_


class Commands(click.Group):
    """A group whose commands are only imported when they are called; flags before a command are handed on to it."""

    table: ClassVar[Table] = {}
    aliases: ClassVar[Mapping[str, str]] = {}
    stands_alone: ClassVar[bool] = False
    """Whether it does something without a command of its table."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """List all names, in the order of work."""
        return [name for section in self.table.values() for name in section]

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command of a name or an alias; None where there is none."""
        name = self.aliases.get(cmd_name, cmd_name)
        for section in self.table.values():
            if name in section:
                command: click.Command = import_module(f"trueup.cli.commands.{section[name][0]}").COMMANDS[name]
                return command
        return None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command with its arguments. Raises UsageError that suggests the nearest name."""
        name = args[0]
        command = self.get_command(ctx, name)
        if command is None:
            raise click.UsageError(f"There is no command {name!r}.{self._suggest_nearest(ctx, name)}", ctx)
        return name, command, [*_collect_given_flags(ctx), *args[1:]]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands under their headings, one line each, without importing any."""
        width = max(len(name) for name in self.list_commands(ctx))
        for heading, section in self.table.items():
            with formatter.section(heading):
                formatter.write_dl([(name.ljust(width), text) for name, (_, text) in section.items()])

    def _suggest_nearest(self, ctx: click.Context, name: str) -> str:
        from difflib import get_close_matches

        close = get_close_matches(name, [*self.list_commands(ctx), *self.aliases], 1)
        return f" Did you mean {close[0]!r}?" if close else ""


def make_family(name: str, table: Table, text: str) -> click.Command:
    """Make a group of commands below another one."""
    made = type("Family", (Commands,), {"table": table})
    group: click.Command = made(name, help=text, callback=show_help_alone, **SETTINGS)
    for option in COMMON:  # a finished command takes them in this order
        group = option(group)
    return group


def _collect_given_flags(ctx: click.Context) -> list[str]:
    """Return the flags that were given before the command, as they were typed."""
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


def show_help_alone(**given: Any) -> None:
    """Show the help where no command is given; with JSON raise a usage error instead."""
    ctx = click.get_current_context()
    if ctx.invoked_subcommand is not None:
        return
    if given.get("json") or given.get("format") == "json":
        raise click.UsageError(f"{ctx.command_path} needs a command.", ctx)
    click.echo(ctx.get_help())
