"""Read the environment, run the job and return its exit code."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path

from trueup_ci import merge, pull_request, texts, watch
from trueup_ci.github import GitHub
from trueup_ci.gitlab import GitLab
from trueup_ci.job import Job, make_workplace
from trueup_ci.platform import Platform
from trueup_ci.problem import Cancelled, Problem, unforeseen
from trueup_ci.repository import Repository
from trueup_ci.settings import Event, Settings, read_github_event, read_gitlab_event, read_settings, require_variable
from trueup_ci.tool import CANCELLED, handle_signals

FAILED = 1


def main(environ: Mapping[str, str]) -> int:
    """Run the job that the environment describes and return its exit code; problems are printed before it returns."""
    try:
        settings = read_settings(environ)
        is_github = environ.get("GITHUB_ACTIONS") == "true"
        event = read_github_event(environ) if is_github else read_gitlab_event(environ)
        _name_artifact(settings, event, environ)
        with handle_signals(_cancel):
            return _run_job(_make_job(settings, event, environ, is_github=is_github))
    except Problem as problem:
        _print_problem(problem)
        return FAILED
    except Cancelled:
        print("Trueup in CI: cancelled; nothing was applied.", file=sys.stderr)
        return CANCELLED
    except Exception as error:
        traceback.print_tb(error.__traceback__)  # the place alone: an error's words may hold anything
        _print_problem(unforeseen(error))
        return FAILED


def _cancel(_number: int) -> None:
    raise Cancelled


def _print_problem(problem: Problem) -> None:
    """Print a problem, and before it the problem that was being handled when it came up."""
    if isinstance(problem.__context__, Problem) and not problem.__suppress_context__:
        _print_problem(problem.__context__)
    print(f"Trueup in CI: {problem.message} {problem.hint}".strip(), file=sys.stderr)


def _make_job(settings: Settings, event: Event, environ: Mapping[str, str], *, is_github: bool) -> Job:
    platform: Platform
    if is_github:
        platform = GitHub(require_variable(environ, "GITHUB_API_URL"), event.repository, settings.token, settings.bot)
        user = "x-access-token"
    else:
        branch = require_variable(environ, "CI_DEFAULT_BRANCH")
        platform = GitLab(require_variable(environ, "CI_API_V4_URL"), event.repository, settings.token, branch)
        user = "oauth2"
    place = make_workplace(settings)
    address = environ.get("TRUEUP_CI_ADDRESS", "") or event.address
    job_token = "" if is_github else environ.get("CI_JOB_TOKEN", "")
    if not settings.token and job_token:
        user = "gitlab-ci-token"
    repository = Repository(place / "git", address, settings.token or job_token, user)
    return Job(settings, event, platform, repository, place, environ)


def _name_artifact(settings: Settings, event: Event, environ: Mapping[str, str]) -> None:
    """Write the name and the folder of the artifact for the workflow, before anything can fail."""
    if "GITHUB_OUTPUT" not in environ:
        return
    kind = _kind(settings, event)
    which = event.head if event.kind == "pull_request" else environ.get("GITHUB_RUN_ATTEMPT", "1")
    with Path(environ["GITHUB_OUTPUT"]).open("a", encoding="utf-8") as file:
        file.write(f"artifact=trueup-{kind}-{settings.slug}-{which}\nkept={settings.kept / settings.slug}\n")


def _kind(settings: Settings, event: Event) -> str:
    """Return what the job does: plan, apply or drift."""
    if event.kind in ("pull_request", "fork"):
        return "plan"
    return settings.command or ("drift" if event.kind == "schedule" else "apply")


def _run_job(job: Job) -> int:
    """Run the job if its event is about the default branch: nobody reviewed the content of others."""
    branch = job.platform.read_default_branch()
    if job.event.branch != branch:
        own = texts.code_span(job.event.branch) if job.event.branch else "no branch"
        raise Problem(
            f"This job runs for {own}; Trueup plans, applies and checks drift for the default branch only, "
            f"{texts.code_span(branch)}.",
            "Limit the workflow to that branch and to pull requests into it.",
        )
    if job.event.kind in ("pull_request", "fork"):
        return pull_request.plan_fork(job) if job.event.kind == "fork" else pull_request.plan_pull_request(job)
    does = {"plan": merge.plan_branch, "apply": merge.apply_merge, "drift": watch.check_drift}
    return does[_kind(job.settings, job.event)](job)


if __name__ == "__main__":
    sys.exit(main(os.environ))
