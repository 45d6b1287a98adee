"""`python -m tests.process 1000` strikes until so many processes have died of SIGKILL; the protocols take turns.

A second number is the first seed, a third one how many stories go on at a time. Every third story is about the commands
that write files. `--page` writes the numbers into docs/guarantees.md.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import count

from tests.process.file_storm import FileStory
from tests.process.kill_storm import Story, Tally, run
from tests.protocols import speaking
from tests.simulation.page import written
from tests.simulation.story import protocol_at

AT_ONCE = 6


def main() -> int:
    numbers = [int(word) for word in sys.argv[1:] if word != "--page"]
    wanted, first, at_once = (*numbers, *(1, AT_ONCE)[len(numbers) - 1 :])
    started, broken, tally, stories = time.monotonic(), 0, Tally(), 0
    for own, violation in _stories(first, at_once, lambda: tally.killed < wanted):
        stories += 1
        tally.add(own)
        if violation:
            broken += 1
            print(violation, flush=True)
        if stories % 10 == 0:
            print(f"{stories} stories, {tally}, {time.monotonic() - started:.0f} s", flush=True)
    print(f"{stories} stories, {tally}, {broken} broken, {time.monotonic() - started:.0f} s")
    if "--page" in sys.argv:
        written("kills", _table(tally, stories, broken))
    return 1 if broken else 0


def _stories(first: int, at_once: int, wants_more: Callable[[], bool]) -> Iterator[tuple[Tally, str]]:
    """Each story's own numbers as it ends, and what it broke; those under way are told to their end."""
    seeds = count(first)
    with ThreadPoolExecutor(at_once) as pool:
        going: set[Future[tuple[Tally, str]]] = {pool.submit(_told, next(seeds)) for _ in range(at_once)}
        while going:
            ended, going = wait(going, return_when=FIRST_COMPLETED)
            yield from (story.result() for story in ended)
            if wants_more():
                going |= {pool.submit(_told, next(seeds)) for _ in ended}


def _told(seed: int) -> tuple[Tally, str]:
    tally = Tally()
    try:
        with speaking(protocol_at(seed)):
            run(seed, tally, kind=FileStory if seed % 3 == 0 else Story)
    except AssertionError as violation:
        return tally, f"seed {seed}: {violation}"
    return tally, ""


def _table(tally: Tally, stories: int, broken: int) -> str:
    rows = [
        ("stories", stories),
        ("broken", broken),
        ("processes that died of SIGKILL", tally.killed),
        ("processes that were interrupted", tally.interrupted),
        ("processes that had ended before their signal", tally.outlived),
        *((f"`trueup {command}` struck", number) for command, number in sorted(tally.struck.items())),
    ]
    lines = ["| signals | times |", "|---|---|", *(f"| {what} | {number:,} |" for what, number in rows)]
    return "\n\n" + "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
