"""Attacks on the jobs that once worked, each with its neighbours: a request's tree, an old run, a strange answer."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from trueup_ci import pull_request, repository
from trueup_ci.__main__ import main
from trueup_ci.problem import Problem
from trueup_ci.repository import Repository
from trueup_ci.settings import is_digest

from tests.ci.platforms import BOT, TOKEN
from tests.ci.world import ALPHA, KEY, World
from trueup.local.openai_assistants import Server
from trueup.local.serve import running

EDITED = "model: gpt-4.1\ninstructions: Say A, twice.\n"
STATE = ".trueup/prod.state.json"


def records(world: World) -> str:
    """Return the state file with one record pointed elsewhere, as a pull request that hides a manual change has it."""
    world.at_main()
    state = json.loads((world.clone / STATE).read_text(encoding="utf-8"))
    state["records"]["alpha"]["operation"] = "0" * 16
    return json.dumps(state)


@pytest.mark.parametrize("junk", [8, 500])
def test_no_number_of_files_pushes_the_note_on_edited_state_out(world: World, junk: int) -> None:
    names = {f".trueup/{'n' * 100}{place}.caps.json": "{}" for place in range(junk)}
    number = world.request({ALPHA: EDITED, STATE: records(world), **names})
    done = world.request_job(number)
    assert done.code == 0, done.log
    for text in (world.comment(number, "plan"), done.summary, done.log):
        assert "This pull request changes Trueup's state files" in text
        assert f"`alpha` in `{STATE}`" in text
        assert f"{junk + 1 - 10} more files" in text or junk < 10


def test_a_page_without_room_is_cut_and_no_note(world: World) -> None:
    text = "".join(f"line {place} of a very long prompt that was written for this test alone\n" for place in range(900))
    edits: dict[str, str | None] = {f"assistants/new-{place}.md": f"---\nmodel: m\n---\n{text}" for place in range(9)}
    number = world.request({**edits, STATE: records(world)})
    done = world.request_job(number)
    comment = world.comment(number, "plan")
    assert done.code == 0, done.log
    assert "This pull request changes Trueup's state files" in comment
    assert "<sub>Commit" in comment
    assert len(comment.encode()) <= 65_536


def test_a_folder_that_becomes_a_file_ends_with_a_comment_in_the_place_of_the_old_one(world: World) -> None:
    world.more["TRUEUP_CI_FOLDER"] = "fleet"
    world.at_main()
    (world.clone / "fleet").mkdir()
    world.git("mv", "assistants", "trueup.yaml", ".trueup", "fleet/")
    world.commit("The fleet has a folder.")
    world.git("push", "-q", "origin", "main")
    number = world.request({"fleet/assistants/alpha.yaml": EDITED})
    assert world.request_job(number).code == 0
    assert "1 to modify" in world.comment(number, "plan")
    world.git("rm", "-rq", "fleet")
    (world.clone / "fleet").write_text("a file\n", encoding="utf-8")
    head = world.commit("A file in its place.")
    world.git("push", "-q", "-f", "origin", f"HEAD:refs/heads/topic-{number}")
    world.platform.requests[number] |= {"sha": head}
    world.platform.requests[number]["head"]["sha"] = head
    done = world.request_job(number)
    assert done.code == 1
    assert "Traceback" not in done.log
    assert "`fleet` is a file in commit" in world.comment(number, "plan")
    assert "1 to modify" not in world.comment(number, "plan")


@pytest.mark.parametrize("user", [None, {}, {"login": None}])
def test_a_comment_without_an_author_is_not_ours_and_stops_nothing(world: World, user: Any) -> None:
    number = world.request({ALPHA: EDITED})
    marker = "<!-- trueup:acme/prod plan -->"
    world.platform.comments[number] = [{"id": 1, "body": f"{marker}\nfrom a deleted account", "user": user}]
    done = world.request_job(number)
    assert done.code == 0, done.log
    assert world.platform.comments[number][0]["user"] == user
    assert world.platform.comments[number][-1]["user"]["login"] == BOT


def test_an_unexpected_error_replaces_the_comment_too(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    number = world.request({ALPHA: EDITED})
    assert world.request_job(number).code == 0

    def fail(*_: object) -> None:
        raise RuntimeError(f"holds {KEY}")

    monkeypatch.setattr(pull_request, "_project_file", fail)
    done = world.request_job(number)
    assert done.code == 1
    assert "unexpected error (RuntimeError)" in world.comment(number, "plan")
    assert KEY not in done.log + world.comment(number, "plan")


@pytest.mark.parametrize("payload", [{}, {"pull_request": None}, {"pull_request": {"head": None, "number": 1}}, []])
def test_an_event_of_another_shape_ends_with_a_sentence(
    tmp_path: Path, payload: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    event = tmp_path / "event.json"
    event.write_text(json.dumps(payload), encoding="utf-8")
    names = ("REPOSITORY", "SERVER_URL", "RUN_ID", "SHA", "API_URL")
    environ = {f"GITHUB_{name}": "x" for name in names} | {"GITHUB_ACTIONS": "true", "TRUEUP_CI_TARGET": "prod"}
    assert main(environ | {"GITHUB_EVENT_PATH": str(event), "GITHUB_EVENT_NAME": "pull_request"}) == 1
    assert "unexpected error" in capfd.readouterr().err


@pytest.mark.parametrize("world", ["stamps"], indirect=True)
def test_an_old_run_connects_as_the_newest_commit_of_the_target_branch_says(world: World) -> None:
    """The old merge's parent had yesterday's address: run again, its job sent today's key there."""
    number = world.request({ALPHA: EDITED})
    old = world.proposed(number)
    with Server() as stranger, running(stranger, key=KEY, faults=True) as elsewhere:
        world.at_main()
        world.write("trueup.yaml", world.project_file(elsewhere))
        world.commit("The fleet moves.")
        world.git("push", "-q", "origin", "main")
        world.git("push", "-q", "-f", "origin", f"{old}:refs/pull/{number}/merge")
        world.arm(kind="answer", status=500, times=0)
        done = world.request_job(number, commit=old)
    assert done.code in (0, 1), done.log
    assert elsewhere in world.comment(number, "plan")


def test_a_fork_s_request_into_another_branch_is_not_planned_by_its_connections(world: World) -> None:
    world.at_main()
    world.write("trueup.yaml", world.project_file("http://127.0.0.1:9/v1"))
    world.commit("Another branch leads elsewhere.")
    world.git("push", "-q", "origin", "HEAD:refs/heads/other")
    number = world.request({ALPHA: EDITED}, fork=True)
    world.platform.requests[number]["base"]["ref"] = "other"
    done = world.fork_job(number)
    assert done.code == 1
    assert "127.0.0.1:9" not in done.log + done.summary
    assert number not in world.platform.comments


@pytest.mark.parametrize(
    "line", ["*.yaml working-tree-encoding=UTF-16", "*.yaml ident", "*.yaml text eol=crlf", "*.yaml export-subst"]
)
def test_attributes_change_nothing_of_what_reviewers_see(world: World, line: str, tmp_path: Path) -> None:
    text = "model: gpt-4.1\ninstructions: Say $Id$ and $Format:%H$.\n"
    own = world.clone / ".git" / "info" / "attributes"  # for who commits; a job gets none of it
    own.parent.mkdir(exist_ok=True)
    own.write_text("* -text -ident !eol !working-tree-encoding\n", encoding="ascii")
    number = world.request({ALPHA: text, ".gitattributes": f"{line}\n"})
    shown = world.git("cat-file", "blob", f"topic-{number}:{ALPHA}")
    made = Repository(tmp_path / "git", str(world.origin))
    place = made.checkout(made.fetch(f"refs/heads/topic-{number}"), tmp_path / "files")
    assert (place / ALPHA).read_bytes() == shown.encode() + b"\n"


def test_a_tree_that_names_itself_a_million_times_is_refused_at_once(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blob = world.git("hash-object", "-w", "--stdin", feed="x")
    entry = f"100644 blob {blob}\tf"
    tree = world.git("mktree", feed="\n".join(f"{entry}{place}" for place in range(64)))
    for _ in range(9):
        tree = world.git("mktree", feed="\n".join(f"040000 tree {tree}\td{place}" for place in range(64)))
    commit = world.git("commit-tree", tree, "-m", "bomb")
    world.git("push", "-q", "origin", f"{commit}:refs/heads/bomb")
    made = Repository(tmp_path / "git", str(world.origin))
    found = made.fetch("refs/heads/bomb")
    with pytest.raises(Problem, match="more than 50,000 files"):
        made.checkout(found, tmp_path / "files")
    assert not (tmp_path / "files").exists()
    monkeypatch.setattr(repository, "BYTES", 10)
    with pytest.raises(Problem, match="more than"):
        made.checkout(made.fetch("refs/heads/main"), tmp_path / "files")


def test_sixteen_characters_acknowledge_a_plan_and_fifteen_do_not() -> None:
    assert is_digest("0123456789abcdef")
    assert is_digest("0" * 64)
    assert not is_digest("0123456789abcde")
    assert not is_digest("0" * 65)


def test_the_job_that_any_branch_may_run_has_no_token_that_writes() -> None:
    text = Path(__file__).parents[2].joinpath("ci", "gitlab.yml").read_text(encoding="utf-8").split("---\n", 1)[1]
    jobs = {name.split(" ")[1].strip('"') if " " in name else name: job for name, job in yaml.safe_load(text).items()}
    shared = next(job for name, job in yaml.safe_load(text).items() if name.startswith("."))
    assert "TOKEN" not in json.dumps(shared)
    tokens = {name: job["variables"]["TRUEUP_CI_TOKEN"] for name, job in jobs.items() if "rules" in job}
    assert tokens == {"plan": "$TRUEUP_PLAN_TOKEN", "apply": "$TRUEUP_APPLY_TOKEN", "drift": "$TRUEUP_PLAN_TOKEN"}
    scopes = {name: job["environment"]["name"] for name, job in jobs.items() if "rules" in job}
    assert scopes == {"plan": "trueup-plan", "apply": "trueup-apply", "drift": "trueup-plan"}


def test_git_of_a_job_runs_nothing_that_a_repository_names(tmp_path: Path) -> None:
    made = Repository(tmp_path / "git", str(tmp_path / "nowhere"))
    shown = subprocess.run(
        made._command("config", "--list"), env=made._environ(), check=True, capture_output=True, text=True
    )
    assert {"core.hookspath=/dev/null", "core.fsmonitor=false", "log.showsignature=false"} <= set(
        shown.stdout.splitlines()
    )


def test_a_tree_of_empty_folders_that_names_itself_for_ever_is_refused_at_once(world: World, tmp_path: Path) -> None:
    """It holds no file, so that a bound on files alone walked it for ever."""
    tree = world.git("mktree", feed="")
    for _ in range(12):
        tree = world.git("mktree", feed="\n".join(f"040000 tree {tree}\td{place}" for place in range(10)))
    commit = world.git("commit-tree", tree, "-m", "bomb")
    world.git("push", "-q", "origin", f"{commit}:refs/heads/bomb")
    made = Repository(tmp_path / "git", str(world.origin))
    with pytest.raises(Problem, match="more than 50,000 files"):
        made.checkout(made.fetch("refs/heads/bomb"), tmp_path / "files")


def test_the_platform_s_token_is_in_no_comment_when_an_answer_repeats_it(world: World) -> None:
    number = world.request({ALPHA: EDITED})
    world.request_job(number)
    commit = world.merge(number)
    answer = world.platform.answer

    def repeat(asked: Any) -> Any:
        if "artifacts" in asked.path:
            return 403, {"message": f"bad credentials Bearer {TOKEN} @octocat **bold**"}
        return answer(asked)

    world.platform.answer = repeat  # type: ignore[method-assign]
    done = world.merge_job(commit)
    comment = world.comment(number, "apply")
    assert done.code == 1
    assert TOKEN not in comment + done.log + done.summary
    assert "`bad credentials Bearer *** @octocat **bold**`" in comment


def test_what_git_says_of_a_name_is_code_and_shows_no_folder(world: World) -> None:
    name = "@octocat **This plan was approved** <h1>big" + "a" * 250
    number = world.request({ALPHA: EDITED})
    blob = world.git("rev-parse", f"topic-{number}:{ALPHA}")
    root = world.git("ls-tree", f"topic-{number}")
    tree = world.git("mktree", feed=f"{root}\n100644 blob {blob}\t{name}\n")
    head = world.git("commit-tree", tree, "-p", f"topic-{number}", "-m", "A long name.")
    world.git("push", "-q", "-f", "origin", f"{head}:refs/heads/topic-{number}")
    world.platform.requests[number] |= {"sha": head}
    world.platform.requests[number]["head"]["sha"] = head
    done = world.request_job(number)
    comment = world.comment(number, "plan")
    assert done.code == 1
    assert str(world.root) not in comment.replace("`", "")
    assert re.sub(r"`[^`]*`", "", comment).count("@octocat") == 0
    assert re.sub(r"`[^`]*`", "", comment).count("<h1>") == 0


def test_the_target_s_own_state_and_what_changed_in_it_come_first(world: World) -> None:
    world.at_main()
    state = json.loads((world.clone / STATE).read_text(encoding="utf-8"))
    state["records"]["beta"]["operation"] = "0" * 16
    state["records"] |= {f"_{place}": state["records"]["alpha"] for place in range(6)}
    decoys = {f".trueup/a{place}.state.json": "{}" for place in range(12)}
    number = world.request({ALPHA: EDITED, STATE: json.dumps(state), **decoys})
    world.request_job(number)
    comment = world.comment(number, "plan")
    assert f"`beta` and 6 added (`_0`, `_1`, `_2`, `_3`, `_4` and 1 more) in `{STATE}`; `.trueup/a0" in comment


def test_a_fork_s_failing_job_replaces_its_older_comment(world: World) -> None:
    number = world.request({ALPHA: EDITED}, fork=True)
    world.proposed(number)
    assert world.fork_job(number).code == 0
    assert "valid" in world.comment(number, "plan")
    world.at_main()
    world.write(ALPHA, "model: gpt-4.1\ninstructions: Say C.\n")
    world.commit("Main goes on.")
    world.git("push", "-q", "origin", "main")
    done = world.fork_job(number)
    assert done.code == 1
    assert "conflicts with its target branch" in world.comment(number, "plan")


def test_a_branch_that_cannot_say_its_name_leaves_no_second_comment(world: World) -> None:
    number = world.request({ALPHA: EDITED})
    assert world.request_job(number).code == 0
    world.at_main()
    world.write("trueup.yaml", "project: [\n")
    world.commit("A broken project file.")
    world.git("push", "-q", "origin", "main")
    assert world.request_job(number).code == 1
    (only,) = world.platform.comments[number]
    assert "1 to modify" not in only["body"]
