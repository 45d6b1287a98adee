"""A child program that measures the parts of one command, each with its own clock.

`python -m benchmarks.inside phases FOLDER [--in-sequence]` prints the seconds of wall and CPU that loading, refreshing
and comparing take; `books FOLDER` those of journal, state and plan file where all is new; `text` those of hard diffs.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

Figures = dict[str, dict[str, float]]

TEXT = 256_000
"""Characters of the longest instructions there are."""


@contextmanager
def clocked(figures: Figures, name: str) -> Iterator[None]:
    """Add what the block takes under a name."""
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    figures[name] = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}


def phases(folder: str, mode: str = "") -> Figures:
    """Measure the parts of one plan; `--in-sequence` reads the listing page by page."""
    from trueup.cli.flags import Flags
    from trueup.cli.planning import plan_live, read_live
    from trueup.cli.session import load_definitions, open_session
    from trueup.cli.transport import reading
    from trueup.engine import refresh

    if mode == "--in-sequence":
        refresh.MANY = sys.maxsize
    figures: Figures = {}
    session = open_session(Flags(chdir=folder))

    async def work() -> None:
        with clocked(figures, "load"):
            loaded = load_definitions(session)
        with clocked(figures, "state"):
            state = session.store.load()
        async with reading(session) as runner:
            with clocked(figures, "refresh"):
                view = await read_live(session, runner, state)
            figures["found"] = {"pages": view.pages, "live": len(view.live), "definitions": len(loaded.definitions)}
            with clocked(figures, "both"):
                planning = await plan_live(session, runner, loaded, state)
            figures["found"]["unchanged"] = planning.plan.unchanged

    asyncio.run(work())
    return figures


def books(folder: str) -> Figures:
    """Measure a folder of creates: write its journal, then write and read its state and its plan file."""
    from trueup.cli.flags import Flags
    from trueup.cli.session import load_definitions, open_session
    from trueup.core.memory.journal import DONE, INTENT, Entry
    from trueup.core.memory.state import State
    from trueup.edge.artifacts import read_plan, write_plan
    from trueup.edge.state.store import Store
    from trueup.engine.facts import DesiredState
    from trueup.engine.plan import make_plan
    from trueup.engine.refresh import View

    figures: Figures = {}
    session = open_session(Flags(chdir=folder))
    found = {item.name: item for item in load_definitions(session).definitions}
    desired = DesiredState(
        session.target, session.identity, found, frozenset(found), frozenset(session.project.targets)
    )
    plan = make_plan(desired, State(session.identity, 1), View(), session.adapter).plan
    records = {change.name: replace(change.record, id=change.name) for change in plan.changes if change.record}

    async def journal_writes(store: Store) -> None:
        journal = store.open_journal()
        waiting = iter(records.items())

        async def worker() -> None:
            for name, record in waiting:
                for step in (INTENT, DONE):
                    await journal.append(Entry(step, name, "create", record.operation, 1.0, name, record=record))

        await asyncio.gather(*(worker() for _ in range(8)))
        journal.close()

    with tempfile.TemporaryDirectory() as place:
        store = Store(Path(place), session.target, session.identity)
        with clocked(figures, "journal"):
            asyncio.run(journal_writes(store))
        with clocked(figures, "state"):
            store.load()
            store.save(State(session.identity, 1, records))
            store.load()
        with clocked(figures, "plan"):
            write_plan(Path(place) / "saved.plan", plan)
            read_plan(Path(place), "saved.plan")
    return figures


def text() -> Figures:
    """Measure the diff of two texts of the greatest length, of several kinds; the cheapest of three runs each."""
    from trueup.core.texts.compare import compare

    figures: Figures = {}
    for name, make in KINDS.items():
        before, after = make(random.Random(1))
        runs: Figures = {}
        for number in "123":
            with clocked(runs, number):
                compare(before[:TEXT], after[:TEXT])
        figures[name] = min(runs.values(), key=lambda run: run["cpu"])
    return figures


def _few_words(dice: random.Random) -> tuple[str, str]:
    lines = [" ".join(dice.choices(["alpha", "beta", "gamma", "delta"], k=2)) for _ in range(30_000)]
    other = [line for line in lines if dice.random() > 0.1]
    return "\n".join(lines), "\n".join(other)


def _one_line(dice: random.Random) -> tuple[str, str]:
    words = [dice.choice(["one", "two", "three", "four", "five"]) for _ in range(60_000)]
    return " ".join(words), " ".join(word for word in words if dice.random() > 0.05)


def _unlike(dice: random.Random) -> tuple[str, str]:
    made = ["\n".join(f"{dice.random():.12f} {side}" for _ in range(14_000)) for side in "ab"]
    return made[0], made[1]


def _reversed(dice: random.Random) -> tuple[str, str]:
    lines = [f"line {index} {dice.random():.6f}" for index in range(13_000)]
    return "\n".join(lines), "\n".join(reversed(lines))


def _edited(dice: random.Random) -> tuple[str, str]:
    lines = [f"rule {index}: {dice.random():.6f} and so on" for index in range(9_000)]
    return "\n".join(lines), "\n".join(line for line in lines if dice.random() > 0.01)


def _letters(dice: random.Random) -> tuple[str, str]:
    made = ["\n".join(dice.choices("ab", k=128_000)) for _ in range(2)]
    return made[0], made[1]


def _few_lines(dice: random.Random) -> tuple[str, str]:
    known = [f"line {dice.random():.2f}"[:8] for _ in range(150)]
    made = ["\n".join(dice.choices(known, k=29_000)) for _ in range(2)]
    return made[0], made[1]


def _moved(dice: random.Random) -> tuple[str, str]:
    words = [f"{dice.random():.6f}"[2:] for _ in range(4_000)]
    lines = [" ".join(dice.choices(words, k=24)) for _ in range(1_400)]
    other = [" ".join(word if dice.random() > 0.1 else "x" for word in line.split()) for line in lines]
    dice.shuffle(other)
    return "\n\n".join(lines), "\n\n".join(other)


def _placeholders(_dice: random.Random) -> tuple[str, str]:
    return " ".join(f"{{a{n}}}" for n in range(30_000)), "\n".join(f"{{b{n}}}" for n in range(30_000))


KINDS: Mapping[str, Callable[[random.Random], tuple[str, str]]] = {
    "few words": _few_words,
    "one line": _one_line,
    "nothing alike": _unlike,
    "reversed": _reversed,
    "edited": _edited,
    "128,000 lines of one letter": _letters,
    "29,000 lines of 150 distinct ones": _few_lines,
    "paragraphs shuffled and edited": _moved,
    "placeholders": _placeholders,
}
PROGRAMS: Mapping[str, Callable[..., Figures]] = {"phases": phases, "books": books, "text": text}

if __name__ == "__main__":
    sys.stdout.write(json.dumps(PROGRAMS[sys.argv[1]](*sys.argv[2:])))
