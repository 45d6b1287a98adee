"""Private words stay out of the source and the docs: docs/glossary.md has the standard ones."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

BANNED = {
    r"\bforges?\b": "platform, CI provider",
    r"\btwins?\b": "duplicate",
    r"\bheld back\b": "blocked",
    r"\bsettling\b": "consistency delay",
    r"\b(nobody|no one) manages\b": "unmanaged",
    r"\ba hand changed\b": "changed outside, manual change",
    r"\bsomebody else changed\b|\bchanged by somebody else\b": "changed outside",
    r"\bas the files? says?\b": "matches the file",
    r"\bnobody to ask\b": "no terminal to ask on",
    r"\b[Oo]nly yes goes on\b": "Type 'yes' to apply",
    r"\bnobody foresaw\b": "unexpected",
    r"\bfor want of room\b": "because the page is full",
    r"\bput (the .* )?in force\b": "apply",
    r"\b(says|say|said) otherwise\b": "override",
    r"\bits address is none\b": "its URL is invalid",
    r"\bhas no word for\b": "does not support",
}
"""Words with only one sense here, and what stands in their place."""

NAMESAKE = re.compile(r"\bnamesakes?\b")
"""A name conflict; the symbol of the JSON documents keeps the word, so that only text is searched."""

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def _texts(path: Path) -> list[str]:
    """Return the strings of a module that are more than one word, docstrings included."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return [text for text in found if isinstance(text, str) and " " in text]


def _find(text: str) -> list[str]:
    return [f"{match[0]} → {word}" for pattern, word in BANNED.items() for match in re.finditer(pattern, text)]


def test_the_source_uses_the_words_of_the_glossary() -> None:
    found = {}
    for folder in ("src/trueup", "ci/trueup_ci"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            texts = _texts(path)
            words = [word for text in texts for word in [*_find(text), *NAMESAKE.findall(text)]]
            if words:
                found[path.relative_to(ROOT).as_posix()] = words
    assert found == {}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.name))
def test_a_page_uses_the_words_of_the_glossary(path: Path) -> None:
    assert _find(path.read_text(encoding="utf-8")) == []


def test_the_glossary_is_short_and_linked() -> None:
    rows = [line for line in (ROOT / "docs/glossary.md").read_text(encoding="utf-8").splitlines() if line[:2] == "| "]
    assert len(rows) - 1 <= 30
    assert "docs/glossary.md" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert "glossary.md" in (ROOT / "docs/guide.md").read_text(encoding="utf-8")
