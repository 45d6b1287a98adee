"""Text from outside can neither act on a terminal nor hide in it, and rows keep every character."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.core.plans import PLANS
from tests.extent import examples
from tests.render import samples, text
from tests.render.changes import field_change
from trueup.core.command import HERE, Command, Message, join_messages
from trueup.core.errors import TrueupError
from trueup.core.plans.plan import Action, Cause, Change, Plan, Reason
from trueup.core.plans.summary import summary
from trueup.core.source import Diagnostic, Position, Severity
from trueup.render.style import Look, Piece, Tone, paint
from trueup.render.terminal import problems
from trueup.render.visible import count_columns, make_visible, sentence_rows, shorten, wrap

LOOK = Look(color=False)
ASCII = Look(color=False, ascii_only=True)

NASTY = (
    "\x1b[2J\x1b[H", "\x1b]8;;https://evil.example/\x07link\x1b]8;;\x07", "\x1b]0;title\x07", "\x9b31m", "a\rb",
    "a\nb", "\u202egnp.exe\u202c",
    "\u2066x\u2069", "zero\u200bwidth", "\u2028", "\x85", "\x00", "\x08\x08\x08", "\ufeff", "\ud800",
    "\U000e0041\U000e0042", "\u3164", "tag\ufe0f", "\u061c", "\x7f", "\u200d",
)  # fmt: skip


def _is_harmless(shown: str) -> bool:
    return all(
        sign.isprintable() or (sign == "\u200d" and unicodedata.category(shown[place - 1]) in ("So", "Sk", "Mn"))
        for place, sign in enumerate(shown)
    )


@pytest.mark.parametrize("nasty", NASTY)
def test_what_a_terminal_would_obey_or_hide_becomes_a_sign(nasty: str) -> None:
    shown = make_visible(nasty, LOOK)
    assert _is_harmless(shown)
    assert shown != nasty
    assert make_visible(nasty, ASCII).isascii()
    assert make_visible(nasty, ASCII).isprintable()


@given(st.text(st.characters(exclude_categories=()), max_size=30))
@settings(max_examples=examples(300))
def test_any_text_becomes_harmless(anything: str) -> None:
    assert _is_harmless(make_visible(anything, LOOK))
    assert _is_harmless(make_visible(anything, LOOK, blanks=True))
    assert make_visible(anything, ASCII).isascii()


@pytest.mark.parametrize("plain", ["naïve café", "日本語", "👩‍💻 ❤️", "a\\b", "[-x-]"])
def test_ordinary_text_stays_as_it_is(plain: str) -> None:
    assert make_visible(plain, LOOK) == plain


def test_blanks_can_be_shown() -> None:
    assert make_visible("a b\tc", LOOK, blanks=True) == "a·b⇥c"
    assert make_visible("a\tb", LOOK) == "a    b"


def test_width_is_counted_in_columns() -> None:
    assert [count_columns(item) for item in ("abc", "日本", "e\u0301", "ü")] == [3, 4, 1, 1]
    assert shorten("日本語日本語", 6, LOOK) == "日本…"
    assert shorten("abcdef", 6, LOOK) == "abcdef"


@given(
    st.lists(st.tuples(st.text("ab ü日", max_size=30), st.sampled_from([Tone.PLAIN, Tone.GONE])), max_size=5),
    st.integers(8, 30),
)
@example([("  aaaaa日日", Tone.PLAIN)], 8)
@settings(max_examples=examples(300))
def test_wrapping_loses_no_character_and_keeps_the_width(parts: list[tuple[str, Tone]], width: int) -> None:
    pieces = [Piece(*part) for part in parts]
    rows = wrap(pieces, width)
    assert "".join(piece.text for row in rows for piece in row) == "".join(piece.text for piece in pieces)
    for row in rows:
        assert count_columns("".join(piece.text for piece in row).rstrip(" ")) <= width


COMMAND = HERE.command("why", "a b")
WRITTEN = str(COMMAND)


@given(
    st.lists(st.one_of(st.text("ab ü日.,", max_size=30), st.just(COMMAND)), max_size=6),
    st.integers(8, 60),
    st.sampled_from(["", "-> "]),
)
@settings(max_examples=examples(300))
def test_a_command_is_never_broken_and_stands_alone_where_its_row_has_no_room(
    parts: list[str | Command], width: int, lead: str
) -> None:
    message = Message(*parts)
    rows = [
        "".join(piece.text for piece in row) for row in sentence_rows(message, 2, Look(False, width), Tone.HINT, lead)
    ]
    assert sum(row.count(WRITTEN) for row in rows) == parts.count(COMMAND)
    for number, row in enumerate(rows):
        alone = row.removeprefix(f"  {lead if number == 0 else ' ' * len(lead)}") == WRITTEN
        assert count_columns(row.rstrip(" ")) <= max(width, 2 + len(lead) + 8) or alone
    squeezed = str.maketrans("", "", " .,")
    assert "".join(rows).removeprefix(f"  {lead}").translate(squeezed) == message.translate(squeezed)


def test_code_in_a_sentence_stays_on_one_row() -> None:
    text = "To lift that, write `lifecycle: {protect: false}`."
    for width in (30, 40, 45):
        shown = paint(sentence_rows(text, 0, Look(False, width)), False)
        assert "`lifecycle: {protect: false}`." in shown
        assert " ".join(shown.split()) == text
    assert "lifecycle:" in paint(sentence_rows(text, 0, Look(False, 20)), False)


@pytest.mark.parametrize("between", [". ", ", ", " "])
def test_a_command_ends_its_row(between: str) -> None:
    message = Message("To let it go: ", COMMAND, between, "or ", COMMAND, ".")
    shown = paint(sentence_rows(message, 0, Look(False, 80)), False)
    assert shown == f"To let it go: {WRITTEN}\nor {WRITTEN}\n"
    shown = paint(sentence_rows(message, 0, Look(False, 30)), False)
    assert shown == f"To let it go: {WRITTEN}\nor {WRITTEN}\n"
    shown = paint(sentence_rows(join_messages((message, "Go on.")), 0, Look(False, 25)), False)
    assert shown == f"To let it go:\n{WRITTEN}\nor {WRITTEN}\nGo on.\n"


def _everywhere(nasty: str) -> Plan:
    fields = (
        *(field_change(f"metadata.{nasty}{cause.value}", nasty, f"{nasty}{nasty}", cause) for cause in Cause),
        field_change("instructions", f"one\n{nasty}\ntwo\n", f"one\n{nasty}{nasty}\nthree\n", Cause.DRIFTED),
        field_change("tools", [{"type": nasty}], [{"type": "function", "function": {"name": nasty}}], Cause.EDITED),
        field_change("options", {nasty: [nasty]}, {nasty: [1], "b": {nasty: nasty}}, Cause.EDITED),
    )
    at = Position(f"assistants/{nasty}.yaml", 1, 2, nasty)
    changes = tuple(
        Change(
            f"name{nasty}{action.value}", action, Reason.EDITED, id=nasty, fields=fields, others=(nasty,),
            message=nasty, hint=nasty, display_name=nasty, moved_from=nasty, parts=(nasty,),
            sources={"instructions": at, "tools": at},
        )
        for action in Action
    )  # fmt: skip
    found = Diagnostic(Severity.WARNING, "nasty", nasty, at, (nasty,), nasty)
    return replace(samples.PLAN, changes=changes, diagnostics=(found,))


@pytest.mark.parametrize("nasty", [*NASTY, "\nPlan: 9 to create, 0 to modify, 0 to delete, 0 drifted, 0 unchanged."])
@pytest.mark.parametrize("ascii_only", [False, True])
def test_no_place_of_a_plan_lets_hostile_text_through(nasty: str, ascii_only: bool) -> None:
    plan = _everywhere(nasty)
    options: dict[str, Any] = {"color": False, "width": 80, "verbose": True, "ascii_only": ascii_only}
    for shown in (
        text.plan(plan, **options),
        text.drift(plan, **options),
        problems.write_error(TrueupError(nasty, nasty, plan.diagnostics), color=False, width=80, ascii_only=ascii_only),
        text.report(replace(samples.REPORT, problems=(nasty,)), **options),
    ):
        assert all(_is_harmless(line) for line in shown.split("\n"))
    assert [line for line in text.plan(plan, **options).split("\n") if line.startswith("Plan:")] == [summary(plan)]


@given(PLANS)
@settings(max_examples=examples(100), deadline=None)
def test_any_plan_can_be_shown(plan: Plan) -> None:
    for shown in (text.plan(plan, color=False, width=60), text.drift(plan, color=False, width=60, verbose=True)):
        lines = (line.replace(":\u200b", ":") for line in shown.split("\n"))  # a pipeline would obey `::` at the start
        assert all(map(_is_harmless, lines))
    assert text.plan(plan, color=True, width=60).split("\n")[-2].endswith(f"{summary(plan)}\x1b[0m")
