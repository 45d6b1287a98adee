"""Breaks the code on purpose, in many ways, and tells after how many schedules each is found.

`python -m tests.simulation.mutants` prints the table, with `--page` it writes it into docs/guarantees.md; words after
it choose mutants that contain them. A mutant that is not found means that the schedules do not watch what it broke.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

from tests.protocols import current
from tests.simulation import checkout
from tests.simulation.checkout import Checkout
from tests.simulation.page import written
from tests.simulation.story import run
from trueup.core.call import Call
from trueup.core.memory.state import Record, State
from trueup.core.plans import fields, judge
from trueup.core.plans.plan import Cause, Plan
from trueup.core.plans.plan_codec import dumps
from trueup.edge import files
from trueup.edge.state import journal_file
from trueup.edge.state.journal_file import Journal
from trueup.edge.state.store import Store
from trueup.engine import apply, creates, facts, modifies, refresh
from trueup.engine import run as engine_run
from trueup.engine.refresh import Reach, Stretch, View
from trueup.engine.request_runner import RequestRunner
from trueup.engine.run import Run
from trueup.wire.base import Adapter, Page

LIMIT = 10_000
"""Schedules after which a mutant counts as not found: what each gate runs."""

Patch = Callable[[], Any]


async def _nothing(*_: Any, **__: Any) -> None:
    return None


def _silent(*_: Any, **__: Any) -> None:
    return None


# --- the engine


def _judged_as_edit(name: str, *rest: Any) -> Cause | None:
    cause = REAL_JUDGE(name, *rest)
    return Cause.EDITED if cause in (Cause.DRIFTED, Cause.CONFLICT, Cause.UNKNOWN) else cause


def _forgetful(record: Record, *rest: Any) -> Record:
    return replace(REAL_KEPT(record, *rest), operation="0" * 16)


def _credulous(record: Record, *rest: Any) -> Record:
    return replace(REAL_KEPT(record, *rest), stamped=True)


async def _done_without_looking(run_: Run, change: Any, _found: Any, live: Any, tries: Any) -> bool:
    if live is not None:
        await modifies._conclude_modify(run_, change, live, tries)
        return True
    return False


async def _told_once(run_: Run, plan: Plan) -> None:
    run_.outcomes.clear()
    await REAL_BOOKKEEPING(run_, plan)


def _from_scratch(run_: Run, change: Any, live: Any, *rest: Any) -> Call:
    return REAL_RENDER(run_, change, replace(live, body={}), *rest)


def _talkative(*given: Any) -> Call:
    call = REAL_RENDER(*given)
    return replace(call, json={**call.json, **current().unsaid(1)}) if call.json else call


# --- the listing


def _trusting(self: Checkout) -> Adapter:
    adapter = REAL_ADAPTER(self)
    adapter.dialect = replace(adapter.dialect, honest=True)
    return adapter


def _repeat_is_end(stretch: Stretch, page: Page, *rest: Any) -> None:
    if stretch.items.keys() & {item.id for item in page.items}:
        stretch.reach = Reach.ENDED
    else:
        REAL_TAKE(stretch, page, *rest)


def _empty_is_end(stretch: Stretch, page: Page, *rest: Any) -> None:
    REAL_TAKE(stretch, replace(page, has_more=bool(page.items) and page.has_more), *rest)


async def _never_read_alone(adapter: Adapter, runner: RequestRunner, recorded: Any) -> View:
    known = list(recorded)
    view = await refresh.list_all(adapter, runner, known)
    view.absent |= set(known) - view.live.keys()
    return view


# --- the disk


def _without_fsync(self: Journal, content: bytes) -> None:
    os.write(self._descriptor, content)


def _failure_ignored(self: Journal, content: bytes) -> None:
    with suppress(OSError):
        REAL_TO_DISK(self, content)


def _journal_first(self: Store, state: State) -> None:
    self._clear_journal()
    REAL_SAVE(self, state)


def _in_place(path: Path, content: bytes | Iterable[bytes], *_: Any, **__: Any) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    os.ftruncate(descriptor, 0)
    os.write(descriptor, content if isinstance(content, bytes) else b"".join(content))
    os.fsync(descriptor)
    os.close(descriptor)


def _plan_in_place(path: Path, plan: Plan) -> None:
    _in_place(path, dumps(plan).encode())


def _synced_by_its_maker(folder: Path) -> None:
    """Sync the folder only when the journal was made in it."""
    if not any(journal.stat().st_size for journal in folder.glob("*.journal")):
        files.sync_folder(folder)


WISHES = frozenset({Cause.EDITED, Cause.CONFLICT, Cause.UNKNOWN})
REAL_RENDER = modifies._render
REAL_JUDGE, REAL_KEPT, REAL_ADAPTER, REAL_TAKE = (
    fields.judge_field,
    engine_run.keep_answer,
    Checkout.adapter,
    refresh._take_page,
)
REAL_TO_DISK, REAL_SAVE, REAL_BOOKKEEPING = Journal._to_disk, Store.save, apply._record_without_sending

MUTANTS: dict[str, list[Patch]] = {
    "an unclear create is sent again without a look": [lambda: patch.object(creates, "_settle_one", _nothing)],
    "the listing does not wait for the vendor to settle": [lambda: patch.object(RequestRunner, "pause", _nothing)],
    "a create has no line on disk before it": [lambda: patch.object(Run, "intend", _nothing)],
    "stamps are not looked for": [
        lambda: patch.object(facts, "group_by_stamp", lambda *_: {}),
        lambda: patch("trueup.engine.plan.group_by_stamp", lambda *_: {}),
    ],
    "drift counts as an edit": [lambda: patch.object(fields, "judge_field", _judged_as_edit)],
    "undeclared metadata is not repeated": [lambda: patch.object(modifies, "_render", _from_scratch)],
    "a write goes out on an old read": [lambda: patch.object(modifies, "FRESH", 1e9)],
    "an unclear modify counts as done": [lambda: patch.object(modifies, "_conclude_by_read", _done_without_looking)],
    "a promised plan is not held to its word": [lambda: patch.object(apply, "is_equal", lambda *_: True)],
    "a gateway's duplicate is not looked for": [lambda: patch.object(creates, "report_duplicates", _nothing)],
    "a wrong operation is remembered": [lambda: patch.object(creates, "keep_answer", _forgetful)],
    "a field that left the file is not cleared": [
        lambda: patch("trueup.core.plans.judge.WISHES", WISHES),
    ],
    "a short page is trusted": [lambda: patch.object(Checkout, "adapter", _trusting)],
    "a page that repeats an id is taken for the end": [lambda: patch.object(refresh, "_take_page", _repeat_is_end)],
    "an empty page is the end, whatever it says": [lambda: patch.object(refresh, "_take_page", _empty_is_end)],
    "a page that cannot be read is left out": [lambda: patch.object(View, "cut", _silent)],
    "what the listing does not show counts as gone": [lambda: patch("tests.engine.world.refresh", _never_read_alone)],
    "another checkout's stamp counts as ours": [lambda: patch.object(judge, "is_known", lambda *_: True)],
    "what became of a promised change is not told": [
        lambda: patch.object(apply, "_record_without_sending", _told_once)
    ],
    "a field that nobody declared is sent along": [lambda: patch.object(modifies, "_render", _talkative)],
    "what a server did not keep is not named": [
        lambda: patch.object(creates, "list_not_kept", lambda *_: ()),
        lambda: patch.object(modifies, "list_not_kept", lambda *_: ()),
    ],
    "a stamp that was not kept goes unnoticed": [lambda: patch.object(creates, "keep_answer", _credulous)],
    "the journal is not synced": [lambda: patch.object(Journal, "_to_disk", _without_fsync)],
    "folders are not synced": [
        lambda: patch.object(files, "sync_folder", _silent),
        lambda: patch.object(journal_file, "sync_folder", _silent),
    ],
    "a write that fails on the journal goes unnoticed": [lambda: patch.object(Journal, "_to_disk", _failure_ignored)],
    "what a run that stopped did not send is not told": [lambda: patch.object(apply, "_report_the_rest", _silent)],
    "the journal is emptied before state is written": [lambda: patch.object(Store, "save", _journal_first)],
    "state is written in place": [lambda: patch.object(files, "write_file", _in_place)],
    "a plan file is written in place": [lambda: patch.object(checkout, "write_plan", _plan_in_place)],
    "a torn line of the journal stays": [lambda: patch.object(journal_file, "_cut_torn_tail", _silent)],
    "what a killed run put in place is not synced by the next": [
        lambda: patch.object(journal_file, "sync_folder", _synced_by_its_maker)
    ],
    "nothing is kept before a delete": [lambda: patch.object(Store, "backup", _silent)],
}


def found_after(patches: list[Patch], limit: int = LIMIT) -> int | None:
    """Return the number of schedules until the mutant breaks a promise; None if it does not.

    Raises what Python says of a mutant that does not fit the code.
    """
    with ExitStack() as stack:
        for make in patches:
            stack.enter_context(make())
        for seed in range(limit):
            try:
                run(seed)
            except (AttributeError, NameError, TypeError):
                raise
            except Exception:
                return seed + 1
    return None


def main() -> int:
    words = [word for word in sys.argv[1:] if word != "--page"]
    rows, missed = ["| broken on purpose | found after so many schedules |", "|---|---|"], 0
    print(*rows, sep="\n")
    for name, patches in MUTANTS.items():
        if words and not any(word in name for word in words):
            continue
        found = found_after(patches)
        missed += found is None
        rows.append(f"| {name} | {found or f'not in {LIMIT:,}'} |")
        print(rows[-1], flush=True)
    if "--page" in sys.argv:
        written("mutants", f"{len(rows) - 2} ways, {missed} of them not found.\n\n" + "\n".join(rows))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
