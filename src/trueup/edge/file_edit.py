"""Edits of whole files: YAML, JSON, Markdown with front matter, and parts that are text. Bytes in, bytes out.

Line endings, a byte order mark and the line breaks at the end stay as they are. Knows no disk, and not why a value is
wanted.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any, Final

from trueup.core.definitions.document import BODY, Document, decode, trimmed
from trueup.core.source import Diagnostic
from trueup.core.texts.align import Allowance, align
from trueup.edge.front_matter import read_markdown, split
from trueup.edge.yaml_edit import CannotEdit, equal, rewritten
from trueup.edge.yaml_reader import read

_BOM: Final = b"\xef\xbb\xbf"
_LINES: Final = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z")
_ALIGNMENTS: Final = 2_000_000
_NOT_KEPT: Final = (
    "a Markdown body and a part cannot hold it: line breaks at the end, a carriage return, and text of blanks alone "
    "are dropped there; a YAML definition can hold it in quotes"
)


def edited(data: bytes, file: str, value: Any) -> bytes:
    """A YAML, JSON or Markdown file that reads as `value`, changed as little as can be. Raises CannotEdit."""
    is_markdown = file.lower().endswith(".md")
    text = _decoded(data, file)
    plain = text.replace("\r\n", "\n")
    made = _markdown(plain, file, data, value) if is_markdown else rewritten(plain.replace("\r", "\n"), value, file)
    result = _with_endings(data, text, made)
    _refuse_other(_read(result, file), value)
    if file.lower().endswith(".json"):
        _refuse_no_json(result)
    return result


def edited_text(data: bytes, file: str, value: str) -> bytes:
    """A file of text that reads as `value`; the line breaks at its end stay. Raises CannotEdit."""
    text = _decoded(data, file)
    plain = text.replace("\r\n", "\n")
    made = value + plain[len(plain.rstrip("\n")) :]
    result = _with_endings(data, text, made)
    found = decode(result, file)
    if isinstance(found, Diagnostic):
        raise CannotEdit(found.message)
    if trimmed(found) != value:
        raise CannotEdit(_NOT_KEPT)
    return result


def restored(data: bytes, made: str) -> bytes:
    """A changed text, its line breaks LF, in the line endings and with the mark of the file that it was made from."""
    return _with_endings(data, data.removeprefix(_BOM).decode("utf-8"), made)


def _decoded(data: bytes, file: str) -> str:
    text = decode(data, file)
    if isinstance(text, Diagnostic):
        raise CannotEdit(text.message)
    return text


def _read(data: bytes, file: str) -> Document:
    return read_markdown(data, file) if file.lower().endswith(".md") else read(data, file, is_included=True)


def _refuse_other(found: Document, value: Any) -> None:
    if found.value is None:
        raise CannotEdit(found.diagnostics[0].message if found.diagnostics else "it would be no definition any more")
    if not equal(found.value, value):
        raise CannotEdit(_NOT_KEPT)


def _refuse_no_json(data: bytes) -> None:
    try:
        json.loads(data)
    except ValueError:
        raise CannotEdit("the file would not be JSON any more") from None


def _markdown(text: str, file: str, data: bytes, value: Any) -> str:
    """Front matter and body, each changed only where it has to be."""
    parts = split(text)
    if parts is None or read_markdown(data, file).value is None:
        raise CannotEdit(f"{file} has problems of its own, which come first")
    front, body = parts.front, parts.body
    wanted = {key: entry for key, entry in value.items() if key != BODY}
    wanted_body = value.get(BODY, "")
    if not equal(read_front(front, file), wanted):
        if "\r" in front:
            raise CannotEdit("its front matter breaks lines by carriage returns alone")
        front = rewritten(front, wanted, file)
        if front and not front.endswith("\n"):
            front += "\n"
    if wanted_body != trimmed(body):
        tail = body[len(body.rstrip("\n")) :] if body.strip("\n") else "\n"
        gap = parts.gap or "\n\n"
        if wanted_body.startswith("\n") and not gap.endswith("\n\n"):
            gap += "\n"
        body = wanted_body + (tail if wanted_body else "")
        return f"{parts.opening}{front}{parts.closing}{gap if body else parts.gap[:1]}{body}"
    return f"{parts.opening}{front}{parts.closing}{parts.gap}{body}"


def read_front(front: str, file: str) -> Any:
    """The mapping in front matter; one without a line in it is empty."""
    return read(front.encode(), file).value if front.strip() else {}


def with_prompt(value: Any, prompt: str) -> Any:
    """Return a Markdown file's mapping with the prompt among its fields where the text below them cannot hold it."""
    text = value.get(BODY) if isinstance(value, dict) else ""
    if not isinstance(value, dict) or BODY not in value or (isinstance(text, str) and text.strip()):
        return value
    return {**{key: entry for key, entry in value.items() if key != BODY}, prompt: text}


def _with_endings(data: bytes, text: str, made: str) -> bytes:
    """The changed text in the file's own line endings: each kept line has its own, a new one the most usual."""
    mark = _BOM if data.startswith(_BOM) else b""
    if "\r" not in text:
        return mark + made.encode("utf-8", "surrogatepass")
    old, new = _LINES.findall(text), made.split("\n")
    endings = Counter("\r\n" if line.endswith("\r\n") else line[-1] for line in old if line[-1] in "\r\n")
    usual = endings.most_common(1)[0][0]
    bare = [line.rstrip("\r\n") for line in old]
    lines = [line + usual for line in new[:-1]] + new[-1:]
    for start, other, length in align(bare, new, Allowance(_ALIGNMENTS)):
        for step in range(length):
            if other + step < len(new) - 1 and old[start + step][-1:] in "\r\n":
                lines[other + step] = old[start + step]
    return mark + "".join(lines).encode("utf-8", "surrogatepass")
