"""Where in the files a field's new value belongs: the one place that decides it, or why that place is not ours to edit.

Knows what `layers` and `filled` of `core.definitions` do, backwards. Writes nothing, reads no file: documents come in.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from trueup.core.canonical import same
from trueup.core.definitions.layers import Origin, Tree, is_reference
from trueup.core.definitions.sources import PROJECT_FILE, Sources
from trueup.core.plans.entries import gaps
from trueup.core.source import Path, dotted
from trueup.core.texts.align import Allowance
from trueup.core.texts.attribution import attributed

_COMPARISONS = 200_000


@dataclass(frozen=True, slots=True)
class Edit:
    """A new value at a place; `is_text`: the place is a whole file of text."""

    origin: Origin
    value: Any
    is_text: bool = False


class Elsewhere(Exception):
    """The value is decided where an edit would decide more than was asked: `origin` says where, `hint` how to go on.

    `override` is what the definition's own file could say instead, as a path and a value.
    """

    def __init__(self, message: str, origin: Origin, hint: str, override: tuple[Path, Any] | None = None) -> None:
        super().__init__(message)
        self.message, self.origin, self.hint, self.override = message, origin, hint, override


@dataclass(slots=True)
class Placing:
    """One definition for one target: its file, what it was put together from, and what that came to."""

    file: str
    target: str
    tree: Tree
    body: dict[str, Any]
    sources: Sources
    edits: list[Edit] = field(default_factory=list)

    def edits_for(self, path: Path, value: Any) -> list[Edit]:
        """What to write where so that the value at a path becomes another one. Raises Elsewhere."""
        self.edits = []
        raw = _at(self.tree.value, path)
        if raw is None:
            return [Edit(Origin(self.file, self._unsaid(path)), value)]
        if path == ("instructions",):
            self._instructions(raw, value)
            return self.edits
        fresh = self._written(raw, _at(self.body, path), value, path)
        if fresh is not raw:
            self._put(path, fresh, value)
        return self.edits

    def is_patch(self, path: Path) -> bool:
        """Whether null there takes the declaration away instead of declaring the default."""
        document = self.sources.mapping(self.file).value
        origin = self._unsaid(path) if _at(self.tree.value, path) is None else self.tree.origin(path).path
        return "extends" in (document or {}) or origin[:1] == ("targets",)

    def _unsaid(self, path: Path) -> Path:
        """Where a field that nothing declares is to be declared: where the target's own patch takes it away, if so."""
        own = ("targets", self.target, *path)
        document = self.sources.mapping(self.file).value
        holder = _at(document, own[:-1])
        return own if isinstance(holder, dict) and path[-1] in holder else path

    def _put(self, path: Path, value: Any, resolved: Any) -> None:
        """Notes the edit if the definition's own file decides. Raises Elsewhere."""
        origin = self.tree.origin(path)
        if origin.file == self.file:
            self.edits.append(Edit(origin, value))
            return
        override = ("targets", self.target, *path) if origin.path[:1] == ("targets",) else path
        raise Elsewhere(
            f"it comes from {origin.file}, which this definition extends",
            origin,
            f"Change it there, and with it every definition that extends {origin.file}; "
            f"or say it otherwise in {self.file}:",
            (override, resolved),
        )

    def _written(self, raw: Any, old: Any, new: Any, path: Path) -> Any:
        """The raw value that comes to `new`; references stay, and what they name is edited where it stands."""
        if same(old, new) and type(old) is type(new):
            return raw
        if is_reference(raw, "var") and path[0] != "options":
            raise self._variable(raw["var"], path, new)
        if is_reference(raw, "file") and path[0] in ("tools", "response_format"):
            self.edits.append(Edit(Origin(self.tree.origin(path).file), new))
            return raw
        if isinstance(raw, str) and path[0] == "tools" and isinstance(new, dict):
            return new["type"] if new.keys() == {"type"} else new
        if isinstance(raw, dict) and isinstance(old, dict) and isinstance(new, dict):
            return {
                key: self._written(raw[key], old[key], entry, (*path, key)) if key in raw and key in old else entry
                for key, entry in new.items()
            }
        if isinstance(raw, list) and isinstance(old, list) and isinstance(new, list) and len(raw) == len(old):
            return self._list(raw, old, new, path)
        return new

    def _list(self, raw: list[Any], old: list[Any], new: list[Any], path: Path) -> list[Any]:
        made: list[Any] = []
        place = 0
        bare = path == ("tools",) and any(isinstance(entry, str) for entry in raw)
        for (start, end), (begin, stop) in sorted(gaps(old, new, Allowance(_COMPARISONS))):
            made += raw[place:start]
            if end - start == stop - begin:
                made += [
                    self._written(raw[start + step], old[start + step], new[begin + step], (*path, start + step))
                    for step in range(end - start)
                ]
            else:
                made += [_short(entry) if bare else entry for entry in new[begin:stop]]
            place = end
        return made + raw[place:]

    def _variable(self, name: str, path: Path, value: Any) -> Elsewhere:
        origin = self.tree.origin(path)
        stands = origin.file == PROJECT_FILE
        where = "" if stands else ", which --var gives here"
        return Elsewhere(
            f"{dotted(path)} is {{var: {name}}}{where}",
            origin,
            f"Change the variable{' there, and with it all that use it' if stands else ''}; "
            f"or write the value itself into {self.file}:",
            (path, value) if all(isinstance(step, str) for step in path) else None,
        )

    def _instructions(self, raw: Any, value: Any) -> None:
        """One text, a file of text, or the parts it was joined from."""
        path: Path = ("instructions",)
        if isinstance(raw, list) and isinstance(value, str):
            self._parts(raw, value)
        elif is_reference(raw, "file"):
            self._part(self.tree.origin(path), value)
        elif not same(self.body.get("instructions"), value):
            self._put(path, value, value)

    def _part(self, origin: Origin, value: Any) -> None:
        if not isinstance(value, str) or not value.strip():
            raise Elsewhere(
                f"live has no instructions, and they stand in {origin.file}",
                origin,
                f"If none are wanted, say so in {self.file}:",
                (("instructions",), None),
            )
        self.edits.append(Edit(origin, value, is_text=True))

    def _parts(self, raw: list[Any], value: str) -> None:
        origins = [self.tree.origin(("instructions", index)) for index in range(len(raw))]
        texts = [
            str(self.sources.text(origin.file).value or "") if is_reference(part, "file") else str(part)
            for part, origin in zip(raw, origins, strict=True)
        ]
        found = attributed(texts, value)
        if found is None:
            listed = ", ".join(dict.fromkeys(origin.file for origin in origins))
            raise Elsewhere(
                f"the text is joined from {len(raw)} parts ({listed}), and which of them changed cannot be told",
                self.tree.origin(("instructions",)),
                "Change the right part by hand: trueup plan -v shows the lines that differ.",
            )
        for index, (before, after) in enumerate(zip(texts, found, strict=True)):
            if before == after:
                continue
            if is_reference(raw[index], "file"):
                self._part(origins[index], after)
            else:
                self._put(("instructions", index), after, after)


def _short(entry: Any) -> Any:
    return entry["type"] if isinstance(entry, dict) and entry.keys() == {"type"} else entry


def _at(value: Any, path: Path) -> Any:
    """What stands at a path; None where nothing does."""
    for step in path:
        in_list = isinstance(value, list) and isinstance(step, int) and step < len(value)
        if not in_list and not (isinstance(value, dict) and step in value):
            return None
        value = value[step]
    return value
