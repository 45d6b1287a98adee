"""Pages of a listing as OpenAI's APIs are asked for them and answer them. Knows no storage and no vendor."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from trueup.local.rules import Refusal

PAGE = 20
PAGE_LIMIT = 100


def limit_of(query: Mapping[str, str]) -> int:
    """How many entries are asked for. Raises `Refusal` for less than 1, more than 100, and what is no number."""
    asked = query.get("limit")
    if asked is None:
        return PAGE
    if not (asked.isascii() and asked.removeprefix("-").isdigit() and len(asked) <= 12):
        raise Refusal(
            f"Invalid type for 'limit': expected an integer, but got '{asked[:80]}' instead.", "limit", "invalid_type"
        )
    limit = int(asked)
    if limit < 1:
        said = f"Invalid 'limit': integer below minimum value. Expected a value >= 1, but got {limit} instead."
        raise Refusal(said, "limit", "integer_below_min_value")
    if limit > PAGE_LIMIT:
        said = (
            f"Invalid 'limit': integer above maximum value. Expected a value <= {PAGE_LIMIT}, but got {limit} instead."
        )
        raise Refusal(said, "limit", "integer_above_max_value")
    return limit


def newest_first(query: Mapping[str, str]) -> bool:
    """Whether the listing runs backwards, which is the default. Raises `Refusal` for an order that is none."""
    asked = query.get("order")
    if asked not in (None, "asc", "desc"):
        said = f"Invalid value: '{asked[:80]}'. Supported values are: 'asc', and 'desc'."
        raise Refusal(said, "order", "invalid_value")
    return asked != "asc"


def lost_cursor(cursors: Mapping[str, str], lost: str) -> Refusal:
    """The refusal of a cursor that names nothing: an empty page in its place would look like the end."""
    param = next(name for name, cursor in cursors.items() if cursor == lost)
    return Refusal(f"Invalid '{param}': no object in this list has the id '{lost}'.", param, "invalid_value")


def page_text(entries: Sequence[str], has_more: bool, with_first: bool = True, last_id_when: str = "always") -> str:
    """The JSON text of a page from those of its entries; cursors of an empty page are null.

    `last_id_when` is `always`, `filled` (an empty page has none), or `never`.
    """
    first, last = (json.loads(entries[at])["id"] if entries else None for at in (0, -1))
    tail: dict[str, Any] = {"first_id": first} if with_first else {}
    if last_id_when == "always" or (last_id_when == "filled" and entries):
        tail["last_id"] = last
    ending = json.dumps({**tail, "has_more": has_more})
    return f'{{"object": "list", "data": [{", ".join(entries)}], {ending[1:]}'
