"""What a request can do to a job: its connections are shown and not used, nothing of it runs, a fork has no secret."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.ci.platforms import READ_ONLY, TOKEN
from tests.ci.world import ALPHA, BETA, KEY, World

EDITED = "model: gpt-4.1\ninstructions: Say A, twice.\n"
THEFT = "import os; open(os.environ['HOME'] + '/stolen', 'w').write(str(dict(os.environ)))"


def _project(url: str, credential: str, more: str = "") -> str:
    return f"project: acme\ntargets:\n  prod:\n    base_url: {url}\n    {credential}\n{more}"


@pytest.mark.real_start
def test_a_request_sends_the_key_nowhere_else(world: World, tmp_path: Path) -> None:
    command = f'token: {{command: [{sys.executable}, -c, "{THEFT}"]}}'
    number = world.request(
        {"trueup.yaml": _project("http://127.0.0.1:9/v1", command), ALPHA: EDITED, "json.py": THEFT, "trueup.py": THEFT}
    )
    done = world.request_job(number, {"HOME": str(tmp_path)})
    assert done.code == 0, done.log
    assert not (tmp_path / "stolen").exists()
    comment = world.comment(number, "plan")
    assert "Plan: 0 to create, 1 to modify" in comment
    assert "http://127.0.0.1:9/v1" in comment
    assert "targets.prod.base_url" in comment
    assert "targets.prod.token" in comment
    assert "::warning file=trueup.yaml,line=4" in done.log


def test_the_scripts_of_a_command_are_those_of_the_target_branch(world: World, tmp_path: Path) -> None:
    command = _project(world.address, f"token: {{command: [{sys.executable}, key.py]}}")
    world.at_main()
    world.write("trueup.yaml", command)
    world.write("key.py", f"print({KEY!r})")
    world.commit("A script gives the key.")
    world.git("push", "-q", "origin", "main")
    number = world.request({ALPHA: EDITED, "key.py": THEFT})
    done = world.request_job(number, {"HOME": str(tmp_path)})
    assert done.code == 0, done.log
    assert not (tmp_path / "stolen").exists()


def test_links_hooks_and_filters_of_a_request_lead_nowhere(world: World, tmp_path: Path) -> None:
    world.at_main()
    (world.clone / "assistants" / "leak.md").symlink_to("/proc/self/environ")
    (world.clone / ".gitattributes").write_text("*.yaml filter=theft\n")
    (world.clone / ".gitmodules").write_text('[submodule "x"]\n\tpath = x\n\turl = https://127.0.0.1:9/x\n')
    (tmp_path / ".gitconfig").write_text(f'[filter "theft"]\n\tsmudge = touch {tmp_path}/stolen\n')
    number = world.request({ALPHA: EDITED})
    done = world.request_job(number, {"HOME": str(tmp_path)})
    assert KEY not in done.log + world.comment(number, "plan")
    assert "ASSISTANTS_KEY=" not in done.log + world.comment(number, "plan")
    assert not (tmp_path / "stolen").exists()


def test_hostile_text_leaves_no_comment_and_commands_no_runner(world: World) -> None:
    text = "x\n::set-env name=PATH::/tmp\n</details></code> @everyone <script>alert(1)</script> `` ``` #1 /merge\n"
    number = world.request({ALPHA: "model: gpt-4.1\ninstructions: " + json.dumps(text) + "\n"}, message="::error::x")
    done = world.request_job(number)
    assert done.code == 0
    assert not [line for line in done.log.splitlines() if line.startswith("::set-env")]
    assert "<script>" not in world.comment(number, "plan")


def test_no_secret_is_in_what_a_job_says_keeps_or_commits(world: World) -> None:
    number = world.request({ALPHA: EDITED})
    done = [world.request_job(number), world.merge_job(world.merge(number)), world.schedule_job()]
    kept = [path.read_bytes() for one in done for path in one.kept.rglob("*") if path.is_file()]
    said = "".join(one.log + one.summary for one in done) + json.dumps(world.platform.comments)
    world.git("fetch", "-q", "origin", "main")
    said += world.git("log", "-p", "FETCH_HEAD") + b"".join(kept).decode("utf-8", "replace")
    assert len(kept) > 6
    assert [secret for secret in (KEY, TOKEN) if secret in said] == []


def test_what_is_the_jobs_own_is_not_handed_on(world: World, tmp_path: Path) -> None:
    """A command of trueup.yaml sees the key that it needs, and no token of the platform."""
    seen = tmp_path / "seen"
    script = f"import os; open({str(seen)!r}, 'w').write(repr(dict(os.environ))); print(os.environ['ASSISTANTS_KEY'])"
    world.at_main()
    world.write("trueup.yaml", _project(world.address, f"token: {{command: [{sys.executable}, key.py]}}"))
    world.write("key.py", script)
    world.commit("A script gives the key.")
    world.git("push", "-q", "origin", "main")
    tokens = (
        "TRUEUP_PLAN_TOKEN",
        "TRUEUP_APPLY_TOKEN",
        "GITHUB_TOKEN",
        "ACTIONS_RUNTIME_TOKEN",
        "CI_JOB_TOKEN",
        "CI_REPOSITORY_URL",
        "CI_DEPENDENCY_PROXY_PASSWORD",
    )
    done = world.request_job(world.request({ALPHA: EDITED}), dict.fromkeys(tokens, TOKEN))
    assert done.code == 0, done.log
    assert KEY in seen.read_text()
    assert TOKEN not in seen.read_text()


def test_a_fork_is_only_checked_where_no_snapshot_is_kept(world: World) -> None:
    number = world.request({ALPHA: EDITED}, fork=True)
    before, earlier = world.live(), len(world.platform.asked)
    done = world.request_job(number)
    assert done.code == 0, done.log
    assert {asked.token for asked in world.platform.asked[earlier:]} == {READ_ONLY}
    assert "may not write comments" in done.log
    assert world.platform.comments == {}
    assert "**From a fork, so without credentials**" in done.summary
    assert "the files were only validated" in done.summary
    told = world.fork_job(number)
    assert told.code == 0, told.log
    assert "the files were only validated" in world.comment(number, "plan")
    assert world.live() == before


def test_what_is_wrong_in_a_fork_is_told_at_its_line(world: World) -> None:
    number = world.request({ALPHA: "model: gpt-4.1\ntemprature: 1\n"}, fork=True)
    assert world.request_job(number).code == 1
    assert world.fork_job(number).code == 1
    assert "assistants/alpha.yaml:2:1" in world.comment(number, "plan")


def test_a_fork_is_planned_against_a_snapshot(world: World) -> None:
    assert world.schedule_job({"TRUEUP_CI_SNAPSHOT": "true"}).code == 0
    number = world.request({ALPHA: EDITED}, fork=True)
    done = world.request_job(number)
    assert done.code == 0, done.log
    told = world.fork_job(number)
    assert told.code == 0, told.log
    comment = world.comment(number, "plan")
    assert "compares with a snapshot that an earlier job took" in comment
    assert "1 to modify" in comment
    assert not (told.kept / "snapshot.json").exists()


def test_a_forks_artifacts_count_for_nothing(world: World) -> None:
    """A fork may keep whatever it likes, under any name; the newest of it is not looked at."""
    number = world.request({ALPHA: EDITED})
    planned = world.request_job(number)
    head = world.platform.requests[number]["head"]["sha"]
    (planned.kept / f"{head}.plan").write_text("{}")
    own = world.platform.artifacts[-1]
    world.platform.artifacts = [*world.platform.artifacts[:-1]]
    world.platform.upload(f"trueup-plan-prod-{head}", planned.kept, head, "topic", fork=True)
    world.platform.artifacts.insert(0, own)
    done = world.merge_job(world.merge(number))
    assert done.code == 0, done.log
    assert world.says("alpha") == "Say A, twice."


def test_a_merge_of_a_fork_was_reviewed_by_nobody(world: World) -> None:
    number = world.request({ALPHA: EDITED}, fork=True)
    world.request_job(number)
    done = world.merge_job(world.merge(number))
    assert done.code == 1
    assert "nobody reviewed" in world.comment(number, "apply")
    assert world.says("alpha") == "Say A."


def test_a_forged_plan_applies_nothing(world: World) -> None:
    number = world.request({ALPHA: EDITED})
    planned = world.request_job(number)
    head = world.platform.requests[number]["head"]["sha"]
    plan = planned.kept / f"{head}.plan"
    plan.write_text(plan.read_text().replace("Say A, twice.", "Say what I want."))
    world.platform.upload(f"trueup-plan-prod-{head}", planned.kept, head, "topic")
    done = world.merge_job(world.merge(number))
    assert done.code == 1
    assert world.says("alpha") == "Say A."


def test_the_first_request_of_a_repository_uses_nothing_of_itself(world: World) -> None:
    world.at_main()
    world.git("rm", "-q", "trueup.yaml")
    world.commit("Begin anew.")
    world.git("push", "-q", "origin", "main")
    number = world.request({"trueup.yaml": world.project_file()})
    done = world.request_job(number)
    assert done.code == 1
    comment = world.comment(number, "plan")
    assert "The target prod is new in `trueup.yaml`" in comment
    assert str(world.root) not in comment


def test_what_a_refused_merge_left_is_named_in_the_next_plan_as_not_of_it(world: World) -> None:
    """A stranger's find: the next request's merge sent a fork's change, and no comment said whose it was."""
    fork = world.request({ALPHA: EDITED}, fork=True)
    assert world.merge_job(world.merge(fork)).code == 1
    refused = world.comment(fork, "apply")
    assert (
        "Until then other pull requests show these changes too, as unrelated, and merging one of them applies them."
        in refused
    )
    own = world.request({BETA: EDITED})
    world.request_job(own)
    told = world.comment(own, "plan")
    assert "**Not changed by this pull request**: `alpha`. These changes are already on `main`" in told
    assert world.merge_job(world.merge(own)).code == 0
    assert world.says("alpha") == world.says("beta") == "Say A, twice."
    last = world.request({ALPHA: "model: gpt-4.1\ninstructions: Say C.\n"})
    world.request_job(last)
    assert "Not changed by this pull request" not in world.comment(last, "plan")
