"""How each question of a probe is found out: what to send to its assistant, and what the answer means.

A question is a generator: it yields the body of a modify, is told whether the server took it, and looks at what is live
then. Knows no transport, no retry and no second assistant; `engine.probe` drives it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from trueup.core.canonical import canonical, float32, same
from trueup.core.memory.questions import UNKNOWN
from trueup.wire.base import Dialect

METADATA, RESOURCES = "metadata", "tool_resources"
PREFIX: Final = "trueup_probe"
"""How the metadata keys of a probe begin; by itself it is the key of its mark."""

TEXT: Final = "Made by trueup targets probe, and removed by it. It can be deleted at any time."

PAIRS: Final = 16
LENGTHS: Final[Mapping[str, int]] = {
    "name": 256, "description": 512, "instructions": 256_000, "metadata-key": 64, "metadata-value": 512,
}  # fmt: skip
"""The documented lengths, for dialects that document none of their own."""

VALUES: Final[Mapping[str, tuple[Any, Any]]] = {
    "description": (TEXT, ""),
    "instructions": (TEXT, ""),
    "temperature": (0.5, 1),
    "top_p": (0.5, 1),
    "response_format": ({"type": "text"}, "auto"),
    "reasoning_effort": ("low", None),
    "name": ("trueup probe", ""),
}
"""A value that is no default, and the default said in full; None where there is no word for it."""

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

Ask = Generator[Mapping[str, Any], bool, None]
"""Yields what to send, is sent whether it was taken."""


@dataclass(slots=True)
class Subject:
    """The probe's assistant as it was last read, and what was found out with it.

    `mark` are the metadata by which it is known; `name` is its display name. `extra` are keys of it that nobody here
    knows; `sent` is the body of the last modify as it went out. `file_id` and `store_id` exist at the server, as far as
    anybody knows.
    """

    row: Dialect
    name: str
    mark: Mapping[str, str]
    file_id: str
    store_id: str
    body: Mapping[str, Any] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)
    sent: Mapping[str, Any] = field(default_factory=dict)
    answers: dict[str, str] = field(default_factory=dict)
    tried: dict[str, int] = field(default_factory=dict)
    fills: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    words: dict[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def pairs(self) -> Mapping[str, Any]:
        """The metadata that is live."""
        return self.body.get(METADATA) or {}

    def shows(self, name: str, value: Any) -> bool:
        """Whether a field is live with this value, defaults on both sides counted as the same."""
        rules = self.row.semantics
        return same(canonical(name, self.body.get(name), rules), canonical(name, value, rules))


def questions(subject: Subject) -> tuple[tuple[str, Callable[[Subject], Ask]], ...]:
    """The questions for a dialect, each with what it is about, in the order in which they are asked."""
    known = set(subject.row.fields)
    fields = [name for name in VALUES if name in known]
    listed: list[tuple[str, Callable[[Subject], Ask]]] = [("metadata", _metadata), ("unknown fields", _unknown)]
    listed += [("numbers", _numbers), ("empty texts", _empty)]
    listed += [(f"null for {name}", _null_of(name)) for name in fields]
    if "json_schema" in subject.row.holds.formats:
        listed.append(("JSON schemas", _json_schema))
    listed += [("tools", _tools), ("tools", _no_tools)]
    if _has_ranker(subject.row):
        listed.append(("rankers", _ranker))
    if RESOURCES in known:
        listed.append(("tool resources", _resources))
    if "file_ids" in known:
        listed.append(("files", _file_ids))
    listed += [(f"the length of {name}", _limit_of(name)) for name in LENGTHS]
    return (*listed, ("metadata pairs", _pairs))


def _metadata(subject: Subject) -> Ask:
    """Two keys, then only one of them; and where the other one stayed, null for it. Last, null for all of it."""
    one, two = f"{PREFIX}_a", f"{PREFIX}_b"
    answers = subject.answers
    answers["metadata"] = answers["metadata-key"] = answers["metadata-null"] = UNKNOWN
    if not (yield {METADATA: {**subject.mark, one: "1", two: "1"}}):
        return
    if one not in subject.pairs:
        answers["metadata"] = "ignored"
        return
    if not (yield {METADATA: {**subject.mark, two: "2"}}):
        return
    if subject.pairs.get(two) != "2":
        answers["metadata"] = "ignored"
        return
    if one not in subject.pairs:
        answers["metadata"], answers["metadata-key"] = "replaces", "left-out"
    else:
        answers["metadata"] = "merges"
        taken = yield {METADATA: {**subject.mark, two: "2", one: None}}
        answers["metadata-key"] = "null" if taken and subject.pairs.get(one) is None else "never"
    taken = yield {METADATA: None}
    answers["metadata-null"] = "refused" if not taken else "keeps" if two in subject.pairs else "resets"
    if answers["metadata-null"] == "resets":
        yield {METADATA: dict(subject.mark)}


def _unknown(subject: Subject) -> Ask:
    taken = yield {PREFIX: "nobody knows this field"}
    subject.answers["unknown-field"] = "refused" if not taken else "kept" if PREFIX in subject.extra else "ignored"


def _numbers(subject: Subject) -> Ask:
    sent = {name: value for name, value in (("temperature", 0.7), ("top_p", 0.3)) if name in subject.row.fields}
    if not (yield sent):
        subject.answers["numbers"] = UNKNOWN
        return
    live = {name: subject.body.get(name) for name in sent}
    if live == sent:
        subject.answers["numbers"] = "exact"
    else:
        rounded = {name: float32(value) for name, value in sent.items()}
        subject.answers["numbers"] = "float32" if live == rounded else "other"


def _empty(subject: Subject) -> Ask:
    yield {"description": TEXT}
    taken = yield {"description": ""}
    found = subject.body.get("description")
    word = {"": "kept", None: "null"}.get(found, UNKNOWN) if found is None or isinstance(found, str) else UNKNOWN
    subject.answers["empty-text"] = word if taken else "refused"


def _null_of(name: str) -> Callable[[Subject], Ask]:
    """Whether null puts one field back to its default, and where it does not, whether the default itself does."""
    value, default = VALUES[name]

    def ask(subject: Subject) -> Ask:
        answers = subject.answers
        answers[f"null.{name}"] = answers[f"clear.{name}"] = UNKNOWN
        if not (yield {name: value}) or not subject.shows(name, value):
            return
        taken = yield {name: None}
        kept = subject.shows(name, value)
        answers[f"null.{name}"] = "refused" if not taken else "keeps" if kept else "resets"
        if not kept:
            answers[f"clear.{name}"] = "null"
        elif default is None:
            answers[f"clear.{name}"] = "never"
        else:
            taken = yield {name: default}
            answers[f"clear.{name}"] = "default" if taken and subject.shows(name, None) else "never"
        if name == "name":
            yield {"name": subject.name}

    return ask


def _json_schema(subject: Subject) -> Ask:
    if not (yield {"response_format": SCHEMA}):
        subject.answers["json-schema"] = "refused"
        return
    sent, found = subject.sent["response_format"]["json_schema"], subject.body.get("response_format")
    live = found.get("json_schema") if isinstance(found, Mapping) else None
    subject.answers["json-schema"] = _compared(subject, "response_format.json_schema", sent, live)


def _tools(subject: Subject) -> Ask:
    """Every kind of tool that the dialect has, with no more said than it must."""
    subject.answers["tools"] = UNKNOWN
    kinds = [kind for kind in subject.row.holds.tools if kind != "function"]
    if not (yield {"tools": [*({"type": kind} for kind in kinds), FUNCTION]}):
        subject.answers["tools"] = "refused"
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


def _no_tools(subject: Subject) -> Ask:
    """Null for tools, which most servers refuse, and an empty list."""
    kind = {"type": subject.row.holds.tools[0]}
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


def _has_ranker(row: Dialect) -> bool:
    return "file_search" in row.holds.tools and "tools.file_search.ranking_options" not in row.holds.lacks


def _ranker(subject: Subject) -> Ask:
    search = {"type": "file_search", "file_search": {"ranking_options": {"ranker": "auto", "score_threshold": 0}}}
    if not (yield {"tools": [search]}):
        subject.answers["ranker"] = "refused"
        return
    value: Any = subject.body.get("tools")
    for step in (0, "file_search", "ranking_options", "ranker"):
        held = isinstance(value, Mapping) or (isinstance(value, list) and value and step == 0)
        value = (value[0] if step == 0 else value.get(step)) if held else None
    subject.answers["ranker"] = UNKNOWN if not isinstance(value, str) else "kept" if value == "auto" else "replaced"
    if subject.answers["ranker"] == "replaced":
        subject.words["ranking_options.ranker"] = {"auto": value}


def _resources(subject: Subject) -> Ask:
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
    return len(code.get("file_ids") or ()), len(search.get("vector_store_ids") or ())


def _file_ids(subject: Subject) -> Ask:
    subject.answers["clear.file_ids"] = UNKNOWN
    if not (yield {"tools": [{"type": "code_interpreter"}], "file_ids": [subject.file_id]}):
        return
    if subject.body.get("file_ids"):
        taken = yield {"file_ids": []}
        subject.answers["clear.file_ids"] = "empty" if taken and not subject.body.get("file_ids") else "never"


def _limit_of(name: str) -> Callable[[Subject], Ask]:
    """One length as documented, and one character more."""
    key = f"{PREFIX}_a"

    def made(size: int, subject: Subject) -> Mapping[str, Any]:
        if name == "metadata-key":
            return {METADATA: {**subject.mark, "k" * size: "1"}}
        return {METADATA: {**subject.mark, key: "v" * size}} if name == "metadata-value" else {name: "x" * size}

    def live(subject: Subject) -> int:
        if name == "metadata-key":
            return max((len(entry) for entry in subject.pairs if not entry.strip("k")), default=0)
        found = subject.pairs.get(key) if name == "metadata-value" else subject.body.get(name)
        return len(found) if isinstance(found, str) else 0

    def ask(subject: Subject) -> Ask:
        holds = subject.row.holds
        size = holds.modify_lengths.get(name) or holds.lengths.get(name) or LENGTHS[name]
        subject.tried[name], answer = size, "exact"
        if not (yield made(size, subject)):
            answer = "less"
        elif live(subject) < size:
            answer = "cut"
        elif (yield made(size + 1, subject)):
            answer = "more" if live(subject) > size else "cut"
        subject.answers[f"limit.{name}"] = answer
        if name in ("name", "instructions"):
            yield {"name": subject.name} if name == "name" else {"instructions": TEXT}

    return ask


def _pairs(subject: Subject) -> Ask:
    """As many pairs as documented, and one more; where none can be removed, those that are there count."""
    subject.tried["metadata-pairs"], answer = PAIRS, "exact"
    kept = set(subject.mark) | (set(subject.pairs) if subject.answers.get("metadata") == "merges" else set())
    if len(kept) > PAIRS:
        answer = "more"
    else:
        more = [f"{PREFIX}_{number:02d}" for number in range(PAIRS + 1 - len(kept))]
        if not (yield {METADATA: {**subject.mark, **dict.fromkeys(more[:-1], "1")}}):
            answer = "less"
        elif len(subject.pairs) < PAIRS:
            answer = "cut"
        elif (yield {METADATA: {**subject.mark, **dict.fromkeys(more, "1")}}):
            answer = "more" if len(subject.pairs) > PAIRS else "cut"
    subject.answers["limit.metadata-pairs"] = answer
