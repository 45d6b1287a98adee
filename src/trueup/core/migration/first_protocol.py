"""From the first assistants API to the second, by the rules that OpenAI's migration page gave. Pure; asks nobody.

What has no rule is listed with what to do, and never guessed: the files of `retrieval` need a vector store, which
only the server can make.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from trueup.core.migration.imports import ImportedAssistant, Omission

RETRIEVAL, SEARCH, INTERPRETER = "retrieval", "file_search", "code_interpreter"

SHOWN: Final = 20
"""File ids that a remark names; the first API took no more."""


def is_first(body: Mapping[str, Any]) -> bool:
    """Whether an assistant speaks the first API's words: `file_ids`, `retrieval`, or the format `none`."""
    return "file_ids" in body or RETRIEVAL in _tool_types(body) or body.get("response_format") == "none"


def has_first_words(fields: Collection[str]) -> bool:
    """Return whether a target whose fields these are has the first API's words."""
    return "file_ids" in fields


def as_first(found: ImportedAssistant) -> ImportedAssistant:
    """Return the assistant with `file_ids` among its fields, for a target that has the first API's words."""
    if "file_ids" not in found.extra:
        return found
    extra = {key: value for key, value in found.extra.items() if key != "file_ids"}
    return replace(found, body={**found.body, "file_ids": found.extra["file_ids"]}, extra=extra)


def as_second(found: ImportedAssistant) -> ImportedAssistant:
    """Return the assistant in the second API's words; one that has none of the first's is returned as it is."""
    given = {**found.extra, **found.body}
    if not is_first(given):
        return found
    body, remarks = dict(found.body), list(found.remarks)
    kinds = _tool_types(body)
    files, omissions = _read_files(given.get("file_ids"))
    if RETRIEVAL in kinds:
        body["tools"] = _rename_retrieval(body["tools"])
    if body.get("response_format") == "none":
        del body["response_format"]
        remarks.append("response_format none does not exist in the second API; it was dropped, which means auto")
    if files and INTERPRETER in kinds:
        body["tool_resources"], refused = _add_files(body.get("tool_resources"), files)
        omissions += refused
    if files and RETRIEVAL in kinds:
        omissions.append(Omission("file_ids", _say_searched(files)))
    elif files and INTERPRETER not in kinds:
        omissions.append(Omission("file_ids", _say_attached(files)))
    extra = {key: value for key, value in found.extra.items() if key != "file_ids"}
    body.pop("file_ids", None)
    return replace(found, body=body, extra=extra, remarks=tuple(remarks), omissions=(*found.omissions, *omissions))


def _say_searched(files: Sequence[str]) -> str:
    return (
        f"retrieval searched in {_list_files(files)}; the second API searches in a vector store. Make one with these "
        "files, and write its id into tool_resources.file_search.vector_store_ids"
    )


def _say_attached(files: Sequence[str]) -> str:
    return (
        f"{_list_files(files)} were attached without a tool that uses them: add "
        "code_interpreter with tool_resources.code_interpreter.file_ids, or file_search with a vector store"
    )


def _add_files(lists: Any, files: Sequence[str]) -> tuple[Any, list[Omission]]:
    """Add the code interpreter's files to the resources; files already listed there are newer and stay."""
    if lists is None:
        return {INTERPRETER: {"file_ids": files}}, []
    there = lists.get(INTERPRETER) if isinstance(lists, Mapping) else lists
    if isinstance(lists, Mapping) and there is None:
        return {**lists, INTERPRETER: {"file_ids": files}}, []
    listed = there.get("file_ids") if isinstance(there, Mapping) else None
    if isinstance(listed, list) and all(file in listed for file in files):
        return lists, []
    said = f"file_ids is not in the definition: tool_resources differs, and lacks {_list_files(files)}"
    return lists, [Omission("file_ids", said)]


def _tool_types(body: Mapping[str, Any]) -> set[str]:
    tools = body.get("tools")
    entries = tools if isinstance(tools, list) else []
    return {str(tool.get("type")) for tool in entries if isinstance(tool, Mapping)}


def _read_files(value: Any) -> tuple[list[str], list[Omission]]:
    """Return the file ids, or none unless each entry is one: an incomplete list would remove files."""
    if value in (None, []):
        return [], []
    wrong = (
        [index for index, entry in enumerate(value) if not isinstance(entry, str)] if isinstance(value, list) else []
    )
    if isinstance(value, list) and not wrong:
        return value, []
    place, said = (f"file_ids[{wrong[0]}]", "no id of a file") if wrong else ("file_ids", "no list")
    return [], [Omission(place, f"file_ids is not in the definition: {place} is {said}")]


def _rename_retrieval(tools: Sequence[Any]) -> list[Any]:
    """Rename `retrieval` tools to `file_search`, and keep one where that makes duplicates."""
    search = {"type": SEARCH}
    named = [
        {**tool, **search} if isinstance(tool, Mapping) and tool.get("type") == RETRIEVAL else tool for tool in tools
    ]
    return [tool for index, tool in enumerate(named) if tool != search or tool not in named[:index]]


def _list_files(files: Sequence[str]) -> str:
    more = f" and {len(files) - SHOWN} more" if len(files) > SHOWN else ""
    return f"{'the file' if len(files) == 1 else 'the files'} {', '.join(files[:SHOWN])}{more}"
