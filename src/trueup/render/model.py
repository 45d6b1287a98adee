"""What a page shows, as values: one model that markdown and html lay out, for plans, drift, applies and problems alike.

Texts in it are foreign and not escaped yet, unless a docstring says "visible". Knows neither tags nor fences.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from trueup.core.source import Diagnostic
from trueup.core.texts.prose import Prose
from trueup.render.style import Row, Tone

Place = Callable[[int], str]
"""Where a line of a text, counted from 1, is to be found: `file:line`, or `line 12`."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an assistant: a scalar with `old` and `new`, a text with `prose`, or anything else as `rows`.

    `path`, `where`, `words`, `old`, `new` and `rows` are visible. Of a scalar that is set for the first time `old` is
    empty. `notes` are on hunks of a text that other assistants have too, as `grouping` makes them; `seen_in` is whose
    text is shown for several that changed alike.
    `is_outside`: the old side is the file's, the new one is live.
    """

    path: str
    where: str = ""
    words: str = ""
    old: str = ""
    new: str = ""
    rows: tuple[Row, ...] = ()
    prose: Prose | None = None
    seen_in: str = ""
    notes: Mapping[Any, str] = field(default_factory=dict)
    place: Place = "line {}".format
    is_outside: bool = False

    @property
    def is_scalar(self) -> bool:
        """Whether it is told on one row."""
        return bool(self.old or self.new)

    @property
    def home(self) -> str:
        """The file that `where` names."""
        return self.where.rpartition(":")[0]

    @property
    def sides(self) -> tuple[str, str]:
        """What the old and the new side are called."""
        return ("in the file", "live") if self.is_outside else ("now", "after")


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
