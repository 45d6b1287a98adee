"""The job's beginning and end: from the environment to what is to be done, and to an exit code."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path

from trueup_ci import merge, request, texts, watch
from trueup_ci.forge import Forge
from trueup_ci.github import GitHub
from trueup_ci.gitlab import GitLab
from trueup_ci.job import Job, workplace
from trueup_ci.problem import Cancelled, Problem, unforeseen
from trueup_ci.repository import Repository
from trueup_ci.settings import Event, Settings, event_of_github, event_of_gitlab, needed, settings_of
from trueup_ci.tool import CANCELLED, answering

FAILED = 1


def main(environ: Mapping[str, str]) -> int:
    """Does what the environment asks for and returns the exit code; what went wrong has been told when it returns."""
    try:
        settings = settings_of(environ)
        is_github = environ.get("GITHUB_ACTIONS") == "true"
        event = event_of_github(environ) if is_github else event_of_gitlab(environ)
        _tell_artifact(settings, event, environ)
        with answering(_cancel):
            return _done(_job(settings, event, environ, is_github=is_github))
    except Problem as problem:
        _tell(problem)
        return FAILED
    except Cancelled:
        print("Trueup in CI: cancelled; nothing was applied.", file=sys.stderr)
        return CANCELLED
    except Exception as error:
        traceback.print_tb(error.__traceback__)  # the place alone: an error's words may hold anything
        _tell(unforeseen(error))
        return FAILED


def _cancel(_number: int) -> None:
    raise Cancelled


def _tell(problem: Problem) -> None:
    """Says what is wrong, and before it what was wrong already when that happened."""
    if isinstance(problem.__context__, Problem) and not problem.__suppress_context__:
        _tell(problem.__context__)
    print(f"Trueup in CI: {problem.message} {problem.hint}".strip(), file=sys.stderr)


def _job(settings: Settings, event: Event, environ: Mapping[str, str], *, is_github: bool) -> Job:
    forge: Forge
    if is_github:
        forge = GitHub(needed(environ, "GITHUB_API_URL"), event.repository, settings.token, settings.bot)
        user = "x-access-token"
    else:
        branch = needed(environ, "CI_DEFAULT_BRANCH")
        forge = GitLab(needed(environ, "CI_API_V4_URL"), event.repository, settings.token, branch)
        user = "oauth2"
    place = workplace(settings)
    address = environ.get("TRUEUP_CI_ADDRESS", "") or event.address
    job_token = "" if is_github else environ.get("CI_JOB_TOKEN", "")
    if not settings.token and job_token:
        user = "gitlab-ci-token"
    repository = Repository(place / "git", address, settings.token or job_token, user)
    return Job(settings, event, forge, repository, place, environ)


def _tell_artifact(settings: Settings, event: Event, environ: Mapping[str, str]) -> None:
    """Tells the workflow what to keep, and under which name, before anything can go wrong."""
    if "GITHUB_OUTPUT" not in environ:
        return
    kind = _kind(settings, event)
    which = event.head if event.kind == "request" else environ.get("GITHUB_RUN_ATTEMPT", "1")
    with Path(environ["GITHUB_OUTPUT"]).open("a", encoding="utf-8") as file:
        file.write(f"artifact=trueup-{kind}-{settings.slug}-{which}\nkept={settings.kept / settings.slug}\n")


def _kind(settings: Settings, event: Event) -> str:
    """What the job does: plan, apply or drift."""
    if event.kind in ("request", "fork"):
        return "plan"
    return settings.command or ("drift" if event.kind == "schedule" else "apply")


def _done(job: Job) -> int:
    """Does what the event asks for, if it is about the default branch: nobody reviewed what others hold."""
    branch = job.forge.default_branch()
    if job.event.branch != branch:
        raise Problem(
            f"This job is about {texts.code(job.event.branch) if job.event.branch else 'no branch'}, and Trueup plans, "
            f"applies and looks only for the default branch, {texts.code(branch)}.",
            "Let the workflow run for that branch and for requests into it alone.",
        )
    if job.event.kind in ("request", "fork"):
        return request.plan_fork(job) if job.event.kind == "fork" else request.plan_request(job)
    does = {"plan": merge.plan_branch, "apply": merge.apply_merge, "drift": watch.look}
    return does[_kind(job.settings, job.event)](job)


if __name__ == "__main__":
    sys.exit(main(os.environ))
