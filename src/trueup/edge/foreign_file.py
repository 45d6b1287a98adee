"""Files of other tools as JSON values: JSON, one JSON object on each line, or YAML. Says nothing of what they mean."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final, NoReturn

from trueup.edge.files import reason
from trueup.edge.front_matter import read_markdown
from trueup.edge.yaml_reader import read

LIMIT: Final = 512 * 1024 * 1024
"""Bytes of the largest file that is read."""

LINES: Final = 100_000
"""Objects of the largest file with one on each line."""


class NotRead(Exception):
    """A file cannot be read as values; the message is the end of a sentence that begins with its name."""


def read_values(path: Path, file: str) -> list[tuple[str, Any]]:
    """The values in a file, each with words for where it stands. Raises NotRead."""
    data = _bytes(path)
    if path.suffix.lower() in (".yaml", ".yml", ".md"):
        return [(file, _structured(data, path, file))]
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NotRead("is not UTF-8 text") from None
    if not text.strip():
        raise NotRead("is empty")
    try:
        return [(file, _json(text))]
    except json.JSONDecodeError as error:
        found = _by_line(text, file)
        if found:
            return found
        raise NotRead(f"is no JSON from line {error.lineno}, column {error.colno} on") from None
    except (ValueError, RecursionError) as error:
        raise NotRead("is nested too deeply" if isinstance(error, RecursionError) else f"holds {error}") from None


def _bytes(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise NotRead("is no file" if path.exists() else "is not there")
        if path.stat().st_size > LIMIT:
            raise NotRead(f"is larger than {LIMIT >> 20} MiB")
        return path.read_bytes()
    except OSError as error:
        raise NotRead(f"could not be read: {reason(error)}") from None


def _structured(data: bytes, path: Path, file: str) -> Any:
    """The mapping in YAML, or in front matter with the text below it as `instructions`."""
    found = read_markdown(data, file) if path.suffix.lower() == ".md" else read(data, file)
    if found.value is None:
        raise NotRead(f"is no YAML: {found.diagnostics[0].message}" if found.diagnostics else "has no front matter")
    return found.value


def _by_line(text: str, file: str) -> list[tuple[str, Any]]:
    """One value of each line; none where a line is no JSON."""
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if not 1 < len(lines) <= LINES:
        return []
    try:
        return [(f"{file}, line {number}", _json(line)) for number, line in lines]
    except (ValueError, RecursionError):
        return []


def _json(text: str) -> Any:
    return json.loads(text, parse_constant=_refuse)


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word}, which is no JSON")
