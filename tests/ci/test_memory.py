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
    assert "Trueup-Ack: " in told
    named = "60 added (`z00`, `z01`, `z02`, `z03`, `z04` and 55 more) in `.trueup/prod.state.json`"
    assert f"**This pull request changes Trueup's state files**: {named}. This plan ignores that change" in told
    done = world.merge_job(world.merge(number))
    assert done.code == 4, done.log
    assert len(world.live()) == 10


def test_a_record_without_a_field_overwrites_no_hands_edit(world: World) -> None:
    """A stranger's find: it made what a hand had edited pass for what the file changed."""
    world.ask("POST", f"/assistants/{world.live()['alpha']['id']}", {"instructions": "Said by hand."})
    records = _records(world)
    fields = records["alpha"]["fields"]
    assert isinstance(fields, dict)
    del fields["instructions"]
    number = world.request({ALPHA: EDITED, STATE: _state(world, records)})
    world.request_job(number)
    told = world.comment(number, "plan")
    assert "**This pull request changes Trueup's state files**: `alpha` in `.trueup/prod.state.json`" in told
    assert "1 blocked" in told
    assert "1 new since the plan" in world.merge_job(world.merge(number)).log
    assert world.says("alpha") == "Said by hand."
    other = world.request({ALPHA: EDITED.replace("twice", "thrice")})
    world.request_job(other)
    assert "state files" not in world.comment(other, "plan")


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
    assert "Not changed by this pull request" not in told


def test_a_record_of_somebody_elses_assistant_shows_and_sends_nothing(world: World) -> None:
    """A stranger's find: a request read another team's prompt through its comment, and its merge deleted it."""
    foreign = world.ask("POST", "/assistants", {"model": "gpt-4.1", "name": "Legal", "instructions": "SECRET PROMPT"})
    records = _records(world)
    journal = {"step": "done", "name": "yy", "action": "create", "operation": "0" * 16, "at": 1.0, "id": foreign["id"]}
    stolen = {**records["alpha"], "id": foreign["id"], "fields": {}, "stamped": False}
    number = world.request({
        STATE: _state(world, {**records, "alpha": stolen, "zz": stolen}),
        ".trueup/prod.journal": json.dumps({**journal, "record": stolen}) + "\n",
        ".trueup/backup/20260101-beta.json": "{}",
        "trueup.yaml": world.project_file(more="    prune: true"),
        ALPHA: EDITED,
    })  # fmt: skip
    planned = world.request_job(number)
    assert planned.code == 0, planned.log
    told = world.comment(number, "plan")
    assert "SECRET" not in told + planned.log
    assert "0 to delete" in told
    assert "`alpha` and 1 added (`zz`) in `.trueup/prod.state.json`; `.trueup/prod.journal`. This plan" in told
    done = world.merge_job(world.merge(number))
    assert "Legal" in world.live()
    assert world.live()["Legal"]["instructions"] == "SECRET PROMPT"
    assert not list(done.kept.rglob("*beta.json"))


def test_what_a_probe_found_is_the_target_branchs(world: World) -> None:
    """A stranger's find: a request's own findings declared a hand's edit the server's doing."""
    caps = json.dumps({"format_version": 1, "clear": {}})
    number = world.request({ALPHA: EDITED, ".trueup/prod.caps.json": caps})
    assert world.request_job(number).code == 0
    assert "**This pull request changes Trueup's state files**: `.trueup/prod.caps.json`." in world.comment(
        number, "plan"
    )


@pytest.mark.parametrize("branch", ["", "trueup-state"])
def test_a_file_in_the_place_of_the_memory_ends_no_job_in_a_traceback(world: World, branch: str) -> None:
    """A stranger's find: plan, apply and drift did, and no comment was written."""
    world.more["TRUEUP_CI_STATE_BRANCH"] = branch
    world.at_main()
    world.git("push", "-q", "-f", "origin", "HEAD:refs/heads/trueup-state")
    number = world.request({ALPHA: EDITED})
    world.git("rm", "-q", "-r", ".trueup")
    world.write(".trueup", "Not a folder.")
    head = world.commit("A file.")
    world.git("push", "-q", "-f", "origin", f"HEAD:refs/heads/topic-{number}")
    request = world.platform.requests[number]
    request.update(sha=head, head={**request["head"], "sha": head})
    planned = world.request_job(number)
    assert planned.code == 0, planned.log
    assert "1 to modify" in world.comment(number, "plan")
    assert ("state files" in world.comment(number, "plan")) is (branch == "")
    done = world.merge_job(world.merge(number))
    assert "Traceback" not in done.log
    assert world.schedule_job().code == 0
    assert world.says("alpha") == "Say A, twice.", "without its record the change that was reviewed is the same one"


def test_a_conflict_is_told_in_the_place_of_the_older_plan(world: World) -> None:
    number = world.request({ALPHA: EDITED})
    world.request_job(number)
    other = world.request({ALPHA: "model: gpt-4.1\ninstructions: Say Z.\n"})
    world.request_job(other)
    assert world.merge_job(world.merge(other)).code == 0
    head = world.platform.requests[number]["head"]["sha"]
    done = world.request_job(number, commit=head)
    assert done.code == 1
    assert "### Trueup: no plan\n\nThe pull request conflicts with its target branch." in world.comment(number, "plan")


def test_two_projects_of_one_repository_have_a_comment_each(world: World) -> None:
    """A stranger's find: a request that gave one folder's project the other's name hid that folder's plan."""
    world.at_main()
    world.write("shop/trueup.yaml", world.project_file().replace("project: acme", "project: shop"))
    world.write("shop/assistants/gamma.yaml", "model: gpt-4.1\n")
    world.commit("A second project.")
    world.git("push", "-q", "origin", "main")
    number = world.request({"shop/trueup.yaml": world.project_file(), ALPHA: EDITED})
    world.request_job(number, {"TRUEUP_CI_FOLDER": "shop"})
    world.request_job(number)
    first = [entry["body"].split("\n", 1)[0] for entry in world.platform.comments[number]]
    assert first == ["<!-- trueup:shop/shop/prod plan -->", "<!-- trueup:acme/prod plan -->"]
