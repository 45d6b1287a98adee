"""A dialect's row with what a probe of the server itself found out: there the server's answer goes before its vendor's
documents.

Where the answer is *unknown* the row stays as it is. Knows no file and asks nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from trueup.core.canonical import Semantics
from trueup.core.field_table import Field
from trueup.core.memory.capabilities import Capabilities
from trueup.wire.base import Dialect, Holds

IN_FULL: Final[Mapping[str, Any]] = {
    "name": "",
    "description": "",
    "instructions": "",
    "temperature": 1,
    "top_p": 1,
    "response_format": "auto",
}
"""The default of a field said in full, for servers that null does not reset."""

_CLEARED: Final = frozenset({"null", "default"})
"""The answers that tell what a request carries to clear a field."""

SLOW: Final[Mapping[str, float]] = {"later": 20.0, "not-seen": 60.0}
"""Seconds that an unclear create is given at least where the listing was seen to lag, at most ten seconds or more."""


def answered(row: Dialect, found: Capabilities) -> Dialect:
    """The row as the server itself answered.

    That `has_more` told the truth on a few small pages proves nothing for large ones, and what is taken for the end too
    early makes twins: no answer makes it believed, and a lie ends the belief.
    """
    return replace(
        row,
        honest=row.honest and found.answers.get("has-more") != "wrong",
        semantics=_semantics(row.semantics, found),
        holds=_holds(row.holds, found),
    )


def settle_of(found: Capabilities, settle: float) -> float:
    """Seconds after which an unclear create must be in the listing, where the target says `settle`."""
    return max(settle, SLOW.get(found.answers.get("listing", ""), 0.0))


def _semantics(rules: Semantics, found: Capabilities) -> Semantics:
    how = {name: found.answers.get(f"clear.{name}") for name in rules.table.names}
    clear = {name: {"clear": None if way == "null" else IN_FULL[name]} for name, way in how.items() if way in _CLEARED}
    tools, answer = rules.table.by_name["tools"], rules.table.by_name["response_format"]
    inside = {
        "tools": {"fills": _fills(tools, found), "synonyms": _synonyms(tools, found)},
        "response_format": {"fills": _fills(answer, found)},
    }
    stuck = {name for name, way in how.items() if way == "never"}
    fixed = found.answers.get("metadata-key") == "never"
    return Semantics(
        rules.table.vary(clear).vary(inside),
        stuck=frozenset(stuck | ({"metadata"} if fixed else set())),
        null_removes=found.answers.get("metadata-key") == "null",
    )


def _fills(row: Field, found: Capabilities) -> dict[str, Any]:
    """Return what is filled in inside a field's object, or tool, of each type: what was seen, over what is known."""
    seen = {where.partition(".")[2]: added for where, added in found.fills.items() if where.startswith(f"{row.name}.")}
    made: dict[str, Any] = {}
    for kind in {**row.fills, **seen}:
        inner = {**row.fills.get(kind, {}).get(kind, {}), **seen.get(kind, {})}
        made[kind] = {kind: {key: entry for key, entry in inner.items() if entry is not None}}
    return made


def _synonyms(row: Field, found: Capabilities) -> dict[str, Mapping[str, str]]:
    """Return the words that stand for others: what was seen, over what is known."""
    return {path: {**words, **found.words.get(path.partition(".")[2], {})} for path, words in row.synonyms.items()}


def _holds(holds: Holds, found: Capabilities) -> Holds:
    """Without the shorter length of a modify where the server took a longer one."""
    longer = {name for name in holds.modify_lengths if found.answers.get(f"limit.{name}") == "more"}
    kept = {name: most for name, most in holds.modify_lengths.items() if name not in longer}
    return replace(holds, modify_lengths=kept) if longer else holds
