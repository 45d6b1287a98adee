"""What is shell in the action and the template, run by bash with the platform's environment."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.ci.platforms import TOKEN, Answer, Asked, GitHubStandIn, served
from tests.ci.world import ALPHA, KEY, World

ROOT = Path(__file__).parents[2]
EDITED = "model: gpt-4.1\ninstructions: Say A, twice.\n"


def _venv(place: Path) -> Path:
    """Make an environment like the one that `install` makes, out of the one that runs the tests."""
    python = place / "venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    start = f"import sys, runpy; sys.path.insert(0, {str(ROOT / 'ci')!r}); "
    start += "sys.argv = sys.argv[-1:]; runpy.run_module(sys.argv[0], run_name='__main__')"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I -c "{start}" "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    return python.parent.parent


def _bash(text: str, environ: dict[str, str], cwd: Path) -> subprocess.CompletedProcess[str]:
    words = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", text]
    return subprocess.run(words, env=environ, cwd=cwd, capture_output=True, text=True, check=False)


def _step(name: str) -> dict[str, Any]:
    steps = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))["runs"]["steps"]
    (found,) = [step for step in steps if step["name"] == name]
    return dict(found)


def _inputs(step: dict[str, Any], **given: str) -> dict[str, str]:
    """Return the variables of a step, filled in as a runner does."""
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    values = {name: str(entry.get("default", "")) for name, entry in action["inputs"].items()} | given
    return {key: values[text.removeprefix("${{ inputs.").removesuffix(" }}")] for key, text in step["env"].items()}


def test_the_step_of_the_action_plans_a_request(world: World, tmp_path: Path) -> None:
    number = world.request({ALPHA: EDITED})
    place = tmp_path / "run"
    place.mkdir()
    event = place / "event.json"
    event.write_text(json.dumps({"pull_request": world.platform.requests[number]}), encoding="utf-8")
    environ = world.environ("pull_request", world.proposed(number), place, event)
    environ |= {"GITHUB_ACTION_PATH": str(ROOT), "TRUEUP_CI_VENV": str(_venv(tmp_path)), "ASSISTANTS_KEY": KEY}
    step = _step("Trueup")
    hostile = tmp_path / "checkout"
    hostile.mkdir()
    (hostile / "trueup_ci.py").write_text("raise SystemExit('code of a request ran')", encoding="utf-8")
    ran = _bash(step["run"], environ | _inputs(step, target="prod", token=TOKEN), hostile)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "1 to modify" in world.comment(number, "plan")
    told = dict(line.split("=", 1) for line in (place / "output").read_text().splitlines())
    head = world.platform.requests[number]["head"]["sha"]
    assert told["artifact"] == f"trueup-plan-prod-{head}"
    assert (Path(told["kept"]) / f"{head}.plan").is_file()


def test_a_cancelled_job_finishes_what_it_began_and_commits_its_state(world: World, tmp_path: Path) -> None:
    number = world.request({ALPHA: EDITED})
    assert world.request_job(number).code == 0
    commit = world.merge(number)
    place = tmp_path / "run"
    place.mkdir()
    (place / "event.json").write_text("{}", encoding="utf-8")
    environ = world.environ("push", commit, place, place / "event.json")
    environ |= {"GITHUB_ACTION_PATH": str(ROOT), "TRUEUP_CI_VENV": str(_venv(tmp_path)), "ASSISTANTS_KEY": KEY}
    step = _step("Trueup")
    world.arm(method="POST", kind="answer", path="/assistants/", delay=3, status=200, commit=True)
    with subprocess.Popen(
        ["bash", str(ROOT / "ci/job")], env=environ | _inputs(step, target="prod", token=TOKEN), stderr=subprocess.PIPE
    ) as job:
        deadline = time.monotonic() + 60
        while world.says("alpha") != "Say A, twice." and time.monotonic() < deadline:
            time.sleep(0.05)
        job.send_signal(signal.SIGTERM)
        said = job.communicate()[1].decode()
    assert "Cancelled: requests under way were finished, and the state is kept." in said
    assert job.returncode == 130, said
    assert world.tip() != commit
    world.git("fetch", "-q", "origin", "main")
    assert "Trueup-Exit: 130" in world.git("log", "-1", "--format=%B", "FETCH_HEAD")
    assert world.merge_job(commit).code == 0
    assert world.schedule_job().code == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_job_that_is_cancelled_before_apply_sends_nothing(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """The cancel comes while the reviewed plan is downloaded; the download then takes its time."""
    request = world.request({ALPHA: EDITED})
    assert world.request_job(request).code == 0
    commit = world.merge(request)
    place = tmp_path / "run"
    place.mkdir()
    (place / "event.json").write_text("{}", encoding="utf-8")
    environ = world.environ("push", commit, place, place / "event.json")
    environ |= {"GITHUB_ACTION_PATH": str(ROOT), "TRUEUP_CI_VENV": str(_venv(tmp_path)), "ASSISTANTS_KEY": KEY}
    environ |= _inputs(_step("Trueup"), target="prod", token=TOKEN)
    asked, goes_on = threading.Event(), threading.Event()
    answer = world.platform.answer

    def slowly(request: Asked) -> Answer:
        if request.path.endswith("/zip"):
            asked.set()
            goes_on.wait(60)
        return answer(request)

    monkeypatch.setattr(world.platform, "answer", slowly)
    with subprocess.Popen(["bash", str(ROOT / "ci/job")], env=environ, stderr=subprocess.PIPE) as job:
        assert asked.wait(120)
        job.send_signal(number)
        time.sleep(0.5)
        goes_on.set()
        said = job.communicate()[1].decode()
    assert job.returncode == 130, said
    assert "cancelled; nothing was applied" in said
    assert world.says("alpha") == "Say A."
    assert world.tip() == commit


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"target": ""}, "The job has no target."),
        ({"target": "--help"}, "The job has no target."),
        ({"target": ".."}, "The job has no target."),
        ({"target": "prod", "command": "destroy"}, "The command 'destroy' is unknown"),
        ({"target": "prod", "without-plan": "yes"}, "without-plan"),
        ({"target": "prod", "folder": "../.."}, "is outside the repository"),
        ({"target": "prod", "acknowledge": "$(id)"}, "not the digest"),
        ({"target": "prod; touch stolen"}, "GITHUB_EVENT_PATH is not set"),
        ({"target": "$(touch stolen)"}, "GITHUB_EVENT_PATH is not set"),
    ],
)
def test_inputs_are_looked_at_before_anything_is_done(tmp_path: Path, given: dict[str, str], said: str) -> None:
    environ = {"PATH": os.environ["PATH"], "GITHUB_ACTIONS": "true", "GITHUB_ACTION_PATH": str(ROOT)}
    environ |= {"RUNNER_TEMP": str(tmp_path), "TRUEUP_CI_VENV": str(_venv(tmp_path))}
    step = _step("Trueup")
    ran = _bash(step["run"], environ | _inputs(step, **given), tmp_path)
    assert ran.returncode == 1
    assert said in ran.stderr
    assert not list(tmp_path.rglob("stolen"))


def test_an_old_python_is_told(tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    old.chmod(0o755)
    environ = {"PATH": os.environ["PATH"], "GITHUB_ACTION_PATH": str(ROOT), "RUNNER_TEMP": str(tmp_path)}
    step = _step("Install Trueup")
    ran = _bash(step["run"], environ | _inputs(step, python=str(old)), tmp_path)
    assert ran.returncode == 1
    assert "Trueup needs Python 3.11 or newer" in ran.stderr


def test_install_takes_wheels_alone_and_checks_their_digests(tmp_path: Path) -> None:
    """With a pip that only notes how it was called; the real one is tried where the package index is within reach."""
    python = tmp_path / "python3"
    noted = tmp_path / "noted"
    body = f"""#!/bin/sh
case "$*" in
  *"venv "*) mkdir -p "{tmp_path}/trueup-venv/bin" "{tmp_path}/site"; cp "$0" "{tmp_path}/trueup-venv/bin/python";;
  *"pip "*) echo "$@" >"{noted}";;
  *purelib*) echo "{tmp_path}/site";;
  *--version*) echo "trueup 0";;
esac
"""
    python.write_text(body, encoding="utf-8")
    python.chmod(0o755)
    environ = {"PATH": os.environ["PATH"], "GITHUB_ACTION_PATH": str(ROOT), "RUNNER_TEMP": str(tmp_path)}
    step = _step("Install Trueup")
    ran = _bash(step["run"], environ | _inputs(step, python=str(python)), tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert "--require-hashes --only-binary :all:" in noted.read_text()
    assert (tmp_path / "site/trueup.pth").read_text().split() == [f"{ROOT}/src", f"{ROOT}/ci"]


def test_the_script_of_the_template_takes_the_revision_that_it_was_told(tmp_path: Path) -> None:
    """The same lines that GitLab runs; the two scripts of that revision say that they were called."""
    source = tmp_path / "source"
    (source / "ci").mkdir(parents=True)
    for name in ("install", "job"):
        (source / "ci" / name).write_text(f"echo {name} ran\n", encoding="utf-8")
    git = ["git", "-C", str(source), "-c", "user.name=a", "-c", "user.email=a@example.com"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"]):
        subprocess.run([*git, *words], check=True)
    (revision,) = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.split()
    (source / "ci" / "job").write_text("echo a later one ran\n", encoding="utf-8")
    subprocess.run([*git, "commit", "-qam", "two"], check=True)
    template = list(yaml.safe_load_all((ROOT / "ci/gitlab.yml").read_text(encoding="utf-8")))
    script = "\n".join(template[1][".trueup $[[ inputs.folder ]]/$[[ inputs.target ]]"]["script"])
    kept = tmp_path / "kept"
    (kept / "of-an-earlier-job").mkdir(parents=True)
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TRUEUP_SOURCE": f"file://{source}"}
    environ["TRUEUP_CI_KEPT"] = str(kept)
    ran = _bash(script, {**environ, "TRUEUP_REVISION": revision}, tmp_path)
    assert ran.stdout == "install ran\njob ran\n", ran.stderr
    assert not kept.exists()
    assert re.fullmatch(template[0]["spec"]["inputs"]["revision"]["regex"], revision)
    assert _bash(script, {**environ, "TRUEUP_REVISION": "0" * 40}, tmp_path).returncode != 0


def test_an_api_that_stumbles_is_asked_again_and_one_that_refuses_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from trueup_ci.github import GitHub
    from trueup_ci.problem import Problem

    monkeypatch.setattr(time, "sleep", lambda _: None)
    platform = GitHubStandIn()
    with served(platform) as url:
        hub = GitHub(url, "acme/fleet", TOKEN)
        platform.requests[1] = {"head": {"sha": "abc"}}
        platform.trouble = [502, 429, 503]
        assert hub.read_head(1) == "abc"
        platform.trouble = [502] * 4
        with pytest.raises(Problem, match="HTTP 502"):
            hub.read_head(1)
        platform.trouble = [302]
        with pytest.raises(Problem, match="redirected"):
            hub.read_head(1)
        platform.trouble = [403, 0, 500]  # who we are, which comments there are, and then a write that fails
        asked = len(platform.asked)
        with pytest.raises(Problem, match="POST"):
            hub.write_comment(1, "m", "m\n")
        assert [one.method for one in platform.asked[asked:]] == ["GET", "GET", "POST"]
    with pytest.raises(Problem, match="got no response"):
        GitHub("http://127.0.0.1:9", "acme/fleet", TOKEN).read_head(1)


@pytest.mark.parametrize("answer", [b"<html>log in</html>", b"", b"7", b"PK torn", b"{}", b'{"artifacts": 7}'])
def test_an_answer_that_is_not_the_forges_is_one_sentence(
    world: World, monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    """A login page, a proxy's page, a torn archive: told where it stands, with the way on."""
    number = world.request({ALPHA: EDITED})
    planned = world.request_job(number)
    commit = world.merge(number)
    usual = world.platform.answer
    for ending in ("/artifacts", "/zip", "/pulls", f"/{number}/comments"):

        def hostile(asked: Asked, ending: str = ending) -> Answer:
            return (200, answer) if asked.path.endswith(ending) and asked.method == "GET" else usual(asked)

        monkeypatch.setattr(world.platform, "answer", hostile)
        done = world.merge_job(commit)
        assert done.code == 1, done.log
        assert "Traceback" not in done.log
        assert "Trueup in CI: The response to /repos/acme/fleet/" in done.log
        assert "Run the job again later." in done.log or "and run the job again." in done.log
    assert planned.code == 0
