"""Placeholders and tools that a prompt speaks of, and which of them appeared or vanished. Knows no lines' fate."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from itertools import islice
from typing import Any

from trueup.core.prose import Mention, Sort

BUILT_IN = frozenset({"code_interpreter", "file_search", "retrieval", "web_search", "computer_use", "image_generation"})
"""Tools that vendors provide under these names (their API references)."""

SHOWN = 40
"""Mentions that one difference lists; more are another text, and the list would hide the difference."""

_PLACEHOLDER = re.compile(
    r"\{\{[^{}\n]{1,80}\}\}|\{[^\W\d][\w.-]{0,60}\}|<[^\W\d][\w.:-]{0,60}>"  # {{x}}, {x}, <x>
)
_Named = Mapping[tuple[Sort, str], int]
"""Each name with the place of its first mention."""

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
    old, new = _named(before, names), _named(after, names)
    return (*_only(new, old, after, appeared=True), *_only(old, new, before, appeared=False))


def _only(mine: _Named, other: _Named, text: str, *, appeared: bool) -> Iterator[Mention]:
    """What one text names and the other does not, as far as it is listed."""
    found = ((name, at) for name, at in mine.items() if name not in other)
    for (sort, name), at in islice(found, SHOWN):
        yield Mention(sort, name, appeared, text.count("\n", 0, at) + 1)


def _named(text: str, names: Collection[str]) -> _Named:
    """Each name with the place of its first mention, in the order of the text."""
    found = [((Sort.PLACEHOLDER, match.group()), match.start()) for match in _PLACEHOLDER.finditer(text)]
    found += [((Sort.TOOL, match.group()), match.start()) for match in _NAME.finditer(text) if match.group() in names]
    first: dict[tuple[Sort, str], int] = {}
    for name, at in found:
        first.setdefault(name, at)
    return dict(sorted(first.items(), key=lambda item: item[1]))
