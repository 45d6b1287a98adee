"""Which live values are to go into a file, and where in the files they belong.

The judge that plans ask decides which, and the place is found backwards through `layers` and `filled`.
"""

from __future__ import annotations

import posixpath
import struct
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from trueup.core.canonical import fits, same, strip_server_defaults
from trueup.core.command import HERE, Message
from trueup.core.definitions.document import BODY
from trueup.core.definitions.layers import Origin, Tree, is_reference
from trueup.core.definitions.sources import PROJECT_FILE, Sources
from trueup.core.field_table import FieldTable, Kind
from trueup.core.memory.state import Record
from trueup.core.plans.diff import find_gaps
from trueup.core.plans.fields import Rules, judge_field, matches
from trueup.core.plans.plan import MISSING, OUTSIDE, Cause
from trueup.core.source import Path, dotted
from trueup.core.texts.align import Allowance
from trueup.core.texts.merge import split_into_parts


class AcceptWay(Enum):
    """How a live value meets the file."""

    TAKE = "take"  # the file is as it was applied, or the field was asked for
    MERGE = "merge"  # the file was edited too
    NOTHING = "nothing"  # the file says what is live


@dataclass(frozen=True, slots=True)
class FieldToAccept:
    """One field: `file` is what the definition comes to, `live` what is to be taken; MISSING is a side without one."""

    field: str
    way: AcceptWay
    file: Any
    live: Any


def list_fields_to_accept(
    file: Mapping[str, Any],
    live: Mapping[str, Any],
    record: Record,
    ignored: Collection[str],
    rules: Rules,
    asked: Sequence[str] = (),
) -> list[FieldToAccept]:
    """Return the fields that were asked for, or else those that were changed outside, in the file's order."""
    found = []
    for name in asked or dict.fromkeys([*file, *record.fields]):
        wanted, there = file.get(name, MISSING), live.get(name, MISSING)
        cause = judge_field(name, wanted, there, record, rules)
        way = _choose_way(name, wanted, there, record, cause, rules)
        if asked or (cause in OUTSIDE and way is not AcceptWay.NOTHING and name not in ignored):
            found.append(FieldToAccept(name, way, wanted, there))
    return found


def _choose_way(name: str, file: Any, live: Any, record: Record, cause: Cause | None, rules: Rules) -> AcceptWay:
    wanted, found = (None if value is MISSING else value for value in (file, live))
    if fits(name, wanted, found, rules.table):
        return AcceptWay.NOTHING if file is not MISSING else AcceptWay.TAKE
    if cause is Cause.CONFLICT:
        return AcceptWay.MERGE
    if cause is Cause.UNKNOWN:
        applied = record.fields.get(name)
        known = applied is not None and file is not MISSING and matches(name, file, applied, rules.table)
        return AcceptWay.TAKE if known else AcceptWay.MERGE
    return AcceptWay.TAKE


def to_file_value(name: str, live: Any, file: Any, table: FieldTable, *, has_null: bool) -> Any:
    """Return what the file must declare for the field to stay as it is live, without the server's defaults.

    `has_null` says that null there declares the field's default.
    """
    row = table.field_of(name)
    if live is MISSING or live is None:
        if has_null:
            return None
        return "" if row is not None and row.empty_is_null else table.default_of(name)
    if row is not None and row.kind is Kind.NUMBER and isinstance(live, float):
        return _shorten_number(live)
    return strip_server_defaults(name, live, file, table)


def _shorten_number(number: float) -> float | int:
    """Return the shortest number that is equal in single precision, as written before a server rounded it."""
    try:
        packed = struct.pack("<f", number)
        found = next(
            value for digits in range(1, 10) if struct.pack("<f", value := float(f"{number:.{digits}g}")) == packed
        )
    except (OverflowError, StopIteration):
        return number
    return int(found) if found.is_integer() else found


_COMPARISONS = 200_000


@dataclass(frozen=True, slots=True)
class Edit:
    """A new value at a place; `is_text`: the place is a whole file of text."""

    origin: Origin
    value: Any
    is_text: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class _Share:
    """What one raw entry of the tools stands for: `held` is the raw list in a file, or the entry itself."""

    entry: Any
    file: str
    held: list[Any]
    is_list: bool


class Elsewhere(Exception):
    """The value is decided where an edit would decide more than was asked: `origin` says where, `hint` how to go on.

    `override` is what the definition's own file could say instead, as a path and a value.
    """

    def __init__(self, message: str, origin: Origin, hint: str, override: tuple[Path, Any] | None = None) -> None:
        super().__init__(message)
        self.message, self.origin, self.hint, self.override = message, origin, hint, override


@dataclass(slots=True)
class EditPlacer:
    """One definition for one target: its file, what it was put together from, and what that came to.

    Of one that `is_translated`, only the target's patch is in the names of the target's protocol.
    """

    file: str
    target: str
    tree: Tree
    body: dict[str, Any]
    sources: Sources
    table: FieldTable
    is_translated: bool = False
    edits: list[Edit] = field(default_factory=list)

    def edits_for(self, path: Path, value: Any) -> list[Edit]:
        """Return the edits that change the value at a path to `value`. Raises Elsewhere."""
        self.edits = []
        raw = _value_at(self.tree.value, path)
        if self.is_translated:
            return [Edit(self._patch_origin(path), value)]
        if raw is None:
            return [Edit(Origin(self.file, self._path_to_declare(path)), value)]
        if path == (self.table.prompt,):
            self._place_prompt(raw, value)
            return self.edits
        fresh = self._rewrite_raw(raw, _value_at(self.body, path), value, path)
        if fresh is not raw:
            self._add_edit(path, fresh, value)
        return self.edits

    def is_patch(self, path: Path) -> bool:
        """Whether null there takes the declaration away instead of declaring the default."""
        if self.is_translated:
            return True
        document = self.sources.mapping(self.file).value
        origin = (
            self._path_to_declare(path) if _value_at(self.tree.value, path) is None else self.tree.origin(path).path
        )
        return "extends" in (document or {}) or origin[:1] == ("targets",)

    def _path_to_declare(self, path: Path) -> Path:
        """Where a field that nothing declares is to be declared: where the target's own patch takes it away, if so."""
        own = ("targets", self.target, *path)
        document = self.sources.mapping(self.file).value
        holder = _value_at(document, own[:-1])
        if isinstance(holder, dict) and path[-1] in holder:
            return own
        is_below = path == (self.table.prompt,) and self.file.endswith(".md") and path[0] not in (document or {})
        return (BODY,) if is_below else path

    def _patch_origin(self, path: Path) -> Origin:
        """Where the target's own patch has a value, or is to have it."""
        origin = self.tree.origin(path)
        own: Path = ("targets", self.target)
        return origin if origin.file == self.file and origin.path[:2] == own else Origin(self.file, (*own, *path))

    def _add_edit(self, path: Path, value: Any, resolved: Any) -> None:
        """Add the edit if the value comes from the definition's own file. Raises Elsewhere."""
        origin = self.tree.origin(path)
        if origin.file == self.file:
            self.edits.append(Edit(origin, value))
            return
        override = ("targets", self.target, *path) if origin.path[:1] == ("targets",) else path
        raise Elsewhere(
            f"it comes from {origin.file}, which this definition extends",
            origin,
            f"Change it there, for every definition that extends {origin.file}; or override it in {self.file}:",
            (override, resolved),
        )

    def _rewrite_raw(self, raw: Any, old: Any, new: Any, path: Path) -> Any:
        """Return the raw value that resolves to `new`; keep references and edit what they name instead."""
        if same(old, new) and type(old) is type(new):
            return raw
        if is_reference(raw, "var"):
            raise self._refuse_variable(raw["var"], path, new)
        if is_reference(raw, "file") and type(new) in (str, list, dict) and (type(new) is str) is (type(old) is str):
            self.edits.append(Edit(Origin(self.tree.origin(path).file), new, is_text=type(new) is str))
            return raw
        if isinstance(raw, str) and path[0] == self.table.tools and isinstance(new, dict):
            return _shorten_tool(dict(sorted(new.items(), key=lambda pair: pair[0] != "type")))
        if isinstance(raw, dict) and isinstance(old, dict) and isinstance(new, dict):
            return {
                key: self._rewrite_raw(raw[key], old[key], entry, (*path, key)) if key in raw and key in old else entry
                for key, entry in new.items()
            }
        if isinstance(raw, list) and isinstance(old, list) and isinstance(new, list):
            shares = self._list_shares(raw) if path == (self.table.tools,) else []
            if any(share.is_list for share in shares):
                return _reuse_if_same(raw, self._place_tools(shares, old, new))
            if len(raw) == len(old):
                return _reuse_if_same(raw, self._place_entries(raw, old, new, path))
        return new

    def _list_shares(self, raw: list[Any]) -> list[_Share]:
        """Return what each raw entry of the tools stands for."""
        folder = posixpath.dirname(self.tree.origin((self.table.tools,)).file)
        shares = []
        for entry in raw:
            file = posixpath.normpath(posixpath.join(folder, entry["file"])) if is_reference(entry, "file") else ""
            held = self.sources.included(file).value if file else None
            if isinstance(held, list):
                shares.append(_Share(entry, file, held, is_list=True))
            else:
                shares.append(_Share(entry, file, [entry], is_list=False))
        return shares

    def _place_tools(self, shares: list[_Share], old: list[Any], new: list[Any]) -> list[Any]:
        """Return the raw tools that come to `new`; lists in files stay, and are edited there. Raises Elsewhere."""
        holders = [share for share in shares for _ in share.held]
        raw = [entry for share in shares for entry in share.held]
        bare = any(isinstance(entry, str) for entry in raw)
        made: list[tuple[_Share | None, Any]] = []
        place = 0
        for (start, end), (begin, stop) in sorted(find_gaps(old, new, Allowance(_COMPARISONS))):
            made += zip(holders[place:start], raw[place:start], strict=True)
            if end - start == stop - begin:
                for at, fresh in zip(range(start, end), new[begin:stop], strict=True):
                    made.append((holders[at], self._rewrite_raw(raw[at], old[at], fresh, (self.table.tools, at))))
            else:
                holder = self._find_holder(holders, start, end)
                made += [(holder, _shorten_tool(entry) if bare else entry) for entry in new[begin:stop]]
            place = end
        made += zip(holders[place:], raw[place:], strict=True)
        for share in shares:
            entries = [entry for holder, entry in made if holder is share]
            if share.is_list and entries and _reuse_if_same(share.held, entries) is not share.held:
                self.edits.append(Edit(Origin(share.file), entries))
        return _restore_references(shares, made)

    def _find_holder(self, holders: list[_Share], start: int, end: int) -> _Share | None:
        """Return the list that holds what comes in place of some tools; None for the definition. Raises Elsewhere."""
        around = holders[start:end] if end > start else holders[max(start - 1, 0) : start + 1]
        lists = [holder for holder in around if holder.is_list]
        is_between = end == start and (len(around) < 2 or around[0] is not around[1])
        if not lists or is_between:
            return None
        if all(holder is lists[0] for holder in around):
            return lists[0]
        raise Elsewhere(
            f"some of the tools come from {lists[0].file}, and it is unclear which of them changed",
            self.tree.origin((self.table.tools,)),
            f"Change {self.file} and {lists[0].file} by hand.",
        )

    def _place_entries(self, raw: list[Any], old: list[Any], new: list[Any], path: Path) -> list[Any]:
        made: list[Any] = []
        place = 0
        bare = path == (self.table.tools,) and any(isinstance(entry, str) for entry in raw)
        for (start, end), (begin, stop) in sorted(find_gaps(old, new, Allowance(_COMPARISONS))):
            made += raw[place:start]
            if end - start == stop - begin:
                made += [
                    self._rewrite_raw(raw[start + step], old[start + step], new[begin + step], (*path, start + step))
                    for step in range(end - start)
                ]
            else:
                made += [_shorten_tool(entry) if bare else entry for entry in new[begin:stop]]
            place = end
        return made + raw[place:]

    def _refuse_variable(self, name: str, path: Path, value: Any) -> Elsewhere:
        origin = self.tree.origin(path)
        stands = origin.file == PROJECT_FILE
        where = "" if stands else ", which --var gives here"
        return Elsewhere(
            f"{dotted(path)} is {{var: {name}}}{where}",
            origin,
            f"Change the variable{' there, for everything that uses it' if stands else ''}; "
            f"or write the value itself into {self.file}:",
            (path, value) if all(isinstance(step, str) for step in path) else None,
        )

    def _place_prompt(self, raw: Any, value: Any) -> None:
        """One text, a file of text, or the parts it was joined from."""
        path: Path = (self.table.prompt,)
        if isinstance(raw, list) and isinstance(value, str):
            self._place_parts(raw, value)
        elif is_reference(raw, "file"):
            self._place_part(self.tree.origin(path), value)
        elif not same(self.body.get(self.table.prompt), value):
            self._add_edit(path, value, value)

    def _place_part(self, origin: Origin, value: Any) -> None:
        if not isinstance(value, str) or not value.strip():
            raise Elsewhere(
                f"live has no {self.table.prompt}, and the text is in {origin.file}",
                origin,
                f"To have none, write in {self.file}:",
                ((self.table.prompt,), None),
            )
        self.edits.append(Edit(origin, value, is_text=True))

    def _place_parts(self, raw: list[Any], value: str) -> None:
        prompt = self.table.prompt
        origins = [self.tree.origin((prompt, index)) for index in range(len(raw))]
        texts = [
            str(self.sources.text(origin.file).value or "") if is_reference(part, "file") else str(part)
            for part, origin in zip(raw, origins, strict=True)
        ]
        found = split_into_parts(texts, value)
        if found is None:
            listed = ", ".join(dict.fromkeys(origin.file for origin in origins))
            raise Elsewhere(
                f"the text is joined from {len(raw)} files ({listed}), and it is unclear which of them changed",
                self.tree.origin((prompt,)),
                Message(
                    "Change the right file by hand. To see the lines that differ: ", HERE.command("plan", verbose=True)
                ),
            )
        for index, (before, after) in enumerate(zip(texts, found, strict=True)):
            if before == after:
                continue
            if is_reference(raw[index], "file"):
                self._place_part(origins[index], after)
            else:
                self._add_edit((prompt, index), after, after)


def _reuse_if_same(raw: list[Any], made: list[Any]) -> list[Any]:
    """Return the raw list itself if what was made of it has the very same entries."""
    is_same = len(made) == len(raw) and all(left is right for left, right in zip(made, raw, strict=True))
    return raw if is_same else made


def _restore_references(shares: list[_Share], made: list[tuple[_Share | None, Any]]) -> list[Any]:
    """Return tools with the entry that refers to a list in the place of what the list holds."""
    raw: list[Any] = []
    passed = 0
    for holder, entry in made:
        at = shares.index(holder) if holder is not None else passed - 1
        raw += [share.entry for share in shares[passed:at] if not share.held]
        if holder is None or not holder.is_list:
            raw.append(entry)
        elif at >= passed:
            raw.append(holder.entry)
        passed = max(passed, at + 1)
    return raw + [share.entry for share in shares[passed:] if not share.held]


def _shorten_tool(entry: Any) -> Any:
    return entry["type"] if isinstance(entry, dict) and entry.keys() == {"type"} else entry


def _value_at(value: Any, path: Path) -> Any:
    """Return the value at a path, or None where there is none."""
    for step in path:
        in_list = isinstance(value, list) and isinstance(step, int) and step < len(value)
        if not in_list and not (isinstance(value, dict) and step in value):
            return None
        value = value[step]
    return value
