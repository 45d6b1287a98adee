"""The text diff: it never loses a character, it says what it means, and no text makes it slow."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from trueup.core.align import Allowance, align
from trueup.core.prose import CONTEXT, Kind, Line, Nature, Prose, compare, rebuild

TEXTS = st.one_of(
    st.text(max_size=60),
    st.lists(
        st.sampled_from(["", "a", "b", "Be kind.", "Be very kind.", " a", "x\r", "one\u2028two"]), max_size=30
    ).map("\n".join),
)


def _lines(prose: Prose) -> list[Line]:
    return [line for hunk in prose.hunks for line in hunk.lines]


@given(TEXTS, TEXTS)
@example("", "\n")
@example("\n", "")
@example("a\n", "a")
@example("a\n\n", "a\n")
@settings(max_examples=300, deadline=None)
def test_both_texts_can_be_rebuilt_from_what_is_shown(before: str, after: str) -> None:
    prose = compare(before, after)
    assert rebuild(prose, before) == (before, after)
    assert (prose.nature is Nature.SAME) == (before == after)
    for line in _lines(prose):
        assert not line.spans or "".join(span.text for span in line.spans) == line.text


@given(TEXTS, TEXTS)
@settings(max_examples=200, deadline=None)
def test_line_numbers_are_those_of_the_texts(before: str, after: str) -> None:
    old, new = before.split("\n"), after.split("\n")
    for line in _lines(compare(before, after)):
        assert line.kind is Kind.ADDED or old[line.before - 1] == line.text
        assert line.kind is Kind.REMOVED or new[line.after - 1] == line.text
        assert (line.before == 0) == (line.kind is Kind.ADDED)
        assert (line.after == 0) == (line.kind is Kind.REMOVED)


@given(st.lists(st.integers(0, 5), max_size=40), st.lists(st.integers(0, 5), max_size=40), st.integers(0, 2_000))
@settings(max_examples=300, deadline=None)
def test_alignment_rises_and_is_equal_however_little_may_be_spent(
    left: list[int], right: list[int], left_over: int
) -> None:
    a = b = 0
    for i, j, length in align(left, right, Allowance(left_over)):
        assert length > 0
        assert i >= a
        assert j >= b
        assert left[i : i + length] == right[j : j + length]
        a, b = i + length, j + length


def test_changed_words_are_marked_and_nothing_else() -> None:
    before = "You are a tutor.\nBe brief, and never rude.\nEnd."
    after = "You are a tutor.\nBe kind, and never rude.\nEnd."
    removed, added = (line for line in _lines(compare(before, after)) if line.kind is not Kind.KEPT)
    assert [span.text for span in removed.spans if span.changed] == ["brief"]
    assert [span.text for span in added.spans if span.changed] == ["kind"]
    assert (removed.before, added.after) == (2, 2)


def test_a_line_that_has_little_in_common_is_replaced_not_marked() -> None:
    prose = compare("keep\nAlways answer in French.\nkeep2\n", "keep\nRefuse; say why!\nNever guess.\nkeep2\n")
    assert all(not line.spans for line in _lines(prose))
    assert (prose.removed, prose.added) == (1, 2)


def test_unchanged_lines_are_folded_with_their_count_but_never_one_alone() -> None:
    lines = [f"line {n}" for n in range(40)]
    prose = compare("\n".join(lines), "\n".join([*lines[:20], "new", *lines[20:]]))
    assert [hunk.folded for hunk in prose.hunks] == [20 - CONTEXT]
    assert prose.folded == 20 - CONTEXT
    near = compare("\n".join(lines), "\n".join([*lines[:10], "x", *lines[10:15], "y", *lines[15:]]))
    assert len(near.hunks) == 1


def test_the_first_and_only_line_may_be_far_from_the_change() -> None:
    prose = compare("a\nb\nc\nd\ne\nf", "a\nb\nc\nd\ne\nf\ng")
    assert prose.hunks[0].folded == 4
    assert prose.folded == 0


@pytest.mark.parametrize(
    ("before", "after", "nature"),
    [
        ("a\nb", "a\nb", Nature.SAME),
        ("a\nb", "a\nb\n", Nature.END),
        ("a  b", "a b", Nature.WHITESPACE),
        ("a\nb", "a\n\n\tb", Nature.WHITESPACE),
        ("a\r\nb", "a\nb", Nature.WHITESPACE),
        ("ab", "ac", Nature.TEXT),
    ],
)
def test_a_difference_that_cannot_be_seen_is_named(before: str, after: str, nature: Nature) -> None:
    assert compare(before, after).nature is nature


def _worst_cases() -> dict[str, tuple[str, str]]:
    rng = random.Random(7)
    words = ["".join(rng.choice("abcdefgh") for _ in range(rng.randint(2, 8))) for _ in range(3_000)]
    few = [rng.choice(words) for _ in range(150)]
    drawn = [rng.choice(few) for _ in range(45_000)]
    edited = [word if rng.random() > 0.02 else rng.choice(few) for word in drawn]
    sentence = [rng.choice(words) for _ in range(46_000)]
    other = [rng.choice(words) for _ in range(46_000)]
    numbers = list(map(str, range(40_000)))
    blanks = [line for _ in range(50_000) for line in (str(rng.random())[:3], "")]
    return {
        "150 distinct lines": ("\n".join(drawn), "\n".join(rng.choice(few) for _ in range(45_000))),
        "150 distinct lines, edited": ("\n".join(drawn), "\n".join(edited)),
        "one character a line": tuple("\n".join(rng.choice("ab") for _ in range(128_000)) for _ in range(2)),  # type: ignore[dict-item]
        "nothing in common": ("a\n" * 128_000, "b\n" * 128_000),
        "turned round": ("\n".join(numbers), "\n".join(reversed(numbers))),
        "shuffled": ("\n".join(numbers), "\n".join(rng.sample(numbers, len(numbers)))),
        "shuffled among blanks": ("\n".join(blanks), "\n".join(rng.sample(blanks, len(blanks)))),
        "shifted": ("a\nb\n" * 64_000, "b\na\n" * 64_000),
        "one line": (" ".join(sentence), " ".join(other)),
        "one line, edited": (" ".join(sentence), " ".join(w if rng.random() > 0.01 else "x" for w in sentence)),
        "one line of signs": (
            "".join(rng.choice(".,") for _ in range(256_000)),
            "".join(rng.choice(".,") for _ in range(256_000)),
        ),
        "ten words a line": (
            "\n".join(" ".join(sentence[n : n + 10]) for n in range(0, 46_000, 10)),
            "\n".join(
                " ".join(w if rng.random() > 0.1 else "x" for w in sentence[n : n + 10]) for n in range(0, 46_000, 10)
            ),
        ),
    }


def test_no_text_of_the_largest_size_makes_it_slow() -> None:
    slowest = 0.0
    for name, (before, after) in _worst_cases().items():
        left, right = before[:256_000], after[:256_000]
        start = time.process_time()
        prose = compare(left, right)
        spent = time.process_time() - start
        assert rebuild(prose, left) == (left, right), name
        slowest = max(slowest, spent)
    assert slowest < 3.0, "the bound is 0.3 s; a quadratic path would take a minute"
