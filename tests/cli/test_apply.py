"""`apply`: nothing that was not shown is sent, saved plans are held to their word, guards refuse, state survives."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.cli.place import Place
from trueup.local.faults import Fault, Kind
from trueup.local.openai_assistants import Server
from trueup.local.serve import running

Arm = Callable[..., None]


def _many(place: Place, count: int) -> None:
    for number in range(count):
        place.write(f"assistants/n{number}.yaml", f"model: gpt-4.1\ninstructions: Number {number}.\n")


def test_the_second_run_is_empty(place: Place) -> None:
    place.applied()
    before = place.files()
    ran = place.run("apply")
    assert ran.code == 0
    assert ran.out.endswith("Plan: 0 to create, 0 to modify, 0 to delete, 0 drifted, 2 unchanged.\n")
    assert place.files() == before


def test_what_only_we_remember_needs_no_yes(place: Place) -> None:
    place.applied().run("state", "rm", "alpha")
    ran = place.run("apply")
    assert ran.code == 0
    assert "alpha was adopted" in ran.out
    assert place.run("plan").out.endswith("2 unchanged.\n")


def test_only_the_named_ones(place: Place) -> None:
    assert place.run("apply", "--yes", "team").code == 0
    assert set(place.live()) == {"beta"}
    assert place.run("apply", "--yes", "assistants/alpha.yaml").code == 0
    assert set(place.live()) == {"alpha", "beta"}


def test_a_guard_wants_the_digest_and_plan_prints_the_line(place: Place) -> None:
    _many(place, 8)
    place.applied()
    for number in range(8):
        place.replace(f"assistants/n{number}.yaml", "Number", "Digit")
    ran = place.run("plan")
    assert ran.code == 0
    command = ran.err.strip().splitlines()[-1].split()
    assert command[:3] == ["trueup", "apply", "--ack"]
    refused = place.run("apply", "--yes")
    assert refused.code == 4
    assert "Nothing was sent" in refused.err
    assert place.run("apply", "--yes", "--ack", "0" * 64).code == 4
    assert place.run("apply", "--yes", "--ack", command[3]).code == 0
    assert all("Digit" in entry["instructions"] for name, entry in place.live().items() if name.startswith("n"))


def test_a_refused_guard_answers_in_json_with_the_digest(place: Place) -> None:
    _many(place, 8)
    place.applied()
    ran = place.run("destroy", "--yes", "--json")
    assert ran.code == 4
    assert ran.json["exit"] == 4
    assert "--ack" in ran.json["problems"][0]
    assert place.run("destroy", "--yes", "--ack", ran.json["digest"][:16]).code == 0
    assert place.live() == {}


def test_a_saved_plan_is_applied_without_a_question_and_only_once(place: Place) -> None:
    place.run("plan", "--out", "saved.plan")
    ran = place.run("apply", "saved.plan")
    assert ran.code == 0
    assert "2 created" in ran.out
    again = place.run("apply", "saved.plan")
    assert again.code == 0
    assert "2 in place already" in again.out
    assert len(place.live()) == 2


def test_a_saved_plan_that_does_not_stand_is_refused_and_the_rest_goes_on(place: Place) -> None:
    place.applied()
    place.replace("assistants/alpha.yaml", "0.2", "0.3")
    place.replace("assistants/team/beta.yaml", "Say B", "Say BB")
    place.run("plan", "--out", "saved.plan")
    place.replace("assistants/alpha.yaml", "0.3", "0.4")
    place.write("assistants/new.yaml", "model: gpt-4.1\n")
    ran = place.run("apply", "saved.plan")
    assert ran.code == 3
    assert place.live()["alpha"]["temperature"] == 0.2
    assert place.live()["beta"]["instructions"] == "Say BB."
    assert set(place.live()) == {"alpha", "beta"}
    assert "1 new since the plan" in ran.out


@pytest.mark.parametrize(
    ("made", "applied", "named"),
    [
        (["--on-drift", "revert"], [], "--on-drift"),
        ([], ["--prune"], "--prune"),
        (["--stamp"], [], "--stamp"),
        (["--var", "who=a"], ["--var", "who=b"], "--var"),
    ],
)
def test_a_saved_plan_wants_its_own_flags(place: Place, made: list[str], applied: list[str], named: str) -> None:
    place.write("assistants/alpha.yaml", "model: gpt-4.1\nmetadata: {who: {var: who}}\n")
    place.write("trueup.yaml", "vars: {who: x}\n")
    assert place.run("plan", "--out", "saved.plan", *made).code == 0
    ran = place.run("apply", "saved.plan", *applied)
    assert ran.code == 1
    assert named in ran.err
    assert not (place.root / ".trueup").exists()
    assert place.run("apply", "saved.plan", *made).code == 0


def test_a_forged_or_damaged_plan_is_refused(place: Place) -> None:
    place.run("plan", "--out", "saved.plan")
    path = place.root / "saved.plan"
    whole = path.read_text()
    for text in (whole.replace("Say A", "Say evil"), whole[:-20], "{}", "[" * 1000, "", "no plan"):
        path.write_text(text)
        ran = place.run("apply", "saved.plan")
        assert ran.code == 1, text[:40]
        assert place.run("show", "saved.plan").code == 1
    document = json.loads(whole)
    document["format_version"] = 99
    path.write_text(json.dumps(document))
    assert "99" in place.run("apply", "saved.plan").err
    assert not (place.root / ".trueup").exists()


def test_a_plan_knows_its_target(place: Place) -> None:
    place.write("trueup.yaml", "default_target: a\ntargets: {a: {base_url: local}, b: {base_url: local}}\n")
    assert place.run("plan", "-t", "b", "--out", "b.plan").code == 0
    assert place.run("apply", "b.plan", "-t", "a").code == 1
    assert place.run("apply", "b.plan").code == 0
    assert len(place.run("state", "list", "-t", "b", "--json").json["assistants"]) == 2
    assert place.run("state", "list", "-t", "a", "--json").json["assistants"] == {}


def test_a_plan_for_another_place_is_refused(hosted: Place) -> None:
    hosted.run("plan", "--out", "saved.plan")
    hosted.replace("trueup.yaml", "/v1", "/v2")
    ran = hosted.run("apply", "saved.plan")
    assert ran.code == 4
    assert "another place" in ran.err


def test_with_a_plan_file_no_name_is_taken(place: Place) -> None:
    place.run("plan", "--out", "saved.plan")
    assert place.run("apply", "saved.plan", "alpha").code == 1


def test_an_unanswered_create_is_adopted_not_repeated(hosted: Place, faulty: Arm) -> None:
    faulty(Fault(Kind.DROP, method="POST", commit=True))
    assert hosted.run("apply", "--yes").code == 0
    assert len(hosted.live()) == 2
    assert hosted.run("plan").out.endswith("2 unchanged.\n")


def test_a_young_pending_create_is_waited_for(hosted: Place) -> None:
    import time

    line = {"step": "intent", "name": "alpha", "action": "create", "operation": "00", "id": "", "after": "",
            "since": time.time(), "record": None}  # fmt: skip
    hosted.write(".trueup/prod.journal", json.dumps(line) + "\n")
    hosted.replace("trueup.yaml", "settle: 0", "settle: 0.3")
    start = time.monotonic()
    ran = hosted.run("apply", "--yes")
    assert ran.code == 0
    assert "may still be processed" in " ".join(ran.err.split())
    assert time.monotonic() - start >= 0.2
    assert len(hosted.live()) == 2


def test_a_renamed_one_is_moved_in_state(place: Place) -> None:
    place.applied()
    (place.root / "assistants/alpha.yaml").rename(place.root / "assistants/omega.yaml")
    place.replace("assistants/omega.yaml", "model:", "name: alpha\nmodel:")
    place.write("trueup.yaml", "moved: {alpha: omega}\n")
    assert place.run("apply", "--yes").code == 0
    assert "omega" in place.run("state", "list", "--json").json["assistants"]
    assert place.run("plan").out.endswith("2 unchanged.\n")


def test_the_lock_is_held(place: Place) -> None:
    from trueup.cli.flags import Flags
    from trueup.cli.session import open_session

    with open_session(Flags(chdir=str(place.root))).store.lock():
        for command in (["apply", "--yes"], ["state", "rm", "alpha"], ["state", "rebuild"], ["import", "alpha=asst_1"]):
            ran = place.run(*command)
            assert ran.code == 1, command
            assert "another apply is running" in ran.err.lower()


def test_secrets_are_in_no_output(hosted: Place, faulty: Arm, monkeypatch: pytest.MonkeyPatch) -> None:
    said = ""
    body = {"error": {"message": "Incorrect API key provided: sk-canary-123456"}}
    faulty(Fault(Kind.ANSWER, method="POST", status=400, body=body))
    for command in (
        ["apply", "--yes", "-vv"],
        ["plan", "-vv"],
        ["plan", "--json"],
        ["targets"],
        ["apply", "--yes", "--json"],
    ):
        ran = hosted.run(*command)
        said += ran.out + ran.err
    monkeypatch.setenv("CANARY_KEY", "sk-canary-wrong-98765")
    refused = hosted.run("plan", "-vv")
    assert refused.code == 1
    said += refused.out + refused.err + "".join(map(repr, hosted.files().values()))
    assert "canary-" not in said.replace("CANARY_KEY", "")
    assert "***" in said


@pytest.mark.parametrize("word", ["assistant", "00000000", "not-needed", "changeme"])
def test_a_key_that_is_an_ordinary_word_breaks_no_reading(
    place: Place, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    monkeypatch.setenv("WORD", word)
    place.replace("assistants/alpha.yaml", "model:", f"description: An assistant with {word} in it\nmodel:")
    with Server() as server, running(server, key=word) as url:
        place.write("trueup.yaml", f"project: shop\ntargets:\n  prod: {{base_url: '{url}', api_key: {{env: WORD}}}}\n")
        applied = place.applied().run("plan", "--detailed-exitcode")
        assert applied.code == 0, applied.out + applied.err
        assert "2 unchanged" in applied.out


def test_a_key_in_a_live_field_is_never_as_the_file_says(hosted: Place) -> None:
    """It is shown without the key, taken into no file, and the file's value can be put back."""
    hosted.applied()
    before = hosted.files()
    hosted.poke("alpha", {"instructions": "Call the API with sk-canary-123456 please"})
    drift = hosted.run("drift")
    assert drift.code == 2
    assert "canary-1" not in drift.out
    assert "***credential***" in drift.out
    ran = hosted.run("accept", "alpha", "instructions", "--yes")
    assert ran.code == 3
    assert "it contains a credential of this target" in " ".join(ran.out.split())
    assert hosted.files()["assistants/alpha.yaml"] == before["assistants/alpha.yaml"]
    assert hosted.run("apply", "--yes", "--on-drift", "revert").code == 0
    assert "canary" not in json.dumps(hosted.live()["alpha"])
    made = hosted.ask("POST", "/assistants", {"model": "gpt-4.1", "name": "Leak", "instructions": "sk-canary-123456"})
    imported = hosted.run("import", made["id"])
    assert imported.code == 3
    assert "it contains a credential of this target" in " ".join(imported.out.split())


def test_ack_of_an_id_makes_a_second_one_beside_a_namesake(place: Place) -> None:
    made = place.ask("POST", "/assistants", {"model": "gpt-4.1", "name": "alpha"})
    assert place.run("apply", "--yes", "alpha").code == 3
    assert place.run("apply", "--yes", "alpha", "--ack", "asst_of_nobody").code == 3
    assert place.run("apply", "--yes", "alpha", "--ack", made["id"]).code == 0
    assert len(place.ask("GET", "/assistants")["data"]) == 2


def _orphan(place: Place, text: str = "") -> Place:
    """Alpha applied, with this text at its end, and its file gone."""
    if text:
        place.write("assistants/alpha.yaml", (place.root / "assistants/alpha.yaml").read_text("utf-8") + text)
    place.applied()
    (place.root / "assistants/alpha.yaml").unlink()
    return place


def test_an_orphan_is_let_go_of_by_what_its_hint_says(hosted: Place) -> None:
    said = _orphan(hosted).run("plan").said
    assert "state rm" not in said
    assert "write `released: [alpha]` into trueup.yaml, then trueup apply alpha" in said
    hosted.write("trueup.yaml", (hosted.root / "trueup.yaml").read_text("utf-8") + "released: [alpha]\n")
    assert hosted.run("apply", "alpha", "--yes").code == 0
    assert "orphan" not in hosted.run("plan").out
    assert "alpha" in hosted.live()


def test_the_hint_of_a_protected_orphan_names_no_delete_that_is_refused(place: Place) -> None:
    said = _orphan(place, "lifecycle: {protect: true}\n").run("plan").said
    assert "It is protected against deletion; to lift that, apply a definition" in said
    assert "--prune" not in said


def test_an_orphan_that_another_checkout_may_have_created_says_so(hosted: Place) -> None:
    _orphan(hosted)
    assert "another checkout" not in hosted.run("plan").said
    assert hosted.run("state", "rm", "alpha").code == 0
    said = hosted.run("plan").said
    assert "If another checkout created it, pull its files and state. To delete it: trueup state rebuild alpha" in said
    hosted.replace("trueup.yaml", "settle: 0", "settle: 0, state: stamps")
    said = hosted.run("plan").said
    assert "If another checkout created it, pull its files. To delete it: trueup apply alpha --prune" in said
    assert "trueup state" not in said


def test_one_that_was_deleted_outside_is_let_go_of_by_removing_its_file(place: Place) -> None:
    place.applied()
    place.remove("alpha")
    said = place.run("plan").said
    assert "To stop managing it: remove its file. To create it again: trueup apply alpha --on-drift revert" in said
    assert "state rm" not in said
    forgotten = place.run("state", "rm", "alpha").out
    assert forgotten.startswith("alpha was forgotten on local; its id was asst_")
    assert "live" not in forgotten


def test_several_renames_are_printed_as_one_mapping_with_prune_too(place: Place) -> None:
    place.applied()
    for old, new in (("alpha", "one"), ("team/beta", "two")):
        (place.root / f"assistants/{old}.yaml").rename(place.root / f"assistants/{new}.yaml")
    place.replace("assistants/two.yaml", "model:", "name: beta\nmodel:")
    for flags in ((), ("--prune",)):
        out = place.run("plan", *flags).out
        assert out.count("moved:") == 1
        assert "moved:\n        alpha: one\n        team/beta: two\n" in out.replace("      moved:", "moved:")
