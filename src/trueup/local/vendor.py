"""A vendor as its front door shows it, and the shapes of its answers: errors, and pages of a listing.

Knows no protocol, no storage and no transport: each embedded server has rows of its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from trueup.core.call import Body, Reply
from trueup.local.rules import Refusal

TEXT_START = 500
"""Characters of an answer that `Reply.text` repeats."""


def envelope(
    message: str, param: str | None = None, code: str | None = None, kind: str = "invalid_request_error"
) -> dict[str, Any]:
    """OpenAI's error body, which Azure and Foundry share."""
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def short(code: str, message: str) -> dict[str, Any]:
    """Return the error body of Microsoft's front doors: a code and a message, and nothing else."""
    return {"error": {"code": code, "message": message}}


def failure(message: str, **more: Any) -> dict[str, Any]:
    """Portkey's own error body."""
    return {"status": "failure", "message": message, **more}


def reply(status: int, body: Any, headers: Mapping[str, str] | None = None) -> Reply:
    """Return an answer with a JSON body."""
    text = json.dumps(body)
    return Reply(status, {"content-type": "application/json", **(headers or {})}, body, text[:TEXT_START])


def plain(status: int, text: str) -> Reply:
    """Return an answer in plain text."""
    return Reply(status, {"content-type": "text/plain;charset=UTF-8"}, Body.NOT_JSON, text)


Said = tuple[int, Mapping[str, Any]]
"""A status and a body."""


@dataclass(frozen=True, slots=True)
class Door:
    """What those hear who are not let in: without a key, with a wrong one, without a version or with an unknown one.

    `lost` is the body of the 404 for a path that does not exist; None: the vendor names the path, as OpenAI does.
    """

    no_key: Said
    wrong_key: Said
    no_version: Said
    unknown_version: Said
    lost: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Vendor:
    """One vendor's way in.

    `mount` is the path of its base URL. `credentials` are the ways in that it takes: `bearer`, `api-key`. `betas`
    names, for each version header it takes, the vendor as which it then answers; empty: it wants none. `retired` are
    versions of that header that it knows and takes no more. `versions` are the values of `api-version`, oldest first;
    empty: it wants none. `dated`: those between the first and the last are taken too.
    """

    name: str
    mount: str
    door: Door
    credentials: tuple[str, ...] = ("bearer",)
    betas: Mapping[str, str] = field(default_factory=dict)
    retired: frozenset[str] = frozenset()
    versions: tuple[str, ...] = ()
    dated: bool = False

    def takes_version(self, version: str) -> bool:
        """Return whether it knows this `api-version`."""
        if not self.dated:
            return version in self.versions
        return version.endswith("-preview") and self.versions[0] <= version <= self.versions[-1]


def openai_door(no_version: str, unknown_version: str) -> Door:
    """OpenAI's door; the two messages are about the version header of one of its APIs."""
    no_key = "No API key was sent: put it into a header, 'Authorization: Bearer YOUR_KEY'."
    wrong_key = "Incorrect API key provided: this server was started with another one."
    return Door(
        no_key=(401, envelope(no_key)),
        wrong_key=(401, envelope(wrong_key, code="invalid_api_key")),
        no_version=(400, envelope(no_version, code="invalid_beta")),
        unknown_version=(400, envelope(unknown_version, code="invalid_beta")),
    )


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
    """Return whether the listing runs backwards, which is the default. Raises `Refusal` for an order that is none."""
    asked = query.get("order")
    if asked not in (None, "asc", "desc"):
        said = f"Invalid value: '{asked[:80]}'. Supported values are: 'asc', and 'desc'."
        raise Refusal(said, "order", "invalid_value")
    return asked != "asc"


def lost_cursor(cursors: Mapping[str, str], lost: str) -> Refusal:
    """Return the refusal of a cursor that names nothing: an empty page in its place would look like the end."""
    param = next(name for name, cursor in cursors.items() if cursor == lost)
    return Refusal(f"Invalid '{param}': no object in this list has the id '{lost}'.", param, "invalid_value")


def page_text(entries: Sequence[str], has_more: bool, with_first: bool = True, last_id_when: str = "always") -> str:
    """Return the JSON text of a page from those of its entries; cursors of an empty page are null.

    `last_id_when` is `always`, `filled` (an empty page has none), or `never`.
    """
    first, last = (json.loads(entries[at])["id"] if entries else None for at in (0, -1))
    tail: dict[str, Any] = {"first_id": first} if with_first else {}
    if last_id_when == "always" or (last_id_when == "filled" and entries):
        tail["last_id"] = last
    ending = json.dumps({**tail, "has_more": has_more})
    return f'{{"object": "list", "data": [{", ".join(entries)}], {ending[1:]}'
