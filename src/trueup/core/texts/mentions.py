"""Placeholders and tools that a prompt speaks of, and which of them appeared or vanished. Knows no lines' fate."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from trueup.core.texts.prose import Mention, Sort
from trueup.core.tools import inner_of

_PLACEHOLDER = re.compile(
    r"\{\{[^{}\n]{1,80}\}\}|\{[^\W\d][\w.-]{0,60}\}|<[^\W\d][\w.:-]{0,60}>"  # {{x}}, {x}, <x>
)


def function_names(tools: Any) -> tuple[str, ...]:
    """The names of the functions, and the labels of the servers, in a list of tools; hostile lists have none."""
    found: dict[str, None] = {}
    for tool in tools if isinstance(tools, (list, tuple)) else ():
        for holder in (inner_of(tool), tool):
            named = [holder.get(key) for key in ("name", "server_label")] if isinstance(holder, Mapping) else []
            found.update({name: None for name in named if isinstance(name, str)})
    return tuple(found)


def mentions(before: str, after: str, tools: Collection[str] = ()) -> tuple[Mention, ...]:
    """Return what only one of the texts names, that which appeared first, each in the order of its text.

    `tools` are the names of tools that count as mentioned where they stand.
    """
    old, new = _named(before, tools), _named(after, tools)
    return (*_only(new, old, after, appeared=True), *_only(old, new, before, appeared=False))


def _named(text: str, names: Collection[str]) -> dict[str, Sort]:
    """The placeholders, in the order of the text, and those of the names that stand in it as whole words."""
    found = dict.fromkeys(_PLACEHOLDER.findall(text), Sort.PLACEHOLDER)
    for name in names:
        if name and name in text and _whole(name).search(text):
            found[name] = Sort.TOOL
    return found


def _whole(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])")


def _only(mine: Mapping[str, Sort], other: Mapping[str, Sort], text: str, *, appeared: bool) -> Iterator[Mention]:
    """What one text names and the other does not, each with its first line."""
    fresh = {name: sort for name, sort in mine.items() if name not in other}
    places: dict[str, int] = {}
    for match in _PLACEHOLDER.finditer(text) if fresh else ():
        if match.group() in fresh:
            places.setdefault(match.group(), match.start())
    for name in (name for name, sort in fresh.items() if sort is Sort.TOOL):
        found = _whole(name).search(text)
        places[name] = found.start() if found else 0
    line, last = 1, 0
    for name, place in sorted(places.items(), key=lambda item: item[1]):
        line, last = line + text.count("\n", last, place), place
        yield Mention(fresh[name], name, appeared, line)
