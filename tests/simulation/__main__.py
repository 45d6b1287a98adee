"""`python -m tests.simulation 17` replays one seed, `python -m tests.simulation 0 10000` a range."""

from __future__ import annotations

import sys
import time

from tests.simulation.schedule import Violation, run
from trueup.core.errors import TrueupError


def main() -> int:
    first = int(sys.argv[1])
    last = int(sys.argv[2]) if len(sys.argv) > 2 else first + 1
    started, broken = time.monotonic(), 0
    for seed in range(first, last):
        try:
            run(seed)
        except (Violation, TrueupError) as violation:
            broken += 1
            print(f"seed {seed}: {violation}\n  replay: python -m tests.simulation {seed}")
    print(f"{last - first} seeds, {broken} broken, {time.monotonic() - started:.0f} s")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
