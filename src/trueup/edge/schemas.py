"""Reads the JSON Schemas that come with Trueup. Knows where they lie, not what is in them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from trueup.core.errors import TrueupError
from trueup.core.rules.fault import nearest
from trueup.core.rules.validate import Checker

PACKAGED = Path(__file__).resolve().parent.parent / "schemas"
"""Where a wheel carries them."""

CHECKOUT = Path(__file__).resolve().parents[3] / "schemas"
"""Where they lie in a checkout, which an editable installation reads."""

SUFFIX = ".schema.json"


def load(name: str) -> dict[str, Any]:
    """The schema of that name as a value, read once and shared: not to be changed. Raises TrueupError."""
    return _parsed(name)


@cache
def checker(name: str) -> Checker:
    """Return what checks values against the schema of that name; made once and shared. Raises TrueupError."""
    return Checker(_parsed(name))


def text(name: str) -> str:
    """The schema of that name as it is written. Raises TrueupError for a name that there is not."""
    if name not in names():
        close = nearest(name, names())
        question = f"; did you mean '{close}'?" if close else ""
        raise TrueupError(f"There is no schema '{name}'{question}", f"Schemas are {', '.join(names())}.")
    return (folder() / f"{name}{SUFFIX}").read_text(encoding="utf-8")


@cache
def names() -> tuple[str, ...]:
    """The names of all schemas, in order of the alphabet. Raises TrueupError when the installation lacks them."""
    return tuple(sorted(path.name.removesuffix(SUFFIX) for path in folder().glob(f"*{SUFFIX}")))


def folder(packaged: Path = PACKAGED, checkout: Path = CHECKOUT) -> Path:
    """The folder that holds the schemas: the package's own, else the checkout's. Raises TrueupError."""
    for place in (packaged, checkout):
        if place.is_dir():
            return place
    raise TrueupError(
        "This installation of Trueup lacks its schemas.", "Install it again: pip install --force-reinstall trueup"
    )


@cache
def _parsed(name: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(text(name))
    return value
