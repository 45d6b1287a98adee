"""Files of import and export: exports, written whole and for their owner only, and other tools' files as JSON values.

Says nothing of what they mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from trueup.core.checked import NotJsonError, load_json
from trueup.core.command import Command, Message
from trueup.core.definitions.document import BODY, DEFINITION_ENDINGS
from trueup.core.migration.export import BEGINNING, Export, dumps, loads
from trueup.core.migration.export import LIMIT as EXPORT_LIMIT
from trueup.core.source import Severity
from trueup.edge.collector import pause_collector
from trueup.edge.definitions.documents import read_markdown
from trueup.edge.files import explain_error, read_named, read_regular, refuse_place, write_named
from trueup.edge.yaml.reader import read_yaml
from trueup.wire.registry import definition_table, protocols

_ELSEWHERE = "Name another file, such as live.json."


def read_export(path: Path, again: Command) -> Export:
    """Return the export in a file; `again` is the command that makes it.

    Raises TrueupError saying what is wrong with the file and how to go on.
    """
    return read_named(
        path, "export", 4 * EXPORT_LIMIT, Message("To make one: ", again), partial(loads, maps=_find_map_depths)
    )


def _find_map_depths(protocol: str) -> dict[str, int]:
    return {name: row.depth for name, row in definition_table(protocol).maps.items()} if protocol in protocols() else {}


def refuse_export_place(path: Path, kept: Sequence[Path], again: Command, *, force: bool = False) -> None:
    """Raise TrueupError where an export may not be written: over what is no export, or in a folder of `kept`.

    `force` lets it take the place of any plain file, and nothing else; `again` is the command with it.
    """
    overwrite = Message("Name another file, or overwrite it: ", again)
    refuse_place(path, "an export", BEGINNING.encode(), kept, _ELSEWHERE, overwrite, force=force)


def write_export(path: Path, export: Export) -> None:
    """Put the export in the file's place, readable by its owner only. Raises TrueupError; the old file then stands."""
    with pause_collector():
        content = dumps(export).encode("utf-8")
    write_named(path, "export", [content])


LIMIT: Final = 512 * 1024 * 1024
"""Bytes of the largest file that is read."""

LINES: Final = 100_000
"""Objects of the largest file with one on each line."""


class CannotRead(Exception):
    """A file cannot be read as values; the message is the end of a sentence that begins with its name."""


def read_values(path: Path, file: str) -> list[tuple[str, Any]]:
    """Return the values in a file, each with words for where it stands. Raises CannotRead."""
    data = _read_bytes(path)
    if path.suffix.lower() in DEFINITION_ENDINGS:
        return [(file, _read_structured(data, path, file))]
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise CannotRead("is not UTF-8 text") from None
    if not text.strip():
        raise CannotRead("is empty")
    try:
        return [(file, load_json(text))]
    except NotJsonError as error:
        if _has_value_per_line(text):
            return _parse_lines(text, file)
        raise CannotRead(f"is not JSON from line {error.line}, column {error.column} on") from None
    except ValueError as error:
        raise CannotRead(f"cannot be read as JSON: {error}") from None


def _read_bytes(path: Path) -> bytes:
    try:
        data = read_regular(path, LIMIT)
        if len(data) > LIMIT:
            raise CannotRead(f"is larger than {LIMIT >> 20} MiB")
        return data
    except FileNotFoundError:
        raise CannotRead("is not there") from None
    except OSError as error:
        raise CannotRead(f"could not be read: {explain_error(error)}") from None


def _read_structured(data: bytes, path: Path, file: str) -> Any:
    """Return the mapping in YAML, or in front matter with the text below it as `instructions`."""
    found = read_markdown(data, file) if path.suffix.lower() == ".md" else read_yaml(data, file)
    wrong = next((item for item in found.diagnostics if item.severity is Severity.ERROR), None)
    if wrong is not None:
        raise CannotRead(f"is not YAML: {wrong.message}{f' (line {wrong.position.line})' if wrong.position else ''}")
    if found.value is None:
        raise CannotRead("has no front matter")
    return _join_instructions(found.value)


def _join_instructions(value: dict[str, Any]) -> dict[str, Any]:
    """Return the mapping with the text below front matter as its instructions, or the last part of them."""
    if BODY not in value:
        return value
    rest = {key: entry for key, entry in value.items() if key != BODY}
    declared = rest.get("instructions")
    parts = declared if isinstance(declared, list) else [declared]
    return {**rest, "instructions": value[BODY] if declared is None else [*parts, value[BODY]]}


def _has_value_per_line(text: str) -> bool:
    """Whether the first line is a whole JSON value, and others follow."""
    first, _, rest = text.strip().partition("\n")
    try:
        load_json(first)
    except ValueError:
        return False
    return bool(rest)


def _parse_lines(text: str, file: str) -> list[tuple[str, Any]]:
    """One value of each line. Raises CannotRead, naming the line."""
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if len(lines) > LINES:
        raise CannotRead(f"holds more than {LINES} lines, each with a value of its own")
    found = []
    for number, line in lines:
        try:
            found.append((f"{file}, line {number}", load_json(line)))
        except NotJsonError:
            raise CannotRead(f"holds a JSON value on each line, but none on line {number}") from None
        except ValueError as error:
            raise CannotRead(f"cannot be read as JSON on line {number}: {error}") from None
    return found
