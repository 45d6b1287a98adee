"""Definitions as new files: YAML, or Markdown where the instructions are long.

Each text is proved before it is on the disk: it is read, put together and checked as the loader does, and must come to
the body that was meant. Knows no server and not where a body comes from.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any, Final

from trueup.core.definitions.definition import Definition, DefinitionFile
from trueup.core.definitions.document import DEFINITION_ENDINGS, YAML_ENDINGS, Document, trim_text
from trueup.core.definitions.names import fold_name, normalize
from trueup.core.definitions.resolve import ResolvedDefinition
from trueup.core.field_table import FieldTable
from trueup.core.migration.new_files import Parts
from trueup.core.projects.project import Project, Target
from trueup.core.rules.validate import check_definition
from trueup.core.source import Diagnostic, Position, Severity, SourceMap
from trueup.core.source import Path as ValuePath
from trueup.core.yaml_text import format_document, is_visible
from trueup.edge.definitions.documents import read_markdown
from trueup.edge.definitions.loader import Resolver
from trueup.edge.files import find_link, read_inside
from trueup.edge.schemas import Format, format_of
from trueup.edge.yaml.editor import is_equal
from trueup.edge.yaml.reader import read_yaml
from trueup.wire.registry import row_of

LONG_LINES: Final = 20
LONG_TEXT: Final = 1_000
"""Lines and characters beyond which instructions are the body of a Markdown file."""

SCHEMA_FOLDER: Final = ".trueup/schemas"

_NOT_OURS: Final = "is the file that a definition would read instead"
"""Ends what is said of a live value that looks like the reference to a file."""

Audit = Callable[[Definition], Iterable[Diagnostic]]
"""What the target's protocol cannot hold of a definition."""


class Proof:
    """Says what is wrong with a body as a definition of one project for one target, before there is a file of it."""

    def __init__(self, project: Project, target: Target, audit: Audit) -> None:
        self.format = format_of(target.protocol)
        plain = replace(target, models={})  # a body names its model as the file will
        self._resolver = Resolver(project, plain, {})
        self._audit = audit
        self._is_said = project.default_protocol == target.protocol

    @property
    def line(self) -> dict[str, str]:
        """The line by which a new file says its protocol, where nothing else does."""
        return {} if self._is_said else {"protocol": self.format.protocol}

    def problems(self, body: Mapping[str, Any]) -> list[Diagnostic]:
        """Every problem, its path that of the body."""
        unwritable = [found for key in body if (found := _find_unwritable((key,), body[key]))]
        if unwritable:
            return [deeper for item in unwritable for deeper in _narrow_problem(item, body)]
        file = "proof.yaml"
        return self._check_texts(file, {file: format_document(body)}, body)

    def holds(self, file: str, texts: Mapping[str, str], body: Mapping[str, Any]) -> bool:
        """Whether a file, with the parts beside it, comes to the body without an error."""
        return not any(item.severity is Severity.ERROR for item in self._check_texts(file, texts, body))

    def _check_texts(self, file: str, texts: Mapping[str, str], body: Mapping[str, Any]) -> list[Diagnostic]:
        form = self.format
        resolved = self._resolver.resolve(DefinitionFile("proof", file, form.protocol), _DraftSources(texts))
        found = [*resolved.diagnostics, *form.checker.problems(resolved.checked, SourceMap)]
        definition = Definition("proof", resolved.body, file, protocol=form.protocol)
        found += [*check_definition(definition, form.table, form.check, stamp_length=None), *self._audit(definition)]
        return found or list(_find_altered(resolved, body))


class _DraftSources:
    """Files that are only texts as yet; satisfies `core.definitions.sources.Sources`."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts

    def mapping(self, file: str) -> Document:
        """Return the YAML or the front matter of a text."""
        text = self._texts.get(file)
        if text is None:
            return Document(file, refusal=_NOT_OURS)
        return (
            read_markdown(text.encode("utf-8"), file) if file.endswith(".md") else read_yaml(text.encode("utf-8"), file)
        )

    def included(self, file: str) -> Document:
        """Return the same: what is written as a part is one tool."""
        return self.mapping(file)

    def text(self, file: str) -> Document:
        """Return a text as it is."""
        text = self._texts.get(file)
        return Document(file, refusal=_NOT_OURS) if text is None else Document(file, trim_text(text))

    def is_definition(self, file: str) -> bool:
        """Never: only parts are named."""
        return not file

    def source(self, file: str) -> SourceMap:  # noqa: ARG002 - nothing is shown
        """Nothing: what stands nowhere yet has no place."""
        return SourceMap()

    def at(self, file: str, path: ValuePath, *, key: bool = False) -> Position | None:  # noqa: ARG002 - nothing is shown
        """Return the start of the file: a draft has no positions."""
        return Position(file, 1, 1)


def draft_definition(
    name: str, body: Mapping[str, Any], folder: str, parts: Parts, proof: Proof, ignored: Sequence[str] = ()
) -> tuple[str, str] | None:
    """Return the path from the root and the text of a new definition; None where no file can hold the body.

    Changes of the fields `ignored` are left to others, because the source of the body does not say them.
    """
    table = proof.format.table
    shared = {f"{folder}/{path}": format_document(tool) for path, tool in parts.fresh.items()}
    shared |= {
        f"{folder}/{path}": format_document(tool) for path, tool in _find_used_parts(body.get(table.tools), parts)
    }
    for suffix in (".md", ".yaml") if _is_long(body.get(table.prompt)) else (".yaml",):
        file = f"{folder}/{name}{suffix}"
        value = proof.line | _shorten_body(name, body, file, folder, parts, table)
        if ignored:
            entries = [{"field": field, "reason": "Its source does not have it."} for field in ignored]
            value["lifecycle"] = {"ignore_changes": entries}
        text = _format_markdown(value, table.prompt) if suffix == ".md" else _format_yaml(value, file, proof.format)
        if proof.holds(file, {**shared, file: text}, body):
            return file, text
    return None


def find_schema_path(protocol: str) -> str:
    """Return where a project keeps the schema by which editors check a protocol's definitions."""
    return f"{SCHEMA_FOLDER}/{row_of(protocol).editor_schema}.schema.json"


def part_text(tool: Mapping[str, Any]) -> str:
    """Return the text of a part that holds one tool."""
    return format_document(tool)


def is_prose_part(text: Any) -> bool:
    """Whether a text is long, and a file of its own can hold it to the letter."""
    return isinstance(text, str) and _is_long(text) and trim_text(text) == text


def shorten_tools(tools: Any, file: str, folder: str, parts: Parts) -> Any:
    """Tools as people write them in a file: a bare word where the type says all, `{file:}` where a part does."""
    if not isinstance(tools, list):
        return tools
    return [_shorten_tool(tool, file, folder, parts) for tool in tools]


def _shorten_tool(tool: Any, file: str, folder: str, parts: Parts) -> Any:
    if isinstance(tool, Mapping) and tool.keys() == {"type"}:
        return tool["type"]
    part = parts.file_of(tool)
    return {"file": posixpath.relpath(f"{folder}/{part}", posixpath.dirname(file))} if part else tool


def _find_used_parts(tools: Any, parts: Parts) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the tools that stand in parts, by the part's path."""
    for tool in tools if isinstance(tools, list) else []:
        if part := parts.file_of(tool):
            yield part, tool


def _shorten_body(
    name: str, body: Mapping[str, Any], file: str, folder: str, parts: Parts, table: FieldTable
) -> dict[str, Any]:
    """Return the body as it is written: the name where the file's stem would not give it, and tools in short."""
    value = {key: body[key] for key in table.by_name if key in body}
    if value.get(table.display_name) == normalize(PurePosixPath(name).name):
        del value[table.display_name]
    if table.tools in value:
        value[table.tools] = shorten_tools(value[table.tools], file, folder, parts)
    return value


def _format_yaml(value: Mapping[str, Any], file: str, form: Format) -> str:
    schema = posixpath.relpath(find_schema_path(form.protocol), posixpath.dirname(file))
    return f"# yaml-language-server: $schema={schema}\n{format_document(value)}"


def _format_markdown(value: Mapping[str, Any], prompt: str) -> str:
    front = {key: entry for key, entry in value.items() if key != prompt}
    return f"---\n{format_document(front)}---\n\n{value[prompt]}\n"


def _is_long(text: Any) -> bool:
    if not isinstance(text, str) or not is_visible(text) or not text.strip():
        return False
    return len(text) > LONG_TEXT or text.count("\n") >= LONG_LINES


def _find_unwritable(path: ValuePath, value: Any) -> Diagnostic | None:
    """Why no file can hold a value; None where one can."""
    try:
        format_document({str(path[-1]): value})
    except ValueError as error:
        return Diagnostic(Severity.ERROR, "not-written", str(error), path=path)
    return None


def _narrow_problem(item: Diagnostic, body: Mapping[str, Any]) -> Iterator[Diagnostic]:
    """Yield the problem of a field as those of its entries, where each can be taken out by itself."""
    value = body[str(item.path[0])]
    pairs = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    found = [inner for key, entry in pairs if (inner := _find_unwritable((*item.path, key), entry))]
    yield from found or [item]


def _find_altered(resolved: ResolvedDefinition, body: Mapping[str, Any]) -> Iterator[Diagnostic]:
    """Yield a problem for each field that reads back as something else."""
    for key in dict.fromkeys([*body, *resolved.body]):
        if (
            key not in body
            or key not in resolved.body
            or not is_equal(_copy_plain(body[key]), _copy_plain(resolved.body[key]))
        ):
            yield Diagnostic(Severity.ERROR, "not-written", "it would not be read back unchanged", path=(key,))


def _copy_plain(value: Any) -> Any:
    """Return the value with dicts and lists for what only behaves like them."""
    if isinstance(value, Mapping):
        return {key: _copy_plain(entry) for key, entry in value.items()}
    return [_copy_plain(entry) for entry in value] if isinstance(value, (list, tuple)) else value


def find_taken_names(root: Path, folder: str, protocols: Collection[str] = ()) -> set[str]:
    """Return the names below the definitions folder that no new definition can have, as `folded` makes them.

    Each file's path without its ending is one, whatever the ending is, and without one of the `protocols` at its end;
    and a folder's that ends as a definition does.
    """
    start = root / folder
    folders = (Path(place) / name for place, names, _ in os.walk(start) for name in names)
    there = [*_walk_files(start), *(path for path in folders if path.suffix.lower() in DEFINITION_ENDINGS)]
    names = {path.relative_to(start).with_suffix("").as_posix() for path in there}
    bare = {name.removesuffix(f".{protocol}") for name in names for protocol in protocols}
    return {fold_name(name) for name in names | bare}


def read_parts(root: Path, folder: str) -> dict[str, Any]:
    """Return the readable YAML parts below a folder, path from there to value; none where there is no folder."""
    found = {}
    for path in sorted(_walk_files(root / folder)):
        inner = path.relative_to(root).as_posix()
        data = read_inside(root, inner) if path.suffix.lower() in YAML_ENDINGS and not find_link(root, inner) else ""
        value = read_yaml(data, inner).value if isinstance(data, bytes) else None
        if value is not None:
            found[path.relative_to(root / folder).as_posix()] = value
    return found


def _walk_files(start: Path) -> Iterator[Path]:
    """Everything below a folder that is no folder and not hidden; links are not followed."""
    for place, folders, names in os.walk(start):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(place) / name for name in names if not name.startswith("."))
