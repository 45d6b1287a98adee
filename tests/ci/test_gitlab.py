"""The same ways through GitLab: notes, a merge that no platform made, artifacts of jobs, one issue."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from trueup_ci.__main__ import main

from tests.ci.begun import Templates
from tests.ci.platforms import TOKEN, GitLabStandIn
from tests.ci.world import ALPHA, BETA, KEY, RUNS, Done, World

EDITED = "model: gpt-4.1\ninstructions: Say A, twice.\n"


class Project(World):
    """A company at GitLab: its jobs are started as GitLab starts them."""

    def merge_job(self, commit: str, more: Mapping[str, str] | None = None) -> Done:
        return self.job({"CI_PIPELINE_SOURCE": "push", "CI_COMMIT_BRANCH": "main", **(more or {})}, commit, "main")

    def schedule_job(self, more: Mapping[str, str] | None = None) -> Done:
        given = {"CI_PIPELINE_SOURCE": "schedule", "CI_COMMIT_BRANCH": "main", **(more or {})}
        return self.job(given, self.tip(), "main")

    def request_job(self, number: int, more: Mapping[str, str] | None = None, commit: str = "") -> Done:
        head = self.platform.requests[number]["sha"]
        given = {
            "CI_PIPELINE_SOURCE": "merge_request_event", "CI_MERGE_REQUEST_IID": str(number),
            "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main", "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "1",
            "CI_MERGE_REQUEST_PROJECT_ID": "1", **(more or {}),
        }  # fmt: skip
        return self.job(given, commit or head, f"topic-{number}")

    def job(self, given: Mapping[str, str], commit: str, branch: str) -> Done:
        """One job, with what it keeps."""
        place = self.root / f"run-{next(RUNS)}"
        place.mkdir()
        plain = self.environ("none", commit, place, place / "none")
        environ = {key: value for key, value in plain.items() if not key.startswith("GITHUB_")} | {
            "GITLAB_CI": "true", "CI_COMMIT_SHA": commit, "CI_PROJECT_PATH": "acme/fleet", "CI_DEFAULT_BRANCH": "main",
            "CI_SERVER_URL": "https://platform.example", "CI_JOB_URL": "https://platform.example/acme/fleet/-/jobs/1",
            "CI_API_V4_URL": self.platform.url, "TRUEUP_CI_TOKEN": TOKEN, "ASSISTANTS_KEY": KEY, **given,
        }  # fmt: skip
        self.capfd.readouterr()
        code = main(environ)
        said = self.capfd.readouterr()
        kept = place / "trueup-kept" / "prod"
        if kept.is_dir():
            self.platform.upload(f"{given['CI_PIPELINE_SOURCE']}/{place.name}", kept, commit, branch)
        return Done(code, said.out + said.err, kept, "")


@pytest.fixture
def project(templates: Templates, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Iterator[Project]:
    """Two assistants on main, applied."""
    with templates.copied(Project, GitLabStandIn(me="project_1_bot"), "file", tmp_path / "world", capfd) as made:
        yield made


def test_a_request_is_planned_merged_applied_and_looked_after(project: Project) -> None:
    number = project.request({ALPHA: EDITED, "trueup.yaml": project.project_file("http://127.0.0.1:9/v1")})
    for _ in range(2):
        planned = project.request_job(number)
        assert planned.code == 0, planned.log
    note = project.comment(number, "plan")
    assert note.startswith("<!-- trueup:acme/prod plan -->\n")
    assert "targets.prod.base_url" in note
    project.platform.requests[number]["sha"] = project.platform.requests[number]["head"]["sha"]
    commit = project.merge(number)
    project.at_main()
    project.write("trueup.yaml", project.project_file())
    project.commit("The address as it was.")
    refused = project.merge_job(commit)
    assert refused.code in (1, 4), refused.log
    assert project.says("alpha") == "Say A."


def test_what_was_planned_is_applied(project: Project) -> None:
    number = project.request({ALPHA: EDITED})
    assert project.request_job(number).code == 0
    done = project.merge_job(project.merge(number))
    assert done.code == 0, done.log
    assert project.says("alpha") == "Say A, twice."
    assert "1 modified" in project.comment(number, "apply")
    project.ask("POST", f"/assistants/{project.live()['alpha']['id']}", {"instructions": "Say X."})
    assert project.schedule_job().code == 2
    assert project.schedule_job().code == 2
    (issue,) = project.platform.issues
    assert issue["description"].startswith("<!-- trueup:acme/prod drift -->\n")
    project.ask("POST", f"/assistants/{project.live()['alpha']['id']}", {"instructions": "Say A, twice."})
    assert project.schedule_job().code == 0
    assert issue["state"] == "closed"


def test_a_request_that_conflicts_is_told(project: Project) -> None:
    one = project.request({ALPHA: EDITED})
    two = project.request({ALPHA: "model: gpt-4.1\ninstructions: Say A, thrice.\n"})
    project.merge(one)
    done = project.request_job(two)
    assert done.code == 1
    assert "conflicts with its target branch" in done.log


def test_the_same_plan_whether_the_forge_or_we_merge(project: Project) -> None:
    number = project.request({ALPHA: EDITED})
    ours = project.request_job(number)
    head = project.platform.requests[number]["sha"]
    theirs = project.request_job(number, {"CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": head}, project.proposed(number))
    digests = [json.loads((done.kept / "plan.json").read_text())["digest"] for done in (ours, theirs)]
    assert digests[0] == digests[1]


def test_a_plan_of_an_older_commit_is_none_of_the_merge(project: Project) -> None:
    number = project.request({ALPHA: EDITED})
    assert project.request_job(number).code == 0
    project.write(BETA, "model: gpt-4.1\ninstructions: Say what nobody looked at.\n")
    head = project.commit("One more.")
    project.git("push", "-q", "-f", "origin", f"HEAD:refs/heads/topic-{number}")
    request = project.platform.requests[number]
    request.update(sha=head, head={**request["head"], "sha": head})
    done = project.merge_job(project.merge(number))
    assert done.code == 1
    assert "No plan is kept" in project.comment(number, "apply")
    assert (project.says("alpha"), project.says("beta")) == ("Say A.", "Say B.")


def test_neither_a_request_into_another_branch_nor_a_schedule_on_one_gets_to_the_vendor(project: Project) -> None:
    project.at_main()
    project.write("trueup.yaml", project.project_file("http://127.0.0.1:9/v1"))
    commit = project.commit("Another address.")
    project.git("push", "-q", "origin", "HEAD:refs/heads/mine")
    number = project.request({ALPHA: EDITED})
    jobs = [
        project.request_job(number, {"CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "mine"}),
        project.job({"CI_PIPELINE_SOURCE": "schedule", "CI_COMMIT_BRANCH": "mine"}, commit, "mine"),
        project.job({"CI_PIPELINE_SOURCE": "web", "CI_COMMIT_BRANCH": "mine"}, commit, "mine"),
        project.job({"CI_PIPELINE_SOURCE": "push", "CI_COMMIT_BRANCH": "", "CI_COMMIT_TAG": "main"}, commit, "main"),
    ]
    assert [done.code for done in jobs] == [1, 1, 1, 1]
    assert all("for the default branch only, `main`" in done.log and "127.0.0.1:9" not in done.log for done in jobs)
    assert project.platform.issues == []
    without = project.job({"CI_PIPELINE_SOURCE": "schedule", "CI_DEFAULT_BRANCH": ""}, commit, "mine")
    assert "CI_DEFAULT_BRANCH is not set" in without.log


def test_what_an_earlier_job_left_in_the_folder_is_not_this_jobs(project: Project) -> None:
    """A runner may keep its folders from one job to the next."""
    kept = project.root / "kept"
    project.more["TRUEUP_CI_KEPT"] = str(kept)
    number = project.request({ALPHA: EDITED})
    assert project.request_job(number).code == 0
    assert list((kept / "prod").glob("*.plan"))
    wrong = project.request({ALPHA: "model: gpt-4.1\ntemprature: 1\n"})
    assert project.request_job(wrong).code == 1
    assert not list((kept / "prod").glob("*.plan"))
