"""Each line of joined instructions is found in the very file it comes from, as the file has it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.edge.test_loader import load, written
from trueup.core.source import Stretch

PART = "# Safety\n\nNever guess.\n\nBe kind.\n\n\n"


def stretches(root: Path, name: str = "a") -> tuple[tuple[Stretch, ...], list[str]]:
    """Where the lines of a definition's instructions stand, and the lines."""
    loaded = load(root)
    assert not loaded.errors
    definition = next(item for item in loaded.definitions if item.name == name)
    return definition.locate().stretches, str(definition.body["instructions"]).split("\n")


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("a.md", "---\nmodel: m\n---\n\nYou are A.\n\nBe brief.\n"),
        ("a.md", "---\nmodel: m\ninstructions: {file: _part.md}\n---\nYou are A.\n\nBe brief.\n"),
        (
            "a.md",
            "---\r\nmodel: m\r\ninstructions: [{file: _part.md}, {file: _more.txt}]\r\n---\r\n\r\nYou are A.\r\nX",
        ),
        ("a.yaml", "model: m\ninstructions: {file: _part.md}\n"),
        ("a.yaml", "model: m\ninstructions: |\n  You are A.\n\n  Be brief.\n"),
        ("a.yaml", "model: m\ninstructions: |-  # as it is\n  You are A.\n  Be brief.\n"),
        ("a.yaml", "model: m\ninstructions: You are A.\n"),
        (
            "a.yaml",
            "model: m\ninstructions:\n  - |\n    You are A.\n\n    Go.\n  - {file: _part.md}\n  - 'One line.'\n",
        ),
        ("a.yaml", "extends: _base.md\nmodel: m\n"),
        ("a.yaml", "model: m\ninstructions: x\ntargets: {local: {instructions: {file: _part.md}}}\n"),
        ("a.yaml", 'model: m\ninstructions: ["", {file: _part.md}, ""]\n'),
    ],
)
def test_each_line_stands_where_it_is_said_to(tmp_path: Path, file: str, text: str) -> None:
    shared = {
        "_part.md": PART,
        "_more.txt": "More\nof it.\n",
        "_base.md": "---\nmodel: b\n---\n\nFrom the base.\nTwo.\n",
    }
    root = written(tmp_path, {f"assistants/{name}": body for name, body in {file: text, **shared}.items()})
    found, lines = stretches(root)
    assert found
    assert found[0].line == 1
    for place, item in enumerate(found):
        assert item.at
        there = (root / item.file).read_text("utf-8").split("\n")
        end = found[place + 1].line - 2 if place + 1 < len(found) else len(lines)
        for number in range(item.line, end + 1):
            in_file = there[item.at + number - item.line - 1]
            assert in_file.strip("\r -'").removeprefix("instructions: ") == lines[number - 1].strip()


@pytest.mark.parametrize("text", ['"one\\ntwo"', "one\n    folded", ">\n    one\n    two\n\n    three"])
def test_where_a_line_of_the_text_is_no_line_of_the_file_that_is_said(tmp_path: Path, text: str) -> None:
    root = written(tmp_path, {"assistants/a.yaml": f"model: m\ninstructions:\n  - {text}\n  - {{file: _p.md}}\n"})
    written(tmp_path, {"assistants/_p.md": PART})
    found, lines = stretches(root)
    assert found[1].at == 1
    assert lines[found[1].line - 1] == "# Safety"
    if "\n" in "\n".join(lines[: found[1].line - 2]):
        assert found[0] == Stretch(1, "assistants/a.yaml", 0)
