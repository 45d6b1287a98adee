"""What a user installs: packages of the tracked files alone, and a command that works in an empty folder.

`TRUEUP_REGOLD=1` writes the README's first steps anew.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.transcript import Session, check_transcript
from trueup import __version__

ROOT = Path(__file__).parents[1]
PACKED = ("src/trueup/", "schemas/")
BESIDE = {"CHANGELOG.md", "LICENSE", "README.md", "constraints.txt", "hatch_build.py", "pyproject.toml", ".gitignore"}
JUNK = (
    ".env", "build/lib/trueup/old.py", "dist/trueup-0.0.tar.gz", ".trueup/local/state.json", "notes.md", "src/stray.py",
    "src/trueup/stray.py", "src/trueup/core/odd [name]*!#.py", "src/trueup/.env", "src/trueup/.trueup/prod.state.json",
    "src/trueup/__pycache__/stray.cpython-311.pyc", "schemas/stray.schema.json", "schemas/.env",
)  # fmt: skip

if importlib.util.find_spec("hatchling") is None:
    pytest.skip("hatchling is not installed; the extra `test` has it", allow_module_level=True)


def _python(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), **environment},
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )


def _git(folder: Path, *words: str) -> str:
    ran = subprocess.run(["git", *words], cwd=folder, capture_output=True, encoding="utf-8", check=True)
    return ran.stdout


def _build(folder: Path, into: Path, **environment: str) -> tuple[Path, Path]:
    """Build both packages of a checkout; return the source distribution and the wheel."""
    ran = _python(folder, "-m", "hatchling", "build", "-d", str(into), **environment)
    assert ran.returncode == 0, ran.stderr
    (sdist,), (wheel,) = into.glob("*.tar.gz"), into.glob("*.whl")
    return sdist, wheel


def _names_in_sdist(path: Path) -> set[str]:
    with tarfile.open(path) as archive:
        return {name.removeprefix(f"trueup-{__version__}/") for name in archive.getnames()}


def _names_in_wheel(path: Path) -> set[str]:
    """Return what the wheel puts into the package, its metadata left out."""
    with zipfile.ZipFile(path) as archive:
        return {name for name in archive.namelist() if not name.startswith(f"trueup-{__version__}.dist-info/")}


@pytest.fixture(scope="module")
def tracked() -> set[str]:
    """Return the paths of the files that git tracks and that are there."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("this is no checkout of git, so nothing tells what belongs into a package")
    return {name for name in _git(ROOT, "ls-files", "-z").split("\0") if name and (ROOT / name).is_file()}


@pytest.fixture(scope="module")
def checkout(tracked: set[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a checkout of what a package is built from, with junk around it and inside of it."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in tracked:
        if name.startswith(PACKED) or name in BESIDE:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    _git(folder, "init", "-q")
    _git(folder, "add", "-A")
    for name in JUNK:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("SECRET=1\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def packages(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Build the source distribution and the wheel, as from within a hook of git, without the network."""
    return _build(checkout, tmp_path_factory.mktemp("dist"), GIT_DIR="/nowhere", GIT_INDEX_FILE="/nowhere/index")


@pytest.fixture(scope="module")
def wheel(packages: tuple[Path, Path]) -> Path:
    """Return the wheel alone."""
    return packages[1]


def test_the_source_distribution_holds_tracked_files_alone(packages: tuple[Path, Path], tracked: set[str]) -> None:
    wanted = {name for name in tracked if name.startswith(PACKED)} | BESIDE
    assert _names_in_sdist(packages[0]) == {*wanted, "PKG-INFO"}


def test_the_wheel_holds_tracked_files_alone(wheel: Path, tracked: set[str]) -> None:
    source = {name.removeprefix("src/") for name in tracked if name.startswith("src/trueup/")}
    schemas = {f"trueup/{name}" for name in tracked if name.startswith("schemas/")}
    assert {"trueup/py.typed", "trueup/cli/entry.py"} <= source
    assert "trueup/schemas/definition.schema.json" in schemas
    assert _names_in_wheel(wheel) == source | schemas


def test_the_source_distribution_builds_the_same_wheel(packages: tuple[Path, Path], tmp_path: Path) -> None:
    with tarfile.open(packages[0]) as archive:
        archive.extractall(tmp_path, filter="data")
    _git(tmp_path, "init", "-q")  # somebody else's repository around it, which tracks none of this
    _, again = _build(tmp_path / f"trueup-{__version__}", tmp_path / "dist")
    assert again.read_bytes() == packages[1].read_bytes()


def test_a_build_without_git_works_and_warns(checkout: Path, tmp_path: Path) -> None:
    ran = _python(checkout, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path), PATH=str(tmp_path))
    assert ran.returncode == 0, ran.stderr
    assert "git is not installed" in ran.stdout + ran.stderr


def test_the_wheel_needs_nothing_that_only_tests_need(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("METADATA"))
        metadata = archive.read(name).decode()
    needed = [row for row in metadata.splitlines() if row.startswith("Requires-Dist:") and "extra ==" not in row]
    assert sorted(re.split(r"[<>=]", row.split()[1])[0] for row in needed) == [
        "click", "deepdiff", "httpx", "jsonschema", "pyyaml", "rfc8785",
    ]  # fmt: skip
    assert f"\nVersion: {__version__}\n" in metadata
    assert "\nRequires-Python: >=3.11\n" in metadata


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the command of a new environment that holds the wheel; its dependencies come from this environment."""
    folder = tmp_path_factory.mktemp("tool")
    made = _python(folder, "-m", "venv", "--without-pip", str(folder))
    assert made.returncode == 0, made.stderr
    put = _python(
        folder,
        "-m",
        "pip",
        "--python",
        str(folder / "bin/python"),
        "install",
        "-q",
        "--no-deps",
        "--no-index",
        str(wheel),
    )
    assert put.returncode == 0, put.stderr
    (site,) = folder.glob("lib/python*/site-packages")
    needs = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (site / "needs.pth").write_text("\n".join(sorted(needs)) + "\n", encoding="utf-8")
    return folder / "bin" / "trueup"


def test_the_installed_command_is_the_wheels(installed: Path, tmp_path: Path) -> None:
    where = subprocess.run(
        [installed.with_name("python"), "-c", "import trueup; print(trueup.__file__)"],
        cwd=tmp_path, capture_output=True, encoding="utf-8", check=True,
    )  # fmt: skip
    assert where.stdout.startswith(str(installed.parents[1]))


def test_the_first_steps_of_the_readme_are_real(installed: Path, tmp_path: Path) -> None:
    session = Session(tmp_path, [str(installed)])
    session.run("trueup init")
    session.run("trueup validate")
    session.run("trueup plan")
    session.run("trueup apply --yes", head=1, tail="+ hello was created")
    session.comment("change a line of assistants/hello.yaml in your editor")
    session.edit("assistants/hello.yaml", "in two sentences", "in three sentences")
    session.run("trueup plan")
    check_transcript(ROOT / "README.md", "first steps", session.transcript)


def test_an_installed_copy_has_its_schemas(installed: Path, tmp_path: Path) -> None:
    session = Session(tmp_path, [str(installed)])
    session.run("trueup --version")
    (tmp_path / "assistants").mkdir()
    (tmp_path / "assistants" / "a.yaml").write_text("model: gpt-4.1\nmodle: x\n", encoding="utf-8")
    session.run("trueup validate", code=1)
    assert f"trueup {__version__}\n" in session.transcript
    assert "did you mean" in session.transcript
    shown = subprocess.run([installed, "schema", "definition"], capture_output=True, encoding="utf-8", check=True)
    assert shown.stdout == (ROOT / "schemas" / "definition.schema.json").read_text(encoding="utf-8")
