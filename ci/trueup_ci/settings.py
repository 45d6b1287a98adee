"""What the environment says a job is about: target, folder, forge and event. Reads no file but the event's own."""

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
"""What a job can be told to do; empty lets the event decide."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a person wrote into the workflow.

    `state_branch` is where state files are committed, the branch itself where it is empty; `without_plan` is `refuse`
    or `apply`; `acknowledge` is the digest of a plan; `keeps_snapshot`: the drift job also keeps an export for forks.
    `work` is a folder of the job's own, `kept` what becomes its artifact, `bot` who writes comments if it is known.
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
        """Folder and target as one word for names of artifacts, so that projects of one repository stay apart."""
        return quote((PurePosixPath(self.folder) / self.target).as_posix(), safe="")


@dataclass(frozen=True, slots=True)
class Event:
    """What happened. `kind` is request, fork, merge or schedule.

    `commit` is what to look at: of a request what it would come to, of all others a commit of `branch`. `head` is the
    request's own last commit, `number` the request. `url` is the job's page, `address` the repository's for git.
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


def settings_of(environ: Mapping[str, str]) -> Settings:
    """The settings in variables named `TRUEUP_CI_…`. Raises Problem for one that is missing or wrong."""

    def given(name: str, default: str = "") -> str:
        return environ.get(f"TRUEUP_CI_{name}", "").strip() or default

    target = given("TARGET")
    if target in ("", ".", "..") or target.startswith("-"):
        raise Problem("The job has no target.", "Name one of trueup.yaml: `with: {target: prod}`, or TRUEUP_CI_TARGET.")
    command, without = given("COMMAND"), given("WITHOUT_PLAN", "refuse")
    if command and command not in COMMANDS:
        raise Problem(f"There is no command {command!r} for a job.", f"Take one of {', '.join(COMMANDS)}, or none.")
    if without not in ("refuse", "apply"):
        raise Problem(f"without-plan is {without!r}.", "Take refuse or apply.")
    folder = given("FOLDER", ".")
    if Path(folder).is_absolute() or ".." in Path(folder).parts:
        raise Problem(f"The folder {folder!r} is not below the repository's.", "Name it as seen from the repository.")
    acknowledge = given("ACKNOWLEDGE")
    if acknowledge and not is_digest(acknowledge):
        raise Problem("acknowledge is no digest of a plan.", f"Copy {DIGEST} or more of its characters from the plan.")
    work = Path(given("WORK") or environ.get("RUNNER_TEMP", "") or ".")
    summary = environ.get("GITHUB_STEP_SUMMARY", "")
    return Settings(
        target, work, Path(given("KEPT") or work / "trueup-kept"), command, folder, given("STATE_BRANCH"), without,
        acknowledge, given("SNAPSHOT").lower() == "true", given("TOKEN"), given("BOT"),
        Path(summary) if summary else None,
    )  # fmt: skip


def is_digest(text: str) -> bool:
    """Whether a text can be the beginning of a plan's digest that is long enough to acknowledge it."""
    return DIGEST <= len(text) <= 64 and all(letter in "0123456789abcdef" for letter in text)


def needed(environ: Mapping[str, str], name: str) -> str:
    """A variable that every job of a forge has. Raises Problem where it is missing."""
    value = environ.get(name, "")
    if not value:
        raise Problem(f"{name} is not set, so this is no job that is understood here.", "See docs/ci.md.")
    return value


def event_of_github(environ: Mapping[str, str]) -> Event:
    """The event of a job of GitHub Actions. Raises Problem for one that nothing is to be done for."""
    payload = _payload(needed(environ, "GITHUB_EVENT_PATH"))
    name, repository = needed(environ, "GITHUB_EVENT_NAME"), needed(environ, "GITHUB_REPOSITORY")
    server = needed(environ, "GITHUB_SERVER_URL")
    url = f"{server}/{repository}/actions/runs/{needed(environ, 'GITHUB_RUN_ID')}"
    branch = environ.get("GITHUB_REF_NAME", "") if environ.get("GITHUB_REF_TYPE", "branch") == "branch" else ""
    base = Event("merge", needed(environ, "GITHUB_SHA"), branch, repository, url, f"{server}/{repository}.git")
    if name == "pull_request":
        request = payload["pull_request"]
        fork = (request["head"]["repo"] or {}).get("full_name") != repository
        return _with(base, "request", request["number"], request["head"]["sha"], request["base"]["ref"], is_fork=fork)
    if name == "workflow_run":
        run = payload["workflow_run"]
        if run["event"] != "pull_request" or (run["head_repository"] or {}).get("full_name") == repository:
            raise Problem("That run was for no request of a fork.", "There is nothing to say here.")
        return _with(base, "fork", 0, run["head_sha"], payload["repository"]["default_branch"], is_fork=True)
    if name in ("schedule", "workflow_dispatch", "push"):
        return _with(base, "schedule" if name == "schedule" else "merge", 0, "", base.branch)
    raise Problem(f"The event {name} has no meaning here.", "Use pull_request, push, schedule or workflow_dispatch.")


def event_of_gitlab(environ: Mapping[str, str]) -> Event:
    """The event of a job of GitLab CI. Raises Problem."""
    source, commit = needed(environ, "CI_PIPELINE_SOURCE"), needed(environ, "CI_COMMIT_SHA")
    project = needed(environ, "CI_PROJECT_PATH")
    base = Event(
        "merge", commit, environ.get("CI_COMMIT_BRANCH", ""), project, environ.get("CI_JOB_URL", ""),
        f"{needed(environ, 'CI_SERVER_URL')}/{project}.git",
    )  # fmt: skip
    if source != "merge_request_event":
        return _with(base, "schedule" if source == "schedule" else "merge", 0, "", base.branch)
    fork = environ.get("CI_MERGE_REQUEST_SOURCE_PROJECT_ID", "") != environ.get("CI_MERGE_REQUEST_PROJECT_ID", "")
    head = environ.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", "") or commit
    branch, number = needed(environ, "CI_MERGE_REQUEST_TARGET_BRANCH_NAME"), needed(environ, "CI_MERGE_REQUEST_IID")
    return _with(base, "request", int(number), head, branch, is_fork=fork)


def _with(base: Event, kind: str, number: int, head: str, branch: str, *, is_fork: bool = False) -> Event:
    return Event(kind, base.commit, branch, base.repository, base.url, base.address, number, head, is_fork)


def _payload(path: str) -> Any:
    return json.loads(Path(path).read_text(encoding="utf-8"))
