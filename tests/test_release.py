"""Hold what the repository's own workflows may do, and that a release publishes exactly what was built and tried."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")


def _load(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / ".github" / "workflows" / name).read_text(encoding="utf-8"))
    return found


RELEASE = _load("release.yml")
JOBS: dict[str, dict[str, Any]] = RELEASE["jobs"]


def _uses(job: str) -> list[str]:
    return [step["uses"].split("@")[0] for step in JOBS[job]["steps"] if "uses" in step]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_action_is_pinned_by_commit_with_its_version(path: Path) -> None:
    used = re.findall(r"uses: (.*)", path.read_text(encoding="utf-8"))
    assert used
    assert [found for found in used if not PINNED.fullmatch(found)] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_no_workflow_holds_a_secret_or_runs_a_foreign_text(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "secrets." not in text
    assert "pull_request_target" not in text
    runs = [step["run"] for job in _load(path.name)["jobs"].values() for step in job["steps"] if "run" in step]
    assert runs
    assert [run for run in runs if "${{" in run] == []


def test_each_job_of_a_release_may_do_as_little_as_it_needs() -> None:
    assert RELEASE["permissions"] == {}
    assert {name: job["permissions"] for name, job in JOBS.items()} == {
        "build": {"contents": "read"},
        "try": {"contents": "read"},
        "attest": {"attestations": "write", "id-token": "write"},
        "publish": {"id-token": "write"},
    }


def test_what_is_published_was_built_once_then_tried_then_attested() -> None:
    assert {name: job.get("needs") for name, job in JOBS.items()} == {
        "build": None, "try": "build", "attest": "try", "publish": "attest",
    }  # fmt: skip
    builds = [
        name for name, job in JOBS.items() if any(".ci/package build" in step.get("run", "") for step in job["steps"])
    ]
    assert builds == ["build"]
    assert [name for name in JOBS if "actions/download-artifact" in _uses(name)] == ["try", "attest", "publish"]


def test_a_job_that_can_sign_runs_no_code_of_the_repository() -> None:
    signing = [name for name, job in JOBS.items() if "id-token" in job["permissions"]]
    assert signing == ["attest", "publish"]
    assert [step for name in signing for step in JOBS[name]["steps"] if "run" in step] == []
    assert [name for name in signing if "actions/checkout" in _uses(name)] == []
    assert JOBS["publish"]["environment"] == "pypi"


def _package(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / ".ci" / "package", *words], capture_output=True, encoding="utf-8", stdin=subprocess.DEVNULL, check=False
    )


def test_a_package_is_built_for_the_tag_of_its_version_alone(tmp_path: Path) -> None:
    """The script's own environment is a stub: what it would install is not needed to compare two words."""
    python = tmp_path / "python3"
    python.write_text('#!/bin/sh\nmkdir -p "$3/bin"\nfor name in pip hatchling; do cp "$STUB" "$3/bin/$name"; done\n')
    stub = tmp_path / "stub"
    stub.write_text('#!/bin/sh\n[ "$1" = version ] && echo 1.2.3\n[ "$1" = build ] && echo built\nexit 0\n')
    for path in (python, stub):
        path.chmod(0o755)
    ran = subprocess.run(
        [ROOT / ".ci" / "package", "build", str(tmp_path / "dist"), "v1.2.4"],
        env={"PATH": "/usr/bin:/bin", "PYTHON": str(python), "STUB": str(stub)},
        capture_output=True, encoding="utf-8", stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    assert (ran.returncode, ran.stderr) == (1, "The tag v1.2.4 is not v1.2.3, the version in pyproject.toml.\n")
    assert "built" not in ran.stdout


def test_a_command_that_there_is_not_is_explained() -> None:
    assert ".ci/package build FOLDER" in _package().stderr
    assert _package().returncode == 2
