"""The one form in which values are compared and digested. Knows the rules as data, no protocol and no file."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import combinations
from typing import Any

import rfc8785

from trueup.core.field_table import RESOLVED, Field, FieldTable, Kind, tool_name

DIGEST_RULES = 1
"""Version of the canonical form; state written under other rules is unknown until the next apply."""

_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)

_WORDS = frozenset((str, bool, type(None)))
"""The types whose values every encoder spells alike."""

MAX_LEVELS = 99
"""More levels than any server fills in."""

OPEN_TOOLS = 6
"""Tools with parts that only the server decides, up to which every choice of them is tried."""

OBJECT = (dict, Mapping)
"""What counts as a JSON object; the plain type first, because asking an abstract one takes ten times as long."""


def canonical_json(value: Any) -> bytes:
    """RFC 8785 canonical JSON. Raises ValueError for what JSON cannot hold (NaN, an unknown type)."""
    if isinstance(value, str):
        text = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        if text.isprintable():  # nothing else to escape: for a long prompt twice as fast as any encoder
            return f'"{text}"'.encode()
    if _is_plain(value):
        return _ENCODER.encode(value).encode("utf-8", "surrogatepass")
    return rfc8785.dumps(_to_floats(value))


def digest(value: Any, length: int = 32) -> str:
    """Return the first `length` hex digits of the SHA-256 of the value's canonical JSON."""
    return hashlib.sha256(canonical_json(value)).hexdigest()[:length]


def _is_plain(value: Any) -> bool:
    """Whether the C encoder's output is the canonical form already: keys that sort alike, numbers that read alike."""
    waiting = [value]
    while waiting:
        entry = waiting.pop()
        kind = type(entry)
        if kind in _WORDS:
            continue
        if kind is dict:
            if not _has_ascii_keys(entry):
                return False
            waiting.extend(entry.values())
        elif kind is list or kind is tuple:
            waiting.extend(entry)
        elif not _is_plain_number(entry, kind):
            return False
    return True


def _has_ascii_keys(value: dict[Any, Any]) -> bool:
    try:
        return "".join(value).isascii()
    except TypeError:  # a key that is no text
        return False


def _is_plain_number(value: Any, kind: type) -> bool:
    """Whether both forms spell a number alike; what is no number is not plain."""
    if kind is int:
        return bool(abs(value) < 2**53)
    if kind is float:
        return 1e-4 <= abs(value) < 1e15 and not float.is_integer(value)  # no exponent, and no .0, in either form
    return False


def _to_floats(value: Any) -> Any:
    """Convert integers beyond 2**53, which RFC 8785 cannot represent, to floats as JSON readers do."""
    if isinstance(value, Mapping):
        return {_escape_surrogates(str(key)): _to_floats(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_to_floats(entry) for entry in value]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**53 - 1:
        return float(value)
    if isinstance(value, str):
        return _escape_surrogates(value)
    return value


def _escape_surrogates(text: str) -> str:
    """Escape lone surrogates, which JSON can spell and UTF-8 cannot encode."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def same(left: Any, right: Any) -> bool:
    """Whether two canonical values are the same: numbers by value, True is not 1, order of keys ignored."""
    if isinstance(left, str):
        return bool(left == right)
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, (list, tuple)):
        if not isinstance(right, (list, tuple)) or len(left) != len(right):
            return False
        return all(map(same, left, right))
    if isinstance(left, OBJECT):
        return isinstance(right, OBJECT) and left.keys() == right.keys() and _same_entries(left, right)
    return bool(left == right)


def _same_entries(left: Mapping[str, Any], right: Mapping[str, Any]) -> bool:
    """Compare two objects with the same keys; texts, the most common entries, are compared directly."""
    for key, entry in left.items():  # noqa: SIM110 - `all` over a generator takes half as long again
        if not (entry == right[key] if type(entry) is str else same(entry, right[key])):
            return False
    return True


def canonical(name: str, value: Any, table: FieldTable) -> Any:
    """Return one field's value with defaults filled in, server-only parts dropped and numbers made comparable."""
    row = table.field_of(name)
    if value is None or (row is not None and row.empty_is_null and value == ""):
        return table.default_of(name)
    if row is None:
        return value
    if row.kind is Kind.NUMBER:
        return _to_single(value)
    if row.kind is Kind.OBJECT:
        return _complete(value, row, table)
    if isinstance(value, (list, tuple)):
        if row.kind is Kind.TOOLS:
            return [_complete(tool, row, table) for tool in value]
        if row.unordered:
            return sorted(value, key=canonical_json)
    return value


def fits(name: str, wanted: Any, found: Any, table: FieldTable) -> bool:
    """Return whether a live value is what a declared one asks for, whatever the server alone decides in it."""
    left, right = canonical(name, wanted, table), canonical(name, found, table)
    if same(left, right):
        return True
    row = table.field_of(name)
    if row is None:
        return False
    cleared = row.resolved and same(left, table.default_of(name))
    return cleared or same(left, without_open_parts(name, right, left, table))


def without_open_parts(name: str, found: Any, wanted: Any, table: FieldTable) -> Any:
    """Return a live value without what only the server decides where the declared value does not say it."""
    row = table.field_of(name)
    if row is None:
        return found
    if row.kind is Kind.OBJECT:
        return _drop_open_parts(found, wanted, row)
    are_lists = isinstance(found, (list, tuple)) and isinstance(wanted, (list, tuple))
    if row.kind is Kind.TOOLS and are_lists and len(found) == len(wanted):
        return [_drop_open_parts(tool, beside, row) for tool, beside in zip(found, wanted, strict=True)]
    return found


def list_closed_forms(name: str, found: Any, table: FieldTable) -> Iterator[Any]:
    """Yield what may have been declared where a live value is the answer: it lacks parts that only the server decides.

    For a digest, which holds no more. Of more than `OPEN_TOOLS` tools with such parts all lack them, or none does.
    """
    row = table.field_of(name)
    if row is None:
        return
    if row.resolved:
        yield None
    if row.kind is Kind.OBJECT and isinstance(found, OBJECT):
        parts = [key for key in found if (row.fills_of(found) or {}).get(key) is RESOLVED]
        for count in range(1, len(parts) + 1):
            for gone in combinations(parts, count):
                yield {key: entry for key, entry in found.items() if key not in gone}
    elif row.kind is Kind.TOOLS and isinstance(found, (list, tuple)):
        closed = [_drop_open_parts(tool, {}, row) for tool in found]
        open_at = [index for index, tool in enumerate(found) if closed[index] != tool]
        counts = range(1, len(open_at) + 1) if len(open_at) <= OPEN_TOOLS else [len(open_at)]
        for count in filter(None, counts):
            for chosen in combinations(open_at, count):
                yield [closed[index] if index in chosen else tool for index, tool in enumerate(found)]


def _drop_open_parts(found: Any, wanted: Any, row: Field) -> Any:
    if not isinstance(found, OBJECT) or not isinstance(wanted, OBJECT):
        return found
    fills = row.fills_of(found) or {}
    if RESOLVED not in fills.values():
        return found
    return {key: entry for key, entry in found.items() if fills.get(key) is not RESOLVED or wanted.get(key) is not None}


def float32(value: float) -> float:
    """Return the nearest single-precision number, as servers return it; a number out of range stays as it is."""
    try:
        return float(struct.unpack("<f", struct.pack("<f", value))[0])
    except OverflowError:
        return float(value)


def _complete(value: Any, row: Field, table: FieldTable) -> Any:
    """Return a field's object, or one of its tools, with what the server is known to fill in."""
    if not isinstance(value, OBJECT):
        return value
    fills = row.fills_of(value)
    filled = value if fills is None else _fill(value, fills, table.schema_keys)
    for path, words in row.synonyms.items():
        filled = _change_at(filled, path.split("."), partial(_replace_word, words))
    for path in row.numbers:
        filled = _change_at(filled, path.split("."), _to_single)
    return filled


def _fill(value: Mapping[str, Any], fills: Mapping[str, Any], schemas: frozenset[str]) -> dict[str, Any]:
    """Return the mapping without nulls and with what is filled in, in mappings too but in no JSON Schema."""
    filled = {key: entry for key, entry in value.items() if entry is not None}
    for key, default in fills.items():
        if key not in filled:
            if default is not None and default is not RESOLVED:
                filled[key] = default
        elif isinstance(default, OBJECT) and isinstance(filled[key], OBJECT) and key not in schemas:
            filled[key] = _fill(filled[key], default, schemas)
    return filled


def _change_at(value: Mapping[str, Any], path: Sequence[str], change: Callable[[Any], Any]) -> Mapping[str, Any]:
    """Return the mapping with what stands at a path, if anything does, made into something else."""
    head, rest = path[0], path[1:]
    if head not in value:
        return value
    entry = value[head]
    if rest:
        return {**value, head: _change_at(entry, rest, change)} if isinstance(entry, OBJECT) else value
    return {**value, head: change(entry)}


def _replace_word(words: Mapping[str, str], value: Any) -> Any:
    return words.get(value, value) if isinstance(value, str) else value


def _to_single(value: Any) -> Any:
    """Return a number as servers that store a single-precision one answer it, anything else as it is."""
    return float32(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


def strip_server_defaults(name: str, live: Any, file: Any, table: FieldTable, *, keep_open: bool = False) -> Any:
    """Return a live value without each key that the file lacks and that says no more than its absence.

    That are nulls and what the field table knows to be filled in. Parts that only the server decides go too, unless
    `keep_open`.
    """
    row = table.field_of(name)
    if row is None or row.kind not in (Kind.OBJECT, Kind.TOOLS):
        return _copy(live)
    if row.kind is Kind.OBJECT:
        return _strip_value(live, file, row, table, keep_open)
    if not isinstance(live, (list, tuple)):
        return _copy(live)
    beside = [(tool, _find_tool(tool, file)) for tool in live]
    return [  # of a tool that no file has, the server decided the open parts too
        _strip_value(tool, {} if known is None else known, row, table, keep_open) for tool, known in beside
    ]


def strip_object(
    value: Mapping[str, Any], known: Any, row: Field, table: FieldTable, levels: int = MAX_LEVELS
) -> dict[str, Any]:
    """Return a field's object, or one of its tools, without nulls and server defaults that `known` lacks.

    Objects more than `levels` levels below it go whole or stay whole but for nulls.
    """
    if row.fills_of(value) is None:
        return dict(value)
    kind = {"type": value["type"]} if row.typed or row.kind is Kind.TOOLS else {}
    defaults = {key: entry for key, entry in _complete(kind, row, table).items() if key not in kind}
    return _without_defaults(value, known, _complete(value, row, table), defaults, table.schema_keys, levels)


def _without_defaults(
    value: Mapping[str, Any],
    known: Any,
    filled: Mapping[str, Any],
    defaults: Mapping[str, Any],
    schemas: frozenset[str],
    levels: int,
) -> dict[str, Any]:
    """Return an object without the entries that are in `filled`, its completed form, what they are in `defaults`."""
    kept: dict[str, Any] = {}
    for key, entry in value.items():
        is_known = isinstance(known, OBJECT) and key in known
        default = defaults.get(key)
        if not is_known and (entry is None or (key in defaults and same(filled[key], default))):
            continue
        if key in schemas or not isinstance(entry, OBJECT) or not isinstance(default, OBJECT):
            kept[key] = _copy(entry)
        elif levels:
            beside = known[key] if is_known else None
            kept[key] = _without_defaults(entry, beside, filled[key], default, schemas, levels - 1)
        else:
            kept[key] = {name: _copy(inner) for name, inner in entry.items() if inner is not None}
    return kept


def _strip_value(value: Any, known: Any, row: Field, table: FieldTable, keep_open: bool) -> Any:
    if not isinstance(value, OBJECT) or same(value, known):
        return _copy(value)  # most often: the file has every key of it
    return strip_object(value if keep_open else _drop_open_parts(value, known, row), known, row, table)


def _find_tool(tool: Any, tools: Any) -> Any:
    """Return the entry of a list that is the same tool by type and name."""
    if not isinstance(tools, (list, tuple)) or not isinstance(tool, OBJECT):
        return None
    label = (tool.get("type"), tool_name(tool))
    others = (each for each in tools if isinstance(each, OBJECT))
    return next((each for each in others if (each.get("type"), tool_name(each)) == label), None)


def _copy(value: Any) -> Any:
    """Return the value in plain containers of its own."""
    if isinstance(value, OBJECT):
        return {key: _copy(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_copy(entry) for entry in value]
    return value
