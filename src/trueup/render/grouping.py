"""Group changes, and outcomes of an apply, that read the same once names are left out: one grouping for every page.

A group is shown once, with the names of its assistants as a list. Pure: from changes or outcomes to groups, in one
pass and with one digest for each, so that time and memory grow with the fleet and no faster.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Collection, Container, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from trueup.core.canonical import canonical_json
from trueup.core.command import Message, change_texts, parts_of, texts_of
from trueup.core.field_table import Kind
from trueup.core.plans.exits import is_blocked
from trueup.core.plans.plan import MISSING, Action, Cause, Change, FieldChange, Reason
from trueup.core.plans.report import Outcome, Result
from trueup.core.plans.wording import quoted
from trueup.core.texts.compare import compare
from trueup.core.texts.prose import Prose, TextRun, split_sections
from trueup.core.texts.words import find_mentions, function_names
from trueup.render.prose_lines import Key, hunk_key
from trueup.wire.registry import built_in_tools

SMALLEST = 3
"""Assistants from which on an equal change is shown once; two blocks still show where each one stands in its file."""

COMPACT_ABOVE = 30
"""Different changes above which a plan is a line for each assistant, unless the full view is asked for.

A change takes about ten rows: thirty of them are ten screens, which is as far as anybody reads from top to bottom.
"""

OWN = "."
"""In the place of a shared file: the assistant's own file."""

_LISTED = frozenset({Action.DELETE, Action.HELD, Action.DRIFT, Action.ORPHAN, Action.UNREAD})

T = TypeVar("T")

_WORD = re.compile(r"""`[^`]*`|"(?:[^"\\]|\\.)*"|[^\s`"(),;:]+""")


@dataclass(frozen=True, slots=True)
class ChangeGroup:
    """Changes that read the same; the first one stands for all of them.

    `prose` is the difference of its instructions where grouping needed it; `notes` are sentences for those of its
    hunks that other groups have too.
    """

    items: tuple[Change, ...]
    prose: Prose | None = None
    notes: Mapping[Key, str] = field(default_factory=dict)

    @property
    def first(self) -> Change:
        """Return the change whose details are shown."""
        return self.items[0]


@dataclass(frozen=True, slots=True)
class OutcomeGroup:
    """Outcomes that read the same; the first one stands for all of them."""

    items: tuple[Outcome, ...]

    @property
    def first(self) -> Outcome:
        """Return the outcome whose details are shown."""
        return self.items[0]


def group_equal(items: Iterable[T], key_of: Callable[[T], Hashable], smallest: int = SMALLEST) -> list[tuple[T, ...]]:
    """Group the items with equal keys, in the order of their first ones; fewer than `smallest` stay single."""
    found: dict[Hashable, list[tuple[int, T]]] = {}
    for place, item in enumerate(items):
        found.setdefault(key_of(item), []).append((place, item))
    groups: list[list[tuple[int, T]]] = []
    for group in found.values():
        groups += [group] if len(group) >= smallest else [[entry] for entry in group]
    groups.sort(key=lambda group: group[0][0])
    return [tuple(item for _, item in group) for group in groups]


def group_changes(changes: Sequence[Change], *, whole: bool = False) -> list[ChangeGroup]:
    """Group changes in the order in which they are shown; `whole` keeps each one apart and shows all of it."""
    if whole:
        return [ChangeGroup((change,)) for change in changes]
    texts = _Texts()
    groups = [ChangeGroup(items, texts.known(items[0])) for items in group_equal(changes, texts.change_key)]
    return list(_add_notes(groups))


def group_outcomes(outcomes: Iterable[Outcome], part_of: Callable[[Outcome], Hashable] = bool) -> list[OutcomeGroup]:
    """Group outcomes that ended the same way; those for which `part_of` differs stay apart."""
    return [OutcomeGroup(items) for items in group_equal(outcomes, lambda item: (outcome_key(item), part_of(item)))]


def outcome_key(outcome: Outcome) -> Hashable:
    """Return what is shown of an outcome, without name, id and place; a delete stays alone, so that its id shows."""
    is_deleted = outcome.action is Action.DELETE and outcome.result is Result.DONE
    message, hint = (advice_key(text, (outcome.name, outcome.id)) for text in (outcome.message, outcome.hint))
    alone = outcome.name if outcome.others or is_deleted else ""
    return outcome.action, outcome.result, message, hint, outcome.not_kept, max(outcome.attempts, 1), alone


def group_hint(items: Sequence[Change] | Sequence[Outcome]) -> str:
    """Return the hint of a group: that of its first one, which says so where those of the others are not the same."""
    first = items[0]
    if not first.hint or all(item.hint in ("", first.hint) for item in items):
        return first.hint
    return _for_others(first, first.hint)


def _for_others(first: Change | Outcome, hint: str) -> Message:
    return Message(f"For {first.name}, and the same way for the others: ", hint)


def fold_advice(changes: Sequence[Change]) -> list[Change]:
    """Return the changes with the advice on creates, where several have the same one, at the first of them alone."""
    number = Counter(texts_of(change.hint) for change in changes if change.action is Action.CREATE)
    shown: set[tuple[str, ...]] = set()
    folded = []
    for change in changes:
        advice = texts_of(change.hint)
        if change.action is Action.CREATE and change.hint and number[advice] > 1:
            hint = "" if advice in shown else _for_others(change, change.hint)
            shown.add(advice)
            change = replace(change, hint=hint)
        folded.append(change)
    return folded


def is_listed(change: Change) -> bool:
    """Whether each assistant of a group has a row with its id: it is destroyed, overwritten or waits for a decision."""
    return change.action in _LISTED or change.backup or change.recreate or bool(change.others)


def change_notes(change: Change, *, is_named: bool = False) -> Iterator[str]:
    """Yield what a reader should know beside the fields, a sentence each; `is_named`: the display name is shown."""
    if change.adopted and change.action is not Action.ADOPT:
        yield "Adopted by its stamp first."
    if change.moved_from and change.reason is not Reason.MOVED:
        yield f"Renamed from {change.moved_from}."
    if change.recreate and change.reason is not Reason.RECREATED:
        yield "It is created again under a new id."
    if display_name(change) and not is_named:
        yield f"Its display name is {quoted(display_name(change))}."
    yield from change.remarks
    if change.backup:
        yield "The live object is saved to .trueup/backup/ first."


def display_name(change: Change) -> str:
    """Return the display name of what is live, where it is shown of a change."""
    return change.display_name if change.action in (Action.DELETE, Action.ORPHAN) else ""


def distinct_name(change: Change) -> str:
    """Return the same for a list of names, where it says more than the name does."""
    return "" if display_name(change) == change.name.rpartition("/")[2] else display_name(change)


def group_message(group: ChangeGroup) -> str:
    """Return what is said of an assistant, as a sentence on each of several."""
    message = group.first.message
    is_predicate = message.partition(" ")[0] in ("is", "was", "does", "has", "may", "matches")
    return Message("each ", message) if is_predicate and len(group.items) > 1 else message


def find_text_change(change: Change) -> FieldChange | None:
    """Return the change's instructions if both sides are text."""
    return next(
        (
            item
            for item in change.fields
            if item.kind is Kind.TEXT
            and item.cause is not Cause.RECORDED
            and isinstance(item.before, str)
            and isinstance(item.after, str)
        ),
        None,
    )


def compare_texts(change: Change, old: str, new: str) -> Prose:
    """Return the difference of two texts of one assistant, with its functions known, those that go included."""
    return compare(old, new, _functions(change))


def count_common_lines(old: Sequence[str], new: Sequence[str]) -> int:
    """Return how many lines two texts have in common at their beginning."""
    return next(
        (at for at, (one, other) in enumerate(zip(old, new, strict=False)) if one != other), min(len(old), len(new))
    )


def find_shared_file(change: Change, hunk: Sequence[TextRun]) -> str:
    """Return the shared file in whose lines a hunk begins, `OWN` for the assistant's own, nothing if not known."""
    files = [item.file for item in change.stretches if item.line <= hunk[0].after]
    return (files[-1] if files[-1] in change.parts else OWN) if files else ""


def find_hunks(prose: Prose) -> list[Sequence[TextRun]]:
    """Return the groups of changed lines of a difference."""
    return [section.changed for section in split_sections(prose) if section.changed]


class _Texts:
    """Keys of changes, and the differences that were made on the way."""

    def __init__(self) -> None:
        self._keys: dict[bytes, Hashable] = {}
        self._proses: dict[str, Prose] = {}

    def known(self, change: Change) -> Prose | None:
        """Return the difference of a change's instructions where hunks of it may be shared."""
        if not _may_share(change):
            return None
        if change.name not in self._proses:
            item = find_text_change(change)
            self._proses[change.name] = compare_texts(change, item.before, item.after)  # type: ignore[union-attr]
        return self._proses[change.name]

    def change_key(self, change: Change) -> Hashable:
        """Return what is shown of a change, without names, ids and places.

        The lines between the first and the last one that differ say most often that two texts changed alike. Where
        they do not, and the texts are made of shared files, their hunks do.
        """
        item = find_text_change(change)
        own = _digest(_key_parts(change, item))
        middle = _text_key_parts(change, item) if item is not None else ()
        first = _digest((own, *middle))
        if first not in self._keys:
            prose = self.known(change)
            self._keys[first] = (own, _digest(_hunk_keys(prose))) if prose is not None else first
        return self._keys[first]


def _may_share(change: Change) -> bool:
    """Whether the difference of the instructions may come from the lines of a shared file."""
    is_shown_as_change = change.action in (Action.MODIFY, Action.HELD)
    return is_shown_as_change and bool(change.parts) and find_text_change(change) is not None


def _functions(change: Change) -> set[str]:
    tools = [side for item in change.fields if item.kind is Kind.TOOLS for side in (item.before, item.after)]
    return {*built_in_tools(), *change.functions, *(name for side in tools for name in function_names(side))}


def _key_parts(change: Change, text: FieldChange | None) -> Iterator[Any]:
    """Yield what is shown of a change, without its name and its id; the lines of a text are left to the caller."""
    names = (change.name, change.id)
    yield from (
        change.action.value,
        change.reason.value,
        is_blocked(change),
        advice_key(change.message, names),
        advice_key("" if change.action is Action.CREATE else change.hint, names),
    )
    yield from (advice_key(note, names) for note in change_notes(change, is_named=True))
    if change.others:
        yield change.name  # its sentences name live assistants, which nobody else's do
    for item in change.fields:
        if item.cause is not Cause.RECORDED:
            yield from (item.path, item.cause.value)
            if item is not text:
                yield from (b"" if side is MISSING else canonical_json(side) for side in (item.before, item.after))


def _text_key_parts(change: Change, item: FieldChange) -> Iterator[Any]:
    """Yield the lines of two texts between the first and the last one that differ, and the names that come or go."""
    old, new = item.before.split("\n"), item.after.split("\n")
    start = count_common_lines(old, new)
    end = count_common_lines(old[start:][::-1], new[start:][::-1])
    sides = "\n".join(old[start : len(old) - end]), "\n".join(new[start : len(new) - end])
    yield from sides
    if find_mentions(*sides, _functions(change)):  # only then can any come or go in the whole of the texts
        yield from (
            (m.sort.value, m.text, m.appeared) for m in find_mentions(item.before, item.after, _functions(change))
        )


def _hunk_keys(prose: Prose) -> Iterator[Any]:
    yield from (hunk_key(hunk) for hunk in find_hunks(prose))
    yield from ((item.sort.value, item.text, item.appeared) for item in prose.mentions)
    yield (prose.newline_before, prose.newline_after)


def _digest(parts: Iterable[Any]) -> bytes:
    """Return a digest of some values, so that no key holds a text."""
    whole = hashlib.sha256()
    for part in parts:
        whole.update(part if isinstance(part, bytes) else repr(part).encode("utf-8", "backslashreplace"))
        whole.update(b"\0")
    return whole.digest()


def advice_key(text: str, names: Collection[str]) -> Hashable:
    """Return what is said by a message, without the names and ids in it: the same for the same advice on another."""
    return tuple(
        drop_names(part, names) if isinstance(part, str) else tuple(drop_names(word, names) for word in part.words)
        for part in parts_of(text)
    )


def drop_names(text: str, names: Iterable[str]) -> str:
    """Return a sentence without the names and ids in it; a name within a longer word stays."""
    for name in filter(None, names):
        at = text.find(name)
        while at >= 0:
            end = at + len(name)
            is_whole = not _goes_on(text[at - 1 : at]) and not _goes_on(text[end : end + 1])
            text = f"{text[:at]}\0{text[end:]}" if is_whole else text
            at = text.find(name, at + 1)
    return text


def _goes_on(sign: str) -> bool:
    """Whether a sign beside a name makes a longer name of it."""
    return sign.isalnum() or sign in ("/", "_", "-")


def _add_notes(groups: Sequence[ChangeGroup]) -> Iterator[ChangeGroup]:
    """Yield the groups with notes on hunks that more than one of them has: the first one shows it, others refer to it.

    A hunk comes from the file in whose lines it stands; where no line says so, if exactly the file's users have it.
    """
    owners: dict[tuple[Key, str], list[int]] = {}
    users: dict[str, list[int]] = {}
    for place, group in enumerate(groups):
        if group.prose is None:
            continue
        for owned in {(hunk_key(hunk), find_shared_file(group.first, hunk)): None for hunk in find_hunks(group.prose)}:
            owners.setdefault(owned, []).append(place)
        for part in group.first.parts:
            users.setdefault(part, []).append(place)
    found: dict[int, dict[Key, str]] = {}
    for (hunk, part), places in owners.items():
        parts = [part] if part else [name for name, wanted in sorted(users.items()) if wanted == places]
        if parts and len(places) > 1 and part != OWN:
            for place, note in zip(places, _hunk_notes([groups[place] for place in places], parts), strict=True):
                found.setdefault(place, {})[hunk] = note
    for place, group in enumerate(groups):
        yield ChangeGroup(group.items, group.prose, found.get(place, {}))


def _hunk_notes(groups: Sequence[ChangeGroup], parts: Sequence[str]) -> Iterator[str]:
    """Yield for the first group how many others have its hunk, for each other one the reference to the first."""
    source = f" from {parts[0]}" if len(parts) == 1 else ""
    yield f"This change{source} also affects {_name_first([item for group in groups[1:] for item in group.items])}:"
    for _ in groups[1:]:
        yield f"=The same change{source} as in {_name_first(groups[0].items)}."


def _name_first(changes: Sequence[Change]) -> str:
    """Return the first assistant's name, and how many others there are."""
    return mark_name(changes[0].name) + (f" and {len(changes) - 1:,} more" if len(changes) > 1 else "")


def mark_name(name: str) -> str:
    """Return a name as code within a sentence; one that looks like code or has none to show stays as it is."""
    return f"`{name}`" if name.strip() and "`" not in name else name


def mark_names(text: str, names: Container[str]) -> str:
    """Return a sentence with each of the names in it as code; those in quotes, code and commands stay as they are."""

    def as_code(found: re.Match[str]) -> str:
        word = found[0].rstrip(".!?")
        return f"`{word}`{found[0][len(word) :]}" if word in names else found[0]

    return change_texts(text, lambda part: _WORD.sub(as_code, part))
