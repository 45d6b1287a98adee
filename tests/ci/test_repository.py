"""State finds its way into a branch: on top of others' commits, merged with others' lines, never over them."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from trueup_ci.problem import Problem
from trueup_ci.repository import Repository

STATE = ".trueup/prod.state.json"
LINES = b'{\n "a": 1,\n\n "b": 1,\n\n "c": 1\n}\n'


def _git(place: Path, *words: str) -> str:
    who = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
    ran = subprocess.run(["git", "-C", str(place), *who, *words], check=True, capture_output=True)
    return ran.stdout.decode("utf-8", "replace").strip()


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    """Make a repository with one commit that holds a state file, a link and a script."""
    place = tmp_path / "origin"
    place.mkdir()
    _git(place, "init", "-q", "-b", "main")
    _git(place, "config", "receive.denyCurrentBranch", "updateInstead")
    _write(place, STATE, LINES)
    (place / "link").symlink_to("/etc/passwd")
    _git(place, "add", "-A")
    _git(place, "commit", "-qm", "One.\n\nTrueup-Ack: 0123456789abcdef\nOther: x\ntrueup-ack: fedcba9876543210")
    return place


def _write(place: Path, path: str, content: bytes) -> None:
    (place / path).parent.mkdir(exist_ok=True)
    (place / path).write_bytes(content)


def _other(origin: Path, path: str, content: bytes) -> None:
    _write(origin, path, content)
    _git(origin, "add", "-A")
    _git(origin, "commit", "-qm", "Somebody else.")


def _repository(tmp_path: Path, origin: Path) -> Repository:
    return Repository(tmp_path / "clone.git", str(origin))


def test_neighbours_lines_are_merged(tmp_path: Path, origin: Path) -> None:
    repository = _repository(tmp_path, origin)
    _other(origin, STATE, LINES.replace(b'"c": 1', b'"c": 2'))
    ours = LINES.replace(b'"a": 1', b'"a": 2')
    made = repository.commit("main", {STATE: LINES}, {STATE: ours}, "State.")
    assert made == _git(origin, "rev-parse", "main")
    assert _git(origin, "show", f"main:{STATE}").encode() + b"\n" == ours.replace(b'"c": 1', b'"c": 2')
    assert _git(origin, "log", "-1", "--format=%an %s") == "Trueup State."


def test_the_same_lines_are_a_persons_to_settle(tmp_path: Path, origin: Path) -> None:
    repository = _repository(tmp_path, origin)
    _other(origin, STATE, LINES.replace(b'"a": 1', b'"a": 3'))
    before = _git(origin, "rev-parse", "main")
    with pytest.raises(Problem, match="The same lines") as caught:
        repository.commit("main", {STATE: LINES}, {STATE: LINES.replace(b'"a": 1', b'"a": 2')}, "State.")
    assert "The changes were applied" in caught.value.hint
    assert _git(origin, "rev-parse", "main") == before


def test_nothing_new_is_no_commit(tmp_path: Path, origin: Path) -> None:
    repository = _repository(tmp_path, origin)
    assert repository.commit("main", {STATE: LINES}, {STATE: LINES}, "State.") is None
    assert repository.commit("main", {}, {STATE: LINES}, "State.") is None


def test_a_branch_that_is_not_there_is_made(tmp_path: Path, origin: Path) -> None:
    repository = _repository(tmp_path, origin)
    assert repository.fetch_branch("trueup-state") is None
    assert repository.commit("trueup-state", {}, {STATE: LINES}, "State.")
    assert _git(origin, "ls-tree", "-r", "--name-only", "trueup-state") == STATE
    assert repository.read_files(repository.fetch_branch("trueup-state"), ".trueup", ".state.json") == {STATE: LINES}


def test_who_may_not_push_is_told_what_to_do(tmp_path: Path, origin: Path) -> None:
    hook = origin / ".git" / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho protected >&2\nexit 1\n", encoding="utf-8")
    hook.chmod(0o755)
    with pytest.raises(Problem, match="could not be pushed to main") as caught:
        _repository(tmp_path, origin).commit("main", {STATE: LINES}, {STATE: b"{}\n"}, "State.")
    assert "set a state branch" in caught.value.hint


def test_a_push_that_comes_in_between_is_no_end(tmp_path: Path, origin: Path) -> None:
    """A hook of the platform lets another commit in just before ours, once."""
    marker = tmp_path / "once"
    hook = origin / ".git" / "hooks" / "pre-receive"
    hook.write_text(
        f"#!/bin/sh\n[ -e {marker} ] && exit 0\ntouch {marker}\nunset GIT_QUARANTINE_PATH GIT_OBJECT_DIRECTORY "
        "GIT_ALTERNATE_OBJECT_DIRECTORIES\n"
        "new=$(git -c user.name=b -c user.email=b@example.com commit-tree main^{tree} -p main -m between)\n"
        "git update-ref refs/heads/main $new\nexit 1\n",
        encoding="utf-8",
    )
    hook.chmod(0o755)
    assert _repository(tmp_path, origin).commit("main", {STATE: LINES}, {STATE: b"{}\n"}, "State.")
    assert _git(origin, "log", "--format=%s", "-3").splitlines() == ["State.", "between", "One."]


def test_trailers_are_read_as_git_reads_them(tmp_path: Path, origin: Path) -> None:
    repository = _repository(tmp_path, origin)
    commit = repository.fetch("refs/heads/main", 1)
    assert repository.read_trailers(commit, "Trueup-Ack") == ["0123456789abcdef", "fedcba9876543210"]
    _git(origin, "commit", "-q", "--allow-empty", "-m", "Two.\n\nTrueup-Ack: 1111111111111111\n\nAnd more text.")
    assert repository.read_trailers(repository.fetch("refs/heads/main", 1), "Trueup-Ack") == []


def test_a_link_becomes_a_file_and_leads_nowhere(tmp_path: Path, origin: Path) -> None:
    repository = _repository(tmp_path, origin)
    place = repository.checkout(repository.fetch("refs/heads/main", 1), tmp_path / "files")
    assert not (place / "link").is_symlink()
    assert (place / "link").read_text() == "/etc/passwd"
    assert repository.read_files(repository.fetch("refs/heads/main", 1), ".", "link") == {}


def test_the_token_is_on_no_command_line_and_for_that_address_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stand-in of git notes how it is called."""
    noted = tmp_path / "noted"
    (tmp_path / "bin").mkdir()
    git = tmp_path / "bin" / "git"
    git.write_text(f'#!/bin/sh\necho "$@" >>{noted}\nenv | grep ^GIT_CONFIG >>{noted}.env\n', encoding="utf-8")
    git.chmod(0o755)
    monkeypatch.setenv("PATH", f"{git.parent}:{os.environ['PATH']}")
    Repository(tmp_path / "clone.git", "https://platform.example/acme/fleet.git", "platform-token-123456").fetch("main")
    assert re.search(
        r"fetch -q --no-tags --depth=\d+ https://platform.example/acme/fleet.git main\n", noted.read_text()
    )
    assert "platform-token" not in noted.read_text()
    settings = Path(f"{noted}.env").read_text()
    assert "http.https://platform.example/acme/fleet.git.extraHeader" in settings
    assert "GIT_CONFIG_GLOBAL=/dev/null" in settings


def test_a_commit_that_is_not_there_is_told(tmp_path: Path, origin: Path) -> None:
    with pytest.raises(Problem, match="could not be fetched"):
        _repository(tmp_path, origin).fetch("0" * 40)


def test_git_takes_the_token_nowhere_it_is_redirected_to(tmp_path: Path) -> None:
    """A stranger's find: behind a redirect of the first request git sent the token with the second."""
    seen: list[tuple[str, str]] = []

    class Elsewhere(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append((self.path, self.headers.get("Authorization") or ""))
            self.send_response(302 if self.path.startswith("/first/") else 404)
            self.send_header("Location", f"http://localhost:{server.server_port}/second/r.git/info/refs")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        address = f"http://127.0.0.1:{server.server_port}/first/r.git"
        with pytest.raises(Problem):
            Repository(tmp_path / "clone.git", address, "ghs_canary").fetch("refs/heads/main")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert seen
    assert all(path.startswith("/first/") for path, _ in seen)


def test_a_message_in_another_encoding_is_read_as_its_bytes_too(tmp_path: Path, origin: Path) -> None:
    """A stranger's find: an author hid a digest in a commit that claims an encoding in which it reads otherwise."""
    said = b"Fix a typo.\n\nTrueup-Ack: 00aa11bb22cc33dd\n"
    who = {**os.environ, **{f"GIT_{one}_{what}": "a" for one in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}}
    made = subprocess.run(
        ["git", "-C", str(origin), "-c", "i18n.commitEncoding=IBM037", "commit-tree", "HEAD^{tree}", "-p", "HEAD"],
        input=said, check=True, capture_output=True, env=who,
    )  # fmt: skip
    _git(origin, "branch", "topic", made.stdout.decode().strip())
    assert "00aa11bb22cc33dd" not in _git(origin, "log", "-1", "--format=%B", "topic")
    assert "00aa11bb22cc33dd" in _repository(tmp_path, origin).read_messages("refs/heads/topic")


def test_what_cancels_a_job_does_not_cut_off_its_push(tmp_path: Path, origin: Path) -> None:
    """A stranger's find: runners signal the whole group, git died of it, and the state was not committed."""
    hook = origin / ".git" / "hooks" / "pre-receive"
    hook.write_text('#!/bin/sh\ntouch "$0.ran"\nsleep 1\n', encoding="utf-8")
    hook.chmod(0o755)
    code = (
        "import signal, sys; from pathlib import Path; from trueup_ci.repository import Repository\n"
        "signal.signal(signal.SIGTERM, lambda *_: None)\n"
        f"repository = Repository(Path({str(tmp_path / 'clone.git')!r}), {str(origin)!r})\n"
        f"print(repository.commit('main', {{{STATE!r}: {LINES!r}}}, {{{STATE!r}: b'new'}}, 'State.'))\n"
    )
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "ci")}
    job = subprocess.Popen([sys.executable, "-c", code], env=environ, stdout=subprocess.PIPE, start_new_session=True)
    deadline = time.monotonic() + 30
    while not hook.with_name("pre-receive.ran").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(job.pid, signal.SIGTERM)
    out = job.communicate(timeout=30)[0].decode().strip()
    assert job.returncode == 0
    assert out == _git(origin, "rev-parse", "main")
