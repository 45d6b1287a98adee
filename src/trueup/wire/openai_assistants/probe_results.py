"""A dialect's row with what a probe of the server itself found out: there the server's answer goes before its vendor's
documents.

Where the answer is *unknown* the row stays as it is. Knows no file and asks nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from trueup.core.canonical import Semantics
from trueup.core.memory.capabilities import Capabilities
from trueup.core.memory.questions import CLEARABLE
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
    answers = found.answers
    how = {name: answers.get(f"clear.{name}") for name in CLEARABLE}
    clear = {name: value for name, value in rules.clear.items() if how.get(name) != "null"}
    clear.update({name: IN_FULL[name] for name, way in how.items() if way == "default"})
    stuck = {name for name, way in how.items() if way == "never"}
    fixed = answers.get("metadata-key") == "never"
    return replace(
        rules,
        clear=clear,
        stuck=frozenset(stuck | ({"metadata"} if fixed else set())),
        null_removes=answers.get("metadata-key") == "null",
        tool_defaults=_tool_defaults(rules.tool_defaults, found.fills),
        format_defaults={**rules.format_defaults, **found.fills.get("response_format.json_schema", {})},
        synonyms={where: {**rules.synonyms.get(where, {}), **found.words.get(where, {})} for where in rules.synonyms},
    )


def _tool_defaults(
    known: Mapping[str, Mapping[str, Any]], fills: Mapping[str, Mapping[str, Any]]
) -> dict[str, Mapping[str, Any]]:
    """What each kind of tool is filled in with: what was seen, over what is documented."""
    seen = {where.removeprefix("tools."): added for where, added in fills.items() if where.startswith("tools.")}
    return {kind: {**known.get(kind, {}), **seen.get(kind, {})} for kind in {**known, **seen}}


def _holds(holds: Holds, found: Capabilities) -> Holds:
    """Without the shorter length of a modify where the server took a longer one."""
    longer = {name for name in holds.modify_lengths if found.answers.get(f"limit.{name}") == "more"}
    kept = {name: most for name, most in holds.modify_lengths.items() if name not in longer}
    return replace(holds, modify_lengths=kept) if longer else holds
