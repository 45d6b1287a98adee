"""What a probe asks of a server that speaks the assistants protocol, and what plans make of the answers.

A question is a generator: it yields the body of a modify, is told whether the server took it, and looks at what is live
then. Only what a plan goes by is asked. Knows no transport, no retry and no second assistant; the engine drives it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from trueup.core.canonical import same
from trueup.core.field_table import Field, FieldTable
from trueup.core.memory.capabilities import UNKNOWN, Capabilities, Question, Questions
from trueup.wire.base import Dialect, Holds
from trueup.wire.probe import METADATA, PREFIX, TEXT, Ask, Probe, Subject

RESOURCES: Final = "tool_resources"

VALUES: Final[Mapping[str, tuple[Any, Any]]] = {
    "description": (TEXT, ""),
    "instructions": (TEXT, ""),
    "temperature": (0.5, 1),
    "top_p": (0.5, 1),
    "response_format": ({"type": "text"}, "auto"),
    "reasoning_effort": ("low", None),
    "name": (None, ""),
}
"""A value that is no default, and the default said in full; None where there is no word for it. The name that is tried
is the one by which the probe's assistant is known."""

CLEARABLE: Final = (*VALUES, "tools", RESOURCES, "file_ids")
"""Fields that a definition can declare empty, or that can leave it."""

SLOW: Final[Mapping[str, float]] = {"later": 20.0, "not-seen": 60.0}
"""Seconds that an unclear create is given at least where the listing was seen to lag, at most ten seconds or more."""

SCHEMA: Final[Mapping[str, Any]] = {
    "type": "json_schema",
    "json_schema": {
        "name": PREFIX,
        "schema": {
            "type": "object",
            "properties": {"answer": {"type": "string"}},
            "required": ["answer"],
            "additionalProperties": False,
        },
    },
}
FUNCTION: Final[Mapping[str, Any]] = {
    "type": "function",
    "function": {"name": PREFIX, "description": "Does nothing; it only shows how functions come back."},
}

_UNTRIED: Final = {UNKNOWN: "could not be tried"}
_CLEAR: Final = {
    "null": "works by null",
    "default": "works by sending the default, not by null",
    "empty": "works by an empty one",
    "never": "does not work, neither by null nor by the default",
    UNKNOWN: "could not be tried: no other value was taken",
}

QUESTIONS: Final = Questions(
    by_name={
        "metadata": Question(
            "a modify of metadata",
            {
                "replaces": "replaces all of it",
                "merges": "adds to it, and keys that are not sent stay",
                "ignored": "changes nothing",
                **_UNTRIED,
            },
        ),
        "metadata-key": Question(
            "a metadata key",
            {
                "left-out": "is removed by leaving it out",
                "null": "is removed by null",
                "never": "cannot be removed: neither leaving it out nor null does it",
                **_UNTRIED,
            },
        ),
        "resources": Question(
            "a modify of one tool's resources",
            {
                "merges": "leaves those of other tools",
                "replaces": "takes those of other tools away",
                UNKNOWN: "could not be tried: the server wants files that exist",
            },
        ),
        "listing": Question(
            "the listing",
            {
                "at-once": "shows a create at once",
                "later": "shows a create only after a while",
                "not-seen": "did not show a create in ten seconds",
                UNKNOWN: "could not be read",
            },
        ),
        "has-more": Question(
            "has_more",
            {
                "honest": "is reliable on pages of one assistant",
                "wrong": "is not reliable",
                UNKNOWN: "could not be tried: there is no second assistant",
            },
        ),
        **{f"clear.{name}": Question(f"clearing {name}", _CLEAR) for name in CLEARABLE},
        "limit.instructions": Question(
            "changed instructions",
            {
                "exact": "end at {at}, as documented",
                "more": "may be longer than the documented {at}",
                **_UNTRIED,
            },
        ),
    },
    limits=("instructions",),
    filled=("response_format.json_schema", "tools.code_interpreter", "tools.file_search", "tools.function"),
    words=("ranking_options.ranker",),
)
"""All of them by name; what a dialect does not support is not asked there."""


# --- the questions


def list_questions(subject: Subject) -> tuple[tuple[str, Callable[[Subject], Ask]], ...]:
    """Return the questions for a dialect, each with what it is about, in the order in which they are asked."""
    row, known = subject.row, set(subject.row.fields)
    tools = row.holds.kinds["tools"]
    listed: list[tuple[str, Callable[[Subject], Ask]]] = [("metadata", ask_metadata)]
    listed += [(f"clearing {name}", _ask_clear(name)) for name in VALUES if name in known]
    listed += [("clearing tools", _ask_empty("tools", {"tools": [{"type": tools[0]}]}))]
    if "json_schema" in row.holds.kinds["response_format"]:
        listed.append(("JSON schemas", ask_json_schema))
    listed.append(("tools", ask_tools))
    if "file_search" in tools and "tools.file_search.ranking_options" not in row.holds.lacks:
        listed.append(("rankers", ask_ranker))
    if RESOURCES in known:
        listed.append(("tool resources", ask_resources))
    if "file_ids" in known:
        files = {"tools": [{"type": "code_interpreter"}], "file_ids": [subject.file_id]}
        listed.append(("files", _ask_empty("file_ids", files)))
    if "instructions" in row.holds.modify_lengths:
        listed.append(("the length of instructions", ask_length))
    return tuple(listed)


def ask_metadata(subject: Subject) -> Ask:
    """Send two keys, then only one of them; and where the other one stayed, null for it."""
    one, two = f"{PREFIX}_a", f"{PREFIX}_b"
    answers = subject.answers
    answers["metadata"] = answers["metadata-key"] = UNKNOWN
    if not (yield {METADATA: {**subject.mark, one: "1", two: "1"}}):
        return
    if one not in subject.pairs:
        answers["metadata"] = "ignored"
        return
    if not (yield {METADATA: {**subject.mark, two: "2"}}):
        return
    if subject.pairs.get(two) != "2":
        answers["metadata"] = "ignored"
    elif one not in subject.pairs:
        answers["metadata"], answers["metadata-key"] = "replaces", "left-out"
    else:
        answers["metadata"] = "merges"
        is_taken = yield {METADATA: {**subject.mark, two: "2", one: None}}
        answers["metadata-key"] = "null" if is_taken and subject.pairs.get(one) is None else "never"


def _ask_clear(name: str) -> Callable[[Subject], Ask]:
    """Return the question whether null puts one field back to its default, and else whether the default itself does."""
    kind, default = VALUES[name]

    def ask(subject: Subject) -> Ask:
        value = subject.name if name == "name" else kind
        subject.answers[f"clear.{name}"] = UNKNOWN
        if not (yield {name: value}) or not subject.shows(name, value):
            return
        yield {name: None}
        answer = "never"
        if not subject.shows(name, value):
            answer = "null"
        elif default is not None and (yield {name: default}) and subject.shows(name, None):
            answer = "default"
        subject.answers[f"clear.{name}"] = answer
        if name == "name":
            yield {"name": subject.name}

    return ask


def _ask_empty(name: str, body: Mapping[str, Any]) -> Callable[[Subject], Ask]:
    """Return the question whether an empty list clears a field that `body` fills."""

    def ask(subject: Subject) -> Ask:
        subject.answers[f"clear.{name}"] = UNKNOWN
        if (yield body) and subject.body.get(name):
            is_taken = yield {name: []}
            subject.answers[f"clear.{name}"] = "empty" if is_taken and not subject.body.get(name) else "never"

    return ask


def ask_json_schema(subject: Subject) -> Ask:
    """Send a schema with no more said than it must, and note what is filled in."""
    if (yield {"response_format": SCHEMA}):
        found = subject.body.get("response_format")
        live = found.get("json_schema") if isinstance(found, Mapping) else None
        _note_fills(subject, "response_format.json_schema", subject.sent["response_format"]["json_schema"], live)


def ask_tools(subject: Subject) -> Ask:
    """Send every kind of tool that the dialect has, with no more said than it must, and note what is filled in."""
    kinds = [kind for kind in subject.row.holds.kinds["tools"] if kind != "function"]
    if not (yield {"tools": [*({"type": kind} for kind in kinds), FUNCTION]}):
        return
    sent, live = subject.sent["tools"], subject.body.get("tools")
    if not isinstance(live, list) or [_kind(tool) for tool in live] != [_kind(tool) for tool in sent]:
        return
    for given, tool in zip(sent, live, strict=True):
        kind = given["type"]
        if kind != "retrieval":  # the first protocol's, which has no options
            _note_fills(subject, f"tools.{kind}", given.get(kind, {}), tool.get(kind, {}))


def _kind(tool: Any) -> Any:
    return tool.get("type") if isinstance(tool, Mapping) else None


def _note_fills(subject: Subject, where: str, sent: Mapping[str, Any], live: Any) -> None:
    """Note the keys that were added to an object that came back as it was sent. Null is as good as absent."""
    if not isinstance(live, Mapping):
        return
    found, given = _without_null(live), _without_null(sent)
    if any(key not in found or not same(found[key], value) for key, value in given.items()):
        return
    if added := {key: value for key, value in found.items() if key not in given}:
        subject.fills[where] = added


def _without_null(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_null(entry) for key, entry in value.items() if entry is not None}
    return value


def ask_ranker(subject: Subject) -> Ask:
    """Send the word that leaves the choice to the server, and note what comes back."""
    search = {"type": "file_search", "file_search": {"ranking_options": {"ranker": "auto", "score_threshold": 0}}}
    if not (yield {"tools": [search]}):
        return
    tools = subject.body.get("tools")
    value: Any = tools[0] if isinstance(tools, list) and tools else None
    for step in ("file_search", "ranking_options", "ranker"):
        value = value.get(step) if isinstance(value, Mapping) else None
    if isinstance(value, str) and value != "auto":
        subject.words["ranking_options.ranker"] = {"auto": value}


def ask_resources(subject: Subject) -> Ask:
    """Send both tools with a list each, then one of them alone; and empty lists."""
    answers = subject.answers
    answers["resources"] = answers[f"clear.{RESOURCES}"] = UNKNOWN
    code = {"code_interpreter": {"file_ids": [subject.file_id]}}
    both = {**code, "file_search": {"vector_store_ids": [subject.store_id]}}
    if not (yield {"tools": [{"type": kind} for kind in both], RESOURCES: both}) or _count_lists(subject) != (1, 1):
        return
    if (yield {RESOURCES: code}) and _count_lists(subject)[0]:
        answers["resources"] = "merges" if _count_lists(subject)[1] else "replaces"
    yield {RESOURCES: both}
    empty: Mapping[str, Any] = {"code_interpreter": {"file_ids": []}, "file_search": {"vector_store_ids": []}}
    is_taken = yield {RESOURCES: empty}
    answers[f"clear.{RESOURCES}"] = "empty" if is_taken and not any(_count_lists(subject)) else "never"


def _count_lists(subject: Subject) -> tuple[int, int]:
    """Return how many files and stores are live."""
    found = subject.body.get(RESOURCES) or {}
    code, search = found.get("code_interpreter") or {}, found.get("file_search") or {}
    files, stores = code.get("file_ids"), search.get("vector_store_ids")
    return len(files) if isinstance(files, list) else 0, len(stores) if isinstance(stores, list) else 0


def ask_length(subject: Subject) -> Ask:
    """Send one character more than a modify may carry, as documented."""
    size = subject.row.holds.modify_lengths["instructions"]
    is_taken = yield {"instructions": "x" * (size + 1)}
    found = subject.body.get("instructions")
    subject.answers["limit.instructions"] = UNKNOWN
    if is_taken or "instructions" in subject.taken:
        is_longer = is_taken and isinstance(found, str) and len(found) > size
        subject.answers["limit.instructions"] = "more" if is_longer else "exact"
        subject.tried["instructions"] = size
    yield {"instructions": TEXT}


def make_body(name: str, model: str, mark: Mapping[str, str]) -> dict[str, Any]:
    """Return what the probe's assistant is created with."""
    return {"name": name, "model": model, "description": TEXT, "instructions": TEXT, "metadata": mark}


# --- what follows from the answers


def apply_probe_results(row: Dialect, found: Capabilities) -> Dialect:
    """Return the row as the server itself answered, which goes before its vendor's documents; unknown changes nothing.

    That `has_more` told the truth on a few small pages proves nothing for large ones, and what is taken for the end too
    early makes duplicates: no answer makes it believed, and a lie ends the belief.
    """
    return replace(
        row,
        honest=row.honest and found.answers.get("has-more") != "wrong",
        table=_apply_to_table(row.table, found),
        holds=_apply_to_lengths(row.holds, found),
    )


def settle_after(found: Capabilities, settle: float) -> float:
    """Return the seconds after which an unclear create must be in the listing, where the target says `settle`."""
    return max(settle, SLOW.get(found.answers.get("listing", ""), 0.0))


def _apply_to_table(table: FieldTable, found: Capabilities) -> FieldTable:
    how = {name: found.answers.get(f"clear.{name}") for name in table.names}
    clear = {name: {"clear": None} for name, way in how.items() if way == "null"}
    clear |= {name: {"clear": VALUES[name][1]} for name, way in how.items() if way == "default" and name in VALUES}
    tools, answer = table.by_name["tools"], table.by_name["response_format"]
    inside = {
        "tools": {"fills": _merge_fills(tools, found), "synonyms": _merge_synonyms(tools, found)},
        "response_format": {"fills": _merge_fills(answer, found)},
    }
    stuck = {name for name, way in how.items() if way == "never"}
    if found.answers.get("metadata-key") == "never":
        stuck.add(METADATA)
    return replace(
        table.vary(clear).vary(inside),
        stuck=frozenset(stuck),
        null_removes=found.answers.get("metadata-key") == "null",
    )


def _merge_fills(row: Field, found: Capabilities) -> dict[str, Any]:
    """Return what is filled in inside a field's object, or tool, of each type: what was seen, over what is known."""
    seen = {where.partition(".")[2]: added for where, added in found.fills.items() if where.startswith(f"{row.name}.")}
    made: dict[str, Any] = {}
    for kind in {**row.fills, **seen}:
        inner = {**row.fills.get(kind, {}).get(kind, {}), **seen.get(kind, {})}
        made[kind] = {kind: {key: entry for key, entry in inner.items() if entry is not None}}
    return made


def _merge_synonyms(row: Field, found: Capabilities) -> dict[str, Mapping[str, str]]:
    """Return the words that stand for others: what was seen, over what is known."""
    return {path: {**words, **found.words.get(path.partition(".")[2], {})} for path, words in row.synonyms.items()}


def _apply_to_lengths(holds: Holds, found: Capabilities) -> Holds:
    """Return it without the shorter length of a modify where the server took a longer one."""
    longer = {name for name in holds.modify_lengths if found.answers.get(f"limit.{name}") == "more"}
    kept = {name: most for name, most in holds.modify_lengths.items() if name not in longer}
    return replace(holds, modify_lengths=kept) if longer else holds


PROBE: Final = Probe(QUESTIONS, list_questions, make_body, apply_probe_results, settle_after)
