"""`validate` shows every problem at once: k mistakes give k diagnostics, whichever stage finds each."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.place import Place, find_problems, validate_text
from trueup.cli.flags import Flags
from trueup.cli.output import Screen
from trueup.cli.session import note_other_protocols
from trueup.core.source import dotted
from trueup.edge.definitions.loader import LoadResult

MISTAKES: dict[str, list[tuple[str, str]]] = {
    "instructions: 5": [("wrong-instructions", "instructions")],
    "model: 4.1": [("wrong-type", "model")],
    'temperature: "0.3"': [("wrong-type", "temperature")],
    "top_p: yes": [("wrong-type", "top_p")],
    "tools: code_interpreter": [("wrong-type", "tools")],
    "name: 123": [("wrong-type", "name")],
    "metadata: {trueup: mine, a: 1}": [("reserved-key", "metadata.trueup"), ("wrong-type", "metadata.a")],
    "lifecycle: {ignore_changes: [colour, {field: modle, oops: 1}]}": [
        ("unknown-field", "lifecycle.ignore_changes[0].field"),
        ("unknown-field", "lifecycle.ignore_changes[1].field"),
        ("unknown-key", "lifecycle.ignore_changes[1].oops"),
    ],
    "description: {var: nobody}": [("unknown-var", "description")],
}


def test_no_mistake_hides_another(place: Place) -> None:
    """`instructions: 5` once hid all the others."""
    expected = [problem for problems in MISTAKES.values() for problem in problems]
    assert sorted(find_problems(place, "\n".join(MISTAKES))) == sorted(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("model: {var: nobody}\n", [("unknown-var", "model")]),
        ("model: m\ntools: [{file: _nowhere.yaml}]\n", [("file-not-read", "tools[0]")]),
        ("model: m\ntools: [{file: /x.yaml}]\n", [("path-refused", "tools[0]")]),
        ("model: m\ntools: [{file: _tool.yaml}]\n", [("duplicate-key", "type")]),
        ("model: m\ntool_resources: {file: x.yaml}\n", [("file-not-read", "tool_resources")]),
        ("model: m\nmetadata: {var: all}\n", [("var-not-here", "metadata")]),
        ("extends: _nowhere.yaml\n", [("file-not-read", "extends")]),
        ("extends: _twice.yaml\n", [("duplicate-key", "model")]),
        ("extends: 5\n", [("wrong-extends", "extends")]),
        ("model: m\ntargets: {local: {extends: x.yaml}}\n", [("key-not-here", "targets.local.extends")]),
        ("extends: _nowhere.yaml\ncolour: blue\n", [("file-not-read", "extends"), ("unknown-key", "colour")]),
        (
            "model: m\ntools: [{var: nobody}]\ntool_resources: {code_interpreter: {file_ids: [f]}}\n",
            [("unknown-var", "tools[0]")],
        ),
    ],
)
def test_what_could_not_be_had_is_told_once(place: Place, text: str, expected: list[tuple[str, str]]) -> None:
    files = {"_tool": "type: file_search\ntype: file_search\n", "_twice": "model: m\nmodel: m\n"}
    assert find_problems(place, text, **files) == expected


VALUES: dict[str, tuple[str, list[tuple[str, str]]]] = {
    "a number that JSON lacks": ("temperature: .inf", [("not-a-number", "")]),
    "a tag": ("temperature: !!float 1", [("tag", "temperature")]),
    "an alias of nothing": ("tools: *nothing", [("unknown-alias", "")]),
    "an alias of itself": ("metadata: &a {b: *a}", [("recursive-alias", "")]),
    "a key that is no text": ("metadata: {1: x}", [("key-not-text", "metadata.1")]),
    "a key twice": ("metadata: {a: x, a: y}", [("duplicate-key", "metadata.a")]),
    "a key that is a list": ("metadata: {? [a] : x}", [("complex-key", "")]),
    "a merge of no mapping": ("metadata: {<<: x}", [("merge-needs-mapping", "")]),
    "a spoilt value named": ("temperature: &a .inf\ndescription: *a", [("not-a-number", "")]),
    "a spoilt value merged": ("metadata: {<<: [{a: .inf}]}", [("not-a-number", "")]),
    "a spoilt path": ("extends: .inf", [("not-a-number", "")]),
    "a spoilt variable": ("temperature: {var: .inf}", [("not-a-number", "")]),
    "a spoilt file": ("instructions: [{file: .inf}]", [("not-a-number", "")]),
    "a spoilt key": ("metadata: {.inf: x}", [("not-a-number", "")]),
    "a spoilt patch": ("targets: {local: {temperature: .inf}}", [("not-a-number", "")]),
    "what a dropped key held": ("metadata: {1: {name: .inf}}", [("key-not-text", "metadata.1"), ("not-a-number", "")]),
    "another document": ("description: d\n---\ndescription: 5", [("several-documents", "")]),
}


"""Mistakes in single values of a file that is YAML all the same."""


@pytest.mark.parametrize("ending", ["yaml", "md"])
@pytest.mark.parametrize("case", VALUES)
def test_a_mistake_in_a_value_hides_no_other_and_is_told_once(place: Place, case: str, ending: str) -> None:
    text, expected = VALUES[case]
    around = "model: m\ntop_p: 7\nname: 123\n"
    others = [("out-of-range", "top_p"), ("wrong-type", "name")]
    body = around + text + "\n"
    if ending == "md":
        if case == "another document":
            pytest.skip("in Markdown the line --- ends the front matter")
        body = f"---\n{body}---\nBe brief.\n"
    place.write(f"assistants/a.{ending}", body)
    found = place.run("validate", "--json").json["diagnostics"]
    shown = [
        (one["code"], dotted(tuple(one["path"])))
        for one in found
        if one["position"]["file"].startswith("assistants/a.")
    ]
    assert sorted(shown) == sorted([*others, *expected])
    lines = {one["code"]: one["position"]["line"] for one in found if one["code"] in ("out-of-range", "wrong-type")}
    assert lines == {"out-of-range": 2 + (ending == "md"), "wrong-type": 3 + (ending == "md")}


def test_a_base_and_a_part_with_a_mistake_are_checked_as_well(place: Place) -> None:
    assert find_problems(
        place,
        "extends: _base.yaml\ntools: [{file: _tool.yaml}]\ntop_p: 7\n",
        _base="model: m\ntemperature: .inf\nname: 5\n",
        _tool="type: function\nfunction: {name: .inf, parameters: {type: objct}}\n",
    ) == [
        ("not-a-number", ""),
        ("wrong-type", "name"),
        ("not-a-number", ""),
        ("bad-schema", "tools[0].function.parameters.type"),
        ("out-of-range", "top_p"),
    ]


def test_a_key_that_was_dropped_is_not_said_to_be_missing(place: Place) -> None:
    assert find_problems(place, "1: m\ntop_p: 7\n") == [("key-not-text", "1"), ("out-of-range", "top_p")]
    assert find_problems(place, "extends: _base.yaml\n", _base="1: m\ntop_p: 7\n") == [
        ("key-not-text", "1"),
        ("out-of-range", "top_p"),
    ]
    assert find_problems(place, "tools: [{type: function, function: {1: f}}]\nmodel: m\n") == [
        ("key-not-text", "tools[0].function.1")
    ]


def test_a_definition_with_a_mistake_in_a_value_is_used_for_nothing(place: Place) -> None:
    place.write("assistants/a.yaml", "model: m\ntemperature: .inf\n")
    assert place.run("plan").code == 1
    place.write("assistants/a.yaml", "model: m\nmetadata: {1: x}\ntargets: {local: false}\n")
    assert place.run("plan").code == 1


@pytest.mark.parametrize(("wrong", "right"), [("extend", "extends"), ("target", "targets"), ("Extends", "extends")])
def test_the_keys_around_a_body_are_known_when_one_is_misspelt(place: Place, wrong: str, right: str) -> None:
    text = "model: m\n" if right == "targets" else ""
    assert find_problems(place, f"{text}{wrong}: x\n") == [("unknown-key", wrong)]
    assert f"did you mean '{right}'?" in " ".join(place.run("validate").out.split())


def test_the_list_of_known_keys_is_whole(place: Place) -> None:
    find_problems(place, "model: m\nzzz: 1\n")
    assert {"extends,", "targets,", "lifecycle,", "model,"} <= set(place.run("validate").out.split())


FULL = "model: m\nmetadata:\n" + "".join(f"  k{number}: v\n" for number in range(16))


def test_a_stamp_without_room_is_an_error_where_the_stamp_is_the_state(place: Place) -> None:
    """With `state: stamps` an assistant without its stamp would be created at every run."""
    assert find_problems(place, FULL) == [("no-room-for-stamp", "metadata")]
    assert place.run("validate").code == 0, "elsewhere it is a warning"
    place.write("trueup.yaml", "targets: {local: {base_url: local, state: stamps}}\n")
    refused = place.run("validate")
    assert refused.code == 1
    assert "error[no-room-for-stamp]" in refused.out
    assert place.run("plan").code == 1


def test_a_new_name_that_no_definition_has_is_a_warning(place: Place) -> None:
    place.write("trueup.yaml", "targets: {local: {base_url: local}}\nmoved: {old: alhpa, older: alpha}\n")
    assert place.run("validate").code == 0
    shown = validate_text(place)
    assert shown.count("warning[moved-nowhere]") == 1
    assert "`moved` renames 'old' to 'alhpa', which is not a definition" in shown
    assert "Did you mean 'alpha'?" in shown


def test_a_day_that_has_passed_is_an_error_where_files_are_checked_and_stops_nothing(place: Place) -> None:
    entry = "model: m\nlifecycle: {{ignore_changes: [{{field: temperature, until: {}}}]}}\n"
    assert find_problems(place, entry.format("2001-01-31")) == [("until-passed", "lifecycle.ignore_changes[0].until")]
    checked = place.run("validate")
    assert checked.code == 1
    assert "error[until-passed]" in checked.out
    assert checked.out.endswith("1 assistant checked for target local: 1 error (exit 1).\n")
    planned = place.run("plan")
    assert planned.code == 0
    assert "warning[until-passed]" in planned.out
    assert place.run("apply", "--yes").code == 0
    assert find_problems(place, entry.format("9999-12-31")) == []
    assert place.run("validate").code == 0


"""Words that are read as something else than text, and written back in other words: 1234, 31, 1000.0."""


def test_a_name_that_only_this_locale_cannot_read_is_not_blamed(tmp_path: Path) -> None:
    """Under LC_ALL=C a file `é.yaml` was once said to hold an invisible character and to need another name."""
    (tmp_path / "assistants").mkdir()
    (tmp_path / "assistants" / "\u00e9.yaml").write_text("model: m\n", encoding="utf-8")
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PATH": os.environ["PATH"]}
    command = [sys.executable, "-m", "trueup", "-C", str(tmp_path), "validate"]
    done = subprocess.run(command, env=plain, capture_output=True, check=False)
    shown = " ".join(done.stdout.decode("ascii").split())
    assert done.returncode == 1
    assert "this locale cannot read" in shown
    assert "LC_ALL=C.UTF-8" in shown


def test_one_name_cannot_both_live_on_and_be_let_go_of(place: Place) -> None:
    place.write("trueup.yaml", "targets: {local: {base_url: local}}\nmoved: {old: alpha}\nreleased: [old]\n")
    assert place.run("validate").code == 1
    assert "'old' is in `released`, but `moved` renames it to 'alpha'" in validate_text(place)
    assert "trueup.yaml:3:12" in validate_text(place)


def test_two_definitions_with_one_display_name_are_named_with_both_places(place: Place) -> None:
    place.write("assistants/alpha.yaml", "model: m\nname: Caf\u00e9 Helper\n")
    place.write("assistants/gamma.yaml", "model: m\nname: ' Cafe\u0301 Helper '\n")
    place.write("assistants/x/beta.yaml", "model: m\n")
    ran = place.run("validate")
    assert ran.code == 0
    assert (
        "assistants/gamma.yaml:2:1: warning[display-name-repeated]: gamma has the same display name as alpha "
        "(assistants/alpha.yaml:2:1)"
    ) in ran.said
    assert (
        "assistants/x/beta.yaml:1:1: warning[display-name-repeated]: x/beta has the same display name as team/beta "
        "(assistants/team/beta.yaml:1:1)"
    ) in ran.said
    assert ran.summary == "4 assistants checked for target local: valid, 2 warnings."
    assert "display-name-repeated" not in place.run("plan").said


def test_a_display_name_is_only_repeated_within_one_target(place: Place) -> None:
    place.write(
        "trueup.yaml", "targets:\n  local: {base_url: local}\n  other: {base_url: local}\ndefault_target: local\n"
    )
    place.write("assistants/alpha.yaml", "model: m\nname: One\ntargets: {other: false}\n")
    place.write("assistants/gamma.yaml", "model: m\nname: Two\ntargets: {other: {name: One}}\n")
    assert place.run("validate").summary == "3 assistants checked for targets local, other: valid."
    place.write("assistants/gamma.yaml", "model: m\nname: Two\ntargets: {local: {name: One}}\n")
    ran = place.run("validate")
    assert "(assistants/alpha.yaml:2:1) (target local)" in ran.said
    assert ran.code == 0


def test_definitions_that_only_other_targets_take_are_counted_and_named_with_v(
    capsys: pytest.CaptureFixture[str],
) -> None:
    loaded = LoadResult((), frozenset(), (), {}, {"b": "openai-agents", "a": "openai-agents", "c": "other"})
    for verbose in (0, 1):
        note_other_protocols(Screen(Flags(verbose=verbose)), loaded, "prod")
    assert capsys.readouterr().err.splitlines() == [
        "2 definitions of the protocol openai-agents are not for prod (-v names them).",
        "1 definition of the protocol other is not for prod (-v names them).",
        "2 definitions of the protocol openai-agents are not for prod: a, b.",
        "1 definition of the protocol other is not for prod: c.",
    ]


def test_a_file_that_is_missing_is_not_taken_for_any_other(place: Place) -> None:
    place.write("assistants/c.YAML", "model: m\n")
    place.write("assistants/_base.yml", "model: m\n")
    place.write("assistants/one.yaml", "extends: nope.yaml\n")
    place.write("assistants/two.yaml", "extends: _base.yaml\n")
    out = place.run("validate").said
    assert "assistants/nope.yaml does not exist 1" in out
    assert "assistants/_base.yaml does not exist; did you mean '_base.yml'?" in out
