"""How tools, schemas, files and stores come back, and where limits end: the questions of a probe about whole values.

Each is a generator, as `probe` says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from trueup.core.canonical import same
from trueup.core.memory.questions import UNKNOWN
from trueup.wire.base import Dialect
from trueup.wire.probe import METADATA, PREFIX, TEXT, Ask, Subject

RESOURCES: Final = "tool_resources"
PAIRS: Final = 16
LENGTHS: Final[Mapping[str, int]] = {
    "name": 256, "description": 512, "instructions": 256_000, "metadata-key": 64, "metadata-value": 512,
}  # fmt: skip
"""The documented lengths, for dialects that document none of their own."""

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


def json_schema(subject: Subject) -> Ask:
    """A schema with no more said than it must."""
    if not (yield {"response_format": SCHEMA}):
        subject.answers["json-schema"] = subject.refused("response_format")
        return
    sent, found = subject.sent["response_format"]["json_schema"], subject.body.get("response_format")
    live = found.get("json_schema") if isinstance(found, Mapping) else None
    subject.answers["json-schema"] = _compared(subject, "response_format.json_schema", sent, live)


def tools(subject: Subject) -> Ask:
    """Every kind of tool that the dialect has, with no more said than it must."""
    subject.answers["tools"] = UNKNOWN
    kinds = [kind for kind in subject.row.holds.kinds["tools"] if kind != "function"]
    if not (yield {"tools": [*({"type": kind} for kind in kinds), FUNCTION]}):
        subject.answers["tools"] = subject.refused("tools")
        return
    sent, live = subject.sent["tools"], subject.body.get("tools")
    if not isinstance(live, list) or [_kind(tool) for tool in live] != [_kind(tool) for tool in sent]:
        subject.answers["tools"] = "changed"
        return
    words = set()
    for given, tool in zip(sent, live, strict=True):
        kind = given["type"]
        if kind == "retrieval":
            continue  # the first protocol's, which has no options
        words.add(_compared(subject, f"tools.{kind}", given.get(kind, {}), tool.get(kind, {})))
    subject.answers["tools"] = next((word for word in ("changed", "filled") if word in words), "as-sent")


def _kind(tool: Any) -> Any:
    return tool.get("type") if isinstance(tool, Mapping) else None


def _compared(subject: Subject, where: str, sent: Mapping[str, Any], live: Any) -> str:
    """How an object came back; the keys that were added to it are noted. Null is as good as absent."""
    if not isinstance(live, Mapping):
        return "changed"
    found, given = _without_null(live), _without_null(sent)
    if any(key not in found or not same(found[key], value) for key, value in given.items()):
        return "changed"
    added = {key: value for key, value in found.items() if key not in given}
    if added:
        subject.fills[where] = added
    return "filled" if live.keys() - sent.keys() else "as-sent"


def _without_null(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_null(entry) for key, entry in value.items() if entry is not None}
    return value


def no_tools(subject: Subject) -> Ask:
    """Null for tools, which most servers refuse, and an empty list."""
    kind = {"type": subject.row.holds.kinds["tools"][0]}
    answers = subject.answers
    answers["tools-null"] = answers["clear.tools"] = UNKNOWN
    if not (yield {"tools": [kind]}) or not subject.body.get("tools"):
        return
    taken = yield {"tools": None}
    answers["tools-null"] = "refused" if not taken else "keeps" if subject.body.get("tools") else "resets"
    if answers["tools-null"] == "resets":
        yield {"tools": [kind]}
    taken = yield {"tools": []}
    answers["clear.tools"] = "empty" if taken and not subject.body.get("tools") else "never"


def has_ranker(row: Dialect) -> bool:
    """Whether a dialect lets a ranker be named."""
    return "file_search" in row.holds.kinds["tools"] and "tools.file_search.ranking_options" not in row.holds.lacks


def ranker(subject: Subject) -> Ask:
    """The word that leaves the choice to the server."""
    search = {"type": "file_search", "file_search": {"ranking_options": {"ranker": "auto", "score_threshold": 0}}}
    if not (yield {"tools": [search]}):
        subject.answers["ranker"] = subject.refused("tools")
        return
    tools = subject.body.get("tools")
    value: Any = tools[0] if isinstance(tools, list) and tools else None
    for step in ("file_search", "ranking_options", "ranker"):
        value = value.get(step) if isinstance(value, Mapping) else None
    subject.answers["ranker"] = UNKNOWN if not isinstance(value, str) else "kept" if value == "auto" else "replaced"
    if subject.answers["ranker"] == "replaced":
        subject.words["ranking_options.ranker"] = {"auto": value}


def resources(subject: Subject) -> Ask:
    """Both tools with a list each, then one of them alone; null for all, and empty lists."""
    answers = subject.answers
    answers["resources"] = answers["null.tool_resources"] = answers["clear.tool_resources"] = UNKNOWN
    code = {"code_interpreter": {"file_ids": [subject.file_id]}}
    both = {**code, "file_search": {"vector_store_ids": [subject.store_id]}}
    tools = [{"type": kind} for kind in both]
    if not (yield {"tools": tools, RESOURCES: both}) or _lists(subject) != (1, 1):
        return
    if (yield {RESOURCES: code}) and _lists(subject)[0]:
        answers["resources"] = "merges" if _lists(subject)[1] else "replaces"
    yield {RESOURCES: both}
    taken = yield {RESOURCES: None}
    answers["null.tool_resources"] = "refused" if not taken else "keeps" if any(_lists(subject)) else "resets"
    yield {RESOURCES: both}
    empty: Mapping[str, Any] = {"code_interpreter": {"file_ids": []}, "file_search": {"vector_store_ids": []}}
    taken = yield {RESOURCES: empty}
    answers["clear.tool_resources"] = "empty" if taken and not any(_lists(subject)) else "never"


def _lists(subject: Subject) -> tuple[int, int]:
    """How many files and stores are live."""
    found = subject.body.get(RESOURCES) or {}
    code, search = found.get("code_interpreter") or {}, found.get("file_search") or {}
    files, stores = code.get("file_ids"), search.get("vector_store_ids")
    return len(files) if isinstance(files, list) else 0, len(stores) if isinstance(stores, list) else 0


def file_ids(subject: Subject) -> Ask:
    """The first protocol's files, and none."""
    subject.answers["clear.file_ids"] = UNKNOWN
    if not (yield {"tools": [{"type": "code_interpreter"}], "file_ids": [subject.file_id]}):
        return
    if subject.body.get("file_ids"):
        taken = yield {"file_ids": []}
        subject.answers["clear.file_ids"] = "empty" if taken and not subject.body.get("file_ids") else "never"


def limit_of(name: str) -> Callable[[Subject], Ask]:
    """One length as documented, and one character more."""
    key = f"{PREFIX}_a"

    def made(size: int, subject: Subject) -> Mapping[str, Any]:
        if name == "metadata-key":
            return {METADATA: {**subject.mark, "k" * size: "1"}}
        if name == "metadata-value":
            return {METADATA: {**subject.mark, key: "v" * size}}
        return {name: subject.name.ljust(size, "x")[:size] if name == "name" else "x" * size}

    def live(subject: Subject) -> int:
        if name == "metadata-key":
            return max((len(entry) for entry in subject.pairs if not entry.strip("k")), default=0)
        found = subject.pairs.get(key) if name == "metadata-value" else subject.body.get(name)
        return len(found) if isinstance(found, str) else 0

    def ask(subject: Subject) -> Ask:
        holds = subject.row.holds
        size = holds.modify_lengths.get(name) or holds.lengths.get(name) or LENGTHS[name]
        answer = "exact"
        if not (yield made(size, subject)):
            answer = subject.refused(METADATA if name.startswith(METADATA) else name, "less")
        elif live(subject) < size:
            answer = "cut"
        elif (yield made(size + 1, subject)):
            answer = "more" if live(subject) > size else "cut"
        subject.answers[f"limit.{name}"] = answer
        if answer != UNKNOWN:
            subject.tried[name] = size
        if name in ("name", "instructions"):
            yield {"name": subject.name} if name == "name" else {"instructions": TEXT}

    return ask


def pairs(subject: Subject) -> Ask:
    """As many pairs as documented, and one more; where none can be removed, those that are there count."""
    answer = "exact"
    kept = set(subject.mark) | (set(subject.pairs) if subject.answers.get("metadata") == "merges" else set())
    if len(kept) > PAIRS:
        answer = "more"
    else:
        more = [f"{PREFIX}_{number:02d}" for number in range(PAIRS + 1 - len(kept))]
        if not (yield {METADATA: {**subject.mark, **dict.fromkeys(more[:-1], "1")}}):
            answer = subject.refused(METADATA, "less")
        elif len(subject.pairs) < PAIRS:
            answer = "cut"
        elif (yield {METADATA: {**subject.mark, **dict.fromkeys(more, "1")}}):
            answer = "more" if len(subject.pairs) > PAIRS else "cut"
    subject.answers["limit.metadata-pairs"] = answer
    if answer != UNKNOWN:
        subject.tried["metadata-pairs"] = PAIRS
