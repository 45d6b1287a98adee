"""How a command that failed says so: in words on stderr or as JSON on stdout, and the exit code.

Never a bare traceback. Knows the exceptions; deliberately not what was being done.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from traceback import format_exception, walk_tb
from typing import TYPE_CHECKING

import click

from trueup.cli.flags import Flags
from trueup.cli.options import LISTS
from trueup.cli.output import Screen, UnwrittenError, discard_output

if TYPE_CHECKING:
    from trueup.core.command import Message
    from trueup.core.errors import TrueupError
    from trueup.render.style import LookOptions

INTERRUPTED = 130
ERROR = 1


def report_failure(error: BaseException, arguments: Sequence[str]) -> int:
    """Report the failure and return the exit code."""
    flags = _guess_flags(arguments)
    screen = Screen(flags)
    error = _find_interrupt(error) or error
    if isinstance(error, BrokenPipeError):
        discard_output(sys.stdout)
        return ERROR
    if isinstance(error, OSError) and _is_of_click(error):
        discard_output(sys.stdout)
        error = UnwrittenError(error)
    problem = _locate_commands(_convert_to_problem(error), flags)
    if isinstance(error, UnwrittenError):
        screen.format, screen.also = "text", ()  # what could be written stays
    elif isinstance(error, (KeyboardInterrupt, click.Abort)):
        if not flags.json:
            screen.write_stderr("Interrupted.")
            return INTERRUPTED
    elif isinstance(error, click.ClickException):
        screen.also = ()  # such as one that was just refused
        if not flags.json:
            screen.write_stderr(_format_usage(error))
            return ERROR
    elif flags.verbose >= 2 and problem is not error:
        screen.write_stderr("".join(format_exception(error)))
    write_problem(problem, screen)
    return int(problem.exit)


def _locate_commands(problem: TrueupError, flags: Flags) -> TrueupError:
    """Give the commands of a problem the folder and target of this command line, where they have none."""
    from trueup.core.command import Selection, locate_commands

    here = Selection(flags.folder, flags.target)
    problem.message, problem.hint = (locate_commands(text, here) for text in (problem.message, problem.hint))
    problem.diagnostics = tuple(
        replace(item, message=locate_commands(item.message, here), hint=locate_commands(item.hint, here))
        for item in problem.diagnostics
    )
    return problem


def _find_interrupt(error: BaseException) -> BaseException | None:
    """Return the Ctrl-C that caused the error: Python wraps one in a RuntimeError while a class is made."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, KeyboardInterrupt):
        cause = cause.__cause__
    return cause


def write_problem(problem: TrueupError, screen: Screen) -> None:
    """Write an error with its diagnostics: on stdout in the chosen format, and as text on stderr.

    JSON stands alone.
    """
    from trueup.cli import answers

    if not screen.is_text:
        screen.write_result(answers.write_error(problem, screen))
    if not screen.json:
        screen.write_stderr(_format_problem(problem, screen.note_look))
    try:
        screen.write_also(lambda place: answers.write_error(problem, place) or _format_problem(problem, place.look))
    except UnwrittenError as error:
        screen.write_stderr(f"This could not be written to {error.place}: {error.reason}.")


def _format_problem(problem: TrueupError, look: LookOptions) -> str:
    from trueup.render.terminal import problems

    return problems.write_error(problem, **look)


def _is_of_click(error: OSError) -> bool:
    """Return whether click raised it while it wrote help or version, which is all that it writes by itself."""
    *_, (frame, _) = walk_tb(error.__traceback__)
    return str(frame.f_globals.get("__name__")).startswith("click.")


def _format_usage(error: click.ClickException) -> str:
    """Return click's own message for a wrong command line: usage, problem, and where there is help."""
    words = io.StringIO()
    error.show(words)
    return words.getvalue()


def _convert_to_problem(error: BaseException) -> TrueupError:
    """Convert any exception to a TrueupError; an unforeseen one asks for a bug report."""
    from trueup.core.command import HERE, Message
    from trueup.core.errors import InterruptedRun, TrueupError

    if isinstance(error, TrueupError):
        return error
    if isinstance(error, (KeyboardInterrupt, click.Abort)):
        return InterruptedRun("Interrupted.", "State and journal have everything that was done; run the command again.")
    if isinstance(error, click.ClickException):
        return TrueupError(error.format_message(), _make_help_hint(error))
    if isinstance(error, UnwrittenError):
        return TrueupError(
            f"The result could not be written to {error.place}: {error.reason}.",
            Message(
                "Make room there, or write it elsewhere. The command itself is done. After an apply, to see what "
                "is left to do: ",
                HERE.command("plan"),
            ),
        )
    if isinstance(error, OSError) and error.filename is not None:
        return TrueupError(
            f"{error.filename} could not be used: {(error.strerror or str(error)).lower()}.",
            "Make it accessible, or move away what is in its place, and run the command again.",
        )
    return TrueupError(
        f"Trueup failed with an unexpected error ({type(error).__name__}).",
        "This is a bug: run the command again with -vv, and please report the details. "
        "State and journal are as the last finished step left them.",
    )


def _make_help_hint(error: click.ClickException) -> Message:
    """Name the command that shows the help."""
    from trueup.core.command import Command, Message

    ctx = getattr(error, "ctx", None)
    words = ctx.command_path.split(" ")[1:] if ctx is not None else []
    return Message("For its usage: ", Command((*words, "--help"), None))


def _guess_flags(arguments: Sequence[str]) -> Flags:
    """Guess the flags that a report of a failure needs, also where the command line could not be parsed."""
    words = list(arguments)
    following = words[words.index("--format") + 1 :][:1] if "--format" in words else []
    wanted = os.environ.get("TRUEUP_JSON", "").lower() in ("1", "true", "t", "yes", "y", "on")
    following += [word.removeprefix("--format=") for word in words if word.startswith("--format=")]
    given = following or [os.environ.get("TRUEUP_FORMAT", "")]
    as_json = "--json" in words or (wanted and not following)
    written = "json" if as_json else given[0] if given[0] in LISTS else "text"
    color = True if "--color" in words else False if "--no-color" in words else None
    verbose = sum(word.count("v") for word in words if word.startswith("-v") and not word.strip("-v"))
    flags = Flags(
        chdir=_find_last(words, "-C", "--chdir", "TRUEUP_CHDIR", "."),
        target=_find_last(words, "-t", "--target", "TRUEUP_TARGET", ""),
        format=written,
        color=color,
        verbose=verbose,
        also=_find_also(words),
    )
    if not flags.also:
        return flags
    from trueup.cli.paths import find_writable_also

    return replace(flags, also=find_writable_also(flags))


def _find_last(words: Sequence[str], short: str, long: str, variable: str, default: str) -> str:
    """Return the last value of a flag on the command line, else the environment's."""
    given = [word for before, word in pairwise(["", *words]) if before in (short, long)]
    given += [word.split("=", 1)[1] for word in words if word.startswith(f"{long}=")]
    return (given or [os.environ.get(variable) or default])[-1]


def _find_also(words: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Return the formats and files of --also, as far as the command line can be read."""
    given = [word for before, word in pairwise(["", *words]) if before == "--also"]
    given += [word.removeprefix("--also=") for word in words if word.startswith("--also=")]
    pairs = [text.partition("=")[::2] for text in given or os.environ.get("TRUEUP_ALSO", "").splitlines()]
    return tuple((name, file) for name, file in pairs if name in LISTS and file)
