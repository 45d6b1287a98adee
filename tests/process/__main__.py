"""`python -m tests.process 1000` strikes until so many processes have died of SIGKILL; a second number is the seed.

Every third story is about the commands that write files. `--page` writes the numbers into docs/guarantees.md.
"""

from __future__ import annotations

import sys
import time

from tests.process.file_storm import FileStory
from tests.process.kill_storm import Story, Tally, Violation, run
from tests.simulation.page import written


def main() -> int:
    numbers = [int(word) for word in sys.argv[1:] if word != "--page"]
    wanted = numbers[0]
    seed = first = numbers[1] if len(numbers) > 1 else 1
    started, broken, tally = time.monotonic(), 0, Tally()
    while tally.killed < wanted:
        try:
            run(seed, tally, kind=FileStory if seed % 3 == 0 else Story)
        except Violation as violation:
            broken += 1
            print(violation, flush=True)
        seed += 1
        if (seed - first) % 10 == 0:
            print(f"{seed - first} stories, {tally}, {time.monotonic() - started:.0f} s", flush=True)
    said = f"{seed - first} stories, {tally}, {broken} broken, {time.monotonic() - started:.0f} s"
    print(said)
    if "--page" in sys.argv:
        written("kills", _table(tally, seed - first, broken))
    return 1 if broken else 0


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
