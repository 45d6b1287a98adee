"""The value that the command line and the environment come to. Knows no click and nothing of what flags decide."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from trueup.core.command import Command, Flag, Selection, flag_words

SHORT = {"chdir": "-C", "target": "-t"}
"""The short names of flags that have a value."""


@dataclass(frozen=True, slots=True)
class Flags:
    """What the command line and the environment say; None where they say nothing. `timeout` is in seconds.

    `arguments` is the command line as it was typed, without the program.
    """

    chdir: str = "."
    target: str = ""
    format: str = "text"
    color: bool | None = None
    no_input: bool = False
    quiet: bool = False
    verbose: int = 0
    vars: Mapping[str, str] = field(default_factory=dict)
    parallelism: int | None = None
    timeout: float | None = None
    max_retries: int | None = None
    on_drift: str | None = None
    prune: bool | None = None
    yes: bool = False
    acks: tuple[str, ...] = ()
    stamp: bool = False
    compact: bool | None = None
    also: tuple[tuple[str, str], ...] = ()
    arguments: tuple[str, ...] = ()

    def again(self, **changes: Flag) -> Command:
        """Return this command line with these flags too; one that has a value takes the place of what was typed."""
        typed = list(self.arguments)
        end = typed.index("--") if "--" in typed else len(typed)
        changed = {"chdir", "target", *(name for name, value in changes.items() if not isinstance(value, bool))}
        names = {f"--{name.replace('_', '-')}" for name in changed} | {SHORT.get(name, "--") for name in changed}
        words = _without(typed[:end], names)
        for name, value in changes.items():
            added = flag_words({name: value})
            words += added if added not in [(word,) for word in words] else ()
        target = "" if "target" in changes else self.target
        return Command((*words, *typed[end:]), Selection(self.folder, target, is_default=not target))

    @property
    def selection(self) -> Selection:
        """Where printed commands work while the target is not known: as the command line says."""
        return Selection(self.folder, self.target, vars=tuple(f"{name}={text}" for name, text in self.vars.items()))

    @property
    def folder(self) -> str:
        """The folder as a command line has to name it; empty where it is the current one."""
        return self.chdir if self.chdir != "." or "TRUEUP_CHDIR" in os.environ else ""

    @property
    def json(self) -> bool:
        """Whether the result is to be one JSON document."""
        return self.format == "json"


def _without(words: Sequence[str], flags: set[str]) -> list[str]:
    """Return the words without these flags and their values."""
    kept: list[str] = []
    rest = iter(words)
    for word in rest:
        if word in flags:
            next(rest, "")
        elif word.partition("=")[0] not in flags:
            kept.append(word)
    return kept
