"""Finds names and ids in a state or a journal that cannot be read as one, such as one with conflict markers."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from trueup.core.memory.state import is_plain_id

_NAME = re.compile(r' {4}("(?:[^"\\]|\\.)+"): \{')
_ID = re.compile(r' {6}"id": "([^"\\]*)"')
_ENTRY = re.compile(r'\{"step":.*?"name":("(?:[^"\\]|\\.)+"),.*?"id":"([^"\\]*)"')


def find_names(text: str) -> Mapping[str, str]:
    """Map the names of records and of pending requests to their ids, empty where there is none.

    Each is on lines of its own, so that damage elsewhere hides none of them.
    """
    found: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        if match := _NAME.match(line):
            name = _decode(match[1])
            continue
        entry = _ENTRY.match(line)
        if match := entry or _ID.match(line):
            owner, live_id = (_decode(entry[1]), entry[2]) if entry else (name, match[1])
            found[owner] = live_id if is_plain_id(live_id) else found.get(owner, "")
    found.pop("", None)
    return found


def _decode(word: str) -> str:
    """Return the text that a JSON string holds; nothing for a damaged one."""
    try:
        return str(json.loads(word))
    except ValueError:
        return ""
