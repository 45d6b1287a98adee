"""Care for state: the map of names, forgetting, making it again from the stamps, and linking what is live."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.place import Place


def _state(place: Place) -> Path:
    return next(place.root.glob(".trueup/local/local.state.json"))


def test_list_is_the_map_from_names_to_ids(place: Place) -> None:
    assert place.recorded_ids() == {}
    place.applied()
    live = place.live()
    assert place.recorded_ids() == {"alpha": live["alpha"]["id"], "team/beta": live["beta"]["id"]}
    text = place.run("state", "list").out
    assert text.splitlines()[0].split() == ["alpha", live["alpha"]["id"]]


def test_show_tells_what_is_known_and_no_value(place: Place) -> None:
    place.applied()
    out = place.run("state", "show", "alpha").out
    assert "instructions" in out
    assert "Say A" not in out
    assert place.run("state", "show", "nobody").code == 1


def test_rm_forgets_and_what_is_live_stays(place: Place) -> None:
    place.applied()
    assert place.run("state", "rm", "team").code == 0
    assert list(place.recorded_ids()) == ["alpha"]
    assert len(place.live()) == 2
    assert place.run("state", "rm", "team").code == 1


def test_rm_clears_what_is_pending(place: Place) -> None:
    place.applied()
    line = {"step": "intent", "name": "lost", "action": "create", "operation": "00", "id": "", "after": "",
            "since": 1.0, "record": None}  # fmt: skip
    place.write(".trueup/local/local.journal", json.dumps(line) + "\n")
    assert "lost" in place.run("state", "list").out
    ran = place.run("state", "rm", "lost")
    assert ran.code == 0
    assert ran.out.startswith(
        "lost: the create with the unknown outcome was forgotten on local.\nTo check its outcome: trueup plan\n"
    )
    assert "stays live as" not in ran.out
    assert "lost" not in place.run("state", "list").out


def test_rm_of_everything_is_the_way_on_from_another_targets_state(place: Place) -> None:
    place.applied()
    path = _state(place)
    path.write_text(path.read_text().replace("openai-assistants", "other-protocol"))
    assert place.run("plan").code == 4
    assert place.run("state", "rm", "alpha").code == 4
    assert place.run("state", "rm", "*").code == 0
    assert place.run("state", "rebuild").code == 0
    assert place.run("plan").out.endswith("2 unchanged.\n")


def test_a_renamed_project_is_renamed_back(hosted: Place) -> None:
    hosted.applied()
    hosted.replace("trueup.yaml", "project: shop", "project: store")
    refused = hosted.run("plan")
    assert refused.code == 4
    assert "Restore the old value of `project`" in refused.said
    assert "rebuild" not in refused.said
    assert hosted.run("state", "rm", "*").code == 0
    assert hosted.run("state", "rebuild").out == (
        "Nothing to rebuild on prod: no live assistant has the stamp of store/prod. "
        "2 have the stamps of other targets: shop/prod (2).\n"
    )
    hosted.replace("trueup.yaml", "project: store", "project: shop")
    assert hosted.run("state", "rebuild").code == 0
    assert "2 unchanged" in hosted.run("plan").summary


@pytest.mark.parametrize("damage", ["<<<<<<< ours\n", "{", "", "\x00\xff"])
def test_a_damaged_state_refuses_until_it_is_rebuilt(place: Place, damage: str) -> None:
    place.applied()
    before = place.recorded_ids()
    path = _state(place)
    path.write_bytes(damage.encode("latin-1"))
    for command in (["plan"], ["apply", "--yes"], ["drift"], ["state", "list"], ["state", "rm", "alpha"]):
        ran = place.run(*command)
        assert ran.code == 4, command
        assert "state rebuild" in " ".join(ran.err.split())
    ran = place.run("state", "rebuild")
    assert ran.code == 0
    assert "damaged-1" in ran.err
    assert path.with_name(f"{path.name}.damaged-1").read_bytes() == damage.encode("latin-1")
    assert place.recorded_ids() == before
    assert place.run("apply").code == 0
    assert place.run("plan").out.endswith("0 drifted, 2 unchanged.\n")


def _unstamped(place: Place) -> Path:
    """Both applied where nothing is stamped."""
    place.replace("trueup.yaml", "settle: 0", "settle: 0, stamp: false")
    place.applied()
    return place.root / ".trueup/prod.state.json"


def test_a_rebuild_names_what_no_stamp_restores(hosted: Place) -> None:
    path = _unstamped(hosted)
    ids = hosted.recorded_ids()
    text = path.read_text("utf-8")
    path.write_text(text.replace('      "protect"', '<<<<<<< a\n      "protect"', 1), "utf-8")
    ran = hosted.run("state", "rebuild")
    assert ran.code == 3
    assert f"Not rebuilt, because no stamp names them: alpha ({ids['alpha']}), team/beta" in ran.out
    link = f"trueup import alpha={ids['alpha']} team/beta={ids['team/beta']}"
    assert f"To link those that are live: {link}\n" in ran.out
    assert hosted.run(*link.split()[1:]).code == 0
    assert "2 unchanged" in hosted.run("plan").summary


def test_a_rebuild_names_what_a_damaged_journal_alone_held(hosted: Place) -> None:
    _unstamped(hosted)
    line = {"step": "intent", "name": "lost", "action": "create", "operation": "00", "id": "", "after": "",
            "since": 1.0, "record": None}  # fmt: skip
    hosted.write(".trueup/prod.journal", json.dumps(line, separators=(",", ":")) + "\nno line\n")
    ran = hosted.run("state", "rebuild", "--json")
    assert (ran.code, ran.json["not_restored"]) == (3, {"lost": ""})


def test_a_rebuild_that_cannot_read_what_is_live_leaves_the_damaged_file(hosted: Place) -> None:
    path = _unstamped(hosted)
    path.write_text("{", "utf-8")
    hosted.replace("trueup.yaml", "/v1", "/v2")
    assert hosted.run("state", "rebuild").code != 0
    assert path.read_text("utf-8") == "{"
    assert list(path.parent.glob("*.damaged-*")) == []


def test_a_damaged_journal_is_put_aside_and_the_records_stay(place: Place) -> None:
    place.applied()
    before = place.recorded_ids()
    place.write(".trueup/local/local.journal", "no journal\n")
    assert place.run("plan").code == 4
    assert place.run("state", "rebuild").code == 0
    assert (place.root / ".trueup/local/local.journal.damaged-1").read_text() == "no journal\n"
    assert "*.damaged-*" in (place.root / ".trueup/.gitignore").read_text().splitlines()
    assert place.recorded_ids() == before


def test_a_newer_state_is_never_put_aside(place: Place) -> None:
    place.applied()
    path = _state(place)
    path.write_text(path.read_text().replace('"format_version": 1', '"format_version": 2'))
    content = path.read_bytes()
    assert place.run("state", "rebuild").code == 4
    assert path.read_bytes() == content


def test_two_of_one_name_are_named_and_not_rebuilt(place: Place) -> None:
    place.applied()
    twin = {key: value for key, value in place.live()["alpha"].items() if key in ("name", "model", "metadata")}
    other = place.ask("POST", "/assistants", twin)["id"]
    first = place.recorded_ids()["alpha"]
    place.run("state", "rm", "*")
    ran = place.run("state", "rebuild")
    assert ran.code == 3
    assert first in ran.out
    assert other in ran.out
    assert list(place.recorded_ids()) == ["team/beta"]


def test_import_makes_live_count_as_applied(place: Place) -> None:
    made = place.ask("POST", "/assistants", {"model": "gpt-4.1", "name": "alpha", "temperature": 0.9})
    ran = place.run("import", f"alpha={made['id']}")
    assert ran.code == 0, ran.err
    changes = place.run("plan", "alpha", "--json").json["plan"]["changes"]
    assert [change["action"] for change in changes] == ["modify"]
    assert {field["cause"] for field in changes[0]["fields"] if field["cause"] != "recorded"} == {"edited"}
    assert place.run("drift", "alpha").code == 0
    assert place.run("apply", "--yes", "alpha").code == 0
    assert place.live()["alpha"]["temperature"] == 0.2


def test_import_is_the_way_out_of_a_namesake(place: Place) -> None:
    made = place.ask("POST", "/assistants", {"model": "gpt-4.1", "name": "alpha"})
    ran = place.run("apply", "--yes")
    assert ran.code == 3
    assert f"import alpha={made['id']}" in " ".join(ran.out.split())
    assert place.run("import", f"alpha={made['id']}").code == 0
    assert place.run("apply", "--yes").code == 0
    assert len(place.live()) == 2


@pytest.mark.parametrize("live_id", ["..", "../../x?y", "a/b", "a b"])
def test_an_id_that_would_lead_a_request_elsewhere_goes_nowhere(place: Place, live_id: str) -> None:
    place.applied()
    refused = place.run("import", f"alpha={live_id}")
    assert refused.code == 1
    assert "cannot be an assistant's id" in refused.err
    state = _state(place)
    state.write_text(state.read_text().replace(place.recorded_ids()["alpha"], live_id))
    damaged = place.run("plan")
    assert damaged.code == 4
    assert "trueup state rebuild" in damaged.err


def test_import_refuses_what_is_somebody_elses(place: Place) -> None:
    place.applied()
    ids = place.recorded_ids()
    place.write("assistants/gamma.yaml", "model: gpt-4.1\n")
    assert place.run("import", f"gamma={ids['alpha']}").code == 4, "another record holds it"
    assert place.run("import", f"alpha={ids['team/beta']}").code == 4
    place.run("state", "rm", "alpha")
    assert place.run("import", f"gamma={ids['alpha']}").code == 4, "a stamp of another name"
    stamp = place.live()["alpha"]["metadata"]["trueup"]
    place.poke("alpha", {"metadata": {"trueup": stamp.replace('"t":"local"', '"t":"prod"')}})
    assert place.run("import", f"alpha={ids['alpha']}").code == 4, "a stamp of another target"
    assert place.run("import", "gamma=asst_nowhere").code == 1
    assert place.run("import", "nobody=asst_nowhere").code == 1
    assert place.run("import", "gamma=a", "gamma=b").code == 1
    assert "gamma" not in place.recorded_ids()


def test_import_settles_what_is_pending(hosted: Place) -> None:
    hosted.replace("trueup.yaml", "settle: 0", "settle: 0, stamp: false")
    line = {"step": "intent", "name": "alpha", "action": "create", "operation": "00", "id": "", "after": "",
            "since": 1.0, "record": None}  # fmt: skip
    hosted.write(".trueup/prod.journal", json.dumps(line) + "\n")
    ran = hosted.run("apply", "--yes", "alpha")
    assert ran.code == 3
    assert hosted.server is not None
    made = hosted.ask("POST", "/assistants", {"model": "gpt-4.1", "name": "alpha"})
    assert hosted.run("import", f"alpha={made['id']}").code == 0
    assert hosted.run("apply", "--yes", "alpha").code == 0
    assert len(hosted.live()) == 1


def test_where_the_stamps_are_the_state_import_writes_one(hosted: Place) -> None:
    hosted.replace("trueup.yaml", "settle: 0", "settle: 0, state: stamps")
    made = hosted.ask("POST", "/assistants", {"model": "gpt-4.1", "name": "alpha", "metadata": {"kept": "yes"}})
    ran = hosted.run("import", f"alpha={made['id']}")
    assert ran.code == 1
    assert "Confirmation required to write 1 stamp, and no terminal to ask on. Nothing was written." in ran.said
    assert f"trueup import alpha={made['id']} --yes" in ran.said
    assert hosted.live()["alpha"]["metadata"] == {"kept": "yes"}
    ran = hosted.run("import", f"alpha={made['id']}", "--yes")
    assert ran.code == 0, ran.err + ran.out
    assert hosted.live()["alpha"]["metadata"]["kept"] == "yes"
    assert "trueup" in hosted.live()["alpha"]["metadata"]
    assert hosted.recorded_ids() == {"alpha": made["id"]}
    assert not list(hosted.root.glob(".trueup/*.state.json"))
    assert hosted.run("apply", "--yes").code == 0
    assert hosted.run("plan").out.endswith("2 unchanged.\n")
    assert hosted.run("state", "rebuild").code == 1


def test_unlock_says_whether_there_was_a_lock(place: Place) -> None:
    place.applied()
    assert place.run("state", "unlock", "--json").json["removed"] is False
    (place.root / ".trueup/local/local~held.lock").write_text("{}")
    assert place.run("apply", "--yes").code == 1
    assert place.run("state", "unlock", "--json").json["removed"] is True
    assert place.run("apply", "--yes").code == 0


@pytest.mark.parametrize("path", ["assistants/team/beta.yaml", "assistants/team", "./assistants/team/*.yaml"])
def test_a_name_may_be_a_path_also_of_a_file_that_is_gone(place: Place, path: str) -> None:
    place.applied()
    (place.root / "assistants/team/beta.yaml").unlink()
    assert place.run("state", "show", path).out.startswith("team/beta\n")
    assert place.run("state", "rm", path).out.startswith("team/beta was forgotten")
    assert place.run("state", "rebuild", path).out.startswith("team/beta was rebuilt")
    assert list(place.recorded_ids()) == ["alpha", "team/beta"]


def test_import_takes_a_path_for_a_name(place: Place) -> None:
    ids = place.applied().recorded_ids()
    place.run("state", "rm", "*")
    ran = place.run("import", f"assistants/team/beta.yaml={ids['team/beta']}", f"alpha={ids['alpha']}", "--json")
    assert ran.json["assistants"] == ids
    assert place.recorded_ids() == ids
    assert place.run("import", f"assistants/gone.yaml={ids['alpha']}").code == 1
    assert "names alpha a second time" in place.run("import", "alpha=asst_1", "assistants/alpha.yaml=asst_2").err


@pytest.mark.parametrize("name", [".trueup", ".trueup/local"])
def test_a_file_where_the_state_folder_should_be_is_named(place: Place, name: str) -> None:
    place.write(name, "")
    for command in (("plan",), ("apply", "--yes"), ("state", "list")):
        ran = place.run(*command)
        assert ran.code == 4
        assert f"Move {name} away" in " ".join(ran.err.split())
