"""Values as YAML text that reads back as the same values, and that people like to read. Opens no file.

Written by hand and not by a library, because each text is a promise: what `edge.yaml.reader` makes of it is the value
again, to the byte, and readers of YAML 1.1 see the same words. Long texts become block scalars, and what a block
cannot hold (control characters, lone carriage returns, marks that turn the direction of writing) goes into double
quotes, line by line. Does not know what a definition is.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

DEPTH: Final = 90
"""Levels that a value may have; the reader takes 100."""

FLOW_WIDTH: Final = 60
"""Characters up to which a list of plain words stays on one line."""

KEY_LENGTH: Final = 500
"""Characters up to which a key is written in front of its colon; parsers stop looking for the colon at 1,024."""

_WORDS: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
"""Words that some reader takes for something else than text, in lower case."""

_SIMPLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*\Z")
_ESCAPES: Final = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0"}
_TURNS: Final = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_UNQUOTABLE: Final = re.compile(
    f'[^\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]|[\\\\"\u2028\u2029{_TURNS}]'
)
_UNBLOCKABLE: Final = re.compile(
    f"[^\n\t\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]|[\u2028\u2029{_TURNS}]"
)


def dumped(value: Mapping[str, Any]) -> str:
    """A mapping of JSON values as YAML. Raises ValueError for what YAML or its reader cannot hold."""
    return "".join(f"{line}\n" for line in _entries(value, 0, 0)) if value else "{}\n"


def holds_plainly(text: str) -> bool:
    """Whether a text can stand as it is in a file: nothing in it is invisible, turns the writing, or is lost."""
    return _UNBLOCKABLE.search(text) is None


def _entries(value: Mapping[str, Any], indent: int, depth: int) -> Iterator[str]:
    _refuse_depth(depth)
    pad = " " * indent
    for key, entry in value.items():
        name = _line(key)
        head = f"{pad}{name}:"
        if len(name) > KEY_LENGTH:
            yield f"{pad}? {name}"
            head = f"{pad}:"
        yield from _after(head, entry, indent, depth)


def _after(head: str, entry: Any, indent: int, depth: int) -> Iterator[str]:
    """A value behind its key or its dash; what it takes of lines stands two columns further in."""
    flow = _flow(entry)
    if flow or not isinstance(entry, (Mapping, list)) or not entry:
        yield f"{head} {flow or _scalar(entry, indent + 2)}"
    else:
        yield head
        yield from _nested(entry, indent + 2, depth + 1)


def _nested(entry: Any, indent: int, depth: int) -> Iterator[str]:
    return _entries(entry, indent, depth) if isinstance(entry, Mapping) else _items(entry, indent, depth)


def _items(value: list[Any], indent: int, depth: int) -> Iterator[str]:
    _refuse_depth(depth)
    pad = " " * indent
    for entry in value:
        if isinstance(entry, (Mapping, list)) and entry and not _flow(entry):
            lines = _nested(entry, indent + 2, depth + 1)
            yield f"{pad}- {next(lines)[indent + 2 :]}"
            yield from lines
        else:
            yield from _after(f"{pad}-", entry, indent, depth)


def _flow(value: Any) -> str:
    """A short list of plain words and numbers on one line; empty where it does not fit."""
    if not isinstance(value, list) or not 0 < len(value) <= FLOW_WIDTH:
        return ""
    if not all(_is_simple(entry) if isinstance(entry, str) else _is_number(entry) for entry in value):
        return ""
    text = ", ".join(entry if isinstance(entry, str) else _scalar(entry, 0) for entry in value)
    return f"[{text}]" if len(text) <= FLOW_WIDTH else ""


def _is_simple(text: str) -> bool:
    return _SIMPLE.match(text) is not None and text.casefold() not in _WORDS


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float))


def _scalar(value: Any, indent: int) -> str:
    if isinstance(value, str):
        return _block(value, indent) or _line(value, indent)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _number(value)
    return "[]" if isinstance(value, list) else "{}"


def _number(value: float) -> str:
    """The shortest text of a number, with a point in it, without which readers of YAML 1.1 see a word."""
    if not math.isfinite(value):
        raise ValueError(f"{value} is no number that JSON can hold")
    mantissa, mark, exponent = repr(value).partition("e")
    return f"{mantissa if '.' in mantissa else f'{mantissa}.0'}{mark}{exponent}"


def _line(text: str, indent: int = 0) -> str:
    """A text that is no block: bare where every reader takes it for this text, else in double quotes."""
    if _is_bare(text):
        return text
    if "\n" not in text or len(text) <= FLOW_WIDTH or not indent:
        return f'"{_escaped(text)}"'
    # One line of the file for each of the text: a backslash at its end joins them, and keeps a leading blank.
    lines = [f"{line}\n" for line in text.split("\n")]
    lines[-1] = lines[-1][:-1]
    quoted = [f"\\{_escaped(line)}" if line.startswith(" ") else _escaped(line) for line in lines if line]
    return '"' + f"\\\n{' ' * indent}".join(quoted) + '"'


def _is_bare(text: str) -> bool:
    if not text or not (text[0].isalpha() or text[0] == "_") or not text.isprintable():
        return False
    return not (
        text.casefold() in _WORDS or text[-1] in " :" or ": " in text or " #" in text or _UNBLOCKABLE.search(text)
    )


def _escaped(text: str) -> str:
    return _UNQUOTABLE.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    code = ord(character)
    if 0xD800 <= code <= 0xDFFF:
        raise ValueError(f"it holds half of a character (U+{code:04X}), which no UTF-8 file can hold")
    if character in _ESCAPES:
        return _ESCAPES[character]
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _block(text: str, indent: int) -> str:
    """A text of several lines as a literal block; empty where a block cannot hold it."""
    if "\n" not in text or not holds_plainly(text) or not text.strip("\n"):
        return ""
    body = text.rstrip("\n")
    ending = len(text) - len(body)
    first = body.lstrip("\n")[0]
    mark = "|" + ("2" if first in " \t" else "") + ("-" if not ending else "+" if ending > 1 else "")
    pad = " " * indent
    lines = [f"{pad}{line}" if line else "" for line in body.split("\n")]
    return "\n".join([mark, *lines, *[""] * (ending - 1)])


def _refuse_depth(depth: int) -> None:
    if depth > DEPTH:
        raise ValueError(f"it is nested deeper than {DEPTH} levels")
