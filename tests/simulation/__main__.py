"""`python -m tests.simulation 17` replays one seed, `python -m tests.simulation 0 10000` a range."""

from __future__ import annotations

import sys
import time
from collections import Counter

from tests.simulation.story import run
from tests.simulation.watch import Excuse


def main() -> int:
    first = int(sys.argv[1])
    last = int(sys.argv[2]) if len(sys.argv) > 2 else first + 1
    started, broken = time.monotonic(), 0
    excused: Counter[Excuse] = Counter()
    for seed in range(first, last):
        try:
            excused.update(set(run(seed)))
        except Exception as violation:  # whatever ends a schedule is a find
            broken += 1
            print(f"seed {seed}: {violation!r}"[:200], violation, sep="\n")
            print(f"  replay: python -m tests.simulation {seed}", flush=True)
    for excuse, seeds in excused.most_common():
        print(f"  excused in {seeds} seeds: {excuse.value}")
    print(f"{last - first} seeds, {broken} broken, {time.monotonic() - started:.0f} s")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
