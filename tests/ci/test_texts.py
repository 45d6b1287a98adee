"""What a job adds to a page: it always fits, and nothing foreign changes what it means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trueup_ci import texts
from trueup_ci.problem import Problem

from trueup.render.markup.escape import write_marker

PAGE = "<!-- trueup:acme/prod plan -->\n### Trueup: plan for `acme/prod`\n\n**Plan: 0 to create.**\n"


@given(st.text(min_size=1), st.text(min_size=1))
def test_a_marker_is_the_one_that_pages_begin_with(project: str, target: str) -> None:
    assert texts.write_marker(project, target, "plan") == write_marker(f"trueup:{project}/{target}", "plan")


@given(st.integers(-600, 600), st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=300))
def test_a_note_is_never_left_out_and_the_page_is_cut_for_it(room: int, note: str) -> None:
    page = PAGE + "x\n" * ((65_536 - room - len(PAGE)) // 2)
    marked = texts.replace_marker(page, "<!-- trueup:a/b plan -->")
    made = texts.add_notes(marked, ["**first**", note], "0" * 40, "https://platform.example/job")
    assert len(made.encode()) <= texts.LARGEST
    assert made.startswith("<!-- trueup:a/b plan -->\n### Trueup: plan for `acme/prod`\n")
    assert f"\n> **first**\n\n> {note}\n" in made
    assert "Commit 000000000000. [The job](https://platform.example/job) keeps the whole report." in made
    is_whole = made.count("x\n") == page.count("x\n")
    assert is_whole is (texts.CUT not in made)


def test_a_page_is_cut_where_nothing_is_left_open() -> None:
    block = "<details><summary>one</summary>\n\n```diff\n- a\n+ b\n```\n\n</details>\n"
    made = texts.add_notes(PAGE + block * 2_000, ["note"], "0" * 40, "u")
    assert texts.CUT in made
    assert made.count("<details>") == made.count("</details>") > 100
    assert made.count("```") % 2 == 0


def test_notes_that_do_not_fit_fail_the_job() -> None:
    with pytest.raises(Problem, match="do not fit"):
        texts.add_notes(PAGE, ["x" * 70_000])


@given(st.text())
def test_a_name_cannot_leave_its_code_span(name: str) -> None:
    shown = texts.code_span(name)
    assert shown.count("`") == 2
    assert "\n" not in shown


def test_a_guard_is_read_from_the_document_and_from_no_text() -> None:
    assert texts.is_guarded({"guard": ["6 of 8 assistants would be modified"]})
    assert not texts.is_guarded({"guard": [], "problems": ["A guard requires an acknowledgement of this plan"]})
    assert not texts.is_guarded({})


def test_a_manual_change_is_no_unapplied_change() -> None:
    def change(name: str, action: str, reason: str, *causes: str) -> dict[str, object]:
        return {"name": name, "action": action, "reason": reason, "fields": [{"cause": cause} for cause in causes]}

    changes = [
        change("edited", "modify", "edited", "edited"),
        change("new", "create", "new"),
        change("both", "held", "conflict", "conflict"),
        change("namesake", "held", "namesake"),
        change("drifted", "drift", "drifted", "drifted"),
        change("reverted", "modify", "reverted", "drifted"),
        change("gone", "held", "deleted-outside"),
        change("again", "create", "recreated"),
        change("elsewhere", "held", "behind", "edited"),
        change("orphan", "orphan", "orphaned"),
    ]
    plan = {"plan": {"changes": changes}}
    assert texts.find_unapplied(plan) == ["edited", "new", "both", "namesake"]
    assert texts.find_behind(plan) == ["elsewhere"]
    assert texts.find_unapplied({}) == texts.find_behind({"plan": {}}) == []
    assert texts.list_names([f"n{number}" for number in range(7)]) == "`n0`, `n1`, `n2`, `n3`, `n4` and 2 more"
