"""The questions of a probe, in their order, and how each of the plain ones is found out.

A question is a generator: it yields the body of a modify, is told whether the server took it, and looks at what is live
then. A value counts as refused only where another one of its field was taken before: else the field may be at fault.
Knows no transport, no retry and no second assistant; the engine drives it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from trueup.core.canonical import float32
from trueup.core.memory.questions import UNKNOWN
from trueup.wire.openai_assistants import probe_shapes as shapes
from trueup.wire.openai_assistants.probe_results import answered, settle_of
from trueup.wire.openai_assistants.probe_shapes import RESOURCES
from trueup.wire.openai_assistants.questions import QUESTIONS
from trueup.wire.probe import METADATA, PREFIX, TEXT, Ask, Probe, Subject

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


def questions(subject: Subject) -> tuple[tuple[str, Callable[[Subject], Ask]], ...]:
    """The questions for a dialect, each with what it is about, in the order in which they are asked."""
    known = set(subject.row.fields)
    fields = [name for name in VALUES if name in known]
    listed: list[tuple[str, Callable[[Subject], Ask]]] = [("metadata", _metadata), ("unknown fields", _unknown)]
    listed += [("numbers", _numbers), ("empty texts", _empty)]
    listed += [(f"null for {name}", _null_of(name)) for name in fields]
    if "json_schema" in subject.row.holds.kinds["response_format"]:
        listed.append(("JSON schemas", shapes.json_schema))
    listed += [("tools", shapes.no_tools), ("tools", shapes.tools)]
    if shapes.has_ranker(subject.row):
        listed.append(("rankers", shapes.ranker))
    if RESOURCES in known:
        listed.append(("tool resources", shapes.resources))
    if "file_ids" in known:
        listed.append(("files", shapes.file_ids))
    listed += [(f"the length of {name}", shapes.limit_of(name)) for name in shapes.LENGTHS]
    return (*listed, ("metadata pairs", shapes.pairs))


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
    subject.answers["empty-text"] = word if taken else subject.refused("description")


def _null_of(name: str) -> Callable[[Subject], Ask]:
    """Whether null puts one field back to its default, and where it does not, whether the default itself does."""
    kind, default = VALUES[name]

    def ask(subject: Subject) -> Ask:
        value = subject.name if name == "name" else kind
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


def body(name: str, model: str, mark: Mapping[str, str]) -> dict[str, Any]:
    """Return what the probe's assistant is created with."""
    return {"name": name, "model": model, "description": TEXT, "instructions": TEXT, "metadata": mark}


PROBE: Final = Probe(QUESTIONS, questions, body, answered, settle_of)
