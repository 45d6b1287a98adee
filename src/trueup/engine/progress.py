"""How far a piece of work is, and what it waits for, as values: the engine makes them, the screen shows them.

Texts are ours, or say why a request failed without anything that was answered; no body and no header is in them.
"""

from __future__ import annotations

from dataclasses import dataclass

SURE = 3
"""Things that are to be done before a guess is made how long the others may take."""

SOON = 1.0
"""Seconds of work before that guess."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a piece of work is: `done` of `total` of what `what` says, 0 where nobody knows.

    `left` is about how many seconds the rest may take, None where too little is known. `name` was last worked on.
    """

    what: str = ""
    done: int = 0
    total: int = 0
    left: float | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Wait:
    """Why nothing goes on for a while, and until when (Unix seconds), 0 where that is open.

    `at_once`: it is news, such as a server that is down, and is printed at once in a log too.
    """

    why: str
    until: float = 0.0
    at_once: bool = False


def estimate_left(spent: float, done: int, total: int) -> float | None:
    """Return about how many seconds the rest may take, given those that were spent; None where that is a wild guess."""
    if done < SURE or spent < SOON or total < done:
        return None
    return spent / done * (total - done)
