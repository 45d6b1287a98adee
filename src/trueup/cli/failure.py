"""How a command that failed says so: in words on stderr or as JSON on stdout, and the exit code.

Never a bare traceback. Knows the exceptions; deliberately not what was being done.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from trueup.cli.options import Flags
from trueup.cli.output import Screen, forget_stdout

if TYPE_CHECKING:
    from trueup.core.errors import TrueupError

INTERRUPTED = 130
ERROR = 1


def told(error: BaseException, arguments: Sequence[str]) -> int:
    """Tells the failure and returns the exit code."""
    flags = _guessed(arguments)
    screen = Screen(flags)
    if isinstance(error, (KeyboardInterrupt, click.Abort)):
        screen.complain("Interrupted.")
        return INTERRUPTED
    if isinstance(error, BrokenPipeError):
        forget_stdout()
        return ERROR
    problem = _as_problem(error)
    if isinstance(error, click.ClickException) and not flags.json:
        error.show(sys.stderr)
        return ERROR
    if flags.verbose >= 2 and problem is not error and not isinstance(error, click.ClickException):
        import traceback

        screen.complain("".join(traceback.format_exception(error)))
    show(problem, screen)
    return int(problem.exit)


def show(problem: TrueupError, screen: Screen) -> None:
    """Writes an error with its diagnostics: one JSON document on stdout, or text on stderr."""
    if screen.json:
        from trueup.render import json as as_json

        screen.result(as_json.error(problem))
        return
    from trueup.render import text

    screen.complain(text.error(problem, **screen.note_look))


def _as_problem(error: BaseException) -> TrueupError:
    """The failure as one of ours; what nobody foresaw asks for a report."""
    from trueup.core.errors import TrueupError

    if isinstance(error, TrueupError):
        return error
    if isinstance(error, click.ClickException):
        return TrueupError(error.format_message(), "trueup --help lists the commands, trueup COMMAND --help its flags.")
    return TrueupError(
        f"Something went wrong inside Trueup ({type(error).__name__}).",
        "Run the command again with -vv for the details, and please report them: nobody foresaw this. "
        "State and journal are as the last finished step left them.",
    )


def _guessed(arguments: Sequence[str]) -> Flags:
    """The flags that matter for telling a failure, also where the command line could not be read."""
    words = list(arguments)
    following = words[words.index("--format") + 1 :][:1] if "--format" in words else []
    wanted = os.environ.get("TRUEUP_JSON", "").lower() in ("1", "true", "t", "yes", "y", "on")
    as_json = "--json" in words or "--format=json" in words or following == ["json"] or wanted
    color = True if "--color" in words else False if "--no-color" in words else None
    verbose = sum(word.count("v") for word in words if word.startswith("-v") and not word.strip("-v"))
    return Flags(json=as_json or os.environ.get("TRUEUP_FORMAT") == "json", color=color, verbose=verbose)
