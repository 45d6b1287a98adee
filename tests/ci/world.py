"""A company's repository, its platform and its vendor, and the jobs that its events start, in one folder."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from trueup_ci.__main__ import main

from tests.ci.platforms import READ_ONLY, TOKEN, Platform
from trueup.core.call import Call
from trueup.local.openai_assistants import Server

KEY = "sk-canary-123456"
RUNS = itertools.count(1)
ALPHA = "assistants/alpha.yaml"
BETA = "assistants/beta.yaml"
SETTINGS = """[user]
\tname = Ann
\temail = ann@example.com
[core]
\trepositoryformatversion = 0
\tfsync = none
\tlogAllRefUpdates = false
[commit]
\tgpgsign = false
[gc]
\tauto = 0
[maintenance]
\tauto = false
[receive]
\tautogc = false
"""
"""Git's settings in both repositories; without upkeep and sync, since no world lives long."""


@dataclass(frozen=True)
class Done:
    """How a job ended: its code, its log, the folder of what it kept, and its summary."""

    code: int
    log: str
    kept: Path
    summary: str

    def json(self, name: str) -> Any:
        """Return a document that it kept."""
        return json.loads((self.kept / name).read_text(encoding="utf-8"))


@dataclass
class World:
    """Everything that a job meets."""

    root: Path
    vendor: Server
    address: str
    platform: Platform
    capfd: pytest.CaptureFixture[str]
    more: dict[str, str] = field(default_factory=dict)
    state: str = "file"

    @property
    def origin(self) -> Path:
        """The repository at the platform."""
        return self.root / "origin.git"

    @property
    def clone(self) -> Path:
        """A person's checkout."""
        return self.root / "clone"

    def begin(self) -> World:
        """Two assistants on main, applied."""
        self.root.mkdir(exist_ok=True)
        for place in ("--bare", self.origin), (self.clone,):
            subprocess.run(["git", "init", "-q", "--template=", "-b", "main", *map(str, place)], check=True)
        self.settle_git()
        self.write("trueup.yaml", self.project_file())
        self.write(ALPHA, "model: gpt-4.1\ninstructions: Say A.\n")
        self.write(BETA, "model: gpt-4.1\ninstructions: Say B.\n")
        self.commit("The first two.")
        self.git("push", "-q", "origin", "main")
        done = self.merge_job(self.tip(), more={"TRUEUP_CI_WITHOUT_PLAN": "apply"})
        assert done.code == 0, done.log
        return self

    def project_file(self, url: str = "", more: str = "") -> str:
        """Return the text of trueup.yaml."""
        lines = ["project: acme", "targets:", "  prod:", f"    base_url: {url or self.address}"]
        return "\n".join([*lines, f"    state: {self.state}", "    api_key: {env: ASSISTANTS_KEY}", more, ""])

    def settle_git(self) -> None:
        """Give both repositories their settings; the checkout reads the platform's objects without a fetch."""
        (self.origin / "config").write_text(f"{SETTINGS}[core]\n\tbare = true\n", encoding="utf-8")
        remote = f'[remote "origin"]\n\turl = {self.origin}\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n'
        (self.clone / ".git/config").write_text(f"{SETTINGS}[core]\n\tbare = false\n{remote}", encoding="utf-8")
        (self.origin / "hooks").mkdir(exist_ok=True)
        alternates = self.clone / ".git/objects/info/alternates"
        alternates.write_text(f"{self.origin / 'objects'}\n", encoding="utf-8")

    def git(self, *words: str, feed: str | None = None) -> str:
        """Git in the person's checkout."""
        return self._run_git(self.clone, words, feed)

    def _run_git(self, place: Path, words: tuple[str, ...], feed: str | None = None) -> str:
        ran = subprocess.run(["git", *words], cwd=place, capture_output=True, text=True, check=True, input=feed)
        return ran.stdout.strip()

    def _merge_at_platform(self, head: str, ref: str, message: str) -> str:
        """Make the merge commit of main and a head, under a ref of the platform."""
        base = self.tip()
        tree = self._run_git(self.origin, ("merge-tree", "--write-tree", base, head)).splitlines()[0]
        words = ("commit-tree", tree, "-p", base, "-p", head, "-F", "-")
        made = self._run_git(self.origin, words, message)
        self._run_git(self.origin, ("update-ref", ref, made))
        return made

    def write(self, path: str, text: str | None) -> None:
        """Write or remove a file of the checkout."""
        place = self.clone / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            place.unlink()
        else:
            place.write_text(text, encoding="utf-8")

    def commit(self, message: str) -> str:
        """Commit everything."""
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)
        return self.git("rev-parse", "HEAD")

    def tip(self, branch: str = "main") -> str:
        """Return the last commit of a branch at the platform."""
        return self._run_git(self.origin, ("for-each-ref", "--format=%(objectname)", f"refs/heads/{branch}"))

    def at_main(self) -> None:
        """Check out the newest main."""
        self.git("checkout", "-q", "-B", "main", self.tip())

    def request(self, edits: Mapping[str, str | None], *, fork: bool = False, message: str = "An edit.") -> int:
        """Open a pull request with these files."""
        number = self.platform.number()
        self.git("checkout", "-q", "-B", f"topic-{number}", self.tip())
        for path, text in edits.items():
            self.write(path, text)
        head = self.commit(message)
        place = f"refs/pull/{number}/head" if fork else f"refs/heads/topic-{number}"
        self.git("push", "-q", "origin", f"+HEAD:{place}")
        self.platform.requests[number] = {
            "number": number, "iid": number, "open": True, "state": "opened", "merged_at": None, "sha": head,
            "merge_commit_sha": None, "source_project_id": 2 if fork else 1, "target_project_id": 1,
            "head": {"sha": head, "repo": {"full_name": "eve/fleet" if fork else "acme/fleet"}},
            "base": {"ref": "main"}, "target_branch": "main",
        }  # fmt: skip
        return number

    def proposed(self, number: int) -> str:
        """Make the merge commit that the platform shows of a pull request, and return it."""
        head = str(self.platform.requests[number]["head"]["sha"])
        return self._merge_at_platform(head, f"refs/pull/{number}/merge", "merge")

    def merge(self, number: int, message: str = "Merge.") -> str:
        """Merge a pull request; return the commit."""
        request = self.platform.requests[number]
        made = self._merge_at_platform(request["head"]["sha"], "refs/heads/main", message)
        request.update(open=False, state="merged", merged_at="2026-11-21", merge_commit_sha=made)
        return made

    # Jobs ------------------------------------------------------------------------------------------------------------

    def request_job(self, number: int, more: Mapping[str, str] | None = None, commit: str = "") -> Done:
        """Run the job of `pull_request`; a fork's has no secret and a token that only reads."""
        request = self.platform.requests[number]
        is_fork = request["head"]["repo"]["full_name"] != "acme/fleet"
        event = {"pull_request": {**request, "base": {"ref": "main"}}}
        secret = {} if is_fork else {"ASSISTANTS_KEY": KEY}
        token = READ_ONLY if is_fork else TOKEN
        given = {"TRUEUP_CI_TOKEN": token, **secret, **(more or {})}
        sha = commit or self.proposed(number)
        return self._job("pull_request", sha, event, given, request["head"]["sha"], f"topic-{number}", fork=is_fork)

    def fork_job(self, number: int) -> Done:
        """Run the job of `workflow_run` behind a fork's: the default branch's own, without a secret of the company."""
        request = self.platform.requests[number]
        run = {"event": "pull_request", "head_sha": request["head"]["sha"], "head_repository": request["head"]["repo"]}
        event = {"workflow_run": run, "repository": {"default_branch": "main"}}
        return self._job("workflow_run", self.tip(), event, {"TRUEUP_CI_TOKEN": TOKEN}, self.tip(), "main")

    def merge_job(self, commit: str, more: Mapping[str, str] | None = None) -> Done:
        """Run the job of `push` to main."""
        given = {"TRUEUP_CI_TOKEN": TOKEN, "ASSISTANTS_KEY": KEY, **(more or {})}
        return self._job("push", commit, {}, given, commit, "main")

    def schedule_job(self, more: Mapping[str, str] | None = None) -> Done:
        """Run the job of `schedule`."""
        given = {"TRUEUP_CI_TOKEN": TOKEN, "ASSISTANTS_KEY": KEY, **(more or {})}
        return self._job("schedule", self.tip(), {}, given, self.tip(), "main")

    def environ(self, name: str, sha: str, place: Path, event: Path) -> dict[str, str]:
        """Return the variables that GitHub sets."""
        plain = {key: value for key, value in os.environ.items() if key in ("PATH", "HOME", "LANG", "LC_ALL")}
        return {
            **plain, "CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": name, "GITHUB_SHA": sha,
            "GITHUB_EVENT_PATH": str(event), "GITHUB_REPOSITORY": "acme/fleet", "GITHUB_RUN_ID": str(next(RUNS)),
            "GITHUB_RUN_ATTEMPT": "1", "GITHUB_SERVER_URL": "https://platform.example", "GITHUB_REF_NAME": "main",
            "GITHUB_API_URL": self.platform.url, "GITHUB_OUTPUT": str(place / "output"), "RUNNER_TEMP": str(place),
            "GITHUB_STEP_SUMMARY": str(place / "summary"), "TRUEUP_CI_TARGET": "prod",
            "TRUEUP_CI_ADDRESS": str(self.origin), **self.more,
        }  # fmt: skip

    def _job(
        self, name: str, sha: str, event: Any, given: Mapping[str, str], head: str, branch: str, *, fork: bool = False
    ) -> Done:
        place = self.root / f"run-{next(RUNS)}"
        place.mkdir()
        (place / "event.json").write_text(json.dumps(event), encoding="utf-8")
        environ = self.environ(name, sha, place, place / "event.json") | dict(given)
        self.capfd.readouterr()
        code = main(environ)
        said = self.capfd.readouterr()
        told = dict(line.split("=", 1) for line in (place / "output").read_text().splitlines())
        kept = Path(told["kept"])
        if kept.is_dir():
            self.platform.upload(told["artifact"], kept, head, branch, fork=fork)
        shutil.rmtree(next(iter(place.glob("trueup-job-*"))), ignore_errors=True)
        summary = place / "summary"
        return Done(code, said.out + said.err, kept, summary.read_text("utf-8") if summary.exists() else "")

    # Live ------------------------------------------------------------------------------------------------------------

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Send a request of somebody else to the vendor."""
        reply = self.vendor.answer(Call(method, path, {"limit": "100"} if path == "/assistants" else {}, body))
        assert reply.status == 200, reply.text
        return reply.json

    def arm(self, **fault: Any) -> None:
        """Lets a request at the vendor fail."""
        url = self.address.removesuffix("/v1")
        reply = httpx.post(f"{url}/_control/faults", json=[fault], headers={"Authorization": f"Bearer {KEY}"})
        assert reply.status_code == 200, reply.text

    def live(self) -> dict[str, dict[str, Any]]:
        """Return what is live, by display name."""
        return {entry["name"]: entry for entry in self.ask("GET", "/assistants")["data"]}

    def says(self, name: str) -> str:
        """Return the instructions of a live assistant."""
        return str(self.live()[name]["instructions"])

    def comment(self, number: int, kind: str) -> str:
        """Return the one comment of a kind on a pull request."""
        (found,) = [
            entry["body"] for entry in self.platform.comments.get(number, []) if f"/prod {kind} -->" in entry["body"]
        ]
        return str(found)
