"""Each exit code of the contract is reached, and the most urgent one is given when several hold."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cli.place import Place
from trueup.local.faults import Fault, Kind

Arm = Callable[..., None]


def test_0_nothing_to_do_and_done(place: Place) -> None:
    assert place.run("validate").code == 0
    assert place.run("plan").code == 0
    assert place.run("apply", "--yes").code == 0
    assert place.run("apply").code == 0
    assert place.run("drift").code == 0
    assert place.run("plan", "--detailed-exitcode").code == 0


def test_1_bad_definition(place: Place) -> None:
    place.write("assistants/bad.yaml", "model: gpt-4.1\ntemprature: 1\n")
    for command in ("validate", "render", "plan", "apply", "drift", "destroy"):
        ran = place.run(command)
        assert ran.code == 1, command
        assert "assistants/bad.yaml:2:1" in ran.out + ran.err
    assert not (place.root / ".trueup").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["plann"],
        ["plan", "--prun"],
        ["plan", "-t", "nowhere"],
        ["plan", "nobody"],
        ["plan", "--var", "novalue"],
        ["plan", "--on-drift", "maybe"],
        ["apply", "missing.plan"],
        ["show", "missing.plan"],
        ["-C", "nowhere", "plan"],
        ["import", "alpha"],
        ["schema", "nothing"],
        ["completion", "tcsh"],
        ["state", "rm"],
        ["state", "lst"],
    ],
)
def test_1_usage(place: Place, arguments: list[str]) -> None:
    ran = place.run(*arguments)
    assert ran.code == 1
    assert ran.out == ""
    assert "rror:" in ran.err


def test_1_nobody_to_ask(place: Place) -> None:
    ran = place.run("apply")
    assert ran.code == 1
    assert "--yes" in ran.err
    assert place.live() == {}


def test_1_no_credential(place: Place) -> None:
    place.write("trueup.yaml", "project: shop\ntargets:\n  prod: {base_url: https://api.example.com/v1}\n")
    ran = place.run("plan")
    assert ran.code == 1
    assert "api_key: {env:" in " ".join(ran.err.split())


def test_1_nothing_readable(hosted: Place, faulty: Arm) -> None:
    faulty(Fault(Kind.ANSWER, status=503, times=0))
    assert hosted.run("plan", "--max-retries", "0").code == 1


def test_2_drift_conflict_and_deletion_outside(place: Place) -> None:
    place.applied().poke("alpha", {"temperature": 1.5})
    assert place.run("drift").code == 2
    assert place.run("plan", "--detailed-exitcode").code == 0, "drift on what nobody wants to change is no change"
    assert place.run("apply", "--yes").code == 0
    place.replace("assistants/alpha.yaml", "0.2", "0.3")
    assert place.run("drift").code == 2
    place.run("apply", "--yes", "--on-drift", "revert")
    assert place.run("drift").code == 0
    place.remove("beta")
    assert place.run("drift").code == 2


def test_2_detailed_exitcode(place: Place) -> None:
    assert place.run("plan", "--detailed-exitcode").code == 2
    place.applied()
    place.run("state", "rm", "alpha")
    assert place.run("plan", "--detailed-exitcode").code == 2, "an adoption counts"
    assert place.run("plan").code == 0


def test_3_held_back(place: Place) -> None:
    place.applied().poke("alpha", {"temperature": 1.5})
    place.replace("assistants/alpha.yaml", "0.2", "0.3")
    assert place.run("plan").code == 0
    assert place.run("plan", "--detailed-exitcode").code == 3
    assert place.run("apply", "--yes").code == 3
    assert place.live()["alpha"]["temperature"] == 1.5


def test_4_guard_and_protection(place: Place) -> None:
    place.applied()
    ran = place.run("destroy", "--yes")
    assert ran.code == 4
    assert len(place.live()) == 2
    digest = ran.err.split("--ack ")[1][:16]
    assert place.run("destroy", "--yes", "--ack", digest[:7]).code == 4
    place.write("assistants/alpha.yaml", "model: gpt-4.1\nlifecycle: {protect: true}\n")
    ran = place.run("destroy", "--yes")
    assert ran.code == 4
    assert set(place.live()) == {"alpha"}, "one delete is below the guard, the protected one stays"


def test_4_empty_folder_and_foreign_state(place: Place) -> None:
    place.applied()
    state = next(place.root.glob(".trueup/local/*.state.json"))
    state.write_text(state.read_text().replace('"protocol": "openai-assistants"', '"protocol": "other"'))
    assert place.run("plan").code == 4
    assert place.run("state", "rebuild").code == 4, "a whole state of another target is not put aside"
    state.write_text(state.read_text().replace('"protocol": "other"', '"protocol": "openai-assistants"'))
    for path in place.root.glob("assistants/**/*.yaml"):
        path.unlink()
    assert place.run("apply", "--prune", "--yes").code == 4


def test_5_applied_in_part(hosted: Place, faulty: Arm) -> None:
    faulty(Fault(Kind.ANSWER, method="POST", having="Say B", times=0, status=400, body={"error": {"message": "no"}}))
    ran = hosted.run("apply", "--yes")
    assert ran.code == 5
    assert "team/beta could not be created" in ran.out
    assert set(hosted.live()) == {"alpha"}


def test_6_partial_view(hosted: Place, faulty: Arm) -> None:
    hosted.applied()
    hosted.write("assistants/gamma.yaml", "model: gpt-4.1\n")
    faulty(Fault(Kind.ANSWER, method="GET", path="/assistants", nth=2, status=500))
    ran = hosted.run("plan", "--max-retries", "0")
    assert ran.code == 6
    faulty(Fault(Kind.ANSWER, method="GET", path="/assistants", nth=2, status=500))
    assert hosted.run("apply", "--yes", "--max-retries", "0").code == 6
    assert len(hosted.live()) == 2


def test_6_unknown_after_a_rebuild(place: Place) -> None:
    place.applied()
    place.run("state", "rm", "team/beta")
    assert place.run("state", "rebuild").code == 0
    assert place.run("drift").code == 0
    place.poke("beta", {"metadata": {**place.live()["beta"]["metadata"], "owner": "eve"}})
    assert place.run("drift").code == 6, "nobody knows what the owner was"


def test_behind_is_no_drift(place: Place) -> None:
    place.applied()
    state = next(place.root.glob(".trueup/local/*.state.json"))
    old = state.read_bytes()
    place.replace("assistants/alpha.yaml", "0.2", "0.3")
    place.applied()
    state.write_bytes(old)
    place.replace("assistants/alpha.yaml", "0.3", "0.2")
    ran = place.run("drift")
    assert ran.code == 0, ran.out
    assert ran.out.endswith("Drift: 0 drifted, 0 deleted outside, 1 as applied, 1 behind.\n")


def test_what_another_checkout_applied_is_not_called_an_edit_of_the_file(place: Place) -> None:
    place.applied()
    state = next(place.root.glob(".trueup/local/*.state.json"))
    old = state.read_bytes()
    place.replace("assistants/alpha.yaml", "0.2", "0.3")
    place.applied()
    state.write_bytes(old)
    place.replace("assistants/alpha.yaml", "0.3", "0.2")
    ran = place.run("plan")
    assert "applied by another checkout" in ran.out
    assert "temperature" in ran.out
    assert "edited in the file" not in ran.out
