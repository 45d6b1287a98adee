"""A job looks at the newest commit of the default branch, however old it is itself, and at no other branch."""

from __future__ import annotations

import pytest

from tests.ci.platforms import TOKEN
from tests.ci.world import ALPHA, BETA, KEY, World

EDITED = "model: gpt-4.1\ninstructions: Say A, twice.\n"
GAMMA = "assistants/gamma.yaml"
NEW = "model: gpt-4.1\ninstructions: Say G.\n"


def _merged(world: World, edits: dict[str, str | None]) -> tuple[int, str]:
    """Return the number and the merge of a pull request that was planned and merged."""
    number = world.request(edits)
    assert world.request_job(number).code == 0
    return number, world.merge(number)


def _pruning(world: World) -> None:
    world.at_main()
    world.write("trueup.yaml", world.project_file(more="    prune: true\n    guard: {deletes: 5}"))
    world.commit("Prune.")
    world.git("push", "-q", "origin", "main")


@pytest.mark.parametrize("world", ["file", "stamps"], indirect=True)
def test_an_old_job_brings_nothing_back_that_a_later_merge_removed(world: World) -> None:
    _pruning(world)
    number, old = _merged(world, {GAMMA: NEW})
    assert world.merge_job(old).code == 0
    _, later = _merged(world, {GAMMA: None})
    assert world.merge_job(later).code == 0
    assert sorted(world.live()) == ["alpha", "beta"]
    again = world.merge_job(old)
    assert again.code == 3, again.log
    assert sorted(world.live()) == ["alpha", "beta"]
    assert "**Left to a later merge**: `gamma`" in world.comment(number, "apply")
    assert world.schedule_job().code == 0
    assert world.platform.issues == []


def test_an_old_job_without_a_plan_puts_no_old_text_back(world: World) -> None:
    commits = []
    for text in ("Say A, twice.", "Say A, with the safety fix."):
        world.at_main()
        world.write(ALPHA, f"model: gpt-4.1\ninstructions: {text}\n")
        commits.append(world.commit(text))
        world.git("push", "-q", "origin", "main")
        assert world.merge_job(commits[-1], {"TRUEUP_CI_WITHOUT_PLAN": "apply"}).code == 0
    assert world.merge_job(commits[0], {"TRUEUP_CI_WITHOUT_PLAN": "apply"}).code == 0
    assert world.says("alpha") == "Say A, with the safety fix."


def test_what_a_later_merge_changed_is_left_to_it_and_the_rest_is_applied(world: World) -> None:
    number, first = _merged(world, {ALPHA: EDITED, BETA: "model: gpt-4.1\ninstructions: Say B, twice.\n"})
    two, second = _merged(world, {ALPHA: "model: gpt-4.1\ninstructions: Say A, thrice.\n"})
    done = world.merge_job(first)
    assert done.code == 3, done.log
    assert (world.says("alpha"), world.says("beta")) == ("Say A.", "Say B, twice.")
    assert "**Left to a later merge**: `alpha`. `main` has" in world.comment(number, "apply")
    assert "`beta`" not in world.comment(number, "apply").split("**Left to a later merge**")[1].split("\n")[0]
    reviewed = done.json("reviewed.plan")["digest"]
    assert f"**The reviewed plan is `{reviewed[:16]}`.**" in world.comment(number, "apply")
    world.at_main()
    assert f"Trueup-Plan: {reviewed}" in world.git("log", "-1", "--format=%B")
    assert world.merge_job(second).code == 0, two
    assert world.says("alpha") == "Say A, thrice."


def test_a_refusal_that_no_later_merge_made_is_not_laid_on_one(world: World) -> None:
    number, commit = _merged(world, {ALPHA: EDITED})
    world.ask("POST", f"/assistants/{world.live()['alpha']['id']}", {"instructions": "Say what a hand says."})
    assert world.merge_job(commit).code == 3
    assert "Left to a later merge" not in world.comment(number, "apply")


def test_a_drift_job_that_waited_looks_at_what_was_merged_meanwhile(world: World) -> None:
    old = world.tip()
    _, commit = _merged(world, {ALPHA: EDITED, GAMMA: NEW})
    assert world.merge_job(commit).code == 0
    given = {"TRUEUP_CI_TOKEN": TOKEN, "ASSISTANTS_KEY": KEY}
    done = world._job("schedule", old, {}, given, old, "main")
    assert done.code == 0, done.log
    assert world.platform.issues == []


def test_a_delete_that_waits_is_told_apart(world: World) -> None:
    _pruning(world)
    _merged(world, {BETA: None})
    world.schedule_job()
    (issue,) = world.platform.issues
    assert "**Not deleted yet**: `beta`" in issue["body"]
    assert "Merged and not applied" not in issue["body"]


@pytest.mark.parametrize("name", ["schedule", "workflow_dispatch", "push"])
def test_no_job_looks_at_another_branch(world: World, name: str) -> None:
    world.at_main()
    world.git("checkout", "-q", "-B", "mine")
    world.write("trueup.yaml", world.project_file("http://127.0.0.1:9/v1"))
    commit = world.commit("Another address.")
    world.git("push", "-q", "origin", "mine")
    for more in ({"GITHUB_REF_NAME": "mine"}, {"GITHUB_REF_NAME": "main", "GITHUB_REF_TYPE": "tag"}):
        given = {"TRUEUP_CI_TOKEN": TOKEN, "ASSISTANTS_KEY": KEY, **more}
        done = world._job(name, commit, {}, given, commit, "mine")
        assert done.code == 1
        assert "for the default branch only, `main`" in done.log
    assert world.platform.issues == []


def test_a_request_into_another_branch_is_not_planned(world: World) -> None:
    world.at_main()
    world.git("push", "-q", "origin", "HEAD:refs/heads/evil-base")
    number = world.request({ALPHA: EDITED})
    request = world.platform.requests[number]
    event = {"pull_request": {**request, "base": {"ref": "evil-base"}}}
    given = {"TRUEUP_CI_TOKEN": TOKEN, "ASSISTANTS_KEY": KEY}
    done = world._job("pull_request", world.proposed(number), event, given, request["head"]["sha"], "topic")
    assert done.code == 1
    assert "This job runs for `evil-base`" in done.log
    assert world.platform.comments == {}


def test_a_merge_into_another_branch_is_not_taken_for_this_one(world: World) -> None:
    """A stranger's find: after a fast-forward a platform lists the same commit under two requests."""
    number, commit = _merged(world, {ALPHA: EDITED})
    other = {**world.platform.requests[number], "number": 1, "iid": 1, "base": {"ref": "dev"}, "target_branch": "dev"}
    known = dict(world.platform.requests)
    world.platform.requests.clear()
    world.platform.requests.update({1: other, **known})
    assert world.merge_job(commit).code == 0
    assert world.says("alpha") == "Say A, twice."
    assert not world.platform.comments.get(1)
