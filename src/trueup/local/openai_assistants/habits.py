"""What nobody outside a vendor has established about its server, as switches: a server is told which way it goes.

Deliberately knows no vendor: what is documented is in `vendors`, and holds whatever stands here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Habits:
    """One possible truth where the documents are silent; the default is what most of them hint at.

    `metadata`: a modify replaces all keys, or adds to them and removes none. `null_key`: a null metadata value is
    refused, or removes its key. `resources`: of a tool that a modify of `tool_resources` does not name they stay
    (`merge`) or go (`replace`). `kept_on_null`: fields that a null leaves as they are, where others are reset.
    `refuses_unknown`: unknown top-level fields are a 400, else they are ignored. `float32`: sampling numbers come back
    rounded, also where the vendor does not type them so. `fills_schema`: a JSON schema comes back with `strict` and
    `description`. `dates_ranker`: `ranker: auto` comes back as a dated one. `empty_is_null`: an empty text comes back
    as null. `last_id`: a page of a vendor that may leave it out has one. `refuses_sampling`: reasoning models take no
    `temperature` and `top_p`, stored ones included, as users of three vendors reported.
    """

    metadata: Literal["replace", "merge"] = "replace"
    null_key: Literal["refuse", "remove"] = "refuse"
    resources: Literal["merge", "replace"] = "merge"
    kept_on_null: frozenset[str] = frozenset()
    refuses_unknown: bool = True
    float32: bool = False
    fills_schema: bool = False
    dates_ranker: bool = False
    empty_is_null: bool = False
    last_id: bool = True
    refuses_sampling: bool = True


USUAL = Habits()
"""The habits of a server that was told nothing."""
