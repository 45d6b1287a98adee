"""`python -m tests.simulation 17` replays one seed, `python -m tests.simulation 0 10000` a range.

Seeds take turns with the protocols of the registry; `--protocol=NAME` has all of them speak one.
With `--counts` behind it the tables of what happened in these seeds are printed too; `--page` writes them into
docs/guarantees.md.
"""

from __future__ import annotations

import sys
import time
from collections import Counter

from tests.simulation.page import written
from tests.simulation.story import protocol_at, run
from tests.simulation.tally import Tally, tables
from tests.simulation.watch import Excuse


def main() -> int:
    numbers = [int(word) for word in sys.argv[1:] if not word.startswith("--")]
    first, last = numbers[0], numbers[1] if len(numbers) > 1 else numbers[0] + 1
    started, broken = time.monotonic(), 0
    excused: Counter[Excuse] = Counter()
    tally = Tally()
    only = next((word.partition("=")[2] for word in sys.argv[1:] if word.startswith("--protocol=")), "")
    for seed in range(first, last):
        try:
            story = run(seed, only)
            excused.update(set(story.oracle.excused))
            tally.counts.update(story.tally.counts)
        except Exception as violation:  # whatever ends a schedule is a find
            broken += 1
            print(f"seed {seed}: {violation!r}"[:200], violation, sep="\n")
            print(f"  replay: python -m tests.simulation {seed} --protocol={only or protocol_at(seed)}", flush=True)
    for excuse, seeds in excused.most_common():
        print(f"  excused in {seeds} seeds: {excuse.value}")
    if "--counts" in sys.argv:
        print(tables(tally.counts), f"\nnever: {tally.absent()}")
    if "--page" in sys.argv:
        rows = [f"| {excuse.value} | {number:,} |" for excuse, number in excused.most_common()]
        head = f"Seeds {first:,} to {last - 1:,}, {broken} broken.\n\n"
        excuses = "\n".join(["| excused | in so many seeds |", "|---|---|", *rows])
        written("schedules", f"{head}{tables(tally.counts)}\n\n{excuses}")
    print(f"{last - first} seeds, {broken} broken, {time.monotonic() - started:.0f} s")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
