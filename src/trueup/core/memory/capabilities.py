"""What a probe can ask of a server and what it found out, as values, as text and back. Knows no file and asks nothing.

The text is JSON in a fixed layout, one answer a line, without a time or a version of ours: a second probe that finds
the same writes the same bytes. The layout is published as `schemas/caps.schema.json`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from trueup.core.checked import (
    MismatchError,
    a_count,
    a_json_value,
    a_text,
    an_object,
    load_json,
    map_of,
    record_of,
)
from trueup.core.command import HERE, Message, Selection
from trueup.core.errors import ForeignStateError, StateError
from trueup.core.memory.state import Identity
from trueup.core.memory.state_codec import flatten_identity, identity_value, read_identity

FORMAT_VERSION: Final = 1

LIMIT: Final = 1024 * 1024
"""Bytes of a file of answers; a real one has a few thousand."""

_MARKER = re.compile(r"^(<<<<<<<|>>>>>>>|\|\|\|\|\|\|\|)", re.MULTILINE)


UNKNOWN: Final = "unknown"
"""The answer where the server let nothing be found out."""


@dataclass(frozen=True, slots=True)
class Question:
    """`asks` are the words of the question, `answers` a sentence's end for each answer; `{at}` is a limit's number."""

    asks: str
    answers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Questions:
    """All that a probe of one protocol can find out.

    `by_name` are the questions in their order; a field or a limit stands in a question's name. `limits` are the lengths
    that are tried, `filled` the objects whose missing keys a server may fill in, `words` the values that it may answer
    with another word.
    """

    by_name: Mapping[str, Question]
    limits: tuple[str, ...]
    filled: tuple[str, ...]
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The answers of one target's server in one dialect, to an assistant of one model.

    `answers` are by question (the protocol's `Questions`); `tried` is the number at which each limit was tried. `fills`
    are the keys, with values, that the server adds to an object that lacks them; `words` the word that it answers in
    place of another one.
    """

    identity: Identity
    dialect: str
    gateway: str
    model: str
    answers: Mapping[str, str]
    tried: Mapping[str, int] = field(default_factory=dict)
    fills: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Difference:
    """One answer that is another one than in the last probe; an empty side had none."""

    what: str
    before: str
    after: str


def encode(found: Capabilities) -> str:
    """Return the text: the same answers give the same one, whatever order their mappings have."""
    value = {
        "format_version": FORMAT_VERSION,
        "target": identity_value(found.identity),
        "dialect": found.dialect,
        "gateway": found.gateway,
        "model": found.model,
        "answers": found.answers,
        "tried": found.tried,
        "fills": found.fills,
        "words": found.words,
    }
    return json.dumps({key: _in_order(entry) for key, entry in value.items()}, indent=2, allow_nan=False) + "\n"


def decode(
    text: str,
    identity: Identity,
    dialect: str,
    gateway: str,
    file: str,
    questions: Questions,
    selection: Selection = HERE,
) -> Capabilities:
    """Return the answers to `questions` that a text holds; `file` names it in messages, with commands on `selection`.

    Raises StateError for damage, conflict markers, a newer version, another target's answers or another dialect's; its
    hint names the command that mends it.
    """
    again = Message(
        "To rewrite it: ",
        selection.command("targets", "probe", identity.target),
        ". Or delete it: nothing is lost.",
    )
    if _MARKER.search(text):
        raise StateError(f"{file} contains unresolved git conflict markers.", again)
    try:
        value = dict(an_object(load_json(text), "the file"))
        version = a_count(value.pop("format_version", None), "format_version")
        if version > FORMAT_VERSION:
            raise ForeignStateError(
                f"{file} has format version {version}; this Trueup reads versions up to {FORMAT_VERSION}.",
                Message("Use the version that wrote it. ", again),
            )
        value["identity"] = value.pop("target", None)
        found = _reader(questions)(value, "the file")
    except ValueError as error:
        raise StateError(f"{file} is damaged: {error}.", again) from None
    there = {**flatten_identity(found.identity), "dialect": found.dialect, "gateway": found.gateway}
    here = {**flatten_identity(identity), "dialect": dialect, "gateway": gateway}
    differing = [
        f"{key} is {there.get(key, '')!r} there and {here.get(key, '')!r} here"
        for key in dict.fromkeys([*there, *here])
        if there.get(key, "") != here.get(key, "")
    ]
    if differing:
        raise ForeignStateError(f"{file} has the probe results of another server: {'; '.join(differing)}.", again)
    return found


def differences(before: Capabilities | None, after: Capabilities, questions: Questions) -> tuple[Difference, ...]:
    """Return every answer that changed, in the order of the questions; none where there was no probe before."""
    if before is None:
        return ()
    old, new = _flat(before, questions), _flat(after, questions)
    return tuple(
        Difference(name, old.get(name, ""), new.get(name, ""))
        for name in dict.fromkeys([*new, *old])
        if old.get(name, "") != new.get(name, "")
    )


def _flat(found: Capabilities, questions: Questions) -> dict[str, str]:
    """Everything that a probe found, each as one text."""
    flat = {"model": found.model}
    flat.update({name: found.answers[name] for name in questions.by_name if name in found.answers})
    flat.update({f"tried.{name}": str(number) for name, number in sorted(found.tried.items())})
    for head, table in (("fills", found.fills), ("words", found.words)):
        for where, entries in sorted(table.items()):
            flat.update({f"{head}.{where}.{key}": json.dumps(entry, sort_keys=True) for key, entry in entries.items()})
    return flat


def _in_order(value: Any) -> Any:
    """Return the value with each object's keys in order."""
    if isinstance(value, Mapping):
        return {key: _in_order(value[key]) for key in sorted(value)}
    return [_in_order(entry) for entry in value] if isinstance(value, (list, tuple)) else value


def _reader(questions: Questions) -> Callable[[Any, str], Capabilities]:
    """Return what reads a checked object; what no question asks any more is left out."""

    def answers(value: Any, where: str) -> dict[str, str]:
        found: dict[str, str] = map_of(a_text)(value, where)
        for name, answer in found.items():
            if name in questions.by_name and answer not in questions.by_name[name].answers:
                raise MismatchError(f"{where}.{name}", f"one of {', '.join(questions.by_name[name].answers)}")
        return {name: answer for name, answer in found.items() if name in questions.by_name}

    return record_of(
        Capabilities,
        {
            "identity": read_identity,
            "dialect": a_text,
            "gateway": a_text,
            "model": a_text,
            "answers": answers,
            "tried": _only(questions.limits, a_count),
            "fills": _only(questions.filled, map_of(a_json_value)),
            "words": _only(questions.words, map_of(a_text)),
        },
    )


def _only(keys: tuple[str, ...], entry: Callable[[Any, str], Any]) -> Callable[[Any, str], dict[str, Any]]:
    """Return what reads the entries of an object under these keys."""

    def read(value: Any, where: str) -> dict[str, Any]:
        return {key: found for key, found in map_of(entry)(value, where).items() if key in keys}

    return read
