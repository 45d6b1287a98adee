"""Drift on a schedule: one issue, opened, updated and closed; since when and by whom; and what is not applied."""

from __future__ import annotations

from tests.ci.world import ALPHA, BETA, World

EDITED = "model: gpt-4.1\ninstructions: Say A, twice.\n"


def test_one_issue_is_opened_updated_and_closed(world: World) -> None:
    alpha = world.live()["alpha"]["id"]
    world.ask("POST", f"/assistants/{alpha}", {"instructions": "Say what the dashboard says."})
    assert world.schedule_job().code == 2
    (issue,) = world.platform.issues
    assert issue["body"].startswith("<!-- trueup:acme/prod drift -->\n")
    assert issue["title"] == "Trueup: prod does not match the files"
    assert "dashboard" in issue["body"]
    assert "Merged and not applied" not in issue["body"]
    world.ask("POST", f"/assistants/{alpha}", {"instructions": "Say more."})
    done = world.schedule_job()
    assert (done.code, len(world.platform.issues)) == (2, 1)
    assert "more" in issue["body"]
    assert "Issue: updated." in done.log
    world.ask("POST", f"/assistants/{alpha}", {"instructions": "Say A."})
    assert world.schedule_job().code == 0
    assert issue["state"] == "closed"
    assert world.schedule_job().code == 0
    assert len(world.platform.issues) == 1


def test_it_says_since_when_and_who_applied_before(world: World) -> None:
    number = world.request({ALPHA: EDITED})
    world.request_job(number)
    commit = world.merge(number)
    assert world.merge_job(commit).code == 0
    world.ask("POST", f"/assistants/{world.live()['alpha']['id']}", {"model": "gpt-4.1-mini"})
    assert world.schedule_job().code == 2
    assert world.schedule_job().code == 2
    (issue,) = world.platform.issues
    assert commit[:12] in issue["body"]
    assert "since" in issue["body"]


def test_strangers_issue_is_not_ours(world: World) -> None:
    eve = {
        "number": 7,
        "state": "open",
        "title": "x",
        "body": "<!-- trueup:acme/prod drift -->",
        "user": {"login": "eve"},
    }
    world.platform.issues.append(eve)
    world.ask("POST", f"/assistants/{world.live()['alpha']['id']}", {"model": "gpt-4.1-mini"})
    assert world.schedule_job().code == 2
    assert [entry["user"]["login"] for entry in world.platform.issues] == ["eve", world.platform.me]
    assert eve["body"] == "<!-- trueup:acme/prod drift -->"


def test_what_is_merged_and_not_applied_is_told(world: World) -> None:
    world.merge(
        world.request({BETA: "model: gpt-5\ninstructions: Say B.\n", "assistants/gamma.yaml": "model: gpt-5\n"})
    )
    assert world.schedule_job().code == 0
    (issue,) = world.platform.issues
    assert "**Merged and not applied**: `beta`, `gamma`. Run the job of its merge again" in issue["body"]


def test_what_cannot_be_asked_is_a_failed_job_and_no_issue(world: World) -> None:
    done = world.schedule_job({"ASSISTANTS_KEY": "sk-of-somebody-else"})
    assert done.code == 1
    assert "Drift could not be checked" in done.log
    assert world.platform.issues == []


def test_another_checkout_that_applied_is_behind(world: World) -> None:
    """Somebody applies by hand from a laptop and does not commit the state."""
    old = world.tip()
    number = world.request({ALPHA: EDITED})
    world.request_job(number)
    assert world.merge_job(world.merge(number)).code == 0
    tip = world.tip()
    world.git("fetch", "-q", "origin", "main")
    state = world.git("show", f"{old}:.trueup/prod.state.json")
    world.git("checkout", "-q", "-B", "main", tip)
    world.write(".trueup/prod.state.json", state + "\n")
    world.write(ALPHA, "model: gpt-4.1\ninstructions: Say A, for ever.\n")
    world.commit("The state of an older checkout.")
    world.git("push", "-q", "origin", "main")
    world.schedule_job()
    (issue,) = world.platform.issues
    assert "**Behind**: another checkout applied `alpha`; its state" in issue["body"]
