"""A company's repository with a forge and a vendor beside it, and the jobs that its events start. All in one folder."""

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

from tests.ci.forges import READ_ONLY, TOKEN, Forge
from trueup.core.call import Call
from trueup.local.openai_assistants import Server

KEY = "sk-canary-123456"
RUNS = itertools.count(1)
ALPHA = "assistants/alpha.yaml"
BETA = "assistants/beta.yaml"


@dataclass(frozen=True)
class Done:
    """How a job ended: its code, its log, the folder of what it kept, and its summary."""

    code: int
    log: str
    kept: Path
    summary: str

    def json(self, name: str) -> Any:
        """A document that it kept."""
        return json.loads((self.kept / name).read_text(encoding="utf-8"))


@dataclass
class World:
    """Everything that a job meets."""

    root: Path
    vendor: Server
    address: str
    forge: Forge
    capfd: pytest.CaptureFixture[str]
    more: dict[str, str] = field(default_factory=dict)
    state: str = "file"

    @property
    def origin(self) -> Path:
        """The repository at the forge."""
        return self.root / "origin.git"

    @property
    def clone(self) -> Path:
        """A person's checkout."""
        return self.root / "clone"

    def begin(self) -> World:
        """Two assistants on main, applied."""
        self.root.mkdir(exist_ok=True)
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(self.origin)], check=True)
        subprocess.run(["git", "init", "-q", "-b", "main", str(self.clone)], check=True)
        self.git("remote", "add", "origin", str(self.origin))
        self.write("trueup.yaml", self.project_file())
        self.write(ALPHA, "model: gpt-4.1\ninstructions: Say A.\n")
        self.write(BETA, "model: gpt-4.1\ninstructions: Say B.\n")
        self.commit("The first two.")
        self.git("push", "-q", "origin", "main")
        done = self.merge_job(self.tip(), more={"TRUEUP_CI_WITHOUT_PLAN": "apply"})
        assert done.code == 0, done.log
        return self

    def project_file(self, url: str = "", more: str = "") -> str:
        """The text of trueup.yaml."""
        lines = ["project: acme", "targets:", "  prod:", f"    base_url: {url or self.address}"]
        return "\n".join([*lines, f"    state: {self.state}", "    api_key: {env: ASSISTANTS_KEY}", more, ""])

    def git(self, *words: str, feed: str | None = None) -> str:
        """Git in the person's checkout."""
        who = ["-c", "user.name=Ann", "-c", "user.email=ann@example.com", "-c", "commit.gpgsign=false"]
        ran = subprocess.run(
            ["git", *who, *words], cwd=self.clone, capture_output=True, text=True, check=True, input=feed
        )
        return ran.stdout.strip()

    def write(self, path: str, text: str | None) -> None:
        """Writes or removes a file of the checkout."""
        place = self.clone / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            place.unlink()
        else:
            place.write_text(text, encoding="utf-8")

    def commit(self, message: str) -> str:
        """Commits everything."""
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)
        return self.git("rev-parse", "HEAD")

    def tip(self, branch: str = "main") -> str:
        """The last commit of a branch at the forge."""
        return self.git("ls-remote", "origin", f"refs/heads/{branch}").split("\t")[0]

    def at_main(self) -> None:
        """The checkout at the newest main."""
        self.git("fetch", "-q", "origin", "main")
        self.git("checkout", "-q", "-B", "main", "FETCH_HEAD")

    def request(self, edits: Mapping[str, str | None], *, fork: bool = False, message: str = "An edit.") -> int:
        """Opens a request with these files."""
        number = self.forge.number()
        self.at_main()
        self.git("checkout", "-q", "-B", f"topic-{number}")
        for path, text in edits.items():
            self.write(path, text)
        head = self.commit(message)
        place = f"refs/pull/{number}/head" if fork else f"refs/heads/topic-{number}"
        self.git("push", "-q", "origin", f"+HEAD:{place}")
        self.forge.requests[number] = {
            "number": number, "iid": number, "open": True, "state": "opened", "merged_at": None, "sha": head,
            "merge_commit_sha": None, "source_project_id": 2 if fork else 1, "target_project_id": 1,
            "head": {"sha": head, "repo": {"full_name": "eve/fleet" if fork else "acme/fleet"}},
            "base": {"ref": "main"}, "target_branch": "main",
        }  # fmt: skip
        return number

    def proposed(self, number: int) -> str:
        """The merge commit that the forge makes of a request, to be looked at."""
        head, base = self.forge.requests[number]["head"]["sha"], self.tip()
        self.git("fetch", "-q", "origin", "main")
        tree = self.git("merge-tree", "--write-tree", base, head).splitlines()[0]
        made = self.git("commit-tree", tree, "-p", base, "-p", head, "-m", "merge")
        self.git("push", "-q", "-f", "origin", f"{made}:refs/pull/{number}/merge")
        return made

    def merge(self, number: int, message: str = "Merge.") -> str:
        """Merges a request; the commit."""
        request = self.forge.requests[number]
        head, base = request["head"]["sha"], self.tip()
        self.git("fetch", "-q", "origin", "main")
        tree = self.git("merge-tree", "--write-tree", base, head).splitlines()[0]
        made = self.git("commit-tree", tree, "-p", base, "-p", head, "-F", "-", feed=message)
        self.git("push", "-q", "origin", f"{made}:refs/heads/main")
        request.update(open=False, state="merged", merged_at="2026-11-21", merge_commit_sha=made)
        return made

    # Jobs ------------------------------------------------------------------------------------------------------------

    def request_job(self, number: int, more: Mapping[str, str] | None = None, commit: str = "") -> Done:
        """The job of `pull_request`; a fork's has no secret and a token that only reads."""
        request = self.forge.requests[number]
        is_fork = request["head"]["repo"]["full_name"] != "acme/fleet"
        event = {"pull_request": {**request, "base": {"ref": "main"}}}
        secret = {} if is_fork else {"ASSISTANTS_KEY": KEY}
        token = READ_ONLY if is_fork else TOKEN
        given = {"TRUEUP_CI_TOKEN": token, **secret, **(more or {})}
        sha = commit or self.proposed(number)
        return self._job("pull_request", sha, event, given, request["head"]["sha"], f"topic-{number}", fork=is_fork)

    def fork_job(self, number: int) -> Done:
        """The job of `workflow_run` behind a fork's: the default branch's own, without a secret of the company."""
        request = self.forge.requests[number]
        run = {"event": "pull_request", "head_sha": request["head"]["sha"], "head_repository": request["head"]["repo"]}
        event = {"workflow_run": run, "repository": {"default_branch": "main"}}
        return self._job("workflow_run", self.tip(), event, {"TRUEUP_CI_TOKEN": TOKEN}, self.tip(), "main")

    def merge_job(self, commit: str, more: Mapping[str, str] | None = None) -> Done:
        """The job of `push` to main."""
        given = {"TRUEUP_CI_TOKEN": TOKEN, "ASSISTANTS_KEY": KEY, **(more or {})}
        return self._job("push", commit, {}, given, commit, "main")

    def schedule_job(self, more: Mapping[str, str] | None = None) -> Done:
        """The job of `schedule`."""
        given = {"TRUEUP_CI_TOKEN": TOKEN, "ASSISTANTS_KEY": KEY, **(more or {})}
        return self._job("schedule", self.tip(), {}, given, self.tip(), "main")

    def environ(self, name: str, sha: str, place: Path, event: Path) -> dict[str, str]:
        """What GitHub sets."""
        plain = {key: value for key, value in os.environ.items() if key in ("PATH", "HOME", "LANG", "LC_ALL")}
        return {
            **plain, "CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": name, "GITHUB_SHA": sha,
            "GITHUB_EVENT_PATH": str(event), "GITHUB_REPOSITORY": "acme/fleet", "GITHUB_RUN_ID": str(next(RUNS)),
            "GITHUB_RUN_ATTEMPT": "1", "GITHUB_SERVER_URL": "https://forge.example", "GITHUB_REF_NAME": "main",
            "GITHUB_API_URL": self.forge.url, "GITHUB_OUTPUT": str(place / "output"), "RUNNER_TEMP": str(place),
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
            self.forge.upload(told["artifact"], kept, head, branch, fork=fork)
        shutil.rmtree(next(iter(place.glob("trueup-job-*"))), ignore_errors=True)
        summary = place / "summary"
        return Done(code, said.out + said.err, kept, summary.read_text("utf-8") if summary.exists() else "")

    # Live ------------------------------------------------------------------------------------------------------------

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """A request of somebody else at the vendor."""
        reply = self.vendor.answer(Call(method, path, {"limit": "100"} if path == "/assistants" else {}, body))
        assert reply.status == 200, reply.text
        return reply.json

    def arm(self, **fault: Any) -> None:
        """Lets a request at the vendor fail."""
        url = self.address.removesuffix("/v1")
        reply = httpx.post(f"{url}/_control/faults", json=[fault], headers={"Authorization": f"Bearer {KEY}"})
        assert reply.status_code == 200, reply.text

    def live(self) -> dict[str, dict[str, Any]]:
        """What is live, by display name."""
        return {entry["name"]: entry for entry in self.ask("GET", "/assistants")["data"]}

    def says(self, name: str) -> str:
        """The instructions of a live assistant."""
        return str(self.live()[name]["instructions"])

    def comment(self, number: int, kind: str) -> str:
        """The one comment of a kind on a request."""
        (found,) = [
            entry["body"] for entry in self.forge.comments.get(number, []) if f"/prod {kind} -->" in entry["body"]
        ]
        return str(found)
