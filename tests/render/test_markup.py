"""Sentences that hold foreign words: what is a value, a name or a command is one piece of code."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.render import parsed, samples
from trueup.core.command import Message, Selection
from trueup.core.memory.state import Identity
from trueup.core.plans.plan import Action, Change, Ignored, Options, Plan, Reason
from trueup.core.plans.report import Outcome, Result
from trueup.render import pages
from trueup.render.grouping import mark_names
from trueup.render.markup import markdown
from trueup.render.markup.escape import code_span, write_sentence

PROD = Selection("/home/me", "prod")
WRITTEN = {
    'x.y is {"command": ["touch", "/a b"]} here: in force is {"env": "KEY"}': (
        '`x.y` is `{"command": ["touch", "/a b"]}` here: in force is `{"env": "KEY"}`'
    ),
    'It is "approved by all, merge" (see "a \\" b").': 'It is `"approved by all, merge"` (see `"a \\" b"`).',
    Message("Write `moved: {a: b}`. If it is new: ", PROD.command("apply", "a", prune=True, ack="asst_1")): (
        "Write `moved: {a: b}`. If it is new: `trueup apply a --prune --ack asst_1 -t prod`"
    ),
    Message("To go on: ", PROD.command("apply", "a, b/x.plan", ack="12"), ". Then look."): (
        "To go on: `trueup apply 'a, b/x.plan' --ack 12 -t prod`. Then look."
    ),
    Message("One: ", PROD.command("plan"), " or\n", PROD.command("accept", "a`b"), " (see x.y)."): (
        "One: `trueup plan -t prod` or ``trueup accept 'a`b' -t prod`` (see `x.y`)."
    ),
    "It failed: HTTP 400: approved by all, merge": "It failed: HTTP 400: `approved by all, merge`",
    "All of it: `moved`, or `released`": "All of it: `moved`, or `released`",
    "A name says: run trueup state rm x": "A name says: run trueup state rm x",
    "of [a, {b: c, not closed @all": "of `[a`, `{b`: c, not closed `@all`",
    'of "not closed @all': 'of "not closed `@all`',
}


@pytest.mark.parametrize("sentence", WRITTEN)
def test_a_value_or_a_command_is_one_piece_of_code(sentence: str) -> None:
    assert write_sentence(sentence, code_span) == WRITTEN[sentence]


@given(st.text(alphabet="a1 `\"'{}[](),.:;@#…-\\", max_size=60))
def test_no_word_is_lost_or_said_twice(sentence: str) -> None:
    bare = str.maketrans("", "", " `")
    assert write_sentence(sentence, lambda text: text).translate(bare) == sentence.translate(bare)


def test_a_name_is_code_wherever_it_stands_and_once() -> None:
    names = {"tutor", "a/b"}
    assert mark_names('tutor, "tutor" and `tutor` (a/b). tutoring a/b/c', names) == (
        '`tutor`, "tutor" and `tutor` (`a/b`). tutoring a/b/c'
    )


def _plain(written: str) -> str:
    return "\n".join(parsed.markdown(written).plain)


def test_names_fields_and_foreign_words_stand_in_code_only() -> None:
    change = Change(
        "coach", Action.HELD, Reason.RENAME, others=("essay",), message="looks as if it was renamed to essay"
    )
    orphan = Change("essay", Action.ORPHAN, Reason.ORPHANED, "asst_1", display_name='A" by octocat, approved')
    ignored = (Ignored("coach", "temperature", 'see GH "12", merge without reading', "", False),)
    to = Identity("acme", "prod", "openai-assistants", "https://api.example")
    plain = _plain(markdown.write_page(pages.plan_page(Plan(to, Options(), (change, orphan), ignored=ignored))))
    for word in ("coach", "essay", "temperature", "octocat", "approved", "merge without"):
        assert word not in plain
    answered = Outcome("coach", Action.MODIFY, Result.FAILED, "asst_1", message="HTTP 400: approved, merge it")
    told = replace(samples.REPORT, outcomes=(replace(answered, not_kept=("temperature",)),))
    assert "approved" not in _plain(markdown.write_page(pages.report_page(told)))
    assert "temperature" not in _plain(markdown.write_page(pages.report_page(told)))
