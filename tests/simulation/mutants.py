"""Breaks the engine on purpose, in ten ways, and tells after how many schedules each is found.

`python -m tests.simulation.mutants` prints the table of docs/guarantees.md. A mutant that is not found means that the
schedules do not watch what it broke.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from tests.simulation.schedule import run
from trueup.core import fields, judge
from trueup.core.plan import Cause
from trueup.core.state import Record
from trueup.engine import creates, facts, meet, modifies, recheck
from trueup.engine import run as engine_run
from trueup.engine.courier import Courier
from trueup.engine.run import Run

LIMIT = 5_000
"""Schedules after which a mutant counts as not found."""


async def _nothing(*_: Any, **__: Any) -> None:
    return None


async def _always(*_: Any, **__: Any) -> bool:
    return True


def _judged_as_edit(name: str, *rest: Any) -> Cause | None:
    cause = REAL_JUDGE(name, *rest)
    return Cause.EDITED if cause in (Cause.DRIFTED, Cause.CONFLICT, Cause.UNKNOWN) else cause


def _forgetful(record: Record, *rest: Any) -> Record:
    return replace(REAL_KEPT(record, *rest), operation="0" * 16)


REAL_JUDGE = fields.judge
REAL_KEPT = engine_run.kept_record

MUTANTS: dict[str, list[Callable[[], Any]]] = {
    "an unclear create is sent again without a look": [lambda: patch.object(creates, "_is_absent", _always)],
    "the listing does not wait for the vendor to settle": [lambda: patch.object(Courier, "pause", _nothing)],
    "a create has no line on disk before it": [lambda: patch.object(Run, "intend", _nothing)],
    "stamps are not looked for": [
        lambda: patch.object(facts, "by_stamp", lambda *_: {}),
        lambda: patch("trueup.engine.plan.by_stamp", lambda *_: {}),
    ],
    "drift counts as an edit": [lambda: patch.object(fields, "judge", _judged_as_edit)],
    "undeclared metadata is not repeated": [lambda: patch.object(modifies, "completed", lambda call, *_: call)],
    "a write goes out on an old read": [lambda: patch.object(recheck, "FRESH", 1e9)],
    "an unclear modify counts as done": [
        lambda: patch.object(modifies, "_is_found_done", _done_without_looking),
    ],
    "a promised plan is not held to its word": [lambda: patch.object(meet, "is_equal", lambda *_: True)],
    "a gateway's twin is not looked for": [lambda: patch.object(creates, "_name_twins", _nothing)],
    "a wrong operation is remembered": [lambda: patch.object(creates, "kept_record", _forgetful)],
    "a field that left the file is not cleared": [
        lambda: patch.object(judge, "WISHES", judge.WISHES - {Cause.REMOVED}),
    ],
}


async def _done_without_looking(run_: Run, change: Any, _found: Any, live: Any, tries: Any) -> bool:
    if live is not None:
        await modifies._modified(run_, change, live, tries.count)
        return True
    return False


def found_after(patches: list[Callable[[], Any]], limit: int = LIMIT) -> int | None:
    """The number of schedules until the mutant breaks a promise; None when it does not."""
    with ExitStack() as stack:
        for make in patches:
            stack.enter_context(make())
        for seed in range(limit):
            try:
                run(seed)
            except Exception:
                return seed + 1
    return None


def main() -> int:
    print("| broken on purpose | found after |\n|---|---|")
    missed = 0
    for name, patches in MUTANTS.items():
        found = found_after(patches)
        missed += found is None
        print(f"| {name} | {found or 'not found'} |", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
