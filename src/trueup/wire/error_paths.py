"""Where in a request a server's error points, in the spellings that were seen: a path into the body, or nothing.

Spellings: `tools[2].function.name` (OpenAI, Azure, Portkey), `["body", "tools", 2, "name"]` (FastAPI's `loc`, Prism's
`location`), `/tools/2` and `$.tools[2]` (JSON pointers and paths), and a path inside of a message, for gateways that
repeat a vendor's error as text. Knows no vendor and no file: what of a path the definition has is the source map's.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from trueup.core.source import Path

LONGEST = 2_000
"""Characters of a message that are searched."""

MOST = 64
"""Steps that a path may have."""

_STEPS = re.compile(r"[^][.'\"/]+")
_NESTED = re.compile(r"""["']param["']\s*:\s*["']([^"']+)["']""")
_QUOTED = re.compile(r"""['"`]([A-Za-z_$/][^'"`\s]{0,200})['"`]""")
_BARE = re.compile(r"(?<![\w.\[/-])([a-z_]+(?:\.[A-Za-z0-9_-]+|\[\d+\])+)")
_LISTS = ("detail", "validation", "errors")
_PLACES = ("loc", "location", "param", "path", "field", "pointer")


def path_of(param: str) -> Path:
    """`tools[2].function.name`, `/tools/2/function/name` or `$.tools[2]` as a path."""
    steps = _STEPS.findall(param.removeprefix("$"))[:MOST]
    return _inside([int(step) if step.isascii() and step.isdigit() and len(step) < 10 else step for step in steps])


def path_in(message: str, fields: Collection[str]) -> Path:
    """The first path that a message names and that begins with one of the fields; empty where there is none."""
    text = message[:LONGEST]
    for pattern in (_NESTED, _QUOTED, _BARE):
        for found in pattern.finditer(text):
            path = path_of(found[1])
            if path and path[0] in fields:
                return path
    return ()


def first(paths: Iterable[Path], fields: Collection[str]) -> Path:
    """The first path that begins with one of the fields, else the first there is: a gateway may fill in a word."""
    found = [path for path in paths if path]
    return next((path for path in found if path[0] in fields), found[0] if found else ())


def listed(body: Mapping[str, Any]) -> Path:
    """The path of the first of several problems that an error lists and that is in the body of the request."""
    lists = [body[key] for key in _LISTS if isinstance(body.get(key), list)]
    entries = [entry for found in lists for entry in found if isinstance(entry, Mapping)]
    paths = (_placed(entry.get(place), place) for entry in entries for place in _PLACES)
    return next(filter(None, paths), ())


def steps(location: Any) -> Path:
    """`["body", "tools", 0]` as a path; what is not in the body has none."""
    if not isinstance(location, list) or location[:1] != ["body"]:
        return ()
    found = [step for step in location[1 : MOST + 1] if isinstance(step, str) or type(step) is int]
    return tuple(int(step) if isinstance(step, str) and step.isascii() and step.isdigit() else step for step in found)


def _placed(value: Any, place: str) -> Path:
    if place in ("loc", "location"):
        return steps(value)
    return path_of(value) if isinstance(value, str) else ()


def _inside(found: list[str | int]) -> Path:
    """The steps below the body, which some spell out."""
    return tuple(found[1:] if found[:1] == ["body"] else found)
