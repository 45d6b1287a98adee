"""The files of one assistant as v1 of OpenAI's API served them below `/assistants/{id}/files`.

A file object is the attachment; taking it off leaves the file where it is. Knows how to answer; storage is `Server`'s.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from trueup.local import paging
from trueup.local.openai_assistants.v1_view import KEY
from trueup.local.rules import Refusal, record, text

_ATTACH = record({"file_id": text(minimum=1)}, required=("file_id",))


def attachments(stored: Mapping[str, Any]) -> dict[str, int]:
    """The attached files' ids with the Unix seconds at which they came."""
    return dict(stored.get(KEY, {}).get("files", {}))


def attaching(stored: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    """The v1 modify that attaches a file. Raises `Refusal` for a body that names none."""
    _ATTACH(body, "")
    return {"file_ids": list(dict.fromkeys([*attachments(stored), body["file_id"]]))}


def detaching(stored: Mapping[str, Any], file_id: str) -> dict[str, Any]:
    """The v1 modify that takes a file off. Raises `Refusal` (404) when it is not there."""
    shown(stored, file_id)
    return {"file_ids": [name for name in attachments(stored) if name != file_id]}


def shown(stored: Mapping[str, Any], file_id: str) -> dict[str, Any]:
    """The attachment's object. Raises `Refusal` (404) when the file is not attached."""
    files = attachments(stored)
    if file_id not in files:
        raise Refusal(f"No such File object: {file_id} is not attached to {stored['id']}", "id", status=404)
    return {
        "id": file_id, "object": "assistant.file", "created_at": files[file_id], "assistant_id": stored["id"],
    }  # fmt: skip


def page(stored: Mapping[str, Any], query: Mapping[str, str]) -> str:
    """One page of the attachments, as JSON text. Raises `Refusal` as a listing of assistants does."""
    limit, backwards = paging.limit_of(query), paging.newest_first(query)
    cursors = {name: query.get(name) or "" for name in ("after", "before")}
    names = list(attachments(stored))[:: -1 if backwards else 1]
    for cursor in cursors.values():
        if cursor and cursor not in names:
            raise paging.lost_cursor(cursors, cursor)
    start = names.index(cursors["after"]) + 1 if cursors["after"] else 0
    end = names.index(cursors["before"]) if cursors["before"] else len(names)
    if cursors["before"] and not cursors["after"]:
        start = max(0, end - limit)
        more = start > 0
    else:
        more = end - start > limit
        end = min(end, start + limit)
    return paging.page_text([json.dumps(shown(stored, name)) for name in names[start:end]], more)
