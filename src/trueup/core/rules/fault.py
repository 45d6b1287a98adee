"""A mistake before it has a position, and a validator's errors as one short sentence for each mistake.

Validators, limits and readers of files all report faults. `explain` knows a JSON Schema validator's keywords and
imports no validator.
Five keys of a schema are its own: `x-secret` says that a value may hold a secret, so that none may be written there
and no message shows one; `x-instead` maps a word that people often write to "what is wrong; what to do",
`x-older` lists allowed words that nobody is told to write, `x-around` lists keys that people may write and that are
gone by the time a value is judged, `errorMessage` is the sentence for a refused value.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from trueup.core.definitions.document import find_words
from trueup.core.source import Diagnostic, Path, Position, Severity, SourceMap, dotted, in_order

CUT = 60
"""Characters of a value that a message shows."""

SECRET = "secret-in-file"
"""The code of a fault whose line may hold a secret, and is not shown beyond its key."""

KINDS: Mapping[type, str] = {
    str: "text", bool: "true or false", int: "a number", float: "a number", type(None): "null",
    list: "a list", tuple: "a list", dict: "a mapping",
}  # fmt: skip
"""What the kinds of values are called in a message."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A hint that repeats a value in the words of its file, `{}` in `text`: `01234`, which is read as 1234.

    Where the file's words are not known, or would not be read as the value, the fault's own hint stands.
    """

    value: Any
    text: str


@dataclass(frozen=True, slots=True)
class Fault:
    """A mistake before it has a position: `at_key` points at the key of `path`, else at its value.

    `meant` are the keys that an unknown key's sentence proposes: that they are missing is the same mistake.
    `proposal` goes before `hint` where it can be made.
    """

    code: str
    path: Path
    message: str
    hint: str = ""
    at_key: bool = False
    severity: Severity = Severity.ERROR
    meant: tuple[str, ...] = ()
    proposal: Proposal | None = None


def place_faults(faults: Iterable[Fault], locate: Callable[[], SourceMap], file: str = "") -> list[Diagnostic]:
    """Return the faults with positions, in order; call `locate` only if there is one. `file` is the last resort."""
    found = tuple(faults)
    if not found:
        return []
    source = locate()
    nowhere = Position(file, 1, 1) if file else None
    return list(in_order(_diagnostic(fault, source, nowhere) for fault in found))


def _diagnostic(fault: Fault, source: SourceMap, nowhere: Position | None) -> Diagnostic:
    position = source.key(fault.path) if fault.at_key else source.value(fault.path)
    hint, proposal = fault.hint, fault.proposal
    words = find_words(proposal.value, position) if proposal is not None and position is not None else ""
    if proposal is not None and words:
        hint = proposal.text.replace("{}", words)
    if fault.code == SECRET and position is not None:
        position = position.without_value()
    return Diagnostic(fault.severity, fault.code, fault.message, position or nowhere, fault.path, hint)


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the likely meant known word, or ""; case, hyphens and underscores make little difference."""
    import difflib

    folded: dict[str, str] = {}
    for entry in known:
        folded.setdefault(_fold(entry), entry)
    matches = difflib.get_close_matches(_fold(word), folded, n=1, cutoff=0.6)
    return folded[matches[0]] if matches else ""


def _fold(word: str) -> str:
    return word[:CUT].casefold().replace("-", "_")


def show_value(value: Any) -> str:
    """Format a value for a message: quoted text cut at 60 characters; for a list or mapping only its kind."""
    if isinstance(value, str):
        return repr(value if len(value) <= CUT else value[: CUT - 1] + "…")
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, (int, float)):
        text = spell_number(value) if isinstance(value, float) or value.bit_length() < 200 else "a very long number"
        return text if len(text) <= CUT else text[: CUT - 1] + "…"
    return KINDS.get(type(value), "something else")


def show_path(path: Path) -> str:
    """Format a path for a message, each key cut at 60 characters; the empty path is `the value`."""
    parts = (part if isinstance(part, int) or len(part) <= CUT else part[: CUT - 1] + "…" for part in path)
    return dotted(tuple(parts)) or "the value"


def spell_number(value: float) -> str:
    """Format a number as YAML writes it."""
    if isinstance(value, float) and not math.isfinite(value):
        return ".nan" if math.isnan(value) else ".inf" if value > 0 else "-.inf"
    return repr(value)


TYPES: Mapping[str, str] = {
    "string": "text", "boolean": "true or false", "integer": "a whole number", "number": "a number",
    "null": "null", "array": "a list", "object": "a mapping",
}  # fmt: skip
TOO_LONG = {"maxLength": "too-long", "maxItems": "too-many", "maxProperties": "too-many"}
TOO_SHORT = {"minLength": "too-short", "minItems": "too-few", "minProperties": "too-few"}
RANGE = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
UNITS = {"Length": "character", "Items": "entry", "Properties": "key"}
PLURALS = {"character": "characters", "entry": "entries", "key": "keys"}


class ValidationError(Protocol):
    """The part of a validator's error that is read here."""

    validator: Any
    validator_value: Any
    instance: Any
    schema: Any
    context: Any
    message: str

    @property
    def absolute_path(self) -> Iterable[str | int]: ...

    @property
    def absolute_schema_path(self) -> Sequence[str | int]: ...


def explain(errors: Iterable[ValidationError]) -> list[Fault]:
    """One fault for each mistake in a validator's errors, which may tell one mistake twice or several in one.

    In order of path, because the order in which a validator finds them may change from run to run.
    """
    faults = sorted((fault for error in errors for fault in _find_faults(error)), key=_sort_key)
    wrong_type = {fault.path for fault in faults if fault.code == "wrong-type" and not fault.at_key}
    meant = {(*fault.path[:-1], key) for fault in faults for key in fault.meant}
    kept = (
        fault
        for fault in faults
        if not (fault.path in wrong_type and fault.code != "wrong-type" and not fault.at_key)
        and not (fault.code == "missing-key" and fault.path in meant)
    )
    return list({(fault.code, fault.path): fault for fault in kept}.values())


def _sort_key(fault: Fault) -> tuple[tuple[str, ...], str, str]:
    path = tuple(f"{part:09}" if isinstance(part, int) else part for part in fault.path)
    return path, fault.code, fault.message


def _find_faults(error: ValidationError) -> Iterator[Fault]:
    path = tuple(error.absolute_path)
    keyword = error.validator
    if isinstance(error.schema, Mapping) and error.schema.get("x-secret"):
        yield _describe_secret(error, path)
    elif "propertyNames" in error.absolute_schema_path:
        yield _describe_bad_key(error, path)
    elif keyword in ("additionalProperties", "unevaluatedProperties") and isinstance(error.instance, Mapping):
        yield from _find_unknown_keys(error, path)
    elif keyword in ("anyOf", "oneOf") and error.context:
        yield from _explain_branches(error, path)
    else:
        yield RULES.get(keyword, _describe_other)(error, path)


def _find_unknown_keys(error: ValidationError, path: Path) -> Iterator[Fault]:
    schema = error.schema
    around = schema.get("x-around", ())
    known = [*(key for key, rule in schema.get("properties", {}).items() if not _is_refused(rule)), *around]
    patterns = schema.get("patternProperties", {})
    for key in error.instance:
        if key in schema.get("properties", {}) or any(re.search(pattern, key) for pattern in patterns):
            continue
        instead = schema.get("x-instead", {}).get(key)
        if instead:
            named = tuple(word for word in schema.get("required", ()) if word in instead)
            yield _suggest_instead(instead, (*path, key), at_key=True, meant=named)
            continue
        close = nearest(key, known)
        where = f" in {show_path(path)}" if path else ""
        question = f"; did you mean '{close}'?" if close else ""
        hint = f"Known here: {', '.join(sorted(known))}." if known and not close else ""
        named = tuple(schema.get("required", ())) if close in around else (close,)
        yield Fault(
            "unknown-key", (*path, key), f"unknown key {show_value(key)}{where}{question}", hint, True, meant=named
        )


def _is_refused(rule: Any) -> bool:
    """Whether no value may stand under a key, which is only there for what is said of it."""
    return rule is False or (isinstance(rule, Mapping) and rule.get("not") == {})


def _suggest_instead(said: str, path: Path, **more: Any) -> Fault:
    """Make a fault from an `x-instead` text: the problem, and after the semicolon the advice."""
    message, _, advice = said.partition("; ")
    return Fault("not-allowed", path, message, f"{advice[:1].upper()}{advice[1:]}.", **more)


def _describe_bad_key(error: ValidationError, path: Path) -> Fault:
    inner = RULES.get(error.validator, _describe_other)(error, ())
    message = inner.message.replace("the value", f"the key {show_value(error.instance)}", 1)
    return Fault(inner.code, (*path, error.instance), message, inner.hint, at_key=True)


def _explain_branches(error: ValidationError, path: Path) -> Iterator[Fault]:
    """Yield the mistakes in the alternative that was probably meant: of the value's type, with the fewest faults."""
    branches: dict[Any, list[ValidationError]] = {}
    for inner in error.context:
        branches.setdefault(inner.schema_path[0], []).append(inner)

    def wrong(found: list[ValidationError]) -> bool:
        return any(item.validator == "type" and tuple(item.absolute_path) == path for item in found)

    fitting = [found for found in branches.values() if not wrong(found)]
    if fitting:
        closest = min(fitting, key=len)
        yield from explain(closest)
        return
    wanted = [
        name for found in branches.values() for item in found if item.validator == "type" for name in _as_list(item)
    ]
    yield _make_type_fault(path, list(dict.fromkeys(wanted)), error.instance, "")


def _as_list(error: ValidationError) -> list[str]:
    value = error.validator_value
    return [value] if isinstance(value, str) else list(value)


def _describe_wrong_type(error: ValidationError, path: Path) -> Fault:
    return _make_type_fault(path, _as_list(error), error.instance, error.schema.get("description", ""))


def _make_type_fault(path: Path, wanted: Sequence[str], value: Any, description: str) -> Fault:
    names = [TYPES.get(name, name) for name in wanted]
    expected = " or ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]
    kind = KINDS.get(type(value), "something else")
    scalar = isinstance(value, (str, int, float)) and not isinstance(value, bool)
    got = f"{kind} ({show_value(value)})" if scalar else kind
    hint = _advise_type(wanted, value) or description
    proposal = _propose(wanted, value)
    return Fault("wrong-type", path, f"{show_path(path)} must be {expected}, not {got}", hint, proposal=proposal)


def _propose(wanted: Sequence[str], value: Any) -> Proposal | None:
    """Return how to write what was probably meant, in the file's own words."""
    if "string" in wanted and isinstance(value, (bool, int, float)):
        return Proposal(value, 'Put it in quotes to make it text: "{}".')
    if "array" in wanted and isinstance(value, str) and not re.search(r"[,\[\]{}]", value):
        return Proposal(value, "Write it as a list: [{}].")
    return None


def _advise_type(wanted: Sequence[str], value: Any) -> str:
    """Return how to write what was probably meant, without the value itself: the file may write it in other words."""
    if "string" in wanted and isinstance(value, (bool, int, float)):
        return "Put it in quotes to make it text."
    if isinstance(value, str) and {"number", "integer"} & set(wanted) and re.fullmatch(r"-?\d+(\.\d+)?", value):
        return f"Write it without quotes: {value}."
    if isinstance(value, str) and "number" in wanted and re.fullmatch(r"-?\d+,\d+", value):
        return f"Write it with a decimal point: {value.replace(',', '.')}."
    if (
        isinstance(value, str)
        and "boolean" in wanted
        and value.casefold() in ("yes", "no", "on", "off", "true", "false")
    ):
        return f"Write {'true' if value.casefold() in ('yes', 'on', 'true') else 'false'}, without quotes."
    if "array" in wanted and isinstance(value, str):
        return "Write it as a list, such as `[a, b]`."
    return ""


def _describe_choice(error: ValidationError, path: Path) -> Fault:
    values = error.validator_value if error.validator == "enum" else [error.validator_value]
    older = error.schema.get("x-older", ())
    values = [value for value in values if value not in older]
    words = [value for value in values if isinstance(value, str)]
    if isinstance(error.instance, str):
        instead = error.schema.get("x-instead", {}).get(error.instance)
        if instead:
            return _suggest_instead(instead, path)
        close = nearest(error.instance, words)
        if close:
            return Fault(
                "not-allowed",
                path,
                f"{show_path(path)} may not be {show_value(error.instance)}; did you mean '{close}'?",
            )
    hint = f"Write {' or '.join(show_value(value) for value in values)}."
    return Fault("not-allowed", path, f"{show_path(path)} may not be {show_value(error.instance)}", hint)


def _describe_size(error: ValidationError, path: Path) -> Fault:
    keyword = error.validator
    unit = UNITS[keyword[3:]]
    bound, size = error.validator_value, len(error.instance)
    if keyword in TOO_SHORT and size == 0:
        return Fault(
            TOO_SHORT[keyword], path, f"{show_path(path)} may not be empty", error.schema.get("description", "")
        )
    verb, side = ("at most", TOO_LONG) if keyword in TOO_LONG else ("at least", TOO_SHORT)
    holds = f"{size:,} {unit if size == 1 else PLURALS[unit]}"
    ask = "allowed" if side is TOO_LONG else "needed"
    message = f"{show_path(path)} holds {holds}; {verb} {bound:,} {_verb(bound)} {ask}"
    gap = abs(size - bound)
    change = "Remove" if side is TOO_LONG else "Add"
    return Fault(side[keyword], path, message, f"{change} {gap:,} {unit if gap == 1 else PLURALS[unit]}.")


def _verb(count: int) -> str:
    return "is" if count == 1 else "are"


def _describe_range(error: ValidationError, path: Path) -> Fault:
    low, high, above, below = (error.schema.get(word) for word in RANGE)
    if low is not None and high is not None:
        rule = f"between {low} and {high}"
    else:
        words = {
            "minimum": "at least",
            "maximum": "at most",
            "exclusiveMinimum": "more than",
            "exclusiveMaximum": "less than",
        }
        bound = (
            above if error.validator == "exclusiveMinimum" else below if error.validator == "exclusiveMaximum" else None
        )
        rule = f"{words[error.validator]} {error.validator_value if bound is None else bound}"
    return Fault("out-of-range", path, f"{show_path(path)} is {show_value(error.instance)}; it must be {rule}")


def _describe_missing(error: ValidationError, path: Path) -> Fault:
    """jsonschema tells each missing key in an error of its own and names it only in the message's quotes."""
    present = error.instance
    wanted = error.validator_value
    key = next(key for key in wanted if key not in present and error.message.startswith(repr(key)))
    where = f"{show_path(path)} lacks the key '{key}'" if path else f"the key '{key}' is missing"
    rule = error.schema.get("properties", {}).get(key)
    hint = rule.get("description", "") if isinstance(rule, Mapping) else ""
    return Fault("missing-key", (*path, key), where, hint)


def _describe_pattern(error: ValidationError, path: Path) -> Fault:
    said = error.schema.get("patternErrorMessage") or error.schema.get("errorMessage")
    message = f"{show_path(path)} may not be {show_value(error.instance)}"
    return Fault(
        "bad-format", path, f"{message}: {said}" if said else f"{message}: it must match {error.validator_value}"
    )


def _describe_refused(error: ValidationError, path: Path) -> Fault:
    said = error.schema.get("errorMessage") if isinstance(error.schema, Mapping) else None
    if said and "; " in said:
        return _suggest_instead(said, path, at_key=True)
    return Fault("not-allowed", path, said or f"{show_path(path)} is not allowed here", at_key=True)


def _describe_secret(error: ValidationError, path: Path) -> Fault:
    message = f"{show_path(path)} may hold a secret, which must not be in a definition"
    return Fault(SECRET, path, message, error.schema.get("errorMessage", "Leave it out."), at_key=True)


def _describe_repeated(_error: ValidationError, path: Path) -> Fault:
    return Fault("repeated", path, f"{show_path(path)} holds the same entry twice", "Write each entry once.")


def _describe_other(error: ValidationError, path: Path) -> Fault:
    if error.validator is None:
        return _describe_refused(error, path)
    said = error.schema.get("errorMessage") if isinstance(error.schema, Mapping) else None
    return Fault(
        "not-allowed", path, said or f"{show_path(path)} does not follow the rule '{error.validator}' of its schema"
    )


RULES: Mapping[Any, Callable[[ValidationError, Path], Fault]] = {
    "type": _describe_wrong_type, "enum": _describe_choice, "const": _describe_choice, "required": _describe_missing,
    "pattern": _describe_pattern, "not": _describe_refused, "uniqueItems": _describe_repeated,
    **dict.fromkeys((*TOO_LONG, *TOO_SHORT), _describe_size), **dict.fromkeys(RANGE, _describe_range),
}  # fmt: skip


CODE = "loss-allowed"
"""The code of a warning that a target leaves a part of a definition out, as it may."""


def is_allowed(key: str, allowed: Collection[str]) -> bool:
    """Return whether one of the paths in `allow_loss` is this one or leads to it."""
    return any(key == entry or key.startswith(f"{entry}.") for entry in allowed)


def count_losses(items: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Merge losses of one kind into the first, with their number in the message; keep other diagnostics."""
    kept: dict[object, Diagnostic] = {}
    times: dict[object, int] = {}
    for number, item in enumerate(items):
        key = item.message if item.code == CODE else number
        kept.setdefault(key, item)
        times[key] = times.get(key, 0) + 1
    return [
        replace(item, message=f"{item.message}, in {times[key]} places") if times[key] > 1 else item
        for key, item in kept.items()
    ]
