"""Placeholders and tools that a prompt speaks of, and which of them appeared or vanished. Knows no lines' fate."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from trueup.core.prose import Mention, Sort

BUILT_IN = frozenset({"code_interpreter", "file_search", "retrieval", "web_search", "computer_use", "image_generation"})
"""Tools that vendors provide under these names (their API references)."""

SHOWN = 40
"""Mentions that one difference lists; more are another text, and the list would hide the difference."""

_PLACEHOLDER = re.compile(
    r"\{\{[^{}\n]{1,80}\}\}|\{[^\W\d][\w.-]{0,60}\}|<[^\W\d][\w.:-]{0,60}>"  # {{x}}, {x}, <x>
)
_NAME = re.compile(r"\w[\w-]*")


def function_names(tools: Any) -> tuple[str, ...]:
    """The names of the functions, and the labels of the servers, in a list of tools; hostile lists have none."""
    found: dict[str, None] = {}
    for tool in tools if isinstance(tools, (list, tuple)) else ():
        inner = tool.get("function") if isinstance(tool, Mapping) else None
        for holder in (inner, tool):
            named = [holder.get(key) for key in ("name", "server_label")] if isinstance(holder, Mapping) else []
            found.update({name: None for name in named if isinstance(name, str)})
    return tuple(found)


def mentions(before: str, after: str, tools: Collection[str] = ()) -> tuple[Mention, ...]:
    """What only one of the texts names: that which appeared first, each in the order of its text."""
    names = BUILT_IN.union(tools)
    old, new = dict(_named(before, names)), dict(_named(after, names))
    appeared = [
        Mention(sort, text, True, _line(after, at)) for (sort, text), at in new.items() if (sort, text) not in old
    ]
    vanished = [
        Mention(sort, text, False, _line(before, at)) for (sort, text), at in old.items() if (sort, text) not in new
    ]
    return (*appeared[:SHOWN], *vanished[:SHOWN])


def _named(text: str, names: Collection[str]) -> Iterator[tuple[tuple[Sort, str], int]]:
    """Each name with the place of its first mention, in the order of the text."""
    found = [((Sort.PLACEHOLDER, match.group()), match.start()) for match in _PLACEHOLDER.finditer(text)]
    found += [((Sort.TOOL, match.group()), match.start()) for match in _NAME.finditer(text) if match.group() in names]
    first: dict[tuple[Sort, str], int] = {}
    for name, at in found:
        first.setdefault(name, at)
    yield from sorted(first.items(), key=lambda item: item[1])


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1
