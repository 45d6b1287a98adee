"""Hold that no release elsewhere changes what a contributor or the gate installs, and that `.ci/newest` reports it."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import requires
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCK = (ROOT / "constraints.txt").read_text(encoding="utf-8")
BUILD = [Requirement(text) for text in PROJECT["build-system"]["requires"]]
EXTRAS = PROJECT["project"]["optional-dependencies"]
DIRECT = [
    *BUILD,
    *(Requirement(text) for text in PROJECT["project"]["dependencies"]),
    *(Requirement(text) for texts in EXTRAS.values() for text in texts if not text.startswith("trueup[")),
]
SCRIPTS = sorted(path for path in (ROOT / ".ci").iterdir() if path.is_file())
INSTALLERS = [ROOT / "README.md", *SCRIPTS, *sorted((ROOT / ".github/workflows").iterdir())]


def _load_versions() -> ModuleType:
    spec = importlib.util.spec_from_file_location("versions", ROOT / ".ci" / "versions.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


VERSIONS = _load_versions()
LOCKED: dict[str, set[str]] = VERSIONS.read_lock(LOCK)


@pytest.mark.parametrize("wanted", DIRECT, ids=str)
def test_every_requirement_of_the_project_is_locked(wanted: Requirement) -> None:
    versions = LOCKED.get(canonicalize_name(wanted.name), set())
    assert versions, f"{wanted.name} is not in constraints.txt; run .ci/lock"
    assert [version for version in versions if version not in wanted.specifier] == []


def test_every_line_is_one_exact_version_for_every_machine() -> None:
    lines = [line for line in LOCK.splitlines() if not line.startswith("#")]
    assert len(lines) > 50
    pinned = re.compile(r"[a-z0-9-]+==[\w.]+( ; [\w.<>=! '()]+)?")
    assert [line for line in lines if not pinned.fullmatch(line)] == []


def test_the_isolated_build_is_exact_to_the_last_package() -> None:
    """Constraints do not reach the environment in which pip builds."""
    exact = {canonicalize_name(item.name): str(item.specifier).removeprefix("==") for item in BUILD}
    assert {name: {version} for name, version in exact.items()} == {name: LOCKED[name] for name in exact}
    wanted, seen = ["hatchling"], set()
    while wanted:
        name = wanted.pop()
        seen.add(name)
        needs = [Requirement(text) for text in requires(name) or ()]
        wanted += [
            found for item in needs if (found := canonicalize_name(item.name)) not in seen
            and (item.marker is None or item.marker.evaluate({"extra": ""}))
        ]  # fmt: skip
    assert seen == exact.keys()


def test_what_runs_beside_a_key_is_locked_at_the_same_versions() -> None:
    entries = VERSIONS.read_lock((ROOT / "ci" / "requirements.txt").read_text(encoding="utf-8"))
    assert entries
    assert {name: versions for name, versions in entries.items() if not versions <= LOCKED[name]} == {}


@pytest.mark.parametrize("folder", ["tests/real", "tests/real/broken-gateway"])
def test_npms_packages_are_locked_with_digests_and_without_a_registry(folder: str) -> None:
    package = json.loads((ROOT / folder / "package.json").read_text(encoding="utf-8"))
    lock = json.loads((ROOT / folder / "package-lock.json").read_text(encoding="utf-8"))
    assert lock["packages"].pop("")["dependencies"] == package["dependencies"]
    assert {name for name in package["dependencies"] if f"node_modules/{name}" not in lock["packages"]} == set()
    assert len(lock["packages"]) > 10
    assert [name for name, item in lock["packages"].items() if "integrity" not in item or "resolved" in item] == []


def test_everything_that_installs_uses_the_lock() -> None:
    """`.ci/newest` is the one exception: it is there to try what is not locked."""
    installs = [
        (path.name, line.strip())
        for path in INSTALLERS
        if path.name != "newest"
        for line in path.read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
        if re.search(r"pip(\" install|\"? install| \"\$1\")", line)
    ]
    names = {name for name, _ in installs}
    assert {"README.md", "run", "real", "lock"} <= names
    locked = re.compile(r'-c (constraints\.txt|"\$2")|--require-hashes|--no-deps|/pip" install "\$@"')
    assert [found for found in installs if not locked.search(found[1])] == []


def test_another_version_than_the_locked_one_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    altered = tmp_path / "constraints.txt"
    altered.write_text(re.sub(r"^pytest==.*$", "pytest==0.1", LOCK, flags=re.MULTILINE), encoding="utf-8")
    monkeypatch.setattr(VERSIONS, "LOCK", altered)
    assert ("pytest", "0.1", pytest.__version__) in VERSIONS.find_differences()
    altered.write_text(re.sub(r"^pytest==.*$", "", LOCK, flags=re.MULTILINE), encoding="utf-8")
    assert ("pytest", "not locked", pytest.__version__) in VERSIONS.find_differences()


STUB = """\
#!/bin/sh
echo "$(basename "$0") $*" >>"$CALLS"
case " $SLOW " in *" $(basename "$0") "*) echo "$SAYS"; exec sleep 60;; esac
case " $BROKEN " in *" $(basename "$0") "*) echo "what $(basename "$0") says"; exit 1;; esac
"""
PYTHON = """\
#!/bin/sh
[ "$1" = -m ] || exec "$REAL" "$@"
mkdir -p "$3/bin"
for name in pip ruff mypy pytest python; do cp "$STUB" "$3/bin/$name"; done
"""


def _run_newest(folder: Path, broken: str, **slow: str) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """Run `.ci/newest` with commands that only record their arguments, and fail if they are named as broken."""
    for name, text in (("stub", STUB), ("python3", PYTHON)):
        (folder / name).write_text(text, encoding="utf-8")
        (folder / name).chmod(0o755)
    calls = folder / "calls"
    given = {"CALLS": str(calls), "BROKEN": broken, "REAL": sys.executable, "STUB": str(folder / "stub"), **slow}
    ran = subprocess.run(
        [str(ROOT / ".ci" / "newest")],
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHON": str(folder / "python3"), **given},
        capture_output=True,
        encoding="utf-8",
        stdin=subprocess.DEVNULL,
        timeout=60,
        check=False,
    )
    return ran, calls.read_text(encoding="utf-8").splitlines()


@pytest.mark.skipif(shutil.which("timeout") is None, reason="timeout, of the GNU coreutils, is not installed")
class TestTheNewestReleases:
    """`.ci/newest`, with stubs in the place of what it installs."""

    def test_everything_is_asked_for_without_bounds(self, tmp_path: Path) -> None:
        _, calls = _run_newest(tmp_path, "python")
        (asked,) = (call.split()[3:] for call in calls if call.startswith("pip install -q ") and "-e" not in call)
        wanted = {item.name for item in DIRECT} - {Requirement(text).name for text in EXTRAS["lock"]}
        assert set(asked) == wanted

    def test_what_breaks_is_named_and_shown(self, tmp_path: Path) -> None:
        ran, calls = _run_newest(tmp_path, "python mypy")
        assert ran.returncode == 1
        assert "BROKEN: mypy" in ran.stdout
        assert "what mypy says" in ran.stdout
        assert "Broken with the newest releases: mypy" in ran.stdout
        assert any(call.startswith("pytest ") for call in calls)

    @pytest.mark.parametrize(("says", "code"), [("3 passed", 0), ("FAILED tests/test_a.py::test_b", 1)])
    def test_what_takes_too_long_is_ended_and_named(self, tmp_path: Path, says: str, code: int) -> None:
        ran, _ = _run_newest(tmp_path, "python", SLOW="mypy", SAYS=says, SECONDS_FOR_TESTS="2")
        assert "not finished after 2 s: mypy" in ran.stdout
        assert ("BROKEN: mypy" in ran.stdout, ran.returncode) == (code == 1, code)
        assert "not finished: mypy" in ran.stdout.splitlines()[-1] or code == 1
        assert "Nothing breaks" not in ran.stdout

    def test_other_versions_that_break_nothing_are_no_failure(self, tmp_path: Path) -> None:
        ran, _ = _run_newest(tmp_path, "python")
        assert (ran.returncode, ran.stdout.splitlines()[-1]) == (0, "Nothing breaks with the newest releases.")

    def test_what_cannot_be_installed_is_reported(self, tmp_path: Path) -> None:
        ran, _ = _run_newest(tmp_path, "pip")
        assert ran.returncode == 1
        assert "BROKEN: the newest releases cannot be installed together." in ran.stdout

    def test_only_older_parsers_are_tried_where_the_lock_is_the_newest(self, tmp_path: Path) -> None:
        ran, calls = _run_newest(tmp_path, "")
        assert ran.returncode == 0
        tried = [call for call in calls if call.startswith(("mypy", "ruff", "pytest"))]
        assert [call.split()[-1] for call in tried] == ["tests/edge/test_yaml_syntax.py"]
