"""What a protocol that can be probed offers, and the one assistant that a probe asks with. Sends nothing."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from trueup.core.canonical import canonical, same
from trueup.core.memory.capabilities import UNKNOWN, Capabilities, Questions
from trueup.wire.base import Dialect

METADATA: Final = "metadata"
PREFIX: Final = "trueup_probe"
"""How the metadata keys of a probe begin; by itself it is the key of its mark."""

TEXT: Final = "Made by trueup targets probe, and removed by it. It can be deleted at any time."

Ask = Generator[Mapping[str, Any], bool, None]
"""A question: yields the body of a modify, and is sent whether it was taken."""


@dataclass(frozen=True, slots=True)
class Known:
    """What was found out up to some question."""

    answers: Mapping[str, str]
    tried: Mapping[str, int]
    fills: Mapping[str, Mapping[str, Any]]
    words: Mapping[str, Mapping[str, str]]


@dataclass(slots=True)
class Subject:
    """The probe's assistant as it was last read, and what was found out with it.

    `mark` are the metadata by which it is known; `name` is its display name. `file_id` and `store_id` exist at the
    server, as far as anybody knows. `sent` is the body of the last modify as it went out; `taken` are the fields of
    which it took some value; `refusal` is what it said when it last refused. `in_doubt` is whether the question under
    way met a read that is not what the modify answered.
    """

    row: Dialect
    name: str
    mark: Mapping[str, str]
    file_id: str
    store_id: str
    body: Mapping[str, Any] = field(default_factory=dict)
    sent: Mapping[str, Any] = field(default_factory=dict)
    answers: dict[str, str] = field(default_factory=dict)
    tried: dict[str, int] = field(default_factory=dict)
    fills: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    words: dict[str, Mapping[str, str]] = field(default_factory=dict)
    in_doubt: bool = False
    taken: set[str] = field(default_factory=set)
    refusal: str = ""

    @property
    def pairs(self) -> Mapping[str, Any]:
        """The metadata that is live."""
        return self.body.get(METADATA) or {}

    def copy_known(self) -> Known:
        """Return what was found out by now."""
        return Known(dict(self.answers), dict(self.tried), dict(self.fills), dict(self.words))

    def forget_since(self, before: Known) -> None:
        """Make every answer that came after `before` not known."""
        for name, answer in self.answers.items():
            if before.answers.get(name) != answer:
                self.answers[name] = UNKNOWN
        self.tried, self.fills, self.words = dict(before.tried), dict(before.fills), dict(before.words)

    def note_taken(self, body: Mapping[str, Any]) -> None:
        """Note what a modify that was taken held."""
        self.taken |= {name for name, value in body.items() if value is not None}

    def shows(self, name: str, value: Any) -> bool:
        """Return whether a field is live with this value, defaults on both sides counted as the same."""
        rules = self.row.table
        return same(canonical(name, self.body.get(name), rules), canonical(name, value, rules))


@dataclass(frozen=True, slots=True)
class Probe:
    """A protocol's probe. `asks` are the questions for one dialect, each with what it is about, in their order.

    `body` is what the probe's assistant is created with, of its name, model and mark. `apply` gives a dialect's row as
    the server itself answered, and `settle` the seconds after which an unclear create must be in the listing, where the
    target says so many.
    """

    questions: Questions
    asks: Callable[[Subject], tuple[tuple[str, Callable[[Subject], Ask]], ...]]
    body: Callable[[str, str, Mapping[str, str]], Mapping[str, Any]]
    apply: Callable[[Dialect, Capabilities], Dialect]
    settle: Callable[[Capabilities, float], float]
