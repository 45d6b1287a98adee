"""What `accept` came to: each field, the files' patches, and who else they change. A value; knows no terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from trueup.core.command import HERE, Command
from trueup.core.source import Position

PLAN = HERE.command("plan")


class Ending(Enum):
    """What became of one field; the value finishes a sentence."""

    TAKEN = "taken from live"
    MERGED = "merged with the file's own edit"
    CONFLICT = "left as a conflict: the file was edited too"
    SAME = "live as the file says already"
    REFUSED = "not taken"


@dataclass(frozen=True, slots=True)
class AcceptedField:
    """One field; `paste` are lines that the definition could hold instead of what was not taken."""

    name: str
    ending: Ending
    message: str = ""
    hint: str = ""
    position: Position | None = None
    paste: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FilePatch:
    """A file, and its change as `git apply` takes it."""

    file: str
    patch: bytes


@dataclass(frozen=True, slots=True)
class Accepted:
    """One assistant; `also` are others that change with it, by name with their targets; `written`: so are the files.

    `again` is the command that shows what is left to do.
    """

    name: str
    target: str
    id: str
    fields: tuple[AcceptedField, ...]
    patches: tuple[FilePatch, ...] = ()
    also: tuple[tuple[str, str], ...] = ()
    written: bool = False
    again: Command = PLAN

    @property
    def left(self) -> Sequence[AcceptedField]:
        """The fields that a person has to look at."""
        return [item for item in self.fields if item.ending in (Ending.CONFLICT, Ending.REFUSED)]
