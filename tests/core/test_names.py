"""Names and the selections made with them."""

from __future__ import annotations

import pytest

from trueup.core.definitions.definition import Definition
from trueup.core.definitions.names import (
    choose_target,
    definition_name_problem,
    fold_name,
    project_name_problem,
    select,
    target_name_problem,
)
from trueup.core.errors import TrueupError
from trueup.core.projects.project import Project, Target

SAFETY, BASE = "assistants/_shared/safety.md", "assistants/_base.yaml"
FLEET = [
    Definition("math", {}, "assistants/math.yaml", parts=(SAFETY,)),
    Definition(
        "support/triage",
        {},
        "assistants/support/triage.md",
        parts=(SAFETY, BASE),
    ),
    Definition("support/deep/x", {}, "assistants/support/deep/x.yaml"),
    Definition("support", {}, "assistants/support.yaml"),
]


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("math", {"math"}),
        ("support", {"support"}),
        ("support/", {"support/triage", "support/deep/x"}),
        ("support/*", {"support/triage", "support/deep/x"}),
        ("assistants/support", {"support/triage", "support/deep/x"}),
        ("assistants/support/triage.md", {"support/triage"}),
        ("./assistants/math.yaml", {"math"}),
        ("assistants", {"math", "support", "support/triage", "support/deep/x"}),
        ("*a*", {"math", "support/triage", "support/deep/x", "support"}),
        ("m?th", {"math"}),
        ("assistants/_shared/safety.md", {"math", "support/triage"}),
        ("_shared/safety.md", {"math", "support/triage"}),
        ("_base.yaml", {"support/triage"}),
        ("assistants/_shared", {"math", "support/triage"}),
        ("_shared/*.md", {"math", "support/triage"}),
        ("gone", {"gone"}),
    ],
)
def test_select(pattern: str, names: set[str]) -> None:
    assert select([pattern], FLEET, {"gone"}) == names


def test_no_pattern_selects_all_and_several_add_up() -> None:
    assert select([], FLEET, {"gone"}) == {"gone", "math", "support", "support/triage", "support/deep/x"}
    assert select(["math", "support/deep/"], FLEET) == {"math", "support/deep/x"}


def test_what_matches_nothing_is_named_with_the_nearest() -> None:
    with pytest.raises(TrueupError) as caught:
        select(["math", "mth", "assistants/suport/triage.md", ""], FLEET)
    assert caught.value.message == "No assistant matches 'mth', 'assistants/suport/triage.md', ''."
    assert "'mth': Did you mean 'math'?" in caught.value.hint
    assert "Did you mean 'assistants/support/triage.md'?" in caught.value.hint


@pytest.mark.parametrize("name", ["a", "Acme", "a.b-c_1", "eu/west", "two words"])
def test_project_names(name: str) -> None:
    assert project_name_problem(name) == ""


@pytest.mark.parametrize("name", ["", " a", "a ", 'a"b', "a\\b", "a\nb", "é", "-a", "x" * 101])
def test_project_names_that_need_escaping_are_refused(name: str) -> None:
    assert project_name_problem(name)


@pytest.mark.parametrize("name", ["", "a/b", "..", ".a", "a b", "é", "x" * 65, "a\n"])
def test_target_names_that_cannot_name_a_file_are_refused(name: str) -> None:
    assert target_name_problem(name)
    assert target_name_problem("prod-eu.1") == ""


@pytest.mark.parametrize("name", ['a"b', "a'b", "a\\b", "a\x1bb", "a\u202eb", "a*", "a[b]", " a", "a/b ", "a\ud800"])
def test_definition_names_that_confuse_are_refused(name: str) -> None:
    assert definition_name_problem(name)
    assert definition_name_problem("support/é-tutor (v2)") == ""


def test_folding_sees_through_case_and_composition() -> None:
    assert fold_name("Stra\u00dfe") == fold_name("STRASSE")
    assert fold_name("CAFE\u0301") == fold_name("caf\u00e9")


def test_choosing_a_target() -> None:
    two = {"a": Target("a", "p"), "b": Target("b", "p")}
    assert choose_target(Project(targets=two, default_target="a")).name == "a"
    assert choose_target(Project(targets=two, default_target="a"), "b").name == "b"
    with pytest.raises(TrueupError, match="none is the default") as caught:
        choose_target(Project(targets=two, default_target=""))
    assert "-t (a, b)" in caught.value.hint
    with pytest.raises(TrueupError, match="no target 'c'"):
        choose_target(Project(targets=two, default_target="a"), "c")
