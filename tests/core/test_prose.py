"""The text diff: it never loses a character, it says what it means, and no text makes it slow."""

from __future__ import annotations

import json
import random
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.extent import examples
from trueup.core.texts.align import Allowance, align
from trueup.core.texts.compare import CONTEXT, compare
from trueup.core.texts.prose import (
    UNCHANGED,
    Nature,
    Prose,
    RunKind,
    TextRun,
    after_from,
    before_from,
    encode_prose,
    one_side,
    split_rows,
    split_sections,
)

LINES = [
    "", "a", "b", "Be kind.", "Be very kind.", " a", "x\r", "one\u2028two", "\0", "👩‍💻 e\u0301 日本語",
    "Never promise a refund before the order is known.", "Never promise any refund before the order is known to us.",
    "Ask one question at a time and wait.", "Ask one question at a time and then wait.",
]  # fmt: skip
TEXTS = st.one_of(st.text(max_size=60), st.lists(st.sampled_from(LINES), max_size=30).map("\n".join))


def _flat(runs: tuple[TextRun, ...]) -> list[TextRun]:
    return [inner for run in runs for inner in (run, *_flat(run.runs))]


def _check(before: str, after: str) -> Prose:
    """Check the laws that hold for any two texts."""
    prose = compare(before, after)
    assert after_from(prose, before) == after
    assert before_from(prose, after) == before
    assert (prose.nature is Nature.SAME) == (before == after)
    old, new = before.split("\n"), after.split("\n")
    for run in _flat(prose.runs):
        if run.kind in (RunKind.KEPT, RunKind.REMOVED):
            assert old[run.before - 1 : run.before - 1 + run.old] == list(run.lines)
        if run.kind in (RunKind.KEPT, RunKind.ADDED):
            assert new[run.after - 1 : run.after - 1 + run.new] == list(run.lines)
        if run.kind is RunKind.CHANGED:
            assert (
                "".join(span.text for span in one_side(run, RunKind.REMOVED)).split("\n")
                == old[run.before - 1 : run.before - 1 + run.old]
            )
            assert [span for row in split_rows(run) for span in row.spans if span.kind is not RunKind.KEPT]
            assert len(list(split_rows(run))) == run.new
    return prose


@given(TEXTS, TEXTS)
@example("", "\n")
@example("\n", "")
@example("a\n", "a")
@example("a\n\n", "a\n")
@settings(max_examples=examples(400), deadline=None)
def test_no_change_is_hidden_each_text_comes_back_from_the_other_and_what_is_shown(before: str, after: str) -> None:
    _check(before, after)
    _check(after, before)


@given(st.lists(st.sampled_from(LINES), min_size=2, max_size=30), st.data())
@settings(max_examples=examples(400), deadline=None)
def test_no_change_is_hidden_when_blocks_move(lines: list[str], data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(lines) - 1))
    end = data.draw(st.integers(start, len(lines)))
    rest = [*lines[:start], *lines[end:]]
    place = data.draw(st.integers(0, len(rest)))
    edit = data.draw(st.integers(0, len(lines) - 1))
    moved = [*rest[:place], *lines[start:end], *rest[place:]]
    moved[edit] += data.draw(st.sampled_from(["", " more", "\n"]))
    _check("\n".join(lines), "\n".join(moved))


@given(
    st.permutations(range(7)), st.lists(st.sampled_from(["\n", "\n\n", "\n\n\n"]), min_size=14, max_size=14), st.data()
)
@settings(max_examples=examples(300), deadline=None)
def test_no_change_is_hidden_when_paragraphs_are_shuffled(
    order: list[int], ends: list[str], data: st.DataObject
) -> None:
    words = ["kind", "brief", "early", "late", "green", "open"]
    lines = [f"Rule {n}: stay {words[n % 6]} and {words[n % 5]} on day {n}." for n in range(7)]
    edited = [line + data.draw(st.sampled_from(["", " Always.", "\n"])) for line in lines]
    before = "".join(line + end for line, end in zip(lines, ends, strict=False))
    after = "".join(edited[n] + end for n, end in zip(order, ends[7:], strict=True))
    _check(before, after)


@given(st.lists(st.sampled_from(["kind", "be", "and", "very", "brief", ",", "."]), max_size=40), st.data())
@settings(max_examples=examples(300), deadline=None)
def test_no_change_is_hidden_when_lines_are_broken_anew(words: list[str], data: st.DataObject) -> None:
    breaks = st.lists(st.sampled_from([" ", " ", " ", "\n", "  \n", "\n\n"]), min_size=len(words), max_size=len(words))
    one, other = ("".join(word + end for word, end in zip(words, data.draw(breaks), strict=True)) for _ in range(2))
    prose = _check(one, other)
    assert prose.nature in (Nature.SAME, Nature.WHITESPACE, Nature.END)


@given(TEXTS, TEXTS)
@settings(max_examples=examples(100), deadline=None)
def test_the_model_is_json(before: str, after: str) -> None:
    prose = compare(before, after)
    found = encode_prose(prose)
    assert json.loads(json.dumps(found)) == found
    assert [run["kind"] for run in found["runs"]] == [run.kind.value for run in prose.runs]


@given(TEXTS, TEXTS)
@settings(max_examples=examples(100), deadline=None)
def test_sections_are_the_runs(before: str, after: str) -> None:
    prose = compare(before, after)
    found = list(split_sections(prose))
    assert tuple(run for section in found for part in section for run in part) == prose.runs
    assert all(section.changed for section in found[:-1])
    for section in found:
        assert all(run.kind in UNCHANGED for run in section.unchanged)
        assert all(run.kind not in UNCHANGED for run in section.changed)


@given(st.lists(st.integers(0, 5), max_size=40), st.lists(st.integers(0, 5), max_size=40), st.integers(0, 2_000))
@settings(max_examples=examples(300), deadline=None)
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


def _marked(prose: Prose) -> list[tuple[str, str]]:
    return [
        (span.kind.value, span.text) for run in _flat(prose.runs) for span in run.spans if span.kind is not RunKind.KEPT
    ]


def test_changed_words_are_marked_and_nothing_else() -> None:
    before = "You are a tutor.\nBe brief, and never rude.\nEnd."
    after = "You are a tutor.\nBe kind, and never rude.\nEnd."
    prose = compare(before, after)
    assert _marked(prose) == [("removed", "brief"), ("added", "kind")]
    assert [(run.before, run.after) for run in prose.runs if run.kind is RunKind.CHANGED] == [(2, 2)]
    assert (prose.changed, prose.removed, prose.added) == (1, 0, 0)


def test_a_line_that_has_little_in_common_is_replaced_not_marked() -> None:
    prose = compare("keep\nAlways answer in French.\nkeep2\n", "keep\nRefuse; say why!\nNever guess.\nkeep2\n")
    assert _marked(prose) == []
    assert (prose.removed, prose.added) == (1, 2)


def test_unchanged_lines_are_folded_with_their_count_but_never_one_alone() -> None:
    lines = [f"line {n}" for n in range(40)]
    prose = compare("\n".join(lines), "\n".join([*lines[:20], "new", *lines[20:]]))
    folded = [run.old for run in prose.runs if run.kind is RunKind.FOLDED]
    assert folded == [20 - CONTEXT, 20 - CONTEXT]
    near = compare("\n".join(lines), "\n".join([*lines[:10], "x", *lines[10:15], "y", *lines[15:]]))
    assert len([run for run in near.runs if run.kind is RunKind.FOLDED]) == 2


@given(st.integers(0, 12), st.integers(0, 12), st.integers(0, 12))
def test_a_fold_of_one_line_is_never_made(head: int, middle: int, tail: int) -> None:
    lines = [f"line {n}" for n in range(head + middle + tail)]
    after = [*lines[:head], "x", *lines[head : head + middle], "y", *lines[head + middle :]]
    prose = compare("\n".join(lines), "\n".join(after))
    assert all(run.old > 1 for run in prose.runs if run.kind is RunKind.FOLDED)


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
        assert after_from(prose, left) == right, name
        assert before_from(prose, right) == left, name
        slowest = max(slowest, spent)
    assert slowest < 3.0, "the bound is 0.3 s; a quadratic path would take a minute"
