"""`delete-duplicate`: each report of a duplicate prints the command, and pasted it deletes that one and no other."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable

import pytest

from tests.cli.place import Place
from tests.ran import Ran
from trueup.local.faults import Fault, Kind


def _copy(place: Place, name: str = "alpha") -> str:
    """Create what a gateway that repeats our POST leaves behind."""
    body = place.live()[name]
    made = place.ask("POST", "/assistants", {key: body[key] for key in ("name", "model", "instructions", "metadata")})
    return str(made["id"])


def _printed(text: str, word: str) -> list[list[str]]:
    """Return the commands of a message that begin with these words, as somebody pastes them."""
    joined = " ".join(text.split())
    found = re.findall(rf"trueup {re.escape(word)} [^\s,;]*[^\s,;.](?: -t \w+)?", joined)
    return [shlex.split(one)[1:] for one in found]


def test_it_deletes_the_named_one_and_keeps_a_backup(place: Place) -> None:
    place.applied()
    kept, other = place.recorded_ids()["alpha"], _copy(place)
    state = (place.root / ".trueup/local/local.state.json").read_bytes()
    ran = place.run("delete-duplicate", f"alpha={other}", "--yes")
    assert ran.code == 0, ran.err
    assert f"It is a duplicate of {kept}, which stays managed." in ran.said
    assert place.live_ids() == {kept, place.recorded_ids()["team/beta"]}
    (backup,) = (place.root / ".trueup/backup").glob("*.json")
    assert json.loads(backup.read_bytes())["body"]["instructions"] == "Say A.\nThen stop.\n"
    assert other in backup.name
    assert (place.root / ".trueup/local/local.state.json").read_bytes() == state
    assert place.run("plan", "--detailed-exitcode").code == 0


def test_it_wants_a_yes(place: Place) -> None:
    place.applied()
    other = _copy(place)
    ran = place.run("delete-duplicate", f"alpha={other}")
    assert ran.code == 1
    assert f"trueup delete-duplicate alpha={other} --yes" in ran.said
    assert other in place.live_ids()


def test_what_is_no_duplicate_is_refused_with_the_next_command(place: Place) -> None:
    place.applied()
    kept, other = place.recorded_ids()["alpha"], _copy(place)
    for pair in (
        f"alpha={kept}",
        f"team/beta={other}",
        f"alpha={place.recorded_ids()['team/beta']}",
        "alpha=asst_nowhere",
    ):
        ran = place.run("delete-duplicate", pair, "--yes")
        assert ran.code == 4, pair
        assert "Nothing was deleted" in ran.err
        assert _printed(ran.err, "plan")
    assert place.run("delete-duplicate", f"nobody={other}", "--yes").code == 1
    assert place.run("delete-duplicate", f"*={other}", "--yes").code == 1
    assert place.run("delete-duplicate", "alpha", "--yes").code == 1
    assert place.run("delete-duplicate", "alpha=a/b", "--yes").code == 1
    assert {kept, other} <= place.live_ids()


def test_the_answer_is_one_document(hosted: Place) -> None:
    hosted.applied()
    other = _copy(hosted)
    done = hosted.run("delete-duplicate", f"alpha={other}", "--yes", "--json")
    assert done.code == 0
    outcomes = done.json["outcomes"]
    assert [(entry["id"], entry["result"]) for entry in outcomes] == [(other, "done")]
    assert hosted.run("delete-duplicate", f"alpha={other}", "--yes", "--json").json["error"]["message"]


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault(Kind.ANSWER, method="DELETE", times=0, status=403), 5),
        (Fault(Kind.DROP, method="DELETE", times=0), 5),
        (Fault(Kind.HTML, method="DELETE", times=0, status=200), 5),
    ],
    ids=str,
)
def test_a_delete_that_fails_prints_this_command_and_no_apply(
    hosted: Place, faulty: Callable[..., None], fault: Fault, code: int
) -> None:
    hosted.applied()
    other = _copy(hosted)
    faulty(fault)
    ran = hosted.run("delete-duplicate", f"alpha={other}", "--yes", "--max-retries", "0")
    assert ran.code == code, ran.said
    assert other in hosted.live_ids()
    assert "apply" not in ran.said.lower().replace("applied:", "")
    assert _printed(ran.out, "delete-duplicate") == [["delete-duplicate", f"alpha={other}"]]


def test_a_duplicate_of_what_no_file_describes_any_more_can_go(place: Place) -> None:
    place.applied()
    other = _copy(place)
    (place.root / "assistants/alpha.yaml").unlink()
    assert place.run("delete-duplicate", f"alpha={other}", "--yes").code == 0
    assert other not in place.live_ids()


def test_a_duplicate_of_a_renamed_one_can_go(place: Place) -> None:
    place.applied()
    other = _copy(place)
    (place.root / "assistants/alpha.yaml").rename(place.root / "assistants/first.yaml")
    place.replace("assistants/first.yaml", "model:", "name: alpha\nmodel:")
    place.write("trueup.yaml", "moved: {alpha: first}\ntargets: {local: {base_url: local}}\n")
    assert place.run("delete-duplicate", f"first={other}", "--yes").code == 0
    place.applied()
    assert other not in place.live_ids()
    assert place.run("plan", "--detailed-exitcode").code == 0


def _plan(place: Place) -> str:
    return place.run("plan").out


def _drift(place: Place) -> str:
    place.poke("alpha", {"temperature": 0.9})
    return place.run("drift").out


def _why(place: Place) -> str:
    return place.run("why", "alpha").out


def _page(place: Place) -> str:
    return place.run("plan", "--format", "markdown").out.replace("`", " ")


def _link(place: Place) -> str:
    (other,) = place.live_ids() - set(place.recorded_ids().values())
    ran = place.run("import", f"alpha={other}")
    assert ran.code == 4
    return ran.err


def _apply(place: Place) -> str:
    ran = place.run("apply", "--yes")
    assert ran.code == 3
    return ran.out


@pytest.mark.parametrize("report", [_plan, _drift, _why, _page, _link, _apply])
def test_each_report_of_a_duplicate_prints_the_command_that_deletes_it(
    place: Place, report: Callable[[Place], str]
) -> None:
    place.write("trueup.yaml", "default_target: else\ntargets: {local: {base_url: local}, else: {base_url: local}}\n")
    _on(place, "local")
    place.applied()
    other = _copy(place)
    (command,) = _printed(report(place), "delete-duplicate")
    assert command == ["delete-duplicate", f"alpha={other}", "-t", "local"]
    assert place.run(*command, "--yes").code == 0
    assert other not in place.live_ids()
    assert "duplicate" not in place.run("plan").out


def _on(place: Place, target: str) -> None:
    """Has every command but a printed one work on this target."""
    run = place.run

    def on_target(*words: str) -> Ran:
        return run(*words) if "-t" in words else run(*words, "-t", target)

    place.run = on_target  # type: ignore[method-assign]


def test_an_apply_that_a_gateway_doubled_prints_it(hosted: Place, faulty: Callable[..., None]) -> None:
    faulty(Fault(Kind.REPEAT, method="POST", path="/assistants", nth=1))
    ran = hosted.run("apply", "--yes")
    assert ran.code == 3
    (command,) = _printed(ran.out, "delete-duplicate")
    assert hosted.run(*command, "--yes").code == 0
    assert hosted.run("plan", "--detailed-exitcode").code == 0
    assert len(hosted.live_ids()) == 2


@pytest.mark.parametrize("state", ["file", "stamps"])
@pytest.mark.parametrize("place_of_choice", [0, 1])
def test_where_none_is_recorded_the_printed_commands_lead_back(hosted: Place, state: str, place_of_choice: int) -> None:
    hosted.replace("trueup.yaml", "settle: 0", f"settle: 0, state: {state}")
    hosted.applied()
    other = _copy(hosted)
    if state == "file":
        assert hosted.run("state", "rm", "alpha").code == 0
        assert _printed(hosted.run("state", "rebuild").out, "import")
    refused = hosted.run("delete-duplicate", f"alpha={other}", "--yes")
    assert refused.code == 4
    shown = hosted.run("apply", "--yes")
    assert shown.code == 3
    choices = _printed(shown.out, "import")
    assert choices == _printed(refused.err, "import")
    assert hosted.run(*choices[place_of_choice], "--yes").code == 0
    (command,) = _printed(hosted.run("plan").out, "delete-duplicate")
    assert command[1] == choices[1 - place_of_choice][1]
    assert hosted.run(*command, "--yes").code == 0
    assert hosted.run("apply", "--yes").code == 0
    assert hosted.run("plan", "--detailed-exitcode").code == 0
    assert len(hosted.live_ids()) == 2


def test_where_neither_file_nor_record_knows_it_the_printed_commands_lead_back(place: Place) -> None:
    place.applied()
    _copy(place)
    (place.root / "assistants/alpha.yaml").unlink()
    assert place.run("state", "rm", "alpha").code == 0
    choices = _printed(place.run("plan").out, "import")
    assert len(choices) == 2
    assert choices == _printed(place.run("state", "rebuild").out, "import")
    listed = place.run("import").out
    assert [command[1] for command in choices] == [
        line.split()[-1] for line in listed.splitlines() if "    trueup" in line
    ]
    assert place.run(*choices[0]).code == 0
    (command,) = _printed(place.run("plan").out, "delete-duplicate")
    assert place.run(*command, "--yes").code == 0
    assert len(place.live_ids()) == 2


@pytest.mark.parametrize("form", ["text", "markdown", "html"])
def test_drift_names_a_duplicate(hosted: Place, form: str) -> None:
    other = _copy(hosted.applied())
    ran = hosted.run("drift", "--format", form)
    assert ran.code == 0
    assert "2 as applied; of these 1 with a duplicate." in ran.out
    assert "has a live duplicate with the same stamp" in ran.out
    assert f"trueup delete-duplicate alpha={other}" in ran.out
    assert "othing differs" not in ran.out
