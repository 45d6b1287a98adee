"""Moved blocks: what is told as moved, where from and to, what changed inside, and what is not told as moved."""

from __future__ import annotations

from trueup.core.texts.compare import compare
from trueup.core.texts.moves import MOVES
from trueup.core.texts.prose import Nature, Prose, RunKind, after_from

PARTS = {
    "a": "## Greeting\nGreet the customer by name and thank them.",
    "b": "## Refunds\nNever promise a refund before the order is known.\nAsk for the number of the order.",
    "c": "## Handing over\nGive the conversation to a person when asked to.\nSay how long it will take.",
}


def _prompt(order: str, **edits: str) -> str:
    return "\n\n".join({**PARTS, **edits}[name] for name in order) + "\n"


def _moves(prose: Prose) -> list[tuple[int, int, int, int]]:
    return [(run.before, run.old, run.after, run.new) for run in prose.moves]


def test_a_moved_section_is_told_at_both_places_with_the_line_numbers() -> None:
    prose = compare(_prompt("abc"), _prompt("bca"))
    assert prose.nature is Nature.MOVED
    assert all(run.blanks_only for run in prose.runs if run.kind in (RunKind.REMOVED, RunKind.ADDED, RunKind.CHANGED))
    (moved,) = prose.moves
    (left,) = (run for run in prose.runs if run.kind is RunKind.LEFT)
    assert (left.before, left.after, left.old, left.new) == (moved.before, moved.after, moved.old, moved.new)
    assert _prompt("abc").split("\n")[moved.before - 1] == _prompt("bca").split("\n")[moved.after - 1] == left.lines[0]


def test_an_edit_inside_a_moved_section_is_shown_there() -> None:
    edited = PARTS["a"].replace("and thank them", "and never thank them")
    prose = compare(_prompt("abc"), _prompt("bca", a=edited))
    (moved,) = prose.moves
    assert moved.edited
    assert [span.text for run in moved.runs for span in run.spans if span.kind is RunKind.ADDED] == ["never "]
    assert prose.changed == 1
    assert prose.nature is Nature.TEXT


def test_a_line_that_says_too_little_is_not_told_as_moved() -> None:
    rules = "The first rule of all is this one.\nThe second rule of all is that one.\n"
    prose = compare(f"- Yes\n{rules}", f"{rules}- Yes\n")
    assert _moves(prose) == []
    assert (prose.removed, prose.added) == (1, 1)


def test_lines_that_stand_several_times_move_in_their_order() -> None:
    line = "Always answer in the language of the user."
    prose = compare(f"{line}\n{line}\nmiddle one\nmiddle two", f"middle one\nmiddle two\n{line}\n{line}")
    assert _moves(prose) == [(1, 2, 3, 2)]


def test_a_text_that_was_shuffled_tells_no_more_moves_than_anybody_reads() -> None:
    lines = [f"Rule {n}: the quick fox number {n} jumps over dog {n * 7}." for n in range(400)]
    after = "\n".join(lines[n * 149 % 400] for n in range(400))
    prose = compare("\n".join(lines), after)
    assert 0 < len(prose.moves) <= MOVES
    assert after_from(prose, "\n".join(lines)) == after
