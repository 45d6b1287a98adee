"""The rows of docs/worst-moments.md, and how the end of a command is held against one. Brings no moment about."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.process.project import KEY
from tests.protocols import current
from tests.ran import Ran

PAGE = Path(__file__).parents[2] / "docs" / "worst-moments.md"


@dataclass(frozen=True, slots=True)
class Moment:
    """What the page promises for one moment: the pieces of text in their order, and the exit code."""

    name: str
    said: tuple[str, ...]
    code: int


def moments() -> dict[str, Moment]:
    """Every row of the page, by name."""
    rows = [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for line in PAGE.read_text("utf-8").splitlines()
        if line.startswith("| ") and not line.startswith("| Moment")
    ]
    return {
        name.removeprefix("| "): Moment(name, tuple(piece.strip() for piece in said.split("…")), int(code))
        for name, said, code, _ in rows
    }


def holds(name: str, ran: Ran) -> None:
    """Check that a command ended as the page says, in words, without a traceback and without the key."""
    moment = moments()[name]
    assert ran.code == moment.code, f"{name}: {ran}"
    rest = ran.said
    for piece in map(current().words, moment.said):
        assert piece in rest, f"{name}: {piece!r} is not in {rest!r}"
        rest = rest.split(piece, 1)[1]
    assert "Traceback" not in ran.err, ran.err
    assert KEY not in ran.out + ran.err
    if ran.code not in (0, 5):
        assert any(sign in ran.said for sign in ("→ ", "! ", '"hint": "')), f"{name} does not say how to go on: {ran}"
