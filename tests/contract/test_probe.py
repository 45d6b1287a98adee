"""A probe by the command, over HTTP, in every dialect and behind every gateway; and its file, whole and damaged."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.house import KEY, OPENAI, WAYS, House, Way, house
from trueup.core.rules.validate import Checker
from trueup.core.source import SourceMap
from trueup.edge import schemas
from trueup.engine.probe import probe_name
from trueup.local.openai_assistants.bodies import Habits
from trueup.wire.registry import row_of

CASES = [way for way in WAYS if row_of(way.protocol).has_probe]
FILE = ".trueup/prod.caps.json"


@pytest.fixture
def made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[House]:
    with house(tmp_path, capsys, OPENAI, habits=Habits(metadata="merge")) as found:
        yield found


def problems(schema: str, value: Any) -> list[str]:
    return [str(item) for item in Checker(schemas.load(schema)).problems(value, SourceMap)]


@pytest.mark.exhaustive
@pytest.mark.parametrize("way", CASES, ids=str)
def test_the_answers_are_kept_and_every_plan_goes_by_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], way: Way
) -> None:
    habits = Habits(metadata="merge", kept_on_null=frozenset({"description", "temperature"}))
    with house(tmp_path, capsys, way, habits=habits) as made:
        made.applies()
        mine = made.live()
        ran = made.run("targets", "probe", "prod", "--yes")
        assert ran.code == 0, ran.out + ran.err
        assert ran.out.splitlines()[-1].endswith(" 0 not known, 0 changed.")
        assert "This server cannot remove a metadata key." in ran.out
        assert made.live() == mine
        text = (tmp_path / FILE).read_text("utf-8")
        assert problems("caps", json.loads(text)) == []
        assert KEY not in text + ran.out + ran.err
        made.rests()

        made.put("second")
        plan = made.run("plan")
        assert "not changed: this server cannot clear it" in plan.out
        assert plan.out.splitlines()[-1].endswith("; of these 1 not possible here.")
        applied = made.run("apply", "--yes")
        assert (applied.code, "did not keep" in applied.out) == (0, False), applied.out
        assert made.live()["Math Tutor"]["description"] in (None, "")
        made.rests()

        again = made.run("targets", "probe", "prod", "--yes", "--json")
        assert again.json["changed"] == []
        assert problems("report", again.json) == []
        assert (tmp_path / FILE).read_text("utf-8") == text


def test_it_wants_a_yes(made: House) -> None:
    ran = made.run("targets", "probe", "prod")
    assert ran.code == 1
    assert "--yes" in ran.err
    assert made.writes() == []
    assert not (made.root / FILE).exists()


def test_what_changed_since_the_last_probe_is_shown(made: House) -> None:
    made.run("targets", "probe", "prod", "--yes")
    path = made.root / FILE
    path.write_text(path.read_text("utf-8").replace('"metadata": "merges"', '"metadata": "replaces"'), "utf-8")
    ran = made.run("targets", "probe", "prod", "--yes")
    assert "~ metadata  replaces → merges" in ran.out
    assert ran.out.splitlines()[-1].endswith(", 1 changed.")


def test_what_a_killed_probe_left_is_removed_by_the_next_one_which_says_so(made: House) -> None:
    mark = json.dumps({"project": "shop", "target": "prod", "probe": "0123456789ab"})
    body = {"model": "gpt-4o", "name": probe_name("0123456789ab"), "metadata": {"trueup_probe": mark}}
    left = made.ask("POST", "/assistants", body)["id"]
    other = {**body, "metadata": {"trueup_probe": mark.replace("prod", "staging")}}
    made.ask("POST", "/assistants", other)
    ran = made.run("targets", "probe", "prod", "--yes")
    assert ran.code == 0
    assert f"Removed {left}, which an earlier probe left." in ran.err
    (entry,) = made.live().values()
    assert entry["metadata"]["trueup_probe"] == mark.replace("prod", "staging")
    assert not list((made.root / ".trueup").glob("*.probe.journal"))


DAMAGES: dict[str, Callable[[str], str]] = {
    "empty": lambda _: "",
    "no json": lambda text: text[:-20],
    "markers": lambda text: f"<<<<<<< ours\n{text}=======\n{text}>>>>>>> theirs\n",
    "an answer nobody gives": lambda text: text.replace('"merges"', '"perhaps"'),
    "a newer version": lambda text: text.replace('"format_version": 1', '"format_version": 2'),
    "another account": lambda text: text.replace('"shop"', '"stall"'),
    "another dialect": lambda text: text.replace('"dialect": "openai"', '"dialect": "azure-openai"'),
    "deep": lambda text: text.replace('"words": {}', '"words": ' + "[" * 9999 + "]" * 9999),
    "a list": lambda _: "[]",
    "a key twice": lambda text: text.replace('"dialect"', '"model": "x",\n  "dialect"'),
    "a number that is none": lambda text: text.replace('"tried": {}', '"tried": {"instructions": NaN}'),
}


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", DAMAGES)
def test_a_file_that_cannot_be_used_is_refused_and_a_probe_writes_it_anew(made: House, name: str) -> None:
    made.run("targets", "probe", "prod", "--yes")
    path = made.root / FILE
    text = path.read_text("utf-8")
    broken = DAMAGES[name](text)
    assert broken != text
    path.write_text(broken, "utf-8")
    for command in (["plan"], ["apply", "--yes"], ["drift"]):
        ran = made.run(*command)
        assert ran.code == 4, ran.out + ran.err
        words = " ".join(ran.err.split())
        assert "prod.caps.json" in words
        assert "trueup targets probe prod" in words
    assert made.live() == {}
    assert made.run("targets", "probe", "prod", "--yes", "--model", "gpt-4o").code == 0
    assert path.read_text("utf-8") == text


def test_a_file_that_leads_elsewhere_is_refused(made: House, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.json").write_text("{}", "utf-8")
    (tmp_path / ".trueup").mkdir()
    (tmp_path / FILE).symlink_to(tmp_path / "elsewhere.json")
    ran = made.run("plan")
    assert ran.code == 4
    assert "symbolic link" in ran.err


def test_without_a_model_to_be_had_it_says_which_flag_names_one(made: House) -> None:
    for path in (made.root / "assistants").glob("*.yaml"):
        path.unlink()
    ran = made.run("targets", "probe", "prod", "--yes")
    assert ran.code == 1
    assert "--model" in ran.err
    assert made.run("targets", "probe", "prod", "--yes", "--model", "gpt-4o").code == 0


def test_the_list_of_targets_is_still_one(made: House) -> None:
    assert made.run("targets").out.startswith("prod  (default)")
    assert "foundry-classic" in made.run("targets", "--dialects").out
    assert made.run("targets", "prob").code == 1
    ran = made.run("targets", "probe", "nowhere", "--yes")
    assert ran.code == 1
    assert "nowhere" in ran.err


def test_what_only_looks_like_a_probe_s_is_named_and_left_alone_and_so_is_what_is_recorded(made: House) -> None:
    mark = json.dumps({"project": "shop", "target": "prod", "probe": "0123456789ab"})
    marked = made.ask("POST", "/assistants", {"model": "x", "name": "Mine", "metadata": {"trueup_probe": mark}})["id"]
    named = made.ask("POST", "/assistants", {"model": "x", "name": probe_name("ba9876543210")})["id"]
    both = {"model": "x", "name": probe_name("0123456789ab"), "metadata": {"trueup_probe": mark}}
    recorded = made.ask("POST", "/assistants", both)["id"]
    made.write("assistants/taken.yaml", "model: x\n")
    assert made.run("import", f"taken={recorded}").code == 0
    ran = made.run("targets", "probe", "prod", "--yes", "--model", "gpt-4o")
    assert ran.code == 0, ran.err
    words = " ".join(ran.err.split())
    for live_id in (marked, named):
        assert f"{live_id} looks like a probe's assistant, but does not have both" in words
    assert f"{recorded} was made by a probe, but is recorded as taken: it is left alone." in words
    assert {"Mine", probe_name("ba9876543210"), probe_name("0123456789ab")} <= set(made.live())


def test_the_notes_of_a_folder_are_kept_whole_and_a_damaged_file_of_them_is_refused(made: House) -> None:
    mine = made.ask("POST", "/assistants", {"model": "x", "name": probe_name("0123456789ab")})["id"]
    path = made.root / ".trueup/prod.probe.journal"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"probes": {"0123456789ab": ""}, "spared": [mine]}), "utf-8")
    assert made.run("targets", "probe", "prod", "--yes").code == 0
    assert probe_name("0123456789ab") in made.live()
    assert json.loads(path.read_text("utf-8")) == {"probes": {}, "spared": [mine]}
    path.write_text(json.dumps({"probes": {"0123456789ab": ""}}), "utf-8")
    assert f"Removed {mine}, which an earlier probe left." in made.run("targets", "probe", "prod", "--yes").err
    for broken in (
        "[]",
        '{"probes": []}',
        '{"spared": "x"}',
        '{"probes": {"a": "../b"}}',
        '{"more": 1}',
        "\ufeff{",
        "",
    ):
        path.write_text(broken, "utf-8")
        ran = made.run("targets", "probe", "prod", "--yes")
        assert (ran.code, "is damaged" in ran.err) == ((4, True) if broken else (0, False)), broken


def test_an_import_of_all_leaves_out_what_a_probe_made_and_says_so(made: House) -> None:
    mark = json.dumps({"project": "shop", "target": "staging", "probe": "0123456789ab"})
    marked = made.ask("POST", "/assistants", {"model": "x", "name": "n", "metadata": {"trueup_probe": mark}})["id"]
    named = made.ask("POST", "/assistants", {"model": "x", "name": probe_name("ba9876543210")})["id"]
    made.ask("POST", "/assistants", {"model": "x", "name": "Greeter"})
    ran = made.run("import")
    assert ran.code == 0, ran.err
    for live_id in (marked, named):
        assert f"{live_id} was made by a probe and is not imported" in " ".join(ran.err.split())
    assert sorted(path.stem for path in (made.root / "assistants").glob("*.yaml")) == ["greeter", "math", "plain"]
    assert made.run("import", marked).code == 0
    assert len(list((made.root / "assistants").glob("*.yaml"))) == 4
