"""Assistants as v1 of OpenAI's API saw them: files on the assistant, and a tool called retrieval. Knows no storage.

By the rules that OpenAI published for moving to v2: there is one assistant, and the header chooses the view. Files
given under v1 reach the lists that v2 shows, also when they are taken off; what v2 changes does not show under v1.
What was not published: a file search made under v2 is shown as retrieval, and the format `none` as v2's `auto`. This
server holds no files: a vector store that retrieval needs is named, not filled, and v1's order of files, by their
creation, is that of their ids. Files are served below `/assistants/{id}/files`: a file object is the attachment, and
taking it off leaves the file where it is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from trueup.local.openai_assistants.vendors import FILE_IDS
from trueup.local.rules import Refusal, record, text
from trueup.local.vendor import limit_of, lost_cursor, newest_first, page_text

KEY = "v1"
"""Where a stored assistant keeps what only v1 knows: each attached file's id with its time, and the format `none`."""


def to_v1(stored: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    """Return the answer to a v1 request."""
    own = stored.get(KEY, {})
    shown = {**stored, "tools": [_v1_tool(tool) for tool in stored["tools"]], "file_ids": sorted(own.get("files", {}))}
    if own.get("none") and stored["response_format"] == "auto":
        shown["response_format"] = "none"
    return {name: shown[name] for name in keys}


def from_v1(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a checked v1 body in v2's words, without its files."""
    wide = {name: value for name, value in body.items() if name != "file_ids"}
    if "tools" in wide:
        wide["tools"] = [{"type": "file_search"} if tool["type"] == "retrieval" else tool for tool in wide["tools"]]
    if wide.get("response_format") == "none":
        wide["response_format"] = "auto"
    elif isinstance(wide.get("response_format"), dict):
        wide["response_format"] = {"type": "text", **wide["response_format"]}
    return wide


def attach_files(
    assistant: Mapping[str, Any], before: Mapping[str, Any] | None, body: Mapping[str, Any], now: int
) -> dict[str, Any]:
    """Return the assistant after a v1 write, with its files where v2 looks for them; `now` is Unix seconds.

    Raises `Refusal` when the lists that both views filled grow over their limit.
    """
    own = before.get(KEY, {}) if before else {}
    old = own.get("files", {})
    files = {name: old.get(name, now) for name in body.get("file_ids", old)}
    none = body["response_format"] == "none" if "response_format" in body else own.get("none", False)
    resources = {tool: dict(lists) for tool, lists in assistant["tool_resources"].items()}
    newly = _tool_types(assistant) - (_tool_types(before) if before else frozenset())
    if "code_interpreter" in resources:
        listed = [name for name in resources["code_interpreter"]["file_ids"] if name in files or name not in old]
        fresh = files if "code_interpreter" in newly else [name for name in files if name not in old]
        if "code_interpreter" in _tool_types(assistant):
            listed += [name for name in fresh if name not in listed]
        FILE_IDS(listed, "file_ids")
        resources["code_interpreter"]["file_ids"] = listed
    if files and "file_search" in _tool_types(assistant) and not resources["file_search"]["vector_store_ids"]:
        resources["file_search"]["vector_store_ids"] = [f"vs_{assistant['id'].removeprefix('asst_')}"]
    return {**assistant, "tool_resources": resources, KEY: {"files": files, "none": none}}


def _tool_types(assistant: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(tool["type"] for tool in assistant["tools"])


def _v1_tool(tool: Mapping[str, Any]) -> dict[str, Any]:
    if tool["type"] == "file_search":
        return {"type": "retrieval"}
    if tool["type"] == "function":
        return {"type": "function", "function": {k: v for k, v in tool["function"].items() if k != "strict"}}
    return dict(tool)


_ATTACH = record({"file_id": text(minimum=1)}, required=("file_id",))


def attachments(stored: Mapping[str, Any]) -> dict[str, int]:
    """Return the attached files' ids with the Unix seconds at which they came."""
    return dict(stored.get(KEY, {}).get("files", {}))


def attaching(stored: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the v1 modify that attaches a file. Raises `Refusal` for a body that names none."""
    _ATTACH(body, "")
    return {"file_ids": list(dict.fromkeys([*attachments(stored), body["file_id"]]))}


def detaching(stored: Mapping[str, Any], file_id: str) -> dict[str, Any]:
    """Return the v1 modify that takes a file off. Raises `Refusal` (404) when it is not there."""
    attachment_of(stored, file_id)
    return {"file_ids": [name for name in attachments(stored) if name != file_id]}


def attachment_of(stored: Mapping[str, Any], file_id: str) -> dict[str, Any]:
    """Return the attachment's object. Raises `Refusal` (404) when the file is not attached."""
    files = attachments(stored)
    if file_id not in files:
        raise Refusal(f"No such File object: {file_id} is not attached to {stored['id']}", "id", status=404)
    return {
        "id": file_id, "object": "assistant.file", "created_at": files[file_id], "assistant_id": stored["id"],
    }  # fmt: skip


def page(stored: Mapping[str, Any], query: Mapping[str, str]) -> str:
    """One page of the attachments, as JSON text. Raises `Refusal` as a listing of assistants does."""
    limit, backwards = limit_of(query), newest_first(query)
    cursors = {name: query.get(name) or "" for name in ("after", "before")}
    names = list(attachments(stored))[:: -1 if backwards else 1]
    for cursor in cursors.values():
        if cursor and cursor not in names:
            raise lost_cursor(cursors, cursor)
    start = names.index(cursors["after"]) + 1 if cursors["after"] else 0
    end = names.index(cursors["before"]) if cursors["before"] else len(names)
    if cursors["before"] and not cursors["after"]:
        start = max(0, end - limit)
        more = start > 0
    else:
        more = end - start > limit
        end = min(end, start + limit)
    return page_text([json.dumps(attachment_of(stored, name)) for name in names[start:end]], more)
