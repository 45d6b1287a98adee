"""The rows of a text's difference, in what golden plans do not show: places, moves, marks and limits."""

from __future__ import annotations

from trueup.core.texts.compare import compare
from trueup.core.texts.prose import split_sections
from trueup.render.prose_lines import Place, hunk_key
from trueup.render.style import Look, paint
from trueup.render.terminal import prose as prose_rows

LOOK = Look(color=False, width=80)


def _shown(before: str, after: str, place: Place = "line {}".format, **more: bool) -> list[str]:
    rows = prose_rows.difference_rows(compare(before, after), Look(color=False, width=80, **more), 0, place, {})
    return paint(rows, color=False).splitlines()


def test_each_file_of_a_prompt_is_named_where_its_changes_begin() -> None:
    before = "You are A.\n\nNever guess.\n\nBe brief."
    after = "You are B.\n\nNever ever guess.\n\nBe very brief."

    def place(number: int) -> str:
        return ("a.md:1", "_safety.md:1", "a.md:9")[number // 2 if number < 5 else 2]

    assert _shown(before, after, place) == [
        "~ You are [-A-]{+B+}.",
        "⋯ _safety.md:1",
        "",
        "~ Never {+ever +}guess.",
        "⋯ a.md:9",
        "",
        "~ Be {+very +}brief.",
    ]


def test_a_change_of_blanks_among_others_is_called_so() -> None:
    shown = _shown("one\nBe kind to all.\nmiddle\nlast", "one\n  Be kind to all.\nmiddle\nfirst one")
    assert shown[1] == "~ {+··+}Be kind to all.  (only blanks)"


def test_a_moved_line_with_an_edit_is_one_row_at_its_new_place() -> None:
    lines = ["Greet everybody by their first name.", "Ask one question at a time.", "Never promise any refund."]
    shown = _shown("\n".join(lines), "\n".join([*lines[1:], lines[0].replace("first", "last")]))
    assert shown[0] == "< 1 line moved to line 3: Greet everybody by their first name."
    assert shown[-1] == "> Greet everybody by their [-first-]{+last+} name.  (moved from line 1)"


def test_a_very_long_difference_stops_and_says_how_much_is_left_unless_all_is_asked_for() -> None:
    before, after = "\n".join(f"old {n}" for n in range(400)), "\n".join(f"neu {n}!" for n in range(300))
    shown = _shown(before, after)
    assert len(shown) < 400
    assert "-v shows all" in shown[-1]
    assert "more" in shown[-1]
    assert len(_shown(before, after, verbose=True)) >= 400


def test_a_shared_change_is_not_shown_again_and_what_leads_to_the_next_one_is() -> None:
    before = "\n".join(["top", *"abcdefgh", "mid", *"ijklmnop", "end"])
    prose = compare(before, before.replace("top", "tip").replace("mid", "mit").replace("end", "ent"))
    first, second, _ = (section.changed for section in split_sections(prose))
    notes = {hunk_key(first): "=The same as in x.", hunk_key(second): "This also reaches y:"}
    shown = paint(prose_rows.difference_rows(prose, LOOK, 0, "line {}".format, notes), color=False).splitlines()
    assert shown[0] == "The same as in x."
    assert shown[1] == "⋯ 4 lines unchanged · line 10"
    assert "This also reaches y:" in shown
    assert not any("tip" in row for row in shown)


def test_an_unchanged_line_is_cut_at_its_row_and_whole_if_everything_is_asked_for() -> None:
    before = "a word of many " * 9 + "and its end\nlast"
    assert _shown(before, before.replace("last", "first"))[0].endswith("…")
    assert " ".join("".join(_shown(before, before.replace("last", "first"), verbose=True)[:2]).split()).endswith(
        "its end"
    )
