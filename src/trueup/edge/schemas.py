"""The JSON Schemas that come with Trueup, and what each protocol's definitions are written in. Each is read once."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from trueup.core.definitions.filled import types_by_path
from trueup.core.definitions.sources import Wanted
from trueup.core.errors import TrueupError
from trueup.core.field_table import FieldTable
from trueup.core.rules.fault import nearest
from trueup.core.rules.validate import Check, Checker
from trueup.wire import registry

PACKAGED = Path(__file__).resolve().parent.parent / "schemas"
"""Where a wheel carries them."""

CHECKOUT = Path(__file__).resolve().parents[3] / "schemas"
"""Where they lie in a checkout, which an editable installation reads."""

SUFFIX = ".schema.json"


def load(name: str) -> dict[str, Any]:
    """Return the schema of that name as a value, read once and shared: not to be changed. Raises TrueupError."""
    return _parsed(name)


@cache
def checker_of(name: str) -> Checker:
    """Return what checks values against the schema of that name; made once and shared. Raises TrueupError."""
    return Checker(_parsed(name))


def read_text(name: str) -> str:
    """Return the schema of that name as it is written. Raises TrueupError for a name that there is not."""
    if name not in list_names():
        close = nearest(name, list_names())
        question = f"; did you mean '{close}'?" if close else ""
        raise TrueupError(f"There is no schema '{name}'{question}", f"Schemas are {', '.join(list_names())}.")
    return (find_folder() / f"{name}{SUFFIX}").read_text(encoding="utf-8")


@cache
def list_names() -> tuple[str, ...]:
    """Return the names of all schemas, sorted. Raises TrueupError when the installation lacks them."""
    return tuple(sorted(path.name.removesuffix(SUFFIX) for path in find_folder().glob(f"*{SUFFIX}")))


def find_folder(packaged: Path = PACKAGED, checkout: Path = CHECKOUT) -> Path:
    """Return the folder that holds the schemas: the package's own, else the checkout's. Raises TrueupError."""
    for place in (packaged, checkout):
        if place.is_dir():
            return place
    raise TrueupError(
        "This installation of Trueup lacks its schemas.", "Install it again: pip install --force-reinstall trueup"
    )


@cache
def _parsed(name: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(read_text(name))
    return value


@dataclass(frozen=True, slots=True)
class Format:
    """How a protocol's definitions are read and checked; `check` is what its schema cannot say."""

    protocol: str
    table: FieldTable
    checker: Checker
    wanted: Wanted
    check: Check

    def written_fields(self, server: FieldTable) -> FieldTable:
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
        checker_of(name),
        types_by_path(load(name)),
        registry.rules(protocol),
    )
