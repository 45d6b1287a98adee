"""From the first assistants API to the second, by the rules that OpenAI's migration page gave. Pure; asks nobody.

What has no rule is listed with what to do, and never guessed: the files of `retrieval` need a vector store, which
only the server can make.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from trueup.core.migration.imported import Found

RETRIEVAL, SEARCH, INTERPRETER = "retrieval", "file_search", "code_interpreter"

SHOWN: Final = 20
"""File ids that a remark names; the first API took no more."""


def is_first(body: Mapping[str, Any]) -> bool:
    """Whether an assistant speaks the first API's words: `file_ids`, `retrieval`, or the format `none`."""
    return "file_ids" in body or RETRIEVAL in _kinds(body) or body.get("response_format") == "none"


def migrated(found: Found) -> Found:
    """The assistant in the second API's words; one that has none of the first's is returned as it is."""
    given = {**found.extra, **found.body}
    if not is_first(given):
        return found
    body, remarks = dict(found.body), list(found.remarks)
    kinds = _kinds(body)
    files = _files(given)
    if RETRIEVAL in kinds:
        body["tools"] = _renamed(body["tools"])
    if body.get("response_format") == "none":
        del body["response_format"]
        remarks.append("response_format none is no word of the second API; it was dropped, which means auto")
    if files and INTERPRETER in kinds:
        lists = body.get("tool_resources")
        given_lists = lists if isinstance(lists, Mapping) else {}
        body["tool_resources"] = {**given_lists, INTERPRETER: {"file_ids": files}}
    if files and RETRIEVAL in kinds:
        remarks.append(
            f"retrieval searched in {_listed(files)}; the second API searches in a vector store. Make one with these "
            "files, and write its id into tool_resources.file_search.vector_store_ids"
        )
    elif files and INTERPRETER not in kinds:
        remarks.append(
            f"{_listed(files)} were attached without a tool that uses them, and no rule says where they go: add "
            "code_interpreter with tool_resources.code_interpreter.file_ids, or file_search with a vector store"
        )
    extra = {key: value for key, value in found.extra.items() if key != "file_ids"}
    body.pop("file_ids", None)
    return replace(found, body=body, extra=extra, remarks=tuple(remarks))


def _kinds(body: Mapping[str, Any]) -> set[str]:
    tools = body.get("tools")
    entries = tools if isinstance(tools, list) else []
    return {str(tool.get("type")) for tool in entries if isinstance(tool, Mapping)}


def _files(body: Mapping[str, Any]) -> list[str]:
    files = body.get("file_ids")
    return [entry for entry in files if isinstance(entry, str)] if isinstance(files, list) else []


def _renamed(tools: Sequence[Any]) -> list[Any]:
    """The tools with `retrieval` called `file_search`; one that is there twice by then stays once."""
    search = {"type": SEARCH}
    named = [search if isinstance(tool, Mapping) and tool.get("type") == RETRIEVAL else tool for tool in tools]
    return [tool for index, tool in enumerate(named) if tool != search or tool not in named[:index]]


def _listed(files: Sequence[str]) -> str:
    more = f" and {len(files) - SHOWN} more" if len(files) > SHOWN else ""
    return f"{'the file' if len(files) == 1 else 'the files'} {', '.join(files[:SHOWN])}{more}"
