"""JSON values as YAML text that reads back as the same values, and that people like to read. Pure; opens no file.

Written by hand and not by a library, because each text is a promise: a reader of YAML 1.2 makes the value of it again,
to the byte, and readers of YAML 1.1 see the same words. Long texts become block scalars, and what nobody would see or a
block cannot hold goes into double quotes, line by line. New files, edits of old ones and what is shown have the same
rules; `Form` is what differs.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from trueup.core.texts.escapes import COMMAND, SIGNS

DEPTH: Final = 90
"""Levels that a value of a new file may have; the reader takes 100."""

WIDTH: Final = 60
"""Characters up to which a list of plain words, or a text of several lines in quotes, stays on one line."""

KEY_LENGTH: Final = 500
"""Characters up to which a key is written in front of its colon; parsers stop looking for the colon at 1,024."""

_WORDS: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
"""Words that some reader takes for something else than text, in lower case."""

_SIMPLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*\Z")
_IN_FLOW: Final = frozenset(",[]{}:")
_CONTROL: Final = re.compile("[\x00-\x1f]")
_ESCAPED: Final = re.compile(f"[{SIGNS}\ud800-\udfff\ufffe\uffff]")
"""What JSON leaves as it is, and YAML may not hold or nobody sees where it is shown."""

_NOT_IN_BLOCK: Final = re.compile(f"[\x00-\x08\x0b-\x1f]|{_ESCAPED.pattern}")
_HALF: Final = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Form:
    """How text is laid out: columns of a step inwards, whether lists stand that far in, and whether it is JSON.

    With `has_short_lists` a short list of plain words and numbers stands on one line. With `is_logged` no line is a
    command to a CI runner in whose log it stands, and all text but single words is in quotes.
    """

    step: int = 2
    lists_inward: bool = True
    is_json: bool = False
    has_short_lists: bool = False
    is_logged: bool = False


PLAIN: Final = Form()
JSON: Final = Form(is_json=True)
LOGGED: Final = Form(is_logged=True)
NEW_FILE: Final = Form(has_short_lists=True)


def format_document(value: Mapping[str, Any]) -> str:
    """Return a mapping of JSON values as the text of a new file.

    Raises ValueError for what YAML or its reader cannot hold.
    """
    _refuse_unwritable(value, 0)
    return "".join(f"{line}\n" for line in format_entries(value, 0, NEW_FILE)) if value else "{}\n"


def format_lines(value: Any, form: Form = PLAIN) -> list[str]:
    """Return a value from its outermost level: a mapping's keys, a list's entries, or a scalar on its one line."""
    if not _is_nested(value):
        return [format_flow(value, form)]
    return format_entries(value, 0, form) if isinstance(value, Mapping) else format_items(value, 0, form)


def format_entries(value: Mapping[str, Any], column: int, form: Form) -> list[str]:
    """Return the lines of a block mapping."""
    lines, pad = [], " " * column
    for key, entry in value.items():
        name = format_scalar(key, form=form)
        first, *rest = format_after_key(entry, column, form)
        lines += [f"{pad}? {name}", f"{pad}:{first}"] if len(name) > KEY_LENGTH else [f"{pad}{name}:{first}"]
        lines += rest
    return lines


def format_items(value: Sequence[Any], column: int, form: Form) -> list[str]:
    """Return the lines of a block list."""
    lines = []
    for entry in value:
        first, *rest = format_after_dash(entry, column, form)
        lines += [f"{' ' * column}-{first}", *rest]
    return lines


def format_after_key(value: Any, column: int, form: Form) -> list[str]:
    """Return what follows `key:`, its first line with the blank before it; `column` is the key's."""
    if not _is_nested(value) or _is_short_list(value, form):
        return _format_leaf(value, column, form)
    if isinstance(value, Mapping):
        return ["", *format_entries(value, column + form.step, form)]
    return ["", *format_items(value, column + form.step if form.lists_inward else column, form)]


def format_after_dash(value: Any, column: int, form: Form) -> list[str]:
    """Return what follows the dash of a list's entry, its first line with the blank before it.

    `column` is the dash's.
    """
    if not _is_nested(value) or _is_short_list(value, form):
        return _format_leaf(value, column, form)
    inner = column + 2
    first, *rest = (
        format_entries(value, inner, form) if isinstance(value, Mapping) else format_items(value, inner, form)
    )
    return [f" {first[inner:]}", *rest]


def format_flow(value: Any, form: Form = PLAIN) -> str:
    """Return any value on one line."""
    if isinstance(value, Mapping):
        inner = (
            f"{format_scalar(key, in_flow=True, form=form)}: {_format_flow_entry(entry, form)}"
            for key, entry in value.items()
        )
        return f"{{{', '.join(inner)}}}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_format_flow_entry(entry, form) for entry in value)}]"
    return format_scalar(value, form=form)


def format_scalar(value: Any, style: str = "", *, in_flow: bool = False, form: Form = PLAIN) -> str:
    """Return a scalar on one line, a text in the style (`'`, `"` or plain) if it can be."""
    if not isinstance(value, str):
        return _format_number(value) if isinstance(value, float) and not form.is_json else json.dumps(value)
    if form.is_json or style == '"' or (form.is_logged and not _is_simple(value)):
        return quote_text(value, form)
    if style == "'" and not _CONTROL.search(value) and not _ESCAPED.search(value):
        return "'" + value.replace("'", "''") + "'"
    return value if is_plain(value, in_flow=in_flow) else quote_text(value, form)


def is_plain(text: str, *, in_flow: bool = False) -> bool:
    """Return whether the text may stand without quotes, for readers of YAML 1.1 too."""
    if not text or not (text[0].isalpha() or text[0] == "_") or not text.isprintable() or text[-1] in " :":
        return False
    if text.casefold() in _WORDS or ": " in text or " #" in text or _ESCAPED.search(text):
        return False
    return not (in_flow and _IN_FLOW & set(text))


def quote_text(text: str, form: Form = PLAIN) -> str:
    """Return the text in double quotes on one line; what YAML may not hold or nobody would see becomes an escape.

    In JSON a sign beyond U+FFFF stays: JSON escapes it in two halves, which no reader of YAML takes.
    """
    text = json.dumps(text, ensure_ascii=False)
    if form.is_logged:
        text = COMMAND.sub(r"#\\u0023", text)
    return _ESCAPED.sub(lambda match: _escape_sign(match[0], form), text)


def quote_lines(text: str, column: int, form: Form = PLAIN) -> list[str]:
    """Return the text in double quotes, each of its lines on one of the file, from the second on at a column.

    A backslash at a line's end joins it to the next one; one before a blank keeps that.
    """
    lines = [f"{line}\n" for line in text.split("\n")]
    lines[-1] = lines[-1].removesuffix("\n")
    rows = [("\\" if line.startswith(" ") else "") + quote_text(line, form)[1:-1] for line in lines if line]
    first, *rest = [*(f"{row}\\" for row in rows[:-1]), f'{rows[-1]}"']
    return [f'"{first}', *indent_lines(rest, column)]


def is_visible(text: str) -> bool:
    """Return whether a text can stand as it is in a file: all of it is seen, and nothing turns the writing."""
    return _NOT_IN_BLOCK.search(text) is None


def is_block_text(text: str, form: Form = PLAIN) -> bool:
    """Return whether a block scalar can hold the text: nothing to escape, and something beside line breaks."""
    if not text.strip("\n") or not is_visible(text):
        return False
    return not (form.is_logged and any(map(_is_command, text.split("\n"))))


def format_literal(text: str, column: int, parent: int) -> tuple[str, list[str]]:
    """Return a text as `|`: the header, and its lines at a column; `parent` is the collection's around it."""
    return f"|{_format_indicators(text, column, parent)}", indent_lines(text.removesuffix("\n").split("\n"), column)


def format_folded(
    text: str, column: int, parent: int, width: int, known: Sequence[Sequence[str]] = ()
) -> tuple[str, list[str]]:
    """Return a text as `>`, broken at `width`; a paragraph that is one of `known` is broken as it was.

    Raises ValueError where `>` keeps lines as they are, so that nothing could be folded.
    """
    lines = text.removesuffix("\n").split("\n")
    if any(line[:1] in (" ", "\t") for line in lines):
        raise ValueError("a line that begins with a blank is not folded")
    broken = {" ".join(lines): list(lines) for lines in known}
    made: list[str] = []
    for index, line in enumerate(lines):
        made += [""] if index else []
        made += (broken.get(line) or _wrap_line(line, width - column)) if line else []
    return f">{_format_indicators(text, column, parent)}", indent_lines(made, column)


def indent_lines(lines: Sequence[str], column: int) -> list[str]:
    """Return the lines at a column; an empty one stays empty."""
    return [" " * column + line if line else "" for line in lines]


def _is_nested(value: Any) -> bool:
    return isinstance(value, (Mapping, list, tuple)) and bool(value)


def _is_short_list(value: Any, form: Form) -> bool:
    """Return whether a value is a list of plain words and numbers that stands on one line."""
    if not form.has_short_lists or not isinstance(value, (list, tuple)) or len(value) > WIDTH:
        return False
    if not all(_is_simple(entry) if isinstance(entry, str) else isinstance(entry, (int, float)) for entry in value):
        return False
    return len(format_flow(value, form)) <= WIDTH + 2


def _is_simple(text: str) -> bool:
    return _SIMPLE.match(text) is not None and text.casefold() not in _WORDS


def _is_command(line: str) -> bool:
    """Return whether a runner takes a line of its log, or a part of one, for a command."""
    return COMMAND.search(line) is not None or line.lstrip().startswith("::")


def _format_flow_entry(value: Any, form: Form) -> str:
    return (
        format_scalar(value, in_flow=True, form=form)
        if not isinstance(value, (Mapping, list, tuple))
        else format_flow(value, form)
    )


def _format_leaf(value: Any, column: int, form: Form) -> list[str]:
    if isinstance(value, str) and "\n" in value and not form.is_json:
        if is_block_text(value, form):
            header, lines = format_literal(value, column + form.step, column)
            return [f" {header}", *lines]
        if len(value) > WIDTH and not form.is_logged:
            first, *rest = quote_lines(value, column + form.step, form)
            return [f" {first}", *rest]
    return [f" {format_flow(value, form)}"]


def _format_number(value: float) -> str:
    """Return the shortest text of a number, with a point in it, without which readers of YAML 1.1 see a word."""
    mantissa, mark, exponent = repr(value).partition("e")
    return f"{mantissa if '.' in mantissa else f'{mantissa}.0'}{mark}{exponent}"


def _escape_sign(sign: str, form: Form) -> str:
    if sign > "\uffff":
        return sign if form.is_json else f"\\U{ord(sign):08x}"
    return f"\\u{ord(sign):04x}"


def _format_indicators(text: str, column: int, parent: int) -> str:
    """Return the signs of a block: a digit where its first line begins with a blank, and how the text ends."""
    digit = str(column - parent) if text.lstrip("\n")[:1] in (" ", "\t") else ""
    ending = "" if text.endswith("\n") and not text.endswith("\n\n") else "+" if text.endswith("\n") else "-"
    return digit + ending


def _wrap_line(line: str, width: int) -> list[str]:
    """Return a paragraph broken at single blanks."""
    made = [""]
    for word in re.split(r"(?<=\S) (?=\S)", line):
        if made[-1] and len(made[-1]) + 1 + len(word) > width:
            made.append(word)
        else:
            made[-1] = f"{made[-1]} {word}" if made[-1] else word
    return made


def _refuse_unwritable(value: Any, depth: int) -> None:
    """Raise ValueError for halves of characters, numbers that JSON cannot hold, and what is nested too deeply."""
    if isinstance(value, str) and (half := _HALF.search(value)):
        raise ValueError(f"it holds half of a character (U+{ord(half[0]):04X}), which no UTF-8 file can hold")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{value} is no number that JSON can hold")
    if isinstance(value, (Mapping, list, tuple)):
        if depth > DEPTH and value:
            raise ValueError(f"it is nested deeper than {DEPTH} levels")
        for entry in [*value, *value.values()] if isinstance(value, Mapping) else value:
            _refuse_unwritable(entry, depth + 1)
