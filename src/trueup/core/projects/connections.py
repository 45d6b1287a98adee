"""Where a proposed project file may not lead: addresses, credentials, headers and commands come from a trusted one.

A pull request may say anything in its `trueup.yaml`; a job that holds credentials plans with the connections of the
branch that it is proposed for, and with all the rest as proposed. Either way a reader is told, where it decides what an
apply may do; so it is of a definition's lifecycle. Knows values as files hold them and no file.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from trueup.core.definitions.definition import Definition
from trueup.core.source import Path, dotted

KEYS: Final = (
    "protocol", "dialect", "gateway", "portkey", "base_url", "allow_http", "api_key", "token", "headers",
    "api_version",
)  # fmt: skip
"""Keys of a target that say where requests go, as whom, and what is run or sent along to get in; beside them come the
keys by which protocols scope requests."""

SAFETY: Final = (
    "state", "stamp", "on_drift", "prune", "guard", "translate", "allow_loss", "always_send", "reasoning_models",
    "settle", "rate_limit", "parallelism", "timeout", "max_retries",
)  # fmt: skip
"""Keys of a target that decide what an apply may do, what it asks before, and how long it may take."""

PROJECT: Final = ("project", "protocol", "definitions", "default_target", "released")
"""Keys of the whole file that decide which assistants are managed at all, and where."""

INSIDE: Final = ("portkey", "headers", "guard")
"""Those whose entries are told one by one."""

SHOWN: Final = 160
"""Characters of a value that are shown."""


@dataclass(frozen=True, slots=True)
class ConnectionDifference:
    """A setting of the proposed file that differs from the one in force: its path, a sentence, whether it is used."""

    path: Path
    message: str
    is_used: bool = False


def apply_connections(
    proposed: Mapping[str, Any], trusted: Mapping[str, Any], scope: Iterable[str]
) -> tuple[dict[str, Any], list[ConnectionDifference]]:
    """Return the proposed file with the connections of the trusted one, and how they differ in what a reader must know.

    `scope` are the keys by which any protocol scopes requests.
    A target that only the proposed file has keeps what it says: `list_new_targets` names those, and nobody may connect
    to one. Both files are checked ones; neither is changed.
    """
    known, keys = _targets_of(trusted), (*KEYS, *scope)
    made: dict[str, Any] = {}
    found = [*_list_differences((), proposed, trusted, PROJECT, is_used=True)]
    for name, target in _targets_of(proposed).items():
        if name not in known:
            made[name] = target
            found.append(
                ConnectionDifference(("targets", name), f"the target {name} is new here and cannot be planned yet")
            )
            continue
        rest = {key: value for key, value in target.items() if key not in keys}
        made[name] = rest | {key: known[name][key] for key in keys if key in known[name]}
        found += _list_differences(("targets", name), target, known[name], keys, is_used=False)
        found += _list_differences(("targets", name), target, known[name], SAFETY, is_used=True)
    return {**proposed, "targets": made}, found


def list_new_targets(proposed: Mapping[str, Any], trusted: Mapping[str, Any]) -> frozenset[str]:
    """Return the targets that only the proposed file has."""
    return frozenset(_targets_of(proposed).keys() - _targets_of(trusted).keys())


def list_lifecycle_differences(proposed: Definition, trusted: Definition) -> Iterator[ConnectionDifference]:
    """Yield where a definition's protection and ignored fields differ from the trusted version in force."""
    for key, old, new in (
        ("protect", trusted.lifecycle.protect, proposed.lifecycle.protect),
        ("ignore_changes", _list_ignored(trusted), _list_ignored(proposed)),
    ):
        yield from _make_difference(("lifecycle", key), old, new, is_used=True, of=f" of {proposed.name}")


def _list_ignored(definition: Definition) -> list[str] | None:
    """Return the fields that a definition ignores, whole ones first; None if it ignores none."""
    return sorted(definition.ignored, key=lambda field: ("." in field, field)) or None


def _targets_of(value: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the targets of a checked file; one without any has the embedded server, named `local`."""
    given: Mapping[str, Any] = value.get("targets") or {"local": None}
    return {name: target or {} for name, target in given.items()}


def _list_differences(
    top: Path, proposed: Mapping[str, Any], trusted: Mapping[str, Any], keys: Sequence[str], *, is_used: bool
) -> Iterator[ConnectionDifference]:
    for key in keys:
        old, new = trusted.get(key), proposed.get(key)
        if key in INSIDE and all(value is None or isinstance(value, Mapping) for value in (old, new)):
            before, after = old or {}, new or {}
            for inner in sorted({*before, *after}, key=str):
                yield from _make_difference((*top, key, inner), before.get(inner), after.get(inner), is_used=is_used)
        else:
            yield from _make_difference((*top, key), old, new, is_used=is_used)


def _make_difference(
    path: Path, trusted: Any, proposed: Any, *, is_used: bool, of: str = ""
) -> Iterator[ConnectionDifference]:
    if trusted == proposed and type(trusted) is type(proposed):
        return
    here = f"is {_show(proposed)} here" if proposed is not None else "is removed here"
    what = "and is used" if is_used else "and was not used"
    in_force = f"in force is {_show(trusted)}" if trusted is not None else "it is not set in the file in force"
    yield ConnectionDifference(path, f"{dotted(path)}{of} {here} {what}: {in_force}", is_used)


def _show(value: Any) -> str:
    if isinstance(value, str) and len(value) > SHOWN:
        value = value[:SHOWN] + "…"
    text = json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return _show_list([json.dumps(entry, ensure_ascii=False) for entry in value])
    return text if len(text) <= SHOWN or isinstance(value, str) else text[: SHOWN - 1] + "…"


def _show_list(entries: Sequence[str]) -> str:
    """Format a list with as many entries as fit, and how many more it has."""
    kept, room = 0, SHOWN
    while kept < len(entries) and len(entries[kept]) + 2 <= room:
        room -= len(entries[kept]) + 2
        kept += 1
    more = [f"… {len(entries) - kept} more"] if kept < len(entries) else []
    return f"[{', '.join([*entries[:kept], *more])}]"
