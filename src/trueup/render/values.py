"""Single values as a person reads them in a plan: short, on one row, safe. Knows no layout."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from trueup.core.plans.diff import tool_label
from trueup.core.plans.plan import MISSING
from trueup.render.style import Look
from trueup.render.visible import make_visible, shorten

MUCH = 4_000
"""Characters of a value that are looked at when it is shown on one row."""

BRIEF = 64
"""Characters of a list or a mapping that is shown whole on one row."""

NAMED = 200
"""Tools of a list that are named."""


class Words(str):
    """Words of ours in the place of a value that is not there."""


def write_value(item: Any, look: Look, width: int = 60) -> str:
    """Return one value on one row, cut at `width` columns: text in double quotes, an absent one as words."""
    if item is MISSING:
        return "(not set)"
    if isinstance(item, Words):
        return item
    if isinstance(item, str):
        quoted = make_visible(item[:MUCH].replace("\n", "\\n"), look)
        return f'"{shorten(quoted, max(width - 2, 4), look)}"'
    if isinstance(item, float) and item.is_integer() and abs(item) < 1e15:
        return str(int(item))
    return shorten(make_visible(_json(item), look), width, look)


def _json(item: Any) -> str:
    """Return JSON with blanks, no further than anybody will see: large values are opened only at their start."""
    if isinstance(item, Mapping):
        inner = (f"{json.dumps(key, ensure_ascii=False)}: {_json(entry)}" for key, entry in item.items())
        return "{" + _join(inner) + "}"
    if isinstance(item, (list, tuple)):
        return "[" + _join(map(_json, item)) + "]"
    if isinstance(item, str):
        return json.dumps(item[:MUCH], ensure_ascii=False)
    return json.dumps(item)


def _join(parts: Iterable[str]) -> str:
    text = ""
    for part in parts:
        text += (", " if text else "") + part
        if len(text) > MUCH:
            return text
    return text


def is_text(item: Any, limit: int = 60) -> bool:
    """Whether a value is text that wants lines of its own."""
    return isinstance(item, str) and ("\n" in item or len(item) > limit)


def is_nested(item: Any) -> bool:
    """Whether a value has parts."""
    return isinstance(item, (Mapping, list, tuple))


def is_brief(item: Any) -> bool:
    """Whether a value is shown whole on one row: an absent one, a number, a short text, a small list or mapping."""
    if is_nested(item):
        return len(_json(item)) <= BRIEF
    return not is_text(item)


def describe_amount(text: str) -> str:
    """Return how much text there is: `24 lines, 1,204 characters`."""
    lines = text.count("\n") + (not text.endswith("\n") and text != "")
    return f"{pluralize(lines, 'line')}, {pluralize(len(text), 'character')}"


def pluralize(number: int, word: str) -> str:
    """Return a number with its word: `1 line`, `12 lines`."""
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"


def list_tools(items: Any, look: Look) -> str:
    """Return a list of tools by what people call them."""
    if not isinstance(items, (list, tuple)) or not items:
        return write_value(items, look)
    more = f" and {len(items) - NAMED:,} more" if len(items) > NAMED else ""
    return make_visible(", ".join(map(tool_label, items[:NAMED])), look) + more
