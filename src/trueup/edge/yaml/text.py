"""Plain values as YAML text: scalars in a wanted style, collections in block or flow form.

Knows no file and no comment: what stands around a value is the editor's business, and whether a text reads back as the
value it was made from is asked of the reader, not promised here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from trueup.core.definitions.document import scalar
from trueup.core.texts.escapes import SIGNS

_ESCAPED: Final = re.compile(f"[{SIGNS}\ud800-\udfff\ufffe\uffff]")
"""What JSON leaves as it is, and YAML may not hold or nobody sees where it is shown."""

_BARE: Final = re.compile(f"[^\\W\\d][^\x00-\x1f\xa0{SIGNS}]*\\Z")
_IN_FLOW: Final = frozenset(",[]{}")
_OLD_WORDS: Final = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
"""Words that a reader of YAML 1.1 takes for something else than text, in any mix of capitals."""


@dataclass(frozen=True, slots=True)
class Form:
    """How new text is laid out: columns of a step inwards, whether lists stand that far in, and whether it is JSON."""

    step: int = 2
    lists_inward: bool = True
    is_json: bool = False


def quoted(text: str, *, is_json: bool = False) -> str:
    """The text in double quotes on one line; what YAML may not hold or nobody would see becomes an escape.

    With `is_json` a sign beyond U+FFFF stays: JSON escapes it in two halves, which no reader of YAML takes.
    """
    return _ESCAPED.sub(lambda match: _escape(match.group(), is_json), json.dumps(text, ensure_ascii=False))


def quoted_lines(text: str, column: int) -> list[str]:
    """The text in double quotes, each of its lines on one of the file, from the second on at a column.

    A backslash at a line's end joins it to the next one; one before a blank keeps that.
    """
    lines = [f"{line}\n" for line in text.split("\n")]
    lines[-1] = lines[-1].removesuffix("\n")
    rows = [("\\" if line.startswith(" ") else "") + quoted(line)[1:-1] for line in lines if line]
    first, *rest = [*(f"{row}\\" for row in rows[:-1]), f'{rows[-1]}"']
    return [f'"{first}', *indented(rest, column)]


def _escape(sign: str, is_json: bool) -> str:
    if sign > "\uffff":
        return sign if is_json else f"\\U{ord(sign):08x}"
    return f"\\u{ord(sign):04x}"


def is_plain(text: str, *, in_flow: bool = False) -> bool:
    """Whether the text may stand without quotes, for readers of YAML 1.1 too."""
    if not _BARE.match(text) or text[-1] in " :" or ": " in text or " #" in text or text.lower() in _OLD_WORDS:
        return False
    if in_flow and (_IN_FLOW & set(text) or ":" in text):
        return False
    return isinstance(scalar(text), str)


def token(value: Any, style: str = "", *, in_flow: bool = False, is_json: bool = False) -> str:
    """A scalar on one line, a text in the style (`'`, `"` or plain) if it can be."""
    if not isinstance(value, str):
        return json.dumps(value)
    if is_json or style == '"':
        return quoted(value, is_json=is_json)
    if style == "'" and "\n" not in value and not re.search(r"[\x00-\x1f]", value) and not _ESCAPED.search(value):
        return "'" + value.replace("'", "''") + "'"
    return value if is_plain(value, in_flow=in_flow) else quoted(value)


def flow(value: Any, *, is_json: bool = False) -> str:
    """Any value on one line."""
    if isinstance(value, dict):
        inner = ", ".join(
            f"{token(key, in_flow=True, is_json=is_json)}: {flow(entry, is_json=is_json)}"
            for key, entry in value.items()
        )
        return f"{{{inner}}}"
    if isinstance(value, list):
        return f"[{', '.join(flow(entry, is_json=is_json) for entry in value)}]"
    return token(value, in_flow=True, is_json=is_json)


def is_block_text(text: str) -> bool:
    """Whether a block scalar can hold the text: nothing to escape, and something beside line breaks."""
    return bool(text.strip("\n")) and not re.search(r"[\x00-\x08\x0b-\x1f]", text) and not _ESCAPED.search(text)


def literal(text: str, column: int, parent: int) -> tuple[str, list[str]]:
    """A text as `|`: the header, and its lines at a column; `parent` is the column of the collection around it."""
    return f"|{_indicators(text, column, parent)}", indented(_without_last(text).split("\n"), column)


def folded(
    text: str, column: int, parent: int, width: int, known: Sequence[Sequence[str]] = ()
) -> tuple[str, list[str]]:
    """A text as `>`, broken at `width`; a paragraph that is one of `known` is broken as it was.

    Raises ValueError where `>` keeps lines as they are, so that nothing could be folded.
    """
    lines = _without_last(text).split("\n")
    if any(line[:1] in (" ", "\t") for line in lines):
        raise ValueError("a line that begins with a blank is not folded")
    broken = {" ".join(lines): list(lines) for lines in known}
    made: list[str] = []
    for index, line in enumerate(lines):
        made += [""] if index else []
        made += (broken.get(line) or _wrapped(line, width - column)) if line else []
    return f">{_indicators(text, column, parent)}", indented(made, column)


def indented(lines: Sequence[str], column: int) -> list[str]:
    """The lines at a column; an empty one stays empty."""
    return [" " * column + line if line else "" for line in lines]


def after_key(value: Any, column: int, form: Form) -> list[str]:
    """What follows `key:`, its first line with the blank before it; `column` is the key's."""
    if not value or not isinstance(value, (dict, list)):
        return _leaf(value, column, form)
    if isinstance(value, dict):
        return ["", *entries(value, column + form.step, form)]
    return ["", *items(value, column + form.step if form.lists_inward else column, form)]


def entries(value: dict[str, Any], column: int, form: Form) -> list[str]:
    """The lines of a block mapping."""
    lines = []
    for key, entry in value.items():
        first, *rest = after_key(entry, column, form)
        lines += [f"{' ' * column}{token(key)}:{first}", *rest]
    return lines


def items(value: Sequence[Any], column: int, form: Form) -> list[str]:
    """The lines of a block list."""
    lines = []
    for entry in value:
        first, *rest = after_dash(entry, column, form)
        lines += [f"{' ' * column}-{first}", *rest]
    return lines


def after_dash(value: Any, column: int, form: Form) -> list[str]:
    """What follows the dash of a list's entry, its first line with the blank before it; `column` is the dash's."""
    if not value or not isinstance(value, (dict, list)):
        return _leaf(value, column, form)
    inner = column + 2
    first, *rest = entries(value, inner, form) if isinstance(value, dict) else items(value, inner, form)
    return [f" {first[inner:]}", *rest]


def _leaf(value: Any, column: int, form: Form) -> list[str]:
    if isinstance(value, str) and "\n" in value and is_block_text(value):
        header, lines = literal(value, column + form.step, column)
        return [f" {header}", *lines]
    if isinstance(value, str) and "\n" in value and not form.is_json:
        first, *rest = quoted_lines(value, column + form.step)
        return [f" {first}", *rest]
    return [f" {token(value) if not isinstance(value, (dict, list)) else flow(value)}"]


def _indicators(text: str, column: int, parent: int) -> str:
    """A digit where the first line that says something begins with a blank, and what becomes of the last breaks."""
    first = next((line for line in text.split("\n") if line), "")
    blank = any(line.isspace() for line in text[: text.find(first) + len(first)].split("\n"))
    digit = str(column - parent) if first[:1] in (" ", "\t") or blank else ""
    ending = "" if text.endswith("\n") and not text.endswith("\n\n") else "+" if text.endswith("\n") else "-"
    return digit + ending


def _without_last(text: str) -> str:
    return text.removesuffix("\n")


def _wrapped(line: str, width: int) -> list[str]:
    """A paragraph broken at single blanks."""
    made = [""]
    for word in re.split(r"(?<=\S) (?=\S)", line):
        if made[-1] and len(made[-1]) + 1 + len(word) > width:
            made.append(word)
        else:
            made[-1] = f"{made[-1]} {word}" if made[-1] else word
    return made
