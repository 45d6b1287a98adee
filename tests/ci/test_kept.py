"""Which plan a merge takes: the newest of exactly the request's last commit, whatever else is kept beside it."""

from __future__ import annotations

import pytest
from trueup_ci.settings import read_settings

from tests.ci.world import ALPHA, BETA, World

EDITED = "model: gpt-4.1\ninstructions: Say A, twice.\n"


def test_the_plan_that_the_comment_shows_is_applied(world: World) -> None:
    """A hand's edit keeps beta out of the first plan; when it is put right, the job is run again."""
    number = world.request({ALPHA: EDITED, BETA: "model: gpt-4.1\ninstructions: Say B, twice.\n"})
    beta = world.live()["beta"]["id"]
    world.ask("POST", f"/assistants/{beta}", {"instructions": "Say what a hand says."})
    first = world.request_job(number)
    world.ask("POST", f"/assistants/{beta}", {"instructions": "Say B."})
    head = world.platform.requests[number]["head"]["sha"]
    world.platform.artifacts = [one for one in world.platform.artifacts if "-plan-" not in one["name"]]
    assert world.request_job(number, {"GITHUB_RUN_ATTEMPT": "7"}).code == 0
    second = world.platform.artifacts.pop()
    world.platform.upload(f"trueup-plan-prod-{head}", first.kept, head, f"topic-{number}")
    second["created_at"] = "2026-11-21T23:59:59"
    world.platform.artifacts.append(second)
    world.platform.artifacts.reverse()
    assert "2 to modify" in world.comment(number, "plan")
    done = world.merge_job(world.merge(number))
    assert done.code == 0, done.log
    assert (world.says("alpha"), world.says("beta")) == ("Say A, twice.", "Say B, twice.")


def test_others_artifacts_hide_no_plan(world: World) -> None:
    """A fork may keep as many as it likes under the name of a request's plan, a drift's report or an apply's."""
    number = world.request({ALPHA: EDITED})
    planned = world.request_job(number)
    head = world.platform.requests[number]["head"]["sha"]
    assert world.schedule_job({"TRUEUP_CI_SNAPSHOT": "true"}).code == 0
    for name in (f"trueup-plan-prod-{head}", "trueup-drift-prod-1"):
        template = world.platform.artifacts[-1]
        for place in range(230):
            run = {"head_sha": f"{place:040x}", "head_branch": "main", "repository_id": 1, "head_repository_id": 2}
            world.platform.artifacts.append({**template, "id": 10_000 + place, "name": name, "workflow_run": run})
    done = world.merge_job(world.merge(number))
    assert done.code == 0, done.log
    assert world.says("alpha") == "Say A, twice."
    fork = world.request({ALPHA: "model: gpt-4.1\ninstructions: Say F.\n"}, fork=True)
    assert "compares with a snapshot" in world.request_job(fork).summary
    assert planned.code == 0


def test_two_projects_of_one_repository_stay_apart(world: World) -> None:
    """Both have a target prod; one merge changes both."""
    text = "project: {}\ntargets:\n  prod:\n    base_url: {}\n    api_key: {{env: ASSISTANTS_KEY}}\n"
    world.at_main()
    for name in ("shop", "school"):
        world.write(f"{name}/trueup.yaml", text.format(name, world.address))
        world.write(f"{name}/assistants/{name}.yaml", "model: gpt-4.1\ninstructions: One.\n")
    begin = world.commit("Two more projects.")
    world.git("push", "-q", "origin", "main")
    folders = [{"TRUEUP_CI_FOLDER": name} for name in ("shop", "school")]
    for more in folders:
        assert world.merge_job(begin, {"TRUEUP_CI_WITHOUT_PLAN": "apply", **more}).code == 0
    two = "model: gpt-4.1\ninstructions: Two.\n"
    number = world.request({"shop/assistants/shop.yaml": two, "school/assistants/school.yaml": two})
    names = set()
    for more in folders:
        assert world.request_job(number, more).code == 0
        names.add(world.platform.artifacts[-1]["name"])
    assert len(names) == 2
    commit = world.merge(number)
    for more in folders:
        done = world.merge_job(commit, more)
        assert done.code == 0, done.log
    assert (world.says("shop"), world.says("school")) == ("Two.", "Two.")
    for more in (*folders, *folders):
        looked = world.schedule_job(more)
        assert looked.code == 0, looked.log
        assert "Once more" not in looked.log


@pytest.mark.parametrize(("folder", "slug"), [(".", "prod"), ("shop", "shop%2Fprod"), ("./shop/", "shop%2Fprod")])
def test_the_word_for_folder_and_target(folder: str, slug: str) -> None:
    assert read_settings({"TRUEUP_CI_TARGET": "prod", "TRUEUP_CI_FOLDER": folder}).slug == slug


def test_a_history_that_cannot_be_used_stops_no_look(world: World) -> None:
    """What an earlier job kept may be of a project that has another name by now, or damaged."""
    looked = world.schedule_job()
    (looked.kept / "drift.json").write_text("{}")
    world.platform.upload("trueup-drift-prod-1", looked.kept, world.tip(), "main")
    again = world.schedule_job()
    assert again.code == 0, again.log
    assert "Retrying without the reports of earlier jobs." in again.log


def test_what_is_wrong_in_a_merge_without_a_plan_is_told(world: World) -> None:
    number = world.request({ALPHA: "model: gpt-4.1\ntemprature: 1\n"})
    assert world.request_job(number).code == 1
    done = world.merge_job(world.merge(number))
    assert done.code == 1
    comment = world.comment(number, "apply")
    assert "and no plan can be made" in comment
    assert "temprature" in comment
