"""Fields' changes as a plan makes them, and plans as they are read: of the kinds in the assistants protocol's table."""

from __future__ import annotations

from typing import Any

from trueup.core.plans.plan import Cause, FieldChange, Plan, with_kinds
from trueup.core.plans.plan_codec import loads
from trueup.wire.openai_assistants.fields import TABLE


def field_change(path: str, before: Any, after: Any, cause: Cause) -> FieldChange:
    """Return a field's change with its kind."""
    return FieldChange(path, before, after, cause, TABLE.kind_of(path))


def read_plan(text: str) -> Plan:
    """Return the plan in a file's text as a command reads it."""
    return with_kinds(loads(text), TABLE)
