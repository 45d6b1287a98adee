"""`delete-duplicate`: each report of a duplicate prints the command, and pasted it deletes that one and no other."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable

import pytest

from tests.cli.place import Place
from trueup.local.faults import Fault, Kind


def _copy(place: Place, name: str = "alpha") -> str:
    """What a gateway that repeats our POST leaves behind."""
    body = place.live()[name]
    made = place.ask("POST", "/assistants", {key: body[key] for key in ("name", "model", "instructions", "metadata")})
    return str(made["id"])


def _ids(place: Place) -> dict[str, str]:
    ids: dict[str, str] = place.run("state", "list", "--json").json["assistants"]
    return ids


def _live_ids(place: Place) -> set[str]:
    return {body["id"] for body in place.ask("GET", "/assistants", query={"limit": "100"})["data"]}


def _printed(text: str, word: str) -> list[list[str]]:
    """The commands of a message that begin with these words, as somebody pastes them."""
    joined = " ".join(text.split())
    found = re.findall(rf"trueup {re.escape(word)} [^\s,;]*[^\s,;.](?: -t \w+)?", joined)
    return [shlex.split(one)[1:] for one in found]


def test_it_deletes_the_named_one_and_keeps_a_backup(place: Place) -> None:
    place.applied()
    kept, other = _ids(place)["alpha"], _copy(place)
    state = (place.root / ".trueup/local/local.state.json").read_bytes()
    ran = place.run("delete-duplicate", f"alpha={other}", "--yes")
    assert ran.code == 0, ran.err
    assert f"It is a duplicate of {kept}, which stays managed." in ran.said
    assert _live_ids(place) == {kept, _ids(place)["team/beta"]}
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
    assert other in _live_ids(place)


def test_what_is_no_duplicate_is_refused_with_the_next_command(place: Place) -> None:
    place.applied()
    kept, other = _ids(place)["alpha"], _copy(place)
    for pair in (f"alpha={kept}", f"team/beta={other}", f"alpha={_ids(place)['team/beta']}", "alpha=asst_nowhere"):
        ran = place.run("delete-duplicate", pair, "--yes")
        assert ran.code == 4, pair
        assert "Nothing was deleted" in ran.err
        assert _printed(ran.err, "plan")
    assert place.run("delete-duplicate", f"nobody={other}", "--yes").code == 1
    assert place.run("delete-duplicate", f"*={other}", "--yes").code == 1
    assert place.run("delete-duplicate", "alpha", "--yes").code == 1
    assert place.run("delete-duplicate", "alpha=a/b", "--yes").code == 1
    assert {kept, other} <= _live_ids(place)


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
    assert other in _live_ids(hosted)
    assert "apply" not in ran.said.lower().replace("applied:", "")
    assert _printed(ran.out, "delete-duplicate") == [["delete-duplicate", f"alpha={other}"]]


def test_a_duplicate_of_what_no_file_describes_any_more_can_go(place: Place) -> None:
    place.applied()
    other = _copy(place)
    (place.root / "assistants/alpha.yaml").unlink()
    assert place.run("delete-duplicate", f"alpha={other}", "--yes").code == 0
    assert other not in _live_ids(place)


def test_a_duplicate_of_a_renamed_one_can_go(place: Place) -> None:
    place.applied()
    other = _copy(place)
    (place.root / "assistants/alpha.yaml").rename(place.root / "assistants/first.yaml")
    place.replace("assistants/first.yaml", "model:", "name: alpha\nmodel:")
    place.write("trueup.yaml", "moved: {alpha: first}\ntargets: {local: {base_url: local}}\n")
    assert place.run("delete-duplicate", f"first={other}", "--yes").code == 0
    place.applied()
    assert other not in _live_ids(place)
    assert place.run("plan", "--detailed-exitcode").code == 0
