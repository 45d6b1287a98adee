"""What a protocol that can be probed offers, and the one assistant that a probe asks with. Sends nothing."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from trueup.core.canonical import canonical, same
from trueup.core.memory.capabilities import Capabilities
from trueup.core.memory.questions import UNKNOWN, Questions
from trueup.wire.base import Dialect

METADATA: Final = "metadata"
PREFIX: Final = "trueup_probe"
"""How the metadata keys of a probe begin; by itself it is the key of its mark."""

TEXT: Final = "Made by trueup targets probe, and removed by it. It can be deleted at any time."

Ask = Generator[Mapping[str, Any], bool, None]
"""Yields what to send, is sent whether it was taken."""


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
    server, as far as anybody knows. `extra` are keys of it that nobody here knows; `sent` is the body of the last
    modify as it went out; `control` is one that the server took and that changes nothing; `taken` are the fields of
    which it took some value, of metadata one beside the mark; `refusal` is what it said when it last refused.
    `in_doubt` is whether the question under way met a read that is not what the modify answered; `never_shown` is how
    many such there were.
    """

    row: Dialect
    name: str
    mark: Mapping[str, str]
    file_id: str
    store_id: str
    control: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)
    sent: Mapping[str, Any] = field(default_factory=dict)
    answers: dict[str, str] = field(default_factory=dict)
    tried: dict[str, int] = field(default_factory=dict)
    fills: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    words: dict[str, Mapping[str, str]] = field(default_factory=dict)
    in_doubt: bool = False
    never_shown: int = 0
    taken: set[str] = field(default_factory=set)
    refusal: str = ""

    @property
    def pairs(self) -> Mapping[str, Any]:
        """The metadata that is live."""
        return self.body.get(METADATA) or {}

    def known(self) -> Known:
        """What was found out by now."""
        return Known(dict(self.answers), dict(self.tried), dict(self.fills), dict(self.words))

    def forget(self, before: Known) -> None:
        """Makes every answer that came after `before` not known; that reads come late stays."""
        for name, answer in self.answers.items():
            if name != "reads" and before.answers.get(name) != answer:
                self.answers[name] = UNKNOWN
        self.tried, self.fills, self.words = dict(before.tried), dict(before.fills), dict(before.words)

    def took(self, body: Mapping[str, Any]) -> None:
        """Notes what a modify that was taken held."""
        self.taken |= {name for name, value in body.items() if value is not None and value != self.mark}

    def refused(self, name: str, word: str = "refused") -> str:
        """The answer where a value of a field was refused: `word` only where another value of it was taken."""
        return word if name in self.taken else UNKNOWN

    def shows(self, name: str, value: Any) -> bool:
        """Whether a field is live with this value, defaults on both sides counted as the same."""
        rules = self.row.semantics
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
