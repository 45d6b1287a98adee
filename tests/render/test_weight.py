"""What a reviewer must know is never pushed out of a page or of the annotations by what has no weight."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.render import samples
from trueup.core.errors import DefinitionError
from trueup.core.plans.plan import Action, Change, Plan, Reason
from trueup.core.plans.report import Outcome, Report, Result
from trueup.core.source import Diagnostic, Path, Position, Severity
from trueup.render import pages
from trueup.render.markup import html, markdown
from trueup.render.records import github
from trueup.render.weight import FEW, HEAVY, choose, sort_by_weight, weigh

CODES = ("setting-changed", "not-used", "until-passed", "unused-var", "pruned", "guard", "partial-view")
ITEMS = st.lists(
    st.builds(
        Diagnostic,
        st.sampled_from(Severity),
        st.sampled_from(CODES),
        st.text("ab", max_size=2),
        st.none() | st.builds(Position, st.sampled_from(["a.yaml", "trueup.yaml"]), st.integers(1, 9), st.just(1)),
        st.sampled_from([(), ("targets", "prod", "guard"), ("targets", "test", "guard"), ("released",)]),
    ),
    max_size=40,
    unique_by=lambda item: (item.position, item.code, item.message),
)


def _warning(code: str, line: int, file: str = "assistants/a.yaml", path: Path = ()) -> Diagnostic:
    return Diagnostic(Severity.WARNING, code, f"{code} number {line}", Position(file, line, 1), path, f"Mend {code}.")


def _setting(line: int, key: str, target: str = "prod", code: str = "setting-changed") -> Diagnostic:
    return _warning(code, line, "trueup.yaml", ("targets", target, key))


NOISE = [_warning("until-passed", line) for line in range(1, 801)]
SETTINGS = [_setting(number, f"key{number}") for number in range(4)]
DELETES = [
    Change(f"d{number}", Action.DELETE, Reason.PRUNED, f"asst_{number}", file=f"assistants/d{number}.yaml")
    for number in range(10)
]
NOISY = replace(
    samples.PLAN,
    changes=tuple(DELETES),
    diagnostics=(*NOISE, _setting(9, "headers", code="not-used"), *SETTINGS, _warning("unused-var", 3)),
)


def _annotated(text: str, kind: str = "warning") -> Counter[str]:
    """How often each code is annotated."""
    return Counter(re.findall(rf"^::{kind} [^:]*title=[^:,]*%3A ([a-z-]+)::", text, re.MULTILINE))


def test_annotations_tell_what_was_lifted_and_what_is_destroyed_first() -> None:
    told = github.plan(NOISY)
    assert _annotated(told) == {"setting-changed": 4, "not-used": 1, "pruned": 4}
    assert "807 more warnings (6 pruned, 800 until-passed, 1 unused-var): see the whole output" in told
    first = [line for line in told.splitlines() if line.startswith("::warning")]
    assert len(first) == github.LIMIT
    assert "setting-changed" in first[0]


def test_a_setting_of_another_target_takes_no_place_of_this_ones() -> None:
    others = [_setting(number, f"key{number}", target="dev") for number in range(1, 60)]
    plan = replace(NOISY, diagnostics=(*others, _setting(90, "guard")))
    first = github.plan(plan).splitlines()[0]
    assert "setting-changed number 90" in first
    assert "number 90" in markdown.write_page(pages.plan_page(plan)).split("problems in the files")[1].splitlines()[2]


def test_headers_that_are_not_used_push_out_no_setting_and_no_delete() -> None:
    many = [_setting(number, f"header{number}", code="not-used") for number in range(1, 500)]
    told = _annotated(github.plan(replace(NOISY, diagnostics=(*many, *SETTINGS))))
    assert told == {"setting-changed": 3, "not-used": 3, "pruned": 3}


def test_a_comment_lists_what_has_weight_and_the_first_few_of_what_repeats() -> None:
    told = markdown.write_page(pages.plan_page(NOISY))
    listed = Counter(re.findall(r"^- `[^`]*`: warning `([a-z-]+)`", told, re.MULTILINE))
    assert listed == {"setting-changed": 4, "not-used": 1, "until-passed": FEW, "unused-var": 1}
    assert told.index("`setting-changed`") < told.index("`not-used`") < told.index("`until-passed`")
    assert "- and 795 more (`until-passed`); all of them: `trueup plan -v`" in told
    assert told.count("Mend") == len(listed), "a way on is told once"


def test_a_page_folds_what_repeats_and_leaves_nothing_out() -> None:
    told = html.write_page(pages.plan_page(NOISY))
    assert "<details><summary>and 795 more <code>until-passed</code></summary>" in told
    assert all(f"number <code>{line}</code>" in told or f"number {line}" in told for line in range(1, 801))
    assert told.index("setting-changed") < told.index("not-used") < told.index("until-passed")


def test_problems_that_fill_a_comment_leave_room_for_the_rest_of_it() -> None:
    long = [
        Diagnostic(
            Severity.ERROR, f"code-{number}", "語" * 900, Position("語" * 200, 1, 1), (), f"{number}" + "語" * 900
        )
        for number in range(400)
    ]
    told = markdown.write_page(pages.error_page(DefinitionError("400 problems to correct.", "", long)))
    assert len(told.encode()) < markdown.LIMIT
    left = re.search(r"^- and (\d+) more \(.* and (\d+) more codes\)", told, re.MULTILINE)
    assert left is not None
    assert int(left[1]) + told.count(": error `code-") == 400


def test_a_re_create_and_what_a_hand_did_come_before_other_notices() -> None:
    plain = [Change(f"c{number}", Action.CREATE, Reason.NEW) for number in range(20)]
    again = Change("x", Action.CREATE, Reason.RECREATED, recreate=True)
    over = Change("y", Action.MODIFY, Reason.REVERTED, backup=True)
    told = github.plan(replace(samples.PLAN, changes=(*plain, again, over)))
    assert [*_annotated(told, "notice")] == ["recreated", "reverted", "new"]


def test_what_was_deleted_or_made_again_is_among_the_notices_of_an_apply() -> None:
    changes = (Change("y", Action.CREATE, Reason.RECREATED, recreate=True), Change("z", Action.DELETE, Reason.PRUNED))
    made = [Outcome(f"c{number}", Action.CREATE, Result.DONE) for number in range(20)]
    gone = [Outcome("y", Action.CREATE, Result.DONE), Outcome("z", Action.DELETE, Result.DONE)]
    plan = replace(samples.PLAN, changes=changes)
    notices = [
        line.rpartition("::")[2]
        for line in github.report(Report(plan, (*made, *gone), ())).splitlines()
        if line.startswith("::notice")
    ]
    assert notices[:2] == ["y was created", "z was deleted"]


@pytest.mark.parametrize("severity", Severity)
def test_what_was_held_back_comes_before_what_the_files_only_warn_of(severity: Severity) -> None:
    """What needs a person was behind every warning of a file."""
    held = Change("h", Action.HELD, Reason.CONFLICT, wanted=True)
    noise = [replace(item, severity=severity) for item in NOISE]
    assert _annotated(github.plan(replace(samples.PLAN, changes=(held,), diagnostics=tuple(noise))))["conflict"] == 1


@given(ITEMS)
def test_one_order_for_every_input(items: list[Diagnostic]) -> None:
    found = sort_by_weight(items, "prod")
    assert found == sort_by_weight(reversed(items), "prod")
    assert set(found) == set(items)
    assert [weigh(item, "prod") for item in found] == sorted(weigh(item, "prod") for item in found)


@given(ITEMS, st.integers(0, 12), st.integers(1, 5))
def test_a_choice_loses_nothing_and_prefers_weight(items: list[Diagnostic], room: int, few: int) -> None:
    found = sort_by_weight(items)
    listed, rest = choose(found, room, few)
    left = [item for of_code in rest.values() for item in of_code]
    assert Counter(listed) + Counter(left) == Counter(found)
    assert list(listed) == [item for item in found if item in set(listed)]
    assert len(listed) <= room
    errors = [item for item in found if item.severity is Severity.ERROR]
    heavy = [item for item in found if item.code in HEAVY and item not in errors]
    assert sum(item in errors for item in listed) == min(len(errors), room)
    assert sum(item in heavy for item in listed) == min(len(heavy), max(room - len(errors), 0))
    codes = {item.code for item in heavy}
    if len(codes) <= room - len(errors):
        assert codes == {item.code for item in listed if item in heavy}


def _plan_of(found: list[Diagnostic]) -> Plan:
    return replace(samples.PLAN, diagnostics=tuple(found))


@given(ITEMS)
def test_every_code_with_weight_is_in_the_comment(items: list[Diagnostic]) -> None:
    page = markdown.write_page(
        pages.plan_page(_plan_of([item for item in items if item.severity is not Severity.ERROR]))
    )
    for item in items:
        assert item.severity is Severity.ERROR or item.code not in HEAVY or f"`{item.code}`" in page
