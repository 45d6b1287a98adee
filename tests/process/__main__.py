"""`python -m tests.process 1000` strikes until so many processes have died of SIGKILL; a second number is the seed."""

from __future__ import annotations

import sys
import time

from tests.process.kill_storm import Tally, Violation, run


def main() -> int:
    wanted = int(sys.argv[1])
    seed = first = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    started, broken, tally = time.monotonic(), 0, Tally()
    while tally.killed < wanted:
        try:
            run(seed, tally)
        except Violation as violation:
            broken += 1
            print(violation, flush=True)
        seed += 1
        if (seed - first) % 10 == 0:
            print(f"{seed - first} stories, {tally}, {time.monotonic() - started:.0f} s", flush=True)
    print(f"{seed - first} stories, {tally}, {broken} broken, {time.monotonic() - started:.0f} s")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
