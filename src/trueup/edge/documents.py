"""The files of one project, each read once, by their path from the root. Does not know what is made of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any, Final

from trueup.core.definitions.document import Document, Lines, decode, trimmed
from trueup.core.source import Diagnostic, Position, SourceMap
from trueup.core.source import Path as ValuePath
from trueup.edge.definition_files import link_on_the_way, read_inside
from trueup.edge.front_matter import read_markdown
from trueup.edge.yaml_reader import read

_STRUCTURED: Final = (".yaml", ".yml", ".json")
_KEPT_MAPS: Final = 64
"""Files whose positions are kept; they are many times larger than the values."""


class Documents:
    """Reads files of the project on demand; satisfies `core.definitions.sources.Sources`.

    `contents` are what some files hold instead of what is on the disk, None for one that is not there.
    """

    def __init__(
        self, root: Path, contents: Mapping[str, bytes | None] | None = None, definitions: Collection[str] = ()
    ) -> None:
        self.definitions: set[str] = set(definitions)
        self._root = root
        self._contents = contents or {}
        self._mappings: dict[str, Document] = {}
        self._included: dict[str, Document] = {}
        self._texts: dict[str, Document] = {}
        self._maps: dict[str, SourceMap] = {}

    def found(self, file: str) -> Document:
        """A file that the walk came upon, so that no link leads to it; Markdown may turn out to be no definition."""
        if file not in self._mappings:
            self._mappings[file] = self._read(file, locate=False)
        return self._mappings[file]

    def mapping(self, file: str) -> Document:
        """Return the YAML, JSON or front matter of a file that another one names."""
        if file not in self._mappings:
            self._mappings[file] = self._named(file, is_included=False)
        return _with_fields(self._mappings[file])

    def included(self, file: str) -> Document:
        """Return the same for a file that another one includes by {file:}; it may hold a list."""
        if file not in self._included:
            self._included[file] = self._named(file, is_included=True)
        return _with_fields(self._included[file])

    def text(self, file: str) -> Document:
        """A file that another one names, as text."""
        if file not in self._texts:
            self._texts[file] = self._text(file, locate=False)
        return self._texts[file]

    def values(self) -> Mapping[str, Any]:
        """Return the mappings of all files that have been read as such, by file."""
        return {file: document.checkable for file, document in self._mappings.items()}

    def is_definition(self, file: str) -> bool:
        """Whether the file is an assistant of its own."""
        return file in self.definitions

    def source(self, file: str) -> SourceMap:
        """The positions in a file, which is read once more for them; empty if it is not what it was."""
        if file not in self._maps:
            if len(self._maps) >= _KEPT_MAPS:
                self._maps.clear()
            if file in self._texts and file not in self._mappings:
                document = self._text(file, locate=True)
            else:
                document = self._read(file, locate=True, is_included=file in self._included)
            self._maps[file] = document.source
        return self._maps[file]

    def at(self, file: str, path: ValuePath, *, key: bool = False) -> Position | None:
        """Where a value or a key stands; the start of the file if that cannot be told."""
        source = self.source(file)
        return (source.key(path) if key else source.value(path)) or Position(file, 1, 1)

    def content(self, file: str) -> bytes | str:
        """The bytes of a file; or why there are none, as the end of a sentence."""
        if file not in self._contents:
            return read_inside(self._root, file)
        content = self._contents[file]
        return "does not exist" if content is None else content

    def _named(self, file: str, *, is_included: bool) -> Document:
        link = link_on_the_way(self._root, file)
        return Document(file, refusal=link) if link else self._read(file, locate=False, is_included=is_included)

    def _read(self, file: str, *, locate: bool, is_included: bool = False) -> Document:
        suffix = PurePosixPath(file).suffix.lower()
        if suffix != ".md" and suffix not in _STRUCTURED:
            return Document(file, refusal="is neither YAML nor JSON, going by its ending")
        data = self.content(file)
        if isinstance(data, str):
            return Document(file, refusal=data)
        if suffix == ".md":
            return read_markdown(data, file, locate=locate)
        return read(data, file, locate=locate, is_included=is_included)

    def _text(self, file: str, *, locate: bool) -> Document:
        link = link_on_the_way(self._root, file)
        data = link or self.content(file)
        if isinstance(data, str):
            return Document(file, refusal=data)
        text = decode(data, file)
        if isinstance(text, Diagnostic):
            return Document(file, None, (text,))
        source = SourceMap({(): Lines(file, text).at(0, 0)}) if locate else SourceMap()
        return Document(file, trimmed(text), source=source)


def _with_fields(document: Document) -> Document:
    """Return the document; with a refusal if it is Markdown that holds no fields."""
    if document.value is None and not document.diagnostics and not document.refusal:
        return replace(document, refusal="opens without front matter, so it holds no fields")
    return document
