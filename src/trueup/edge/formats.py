"""What each protocol's definitions are written in: its fields, its schema and its own rules, found once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

from trueup.core.definitions.filled import wanted_types
from trueup.core.definitions.sources import Wanted
from trueup.core.field_table import FieldTable
from trueup.core.rules.validate import Check, Checker
from trueup.edge import schemas
from trueup.wire import registry


@dataclass(frozen=True, slots=True)
class Format:
    """How a protocol's definitions are read and checked; `check` is what its schema cannot say."""

    protocol: str
    table: FieldTable
    checker: Checker
    wanted: Wanted
    check: Check

    def written(self, server: FieldTable) -> FieldTable:
        """Return the fields that a definition for one server may hold, in the order in which people write them.

        Fields of other dialects alone are left out; the rows of those that the server has are the server's.
        """
        known = registry.field_table(self.protocol).by_name.keys() | server.by_name.keys()
        rows = (server.by_name.get(row.name, row) for row in self.table.fields if row.name in known)
        return replace(self.table, fields=tuple(rows))


@cache
def format_of(protocol: str) -> Format:
    """Return what definitions of a protocol are written in. Raises TrueupError for an unknown one."""
    name = registry.row_of(protocol).schema
    return Format(
        protocol,
        registry.definition_table(protocol),
        schemas.checker(name),
        wanted_types(schemas.load(name)),
        registry.rules(protocol),
    )
