"""What a probe can find out of a server, as data: each question, and a sentence for every answer that it can have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

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
