"""A mass change wants a trailer of the merge; state finds its way into a branch whatever happens there meanwhile."""

from __future__ import annotations

import pytest

from tests.ci.world import ALPHA, World

EDITED = "model: gpt-4.1\ninstructions: Say A, twice.\n"


def test_a_mass_change_is_acknowledged_by_a_trailer_of_the_merge(world: World) -> None:
    number, line = _mass_change(world)
    assert f"`{line}`" in world.comment(number, "plan")
    request = dict(world.platform.requests[number])
    without = world.merge(number, "Merge.\n\nTrueup-Ack: not-a-digest --yes\n")
    refused = world.merge_job(without)
    assert refused.code == 4, refused.log
    assert {entry["model"] for entry in world.live().values()} == {"gpt-4.1"}
    world.platform.requests[number] = request
    tree = world.git("rev-parse", f"{without}^{{tree}}")
    again = world.git("commit-tree", tree, "-p", world.tip(), "-F", "-", feed=f"Merge.\n\n{line}\n")
    world.git("push", "-q", "origin", f"{again}:refs/heads/main")
    request.update(merged_at="2026-11-21", merge_commit_sha=again)
    done = world.merge_job(again)
    assert done.code == 0, done.log
    assert [entry["model"] for entry in world.live().values()].count("gpt-5") == 8


def _mass_change(world: World) -> tuple[int, str]:
    """Plan a pull request that a guard wants acknowledged; return its number and the line that does it."""
    fleet = {f"assistants/n{number}.yaml": "model: gpt-4.1\n" for number in range(8)}
    first = world.request(fleet)
    world.request_job(first)
    assert world.merge_job(world.merge(first)).code == 0
    number = world.request(dict.fromkeys(fleet, "model: gpt-5\n"))
    planned = world.request_job(number)
    assert planned.code == 0, planned.log
    return number, f"Trueup-Ack: {planned.json('plan.json')['digest'][:16]}"


@pytest.mark.parametrize("where", ["title", "an earlier title", "body", "commit"])
def test_the_author_of_a_request_acknowledges_nothing(world: World, where: str) -> None:
    """A platform proposes title, description or commits as the message of the merge; who merges presses the button."""
    number, line = _mass_change(world)
    request = world.platform.requests[number]
    if where == "an earlier title":  # changed back as soon as it was merged
        world.platform.events[number] = [
            {"event": "merged"},
            {"event": "renamed", "rename": {"from": line, "to": "Tidy up"}},
        ]
    elif where == "commit":
        message = ["-m", "Tidy up.", "-m", line]
        world.git("commit", "-q", "--amend", *message)
        head = world.git("rev-parse", "HEAD")
        world.git("push", "-q", "-f", "origin", f"HEAD:refs/heads/topic-{number}")
        request.update(sha=head, head={**request["head"], "sha": head})
        assert world.request_job(number).code == 0
    else:
        request[where] = f"Tidy up\r\n\r\n{line}\r\n" if where == "body" else line
    done = world.merge_job(world.merge(number, f"Merge pull request #{number} from acme/topic\n\n{line}\n"))
    assert done.code == 4, done.log
    assert "is ignored: the pull request's own" in done.log
    assert {entry["model"] for entry in world.live().values()} == {"gpt-4.1"}


def test_a_fast_forward_has_no_message_of_who_merges(world: World) -> None:
    number, line = _mass_change(world)
    world.git("commit", "-q", "--amend", "-m", "Tidy up.", "-m", line)
    world.git("fetch", "-q", "origin", "main")
    world.git("rebase", "-q", "FETCH_HEAD")
    head = world.git("rev-parse", "HEAD")
    world.git("push", "-q", "-f", "origin", f"HEAD:refs/heads/topic-{number}")
    request = world.platform.requests[number]
    request.update(sha=head, head={**request["head"], "sha": head})
    assert world.request_job(number).code == 0
    world.git("push", "-q", "origin", "HEAD:refs/heads/main")
    request.update(open=False, merged_at="2026-11-21", merge_commit_sha=head)
    done = world.merge_job(head)
    assert done.code == 4, done.log
    assert {entry["model"] for entry in world.live().values()} == {"gpt-4.1"}


def test_what_was_applied_is_told_also_where_state_cannot_be_committed(world: World) -> None:
    number = world.request({ALPHA: EDITED})
    world.request_job(number)
    commit = world.merge(number)
    hook = world.origin / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho protected >&2\nexit 1\n", encoding="utf-8")
    hook.chmod(0o755)
    done = world.merge_job(commit)
    assert done.code == 1
    assert world.says("alpha") == "Say A, twice."
    for told in (world.comment(number, "apply"), done.summary):
        assert "1 modified" in told
        assert "**The state was not committed.** The state could not be pushed to main" in told
    hook.unlink()
    assert world.merge_job(commit).code == 0
    assert world.schedule_job().code == 0


def test_a_change_of_the_guards_themselves_is_pointed_at(world: World) -> None:
    number = world.request({ALPHA: EDITED, "trueup.yaml": world.project_file(more="    guard: {modifies: 1000}")})
    world.request_job(number)
    told = world.comment(number, "plan")
    assert "**This pull request changes `trueup.yaml`.**" in told
    assert "`setting-changed`: `targets.prod.guard.modifies` is 1000 here and is used" in told
    other = world.request({ALPHA: EDITED})
    world.request_job(other)
    assert "This pull request changes" not in world.comment(other, "plan")


def test_state_goes_on_top_of_what_was_pushed_meanwhile(world: World) -> None:
    number = world.request({ALPHA: EDITED})
    world.request_job(number)
    commit = world.merge(number)
    world.at_main()
    world.write("README.md", "Hello.\n")
    world.commit("Something else.")
    world.git("push", "-q", "origin", "main")
    assert world.merge_job(commit).code == 0
    world.at_main()
    assert (world.clone / "README.md").read_text() == "Hello.\n"
    message = world.git("log", "-1", "--format=%B")
    assert message.startswith("Trueup: the state of prod [skip ci]\n")
    assert f"Trueup-Applied: {commit}" in message
    assert "Trueup-Job: https://platform.example/acme/fleet/actions/runs/" in message
    assert world.git("show", "--name-only", "--format=", "HEAD") == ".trueup/prod.state.json"


def test_state_may_have_a_branch_of_its_own(world: World) -> None:
    world.more["TRUEUP_CI_STATE_BRANCH"] = "trueup-state"
    world.at_main()
    world.git("push", "-q", "origin", "HEAD:refs/heads/trueup-state")
    world.git("rm", "-q", "-r", ".trueup")
    world.commit("State lives elsewhere.")
    world.git("push", "-q", "origin", "main")
    number = world.request({ALPHA: EDITED})
    planned = world.request_job(number)
    assert planned.code == 0
    assert "1 to modify" in world.comment(number, "plan")
    commit = world.merge(number)
    assert world.merge_job(commit).code == 0
    assert world.tip() == commit
    assert world.tip("trueup-state") != commit
    assert world.schedule_job().code == 0


@pytest.mark.parametrize("world", ["stamps"], indirect=True)
def test_a_commit_that_asks_for_nothing_is_no_trouble(world: World) -> None:
    world.at_main()
    world.write("README.md", "Hello.\n")
    commit = world.commit("No definition.")
    world.git("push", "-q", "origin", "main")
    assert world.merge_job(commit).code == 0
    world.write(ALPHA, EDITED)
    pushed = world.commit("Straight to main.")
    world.git("push", "-q", "origin", "main")
    done = world.merge_job(pushed)
    assert done.code == 1
    assert "nobody reviewed the changes" in done.log
    assert world.says("alpha") == "Say A."
    assert world.merge_job(pushed, {"TRUEUP_CI_WITHOUT_PLAN": "apply"}).code == 0
    assert world.says("alpha") == "Say A, twice."
