"""Assistants in the files of other tools: what a JSON value is, told by its content, and the assistants in it.

Known are an assistant as the API answered it (the first protocol's too), a page of a listing, a list of either, our
own export and backup, and states of Terraform (`core.migration.terraform`). Everything in a file is hostile until
checked. Reads no file; `core.migration.foreign_agents` knows the agents of other platforms.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from trueup.core.memory.state import is_plain_id
from trueup.core.migration.first_protocol import as_first, as_second
from trueup.core.migration.foreign_agents import agent
from trueup.core.migration.imported import Found, Unread
from trueup.core.migration.terraform import Resource, assistants_of_state

FIELDS: Final = (
    "name", "description", "model", "instructions", "reasoning_effort", "temperature", "top_p", "tools",
    "tool_resources", "metadata", "response_format",
)  # fmt: skip
"""The fields of an assistant of the second API."""

_OWN: Final = frozenset({"id", "object", "created_at"})
"""Keys of an answer that belong to the server and say nothing of the assistant."""


def assistants_in(value: Any, where: str, *, first: bool = False) -> Iterator[Found | Unread]:
    """Return every assistant in the JSON value of a file, and whatever else is there; `where` names the file.

    Words of the first API become those of the second, unless the target is one of the `first`.
    """
    for item in _entries(value, where):
        yield item if isinstance(item, Unread) else as_first(item) if first else as_second(item)


def _entries(value: Any, where: str) -> Iterator[Found | Unread]:
    if isinstance(value, list):
        yield from _several(value, where)
    elif not isinstance(value, Mapping):
        yield Unread(where, "holds no JSON object, and no list of them")
    elif value.get("kind") == "export" and isinstance(value.get("assistants"), list):
        for index, entry in enumerate(value["assistants"], 1):
            yield _exported(entry, f"{where}, entry {index}")
    elif value.get("object") == "list" or (isinstance(value.get("data"), list) and "model" not in value):
        yield from _page(value, where)
    elif (state := assistants_of_state(value, where)) is not None:
        yield from map(_stored, state)
    elif is_backup(value):
        yield _backup(value, where)
    else:
        yield one(value, where)


def is_backup(value: Any) -> bool:
    """Return whether a JSON value is a file of `.trueup/backup/`."""
    return isinstance(value, Mapping) and isinstance(value.get("body"), Mapping) and "taken_at" in value


def _stored(item: Resource | Unread) -> Found | Unread:
    """An assistant of a Terraform state."""
    found = item if isinstance(item, Unread) else one(item.value, item.where)
    if isinstance(item, Unread) or isinstance(found, Unread):
        return found
    return replace(found, omissions=item.omissions, remarks=item.remarks)


def one(value: Any, where: str) -> Found | Unread:
    """Return the assistant that a JSON object is."""
    if not isinstance(value, Mapping):
        return Unread(where, "is no JSON object")
    kind = value.get("object", "assistant")
    other = agent(value, where) if value.get("object") != "assistant" else None
    if other is not None:
        return other
    if kind != "assistant" or "model" not in value:
        return Unread(where, _why_none(value, kind))
    live_id, created_at = value.get("id") or "", value.get("created_at")
    if not isinstance(live_id, str) or (live_id and not is_plain_id(live_id)):
        return Unread(where, "has an id that no assistant can have")
    body = {key: value[key] for key in FIELDS if key in value}
    extra = {key: entry for key, entry in value.items() if key not in _OWN and key not in FIELDS}
    return Found(live_id, body, where, created_at if type(created_at) is int else 0, extra)


def _why_none(value: Mapping[str, Any], kind: Any) -> str:
    if kind == "assistant.file":
        return "is a file attached to an assistant of the first API; the assistant itself names its files in file_ids"
    if isinstance(kind, str) and kind != "assistant":
        return f"is {kind[:60]!r}, which is no assistant"
    if "error" in value:
        return "is an error that a server answered"
    return "is no assistant: it names no model"


def _several(entries: list[Any], where: str) -> Iterator[Found | Unread]:
    for index, entry in enumerate(entries, 1):
        yield one(entry, f"{where}, entry {index}")


def _page(value: Mapping[str, Any], where: str) -> Iterator[Found | Unread]:
    entries = value.get("data")
    if not isinstance(entries, list):
        yield Unread(where, "is a listing without data")
        return
    yield from _several(entries, where)
    more = value.get("has_more")
    if more is not None and more is not False:
        says = "says that there is more" if more is True else "has a `has_more` that is neither true nor false"
        yield Unread(where, f"{says}: only this page of the listing could be read from it")


def _exported(entry: Any, where: str) -> Found | Unread:
    """One entry of our own export, in which the server's own keys stand apart."""
    if not isinstance(entry, Mapping) or not isinstance(entry.get("body"), Mapping):
        return Unread(where, "is no entry of an export")
    extra = entry.get("extra")
    known = {key: entry[key] for key in ("id", "created_at") if key in entry}
    return one({**(extra if isinstance(extra, Mapping) else {}), **entry["body"], **known}, where)


def _backup(value: Mapping[str, Any], where: str) -> Found | Unread:
    """What `.trueup/backup/` keeps: an assistant as it was before a write."""
    return one({**value["body"], "object": "assistant"}, where)
