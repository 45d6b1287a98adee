"""Definitions as `render` shows them: JSON, or YAML that reads back as the same values. Pure; knows no file.

Text of several lines is a literal block, so that a prompt can be read; all other text is JSON's, which YAML takes. No
line is a command to a runner in whose log it stands: such text is in quotes too, with an escape.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from trueup.core.definitions.definition import Definition
from trueup.core.texts.tricks import SIGNS
from trueup.render.style import defused, unrunnable, unrunnable_json

FORMAT_VERSION = 1

_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\Z")
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*\Z")
_BLOCK = re.compile(f"[^ \n\t{SIGNS}][^\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff{SIGNS}]*\\Z")
"""Text that a literal block holds as it is: nothing that cannot be seen, and nothing to strip at its beginning."""


def as_json(definitions: Sequence[Definition], target: str) -> str:
    """One versioned document: the body of each assistant by name."""
    shown = {item.name: _whole(item) for item in definitions}
    document = {"format_version": FORMAT_VERSION, "kind": "render", "target": target, "assistants": shown}
    return unrunnable_json(json.dumps(document, indent=2, allow_nan=False)) + "\n"


def as_yaml(definitions: Sequence[Definition], target: str) -> str:
    """One YAML document for each assistant, with its name, file and target in a comment."""
    return "---\n".join(
        defused(f"# {item.name} (target {target}), from {item.file}")
        + "\n"
        + "\n".join(_mapping(_whole(item), 0))
        + "\n"
        for item in definitions
    )


def _whole(item: Definition) -> dict[str, Any]:
    """The body, with what only one protocol knows where there is any."""
    return {**item.body, **({"options": item.options} if item.options else {})}


def _mapping(value: Mapping[str, Any], depth: int) -> Iterator[str]:
    for key, entry in value.items():
        yield from _entry(f"{_key(key)}:", entry, depth)


def _entry(lead: str, value: Any, depth: int) -> Iterator[str]:
    """One key or dash with its value, on its line or below it."""
    pad = "  " * depth
    if isinstance(value, Mapping) and value:
        if lead == "-":
            first, *rest = _mapping(value, depth + 1)
            yield f"{pad}- {first.lstrip(' ')}"
            yield from rest
        else:
            yield f"{pad}{lead}"
            yield from _mapping(value, depth + 1)
    elif isinstance(value, (list, tuple)) and value:
        yield f"{pad}{lead}"
        for entry in value:
            yield from _entry("-", entry, depth + 1)
    elif isinstance(value, str) and "\n" in value and _is_block(value):
        yield from _block(f"{pad}{lead}", value, depth)
    else:
        yield f"{pad}{lead} {_scalar(value)}"


def _is_block(text: str) -> bool:
    """Whether a literal block may hold the text: it can, and no line of it is a command to a runner."""
    return _BLOCK.match(text) is not None and all(defused(line) == line for line in text.split("\n"))


def _block(lead: str, text: str, depth: int) -> Iterator[str]:
    """A literal block; the sign behind the bar says how the text ends."""
    body = text.rstrip("\n")
    ending = len(text) - len(body)
    yield f"{lead} |{'-' if ending == 0 else '' if ending == 1 else '+'}"
    pad = "  " * (depth + 1)
    for line in [*body.split("\n"), *[""] * max(ending - 1, 0)]:
        yield f"{pad}{line}" if line else ""


def _key(key: str) -> str:
    return key if _KEY.match(key) and key.lower() not in _WORDS else _quoted(key)


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return value if _PLAIN.match(value) and value.lower() not in _WORDS else _quoted(value)
    if isinstance(value, Mapping):
        return "{}"
    return json.dumps(list(value) if isinstance(value, tuple) else value)


def _quoted(text: str) -> str:
    """Text in double quotes: JSON's escapes, and YAML's for every other sign that cannot be seen."""
    quoted = unrunnable(json.dumps(text, ensure_ascii=False), "\\u0023")
    return "".join(sign if sign.isprintable() else f"\\U{ord(sign):08x}" for sign in quoted)
