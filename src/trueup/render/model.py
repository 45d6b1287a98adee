"""What a page shows, as values: one model that markdown and html lay out, for plans, drift, applies and problems alike.

Texts in it are foreign and not escaped yet, unless a docstring says "visible". Knows neither tags nor fences.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import Any, NamedTuple

from trueup.core.plans.plan import MISSING
from trueup.core.source import Diagnostic
from trueup.core.texts.prose import Prose
from trueup.render.prose_lines import Key, Line, Place, lines
from trueup.render.style import Row, Tone


class Shape(Enum):
    """How a field differs, from which its layout follows."""

    NOTE = "its words say it"
    SIDES = "both sides are brief"
    TEXT = "a text by its lines"
    TOOLS = "a list of tools, tool by tool"
    PARTS = "a list or a mapping by its entries"
    WHOLE = "each side whole, below each other"


@dataclass(frozen=True)
class Field:
    """One field of an assistant with its two sides, as they are.

    `where` is its place in the files, `words` say why it is shown or how much of it changed. `is_outside`: the old side
    is the file's, the new one is live. `is_new`: there is no old side. Of a text, `notes` are on hunks that other
    assistants have too, as `grouping` makes them, and `seen_in` is whose text is shown for several that changed alike.
    """

    path: str
    shape: Shape
    old: Any = MISSING
    new: Any = MISSING
    where: str = ""
    words: str = ""
    is_outside: bool = False
    is_new: bool = False
    make_prose: Callable[[], Prose] | None = None
    place: Place = "line {}".format
    notes: Mapping[Key, str] = field(default_factory=dict)
    seen_in: str = ""

    @cached_property
    def prose(self) -> Prose:
        """The difference of a text; that of a new one is made only where a format shows all of it."""
        assert self.make_prose is not None
        return self.make_prose()

    @property
    def lines(self) -> Iterator[Line]:
        """The difference of a text, line by line."""
        return lines(self.prose, self.place, self.notes, old_side=self.is_outside)

    @property
    def sides(self) -> tuple[str, str]:
        """What the old and the new side are called."""
        return ("in the file", "live") if self.is_outside else ("now", "after")


class Brief(NamedTuple):
    """A field in a few words: its two sides where both are brief, or where a text begins to differ."""

    path: str
    at: str = ""
    sides: tuple[Any, Any] | None = None
    is_new: bool = False
    is_outside: bool = False


class Member(NamedTuple):
    """One of several assistants that a block is about; `also` is what people know it as, where that is told."""

    name: str
    id: str = ""
    also: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """One assistant, or several that read the same: its sign and word, what is to be said of it, and its fields.

    `members` are several assistants; `name` then is how many, and `id` is empty.

    `is_sentence`: the message goes on from the name, and the word is not told. `facts` are those of the notes that a
    reader wants to know before opening it: since when, and who applied before.
    """

    symbol: str
    word: str
    tone: Tone
    name: str
    message: str
    id: str = ""
    notes: tuple[str, ...] = ()
    hint: str = ""
    is_sentence: bool = False
    fields: tuple[Field, ...] = ()
    facts: tuple[str, ...] = ()
    members: tuple[Member, ...] = ()

    @property
    def is_bare(self) -> bool:
        """Whether its heading says all there is, so that there is nothing to unfold."""
        return not (self.fields or self.notes or self.hint or self.members)

    @property
    def assistants(self) -> tuple[Member, ...]:
        """Return the assistants that it is about."""
        return self.members or (Member(self.name, self.id),)


@dataclass(frozen=True, slots=True)
class Group:
    """What a reader must not miss, told before everything else: a heading and the assistants it is about."""

    title: str
    blocks: tuple[Block, ...]

    def __len__(self) -> int:
        return sum(len(block.assistants) for block in self.blocks)


@dataclass(frozen=True, slots=True)
class Page:
    """One answer of Trueup.

    `kind` is plan, drift, apply, validate or error. `name` is what people call the target, `target` is
    `project/target`; both are empty where the answer is about none. `where` is its protocol and address. `summary` is
    the stable line of the text format. `again` are the commands that show all of it.
    """

    kind: str
    title: str
    name: str = ""
    target: str = ""
    where: str = ""
    flags: str = ""
    summary: str = ""
    digest: str = ""
    alerts: tuple[str, ...] = ()
    groups: tuple[Group, ...] = ()
    blocks: tuple[Block, ...] = ()
    problems: tuple[Diagnostic, ...] = ()
    remarks: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()
    again: str = ""
