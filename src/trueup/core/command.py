"""Commands that messages print, as values: a message knows which of its words are a command, and each can be pasted."""

from __future__ import annotations

import shlex
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Selection:
    """The flags by which a command line selects a project's folder and a target; empty where the defaults select it."""

    folder: str = ""
    target: str = ""

    @property
    def flags(self) -> tuple[str, ...]:
        """The words of these flags."""
        return (*(("-C", self.folder) if self.folder else ()), *(("-t", self.target) if self.target else ()))


HERE = Selection()
"""The current folder and the default target."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command of Trueup: its words after `trueup`, such as `("state", "rm", "triage")`, and where it works.

    `str()` is the one function that writes a command: complete, quoted for a POSIX shell, on one line.
    """

    words: tuple[str, ...]
    selection: Selection = HERE

    def __str__(self) -> str:
        return shlex.join(("trueup", *self.words, *self.selection.flags))


class Message(str):
    """A text that knows its commands: `Message("To forget it: ", target.command("state", "rm", name), ".")`.

    It is its own plain text; `parts` are the texts and commands that it is made of, in order.
    """

    parts: tuple[str | Command, ...]

    def __new__(cls, *parts: str | Command) -> Message:
        """Join texts, commands and other messages."""
        self = super().__new__(cls, "".join(map(str, parts)))
        self.parts = tuple(piece for part in parts for piece in (parts_of(part) if isinstance(part, str) else (part,)))
        return self


def parts_of(text: str) -> tuple[str | Command, ...]:
    """Return the texts and commands of a message; a plain text is one part."""
    return text.parts if isinstance(text, Message) else (text,)
