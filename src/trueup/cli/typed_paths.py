"""Rewrites the paths of a typed command line for another folder, so that each still names the same file."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

FILES = frozenset({"FILE", "FOLDER", "PLAN", "FORMAT=FILE"})
"""What a parameter that takes a path is called in the help."""


@dataclass(frozen=True, slots=True)
class Folders:
    """Where the paths of a command line are seen from, and from where they are to be seen."""

    old: Path
    new: Path

    def move(self, word: str) -> str:
        """Return a path as it is seen from the new folder; one from the machine's root stays."""
        if Path(word).is_absolute():
            return word
        moved = os.path.relpath(self.old.resolve() / word, self.new.resolve())
        return f"{moved}/" if word.endswith("/") else moved

    def move_name(self, word: str) -> str:
        """Return a NAME or NAME=ID; one that is a path is seen from the new folder."""
        name, equals, live_id = word.rpartition("=") if "=" in word else (word, "", "")
        return f"{self.move(name)}{equals}{live_id}" if self._is_path(name) else word

    def _is_path(self, name: str) -> bool:
        if name.split("/")[0] in (".", ".."):
            return True
        return (self.old / name).is_dir() if name.endswith("/") else (self.old / name).is_file()


def move_paths(words: Sequence[str], folders: Folders) -> tuple[str, ...]:
    """Return the words of the running command's line, with its paths seen from the new folder."""
    ctx = click.get_current_context()
    options = {name: item for item in ctx.command.params if isinstance(item, click.Option) for name in item.opts}
    return tuple(_moved(words, ctx, options, folders))


def _moved(
    words: Sequence[str], ctx: click.Context, options: dict[str, click.Option], folders: Folders
) -> Iterator[str]:
    """Yield the words one by one: options with their values, the command's own words, then its arguments."""
    names = len(ctx.command_path.split()) - 1
    takes_file = any(isinstance(item, click.Argument) and item.metavar in FILES for item in ctx.command.params)
    rest = iter(words)
    for word in rest:
        name, equals, value = word.partition("=") if word.startswith("--") else (word, "", "")
        option = options.get(name)
        if option is not None:
            yield f"{name}={_move_value(option, value, folders)}" if equals else word
            if not (equals or option.is_flag or option.count):
                yield _move_value(option, next(rest), folders)
        elif word.startswith("-"):
            yield word
        elif names:
            names -= 1
            yield word
        else:
            yield folders.move(word) if takes_file else folders.move_name(word)


def _move_value(option: click.Option, value: str, folders: Folders) -> str:
    """Return the value of an option; a file's is seen from the new folder."""
    if option.metavar not in FILES or option.name == "chdir":
        return value
    format_, equals, file = value.rpartition("=") if option.metavar == "FORMAT=FILE" else ("", "", value)
    return f"{format_}{equals}{folders.move(file)}"
