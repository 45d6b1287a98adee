"""What a job adds to a page: it always fits, and nothing foreign changes what it means."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from trueup_ci import texts

from trueup.render.markup import marker

PAGE = "<!-- trueup:acme/prod plan -->\n### Trueup: plan for `acme/prod`\n\n**Plan: 0 to create.**\n"


@given(st.text(min_size=1), st.text(min_size=1))
def test_a_marker_is_the_one_that_pages_begin_with(project: str, target: str) -> None:
    assert texts.marker(project, target, "plan") == marker(f"trueup:{project}/{target}", "plan")


@given(st.integers(0, 600), st.text(max_size=300))
def test_whatever_is_added_a_forge_takes_it(room: int, note: str) -> None:
    page = PAGE + "x" * (65_536 - room - len(PAGE))
    made = texts.with_source(
        texts.with_notes(texts.marked(page, "<!-- trueup:a/b plan -->"), [note]), "0" * 40, "u" * 99
    )
    assert len(made) <= 65_536 or made == texts.marked(page, "<!-- trueup:a/b plan -->")
    assert made.startswith("<!-- trueup:a/b plan -->\n")


@given(st.text())
def test_a_name_cannot_leave_its_code_span(name: str) -> None:
    shown = texts.code(name)
    assert shown.count("`") == 2
    assert "\n" not in shown


def test_a_guard_is_told_by_a_line_that_no_foreign_text_can_begin() -> None:
    asked = f"{texts.GUARD}: 6 of 8 would be modified."
    assert texts.asks_for_acknowledgement(f"{PAGE}\n{asked}\n")
    assert not texts.asks_for_acknowledgement(f"{PAGE}\n<code>{asked}</code>\n")


def test_what_a_hand_did_is_not_what_was_not_applied() -> None:
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
    assert texts.unapplied(plan) == ["edited", "new", "both", "namesake"]
    assert texts.behind(plan) == ["elsewhere"]
    assert texts.unapplied({}) == texts.behind({"plan": {}}) == []
    assert texts.listed([f"n{number}" for number in range(7)]) == "`n0`, `n1`, `n2`, `n3`, `n4` and 2 more"
