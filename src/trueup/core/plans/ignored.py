"""What `lifecycle.ignore_changes` leaves alone: made from definitions, told in groups. Decides nothing, knows no day.

An expired entry still holds; that its day has passed is told where files are checked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trueup.core.canonical import fits
from trueup.core.definitions.definition import Definition
from trueup.core.field_table import FieldTable
from trueup.core.plans.plan import Ignored
from trueup.core.plans.wording import quoted

NAMED = 5
"""Assistants of a group that are named."""

LISTED = 20
"""Groups that are told one by one, and parts of fields that are named together."""

FITS = 540
"""Columns of a sentence beside its last words: a page shows 600, and must not cut what is left alone out of one."""

_FIELD, _NAME, _REASON, _NAMES = 100, 80, 160, 90
"""Columns of a field, a name, a reason and a list of names, where a sentence would not fit."""

Mark = Callable[[str], str]
"""How a name or a field is marked."""

Size = Callable[[str], int]
"""How much room a text takes where it is shown, in columns."""


def no_size(_text: str) -> int:
    """Return 0 as the size of any text, for output that is never cut."""
    return 0


@dataclass(frozen=True, slots=True)
class IgnoredGroup:
    """One field that is left alone for one reason; in the `differing` assistants live does not match the file."""

    field: str
    reason: str
    until: str
    differing: tuple[str, ...]
    others: tuple[str, ...]

    @property
    def is_whole(self) -> bool:
        """Whether it is a field such as `tools`, and not one entry of a map such as `metadata`."""
        return "." not in self.field

    def where(self, mark: Mark, size: Size = no_size) -> str:
        """Return the field and the group's assistants, marked, and the date when the ignoring ends."""
        names = _list_names([*self.differing, *self.others], mark, size)
        until = f" until {self.until}" if self.until else ""
        return f"{_cut_text(self.field, mark, size, _FIELD)} in {names}{until}"

    def told(self, mark: Mark, size: Size = no_size) -> str:
        """Return the group's sentence with names and fields marked; the reason, which is free text, is quoted."""
        whole = self._describe(mark, no_size)
        return whole if size(whole) <= FITS else self._describe(mark, size)

    def _describe(self, mark: Mark, size: Size) -> str:
        until = f" until {self.until}" if self.until else ""
        reason = _cut_text(self.reason.strip(), quoted, size, _REASON) if self.reason.strip() else "no reason given"
        differing, others = (_list_names(names, mark, size) for names in (self.differing, self.others))
        where = f"live differs from the file in {differing}" if self.differing else ""
        rest = f"in sync in {others}" if self.others else ""
        field = _cut_text(self.field, mark, size, _FIELD)
        return f"{field} is ignored by ignore_changes{until} ({reason}): {'; '.join(filter(None, (where, rest)))}."


def except_ignored(ignored: Iterable[Ignored]) -> str:
    """Return the words that except what is left alone where live differs there; empty where nothing does."""
    return "apart from what ignore_changes ignores, " if any(item.differs for item in ignored) else ""


def describe_ignored(ignored: Iterable[Ignored], mark: Mark = str, size: Size = no_size, *, whole: bool) -> list[str]:
    """Describe what is ignored: one sentence for each field and reason where the live value differs.

    With `whole`, fields in sync are described the same way; else they are listed together without reasons. `mark`
    formats names and fields. Every whole field is named, and `size` measures each text so that no sentence exceeds a
    page's limit.
    """
    found = group_ignored(ignored)
    told = [group for group in found if whole or group.differing]
    more = told[LISTED:]
    quiet = [group for group in found if not whole and not group.differing]
    return [
        *(group.told(mark, size) for group in told[:LISTED]),
        *_list_together("Also ignored by ignore_changes: ", more, mark, size),
        *_list_together("Ignored by ignore_changes, and in sync: ", quiet, mark, size),
    ]


def _list_together(lead: str, found: Sequence[IgnoredGroup], mark: Mark, size: Size) -> list[str]:
    """Sentences that name all the whole fields, then parts of fields as far as one goes; the rest is counted."""
    fields = _group_by_field(found)
    lines: list[list[str]] = []
    named = parts = 0
    room, may_go_on = 0, True
    for group in fields:
        piece = group.where(mark, size)
        taken = size(f"{piece}; ")
        is_full = not lines or taken > room
        if not group.is_whole and (parts == LISTED or (is_full and not may_go_on)):
            break
        if is_full:
            lines.append([])
            room, may_go_on = FITS - size(lead), group.is_whole
        lines[-1].append(piece)
        room, named, parts = room - taken, named + 1, parts + (not group.is_whole)
    left = len(fields) - named
    more = f"; and {left:,} more, see `ignored` in --json" if left else ""
    return [
        f"{lead}{'; '.join(pieces)}{more if number == len(lines) else ''}." for number, pieces in enumerate(lines, 1)
    ]


def _group_by_field(found: Iterable[IgnoredGroup]) -> list[IgnoredGroup]:
    """Merge the groups of each field, whole fields first; of several dates use the earliest."""
    lots: dict[str, list[IgnoredGroup]] = {}
    for group in found:
        lots.setdefault(group.field, []).append(group)
    made = []
    for field, several in lots.items():
        days = sorted({group.until for group in several} - {""})
        until = days[0] if days else ""
        if until and any(group.until != until for group in several):
            until += " at the earliest"
        names = sorted({name for group in several for name in (*group.differing, *group.others)})
        made.append(IgnoredGroup(field, "", until, (), tuple(names)))
    return sorted(made, key=lambda group: (not group.is_whole, group.field))


def find_ignored(
    definition: Definition, file: Mapping[str, Any], live: Mapping[str, Any] | None, table: FieldTable
) -> Iterator[Ignored]:
    """Each entry of a definition, held against what is live; None is not live, and then nothing differs."""
    for entry in definition.lifecycle.ignore_changes:
        wanted, found = file.get(entry.field), live.get(entry.field) if live is not None else None
        # where the file says nothing, what the server fills in by itself is no difference
        differs = live is not None and not fits(entry.field, wanted, found, table)
        yield Ignored(definition.name, entry.field, entry.reason, entry.until, differs)


def group_ignored(found: Iterable[Ignored]) -> tuple[IgnoredGroup, ...]:
    """Group fields by reason and date: those that differ first, then whole fields before parts of one."""
    lots: dict[tuple[str, str, str], list[Ignored]] = {}
    for item in found:
        lots.setdefault((item.field, item.reason, item.until), []).append(item)
    made = [
        IgnoredGroup(
            *key,
            tuple(item.name for item in items if item.differs),
            tuple(item.name for item in items if not item.differs),
        )
        for key, items in sorted(lots.items())
    ]
    return tuple(sorted(made, key=lambda group: (not group.differing, not group.is_whole)))


def _list_names(names: Sequence[str], mark: Mark, size: Size) -> str:
    """List the first names and how many more there are."""
    kept: list[str] = []
    for name in names[:NAMED]:
        word = _cut_text(name, mark, size, _NAME)
        if kept and size(", ".join([*kept, word])) > _NAMES:
            break
        kept.append(word)
    left = len(names) - len(kept)
    return ", ".join(kept) + (f" and {left:,} more" if left else "")


def _cut_text(text: str, mark: Mark, size: Size, room: int) -> str:
    """Mark a text and cut it to the room there is, with an ellipsis where it is cut."""
    if size(mark(text)) <= room:
        return mark(text)
    lengths = range(min(len(text), room), 0, -1)
    return next((cut for length in lengths if size(cut := mark(f"{text[:length]}…")) <= room), "…")
