"""Diagnostics speak in one tone: a message starts in lower case and has no full stop, a hint is a full sentence."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MESSAGE_AT = {
    "Diagnostic": 2,
    "Fault": 2,
    "note": 2,
    "_note": 1,
    "_stop": 1,
    "problem": 1,
    "_problem": 1,
    "_warning": 2,
}
"""Where the makers of problems take the message."""

GOLDEN = sorted((ROOT / "tests" / "golden" / "definitions").glob("*/diagnostics.txt"))


def _texts(node: ast.expr) -> Iterator[str]:
    """Return what a message can be, with `…` for what is filled in."""
    if isinstance(node, ast.IfExp):
        yield from _texts(node.body)
        yield from _texts(node.orelse)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)


def _messages() -> list[str]:
    found = []
    for path in sorted((ROOT / "src" / "trueup").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                at = MESSAGE_AT.get(ast.unparse(node.func).split(".")[-1], len(node.args))
                found += [text for argument in node.args[at : at + 1] for text in _texts(argument)]
    return found


def test_every_message_starts_in_lower_case_and_has_no_full_stop() -> None:
    messages = _messages()
    assert len(messages) > 60
    assert [text for text in messages if text.endswith(".") or re.match(r"[A-Z][a-z]", text)] == []


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: str(path.parent.name))
def test_shown_problems_keep_the_tone(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    messages, hints = lines[1::3], lines[2::3]
    assert [line for line in messages if line.endswith(".") or re.match(r"\s+[A-Z][a-z]", line)] == []
    assert [line for line in hints if line.strip() and not line.endswith((".", "?"))] == []
