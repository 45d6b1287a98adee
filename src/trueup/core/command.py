"""Commands that messages print, as values: a message knows which of its words are a command, and each can be pasted."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from string import Formatter

TAKES_VARS = frozenset(
    {
        "accept",
        "apply",
        "delete-duplicate",
        "destroy",
        "drift",
        "import",
        "plan",
        "render",
        "targets probe",
        "validate",
        "why",
    }
)
"""The commands that take `--var`."""

_RUNNER = re.compile(r"##(?=[\w.-]*\[)")
"""What a runner of CI obeys wherever it stands in a log."""

Flag = bool | str | Sequence[str]
"""The value of a flag: True for one that has none, several texts for one that is repeated."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Where commands work: a project's folder, empty for the current one, and a target of it.

    `is_default`: the target is selected without a flag. `vars` are the texts of `--var`, `NAME=VALUE` each: what a
    plan says holds for them alone.
    """

    folder: str = ""
    target: str = ""
    is_default: bool = False
    vars: tuple[str, ...] = ()

    def command(self, *words: str, **flags: Flag) -> Command:
        """Return a command that works here: its words and arguments, then its flags.

        `command("apply", name, on_drift="revert")` is `trueup apply NAME --on-drift revert`. Flags that are False or
        empty are left out. An argument is never taken for a flag, whoever chose it.
        """
        arguments = (f"./{word}" if word.startswith("-") else word for word in words)
        return Command((*arguments, *flag_words(flags)), self)


HERE = Selection()
"""The current folder and the default target."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command of Trueup: its words after `trueup`, such as `("state", "rm", "triage")`, and where it works.

    Make it with `command` of a target or a selection. `selection` is None for a command to run in another project.
    `str()` is the one function that writes a command: complete, quoted for a POSIX shell, on one line.
    """

    words: tuple[str, ...]
    selection: Selection | None = HERE

    @property
    def flags(self) -> tuple[str, ...]:
        """The words that select the folder, the target and the variables."""
        to = self.selection or HERE
        is_named = to.is_default or (self.words[0] == "targets" and self.words[-1] == to.target)
        folder = ("-C", to.folder) if to.folder else ()
        target = ("-t", to.target) if to.target and not is_named else ()
        takes_vars = self.words[0] in TAKES_VARS or " ".join(self.words[:2]) in TAKES_VARS
        return (*folder, *target, *(word for text in to.vars if takes_vars for word in ("--var", text)))

    def __str__(self) -> str:
        return self.write()

    def write(self, *, ascii_only: bool = False) -> str:
        """Return the command line; `ascii_only` escapes what a terminal without Unicode could not show."""
        end = self.words.index("--") if "--" in self.words else len(self.words)  # behind it there are no flags
        words = ("trueup", *self.words[:end], *self.flags, *self.words[end:])
        return " ".join(_quote(word, ascii_only=ascii_only) for word in words)

    @property
    def for_page(self) -> Command:
        """The same for a page, which is read elsewhere and later: it names no folder of this machine."""
        return Command(
            tuple(map(_without_folder, self.words)), replace(self.selection, folder="") if self.selection else None
        )

    def with_words(self, *words: str) -> Command:
        """Return the same command with more words at its end, such as a flag."""
        return replace(self, words=(*self.words, *words))


class Message(str):
    """A text that knows its commands: `Message("To forget it: ", target.command("state", "rm", name), ".")`.

    It is its own plain text; `parts` are the texts and commands that it is made of, in order. Join messages with
    `Message` or `join_messages`: an f-string forgets the commands.
    """

    parts: tuple[str | Command, ...]

    def __new__(cls, *parts: str | Command) -> Message:
        """Join texts, commands and other messages."""
        self = super().__new__(cls, "".join(map(str, parts)))
        self.parts = tuple(
            piece for part in parts if part for piece in (parts_of(part) if isinstance(part, str) else (part,))
        )
        return self


def parts_of(text: str) -> tuple[str | Command, ...]:
    """Return the texts and commands of a message; a plain text is one part."""
    return text.parts if isinstance(text, Message) else (text,)


def join_messages(texts: Iterable[str], between: str = " ") -> Message:
    """Return the texts as one message, those that are empty left out."""
    parts = [part for text in texts if text for part in (between, text)]
    return Message(*parts[1:])


def fill_message(template: str, values: Mapping[str, str | Command]) -> Message:
    """Return a template such as `"To forget it: {forget}."` with its names filled in, the commands kept as such."""
    parts: list[str | Command] = []
    for text, name, _, _ in Formatter().parse(template):
        parts += [text, *([values[name]] if name else [])]
    return Message(*parts)


def list_commands(commands: Iterable[Command], word: str = "or") -> Message:
    """Return the commands as a list within a sentence: `a, b or c`."""
    found = [*commands]
    parts: list[str | Command] = []
    for place, command in enumerate(found):
        parts += [f" {word} " if place == len(found) - 1 else ", "] if place else []
        parts.append(command)
    return Message(*parts)


def change_texts(message: str, change: Callable[[str], str]) -> str:
    """Return the message with its texts changed; its commands stay."""
    if not isinstance(message, Message):
        return change(message)
    return Message(*(change(part) if isinstance(part, str) else part for part in message.parts))


def change_commands(message: str, change: Callable[[Command], Command]) -> str:
    """Return the message with its commands changed; its texts stay."""
    if not isinstance(message, Message):
        return message
    return Message(*(part if isinstance(part, str) else change(part) for part in message.parts))


def locate_commands(message: str, selection: Selection) -> str:
    """Return the message with its commands working on this selection, where they do not know yet on which."""
    return change_commands(
        message, lambda command: replace(command, selection=selection) if command.selection == HERE else command
    )


def write_for_page(message: str) -> str:
    """Return the plain text of a message for a page: its commands in backticks, without a folder of this machine."""
    return "".join(part if isinstance(part, str) else f"`{part.for_page}`" for part in parts_of(message))


def texts_of(message: str) -> tuple[str, ...]:
    """Return the texts of a message without its commands: the same for the same advice on another assistant."""
    return tuple(part for part in parts_of(message) if isinstance(part, str))


def _without_folder(word: str) -> str:
    """Shorten an absolute path to its file name (`./NAME` if it has no suffix); return other words unchanged."""
    path = PurePath(word)
    if not path.is_absolute():
        return word
    return path.name if path.suffix else f"./{path.name}"


def flag_words(flags: Mapping[str, Flag]) -> tuple[str, ...]:
    """Return the words of flags; those that are False or empty have none."""
    words: list[str] = []
    for key, value in flags.items():
        name = "-v" if key == "verbose" else f"--{key.rstrip('_').replace('_', '-')}"
        if isinstance(value, bool):
            words += [name] if value else []
        else:
            texts = [value] if isinstance(value, str) else value
            words += [word for text in texts if text for word in (name, text)]
    return tuple(words)


def _quote(word: str, *, ascii_only: bool) -> str:
    """Quote a word for a shell; escape unprintable characters and commands that a CI runner would obey."""
    if word.isprintable() and not _RUNNER.search(word) and (word.isascii() or not ascii_only):
        return shlex.quote(word)
    return "$'" + "".join(_escape(sign, ascii_only) for sign in word) + "'"


def _escape(sign: str, ascii_only: bool) -> str:
    if sign in "\\'#":
        return "\\x23" if sign == "#" else f"\\{sign}"
    if sign.isprintable() and (sign.isascii() or not ascii_only):
        return sign
    return f"\\u{ord(sign):04x}" if ord(sign) < 0x10000 else f"\\U{ord(sign):08x}"
