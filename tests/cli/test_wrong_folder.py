"""In a folder that is no project's, each command says so and prints itself for the project above; none succeeds."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from tests.cli.place import Place
from trueup.cli.main import COMMANDS, cli
from trueup.cli.paths import FILES

WORKING = (
    "validate", "render", "plan", "diff", "plan --detailed-exitcode", "apply --yes", "apply x.plan", "destroy --yes",
    "drift", "why alpha", "accept alpha", "import", "import alpha=asst_1", "import --from x.json", "export x.json",
    "delete-duplicate alpha=asst_1 --yes",
    "state list", "state show alpha", "state rm alpha", "state rebuild", "state unlock", "targets",
    "targets probe local --yes",
)  # fmt: skip
ALONE = {"init", "serve", "schema", "completion", "show"}
"""Commands that work on no project; `show` reads the plan file that it is given."""


@pytest.fixture
def project(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Place:
    """Return a project with one assistant, and the command standing two folders below its root."""
    place = Place(tmp_path, capsys)
    place.write("trueup.yaml", "targets:\n  local: {base_url: local}\n")
    place.write("assistants/support/alpha.yaml", "model: gpt-4.1\n")
    monkeypatch.chdir(tmp_path / "assistants/support")
    return place


@pytest.fixture
def nowhere(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Place:
    """Return an empty folder with no project above."""
    monkeypatch.chdir(tmp_path)
    return Place(tmp_path, capsys)


def test_every_command_is_looked_at() -> None:
    named = {command.split()[0] for command in WORKING} | ALONE
    assert named - {"diff"} == {name for section in COMMANDS.values() for name in section}


@pytest.mark.parametrize("command", WORKING)
def test_below_the_root_each_command_prints_itself_for_the_project_above(project: Place, command: str) -> None:
    ran = project.run(*command.split())
    assert (ran.code, ran.out) == (1, "")
    assert "There is no trueup.yaml and no folder assistants here" in ran.said
    there = command.replace(" x.json", " assistants/support/x.json")
    assert f"The nearest trueup.yaml above is ../../trueup.yaml. To work there: trueup {there} -C ../.." in ran.said
    assert list((project.root / "assistants/support").iterdir()) == [project.root / "assistants/support/alpha.yaml"]


@pytest.mark.parametrize("command", [command for command in WORKING if "--from" not in command])
def test_an_empty_folder_is_no_success(nowhere: Place, command: str) -> None:
    ran = nowhere.run(*command.split())
    assert (ran.code, ran.out) == (1, "")
    assert "There is no trueup.yaml and no folder assistants here" in ran.said
    assert "To start a project here: trueup init Or name the project's folder with -C." in ran.said
    assert list(nowhere.root.iterdir()) == []


def test_what_is_printed_works(project: Place) -> None:
    ran = project.run("-C", ".", "plan", "--chdir=.", "--var", "a=b c", "-C", "..")
    line = next(line for line in ran.err.replace("\n    ", " ").splitlines() if "To work there: " in line)
    again = shlex.split(line.split("To work there: ")[1])
    assert again == ["trueup", "plan", "--var", "a=b c", "-C", "../.."]
    assert project.run(*again[1:3], *again[-2:]).code == 1, "--var names no variable of this project"
    assert project.run("plan", *again[-2:]).code == 0


@pytest.mark.parametrize(
    ("typed", "printed"),
    [
        ("plan alpha.yaml", "plan assistants/support/alpha.yaml"),
        ("plan alpha support/alpha", "plan alpha support/alpha"),
        ("validate .", "validate assistants/support"),
        ("why ./alpha.yaml temperature", "why assistants/support/alpha.yaml temperature"),
        ("import alpha.yaml=asst_1", "import assistants/support/alpha.yaml=asst_1"),
        ("import --from ../../x.json", "import --from x.json"),
        ("apply ../../my.plan --yes", "apply my.plan --yes"),
        ("plan --out=../my.plan", "plan --out=assistants/my.plan"),
        ("plan --snapshot /tmp/x.json", "plan --snapshot /tmp/x.json"),
        ("export ../../y.json", "export y.json"),
        ("drift --also json=../../d.json --reports ../../old", "drift --also json=d.json --reports old"),
        ("state rm alpha.yaml", "state rm assistants/support/alpha.yaml"),
    ],
)
def test_a_path_that_was_typed_still_names_the_same_file(project: Place, typed: str, printed: str) -> None:
    assert f"To work there: trueup {printed} -C ../.." in project.run(*typed.split()).said


def test_a_path_is_seen_from_the_folder_that_was_named(project: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.root)
    ran = project.run("-C", "assistants/support", "plan", "alpha.yaml")
    assert "trueup plan assistants/support/alpha.yaml -C ." in ran.said


def test_every_parameter_that_takes_a_path_is_known_by_its_name() -> None:
    for command in _commands(cli, click.Context(cli)):
        for item in command.params:
            takes_path = item.name in {"file", "files", "out", "snapshot", "since", "reports", "connections", "also"}
            assert not takes_path or item.metavar in FILES, f"{command.name}: {item.name}"


def _commands(command: click.Command, ctx: click.Context) -> Iterator[click.Command]:
    yield command
    if isinstance(command, click.Group):
        for name in command.list_commands(ctx):
            below = command.get_command(ctx, name)
            assert below is not None
            yield from _commands(below, ctx)


def test_a_name_that_looks_like_a_flag_stays_behind_its_mark(project: Place) -> None:
    assert "trueup plan -C ../.. -- -x" in project.run("plan", "--", "-x").said


def test_the_folder_that_was_named_is_named_again(nowhere: Place) -> None:
    (nowhere.root / "sub").mkdir()
    ran = nowhere.run("plan", "-C", "sub")
    assert ran.code == 1
    assert "and no folder assistants in 'sub'" in ran.said
    assert "trueup init -C sub" in ran.said
    nowhere.write("trueup.yaml", "targets:\n  local: {base_url: local}\n")
    assert "trueup plan -C ." in nowhere.run("plan", "-C", "sub").said


def test_json_is_one_document(project: Place) -> None:
    ran = project.run("validate", "--json")
    assert ran.code == 1
    assert ran.err == ""
    assert ran.json["kind"] == "error"
    assert "trueup validate --json -C ../.." in ran.json["error"]["hint"]


def test_definitions_without_a_project_file_still_work(nowhere: Place) -> None:
    nowhere.write("assistants/alpha.yaml", "model: gpt-4.1\n")
    ran = nowhere.run("plan")
    assert (ran.code, ran.err) == (0, "")


def test_a_project_file_above_is_named_once_and_not_used(project: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    project.write("sub/assistants/beta.yaml", "model: gpt-4.1\n")
    monkeypatch.chdir(project.root / "sub")
    for command in ("plan beta", "apply beta --yes", "validate", "targets"):
        ran = project.run(*command.split())
        assert ran.code == 0, ran.err
        assert ran.said.count("There is no trueup.yaml here: the target is local.") == 1
        assert f"trueup {command} -C ..\n" in ran.err
    assert project.run("state", "list", "-C", "..").out == "The state has no assistant.\n"


def test_a_folder_without_a_definition_says_so(nowhere: Place) -> None:
    (nowhere.root / "assistants").mkdir()
    ran = nowhere.run("validate")
    assert ran.code == 0
    assert "warning[no-definitions]: there is no definition in assistants" in ran.said
    assert "no definition in assistants" in nowhere.run("plan").said


def test_an_import_of_files_starts_a_project(nowhere: Place) -> None:
    nowhere.write("x.json", '{"object": "assistant", "id": "asst_1", "model": "gpt-4.1", "name": "One"}')
    assert nowhere.run("import", "--from", "x.json").code == 0
    assert nowhere.run("validate").code == 0
