"""What `lifecycle.ignore_changes` leaves alone: made from definitions, told in groups. Decides nothing, knows no day.

An expired entry still holds; that its day has passed is told where files are checked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trueup.core.canonical import Semantics, canonical, same
from trueup.core.definitions.definition import Definition
from trueup.core.plans.plan import Ignored
from trueup.core.plans.wording import quoted

NAMED = 5
"""Assistants of a group that are named."""

LISTED = 20
"""Groups that are told one by one."""


@dataclass(frozen=True, slots=True)
class IgnoredGroup:
    """One field that is left alone for one reason; in the `differing` assistants live is not as the file says."""

    field: str
    reason: str
    until: str
    differing: tuple[str, ...]
    others: tuple[str, ...]

    def where(self, mark: Callable[[str], str]) -> str:
        """The field, marked, and the assistants of the group, with the day until which it holds."""
        until = f" until {self.until}" if self.until else ""
        return f"{mark(self.field)} in {_listed([*map(mark, (*self.differing, *self.others))])}{until}"

    def told(self, mark: Callable[[str], str]) -> str:
        """The sentence with each name and field marked; the reason, which anybody wrote, stands in quotes."""
        until = f" until {self.until}" if self.until else ""
        reason = quoted(self.reason) if self.reason.strip() else "no reason given"
        where = f"live differs from the file in {_listed([*map(mark, self.differing)])}" if self.differing else ""
        rest = f"as the file says in {_listed([*map(mark, self.others)])}" if self.others else ""
        ends = "; ".join(filter(None, (where, rest)))
        return f"{mark(self.field)} is left alone by ignore_changes{until} ({reason}): {ends}."


def sentences(ignored: Iterable[Ignored], mark: Callable[[str], str] = str, *, whole: bool) -> list[str]:
    """What is left alone, names and fields marked: a sentence for each field and reason in which live differs.

    The others are told likewise if it is to be the `whole`, and else in one sentence without their reasons.
    """
    found = groups(ignored)
    told = [group for group in found if whole or group.differing]
    quiet = [group.where(mark) for group in found if not whole and not group.differing]
    lines = [group.told(mark) for group in told[:LISTED]]
    if len(told) > LISTED:
        lines.append(f"More such fields: {len(told) - LISTED:,}. See `ignored` in --json.")
    if quiet:
        more = f"; and {len(quiet) - LISTED:,} more, see `ignored` in --json" if len(quiet) > LISTED else ""
        lines.append(f"Left alone by ignore_changes, and as the file says: {'; '.join(quiet[:LISTED])}{more}.")
    return lines


def ignored_in(
    definition: Definition, file: Mapping[str, Any], live: Mapping[str, Any] | None, semantics: Semantics
) -> Iterator[Ignored]:
    """Each entry of a definition, held against what is live; None is not live, and then nothing differs."""
    for entry in definition.lifecycle.ignore_changes:
        wanted, found = file.get(entry.field), live.get(entry.field) if live is not None else None
        # where the file says nothing, what the server fills in by itself is no difference
        differs = live is not None and not same(
            canonical(entry.field, wanted, semantics), canonical(entry.field, found, semantics)
        )
        yield Ignored(definition.name, entry.field, entry.reason, entry.until, differs)


def groups(found: Iterable[Ignored]) -> tuple[IgnoredGroup, ...]:
    """The fields by what is said of them, those that differ somewhere first."""
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
    return tuple(sorted(made, key=lambda group: not group.differing))


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
