"""Definitions of one target that would look the same at the vendor, where only ids tell them apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from trueup.core.definitions.definition import Definition
from trueup.core.plans.seen import alike
from trueup.core.source import Diagnostic, Position, Severity

PATH = ("name",)


def repeated_names(definitions: Iterable[Definition]) -> Iterator[Diagnostic]:
    """Yield a warning for each definition whose display name an earlier one has, with both places."""
    first: dict[str, Definition] = {}
    for definition in definitions:
        name = alike(definition.body.get("name"))
        earlier = first.setdefault(name, definition)
        if name and earlier is not definition:
            yield Diagnostic(
                Severity.WARNING,
                "display-name-repeated",
                f"the display name of {definition.name} is that of {earlier.name} too ({_place(earlier)})",
                definition.locate().key(PATH),
                PATH,
                "Give one of them another `name`: at the vendor only their ids tell them apart.",
            )


def _place(definition: Definition) -> Position | str:
    return definition.locate().key(PATH) or definition.file
