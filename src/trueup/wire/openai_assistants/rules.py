"""What only the assistants protocol asks of a definition, beside its schema: tools and the resources they work with.

A body of any shape is taken: what has the wrong type is passed over, because the schema has told of it already.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from trueup.core.canonical import OBJECT
from trueup.core.definitions.definition import Definition
from trueup.core.rules.fault import Fault, nearest, place, shown
from trueup.core.source import Path, Severity
from trueup.wire.openai_assistants.audit import value_at

RESOURCE_LISTS: Final[Mapping[str, str]] = {"code_interpreter": "file_ids", "file_search": "vector_store_ids"}
"""The list of each tool that has resources."""

ONCE: Final = ("code_interpreter", "file_search", "retrieval")
"""Tools that make no sense twice."""

KNOWN_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "reasoning_effort": ("none", "minimal", "low", "medium", "high", "xhigh", "max"),
    "ranker": ("auto", "default_2024_08_21"),
}
"""Words that vendors documented by the summer of 2026; others pass with a warning, for these lists grow."""


def check(definition: Definition) -> Iterator[Fault]:
    """Yield what is wrong with a definition beyond its schema."""
    body = definition.body
    tools = tuple(_tools(body))
    yield from _twice(tools)
    yield from _unused(body, tools)
    yield from _words(body, tools)


def _tools(body: Mapping[str, Any]) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    tools = body.get("tools")
    for index, tool in enumerate(tools if isinstance(tools, list) else ()):
        if isinstance(tool, OBJECT):
            yield ("tools", index), tool


def _twice(tools: Sequence[tuple[Path, Mapping[str, Any]]]) -> Iterator[Fault]:
    seen: dict[tuple[str, str], Path] = {}
    for path, tool in tools:
        kind, name = tool.get("type"), value_at(tool, ("function", "name"))
        if kind in ONCE:
            key, what, hint, at = (str(kind), ""), f"the tool {kind}", "Name it once.", path
        elif kind == "function" and isinstance(name, str):
            key, what, at = ("function", name), f"the function {shown(name)}", (*path, "function", "name")
            hint = "A model tells functions apart by their names; give each its own."
        else:
            continue
        if key in seen:
            yield Fault("repeated", at, f"{what} is there twice, first as {place(seen[key])}", hint)
        seen.setdefault(key, path)


def _unused(body: Mapping[str, Any], tools: Sequence[tuple[Path, Mapping[str, Any]]]) -> Iterator[Fault]:
    kinds = {tool.get("type") for _, tool in tools if isinstance(tool.get("type"), str)}
    if "tools" not in body or len(tools) < len(body["tools"] or ()):
        return  # the tools are left as they are live, or what is no tool may have been meant as the one in question
    for kind, name in RESOURCE_LISTS.items():
        if value_at(body, ("tool_resources", kind, name)) and kind not in kinds:
            yield Fault(
                "unused-resource", ("tool_resources", kind),
                f"tool_resources.{kind} is given, but {kind} is not among the tools",
                f"Add {kind} to tools, or leave its resources out.", at_key=True, severity=Severity.WARNING,
            )  # fmt: skip


def _words(body: Mapping[str, Any], tools: Sequence[tuple[Path, Mapping[str, Any]]]) -> Iterator[Fault]:
    found: list[tuple[str, Path, Any]] = [("reasoning_effort", ("reasoning_effort",), body.get("reasoning_effort"))]
    inner = ("file_search", "ranking_options", "ranker")
    found += [("ranker", (*path, *inner), value_at(tool, inner)) for path, tool in tools]
    for kind, path, word in found:
        known = KNOWN_WORDS[kind]
        if isinstance(word, str) and word and word not in known:
            close = nearest(word, known)
            message = f"{place(path)} {shown(word)} is not among the known words"
            yield Fault(
                "unknown-word", path, f"{message}; did you mean '{close}'?" if close else message,
                f"Known are {', '.join(known)}. It is sent as it is; the vendor may refuse it.",
                severity=Severity.WARNING,
            )  # fmt: skip
