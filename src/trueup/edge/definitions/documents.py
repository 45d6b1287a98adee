"""The files of a project's definitions: found in its folder, each read once, YAML and Markdown alike.

Follows no link, and does not know what is made of the documents.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any, Final

from trueup.core.definitions.definition import DefinitionFile
from trueup.core.definitions.document import (
    BODY,
    DATA_ENDINGS,
    DEFINITION_ENDINGS,
    MARKDOWN_ENDING,
    YAML_ENDINGS,
    Document,
    Lines,
    decode,
    trim_text,
)
from trueup.core.definitions.names import definition_name_problem, fold_name, is_part, normalize, protocol_in_name
from trueup.core.rules.fault import nearest
from trueup.core.source import Diagnostic, Position, Severity, SourceMap
from trueup.core.source import Path as ValuePath
from trueup.edge.files import find_link, read_inside
from trueup.edge.yaml.reader import read_yaml, read_yaml_text

_ENDINGS: Final = {
    **{ending[1:]: ending[1:] for ending in DEFINITION_ENDINGS},
    **dict.fromkeys(("json", "jsonc", "json5", "yalm", "ymal", "yam"), "yaml"),
    **dict.fromkeys(("markdown", "mdown", "mkd", "mdx"), "md"),
}
"""What stands in the name of a file that is probably meant as a definition, and the ending that makes it one."""
_LISTED: Final = " or ".join((", ".join(DEFINITION_ENDINGS[:-1]), DEFINITION_ENDINGS[-1]))


@dataclass(frozen=True, slots=True)
class FileListing:
    """What may be definitions: pairs of a name and a file relative to the root, in name order; and what is wrong.

    `others` are the remaining files, with what to say of one that no definition includes.
    """

    files: tuple[tuple[str, str], ...]
    diagnostics: tuple[Diagnostic, ...]
    others: Mapping[str, Diagnostic] = field(default_factory=dict)


def find_files(root: Path, folder: str, protocols: Collection[str] = ()) -> FileListing:
    """Walk the definitions folder once; hidden entries are skipped, links and special files are problems.

    One of the `protocols` at the end of a file's name (`NAME.PROTOCOL.yaml`) is no part of the definition's name.
    """
    problems: list[Diagnostic] = []
    start = root / folder
    if not start.is_dir() or start.is_symlink():
        what = "is a symbolic link" if start.is_symlink() else "is not there"
        missing = _make_problem(
            "no-definitions",
            f"the folder for definitions, {folder}, {what}",
            folder,
            "Create it, or name another one as `definitions` in trueup.yaml.",
        )
        return FileListing((), (missing,))
    named: list[tuple[str, str]] = []
    others: list[str] = []
    for path in _walk_folder(start, folder, problems):
        inner = PurePosixPath(path).relative_to(folder)
        if is_part(inner) or _is_readme(inner):
            continue
        if inner.suffix.lower() not in DEFINITION_ENDINGS:
            others.append(path)
            continue
        name = normalize(str(inner.with_suffix("")))
        protocol = protocol_in_name(path, protocols)
        name = name.removesuffix(f".{protocol}") if protocol else name
        why = definition_name_problem(name)
        if why:
            problems.append(_describe_bad_name(path, why))
        else:
            named.append((name, path))
            problems += [] if protocol else _misspelt_protocol(path, inner.stem, protocols)
    taken = {path.rpartition(".")[0].casefold() for _, path in named}
    return FileListing(
        tuple(sorted(named)), tuple(problems), {path: _note_ending(path, taken) for path in sorted(others)}
    )


def _misspelt_protocol(path: str, stem: str, protocols: Collection[str]) -> list[Diagnostic]:
    """Return a warning where a name ends like a protocol's, which makes the ending a part of the definition's name."""
    name, _, ending = stem.rpartition(".")
    meant = nearest(ending, protocols) if name else ""
    if not meant:
        return []
    message = f"'{ending}' at the end of the file's name is no protocol; did you mean '{meant}'?"
    problem = _make_problem(
        "no-protocol", message, path, f"Rename the file to {name}.{meant}{path[path.rindex('.') :]}."
    )
    return [replace(problem, severity=Severity.WARNING)]


def _walk_folder(start: Path, folder: str, problems: list[Diagnostic]) -> Iterator[str]:
    """Every plain file below a folder, as a path from the root."""
    waiting = [(str(start), folder)]
    while waiting:
        place, shown = waiting.pop()
        try:
            listing = os.scandir(place)
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            words = f"the folder {shown} cannot be read: {why}"
            problems.append(_make_problem("file-not-read", words, shown, "Make it readable."))
            continue
        with listing as entries:
            for entry in entries:
                path = f"{shown}/{entry.name}"
                if entry.name.startswith("."):
                    continue
                if entry.is_symlink():
                    problems.append(
                        _make_problem(
                            "symbolic-link",
                            f"{path} is a symbolic link; links are not followed",
                            path,
                            "Replace the link with the file, or share text with {file:} or extends.",
                        )
                    )
                elif entry.is_dir(follow_symlinks=False):
                    waiting.append((entry.path, path))
                elif entry.is_file(follow_symlinks=False):
                    yield path
                else:
                    problems.append(
                        _make_problem("special-file", f"{path} is a device, a pipe or a socket", path, "Move it away.")
                    )


def find_clashes(files: Iterable[DefinitionFile]) -> tuple[frozenset[str], list[Diagnostic]]:
    """Return the names that are not one file's alone in a protocol, so that neither can be meant, and what to say.

    Names that a file system could confuse clash in whichever protocols.
    """
    clashing: set[str] = set()
    problems: list[Diagnostic] = []
    by_fold: dict[str, list[DefinitionFile]] = {}
    for found in files:
        by_fold.setdefault(fold_name(found.name), []).append(found)
    for same in by_fold.values():
        if len(same) == 1 or ({item.name for item in same} == {same[0].name} and _have_own_protocols(same)):
            continue
        clashing.update(item.name for item in same)
        first, second = same[0].file, same[1].file
        others = f" ({len(same) - 2} more)" if len(same) > 2 else ""
        problems.append(
            _make_problem(
                "name-taken",
                f"{first} and {second}{others} define the same assistant {same[0].name!r}: "
                "capitals, the ending and the encoding of accents make no difference",
                second,
                "Rename or remove one of them.",
            )
        )
    return frozenset(clashing), problems


def _have_own_protocols(files: Sequence[DefinitionFile]) -> bool:
    return len({item.protocol for item in files}) == len(files)


def _describe_bad_name(path: str, why: str) -> Diagnostic:
    """Return the problem of a name that no assistant can have, or that this locale cannot read."""
    hint = "Rename the file: its path is the assistant's name."
    with suppress(UnicodeDecodeError):
        if os.fsencode(path).decode("utf-8") != path:
            why = "is UTF-8, which this locale cannot read"
            hint = "Set a UTF-8 locale, such as LC_ALL=C.UTF-8, or PYTHONUTF8=1."
    return _make_problem("bad-name", f"the name of the file {ascii(path)[1:-1]} {why}", path, hint)


def _is_readme(path: PurePosixPath) -> bool:
    suffix = path.suffix.lower()
    if suffix in YAML_ENDINGS:
        return False
    stem = path.stem if suffix == MARKDOWN_ENDING else path.name.partition(".")[0]
    return stem.casefold() == "readme"


def _note_ending(path: str, taken: Collection[str]) -> Diagnostic:
    """Return what to say of a file that its ending keeps from being read.

    `taken` are the paths of definitions without their endings, case-folded.
    """
    folder, _, name = path.rpartition("/")
    stem, *endings = name.split(".")
    known = [_ENDINGS.get(word.casefold().rstrip("~"), "") for word in endings]
    place = next((at for at, ending in enumerate(known) if ending), None)
    advice = "Rename it to one of these endings if it is a definition"
    if place is not None:
        stem = ".".join([stem, *endings[:place]])
        advice = f"Rename it to {stem}.{known[place]} if it is a definition"
        if f"{folder}/{stem}".casefold() in taken:
            advice = f"Remove it if it is a copy of the definition {stem}"
    shown = path.encode("utf-8", "backslashreplace").decode("utf-8")
    return Diagnostic(
        Severity.NOTE if place is None else Severity.WARNING,
        "other-ending",
        f"{shown} is not read: the name of a definition ends in {_LISTED}",
        Position(shown, 1, 1),
        hint=f"{advice}; start its name with _ if it is not.",
    )


def _make_problem(code: str, message: str, file: str, hint: str) -> Diagnostic:
    shown = file.encode("utf-8", "backslashreplace").decode("utf-8")
    return Diagnostic(Severity.ERROR, code, message, Position(shown, 1, 1), hint=hint)


_FENCE: Final = re.compile(r"^---[ \t]*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class MarkdownPieces:
    """A Markdown definition cut up; joined, they are the text: `gap` is what is dropped before the body."""

    opening: str
    front: str
    closing: str
    gap: str
    body: str


def split_markdown(text: str) -> MarkdownPieces | None:
    """Return the pieces of a text whose line breaks are LF; None where there is no front matter, or no end of it."""
    opening = _FENCE.match(text)
    closing = _FENCE.search(text, opening.end()) if opening is not None else None
    if opening is None or closing is None:
        return None
    start = closing.end() + 1
    if text.startswith("\n", start):
        start += 1
    first = opening.end() + 1
    return MarkdownPieces(
        text[:first], text[first : closing.start()], closing.group(), text[closing.end() : start], text[start:]
    )


def read_markdown(data: bytes, file: str, *, locate: bool = False) -> Document:
    """Return the definition in a Markdown file; one that opens without front matter is none, and its value is None."""
    decoded = decode(data, file)
    if isinstance(decoded, Diagnostic):
        return Document(file, None, (decoded,))
    text = decoded.replace("\r\n", "\n")
    if _FENCE.match(text) is None:
        return Document(file)
    pieces = split_markdown(text)
    if pieces is None:
        return Document(file, None, (_describe_unclosed(file, text),))
    # The fence's line is replaced by an empty one, so that every position is that of the file.
    front = read_yaml_text("\n" + pieces.front, file, locate=locate)
    front = _accept_empty_front(front, file)
    front = replace(front, diagnostics=tuple(_show_first_line(item, text) for item in front.diagnostics))
    body = trim_text(pieces.body)
    if front.checkable is None or not body.strip():
        return front
    start = len(text) - len(pieces.body)
    return _add_body(front, body, Lines(file, text).offset(start) if locate else None)


def _accept_empty_front(front: Document, file: str) -> Document:
    """Front matter without a line in it is an empty mapping: the body may be all that a file says."""
    if front.value is None and [item.code for item in front.diagnostics] == ["empty-file"]:
        return Document(file, {}, source=SourceMap({(): Position(file, 1, 1, "---")}))
    return front


def _add_body(front: Document, body: str, at: Position | None) -> Document:
    """Return the document with the text below its front matter."""
    value: dict[str, Any] = {**front.checkable, BODY: body}
    partial = front.partial
    joined = replace(front, value=value) if partial is None else replace(front, partial=replace(partial, value=value))
    if at is None:
        return joined
    return replace(joined, source=SourceMap({**front.source.values, (BODY,): at}, front.source.keys))


def _show_first_line(item: Diagnostic, text: str) -> Diagnostic:
    """Return a problem whose position shows the file's own first line, which the reader was not given."""
    if item.position is None or item.position.line > 1:
        return item
    return replace(item, position=Lines(item.position.file, text).at(0, 0))


def _describe_unclosed(file: str, text: str) -> Diagnostic:
    return Diagnostic(
        Severity.ERROR,
        "front-matter-open",
        "the front matter that starts here has no end",
        Lines(file, text).at(0, 0),
        hint="Put a line with `---` between the front matter and the instructions.",
    )


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

    def read_found(self, file: str) -> Document:
        """Return a file that the walk found, so that no link leads to it; Markdown may be no definition."""
        if file not in self._mappings:
            self._mappings[file] = self._read(file, locate=False)
        return self._mappings[file]

    def mapping(self, file: str) -> Document:
        """Return the YAML, JSON or front matter of a file that another one names."""
        if file not in self._mappings:
            self._mappings[file] = self._read_named(file, is_included=False)
        return _refuse_without_fields(self._mappings[file])

    def included(self, file: str) -> Document:
        """Return the same for a file that another one includes by {file:}; it may hold a list."""
        if file not in self._included:
            self._included[file] = self._read_named(file, is_included=True)
        return _refuse_without_fields(self._included[file])

    def text(self, file: str) -> Document:
        """Return a file that another one names, as text."""
        if file not in self._texts:
            self._texts[file] = self._read_text(file, locate=False)
        return self._texts[file]

    def values(self) -> Mapping[str, Any]:
        """Return the mappings of all files that have been read as such, by file."""
        return {file: document.checkable for file, document in self._mappings.items()}

    def is_definition(self, file: str) -> bool:
        """Whether the file is an assistant of its own."""
        return file in self.definitions

    def source(self, file: str) -> SourceMap:
        """Return the positions in a file, which is read once more for them; empty if it is not what it was."""
        if file not in self._maps:
            if len(self._maps) >= _KEPT_MAPS:
                self._maps.clear()
            if file in self._texts and file not in self._mappings:
                document = self._read_text(file, locate=True)
            else:
                document = self._read(file, locate=True, is_included=file in self._included)
            self._maps[file] = document.source
        return self._maps[file]

    def at(self, file: str, path: ValuePath, *, key: bool = False) -> Position | None:
        """Where a value or a key stands; the start of the file if that cannot be told."""
        source = self.source(file)
        return (source.key(path) if key else source.value(path)) or Position(file, 1, 1)

    def read_content(self, file: str) -> bytes | str:
        """Return the bytes of a file; or why there are none, as the end of a sentence."""
        if file not in self._contents:
            return read_inside(self._root, file)
        content = self._contents[file]
        return "does not exist" if content is None else content

    def _read_named(self, file: str, *, is_included: bool) -> Document:
        link = find_link(self._root, file)
        return Document(file, refusal=link) if link else self._read(file, locate=False, is_included=is_included)

    def _read(self, file: str, *, locate: bool, is_included: bool = False) -> Document:
        ending = PurePosixPath(file).suffix.lower()
        if ending != MARKDOWN_ENDING and ending not in DATA_ENDINGS:
            return Document(file, refusal="has the ending of neither YAML nor JSON")
        data = self.read_content(file)
        if isinstance(data, str):
            return Document(file, refusal=data)
        if ending == MARKDOWN_ENDING:
            return read_markdown(data, file, locate=locate)
        return read_yaml(data, file, locate=locate, is_included=is_included)

    def _read_text(self, file: str, *, locate: bool) -> Document:
        link = find_link(self._root, file)
        data = link or self.read_content(file)
        if isinstance(data, str):
            return Document(file, refusal=data)
        text = decode(data, file)
        if isinstance(text, Diagnostic):
            return Document(file, None, (text,))
        source = SourceMap({(): Lines(file, text).at(0, 0)}) if locate else SourceMap()
        return Document(file, trim_text(text), source=source)


def _refuse_without_fields(document: Document) -> Document:
    """Return the document; with a refusal if it is Markdown that holds no fields."""
    if document.value is None and not document.diagnostics and not document.refusal:
        return replace(document, refusal="has no front matter, so it has no fields")
    return document
