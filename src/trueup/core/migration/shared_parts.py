"""Functions that several assistants have alike become one part, written once. Knows no file but its name."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from trueup.core.definitions.names import folded
from trueup.core.migration.filenames import free, unreserved

FOLDER: Final = "_shared/functions"
"""Where parts with functions are, seen from the definitions folder."""

SUFFIX: Final = ".yaml"

FEWEST: Final = 2
"""Assistants that must have a function before it becomes a part."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Which function stands in which file: `files` maps a tool's JSON to a path below the definitions
    folder, `fresh` maps the paths that are new to the tool they hold."""

    files: Mapping[str, str] = field(default_factory=dict)
    fresh: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def file_of(self, tool: Any) -> str | None:
        """The file that holds this very tool; None where it stands in the definition itself."""
        return self.files.get(_key(tool)) if is_function(tool) else None


def is_function(tool: Any) -> bool:
    """Whether a tool is a function with a name."""
    inner = tool.get("function") if isinstance(tool, Mapping) else None
    return isinstance(inner, Mapping) and isinstance(inner.get("name"), str)


def shared_parts(bodies: Iterable[Mapping[str, Any]], known: Mapping[str, Any]) -> Parts:
    """The parts of these bodies; `known` are the parts there are already, path to value, which are used again."""
    files = {_key(value): path for path, value in known.items() if is_function(value)}
    taken = {folded(path) for path in known}
    users: Counter[str] = Counter()
    tools: dict[str, Mapping[str, Any]] = {}
    for body in bodies:
        listed = body.get("tools")
        functions = [tool for tool in listed if is_function(tool)] if isinstance(listed, list) else []
        mine = {_key(tool): tool for tool in functions}
        users.update(mine.keys())
        tools.update(mine)
    fresh: dict[str, Mapping[str, Any]] = {}
    for key, tool in tools.items():
        if key not in files and users[key] >= FEWEST:
            path = _path(tool["function"]["name"], taken)
            taken.add(folded(path))
            files[key], fresh[path] = path, tool
    return Parts({key: path for key, path in files.items() if key in tools}, fresh)


def _path(name: str, taken: set[str]) -> str:
    """A free path for a function: the name by which models know it, in lower case."""
    base = unreserved(name.lower().strip("_-") or "function", "function")
    return free(f"{FOLDER}/{base}", {path.removesuffix(SUFFIX) for path in taken}) + SUFFIX


def _key(tool: Any) -> str:
    """What two tools share if they are the same to the letter; the order of keys does not count."""
    return json.dumps(tool, sort_keys=True)
