"""A portable definition's body as one of OpenAI's saved agents. Reads nothing and decides nothing: a table in code.

Bodies that the portable schema refuses are taken too; what has an unexpected type is passed over or passed on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from trueup.core.definitions.protocols import FieldSupport, Support, Translation
from trueup.core.source import Path

NAME_LENGTH: Final = 128
"""Characters that the name of a saved agent may have."""

NO_PARAMETERS: Final[Mapping[str, Any]] = {"type": "object", "properties": {}}
"""What a function without parameters takes."""

SAMPLING_DEFAULT: Final = 1
"""What `temperature` and `top_p` are by default."""

LOSSES: Final = frozenset(
    {
        "description",
        "file_ids",
        "temperature",
        "top_p",
        "tools.code_interpreter",
        "tools.file_search",
        "tools.retrieval",
        "tools.function.strict",
        "tool_resources.code_interpreter.file_ids",
        "tool_resources.file_search.vector_store_ids",
        "response_format.json_object",
        "response_format.none",
        "response_format.json_schema.description",
        "response_format.json_schema.name",
        "response_format.json_schema.strict",
    }
)
"""Everything that `allow_loss` can name."""

_OWN_FILE = "openai-agents' own fields, in a file NAME.openai-agents.yaml"
"""Where a definition holds what no translation can."""

_INSTEAD: Final[Mapping[str, str]] = {
    "description": "It fits into an entry of metadata.",
    "tools.code_interpreter": "A saved agent runs code in the environment of its session.",
    "tools.file_search": "A saved agent reaches documents through an MCP server: `{type: mcp, …}` in tools.",
    "response_format.json_object": "Write the JSON Schema of the responses, as json_schema.",
}


@dataclass(slots=True)
class _Draft:
    """The translation as it grows."""

    body: dict[str, Any] = field(default_factory=dict)
    sources: dict[Path, Path] = field(default_factory=dict)
    verdicts: list[FieldSupport] = field(default_factory=list)

    def put(self, name: str, value: Any, *sources: tuple[Path, Path]) -> None:
        """Set a field of the result; `sources` are pairs of a path below it and the portable path."""
        self.body[name] = value
        self.sources.update({(name, *below): portable for below, portable in sources})

    def judge(self, path: Path, word: Support, key: str = "", text: str = "", field: str = "") -> None:
        """Note that a field is supported or converted."""
        self.verdicts.append(FieldSupport(path, word, key or str(path[0]), text, field=field))

    def lose(self, path: Path, key: str, field: str = "") -> None:
        """Note that a field is unsupported."""
        ways = f"Leave it out with `allow_loss: [{key}]` at the target, or write this assistant in {_OWN_FILE}."
        hint = f"{_INSTEAD[key]} {ways}" if key in _INSTEAD else ways
        self.verdicts.append(
            FieldSupport(path, Support.UNSUPPORTED, key, f"OpenAI Agents does not support {key}", hint, field)
        )

    def require(self, path: Path, key: str, text: str, hint: str, field: str) -> None:
        """Note that the definition must be changed."""
        self.verdicts.append(FieldSupport(path, Support.UNSUPPORTED, key, text, hint, field, required=True))


def translate(body: Mapping[str, Any]) -> Translation:
    """Return the body of a saved agent for a resolved portable body, with one verdict for each of its fields."""
    draft = _Draft()
    for name, value in body.items():
        _TRANSLATORS.get(name, _lose_field)(draft, name, value)
    return Translation(draft.body, draft.sources, tuple(draft.verdicts))


def _keep(draft: _Draft, name: str, value: Any) -> None:
    draft.put(name, value, ((), (name,)))
    draft.judge((name,), Support.SUPPORTED, field=name)


def _keep_name(draft: _Draft, name: str, value: Any) -> None:
    if isinstance(value, str) and len(value) > NAME_LENGTH:
        text = f"the name has {len(value)} characters; OpenAI Agents takes at most {NAME_LENGTH}"
        draft.require((name,), name, text, "Write a shorter `name`.", name)
    else:
        _keep(draft, name, value)


def _lose_field(draft: _Draft, name: str, value: Any) -> None:
    if value in (None, "", [], {}):
        _drop_default(draft, name)
    else:
        draft.lose((name,), name)


def _lose_sampling(draft: _Draft, name: str, value: Any) -> None:
    if value is None or value == SAMPLING_DEFAULT:
        _drop_default(draft, name)
    else:
        draft.lose((name,), name)


def _drop_default(draft: _Draft, name: str) -> None:
    draft.judge((name,), Support.CONVERTED, text="left out: it only asks for the default")


def _convert_effort(draft: _Draft, name: str, value: Any) -> None:
    inner = None if value is None else {"effort": value}
    below: tuple[tuple[Path, Path], ...] = () if value is None else ((("effort",), (name,)),)
    draft.put("reasoning", inner, ((), (name,)), *below)
    draft.judge((name,), Support.CONVERTED, text="as reasoning.effort", field="reasoning")


def _lose_resources(draft: _Draft, name: str, value: Any) -> None:
    lists = list(_lists_of(value)) if isinstance(value, Mapping) else []
    for path, ids in lists:
        key = ".".join((name, *path))
        if ids:
            draft.lose((name, *path), key)
        else:
            draft.judge((name, *path), Support.CONVERTED, key, "left out: it is empty")
    if not lists:
        _lose_field(draft, name, value)


def _lists_of(resources: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for tool, lists in resources.items():
        if isinstance(lists, Mapping) and lists:
            yield from (((tool, entry), ids) for entry, ids in lists.items())
        else:
            yield (tool,), lists


def _convert_tools(draft: _Draft, name: str, value: Any) -> None:
    if not isinstance(value, (list, tuple)):
        _keep(draft, name, value)
        return
    found: list[Any] = []
    draft.put(name, found, ((), (name,)))
    for index, tool in enumerate(value):
        kind = tool.get("type") if isinstance(tool, Mapping) else None
        if kind == "function":
            _convert_function(draft, found, (name, index), tool)
        else:
            draft.lose((name, index), f"{name}.{kind}", name)
    if not value:
        draft.judge((name,), Support.SUPPORTED, field=name)


def _convert_function(draft: _Draft, found: list[Any], path: Path, tool: Mapping[str, Any]) -> None:
    given = tool.get("function")
    function = given if isinstance(given, Mapping) else {}
    called, inside = function.get("name"), (*path, "function")
    if function.get("description") is None:
        text = f"the function {called} has no description; OpenAI Agents requires one"
        hint = "Write its `description`: what the function does and when to call it."
        draft.require(path, "tools.function.description", text, hint, "tools")
        return
    bare = function.get("parameters") is None
    flat = {"type": "function", **{key: function[key] for key in ("name", "description") if key in function}}
    at: Path = ("tools", len(found))
    found.append({**flat, "parameters": dict(NO_PARAMETERS) if bare else function["parameters"]})
    draft.sources.update({at: path, (*at, "type"): (*path, "type"), (*at, "parameters"): inside})
    draft.sources.update({(*at, key): (*inside, key) for key in found[-1] if key != "type" and key in function})
    text = "without the level of `function`, and with empty parameters" if bare else ("without the level of `function`")
    draft.judge(path, Support.CONVERTED, "tools.function", text, "tools")
    for key, value in function.items():
        if key not in ("name", "description", "parameters") and value not in (None, False):
            draft.lose((*inside, key), f"tools.function.{key}", "tools")


def _convert_format(draft: _Draft, name: str, value: Any) -> None:
    kind = value.get("type") if isinstance(value, Mapping) else value
    if kind is None:
        draft.put("text", None, ((), (name,)))
        draft.judge((name,), Support.CONVERTED, text="as text", field="text")
    elif kind in ("auto", "text"):
        draft.judge((name,), Support.CONVERTED, text="left out: ordinary text is the default", field="text")
    elif kind == "json_schema" and isinstance(value, Mapping):
        _convert_json_schema(draft, name, value)
    else:
        draft.lose((name,), f"{name}.{kind}", "text")


def _convert_json_schema(draft: _Draft, name: str, value: Mapping[str, Any]) -> None:
    given = value.get("json_schema")
    inner, path = given if isinstance(given, Mapping) else {}, (name, "json_schema")
    schema = inner.get("schema")
    if schema is None:
        text = "the response format has no schema; OpenAI Agents requires one"
        draft.require((name,), f"{name}.json_schema.schema", text, "Write the JSON Schema of the responses.", "text")
        return
    draft.put(
        "text",
        {"format": {"type": "json_schema", "schema": schema}},
        ((), (name,)),
        (("format",), (name,)),
        (("format", "type"), (name, "type")),
        (("format", "schema"), (*path, "schema")),
    )
    draft.judge((name,), Support.CONVERTED, f"{name}.json_schema", "as text.format", "text")
    for key, entry in inner.items():
        if key != "schema" and entry not in (None, False, ""):
            draft.lose((*path, key), f"{name}.json_schema.{key}", "text")


_TRANSLATORS: Final[Mapping[str, Callable[[_Draft, str, Any], None]]] = {
    "name": _keep_name,
    "model": _keep,
    "instructions": _keep,
    "metadata": _keep,
    "temperature": _lose_sampling,
    "top_p": _lose_sampling,
    "reasoning_effort": _convert_effort,
    "tools": _convert_tools,
    "tool_resources": _lose_resources,
    "response_format": _convert_format,
}
"""How each portable field is translated; any other is unsupported unless it is empty."""
