"""What reads the same is shown once, with the names as a list; what differs in anything that is shown is not."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from tests.render import text
from tests.render.changes import field_change
from tests.render.hostile import PLANS
from tests.render.test_hostile import LAW
from trueup.core.command import Command, Message
from trueup.core.memory.state import Identity
from trueup.core.plans.plan import MISSING, Action, Cause, Change, Options, Plan, Reason
from trueup.core.plans.report import Outcome, Report, Result
from trueup.core.source import Diagnostic, Position, Severity, Stretch
from trueup.core.texts import compare as texts
from trueup.render import grouping, pages
from trueup.render.findings import of_plan
from trueup.render.grouping import COMPACT_ABOVE, SMALLEST, fold_advice, group_changes
from trueup.render.markup import html, markdown
from trueup.render.pages import Detail
from trueup.render.records import json
from trueup.render.terminal.text import NAMED
from trueup.render.visible import count_columns

BEFORE = "You are {}.\n\nNever guess.\nBe kind.\n\nEnd well."
AFTER = BEFORE.replace("guess", "ever guess")
SAFETY, TERMS = "assistants/_safety.md", "assistants/_law.md"
FLEET = [f"team/agent-{number:03}" for number in range(300)]
SHOW = Command(("plan", "--prune"))


def _change(name: str, before: str = BEFORE, after: str = AFTER, *, known: bool = True) -> Change:
    file = f"assistants/{name}.md"
    places = (Stretch(1, file, 4), Stretch(3, SAFETY, 1), Stretch(6, file, 9)) if known else ()
    item = field_change("instructions", before.format(name), after.format(name), Cause.EDITED)
    return Change(
        name,
        Action.MODIFY,
        Reason.EDITED,
        f"asst_{name}",
        fields=(item,),
        parts=(TERMS, SAFETY),
        stretches=places,
        file=file,
    )


def _plan(*changes: Change) -> Plan:
    return Plan(Identity("acme", "prod", "openai-assistants", "https://api.example"), Options(), changes)


def _text(plan: Plan, **detail: Any) -> str:
    width = detail.pop("width", 80)
    verbose = detail.pop("verbose", False)
    return text.plan(plan, detail=Detail(**{"again": [SHOW], **detail}), color=False, width=width, verbose=verbose)


def _notes(*changes: Change) -> list[list[str]]:
    return [list(group.notes.values()) for group in group_changes(changes)]


def _scalar(name: str, path: str = "model", before: Any = "a", after: Any = "b", **more: Any) -> Change:
    field = field_change(path, before, after, Cause.EDITED)
    return Change(name, Action.MODIFY, Reason.EDITED, f"asst_{name}", fields=(field,), **more)


def test_one_line_of_a_shared_file_under_a_fleet_is_shown_once_with_the_names() -> None:
    written = _text(_plan(*map(_change, FLEET)))
    assert written.count("{+ever +}") == 1
    assert "~ 300 assistants  modify: the file changed\n" in written
    assert f"{SAFETY}:1\n" in written
    assert f"{FLEET[0]}, {FLEET[1]}," in written
    assert re.sub(r"\s+", " ", written).count(f"{FLEET[NAMED - 1]} and {300 - NAMED} more") == 1
    assert "  All names: trueup plan --prune --compact\n" in written
    assert len(written.splitlines()) < 40


def test_a_comment_shows_it_once_and_names_all_of_them() -> None:
    written = markdown.write_page(pages.plan_page(_plan(*map(_change, FLEET))))
    assert len(written.encode()) < 16_000
    assert written.count("<ins>ever </ins>") == 1
    assert written.count("<details>") == 1
    assert all(f"<code>{name}</code>" in written for name in FLEET)


def test_a_page_shows_it_once_and_names_all_of_them() -> None:
    written = html.write_page(pages.plan_page(_plan(*map(_change, FLEET))))
    assert written.count("<ins>ever </ins>") == 1
    assert "<summary>300 names</summary>" in written
    assert all(f"<code>{name}</code>" in written for name in FLEET)


def test_in_a_comment_too_many_names_are_counted_and_the_command_that_shows_them_is_named() -> None:
    fleet = [f"team/agent-{number:05}" for number in range(10_000)]
    written = markdown.write_page(pages.plan_page(_plan(*map(_change, fleet)), detail=Detail(again=[SHOW])))
    assert len(written.encode()) < 65_000
    left = re.search(r"⋯ ([\d,]+) more rows left out to save space; all of it: <code>trueup plan --prune -v<", written)
    assert left is not None
    assert int(left[1].replace(",", "")) + len(set(re.findall(r"team/agent-\d{5}", written))) == 10_000


def test_with_verbose_each_one_is_shown_whole() -> None:
    written = _text(_plan(*map(_change, FLEET[:9])), verbose=True)
    assert written.count("{+ever +}") == 9
    assert all(f"~ {name}  modify" in written for name in FLEET[:9])
    assert "The same change" not in written


def test_whose_text_a_difference_is_shown_in_is_named_where_the_texts_are_not_the_same() -> None:
    names = FLEET[:4]
    assert f"in {names[0]}: " in _text(_plan(*map(_change, names)))
    same = [_change(name, BEFORE.format("one"), AFTER.format("one")) for name in names]
    assert f"in {names[0]}: " not in _text(_plan(*same))


def test_two_are_shown_one_by_one_where_each_stands() -> None:
    names = FLEET[: SMALLEST - 1]
    assert [len(group.items) for group in group_changes([*map(_change, names)])] == [1] * len(names)


def test_a_place_is_shown_for_a_group_only_if_all_of_it_stand_there() -> None:
    base = {"model": Position("assistants/_base.yaml", 3, 1)}
    own = [_scalar(name, sources={"model": Position(f"{name}.yaml", 3, 1)}) for name in FLEET[:3]]
    assert "assistants/_base.yaml:3\n" in _text(_plan(*(_scalar(name, sources=base) for name in FLEET[:3])))
    assert ".yaml:3" not in _text(_plan(*own))


MORE = field_change("top_p", 1, 2, Cause.EDITED)

ALIKE = _change("x")
OTHERWISE: dict[str, Callable[[Change], Change]] = {
    "action": lambda change: replace(change, action=Action.HELD),
    "reason": lambda change: replace(change, reason=Reason.REVERTED),
    "message": lambda change: replace(change, message="the file changed, and how"),
    "hint": lambda change: replace(change, hint="Look at it."),
    "remark": lambda change: replace(change, remarks=("Seen since yesterday.",)),
    "backup": lambda change: replace(change, backup=True),
    "a new id": lambda change: replace(change, recreate=True),
    "adopted": lambda change: replace(change, adopted=True),
    "renamed": lambda change: replace(change, moved_from="old"),
    "another live one": lambda change: replace(change, others=("asst_other",)),
    "one field more": lambda change: replace(
        change, fields=(*change.fields, field_change("top_p", 1, 2, Cause.EDITED))
    ),
    "cause": lambda change: replace(change, fields=(replace(change.fields[0], cause=Cause.CONFLICT),)),
    "text": lambda change: replace(change, fields=(replace(change.fields[0], after=AFTER.replace("ever", "Ever")),)),
    "end of the text": lambda change: replace(
        change, fields=(replace(change.fields[0], after=change.fields[0].after + "\n"),)
    ),
}


@pytest.mark.parametrize("case", OTHERWISE)
def test_what_differs_in_anything_that_is_shown_stays_apart(case: str) -> None:
    changes = [_change(name) for name in FLEET[:6]]
    changes[2] = OTHERWISE[case](changes[2])
    assert [len(group.items) for group in group_changes(changes)] == [5, 1]


@pytest.mark.parametrize(("before", "after"), [(1, True), (1, "1"), ("a", None), ("a", MISSING), ([], {}), (0, False)])
def test_values_that_are_shown_otherwise_stay_apart(before: Any, after: Any) -> None:
    one, other = (_scalar(name, after=value) for name, value in (("a", before), ("b", after)))
    groups = group_changes([one, replace(one, name="c"), other, replace(one, name="d"), replace(other, name="e")])
    assert [[change.name for change in group.items] for group in groups] == [["a", "c", "d"], ["b"], ["e"]]


def test_a_placeholder_that_only_one_of_them_loses_keeps_it_apart() -> None:
    changes = [_change(name, BEFORE + "\n\nCall {{{{who}}}}.", BEFORE + "\n\nCall.") for name in FLEET[:4]]
    kept = "{{who}} is calling.\n"
    item = changes[1].fields[0]
    changes[1] = replace(changes[1], fields=(replace(item, before=kept + item.before, after=kept + item.after),))
    groups = group_changes(changes)
    assert [len(group.items) for group in groups] == [3, 1]


def test_names_and_ids_in_sentences_are_left_out_and_the_hint_says_whose_it_shows() -> None:
    def held(name: str) -> Change:
        hint = f"If it is ours: trueup import {name}=asst_{name}."
        message = f"{name} was changed, and a-b was not"
        return replace(_scalar(name), action=Action.HELD, reason=Reason.CONFLICT, hint=hint, message=message)

    names = ["a", "b/c", "team one/d"]
    assert [len(group.items) for group in group_changes([*map(held, names)])] == [3]
    written = re.sub(r"\s+", " ", _text(_plan(*map(held, names))))
    assert "For a, and the same way for the others: If it is ours: trueup import a=asst_a." in written


def test_a_group_stands_where_its_first_one_stood_and_nobody_is_lost() -> None:
    changes = [_scalar(name, after="bc"[number % 5 == 0]) for number, name in enumerate(FLEET)]
    groups = group_changes(changes)
    assert [group.first.name for group in groups] == [FLEET[0], FLEET[1]]
    assert sorted(change.name for group in groups for change in group.items) == FLEET


def test_a_fleet_that_changed_alike_is_compared_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def compare(*given: Any) -> Any:
        asked.append(1)
        return texts.compare(*given)

    monkeypatch.setattr(grouping, "compare", compare)
    for number in (50, 300):
        asked.clear()
        _text(_plan(*map(_change, FLEET[:number])))
        assert len(asked) == 1


def _gone(name: str, **more: Any) -> Change:
    return Change(name, Action.DELETE, Reason.PRUNED, f"asst_{name}", display_name=f"The {name}", backup=True, **more)


@pytest.mark.parametrize("width", [40, 57, 80, 132])
@pytest.mark.parametrize("compact", [False, True])
def test_each_of_many_deletes_stands_there_with_name_and_id(width: int, compact: bool) -> None:
    gone = [_gone(name) for name in FLEET]
    written = _text(_plan(*map(_change, ["a", "b"]), *gone), width=width, compact=compact)
    for change in gone:
        assert re.search(rf"{change.name}(?!\d)", written)
        assert f"{change.id}\n" in written
        assert f'"{change.display_name}"' in re.sub(r"\s+", " ", written)
    assert written.count(".trueup/backup/ first") == 1
    assert all(count_columns(line) <= width for line in written.splitlines()[:-1])


def test_a_page_lists_each_of_many_deletes_with_its_id() -> None:
    page = pages.plan_page(_plan(*map(_gone, FLEET)))
    for written in (markdown.write_page(page), html.write_page(page)):
        assert all(
            f"<code>{name}</code> (<code>asst_{name}</code>, <code>The {name}</code>)" in written for name in FLEET
        )
    assert "**To be deleted: 300**" in markdown.write_page(page)


def test_in_a_compact_plan_deletes_and_what_is_blocked_come_first() -> None:
    held = replace(_scalar("h"), action=Action.HELD, reason=Reason.CONFLICT, wanted=True)
    twin = replace(_scalar("t"), action=Action.HELD, reason=Reason.TWINS, others=("asst_1", "asst_2"), wanted=True)
    drift = replace(_scalar("d"), action=Action.DRIFT, reason=Reason.DRIFTED)
    rows = [row for row in _text(_plan(_scalar("m"), drift, held, twin, _gone("g")), compact=True).splitlines() if row]
    assert [row[:3].split()[-1] for row in rows[1:6]] == ["g", "h", "t", "d", "m"]
    assert rows[1].split() == ["-", "g", "delete", '"The', 'g"', "asst_g"]
    assert rows[5] == '~ m  modify: model "a" → "b"'
    written = "\n".join(rows)
    assert "asst_1, asst_2" in written
    assert written.count("was changed both in the file and live") == 1


def test_above_a_number_of_different_changes_each_has_a_row_and_the_full_view_is_a_command_away() -> None:
    few, many = ([_scalar(name, after=name) for name in FLEET[: COMPACT_ABOVE + more]] for more in (0, 1))
    assert "  modify: the file changed" in _text(_plan(*few))
    written = _text(_plan(*many))
    assert "  modify: the file changed" not in written
    assert [line for line in written.splitlines() if line.startswith("~ ")] == [
        f'~ {name}  modify: model "a" → "{name}"' for name in FLEET[: COMPACT_ABOVE + 1]
    ]
    assert "trueup plan --prune --no-compact\n" in written
    assert "  modify: the file changed" in _text(_plan(*many), compact=False)
    assert "  modify: the file changed" in _text(_plan(*many), verbose=True)
    assert _text(_plan(*few), compact=True).count("\n~ ") == COMPACT_ABOVE


def test_many_that_changed_alike_do_not_make_a_plan_compact() -> None:
    assert "~ 300 assistants" in _text(_plan(*map(_change, FLEET)))


def test_a_compact_page_has_no_fields() -> None:
    written = markdown.write_page(pages.plan_page(_plan(*map(_change, FLEET[:5])), detail=Detail(compact=True)))
    assert written.count("modify: the file changed (instructions at ") == 5
    assert "<details>" not in written
    assert "<table>" not in written


def test_a_sentence_on_each_of_several_says_each() -> None:
    gone = [replace(_scalar(name), action=Action.HELD, message="was deleted outside", fields=()) for name in "abc"]
    assert "! 3 assistants  blocked: each was deleted outside\n" in _text(_plan(*gone))
    assert "! a  blocked: was deleted outside" in _text(_plan(*gone[:1]))


def test_a_display_name_that_is_the_name_is_left_out_of_a_list() -> None:
    gone = [replace(_gone(name), display_name=name.rpartition("/")[2]) for name in FLEET[:3]]
    written = _text(_plan(*gone))
    assert '"' not in written
    assert f'"{gone[0].display_name}"' in _text(_plan(gone[0]))


SENTENCE = "interrupted before it was sent"


def _report(*outcomes: Outcome) -> Report:
    return Report(_plan(), outcomes)


def _skipped(name: str) -> Outcome:
    return Outcome(name, Action.CREATE, Result.SKIPPED, message=SENTENCE, hint="Run apply again.")


def test_244_times_interrupted_is_one_sentence_with_a_list_of_names() -> None:
    report = _report(*map(_skipped, FLEET[:244]))
    written = text.report(report, color=False, width=80)
    assert written.count(SENTENCE) == 1
    assert "! 244 assistants were not created\n" in written
    assert f"and {244 - NAMED} more" in written
    assert "  To show what is left to do, with all names: trueup plan --compact\n" in written
    assert len(written.splitlines()) < 25
    page = pages.report_page(report)
    comment = markdown.write_page(page)
    assert comment.count(SENTENCE) == 2, "above the fold and in it"
    assert "**Not sent: 244**" in comment
    assert comment.count(" and 219 more, below") == comment.count("219 more") == 1
    assert len(comment.encode()) < 16_000
    for paper in (comment, html.write_page(page)):
        assert all(f"<code>{name}</code>" in paper for name in FLEET[:244])
    assert json.report(report).count(SENTENCE) == 244


def test_equal_failures_are_one_with_the_place_of_the_first() -> None:
    def failed(name: str, file: str) -> Outcome:
        at = Position(file, 3, 1, "temperature: 9")
        return Outcome(name, Action.MODIFY, Result.FAILED, f"asst_{name}", "HTTP 400: above 2", "Mend it.", position=at)

    own = text.report(_report(*(failed(name, f"{name}.yaml") for name in FLEET[:4])), color=False, width=80)
    assert own.count("HTTP 400") == 1
    assert f"HTTP 400: above 2 (first at {FLEET[0]}.yaml:3:1)" in own
    shared = text.report(_report(*(failed(name, "_base.yaml") for name in FLEET[:4])), color=False, width=80)
    assert "    _base.yaml:3:1: HTTP 400: above 2\n" in shared


def test_what_was_deleted_or_is_not_alone_keeps_a_row_and_its_ids() -> None:
    done = [Outcome(name, Action.DELETE, Result.DONE, f"asst_{name}") for name in FLEET]
    twins = [Outcome(name, Action.CREATE, Result.DONE, f"asst_{name}", others=(f"x_{name}",)) for name in "abcd"]
    written = text.report(_report(*done, *twins), color=False, width=80)
    assert all(f"asst_{name}\n" in written for name in FLEET)
    assert all(f"Others: x_{name}\n" in written for name in "abcd")


def test_what_was_done_is_listed_row_by_row_until_there_is_too_much_of_it() -> None:
    done = [Outcome(name, Action.CREATE, Result.DONE, f"asst_{name}") for name in FLEET]
    few = text.report(_report(*done[:COMPACT_ABOVE]), color=False, width=80)
    assert all(f"+ {name} was created" in few for name in FLEET[:COMPACT_ABOVE])
    assert "+ 300 assistants were created\n" in text.report(_report(*done), color=False, width=80)
    assert "  All names, with their ids: trueup state list\n" in text.report(_report(*done), color=False, width=80)
    assert all(
        f"+ {name} was created" in text.report(_report(*done), color=False, width=80, verbose=True) for name in FLEET
    )


def test_a_warning_at_many_places_is_shown_once_with_the_places() -> None:
    found = [
        Diagnostic(
            Severity.WARNING, "sampling", "it refuses temperature", Position(f"{name}.yaml", 2, 1), (), "Mend it."
        )
        for name in FLEET
    ]
    plan = replace(_plan(), diagnostics=tuple(found))
    written = re.sub(r"\s+", " ", _text(plan))
    assert written.count("it refuses temperature") == written.count("Mend it.") == 1
    assert f"The same at {FLEET[1]}.yaml:2:1, " in written
    assert f" and {299 - NAMED} more" in written
    assert _text(plan, verbose=True).count("it refuses temperature") == 300


def test_a_hunk_of_a_shared_file_that_another_group_has_too_is_shown_once() -> None:
    own = _change("z", BEFORE, AFTER.replace("End", "Please end"))
    notes = _notes(*map(_change, "abc"), own)
    assert notes == [
        [f"This change from {SAFETY} also affects `z`:"],
        [f"=The same change from {SAFETY} as in `a` and 2 more."],
    ]
    written = _text(_plan(*map(_change, "abc"), own))
    assert written.count("{+ever +}") == 1


def test_the_same_words_in_files_of_their_own_are_no_shared_change() -> None:
    after = BEFORE.replace("End well", "End very well")
    assert _notes(*(_change(name, BEFORE, after) for name in "ab")) == [[], []]


def test_where_no_line_says_so_the_users_of_the_parts_do_and_none_of_two_is_picked() -> None:
    assert _notes(*(_change(name, known=False) for name in "ab")) == [
        ["This change also affects `b`:"],
        ["=The same change as in `a`."],
    ]


def test_one_who_changed_the_part_otherwise_is_shown_apart() -> None:
    other = BEFORE.replace("guess", "guess or lie")
    assert _notes(_change("a"), _change("b"), _change("c", BEFORE, other))[2] == []


def test_a_change_from_a_part_alone_is_annotated_at_each_of_its_lines_there() -> None:
    after = AFTER.replace("kind", "very kind")
    told = [_change(name, BEFORE, after) for name in "ab"]
    own = _change("c", BEFORE, after.replace("End well", "End very well"))
    notes = [(str(item.position), item.message) for item in of_plan(_plan(*told, own))]
    assert (f"{SAFETY}:1:1", "a, b: modify: this shared file changed (instructions)") in notes
    assert not any(message.startswith(("a:", "b:")) for _, message in notes)
    assert [place for place, message in notes if message.startswith("c:")] == ["assistants/c.md:1:1"]


def test_advice_that_is_the_same_for_all_of_a_group_is_not_said_to_be_for_the_first() -> None:
    held = [replace(_scalar(name), action=Action.HELD, hint="Declare one metadata key less.") for name in "abc"]
    assert "    → Declare one metadata key less.\n" in _text(_plan(*held))


def test_below_a_compact_plan_the_same_advice_stands_once_with_the_command_of_the_first() -> None:
    def made(name: str) -> Change:
        new = field_change("name", MISSING, name, Cause.NEW)
        hint = Message("Another project has one. To adopt it: ", Command(("import", f"asst_{name}")), ".")
        return Change(name, Action.CREATE, Reason.NEW, fields=(new,), message="does not exist yet", hint=hint)

    written = re.sub(r"\s+", " ", _text(_plan(*map(made, FLEET[:40]))))
    assert written.count("Another project has one") == 1
    assert f"For {FLEET[0]}, and the same way for the others: Another project" in written
    assert f"trueup import asst_{FLEET[0]}" in written


def test_creates_without_advice_get_none_for_the_others() -> None:
    new = field_change("name", MISSING, "tutor", Cause.NEW)
    changes = [Change(name, Action.CREATE, Reason.NEW, fields=(new,), message="does not exist yet") for name in "ab"]
    assert fold_advice(changes) == changes
    assert "for the others" not in _text(_plan(*changes))


@given(PLANS)
@LAW
def test_every_change_is_in_one_group_and_groups_stand_where_their_first_ones_stood(plan: Plan) -> None:
    changes = [replace(item, name=f"{item.name}{end}") for item in plan.changes for end in range(4)]
    groups = group_changes(changes)
    place = {id(change): number for number, change in enumerate(changes)}
    assert sorted(place[id(change)] for group in groups for change in group.items) == list(range(len(changes)))
    firsts = [place[id(group.first)] for group in groups]
    assert firsts == sorted(firsts)
    assert all(len(group.items) == 1 or len(group.items) >= SMALLEST for group in groups)
    assert [group.items for group in group_changes(changes, whole=True)] == [(change,) for change in changes]
