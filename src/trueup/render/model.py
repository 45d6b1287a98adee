"""What a page shows, as values: one model of plans, drift reports, applies and problems, which every format lays out.

`pages` makes it, and decides all of this once: a `PageView` has the target's facts, alerts to read first, blocks,
remarks, problems and the summary. A `Block` is one assistant, or several that read the same: a sign with its word, a
message, fields, notes and a hint; in a compact page each assistant is one, with its fields in a few words, and what
several have in common stands below as `reasons`. A `FieldView` has two sides and a `Shape`, a text its difference as
lines. `groups` name what must not be missed. A format decides what is a heading, a row or a fold, and where it has to
cut. Texts are foreign and not escaped yet. Knows neither terminals nor tags.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import Any, NamedTuple

from trueup.core.command import Command
from trueup.core.plans.live import Unmanaged
from trueup.core.plans.plan import MISSING, Action
from trueup.core.source import Diagnostic, Position
from trueup.core.texts.prose import Prose
from trueup.render.prose_lines import Key, Line, Place, lines
from trueup.render.style import Tone


class Shape(Enum):
    """How a field differs, from which its layout follows."""

    NOTE = "its words say it"
    SIDES = "both sides are brief"
    TEXT = "a text by its lines"
    TOOLS = "a list of tools, tool by tool"
    PARTS = "a list or a mapping by its entries"
    WHOLE = "each side whole, below each other"


@dataclass(frozen=True)
class FieldView:
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
    """One of several assistants that a block is about; `also` is what people know it as, where that is shown."""

    name: str
    id: str = ""
    also: str = ""


class Sign(NamedTuple):
    """A symbol, its word and its tone."""

    symbol: str
    word: str
    tone: Tone


SIGNS = {
    Action.CREATE: Sign("+", "create", Tone.CREATE),
    Action.MODIFY: Sign("~", "modify", Tone.MODIFY),
    Action.STAMP: Sign("~", "stamp", Tone.MODIFY),
    Action.RELEASE: Sign("~", "release", Tone.MODIFY),
    Action.ADOPT: Sign("=", "adopt", Tone.ADOPT),
    Action.DELETE: Sign("-", "delete", Tone.DELETE),
    Action.HELD: Sign("!", "blocked", Tone.HELD),
    Action.DRIFT: Sign("!", "drifted", Tone.HELD),
    Action.ORPHAN: Sign("!", "orphaned", Tone.HELD),
    Action.UNREAD: Sign("?", "unreadable", Tone.UNREAD),
    Action.RECORD: Sign("=", "remember", Tone.FAINT),
    Action.FORGET: Sign("=", "forget", Tone.FAINT),
    Action.NOTHING: Sign(" ", "unchanged", Tone.FAINT),
}
"""In the order in which a plan shows them: what is sent first, then what needs a decision."""


class Note(NamedTuple):
    """A sentence beside the message; `source` is the line of a file that it is about."""

    text: str
    tone: Tone = Tone.FAINT
    source: Position | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """One assistant, or several that read the same: its sign, what is to be said of it, and its fields.

    `also` is what people know it as, where a name alone says less.
    `members` are several assistants; `name` then is how many, and `id` is empty. `is_listed`: each of them must be
    known, so that none is left out. `names_all` says what shows all of them where some are.

    `is_sentence`: the message goes on from the name, and the sign's word is not shown. `facts` are those of the notes
    that a reader wants to know before opening it: since when, and who applied before. `briefs` are the fields in a few
    words, on a compact page. `is_same_advice`: the hint is the same advice as that of others with the same texts.
    """

    sign: Sign
    name: str
    message: str
    id: str = ""
    also: str = ""
    notes: tuple[Note, ...] = ()
    hint: str = ""
    is_sentence: bool = False
    fields: tuple[FieldView, ...] = ()
    briefs: tuple[Brief, ...] = ()
    facts: tuple[str, ...] = ()
    members: tuple[Member, ...] = ()
    is_listed: bool = False
    is_same_advice: bool = False
    names_all: str = ""

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
    """What a reader must not miss: a heading and the assistants it is about."""

    title: str
    blocks: tuple[Block, ...]

    def __len__(self) -> int:
        return sum(len(block.assistants) for block in self.blocks)


@dataclass(frozen=True, slots=True)
class PageView:
    """What Trueup shows of one answer.

    `kind` is plan, drift, apply, validate or error. `name` is what people call the target, `target` is
    `project/target`; both are empty where the answer is about none. `where` is its protocol and address. `summary` is
    the stable last line. `nothing` says that there is nothing to show, `partial` that not all of it is known. `ignored`
    are sentences on what `ignore_changes` leaves alone. `again` are the commands that show the same again, to be
    followed by a flag of how much is shown, and `whole` is what shows all of it.
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
    is_compact: bool = False
    reasons: tuple[Block, ...] = ()
    unmanaged: Unmanaged | None = None
    nothing: str = ""
    partial: str = ""
    ignored: tuple[str, ...] = ()
    remarks: tuple[Note, ...] = ()
    problems: tuple[Diagnostic, ...] = ()
    again: tuple[Command, ...] = ()
    whole: str = ""
