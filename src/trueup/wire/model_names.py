"""Names of models: what a target calls one, and which of them reason. Knows patterns as data, and no protocol."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase


def is_reasoning(model: object, table: Mapping[str, bool]) -> bool:
    """Whether a model refuses sampling: the first name or pattern of the table that fits decides, none is a no."""
    if not isinstance(model, str):
        return False
    name = model.rsplit("/", 1)[-1].lower()  # a gateway's `@provider/model` is the model all the same
    exact = table.get(model)
    if exact is not None:
        return exact
    return next((sure for pattern, sure in table.items() if fnmatchcase(name, pattern.lower())), False)


def name_in_files(model: str, models: Mapping[str, str]) -> str:
    """What the files call a model of a target: the first name that `models` maps to it, else the same name."""
    return next((there for there, here in models.items() if here == model), model)
