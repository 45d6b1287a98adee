"""The references in a body, replaced by what they name: `{var:}`, `{file:}`, and the parts of a prompt.

A schema says which JSON types a place wants, and the text of a `--var` becomes one of them. Documents are handed in by
name.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from trueup.core.definitions.document import DATA_ENDINGS, Document, read_scalar
from trueup.core.definitions.layers import LIFECYCLE, Origin, Tree, is_reference
from trueup.core.definitions.names import suggest
from trueup.core.definitions.sources import PROJECT_FILE, Gathered, Setting, Wanted, resolve_path
from trueup.core.source import Path, dotted

TEXT_LIMIT: Final = 2_000_000
"""Characters of a joined text: about twice what the most generous platform takes. It is looked at before joining."""

NOT_HERE: Final = {"var": "var-not-here", "file": "file-not-here"}
"""The code of a problem for each reference that is not followed."""

NESTED: Final = frozenset({"object", "array"})
"""The types of values that hold others."""

EXAMPLE: Final = '["a", "b"]'
LONGEST_EXAMPLE: Final = 200
"""Characters of a list that a hint repeats."""

INCLUDED_LIMIT: Final = 4_000_000
"""Characters of JSON that a definition's included files come to, each as often as it is included."""


class Filler:
    """Walks one body in which everything has been laid over, and changes nothing of it.

    What it returns shares the JSON Schemas with its input, most of what a definition holds, and no other container.
    """

    def __init__(self, tree: Tree, setting: Setting, gathered: Gathered) -> None:
        self._tree = tree
        self._setting = setting
        self._table = setting.table
        self._gathered = gathered
        self._sizes: dict[str, int] = {}
        self._size = 0
        self._is_too_large = False

    def filled(self) -> dict[str, Any]:
        """Return the whole mapping with references replaced and tools written out."""
        return {key: self._fill_field(key, value) for key, value in self._tree.value.items()}

    def _fill_field(self, key: str, value: Any) -> Any:
        path = (key,)
        if key == self._table.prompt:
            return self._fill_prompt(value, path)
        if self._is_open(path) and self._is_var(value):
            return self._refuse_var(value, path, f"{key} as a whole", "Give each entry its own {var:}.")
        if key != self._table.tools:
            return self._walk(value, path)
        if type(value) is list:
            return self._fill_tools(value)
        value = self._walk(value, path)
        return [_write_out_tool(tool) for tool in value] if type(value) is list else value

    def _walk(self, value: Any, path: Path) -> Any:
        """Copy a value with references replaced; keep a JSON Schema as it is unless it is itself a reference."""
        if type(value) is dict:
            if self._is_schema(path) and not is_reference(value, "file"):
                return self._take_plain(value, path)
            if len(value) == 1:
                if "var" in value:
                    return self._fill_var(value["var"], path)
                if isinstance(value.get("file"), str) and path[0] != LIFECYCLE and not self._is_open(path):
                    return self._fill_from_file(value["file"], path)
            return {key: self._walk(entry, (*path, key)) for key, entry in value.items()}
        if type(value) is list:
            return [self._walk(entry, (*path, index)) for index, entry in enumerate(value)]
        return value

    def _is_open(self, path: Path) -> bool:
        """Whether a map with keys of anybody's choice stands here, so that one may be called `file`."""
        row = self._table.maps.get(str(path[0])) if len(path) == 1 else None
        return row is not None and not row.entries

    def _is_schema(self, path: Path) -> bool:
        """Whether a JSON Schema stands here."""
        for place in self._table.schemas:
            if len(place) == len(path) and place[0] == path[0] and all(map(_fits_step, place, path)):
                return True
        return False

    def _fill_from_file(self, name: str, path: Path) -> Any:
        """Return what a file holds: text where only text can stand, or where the file's ending says so."""
        types = self._setting.wanted(path)
        may_be_text, may_be_data = "string" in types, not NESTED.isdisjoint(types)
        if may_be_data if may_be_data != may_be_text else _is_data(name):
            return self._take_plain(self._include(name, path), path)
        file = self._find_file(name, path)
        return (
            None if file is None else self._take_text(self._gathered.sources.text(file), path, self._tree.origin(path))
        )

    def _take_plain(self, value: Any, path: Path) -> Any:
        """Return a JSON Schema or a file's content unchanged; report references in it, which are not allowed."""
        if not _may_refer(value):
            return value
        waiting: list[tuple[Any, Path]] = [(value, path)]
        while waiting:
            entry, place = waiting.pop()
            if type(entry) is dict:
                for word, code in NOT_HERE.items():
                    if is_reference(entry, word) and isinstance(entry[word], str):
                        self._refuse_reference(word, code, place)
                waiting += [(inner, (*place, key)) for key, inner in entry.items() if type(inner) in (dict, list)]
            elif type(entry) is list:
                waiting += [(inner, (*place, at)) for at, inner in enumerate(entry) if type(inner) in (dict, list)]
        return value

    def _refuse_reference(self, word: str, code: str, path: Path) -> None:
        self._gathered.problem(
            code,
            f"{{{word}:}} is not followed here: a JSON Schema and an included file stay as written",
            self._tree.origin(path),
            "Write the value itself, or {file:} for the whole schema.",
            path,
        )

    def _is_var(self, value: Any) -> bool:
        return is_reference(value, "var") and isinstance(value["var"], str)

    def _refuse_var(self, value: Any, path: Path, where: str, hint: str) -> None:
        self._gathered.problem(
            "var-not-here", f"{{var: {value['var']}}} cannot stand for {where}", self._tree.origin(path), hint, path
        )

    def _fill_var(self, name: Any, path: Path) -> Any:
        """Return a variable's value: from `--var`, else from the target, else from the project."""
        setting, origin = self._setting, self._tree.origin(path)
        if not isinstance(name, str):
            self._gathered.problem(
                "var-without-name", "{var:} takes the name of one variable", origin, "Write {var: name}.", path
            )
            return None
        if name in setting.overrides:
            try:
                return from_text(setting.overrides[name], setting.wanted(path), setting.wanted((*path, 0)))
            except ValueError as error:
                hint = _advise_override(name, setting.overrides[name])
                message = f"--var {name}: {error}, which {dotted(path)} needs"
                self._gathered.problem("var-wrong-type", message, origin, hint, path)
                return None
        for held, place in ((setting.target.vars, ("targets", setting.target.name, "vars")), (setting.vars, ("vars",))):
            if name in held:
                self._tree.moved(path, Origin(PROJECT_FILE, (*place, name)))
                return list(held[name]) if isinstance(held[name], (list, tuple)) else held[name]
        known = {*setting.overrides, *setting.target.vars, *setting.vars}
        self._gathered.problem(
            "unknown-var",
            f"there is no variable {name!r} for the target {setting.target.name!r}",
            origin,
            f"{suggest(name, known)} Set it under vars in trueup.yaml, or pass --var {name}=….",
            path,
        )
        return None

    def _fill_prompt(self, value: Any, path: Path) -> Any:
        """One text out of a text, a file, or a list of both, joined by one blank line."""
        if type(value) is not list:
            text = self._fill_part(value, path)
            return self._join_parts([(path, text)]) if isinstance(text, str) else text
        parts = [((*path, index), self._fill_part(entry, (*path, index))) for index, entry in enumerate(value)]
        texts = [(place, part) for place, part in parts if isinstance(part, str)]
        characters = sum(len(text) for _, text in texts)
        if characters > TEXT_LIMIT:
            self._gathered.problem(
                "text-too-long",
                f"the texts of {dotted(path)} come to {characters:,} characters; no platform takes more than "
                f"{TEXT_LIMIT:,}",
                self._tree.origin(path),
                "Include fewer or shorter texts.",
                path,
            )
            return None
        return self._join_parts([(place, text.rstrip("\n")) for place, text in texts[:-1]] + texts[-1:])

    def _join_parts(self, texts: list[tuple[Path, str]]) -> str:
        """Join the texts with a blank line between them, skip empty ones, and record where each begins."""
        line = 1
        for path, text in texts:
            if text:
                lines = text.count("\n") + 1
                self._gathered.joined.append((path, line, lines))
                line += lines + 1
        return "\n\n".join(text for _, text in texts if text)

    def _fill_part(self, value: Any, path: Path) -> Any:
        origin = self._tree.origin(path)
        if value is None and len(path) == 1:
            return None
        if isinstance(value, str):
            return value
        if self._is_var(value):
            return self._refuse_var(
                value,
                path,
                f"{path[0]}: variables are not allowed in prompts",
                "Use targets: to write another text for one target.",
            )
        if is_reference(value, "file"):
            file = self._find_file(value["file"], path)
            return None if file is None else self._take_text(self._gathered.sources.text(file), path, origin)
        self._gathered.problem(
            "wrong-instructions",
            f"{dotted(path)} is neither text nor {{file: path}}",
            origin,
            _how_to_write_text(value),
            path,
        )
        return None

    def _fill_tools(self, tools: list[Any]) -> list[Any]:
        """Return the tools written out, those of a file in the place of its reference."""
        top = self._table.tools
        if not any(is_reference(tool, "file") for tool in tools):
            return [_write_out_tool(self._walk(tool, (top, index))) for index, tool in enumerate(tools)]
        made: list[Any] = []
        origins = [self._tree.origin((top, index)) for index in range(len(tools))]
        is_shifted = False
        for tool, origin in zip(tools, origins, strict=True):
            path = (top, len(made))
            if is_shifted:
                self._tree.moved(path, origin)
            if is_reference(tool, "file"):
                included = self._include_tools(tool["file"], path)
                is_shifted = is_shifted or len(included) != 1
                made += included
            else:
                made.append(_write_out_tool(self._walk(tool, path)))
        return made

    def _include_tools(self, name: Any, path: tuple[str, int]) -> list[Any]:
        """Return the tools of a file, which holds one or a list of them; `path` is that of its reference."""
        value = self._include(name, path)
        if type(value) is not list:
            return [self._take_plain(value, path)]
        top, first = path
        origin = self._tree.origin(path)
        made = []
        for index, tool in enumerate(value):
            place = (top, first + index)
            self._tree.moved(place, Origin(origin.file, (index,)))
            made.append(_write_out_tool(self._take_plain(tool, place)))
        return made

    def _include(self, name: Any, path: Path) -> Any:
        file = self._find_file(name, path)
        if file is None:
            return None
        value = self._take_text(self._gathered.sources.included(file), path, self._tree.origin(path))
        if file not in self._sizes:
            self._sizes[file] = _measure_json(value)
        self._size += self._sizes[file]
        return value if self._size <= INCLUDED_LIMIT else self._refuse_size(path)

    def _refuse_size(self, path: Path) -> None:
        if not self._is_too_large:
            self._gathered.problem(
                "too-large",
                f"what this definition includes comes to more than {INCLUDED_LIMIT:,} characters of JSON",
                self._tree.origin(path),
                "No platform takes that much: include fewer or smaller files.",
                path,
            )
        self._is_too_large = True
        self._gathered.unsettled.add(path)

    def _take_text(self, document: Document, path: Path, origin: Origin) -> Any:
        value = self._gathered.take(document, origin)
        if value is None:
            self._gathered.unsettled.add(path)
        self._tree.moved(path, Origin(document.file))
        return value

    def _find_file(self, name: Any, path: Path) -> str | None:
        """Return the file that `{file:}` names, or None if it may not be included."""
        origin, gathered = self._tree.origin(path), self._gathered
        if self._is_var(name):
            self._refuse_var(name, path, "the path of a file", "Write {file: path/of/the/file}.")
            return None
        if not isinstance(name, str):
            gathered.problem("path-refused", "the path of a file is not text", origin, "Write {file: path}.", path)
            return None
        file = resolve_path(name, origin, gathered)
        if file is None:
            gathered.unsettled.add(path)
        if file is None or not gathered.sources.is_definition(file):
            return file
        gathered.problem(
            "file-is-definition",
            f"{file} is a definition itself, so it cannot be included",
            origin,
            "Give the file, or its folder, a name that starts with _ to make it a shared file.",
            path,
        )
        return None


def _advise_override(name: str, text: str) -> str:
    """Return how to pass another text for a variable on the command line."""
    if not text.lstrip().startswith("["):
        return "Pass another value for this variable."
    fixed = quote_entries(text) if len(text) <= LONGEST_EXAMPLE else ""
    words = shlex.quote(f"{name}={fixed or EXAMPLE}")
    return f"A list is JSON, its texts in double quotes: --var {words}."


def _measure_json(value: Any) -> int:
    """Return about how many characters of JSON a value comes to."""
    size, waiting = 0, [value]
    while waiting:
        entry = waiting.pop()
        if type(entry) is dict:
            waiting += [*entry, *entry.values()]
        elif type(entry) is list:
            waiting += entry
        size += len(entry) + 4 if isinstance(entry, str) else 4
    return size


def _may_refer(value: Any) -> bool:
    """Whether a reference may stand somewhere in a value: quicker told than where it stands, and mostly a no."""
    waiting = [value]
    while waiting:
        entry = waiting.pop()
        if type(entry) is dict:
            if is_reference(entry, "var") or is_reference(entry, "file"):
                return True
            waiting.extend(entry.values())
        elif type(entry) is list:
            waiting.extend(entry)
    return False


def _fits_step(step: str, at: str | int) -> bool:
    return step in ("*", at)


def _write_out_tool(tool: Any) -> Any:
    """Return a tool as an object; a bare word is its type."""
    return {"type": tool} if isinstance(tool, str) else tool


def _is_data(name: str) -> bool:
    """Whether a file holds YAML or JSON, going by its ending."""
    return name.lower().endswith(DATA_ENDINGS)


def _how_to_write_text(value: Any) -> str:
    """Return how to write what was probably meant as a text."""
    is_scalar = isinstance(value, (bool, int, float))
    return "Put it in quotes to make it text." if is_scalar else "Write text, {file: path}, or a list of these."


_ENTRY: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[^\s,"](?:[^,"]*[^\s,"])?')
_COMBINED: Final = ("allOf", "anyOf", "oneOf")
_BRANCHES: Final = ("then", "else")
_NAMES: Final[dict[type, str]] = {
    str: "string", bool: "boolean", int: "integer", float: "number", list: "array", dict: "object", type(None): "null",
}  # fmt: skip


def types_by_path(schema: Mapping[str, Any]) -> Wanted:
    """Return a function that maps a path to the types that a draft 2020-12 schema allows there.

    All branches count; only local references are followed.
    """

    @cache
    def subschemas(path: Path) -> tuple[Mapping[str, Any], ...]:
        found = (
            [schema]
            if not path
            else [inner for outer in subschemas(path[:-1]) for inner in _step_into(outer, path[-1])]
        )
        return tuple(entry for start in found for entry in _expand(start, schema, set()))

    @cache
    def types(path: Path) -> frozenset[str]:
        return frozenset(name for entry in subschemas(path) for name in _types_of(entry))

    return lambda path: types(tuple(0 if isinstance(part, int) else part for part in path))


def from_text(text: str, types: frozenset[str], entry_types: frozenset[str] = frozenset()) -> Any:
    """Return the text of a `--var` as a value of one of these types; text where nothing is known.

    `entry_types` are those of a list's entries. Raises ValueError.
    """
    if not types or "string" in types:
        return text
    if "array" in types and text.lstrip().startswith("["):
        return _read_list(text, entry_types)
    value = read_scalar(text)
    name = _NAMES[type(value)]
    if name in types and name not in ("array", "object"):
        return value
    if name == "integer" and "number" in types:
        return value
    if name == "number" and "integer" in types and isinstance(value, float) and value.is_integer():
        return int(value)
    raise ValueError(f"{text[:60]!r} is not {describe_types(types)}")


def describe_types(types: frozenset[str]) -> str:
    """Describe the types in words, such as "a number" or "null or text"."""
    words = {
        "boolean": "true or false",
        "integer": "a whole number",
        "number": "a number",
        "string": "text",
        "null": "null",
        "array": 'a list such as ["a", "b"]',
        "object": "a mapping (which no --var can give)",
    }
    shown = types - {"integer"} if "number" in types else types
    return " or ".join(words[name] for name in sorted(shown)) or "a value"


def quote_entries(text: str) -> str:
    """Return a list's text with each entry in quotes, as it is written; empty where that makes no list of texts."""
    entries = _ENTRY.findall(text.strip().removeprefix("[").removesuffix("]"))
    made = ", ".join(entry if entry.startswith('"') else json.dumps(entry, ensure_ascii=False) for entry in entries)
    try:
        return f"[{made}]" if all(isinstance(entry, str) for entry in json.loads(f"[{made}]")) else ""
    except ValueError:
        return ""


def _read_list(text: str, entry_types: frozenset[str]) -> list[Any]:
    try:
        value = json.loads(text)
    except ValueError:
        raise ValueError(f"{text[:60]!r} is not a list in JSON") from None
    if not isinstance(value, list) or any(isinstance(entry, (dict, list)) for entry in value):
        raise ValueError(f"{text[:60]!r} is not a list of plain values")
    if entry_types and not {_NAMES[type(entry)] for entry in value} <= entry_types:
        raise ValueError(f"{text[:60]!r} is not a list whose entries are {describe_types(entry_types)}")
    return value


def _types_of(entry: Mapping[str, Any]) -> Iterator[str]:
    if entry.get("x-secret"):
        return  # any text is handed on: what judges the definition refuses it and shows none of it
    given = entry.get("type", ())
    yield from [given] if isinstance(given, str) else given
    for value in (*entry.get("enum", ()), *([entry["const"]] if "const" in entry else ())):
        yield _NAMES[type(value)]


def _step_into(entry: Mapping[str, Any], part: str | int) -> Iterator[Mapping[str, Any]]:
    """Yield the subschemas that apply to one key or one list entry."""
    if isinstance(part, int):
        yield from (
            inner for inner in (entry.get("items"), *entry.get("prefixItems", ())) if isinstance(inner, Mapping)
        )
        return
    named = entry.get("properties", {}).get(part)
    if isinstance(named, Mapping):
        yield named
        return
    patterns = entry.get("patternProperties", {}).items()
    matching = [inner for pattern, inner in patterns if re.search(pattern, part)] or [entry.get("additionalProperties")]
    yield from (inner for inner in matching if isinstance(inner, Mapping))


def _expand(entry: Mapping[str, Any], root: Mapping[str, Any], seen: set[str]) -> Iterator[Mapping[str, Any]]:
    """Yield a schema and every schema that it refers to or combines."""
    yield entry
    reference = entry.get("$ref")
    if isinstance(reference, str) and reference.startswith("#/") and reference not in seen:
        target: Any = root
        for piece in reference[2:].split("/"):
            target = target.get(piece, {}) if isinstance(target, Mapping) else {}
        yield from _expand(target, root, seen | {reference})
    for word in _COMBINED:
        for inner in entry.get(word, ()):
            yield from _expand(inner, root, seen) if isinstance(inner, Mapping) else ()
    for word in _BRANCHES:
        if isinstance(entry.get(word), Mapping):
            yield from _expand(entry[word], root, seen)
