"""What a dialect's server cannot hold of a saved agent, and what a target can leave out. Knows no server.

A part that the server has no word for is a loss: an error, or a warning where the target allows it. A part that only
says what is the default anyway is left out without a word.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from trueup.core.canonical import OBJECT
from trueup.core.rules.fault import Fault
from trueup.core.source import Path
from trueup.wire.base import Dialect
from trueup.wire.losses import Loss, fault_of
from trueup.wire.openai_agents.dialects import TOOLS
from trueup.wire.openai_agents.fields import TABLE
from trueup.wire.openai_agents.translation import LOSSES


def audit(body: Mapping[str, Any], dialect: Dialect, allowed: Collection[str]) -> Iterator[Fault]:
    """Yield everything that the dialect cannot hold of a body."""
    for loss in losses(body, dialect):
        if not loss.idle:
            yield fault_of(loss, dialect.name, allowed)


def losses(body: Mapping[str, Any], dialect: Dialect) -> Iterator[Loss]:
    """Yield every part of a body that the dialect has no word for."""
    for name, value in body.items():
        field = TABLE.by_name.get(name)
        if name not in dialect.fields:
            yield Loss(name, (name,), value in (None, "", [], {}) or (field is not None and value == field.default))
        elif name == TABLE.tools:
            yield from _tool_losses(value, dialect)
        else:
            yield from _part_losses(value, name, (name,), {}, dialect)


def loss_keys(dialects: Collection[Dialect]) -> frozenset[str]:
    """Return every path that `allow_loss` can hold: what a translation or one of the dialects can lose."""
    return LOSSES.union(*(_lacks(row) for row in dialects))


def lacking(dialect: Dialect, *, translate: bool = False) -> tuple[str, ...]:
    """Return what the dialect cannot hold, as people name it; with `translate` also what a translation loses."""
    return tuple(sorted(_lacks(dialect) | (LOSSES if translate else frozenset())))


def _lacks(dialect: Dialect) -> frozenset[str]:
    """Return the fields, tools and parts of the vendor's own dialect that this one lacks."""
    tools = set(TOOLS).difference(dialect.holds.kinds["tools"])
    fields = set(TABLE.names).difference(dialect.fields)
    return dialect.holds.lacks.union(fields, (f"tools.{kind}" for kind in tools))


def _tool_losses(tools: Any, dialect: Dialect) -> Iterator[Loss]:
    for index, tool in enumerate(tools if isinstance(tools, (list, tuple)) else ()):
        kind = tool.get("type") if isinstance(tool, OBJECT) else None
        if not isinstance(kind, str):
            continue
        if kind not in dialect.holds.kinds["tools"]:
            yield Loss(f"tools.{kind}", ("tools", index), idle=False)
        else:
            fills = TABLE.by_name["tools"].fills.get(kind, {})
            yield from _part_losses(tool, f"tools.{kind}", ("tools", index), fills, dialect)


def _part_losses(value: Any, name: str, path: Path, fills: Mapping[str, Any], dialect: Dialect) -> Iterator[Loss]:
    """Yield the keys of one object that the dialect lacks; `fills` are those that say what is the default."""
    for key in value if isinstance(value, OBJECT) else ():
        if f"{name}.{key}" in dialect.holds.lacks:
            idle = value[key] is None or value[key] == fills.get(key)
            yield Loss(f"{name}.{key}", (*path, key), idle)
