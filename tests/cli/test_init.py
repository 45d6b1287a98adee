"""`init` makes a project that works at once, overwrites nothing, and asks nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.place import Place


@pytest.fixture
def empty(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.chdir(tmp_path)
    return Place(tmp_path, capsys)


def test_what_it_makes_works_at_once(empty: Place) -> None:
    ran = empty.run("init")
    assert ran.code == 0
    assert "trueup plan" in ran.out
    assert empty.run("validate").out == "1 assistant checked for target local: valid.\n"
    assert empty.run("plan").code == 0
    empty.applied()
    assert empty.run("plan").out.endswith("1 unchanged.\n")


def test_the_editors_line_leads_to_the_schema(empty: Place) -> None:
    empty.run("init")
    first = (empty.root / "assistants/hello.yaml").read_text("utf-8").splitlines()[0]
    lead = "# yaml-language-server: $schema="
    assert first.startswith(lead)
    schema = (empty.root / "assistants" / first.removeprefix(lead)).resolve()
    assert schema.read_text("utf-8") == empty.run("schema", "definition").out


def test_it_overwrites_nothing(empty: Place) -> None:
    empty.write("trueup.yaml", "vars: {mine: 1}\n")
    empty.write(".gitignore", "dist/\n.trueup/local/")
    empty.write("assistants/mine.yaml", "model: gpt-4.1\n")
    assert empty.run("init").code == 0
    assert (empty.root / "trueup.yaml").read_text() == "vars: {mine: 1}\n"
    assert not (empty.root / "assistants/hello.yaml").exists()
    lines = (empty.root / ".gitignore").read_text().splitlines()
    assert lines[:2] == ["dist/", ".trueup/local/"]
    assert lines.count(".trueup/local/") == 1
    assert ".trueup/*.journal" in lines
    before = empty.files()
    again = empty.run("init", "--json")
    assert again.json["written"] == []
    assert empty.files() == before


def test_in_another_folder(empty: Place) -> None:
    (empty.root / "sub").mkdir()
    assert empty.run("-C", "sub", "init").code == 0
    assert (empty.root / "sub/trueup.yaml").exists()
    assert not (empty.root / "trueup.yaml").exists()


def test_a_folder_that_cannot_be_written_is_said(empty: Place) -> None:
    empty.write("assistants", "a file in the way")
    ran = empty.run("init")
    assert ran.code == 1
    assert "assistants" in ran.err


def test_a_project_within_another_is_said_to_be_one(empty: Place) -> None:
    assert empty.run("init").err == ""
    assert empty.run("init").err == "", "the same project again"
    (empty.root / "team").mkdir()
    ran = empty.run("init", "-C", "team")
    assert ran.code == 0
    assert "The folder . is already a project: this is another project inside it, with its own state." in ran.said
