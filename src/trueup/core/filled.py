"""The references in a body, replaced by what they name: `{var:}`, `{file:}`, and the parts of instructions.

Reads no file: documents are handed in by name. Does not lay files over each other (`core.layers`) and judges no field.
"""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from trueup.core.document import Document
from trueup.core.layers import Origin, Tree, is_reference
from trueup.core.names import meant
from trueup.core.project import Target
from trueup.core.source import Diagnostic, Path, Position, Severity, dotted
from trueup.core.wanted import Wanted, from_text

PROJECT_FILE: Final = "trueup.yaml"


class Sources(Protocol):
    """Where documents come from; files are named by their path from the project's root, with `/`."""

    def mapping(self, file: str) -> Document:
        """The YAML, JSON or front matter of a file."""

    def text(self, file: str) -> Document:
        """A file as plain text."""

    def is_definition(self, file: str) -> bool:
        """Whether the file is an assistant of its own."""

    def at(self, file: str, path: Path, *, key: bool = False) -> Position | None:
        """Where a value, or a key, stands."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What a definition is resolved for: the target, all targets' names, the project's vars and those of `--var`."""

    target: Target
    targets: Collection[str]
    vars: Mapping[str, Any]
    overrides: Mapping[str, str]
    wanted: Wanted


@dataclass(slots=True)
class Gathered:
    """What turns up on the way: problems, and the other files a definition is made of."""

    sources: Sources
    diagnostics: list[Diagnostic] = field(default_factory=list)
    parts: dict[str, None] = field(default_factory=dict)

    def problem(
        self, code: str, message: str, origin: Origin, hint: str, path: Path = (), *, key: bool = False
    ) -> None:
        """Notes an error at the place where a value stands."""
        at = self.sources.at(origin.file, origin.path, key=key)
        self.diagnostics.append(Diagnostic(Severity.ERROR, code, message, at, path or origin.path, hint))

    def take(self, document: Document, origin: Origin) -> Any:
        """The document's value, which becomes a part; None with its problems noted when it has none."""
        self.parts[document.file] = None
        if document.refusal:
            self.problem(
                "file-not-read",
                f"{document.file} {document.refusal}.",
                origin,
                "A path is relative to the file it stands in, and stays inside the project.",
            )
        self.diagnostics += document.diagnostics
        return document.value


def file_named(name: str, origin: Origin, gathered: Gathered) -> str | None:
    """The path from the root of a file named in another one; None, with a problem, if it may not be read."""
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
        "path-refused", f"The path {name[:100]!r} {why}.", origin, "Name a file inside the project, seen from this one."
    )
    return None


class Filler:
    """Walks one body in which everything has been laid over; what it returns shares no container with its input."""

    def __init__(self, tree: Tree, setting: Setting, gathered: Gathered) -> None:
        self._tree = tree
        self._setting = setting
        self._gathered = gathered

    def filled(self) -> dict[str, Any]:
        """The whole mapping, with references replaced and tools written out."""
        return {key: self._field(key, value) for key, value in self._tree.value.items()}

    def _field(self, key: str, value: Any) -> Any:
        path = (key,)
        if key == "instructions":
            return self._instructions(value, path)
        if key == "metadata" and self._is_var(value):
            return self._refuse_var(value, path, "metadata as a whole", "Give each entry its own {var:}.")
        value = self._walk(value, path)
        if key == "tools" and type(value) is list:
            return [self._tool(tool, (key, index)) for index, tool in enumerate(value)]
        if key == "response_format" and type(value) is dict and type(value.get("json_schema")) is dict:
            self._schema(value["json_schema"], "schema", (key, "json_schema", "schema"))
        return value

    def _walk(self, value: Any, path: Path) -> Any:
        """A copy with variables replaced; a JSON Schema is copied as it is, and `{file:}` is left to its own step."""
        if type(value) is dict:
            if _is_schema(path):
                return value if is_reference(value, "file") else self._plain(value, path)
            if len(value) == 1:
                if "var" in value:
                    return self._var(value["var"], path)
                if "file" in value and not _is_tool(path) and isinstance(value["file"], str) and path[0] != "metadata":
                    self._misplaced(path)
            return {key: self._walk(entry, (*path, key)) for key, entry in value.items()}
        if type(value) is list:
            return [self._walk(entry, (*path, index)) for index, entry in enumerate(value)]
        return value

    def _misplaced(self, path: Path) -> None:
        self._gathered.problem(
            "file-not-here",
            f"{dotted(path)} cannot come from a file.",
            self._tree.origin(path),
            "{file:} may stand for instructions or one of their parts, a whole tool, a function's parameters, "
            "or a response format's schema.",
            path,
        )

    def _plain(self, value: Any, path: Path) -> Any:
        """A copy of what must hold no reference: a JSON Schema, or what came from a file."""
        if type(value) is dict:
            for word in ("var", "file"):
                if is_reference(value, word) and isinstance(value[word], str):
                    self._gathered.problem(
                        f"{word}-not-here",
                        f"{{{word}:}} is not followed here: a JSON Schema and an included file stay as written.",
                        self._tree.origin(path),
                        "Write the value itself, or {file:} for the whole schema.",
                        path,
                    )
            return {key: self._plain(entry, (*path, key)) for key, entry in value.items()}
        if type(value) is list:
            return [self._plain(entry, (*path, index)) for index, entry in enumerate(value)]
        return value

    def _is_var(self, value: Any) -> bool:
        return is_reference(value, "var") and isinstance(value["var"], str)

    def _refuse_var(self, value: Any, path: Path, where: str, hint: str) -> None:
        self._gathered.problem(
            "var-not-here", f"{{var: {value['var']}}} cannot stand for {where}.", self._tree.origin(path), hint, path
        )

    def _var(self, name: Any, path: Path) -> Any:
        """A variable's value: `--var` before the target's before the project's."""
        setting, origin = self._setting, self._tree.origin(path)
        if not isinstance(name, str):
            self._gathered.problem(
                "var-without-name", "{var:} takes the name of one variable.", origin, "Write {var: name}.", path
            )
            return None
        if name in setting.overrides:
            try:
                return from_text(setting.overrides[name], setting.wanted(path))
            except ValueError as error:
                self._gathered.problem(
                    "var-wrong-type",
                    f"--var {name}: {error}, which {dotted(path)} needs.",
                    origin,
                    "Pass another value for this variable.",
                    path,
                )
                return None
        for held, place in ((setting.target.vars, ("targets", setting.target.name, "vars")), (setting.vars, ("vars",))):
            if name in held:
                self._tree.moved(path, Origin(PROJECT_FILE, (*place, name)))
                return list(held[name]) if isinstance(held[name], (list, tuple)) else held[name]
        known = {*setting.overrides, *setting.target.vars, *setting.vars}
        self._gathered.problem(
            "unknown-var",
            f"There is no variable {name!r} for the target {setting.target.name!r}.",
            origin,
            f"{meant(name, known)} Set it under vars in trueup.yaml, or pass --var {name}=VALUE.",
            path,
        )
        return None

    def _instructions(self, value: Any, path: Path) -> Any:
        """One text out of a text, a file, or a list of both, joined by one blank line."""
        if type(value) is not list:
            return self._part(value, path)
        parts = [self._part(entry, (*path, index)) for index, entry in enumerate(value)]
        texts = [part for part in parts if isinstance(part, str)]
        pieces = [text.rstrip("\n") for text in texts[:-1]] + texts[-1:]
        return "\n\n".join(piece for piece in pieces if piece)

    def _part(self, value: Any, path: Path) -> Any:
        origin = self._tree.origin(path)
        if value is None and len(path) == 1:
            return None
        if isinstance(value, str):
            return value
        if self._is_var(value):
            return self._refuse_var(
                value,
                path,
                "instructions: prompts are never interpolated",
                "Use targets: to say something else for one target.",
            )
        if is_reference(value, "file"):
            file = self._file(value["file"], path)
            return None if file is None else self._taken(self._gathered.sources.text(file), path, origin)
        self._gathered.problem(
            "wrong-instructions",
            f"{dotted(path)} is neither text nor {{file: path}}.",
            origin,
            "Write text, {file: path}, or a list of these.",
            path,
        )
        return None

    def _tool(self, tool: Any, path: Path) -> Any:
        """A tool written out: a bare word is its type, and a file may stand for all of it."""
        if isinstance(tool, str):
            return {"type": tool}
        if is_reference(tool, "file"):
            return self._included(tool["file"], path)
        if type(tool) is dict and type(tool.get("function")) is dict:
            self._schema(tool["function"], "parameters", (*path, "function", "parameters"))
        return tool

    def _schema(self, holder: dict[str, Any], key: str, path: Path) -> None:
        """Replaces a schema that is named by `{file:}`."""
        if is_reference(holder.get(key), "file"):
            holder[key] = self._included(holder[key]["file"], path)

    def _included(self, name: Any, path: Path) -> Any:
        file = self._file(name, path)
        if file is None:
            return None
        value = self._taken(self._gathered.sources.mapping(file), path, self._tree.origin(path))
        return self._plain(value, path)

    def _taken(self, document: Document, path: Path, origin: Origin) -> Any:
        value = self._gathered.take(document, origin)
        self._tree.moved(path, Origin(document.file))
        return value

    def _file(self, name: Any, path: Path) -> str | None:
        """The file that `{file:}` names, if it may be included."""
        origin, gathered = self._tree.origin(path), self._gathered
        if not isinstance(name, str):
            what = "cannot come from a variable" if self._is_var(name) else "is not text"
            gathered.problem(
                "path-refused", f"The path of a file {what}.", origin, "Write {file: path/of/the/file}.", path
            )
            return None
        file = file_named(name, origin, gathered)
        if file is None or not gathered.sources.is_definition(file):
            return file
        gathered.problem(
            "file-is-definition",
            f"{file} is an assistant of its own, so it cannot be included.",
            origin,
            "Give the file, or its folder, a name that starts with _ to make it a part.",
            path,
        )
        return None


def _is_tool(path: Path) -> bool:
    return len(path) == 2 and path[0] == "tools"


def _is_schema(path: Path) -> bool:
    """Whether a JSON Schema stands here: a function's parameters, or a response format's schema."""
    if path[0] == "tools":
        return len(path) == 4 and path[2:] == ("function", "parameters")
    return path == ("response_format", "json_schema", "schema")
