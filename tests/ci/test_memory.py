"""What a request does to Trueup's memory is said in its comment, and makes no guard look away."""

from __future__ import annotations

import json

import pytest

from tests.ci.world import ALPHA, World

EDITED = "model: gpt-4.1\ninstructions: Say A, twice.\n"
STATE = ".trueup/prod.state.json"


def _fleet(world: World, count: int) -> list[str]:
    """So many further assistants, applied; the names of their files."""
    files = [f"assistants/n{number}.yaml" for number in range(count)]
    first = world.request(dict.fromkeys(files, "model: gpt-4.1\n"))
    world.request_job(first)
    assert world.merge_job(world.merge(first)).code == 0
    world.at_main()
    return files


def _records(world: World) -> dict[str, dict[str, object]]:
    world.at_main()
    found: dict[str, dict[str, object]] = json.loads((world.clone / STATE).read_text("utf-8"))["records"]
    return found


def _state(world: World, records: dict[str, dict[str, object]]) -> str:
    return json.dumps({**json.loads((world.clone / STATE).read_text("utf-8")), "records": records})


def test_invented_records_are_named_and_lift_no_guard(world: World) -> None:
    """A stranger's find: sixty records of nothing made the fleet larger for the guard, and no line said so."""
    files = _fleet(world, 8)
    records = _records(world)
    invented = {f"z{number:02}": {**records["alpha"], "id": f"asst_none{number:02}"} for number in range(60)}
    number = world.request({
        **dict.fromkeys(files[:4]),
        STATE: _state(world, {**records, **invented}),
        "trueup.yaml": world.project_file(more="    prune: true"),
    })  # fmt: skip
    world.request_job(number)
    told = world.comment(number, "plan")
    assert "4 to delete" in told
    assert "60 to forget" in told
    assert "Trueup-Ack: " in told
    assert "**This request changes what Trueup remembers** of `z00`, `z01`, `z02`, `z03`, `z04` and 55 more" in told
    done = world.merge_job(world.merge(number))
    assert done.code == 4, done.log
    assert len(world.live()) == 10


def test_a_record_without_a_field_is_named(world: World) -> None:
    """A stranger's find: it made what a hand had edited pass for what the file changed."""
    world.ask("POST", f"/assistants/{world.live()['alpha']['id']}", {"instructions": "Said by hand."})
    records = _records(world)
    fields = records["alpha"]["fields"]
    assert isinstance(fields, dict)
    del fields["instructions"]
    number = world.request({ALPHA: EDITED, STATE: _state(world, records)})
    world.request_job(number)
    assert "**This request changes what Trueup remembers** of `alpha`, in `.trueup/prod.state.json`" in world.comment(
        number, "plan"
    )
    other = world.request({ALPHA: EDITED})
    world.request_job(other)
    assert "remembers" not in world.comment(other, "plan")


def test_what_a_setting_of_the_request_deletes_is_of_the_request(world: World) -> None:
    """A stranger's find: the comment said of an orphan that the target branch had wanted its deletion already."""
    files = _fleet(world, 3)
    first = world.request({files[0]: None})
    world.request_job(first)
    assert world.merge_job(world.merge(first)).code == 0
    number = world.request({"trueup.yaml": world.project_file(more="    prune: true")})
    world.request_job(number)
    told = world.comment(number, "plan")
    assert "1 to delete" in told
    assert "Not of this request" not in told


@pytest.mark.parametrize("branch", ["", "trueup-state"])
def test_a_request_that_cannot_be_planned_says_so_in_its_comment(world: World, branch: str) -> None:
    """A stranger's find: a file in the place of Trueup's folder ended jobs in a traceback, without a comment."""
    world.more["TRUEUP_CI_STATE_BRANCH"] = branch
    world.at_main()
    world.git("push", "-q", "-f", "origin", "HEAD:refs/heads/trueup-state")
    earlier = world.request({ALPHA: EDITED})
    world.request_job(earlier)
    world.git("rm", "-q", "-r", ".trueup")
    world.write(".trueup", "Not a folder.")
    head = world.commit("A file.")
    world.git("push", "-q", "-f", "origin", f"HEAD:refs/heads/topic-{earlier}")
    request = world.forge.requests[earlier]
    request.update(sha=head, head={**request["head"], "sha": head})
    done = world.request_job(earlier)
    assert done.code in (1, 4)
    assert "Traceback" not in done.log
    assert "`.trueup` is not a folder" in world.comment(earlier, "plan")
    merged = world.merge_job(world.merge(earlier))
    assert merged.code in (1, 4)
    assert "Traceback" not in merged.log
    assert "`.trueup` is not a folder" in world.comment(earlier, "apply")
