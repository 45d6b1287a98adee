"""Laying one file's mapping over another's, keeping note of which file each value came from. Follows no reference."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

from trueup.core.field_table import FieldTable
from trueup.core.source import Path, Position, SourceMap

LIFECYCLE: Final = "lifecycle"
"""The key around a body that merges by key as the body's maps do."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value stands: a file, and the path inside that file."""

    file: str
    path: Path = ()


@dataclass(slots=True)
class Tree:
    """A mapping made of several files. `origins` holds the root and every place where another file took over."""

    value: dict[str, Any]
    origins: dict[Path, Origin]

    def origin(self, path: Path) -> Origin:
        """Where the value at a path stands, by the longest prefix that is noted."""
        for length in range(len(path), -1, -1):
            found = self.origins.get(path[:length])
            if found is not None:
                return Origin(found.file, (*found.path, *path[length:]))
        raise LookupError(path)

    def moved(self, path: Path, origin: Origin) -> None:
        """Record that the value at a path, with everything below it, now comes from elsewhere."""
        size = len(path)
        for stale in [known for known in self.origins if known[:size] == path]:
            del self.origins[stale]
        self.origins[path] = origin

    def take(self, path: Path, other: Tree) -> None:
        """Note that the value at a path is now the other tree's, with all that is below it."""
        size = len(path)
        self.moved(path, other.origin(path))
        self.origins |= {known: at for known, at in other.origins.items() if len(known) > size and known[:size] == path}

    def below(self, key: str, inner: str) -> Tree:
        """Return the mapping at `key.inner` as a tree of its own."""
        top = (key, inner)
        origins = {path[2:]: origin for path, origin in self.origins.items() if path[:2] == top}
        return Tree(self.value[key][inner], {(): self.origin(top), **origins})


def lay_over(base: Tree, patch: Tree, table: FieldTable) -> Tree:
    """Return the base with a patch laid over it; null removes a declaration. Neither is changed.

    Only what the table calls a map is merged by key; every other value is replaced as a whole.
    """
    result = Tree(dict(base.value), dict(base.origins))
    _Overlay(result, patch, table).lay((), result.value, patch.value)
    return result


def is_reference(value: Any, word: str) -> bool:
    """Whether a value is `{word: …}` and nothing else."""
    return type(value) is dict and len(value) == 1 and word in value


@dataclass(frozen=True, slots=True)
class _Overlay:
    """A patch on its way over a result."""

    result: Tree
    patch: Tree
    table: FieldTable

    def lay(self, path: Path, into: dict[str, Any], entries: Mapping[str, Any]) -> None:
        """Lay the entries of the patch at a path over a mapping."""
        for key, entry in entries.items():
            here = (*path, key)
            if entry is None and not _keeps_null(here):
                into.pop(key, None)
            elif type(entry) is dict and self._merges(here) and not _is_var(entry):
                self._merge(here, into, entry)
            else:
                into[key] = entry
                self.result.take(here, self.patch)

    def _merge(self, here: Path, into: dict[str, Any], entry: Mapping[str, Any]) -> None:
        """Merge a mapping into the one at its key; a patch that only removes missing keys declares nothing."""
        key = str(here[-1])
        current = into.get(key)
        is_new = not isinstance(current, dict) or _is_var(current)
        child: dict[str, Any] = {} if is_new else dict(current or {})
        if is_new:
            self.result.moved(here, self.patch.origin(here))
        self.lay(here, child, entry)
        if is_new and entry and not child:
            into.pop(key, None)
        else:
            into[key] = child

    def _merges(self, path: Path) -> bool:
        """Whether mappings at a path merge. A target's entry is a patch, in which the same fields merge."""
        if path[0] == "targets":
            return len(path) <= 2 or self._merges(path[2:])
        row = self.table.maps.get(str(path[0]))
        return path[0] == LIFECYCLE if row is None else len(path) <= row.depth


def _is_var(entry: Any) -> bool:
    return is_reference(entry, "var") and isinstance(entry["var"], str)


def _keeps_null(path: Path) -> bool:
    """Whether null is kept: inside a target's patch it still has to take something away."""
    return path[0] == "targets" and len(path) > 2


def make_source_map(tree: Tree, value: Any, sources: Mapping[str, SourceMap], prompt: str) -> SourceMap:
    """Return the positions of all values and keys of a resolved tree, each in the file it came from.

    `prompt` is the field that may have been joined from parts.
    """
    values: dict[Path, Position] = {}
    keys: dict[Path, Position] = {}
    for path in (*_walk_paths(value), *_walk_parts(tree, sources, prompt)):
        origin = tree.origin(path)
        known = sources.get(origin.file, SourceMap())
        if origin.path in known.values:
            values[path] = known.values[origin.path]
        if origin.path in known.keys:
            keys[path] = known.keys[origin.path]
    return SourceMap(values, keys)


def _walk_paths(value: Any) -> Iterator[Path]:
    """Yield the paths of a value and of everything in it."""
    waiting: list[tuple[Path, Any]] = [((), value)]
    while waiting:
        path, entry = waiting.pop()
        yield path
        if type(entry) is dict:
            waiting.extend(((*path, key), inner) for key, inner in entry.items())
        elif type(entry) is list:
            waiting.extend(((*path, index), inner) for index, inner in enumerate(entry))


def _walk_parts(tree: Tree, sources: Mapping[str, SourceMap], prompt: str) -> Iterator[Path]:
    """Yield the paths of the parts that a prompt was joined from, so that each keeps its position."""
    for index in count():
        path: Path = (prompt, index)
        origin = tree.origin(path)
        if origin.path not in sources.get(origin.file, SourceMap()).values:
            return
        yield path
