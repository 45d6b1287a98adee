"""Names of new definition files, and functions that several assistants have alike as parts.

Names are short, in lower case, and safe on every system. The same names in the same order give the same files on
every machine.
"""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

from trueup.core.definitions.names import fold_name, normalize

LENGTH: Final = 60
"""Characters of a file's stem; it also goes into the stamp."""

BYTES: Final = 150
"""Bytes of a file's stem: file systems take 255 for a whole name."""

NAMELESS: Final = "assistant"

_PORTS: Final = frozenset(f"{port}{number}" for port in ("com", "lpt") for number in "0123456789¹²³")
_DEVICES: Final = frozenset({"con", "prn", "aux", "nul"}) | _PORTS
"""Names that Windows keeps for devices, whatever ending follows."""

_NOT_DEFINITIONS: Final = frozenset({"readme"})
"""Stems that would make a Markdown file no definition."""


def make_stem(name: str, fallback: str = NAMELESS) -> str:
    """Turn a display name into a file stem: lower-case letters and digits of any script, joined by hyphens.

    `Math Tutor (v2)` is `math-tutor-v2`; a name without a letter or digit is the fallback.
    """
    lower = normalize(unicodedata.normalize("NFC", name).lower())
    kept = "".join(letter if _is_kept(letter) else " " for letter in lower)
    text = _cut_stem("-".join(kept.split()))
    if not text or unicodedata.category(text[0])[0] == "M":
        text = f"{fallback}-{text}".rstrip("-")
    return avoid_reserved(text, fallback)


def avoid_reserved(text: str, fallback: str) -> str:
    """Return the stem, with the fallback appended if the name is reserved."""
    return f"{text}-{fallback}" if text in _DEVICES or text in _NOT_DEFINITIONS else text


def find_free_name(wanted: str, taken: Collection[str]) -> str:
    """Return the name, or the name with the first free number; `taken` are names as `fold_name` returns them."""
    return next(name for name in _number(wanted) if fold_name(name) not in taken)


def _number(wanted: str) -> Iterator[str]:
    yield wanted
    for number in count(2):
        yield f"{wanted}-{number}"


def _is_kept(letter: str) -> bool:
    """Letters, digits and the marks that letters of many scripts are made with; not what changes when normalised."""
    return unicodedata.category(letter) in ("Ll", "Lu", "Lo", "Lm", "Mn", "Mc", "Nd")


def _cut_stem(text: str) -> str:
    """Cut a text to the maximum lengths, at a hyphen if one is near."""
    short = text[:LENGTH]
    while len(short.encode("utf-8")) > BYTES:
        short = short[:-1]
    if short != text:
        head, hyphen, _ = short.rpartition("-")
        short = head if hyphen and len(head) >= LENGTH // 2 else short
    return normalize(short).strip("-")


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
        """Return the file that holds exactly this tool, or None if the tool stays in the definition."""
        return self.files.get(_tool_key(tool)) if is_function(tool) else None


def is_function(tool: Any) -> bool:
    """Whether a tool is a function with a name."""
    inner = tool.get("function") if isinstance(tool, Mapping) else None
    return isinstance(inner, Mapping) and isinstance(inner.get("name"), str)


def find_shared_parts(bodies: Iterable[Mapping[str, Any]], known: Mapping[str, Any]) -> Parts:
    """Return the shared tools of these bodies; `known` maps the paths of existing ones, which are reused, to values."""
    files = {_tool_key(value): path for path, value in known.items() if is_function(value)}
    taken = {fold_name(path) for path in known}
    users: Counter[str] = Counter()
    tools: dict[str, Mapping[str, Any]] = {}
    for body in bodies:
        listed = body.get("tools")
        functions = [tool for tool in listed if is_function(tool)] if isinstance(listed, list) else []
        mine = {_tool_key(tool): tool for tool in functions}
        users.update(mine.keys())
        tools.update(mine)
    fresh: dict[str, Mapping[str, Any]] = {}
    for key, tool in tools.items():
        if key not in files and users[key] >= FEWEST:
            path = _make_path(tool["function"]["name"], taken)
            taken.add(fold_name(path))
            files[key], fresh[path] = path, tool
    return Parts({key: path for key, path in files.items() if key in tools}, fresh)


def _make_path(name: str, taken: set[str]) -> str:
    """Return a free path for a function's file: the function's name in lower case."""
    base = avoid_reserved(name.lower().strip("_-") or "function", "function")
    return find_free_name(f"{FOLDER}/{base}", {path.removesuffix(SUFFIX) for path in taken}) + SUFFIX


def _tool_key(tool: Any) -> str:
    """Return a key that is equal for identical tools; the order of keys makes no difference."""
    return json.dumps(tool, sort_keys=True)
