"""The files that CI providers read: what they may do, what is pinned, that no foreign text gets in; their linters."""

from __future__ import annotations

import re
import resource
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
ACTION = ROOT / "action.yml"
WORKFLOWS = (ROOT / "ci/github.yml", ROOT / "ci/github-forks.yml")
OWN = tuple(sorted((ROOT / ".github/workflows").glob("*.yml")))
GITLAB = ROOT / "ci/gitlab.yml"
HOOKS = ROOT / ".pre-commit-hooks.yaml"
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}\Z")
STYLE = (
    "{extends: default, rules: {line-length: {max: 130}, document-start: disable, truthy: {check-keys: false}, "
    "comments: {min-spaces-from-content: 1}}}"
)


def _load(path: Path) -> Any:
    return list(yaml.safe_load_all(path.read_text(encoding="utf-8")))[-1]


def _steps() -> Iterator[tuple[str, dict[str, Any]]]:
    for step in _load(ACTION)["runs"]["steps"]:
        yield ACTION.name, step
    for path in WORKFLOWS:
        for job in _load(path)["jobs"].values():
            yield from ((path.name, step) for step in job["steps"])


def test_what_is_run_holds_no_expression() -> None:
    """Only variables carry inputs into a shell, so that no text can become a command."""
    runs = [(name, step["run"]) for name, step in _steps() if "run" in step]
    assert len(runs) == 2
    assert [name for name, text in runs if "${{" in text] == []


def test_actions_of_others_are_pinned_by_commit() -> None:
    used = [(name, step["uses"]) for name, step in _steps() if "uses" in step]
    assert len(used) == 4
    assert [found for found in used if not PINNED.match(found[1])] == []


def test_no_workflow_looks_at_a_request_with_the_rights_of_its_target() -> None:
    for path in (*WORKFLOWS, ACTION):
        assert "pull_request_target" not in path.read_text(encoding="utf-8")
    assert "secrets." not in WORKFLOWS[1].read_text(encoding="utf-8")


def test_each_job_may_do_as_little_as_it_needs() -> None:
    rights: dict[str, Any] = {}
    for path in WORKFLOWS:
        workflow = _load(path)
        assert workflow["permissions"] == {}
        rights |= {name: job["permissions"] for name, job in workflow["jobs"].items()}
    reads = {"actions": "read", "contents": "read", "pull-requests": "write"}
    assert rights == {"plan": reads, "comment": reads, "apply": {**reads, "contents": "write", "issues": "write"}}


def test_one_writer_for_each_target_that_waits_and_is_never_cancelled() -> None:
    jobs = _load(WORKFLOWS[0])["jobs"]
    group = jobs["apply"]["concurrency"]
    assert group == {"group": "trueup-${{ matrix.target }}", "cancel-in-progress": False, "queue": "max"}
    assert jobs["plan"]["concurrency"]["group"].startswith("trueup-plan-")
    assert "github.workflow" in jobs["plan"]["concurrency"]["group"]  # another project's plan is not cancelled
    gitlab = {name: job for name, job in _load(GITLAB).items() if not name.startswith(".")}
    groups = {name.split(" ")[1]: job.get("resource_group") for name, job in gitlab.items()}
    assert groups == {"plan": None, "apply": "trueup-$[[ inputs.target ]]", "drift": "trueup-$[[ inputs.target ]]"}
    assert gitlab["trueup apply $[[ inputs.folder ]]/$[[ inputs.target ]]"]["interruptible"] is False


def test_gitlabs_jobs_with_a_key_are_those_of_the_default_branch() -> None:
    own = ("$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH", "$CI_MERGE_REQUEST_TARGET_BRANCH_NAME == $CI_DEFAULT_BRANCH")
    rules = [rule["if"] for job in _load(GITLAB).values() for rule in job.get("rules", [])]
    assert len(rules) == 4
    assert [rule for rule in rules if not any(words in rule.split(" && ") for words in own)] == []


def test_what_a_job_did_is_kept_also_when_it_failed() -> None:
    (upload,) = [step for step in _load(ACTION)["runs"]["steps"] if "uses" in step]
    assert upload["if"].startswith("always()")
    assert _load(GITLAB)[".trueup $[[ inputs.folder ]]/$[[ inputs.target ]]"]["artifacts"]["when"] == "always"


def test_every_input_is_handed_on_and_every_one_is_explained() -> None:
    action = _load(ACTION)
    given = {value for step in action["runs"]["steps"] for value in step.get("env", {}).values()}
    assert given == {f"${{{{ inputs.{name} }}}}" for name in action["inputs"]}
    page = (ROOT / "docs/ci.md").read_text(encoding="utf-8")
    assert [name for name in action["inputs"] if f"| `{name}` |" not in page] == []


def test_the_requirements_are_those_of_the_package_each_with_its_digest() -> None:
    text = (ROOT / "ci/requirements.txt").read_text(encoding="utf-8")
    entries = re.findall(r"^([a-z0-9-]+)==(\S+)", text, re.MULTILINE)
    needed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    assert {re.split(r"[><=]", item)[0] for item in needed} <= {name for name, _ in entries}
    blocks = re.split(r"^(?=[a-z0-9-]+==)", text, flags=re.MULTILINE)[1:]
    assert [block.split("==")[0] for block in blocks if "--hash=sha256:" not in block] == []


def _linter(name: str) -> str:
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed; pip install -e '.[dev]' brings it")
    return found


def _clean(*command: str, cwd: Path = ROOT) -> None:
    ran = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_action_is_one_as_github_describes_it() -> None:
    _clean(_linter("check-jsonschema"), "--builtin-schema", "vendor.github-actions", str(ACTION))


def test_the_workflows_are_as_github_describes_them() -> None:
    _clean(_linter("check-jsonschema"), "--builtin-schema", "vendor.github-workflows", *map(str, (*WORKFLOWS, *OWN)))


def test_the_template_is_as_gitlab_describes_it(tmp_path: Path) -> None:
    body = tmp_path / "gitlab-ci.yml"
    body.write_text(GITLAB.read_text(encoding="utf-8").split("\n---\n", 1)[1], encoding="utf-8")
    schema = ["--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci"]
    _clean(_linter("check-jsonschema"), *schema, str(body))


def test_yaml_is_written_as_people_do() -> None:
    _clean(_linter("yamllint"), "-s", "-d", STYLE, *map(str, (ACTION, *WORKFLOWS, *OWN, GITLAB, HOOKS)))


def test_a_linter_for_security_finds_nothing() -> None:
    _clean(_linter("zizmor"), "-q", "--offline", "--no-progress", *map(str, (ACTION, *WORKFLOWS, *OWN)))


def test_the_shell_is_sound(tmp_path: Path) -> None:
    shellcheck = _linter("shellcheck")
    own = [path for path in sorted((ROOT / ".ci").iterdir()) if path.suffix == "" and path.is_file()]
    _clean(shellcheck, str(ROOT / "ci/install"), str(ROOT / "ci/job"), *map(str, own))
    scripts = [step["run"] for _, step in _steps() if "run" in step]
    scripts.append("\n".join(_load(GITLAB)[".trueup $[[ inputs.folder ]]/$[[ inputs.target ]]"]["script"]))
    for place, text in enumerate(scripts):
        path = tmp_path / f"{place}.sh"
        path.write_text(f"#!/usr/bin/env bash\n{text}\n", encoding="utf-8")
        _clean(shellcheck, "-e", "SC2155", str(path))  # an export that fails leaves a name that the next line refuses


def test_the_hooks_are_as_pre_commit_describes_them() -> None:
    _clean(_linter("pre-commit"), "validate-manifest", str(HOOKS))


def test_the_hook_sees_definitions_and_is_quick(tmp_path: Path) -> None:
    """Less than a second of work for 100 files, interpreter and all; what else the machine does is not counted."""
    (hook,) = _load(HOOKS)
    assert hook["always_run"] is True  # a commit may delete a part, or change one with any ending
    assert "files" not in hook
    (tmp_path / "assistants").mkdir()
    text = "model: gpt-4.1\ninstructions: |\n" + "  A line of what it is told, of some length.\n" * 60
    for number in range(100):
        (tmp_path / f"assistants/a{number}.yaml").write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", *hook["entry"].split()]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert ran.stdout == "100 assistants checked for target local: valid.\n", ran.stderr
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1
