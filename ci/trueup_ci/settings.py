"""Read the settings and the event of a job from the environment, and from no file but the event's own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

from trueup_ci.problem import Problem

DIGEST = 16
"""Characters of a plan's digest that acknowledge it, at least."""

COMMANDS = ("plan", "apply", "drift")
"""The commands of a job; the event decides if none is given."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The inputs of the workflow.

    `state_branch` is where state files are committed; empty for the branch itself; `without_plan` is `refuse`
    or `apply`; `acknowledge` is the digest of a plan; `keeps_snapshot`: the drift job also keeps an export for forks.
    `work` is a folder of the job's own, `kept` becomes its artifact, `bot` is the author of comments if it is known.
    """

    target: str
    work: Path
    kept: Path
    command: str = ""
    folder: str = "."
    state_branch: str = ""
    without_plan: str = "refuse"
    acknowledge: str = ""
    keeps_snapshot: bool = False
    token: str = ""
    bot: str = ""
    summary: Path | None = None

    @property
    def slug(self) -> str:
        """Return folder and target as one word for names of artifacts; projects of one repository stay apart."""
        return quote((PurePosixPath(self.folder) / self.target).as_posix(), safe="")


@dataclass(frozen=True, slots=True)
class Event:
    """What started the job. `kind` is pull_request, fork, merge or schedule.

    `commit` is the merge of a pull request, else a commit of `branch`. `head` is the last commit of the pull request
    `number`. `url` is the job's page, `address` the repository's for git.
    """

    kind: str
    commit: str
    branch: str
    repository: str
    url: str
    address: str
    number: int = 0
    head: str = ""
    is_fork: bool = False


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Read the settings from variables named `TRUEUP_CI_…`. Raises Problem for one that is missing or wrong."""

    def given(name: str, default: str = "") -> str:
        return environ.get(f"TRUEUP_CI_{name}", "").strip() or default

    target = given("TARGET")
    if target in ("", ".", "..") or target.startswith("-"):
        raise Problem(
            "The job has no target.", "Set a target of trueup.yaml: `with: {target: prod}`, or TRUEUP_CI_TARGET."
        )
    command, without = given("COMMAND"), given("WITHOUT_PLAN", "refuse")
    if command and command not in COMMANDS:
        raise Problem(f"The command {command!r} is unknown.", f"Use one of {', '.join(COMMANDS)}, or none.")
    if without not in ("refuse", "apply"):
        raise Problem(f"without-plan is {without!r}.", "Use refuse or apply.")
    folder = given("FOLDER", ".")
    if Path(folder).is_absolute() or ".." in Path(folder).parts:
        raise Problem(f"The folder {folder!r} is outside the repository.", "Use a path relative to the repository.")
    acknowledge = given("ACKNOWLEDGE")
    if acknowledge and not is_digest(acknowledge):
        raise Problem(
            "acknowledge is not the digest of a plan.", f"Copy at least {DIGEST} of its characters from the plan."
        )
    work = Path(given("WORK") or environ.get("RUNNER_TEMP", "") or ".")
    summary = environ.get("GITHUB_STEP_SUMMARY", "")
    return Settings(
        target, work, Path(given("KEPT") or work / "trueup-kept"), command, folder, given("STATE_BRANCH"), without,
        acknowledge, given("SNAPSHOT").lower() == "true", given("TOKEN"), given("BOT"),
        Path(summary) if summary else None,
    )  # fmt: skip


def is_digest(text: str) -> bool:
    """Return whether a text can be the start of a plan's digest, long enough to acknowledge it."""
    return DIGEST <= len(text) <= 64 and all(letter in "0123456789abcdef" for letter in text)


def require_variable(environ: Mapping[str, str], name: str) -> str:
    """Return a variable that every CI job has. Raises Problem if it is missing."""
    value = environ.get(name, "")
    if not value:
        raise Problem(f"{name} is not set: this is not a job of GitHub Actions or GitLab CI.", "See docs/ci.md.")
    return value


def read_github_event(environ: Mapping[str, str]) -> Event:
    """Read the event of a job of GitHub Actions. Raises Problem for an event that needs no job."""
    payload = _payload(require_variable(environ, "GITHUB_EVENT_PATH"))
    name, repository = require_variable(environ, "GITHUB_EVENT_NAME"), require_variable(environ, "GITHUB_REPOSITORY")
    server = require_variable(environ, "GITHUB_SERVER_URL")
    url = f"{server}/{repository}/actions/runs/{require_variable(environ, 'GITHUB_RUN_ID')}"
    branch = environ.get("GITHUB_REF_NAME", "") if environ.get("GITHUB_REF_TYPE", "branch") == "branch" else ""
    base = Event(
        "merge", require_variable(environ, "GITHUB_SHA"), branch, repository, url, f"{server}/{repository}.git"
    )
    if name == "pull_request":
        request = payload["pull_request"]
        fork = (request["head"]["repo"] or {}).get("full_name") != repository
        return _with(
            base, "pull_request", request["number"], request["head"]["sha"], request["base"]["ref"], is_fork=fork
        )
    if name == "workflow_run":
        run = payload["workflow_run"]
        if run["event"] != "pull_request" or (run["head_repository"] or {}).get("full_name") == repository:
            raise Problem("That run was not for a pull request of a fork.", "Nothing is reported.")
        return _with(base, "fork", 0, run["head_sha"], payload["repository"]["default_branch"], is_fork=True)
    if name in ("schedule", "workflow_dispatch", "push"):
        return _with(base, "schedule" if name == "schedule" else "merge", 0, "", base.branch)
    raise Problem(f"The event {name} is not supported.", "Use pull_request, push, schedule or workflow_dispatch.")


def read_gitlab_event(environ: Mapping[str, str]) -> Event:
    """Read the event of a job of GitLab CI. Raises Problem."""
    source, commit = require_variable(environ, "CI_PIPELINE_SOURCE"), require_variable(environ, "CI_COMMIT_SHA")
    project = require_variable(environ, "CI_PROJECT_PATH")
    base = Event(
        "merge", commit, environ.get("CI_COMMIT_BRANCH", ""), project, environ.get("CI_JOB_URL", ""),
        f"{require_variable(environ, 'CI_SERVER_URL')}/{project}.git",
    )  # fmt: skip
    if source != "merge_request_event":
        return _with(base, "schedule" if source == "schedule" else "merge", 0, "", base.branch)
    fork = environ.get("CI_MERGE_REQUEST_SOURCE_PROJECT_ID", "") != environ.get("CI_MERGE_REQUEST_PROJECT_ID", "")
    head = environ.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", "") or commit
    branch, number = (
        require_variable(environ, "CI_MERGE_REQUEST_TARGET_BRANCH_NAME"),
        require_variable(environ, "CI_MERGE_REQUEST_IID"),
    )
    return _with(base, "pull_request", int(number), head, branch, is_fork=fork)


def _with(base: Event, kind: str, number: int, head: str, branch: str, *, is_fork: bool = False) -> Event:
    return Event(kind, base.commit, branch, base.repository, base.url, base.address, number, head, is_fork)


def _payload(path: str) -> Any:
    return json.loads(Path(path).read_text(encoding="utf-8"))
