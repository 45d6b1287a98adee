"""What the assistants protocol asks of a definition beside its schema, and what a dialect's server cannot hold of one.

A part that the server does not support is a loss: an error, or a warning where the target allows it. A part that only
says what is the default anyway is left out silently. What the server wants and cannot be left out or filled in is an
error with what to write. A body of any shape is taken: what has the wrong type is passed over, because the schema
reports it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from trueup.core.canonical import OBJECT
from trueup.core.definitions.definition import Definition
from trueup.core.rules.fault import Fault, nearest, show_path, show_value
from trueup.core.source import Path, Severity
from trueup.wire.base import Dialect
from trueup.wire.bodies import Loss, fault_of
from trueup.wire.model_names import is_reasoning
from trueup.wire.openai_assistants.fields import DIALECTS

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
    tools = tuple((("tools", index), tool) for index, tool in _tools(body))
    yield from _twice(tools)
    yield from _find_unused_resources(body, tools)
    yield from _words(body, tools)


def _twice(tools: Sequence[tuple[Path, Mapping[str, Any]]]) -> Iterator[Fault]:
    seen: dict[tuple[str, str], Path] = {}
    for path, tool in tools:
        kind, name = tool.get("type"), value_at(tool, ("function", "name"))
        if kind in ONCE:
            key, what, hint, at = (str(kind), ""), f"the tool {kind}", "Name it once.", path
        elif kind == "function" and isinstance(name, str):
            key, what, at = ("function", name), f"the function {show_value(name)}", (*path, "function", "name")
            hint = "A model tells functions apart by their names; give each its own."
        else:
            continue
        if key in seen:
            yield Fault("repeated", at, f"{what} is there twice, first as {show_path(seen[key])}", hint)
        seen.setdefault(key, path)


def _find_unused_resources(body: Mapping[str, Any], tools: Sequence[tuple[Path, Mapping[str, Any]]]) -> Iterator[Fault]:
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
            message = f"{show_path(path)} {show_value(word)} is not among the known words"
            yield Fault(
                "unknown-word", path, f"{message}; did you mean '{close}'?" if close else message,
                f"Known are {', '.join(known)}. It is sent as it is; the vendor may refuse it.",
                severity=Severity.WARNING,
            )  # fmt: skip


SAMPLING: Final = ("temperature", "top_p")
"""The fields that reasoning models refuse."""

OLDER: Final = frozenset({"file_ids", "tools.retrieval", "response_format.none"})
"""Words of the first protocol that the second has changed."""

_INSTEAD: Final[Mapping[str, str]] = {
    "file_ids": "It is of the first assistants API. List the files of code_interpreter in "
    "tool_resources.code_interpreter.file_ids; files to search belong in a vector store named in "
    "tool_resources.file_search.vector_store_ids.",
    "tools.retrieval": "It is of the first assistants API. Write file_search, and name the vector store in "
    "tool_resources.file_search.vector_store_ids.",
    "response_format.none": "It is of the first assistants API. Write auto, or leave response_format out.",
    "tool_resources": "The first assistants API has file_ids in its place: the files of all tools in one list.",
    "tools.file_search": "The first assistants API has retrieval in its place, and the files in file_ids.",
}
"""What to write for words that another version of the protocol has."""

_WANTED: Final[Mapping[str, str]] = {
    "tools.function.description": "Describe in a sentence what the function does and when to call it.",
    "response_format.json_schema.schema": "Write the JSON Schema of the responses.",
}


def audit(body: Mapping[str, Any], dialect: Dialect, allowed: Collection[str]) -> Iterator[Fault]:
    """Everything that the dialect cannot hold of a body of the neutral shape, and what it would refuse."""
    for loss in losses(body, dialect):
        if not loss.idle:
            yield fault_of(loss, dialect.name, allowed, _INSTEAD.get(loss.key, ""))
    yield from _find_missing(body, dialect)
    yield from _lengths(body, dialect)
    yield from _sampling(body, dialect)


def losses(body: Mapping[str, Any], dialect: Dialect) -> Iterator[Loss]:
    """Every part of a body that the dialect does not support."""
    for name, value in body.items():
        if name not in dialect.fields:
            yield Loss(name, (name,), value in (None, "", [], {}) or value == dialect.table.default_of(name))
    holds, fills = dialect.holds, dialect.table.by_name["tools"].fills
    for index, tool in _tools(body):
        kind = tool.get("type")
        if kind not in holds.kinds["tools"]:
            yield Loss(f"tools.{kind}", ("tools", index), False)
            continue
        for key in _below(holds.lacks, f"tools.{kind}."):
            if _has(tool, (str(kind), *key)):
                value, default = value_at(tool, (str(kind), *key)), value_at(fills, (str(kind), str(kind), *key))
                idle = value is None or value == default
                yield Loss(".".join(("tools", str(kind), *key)), ("tools", index, str(kind), *key), idle)
    yield from _format_losses(body.get("response_format"), dialect)


def fill_required(body: Mapping[str, Any], fills: Mapping[str, Any]) -> dict[str, Any]:
    """Return a request's body with what the dialect wants said although it is the default."""
    tools = body.get("tools")
    if not fills or not isinstance(tools, (list, tuple)):
        return dict(body)
    return {**body, "tools": [_fill_tool(tool, fills) for tool in tools]}


def loss_keys(dialects: Collection[Dialect]) -> frozenset[str]:
    """Every word that `allow_loss` can hold: what one of the dialects lacks of what another one has."""
    fields = {name for row in dialects for name in row.fields}
    tools = {f"tools.{kind}" for row in dialects for kind in row.holds.kinds["tools"]}
    formats = {f"response_format.{kind}" for row in dialects for kind in row.holds.kinds["response_format"]}
    parts = {key for row in dialects for key in row.holds.lacks}
    return frozenset(fields | tools | formats | parts) - {"name", "model", "metadata"}


def lacking(dialect: Dialect, *, translate: bool = False) -> tuple[str, ...]:  # noqa: ARG001 - nothing is translated here
    """Return what the dialect does not support, of all the fields, tools and formats that today's protocol knows."""
    holds, known = dialect.holds, loss_keys(DIALECTS.values())
    own = {
        *dialect.fields,
        *(f"tools.{kind}" for kind in holds.kinds["tools"]),
        *(f"response_format.{kind}" for kind in holds.kinds["response_format"]),
    }
    parts = {key for key in known if key.count(".") > 1}
    return tuple(sorted({*(known - OLDER - own - parts), *holds.lacks}))


def value_at(value: Any, path: tuple[str, ...]) -> Any:
    """Return what stands at a path inside a value, None where nothing does."""
    for key in path:
        if value is None or not isinstance(value, OBJECT):
            return None
        value = value.get(key)
    return value


def _format_losses(value: Any, dialect: Dialect) -> Iterator[Loss]:
    kind = value.get("type", "text") if isinstance(value, Mapping) else value
    if not isinstance(kind, str) or "response_format" not in dialect.fields:
        return
    if kind not in dialect.holds.kinds["response_format"]:
        yield Loss(f"response_format.{kind}", ("response_format",), False)
        return
    for key in _below(dialect.holds.lacks, "response_format."):
        if _has(value, key):
            found = value_at(value, key)
            fills = dialect.table.by_name["response_format"].fills
            idle = found is None or found == value_at(fills, ("json_schema", *key))
            yield Loss(".".join(("response_format", *key)), ("response_format", *key), idle)


def _find_missing(body: Mapping[str, Any], dialect: Dialect) -> Iterator[Fault]:
    holds = dialect.holds
    for index, tool in _tools(body):
        kind = tool.get("type")
        for key in _below(holds.needs, f"tools.{kind}."):
            yield from _missing(tool, (str(kind), *key), ("tools", index), dialect.name)
    answer = body.get("response_format")
    if isinstance(answer, Mapping) and answer.get("type") == "json_schema":
        for key in _below(holds.needs, "response_format."):
            yield from _missing(answer, key, ("response_format",), dialect.name)


def _missing(value: Mapping[str, Any], key: tuple[str, ...], where: Path, name: str) -> Iterator[Fault]:
    if not value_at(value, key):
        said = ".".join((str(where[0]), *key))
        hint = _WANTED.get(said, "Write it.")
        yield Fault("missing-key", (*where, *key), f"{name} requires {said}, which is missing", hint)


def _lengths(body: Mapping[str, Any], dialect: Dialect) -> Iterator[Fault]:
    holds = dialect.holds
    for name, most in holds.lengths.items():
        size = _size(body.get(name))
        if size > most:
            yield Fault(
                "too-long", (name,), f"{name} holds {size:,}; {dialect.name} takes at most {most:,}",
                f"Take away {size - most:,}.",
            )  # fmt: skip
    for name, most in holds.modify_lengths.items():
        size = _size(body.get(name))
        if size > most and size <= holds.lengths.get(name, size):
            yield Fault(
                "too-long-to-change", (name,),
                f"{name} holds {size:,} characters; {dialect.name} documents at most {most:,} for a change, "
                "though more for a create", "It can be created, but perhaps not changed later: shorten it.",
                severity=Severity.WARNING,
            )  # fmt: skip


def _sampling(body: Mapping[str, Any], dialect: Dialect) -> Iterator[Fault]:
    named = [name for name in SAMPLING if body.get(name) is not None]
    if named and is_reasoning(body.get("model"), dialect.reasoning):
        for name in named:
            yield Fault(
                "sampling-refused", (name,), f"{body['model']} is a reasoning model, which does not accept {name}",
                f"Remove {name}; or, if this model accepts it, set `reasoning_models: {{{body['model']}: false}}`.",
                at_key=True, severity=Severity.WARNING,
            )  # fmt: skip


def _size(value: Any) -> int:
    return len(value) if isinstance(value, (str, list, tuple)) else 0


def _tools(body: Mapping[str, Any]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    tools = body.get("tools")
    for index, tool in enumerate(tools if isinstance(tools, (list, tuple)) else ()):
        if isinstance(tool, OBJECT):
            yield index, tool


@lru_cache(maxsize=64)
def _below(keys: frozenset[str], head: str) -> tuple[tuple[str, ...], ...]:
    """Return the rest of each key that begins so, as steps."""
    return tuple(tuple(key.removeprefix(head).split(".")) for key in sorted(keys) if key.startswith(head))


def _has(value: Any, path: tuple[str, ...]) -> bool:
    parent = value_at(value, path[:-1])
    return isinstance(parent, OBJECT) and path[-1] in parent


def _fill_tool(tool: Any, fills: Mapping[str, Any]) -> Any:
    if not isinstance(tool, Mapping):
        return tool
    kind = str(tool.get("type"))
    for key, value in fills.items():
        if key.startswith(f"tools.{kind}."):
            tool = _set_default(tool, (kind, *key.removeprefix(f"tools.{kind}.").split(".")), value)
    return tool


def _set_default(value: Mapping[str, Any], path: tuple[str, ...], default: Any) -> dict[str, Any]:
    """Return the mapping with a value where its parent is there and lacks it."""
    head, rest = path[0], path[1:]
    if not rest:
        return {**value, head: default} if value.get(head) is None else dict(value)
    inner = value.get(head)
    return {**value, head: _set_default(inner, rest, default)} if isinstance(inner, Mapping) else dict(value)
