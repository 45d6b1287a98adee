"""Writes what a run measured between two marks of docs/guarantees.md, so that no number there is from memory."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "guarantees.md"


def written(name: str, text: str) -> None:
    """Replace what stands between `<!-- name -->` and `<!-- /name -->` by the text and today's date."""
    page = PAGE.read_text("utf-8")
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    assert page.count(begin) == page.count(end) == 1, f"{PAGE} lacks the marks of {name}"
    content = f"{begin}\nRun on {date.today().isoformat()}. {text}\n{end}"
    PAGE.write_text(re.sub(f"{begin}.*{end}", lambda _: content, page, flags=re.DOTALL), "utf-8")
