"""The procedures of docs/ci.md, each against the embedded server, git repositories and a platform's API."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ci.world import ALPHA, BETA, KEY, World

EDITED = "model: gpt-4.1\ninstructions: Say A, twice.\n"


@pytest.mark.real_start
def test_a_request_is_planned_merged_and_applied(world: World) -> None:
    number = world.request({ALPHA: EDITED})
    planned = world.request_job(number)
    assert planned.code == 0, planned.log
    comment = world.comment(number, "plan")
    assert comment.startswith("<!-- trueup:acme/prod plan -->\n### Trueup: plan for `acme/prod`\n")
    assert "Plan: 0 to create, 1 to modify" in comment
    assert "::notice file=assistants/alpha.yaml,line=" in planned.log
    assert "[The job](https://platform.example/acme/fleet/actions/runs/" in comment
    assert planned.summary == comment
    done = world.merge_job(world.merge(number))
    assert done.code == 0, done.log
    assert world.says("alpha") == "Say A, twice."
    assert "1 modified" in world.comment(number, "apply")
    assert {path.name for path in done.kept.iterdir()} >= {"apply.json", "apply.md", "reviewed.plan", "prod.state.json"}
    assert world.schedule_job().code == 0
    assert world.platform.issues == []


def test_one_comment_however_often(world: World) -> None:
    number = world.request({ALPHA: EDITED})
    world.request_job(number)
    eve: dict[str, Any] = {
        "id": 1,
        "body": "<!-- trueup:acme/prod plan -->\nAll is well, merge it.",
        "user": {"login": "eve"},
    }
    world.platform.comments[number].insert(0, eve)
    ours = world.platform.comments[number][1]
    world.platform.comments[number].append({**ours, "id": 2})  # as two jobs at once may leave it
    assert world.request_job(number).code == 0
    assert [entry["id"] for entry in world.platform.comments[number]] == [1, ours["id"]]
    assert eve["body"].endswith("merge it.")


def test_an_old_job_does_not_take_the_comment_back(world: World) -> None:
    number = world.request({ALPHA: EDITED})
    old = world.proposed(number)
    world.request_job(number)
    new = world.comment(number, "plan")
    world.platform.requests[number] = {**world.platform.requests[number], "open": True}
    stale = dict(world.platform.requests[number])
    world.write(ALPHA, "model: gpt-4.1\ninstructions: Say C.\n")
    head = world.commit("Another.")
    world.git("push", "-q", "-f", "origin", f"HEAD:refs/heads/topic-{number}")
    world.platform.requests[number] = {**stale, "head": {**stale["head"], "sha": head}, "sha": head}
    event_of_old = {**world.platform.requests, number: world.platform.requests[number]}
    world.platform.requests = event_of_old
    done = world._job(
        "pull_request", old, {"pull_request": stale},
        {"TRUEUP_CI_TOKEN": "platform-token-123456", "ASSISTANTS_KEY": KEY}, stale["head"]["sha"], "topic",
    )  # fmt: skip
    assert "their run writes the comment" in done.log
    assert world.comment(number, "plan") == new


def test_two_merges_within_a_minute(world: World) -> None:
    """Both are planned, both are merged, and only then the jobs run, one after the other: none undoes the other."""
    one = world.request({ALPHA: EDITED})
    two = world.request({BETA: "model: gpt-4.1\ninstructions: Say B, thrice.\n"})
    assert (world.request_job(one).code, world.request_job(two).code) == (0, 0)
    first, second = world.merge(one), world.merge(two)
    done = world.merge_job(first)
    assert done.code == 0, done.log
    assert (world.says("alpha"), world.says("beta")) == ("Say A, twice.", "Say B.")
    done = world.merge_job(second)
    assert done.code == 0, done.log
    assert (world.says("alpha"), world.says("beta")) == ("Say A, twice.", "Say B, thrice.")
    assert world.schedule_job().code == 0
    assert world.platform.issues == []


def test_two_merges_that_change_the_same_text(world: World) -> None:
    """The second plan was made before the first was applied: it is blocked, and told; a person applies what is."""
    one = world.request({ALPHA: EDITED})
    assert world.request_job(one).code == 0
    world.at_main()
    two = world.request({ALPHA: "model: gpt-4.1\ninstructions: Say A.\ntemperature: 0.5\n"})
    assert world.request_job(two).code == 0
    assert world.merge_job(world.merge(one)).code == 0
    three = world.request({ALPHA: EDITED + "temperature: 0.5\n"})  # two, brought up to date
    world.platform.requests[two]["head"] = world.platform.requests[three]["head"]
    commit = world.merge(two)
    done = world.merge_job(commit)
    assert done.code == 1
    assert "No plan is kept" in world.comment(two, "apply")
    assert world.live()["alpha"]["temperature"] != 0.5
    looked = world._job(
        "workflow_dispatch", commit, {}, {"TRUEUP_CI_COMMAND": "plan", "TRUEUP_CI_TOKEN": "x", "ASSISTANTS_KEY": KEY},
        commit, "main",
    )  # fmt: skip
    digest = looked.json("plan.json")["digest"][:16]
    assert f"`acknowledge` = `{digest}`" in looked.summary
    given = {"TRUEUP_CI_COMMAND": "apply", "TRUEUP_CI_ACKNOWLEDGE": digest}
    wrong = world.merge_job(commit, {**given, "TRUEUP_CI_ACKNOWLEDGE": "0123456789abcdef"})
    assert wrong.code == 1
    assert world.merge_job(commit, given).code == 0
    assert world.live()["alpha"]["temperature"] == 0.5


def test_a_rerun_of_an_old_pipeline_puts_nothing_back(world: World) -> None:
    one = world.request({ALPHA: EDITED})
    world.request_job(one)
    old = world.merge(one)
    assert world.merge_job(old).code == 0
    two = world.request({ALPHA: "model: gpt-4.1\ninstructions: Say A, thrice.\n"})
    world.request_job(two)
    assert world.merge_job(world.merge(two)).code == 0
    state = world.tip()
    again = world.merge_job(old)
    assert again.code == 3, again.log
    assert world.says("alpha") == "Say A, thrice."
    assert world.tip() == state
    assert world.schedule_job().code == 0


@pytest.mark.parametrize("world", ["stamps"], indirect=True)
def test_state_in_stamps_leaves_nothing_to_commit(world: World) -> None:
    before = world.tip()
    number = world.request({ALPHA: EDITED})
    assert world.request_job(number).code == 0
    commit = world.merge(number)
    done = world.merge_job(commit)
    assert done.code == 0, done.log
    assert world.says("alpha") == "Say A, twice."
    assert world.tip() == commit != before
    assert not (world.clone / ".trueup").exists()
    two = world.request({ALPHA: "model: gpt-4.1\ninstructions: Say A, thrice.\n"})
    world.request_job(two)
    assert world.merge_job(world.merge(two)).code == 0
    assert world.merge_job(commit).code == 3
    assert world.says("alpha") == "Say A, thrice."
    assert world.schedule_job().code == 0


def test_a_failed_apply_is_told_kept_and_finished_by_running_it_again(world: World) -> None:
    number = world.request({ALPHA: EDITED, BETA: "model: gpt-4.1\ninstructions: Say B, twice.\n"})
    assert world.request_job(number).code == 0
    commit = world.merge(number)
    ids = {name: entry["id"] for name, entry in world.live().items()}
    world.arm(method="POST", path=f"/assistants/{ids['beta']}", status=400, body={"error": {"message": "no"}})
    done = world.merge_job(commit)
    assert done.code == 5, done.log
    assert "1 failed" in world.comment(number, "apply")
    assert (done.kept / "apply.json").is_file()
    assert "::error file=assistants/beta.yaml" in done.log
    assert (world.says("alpha"), world.says("beta")) == ("Say A, twice.", "Say B.")
    assert "Trueup-Exit: 5" in _message(world)
    looked = world.schedule_job()
    assert looked.code == 0
    (issue,) = world.platform.issues
    assert "**Merged and not applied**: `beta`" in issue["body"]
    again = world.merge_job(commit)
    assert again.code == 0, again.log
    assert world.says("beta") == "Say B, twice."
    assert world.schedule_job().code == 0
    assert issue["state"] == "closed"


def _message(world: World) -> str:
    world.git("fetch", "-q", "origin", "main")
    return world.git("log", "-1", "--format=%B", "FETCH_HEAD")
