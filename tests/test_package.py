"""What a user installs: a wheel with the schemas and without the tests, whose command works away from the checkout."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from trueup import __version__

ROOT = Path(__file__).parents[1]


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


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built without the network where hatchling is there, else with it isolated."""
    if importlib.util.find_spec("hatchling") is None:
        pytest.skip("hatchling is not installed here, and building would need the package index; .ci/run builds it")
    folder = tmp_path_factory.mktemp("wheel")
    done = _python(
        folder, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(folder), str(ROOT)
    )
    assert done.returncode == 0, done.stderr
    (found,) = folder.glob("trueup-*.whl")
    return found


def test_it_holds_the_package_and_its_schemas_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    schemas = {f"trueup/schemas/{path.name}" for path in (ROOT / "schemas").glob("*.json")}
    modules = {path.relative_to(ROOT / "src").as_posix() for path in (ROOT / "src" / "trueup").rglob("*.py")}
    assert schemas
    assert schemas | modules | {"trueup/py.typed"} == {name for name in names if name.startswith("trueup/")}
    assert {name.split("/")[0] for name in names} == {"trueup", f"trueup-{__version__}.dist-info"}


def test_it_needs_nothing_that_only_tests_need(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("METADATA"))
        metadata = archive.read(name).decode()
    needed = [row for row in metadata.splitlines() if row.startswith("Requires-Dist:") and "extra ==" not in row]
    assert sorted(re.split(r"[<>=]", row.split()[1])[0] for row in needed) == [
        "click", "deepdiff", "httpx", "jsonschema", "pyyaml", "rfc8785",
    ]  # fmt: skip
    assert f"\nVersion: {__version__}\n" in metadata
    assert "\nRequires-Python: >=3.11\n" in metadata


def test_an_installed_copy_works_away_from_the_checkout(wheel: Path, tmp_path: Path) -> None:
    home = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(home)
    (tmp_path / "assistants").mkdir()
    (tmp_path / "assistants" / "a.yaml").write_text("model: gpt-4.1\nmodle: x\n", encoding="utf-8")
    where = _python(tmp_path, "-c", "import trueup; print(trueup.__file__)", PYTHONPATH=str(home))
    assert where.stdout.startswith(str(home)), where.stderr
    shown = _python(tmp_path, "-m", "trueup", "--version", PYTHONPATH=str(home))
    assert (shown.returncode, shown.stdout) == (0, f"trueup {__version__}\n"), shown.stderr
    checked = _python(tmp_path, "-m", "trueup", "validate", PYTHONPATH=str(home))
    assert checked.returncode == 1
    assert "did you mean" in checked.stdout
    schema = _python(tmp_path, "-m", "trueup", "schema", "definition", PYTHONPATH=str(home))
    assert schema.returncode == 0, schema.stderr
    assert schema.stdout == (ROOT / "schemas" / "definition.schema.json").read_text(encoding="utf-8")
