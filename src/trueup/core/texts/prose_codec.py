"""The difference of two texts as JSON, with every number that a format shows. Finds no difference itself."""

from __future__ import annotations

from typing import Any

from trueup.core.texts.prose import Prose, Run, Size


def encode(prose: Prose) -> dict[str, Any]:
    """The difference as JSON: every key always there, except those of a run that its kind does not fill."""
    return {
        "nature": prose.nature.value,
        "before": _sized(prose.before, prose.newline_before),
        "after": _sized(prose.after, prose.newline_after),
        "removed": prose.removed,
        "added": prose.added,
        "changed": prose.changed,
        "moved": len(prose.moves),
        "mentions": [
            {"sort": item.sort.value, "text": item.text, "appeared": item.appeared, "line": item.line}
            for item in prose.mentions
        ],
        "runs": [_encoded(run) for run in prose.runs],
    }


def _sized(size: Size, newline: bool) -> dict[str, Any]:
    return {
        "lines": size.lines,
        "characters": size.characters,
        "characters_by_four": size.tokens,
        "ends_with_newline": newline,
    }


def _encoded(run: Run) -> dict[str, Any]:
    found: dict[str, Any] = {
        "kind": run.kind.value, "before": run.before, "after": run.after, "old": run.old, "new": run.new,
    }  # fmt: skip
    if run.lines:
        found["lines"] = list(run.lines)
    if run.spans:
        found["spans"] = [[span.kind.value, span.text] for span in run.spans]
        found["blanks_only"] = run.blanks_only
    if run.runs:
        found["runs"] = [_encoded(inner) for inner in run.runs]
    return found
