"""Where a proposed project file may not lead: addresses, credentials, headers and commands come from a trusted one.

A pull request may say anything in its `trueup.yaml`; a job that holds credentials plans with the connections of the
branch that it is proposed for, and with all the rest as proposed. Knows mappings as files hold them and no file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from trueup.core.source import Path, dotted

KEYS: Final = (
    "protocol", "dialect", "gateway", "portkey", "base_url", "api_key", "token", "headers", "api_version",
    "openai_organization", "openai_project",
)  # fmt: skip
"""Keys of a target that say where requests go, as whom, and what is run or sent along to get in."""

INSIDE: Final = ("portkey", "headers")
"""Those whose entries are told one by one."""

SHOWN: Final = 160
"""Characters of a value that are shown."""


@dataclass(frozen=True, slots=True)
class Unused:
    """A part of the proposed file that is not used: the way to it, and a sentence about it."""

    path: Path
    message: str


def with_connections(proposed: Mapping[str, Any], trusted: Mapping[str, Any]) -> tuple[dict[str, Any], list[Unused]]:
    """The proposed file with the connections of the trusted one, and what of the proposed one is thereby not used.

    A target that only the proposed file has keeps what it says: `new_targets` names those, and nobody may connect to
    one. Both files are checked ones; neither is changed.
    """
    known = _targets(trusted)
    made: dict[str, Any] = {}
    unused: list[Unused] = []
    for name, target in _targets(proposed).items():
        if name not in known:
            made[name] = target
            unused.append(Unused(("targets", name), f"the target {name} is new here and cannot be planned yet"))
            continue
        rest = {key: value for key, value in target.items() if key not in KEYS}
        made[name] = rest | {key: known[name][key] for key in KEYS if key in known[name]}
        unused += _differences(name, target, known[name])
    return {**proposed, "targets": made}, unused


def new_targets(proposed: Mapping[str, Any], trusted: Mapping[str, Any]) -> frozenset[str]:
    """The targets that only the proposed file has."""
    return frozenset(_targets(proposed).keys() - _targets(trusted).keys())


def _targets(value: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The targets of a checked file; one without any has the embedded server, called `local`."""
    given: Mapping[str, Any] = value.get("targets") or {"local": None}
    return {name: target or {} for name, target in given.items()}


def _differences(name: str, proposed: Mapping[str, Any], trusted: Mapping[str, Any]) -> Iterator[Unused]:
    top: Path = ("targets", name)
    for key in KEYS:
        old, new = trusted.get(key), proposed.get(key)
        if key in INSIDE and all(value is None or isinstance(value, Mapping) for value in (old, new)):
            before, after = old or {}, new or {}
            for inner in sorted({*before, *after}, key=str):
                yield from _difference((*top, key, inner), before.get(inner), after.get(inner))
        else:
            yield from _difference((*top, key), old, new)


def _difference(path: Path, trusted: Any, proposed: Any) -> Iterator[Unused]:
    if trusted == proposed and type(trusted) is type(proposed):
        return
    what = (
        f"{dotted(path)} is {_shown(proposed)} here" if proposed is not None else f"{dotted(path)} is taken away here"
    )
    in_force = f"in force is {_shown(trusted)}" if trusted is not None else "in force is no such key"
    yield Unused(path, f"{what} and was not used: {in_force}")


def _shown(value: Any) -> str:
    if isinstance(value, str) and len(value) > SHOWN:
        value = value[:SHOWN] + "…"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN or isinstance(value, str) else text[: SHOWN - 1] + "…"
