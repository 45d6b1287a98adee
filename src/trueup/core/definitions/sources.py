"""What putting a definition together is given, and what it gathers on the way. Reads no file."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from trueup.core.definitions.document import Document, Partial
from trueup.core.definitions.layers import Origin
from trueup.core.field_table import FieldTable
from trueup.core.projects.project import Target
from trueup.core.source import Diagnostic, Path, Position, Severity, SourceMap

Wanted = Callable[[Path], frozenset[str]]
"""JSON type names (`string`, `number` …) by path; empty where nothing is known."""

PROJECT_FILE: Final = "trueup.yaml"


class Sources(Protocol):
    """Where documents come from; files are named by their path from the project's root, with `/`."""

    def mapping(self, file: str) -> Document:
        """Return the YAML, JSON or front matter of a file."""

    def included(self, file: str) -> Document:
        """Return the YAML, JSON or front matter of a file that {file:} names: a mapping, or a list."""

    def text(self, file: str) -> Document:
        """Return a file as plain text."""

    def is_definition(self, file: str) -> bool:
        """Whether the file is an assistant of its own."""

    def source(self, file: str) -> SourceMap:
        """Return the positions in a file; empty where nobody knows them."""

    def at(self, file: str, path: Path, *, key: bool = False) -> Position | None:
        """Where a value, or a key, stands."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What a definition is resolved for: the target, all targets' names, the project's vars and those of `--var`.

    `wanted` and `table` are those of `protocol`, whose body the definition holds.
    """

    target: Target
    targets: Collection[str]
    vars: Mapping[str, Any]
    overrides: Mapping[str, str]
    wanted: Wanted
    protocol: str
    table: FieldTable


@dataclass(slots=True)
class Gathered:
    """What turns up on the way: problems, and the other files a definition is made of.

    `unsettled` are the paths in the body where the value that was meant could not be had; `()` is the base. `partials`
    is what could be read of files with problems. `joined` are the parts of the prompt: path, first line in the
    text, from 1, and number of lines.
    """

    sources: Sources
    diagnostics: list[Diagnostic] = field(default_factory=list)
    parts: dict[str, None] = field(default_factory=dict)
    unsettled: set[Path] = field(default_factory=set)
    partials: dict[str, Partial] = field(default_factory=dict)
    joined: list[tuple[Path, int, int]] = field(default_factory=list)

    def problem(
        self, code: str, message: str, origin: Origin, hint: str, path: Path = (), *, key: bool = False
    ) -> None:
        """Add an error at a value's position; `path` is the value in the body that it makes unusable."""
        if path:
            self.unsettled.add(path)
        partial = self.partials.get(origin.file)
        references = (origin.path, (*origin.path, "var"), (*origin.path, "file"))
        if partial is not None and any(partial.explains(place, code) for place in references):
            return
        at = self.sources.at(origin.file, origin.path, key=key)
        self.diagnostics.append(Diagnostic(Severity.ERROR, code, message, at, path or origin.path, hint))

    def take(self, document: Document, origin: Origin) -> Any:
        """Return the document's value, which becomes a part, with its problems noted; None when it has none."""
        self.parts[document.file] = None
        if document.refusal:
            self.problem(
                "file-not-read",
                f"{document.file} {document.refusal}",
                origin,
                "A path is relative to the file it stands in, and stays inside the project.",
            )
        return self.read(document)

    def read(self, document: Document) -> Any:
        """Return the document's value, or what could be read of it, with its problems noted."""
        self.diagnostics += document.diagnostics
        if document.partial is not None:
            self.partials[document.file] = document.partial
        return document.checkable


def resolve_path(name: str, origin: Origin, gathered: Gathered) -> str | None:
    """Return the path from the root of a file named in another; None, with a problem, if it may not be read."""
    path = posixpath.normpath(posixpath.join(posixpath.dirname(origin.file), name))
    why = ""
    if not name or name.endswith("/"):
        why = "names no file"
    elif "\\" in name or name[1:2] == ":" or name.startswith(("/", "~")):
        why = "is not a relative path with forward slashes"
    elif path.startswith("../") or path == "..":
        why = "leaves the project"
    elif any(piece.startswith(".") for piece in path.split("/")):
        why = "leads to a hidden file or folder"
    if not why:
        return path
    gathered.problem(
        "path-refused", f"the path {name[:100]!r} {why}", origin, "Name a file inside the project, seen from this one."
    )
    return None
