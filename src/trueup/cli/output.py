"""What goes to the terminal: results to stdout, all else to stderr; colour, width, questions and the progress line.

The only place that prints. Knows no assistant and no command.
"""

from __future__ import annotations

import os
import select
import signal
import stat
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from pathlib import Path

    from trueup.cli.flags import Flags
    from trueup.engine.ports import Progress, Wait
    from trueup.render.style import LookOptions

PATIENCE = 0.5
"""Seconds of work before a progress line is shown."""

NOW_AND_THEN = 20.0
"""Seconds between two lines in a log about one long piece of work."""

REDRAW = 0.1
"""Seconds between two progress lines, at least."""

SHORT = 1.0
"""Seconds below which it is not shown how long the rest takes."""

RUNNERS = ("CI", "TF_BUILD", "TEAMCITY_VERSION")
"""Variables by which runners of CI tell that they are there."""

_CLEAR = "\r\x1b[K"


class UnwrittenError(Exception):
    """The result could not be written to stdout, or to a file of --also; `reason` is what the system says."""

    def __init__(self, error: OSError, place: str = "standard output") -> None:
        self.reason, self.place = (error.strerror or str(error)).lower(), place
        super().__init__(self.reason)


class Screen:
    """The terminal of one command, as flags and environment want it."""

    def __init__(self, flags: Flags, environ: Mapping[str, str] = os.environ) -> None:
        self.format = flags.format
        self.also = _resolve_also(flags)
        self.root = flags.chdir
        self.folder = _find_project_folder(flags.chdir, environ)
        self.quiet = flags.quiet
        self.verbose = flags.verbose
        self.compact = flags.compact
        self.width = _find_width(environ)
        self.look = _make_look(flags.color, environ, self.width, sys.stdout)
        self.note_look = _make_look(flags.color, environ, self.width, sys.stderr)
        self.can_ask = _can_ask(flags.no_input, environ)
        self._lively = sys.stderr.isatty() and not flags.quiet and not _in_ci(environ) and environ.get("TERM") != "dumb"
        self._in_ci = _in_ci(environ)
        self._since = time.monotonic()
        self._drawn = 0.0
        self._noted = 0.0
        self._news = ""
        self._line = ""
        self._progress: Progress | None = None
        self._wait: Wait | None = None

    @property
    def json(self) -> bool:
        """Whether stdout is for one JSON document."""
        return self.format == "json"

    @property
    def is_seen(self) -> bool:
        """Whether stdout is a terminal, or becomes the log of a runner of CI: it runs us, and stdout is no file."""
        return sys.stdout.isatty() or self.is_logged

    @property
    def is_logged(self) -> bool:
        """Whether stdout becomes the log of a runner of CI, as far as can be known."""
        return self._in_ci and not sys.stdout.isatty() and not _is_file(sys.stdout)

    @property
    def is_text(self) -> bool:
        """Whether the result is for the person at the terminal; else it is one document."""
        return self.format == "text"

    def write_result(self, text: str) -> None:
        """Write to stdout, without anything that a CI runner would obey. A reader that has gone away is no failure.

        Raises UnwrittenError for every other reason, such as a full disk.
        """
        self.start_work()
        if self.json or self.is_text:
            text = _defuse(text, as_json=self.json)  # the other formats are made so as they are written
        try:
            sys.stdout.write(text if text.endswith("\n") or not text else f"{text}\n")
            sys.stdout.flush()
        except BrokenPipeError:
            discard_output(sys.stdout)
        except OSError as error:
            discard_output(sys.stdout)
            raise UnwrittenError(error) from None

    def write_json(self, kind: str, **values: object) -> None:
        """Write a JSON document of format 1 to stdout. Raises UnwrittenError."""
        import json

        self.write_result(json.dumps({"format_version": 1, "kind": kind, **values}, indent=2))

    def write_answer(self, written: Callable[[Screen], str]) -> None:
        """Write an answer to stdout, then to the files of --also. Raises UnwrittenError."""
        self.write_result(written(self))
        self.write_also(written)

    def write_also(self, written: Callable[[Screen], str]) -> None:
        """Write an answer to the files of --also, each in its format. Raises UnwrittenError."""
        for format_, path in self.also:
            other = copy(self)
            other.format, other.look, other.verbose = format_, {"color": False, "width": 100, "ascii_only": False}, 0
            text = written(other)
            try:
                path.write_text(text if text.endswith("\n") else f"{text}\n", encoding="utf-8")
            except OSError as error:
                raise UnwrittenError(error, str(path)) from None

    def write_bytes(self, content: bytes) -> None:
        """Write bytes to stdout, not encoded for the terminal. Raises UnwrittenError."""
        self.clear_progress()
        try:
            sys.stdout.flush()
            sys.stdout.buffer.write(content)
            sys.stdout.flush()
        except BrokenPipeError:
            discard_output(sys.stdout)
        except OSError as error:
            discard_output(sys.stdout)
            raise UnwrittenError(error) from None

    def note(self, text: str) -> None:
        """Write a line to stderr, except with --quiet."""
        if not self.quiet:
            self.write_stderr(text)

    def note_wrapped(self, text: str) -> None:
        """Write a sentence to stderr, wrapped to the width, except with --quiet."""
        self.note(self.wrap(text))

    def wrap(self, text: str) -> str:
        """Wrap a sentence to the width; its commands stay whole."""
        from trueup.core.command import Message
        from trueup.render.style import Look as Place
        from trueup.render.style import paint
        from trueup.render.visible import sentence_rows

        if isinstance(text, Message):
            place = Place(**self.note_look)
            return paint(sentence_rows(text, 0, place), place.color).removesuffix("\n")
        import textwrap

        return textwrap.fill(text, self.width, break_long_words=False, break_on_hyphens=False)

    def write_stderr(self, text: str) -> None:
        """Write a line to stderr, also with --quiet, without anything that a CI runner would obey."""
        self.clear_progress()
        text = _defuse(text)
        _write_stderr(text if text.endswith("\n") else f"{text}\n")

    def ask(self, question: str) -> str:
        """Return the line that is typed, without the white space around it; empty at the end of input.

        Raises KeyboardInterrupt at the first Ctrl-C, also inside of an event loop.
        """
        self.clear_progress()
        with _interruptible():
            _write_stderr(question)
            _wait_for_line()
            answer = sys.stdin.readline()
        if not answer.endswith("\n"):
            _write_stderr("\n")
        self.start_work()
        return answer.strip()

    def show_progress(self, progress: Progress) -> None:
        """Show how far a long piece of work is: on a terminal in the progress line, in a log in a line now and then."""
        self._progress, self._wait = progress, None
        self.tick()

    def show_wait(self, wait: Wait) -> None:
        """Show why nothing goes on for a while, and until when; what is news is printed at once in a log too."""
        self._wait = wait
        now = time.monotonic()
        is_noted = wait.why == self._news and now - self._noted < NOW_AND_THEN
        if self._lively and wait.at_once:
            self._draw_progress(now)
        elif wait.at_once and not is_noted:
            self._news, self._noted = wait.why, now
            self.note(f"{_strip_controls(wait.why)}{_write_until(wait)}.")
        self.tick()

    def tick(self) -> None:
        """Show what is being done, where that is due."""
        now = time.monotonic()
        if self._progress is None and self._wait is None:
            return
        if self._lively:
            if now - self._since >= PATIENCE and now - self._drawn >= REDRAW:
                self._draw_progress(now)
        elif now - max(self._since, self._noted) >= NOW_AND_THEN:
            self._noted = now
            self.note(f"{self._describe_work(with_name=False)}{_write_until(self._wait) if self._wait else ''}.")

    def _draw_progress(self, now: float) -> None:
        """Write the progress line, cut to the width; what is done about trouble, and until when, is never cut off."""
        self._drawn = now
        _, comma, what = _strip_controls(self._wait.why).rpartition("; ") if self._wait else ("", "", "")
        end = f"{comma}{what}" if comma else ""
        said = self._describe_work(with_name=True).removesuffix(end)
        end += _write_until(self._wait) if self._wait else ""
        cut, room = "..." if self.note_look["ascii_only"] else "…", self.width - 1 - len(end)
        self._line = (said if len(said) <= room else f"{said[: max(room - len(cut), 0)]}{cut}") + end
        _write_stderr(f"{_CLEAR}{self._line}")

    def _describe_work(self, *, with_name: bool) -> str:
        """Return what is being done, how far it is and how long the rest may take; and what is waited for."""
        parts = [_write_progress(self._progress, with_name=with_name and self._wait is None)] if self._progress else []
        parts += [_strip_controls(self._wait.why)] if self._wait else []
        return ". ".join(parts)

    def start_work(self) -> None:
        """Start a piece of work: the progress line waits for `PATIENCE` again."""
        self.clear_progress()
        self._since = time.monotonic()
        self._progress = self._wait = None

    def clear_progress(self) -> None:
        """Take the progress line away."""
        if self._line:
            _write_stderr(_CLEAR)
            self._line = ""


def _write_progress(progress: Progress, *, with_name: bool) -> str:
    """Return how far a piece of work is: `Creating 12 of 300, about 2 min left: billing/invoices`."""
    count = f" {progress.done:,}" if progress.done or progress.total else ""
    count += f" of {progress.total:,}" if progress.total else ""
    left = f", about {_duration(progress.left)} left" if progress.left is not None and progress.left >= SHORT else ""
    name = f": {_strip_controls(progress.name)}" if with_name and progress.name else ""
    return f"{progress.what}{count}{left}{name}"


def _write_until(wait: Wait) -> str:
    """Return until when a wait lasts: ` until 14:03:22 (4 s)`; nothing where that is open."""
    if not wait.until:
        return ""
    left = max(wait.until - time.time(), 0.0)
    return f" until {time.strftime('%H:%M:%S', time.localtime(wait.until))} ({_duration(left)})"


def _duration(seconds: float) -> str:
    """Return a duration as people say it: `45 s`, `3 min`, `1 h 20 min`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def _strip_controls(text: str) -> str:
    """Return foreign text for the progress line, without what a terminal would obey."""
    return text if text.isprintable() else "".join(sign if sign.isprintable() else "?" for sign in text)


def _make_look(color: bool | None, environ: Mapping[str, str], width: int, stream: TextIO) -> LookOptions:
    return {"color": wants_color(color, environ, stream), "width": width, "ascii_only": not _is_unicode(stream)}


def _find_project_folder(chdir: str, environ: Mapping[str, str]) -> str:
    """Return the project's folder within the repository: from the CI workspace, else from here; empty for its top.

    Annotations and findings name files from the repository's top, Trueup from the project's.
    """
    top = os.path.realpath(environ.get("GITHUB_WORKSPACE") or environ.get("CI_PROJECT_DIR") or os.curdir)
    root = os.path.realpath(chdir)
    found = os.path.relpath(root, top).replace(os.sep, "/") if root.startswith(top) else "."
    return "" if found == "." or found.split("/")[0] == ".." else found


def wants_color(asked: bool | None, environ: Mapping[str, str], stream: TextIO) -> bool:
    """Return whether to colour: the flag, NO_COLOR, CLICOLOR_FORCE, FORCE_COLOR, CLICOLOR=0, TERM=dumb, a terminal."""
    if asked is not None:
        return asked
    if environ.get("NO_COLOR"):
        return False
    forced = [environ.get(name, "") for name in ("CLICOLOR_FORCE", "FORCE_COLOR")]
    if any(value not in ("", "0", "false") for value in forced):
        return True
    if environ.get("CLICOLOR") == "0" or environ.get("FORCE_COLOR") == "0" or environ.get("TERM") == "dumb":
        return False
    return stream.isatty()


def prepare_streams() -> None:
    """Make stdout and stderr take any text: what their encoding lacks is escaped. A closed stream leads nowhere.

    A closed one also gets its number back, so that no file of ours is taken for it.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode, encoding="utf-8"))
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def discard_output(stream: TextIO) -> None:
    """Discard what is still to be written: the reader has gone, or the disk is full."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _defuse(text: str, *, as_json: bool = False) -> str:
    """Escape what a CI runner would take for a command, in text or in JSON."""
    if "##" not in text and "::" not in text:
        return text
    from trueup.render.style import disarm_json, disarm_lines

    return disarm_json(text) if as_json else disarm_lines(text)


def _write_stderr(text: str) -> None:
    """Write to stderr; where that fails nobody listens, and the work goes on."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        discard_output(sys.stderr)


def _can_ask(no_input: bool, environ: Mapping[str, str]) -> bool:
    """Return whether a person can be asked: stdin and stderr are terminals, and --no-input is not set."""
    return not no_input and not _in_ci(environ) and sys.stdin.isatty() and sys.stderr.isatty()


def _in_ci(environ: Mapping[str, str]) -> bool:
    """Whether a runner of CI runs us: most set CI, Azure Pipelines and TeamCity a variable of their own."""
    return any(environ.get(name, "").lower() not in ("", "0", "false") for name in RUNNERS)


def _is_file(stream: TextIO) -> bool:
    try:
        return stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
    except (OSError, ValueError):  # none of the system's, or closed
        return False


def _resolve_also(flags: Flags) -> tuple[tuple[str, Path], ...]:
    """Return the formats and files of --also, seen from the project."""
    from pathlib import Path

    return tuple((format_, Path(flags.chdir) / file) for format_, file in flags.also)


def _find_width(environ: Mapping[str, str]) -> int:
    """Return the terminal's columns; 80 in a pipe, so that a log reads the same everywhere."""
    if not sys.stdout.isatty() and not environ.get("COLUMNS", "").isdigit():
        return 80
    import shutil

    return max(40, shutil.get_terminal_size((80, 24)).columns)


def _is_unicode(stream: TextIO) -> bool:
    return (stream.encoding or "").lower().replace("-", "") in ("utf8", "utf16", "utf32", "utf8sig")


def _wait_for_line() -> None:
    """Wait until a line can be read or a signal has come, also one that came just before the wait.

    A read alone would go on waiting after a signal that arrives between Python's last look for one and the system call.
    """
    if os.name != "posix":
        return
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    before = signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    try:
        select.select([sys.stdin, woken], [], [])
    finally:
        signal.set_wakeup_fd(before, warn_on_full_buffer=False)
        os.close(woken)
        os.close(wake)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C end a question at once, whoever else handles it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
