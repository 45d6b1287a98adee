"""`python -m benchmarks`: choose the groups of rows, run them one after another, print the table.

Everything is measured on whole processes, by the kernel's own account of CPU and memory, with what it is held against
in the same run: on a shared machine only ratios and CPU seconds tell something.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import applying, further, growth, longtext, peers, planning, startup, validating
from benchmarks.process import Failed
from benchmarks.setting import Setting
from benchmarks.stub import serving
from benchmarks.table import Row, markdown

GROUPS: Mapping[str, Callable[[Setting], Iterator[Row]]] = {
    "start": startup.rows,
    "validate": validating.rows,
    "plan": planning.rows,
    "apply": applying.rows,
    "protocols": further.rows,
    "growth": growth.rows,
    "text": longtext.rows,
    "peers": peers.rows,
}


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is measured where the command line does not say."""

    sizes: Sequence[int]
    latencies: Sequence[int]
    workers: Sequence[int]
    rounds: int
    applied: int


FULL = Extent((100, 1_000, 10_000), (0, 20, 100), (8, 32, 64), 15, 1_000)
QUICK = Extent((100, 1_000), (0, 20), (8, 64), 5, 200)


def main() -> int:
    """Print the table; return 1 if a target was missed or a measured command failed."""
    asked = _parse_arguments()
    chosen = QUICK if asked.quick else FULL
    names = asked.rows or [name for name in GROUPS if not (asked.quick and name == "peers")]
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="trueup-benchmark-") as folder, serving() as stub:
        setting = Setting(
            Path(folder),
            stub,
            asked.sizes or chosen.sizes,
            asked.latencies or chosen.latencies,
            asked.workers or chosen.workers,
            chosen.rounds,
            asked.applied or chosen.applied,
        )
        for name in names:
            rows += _report_rows(name, GROUPS[name](setting))
    sys.stdout.write(f"{_describe_machine()}\n\n{markdown(rows)}\n")
    return int(any(row.verdict == "MISSED" for row in rows))


def _report_rows(name: str, rows: Iterator[Row]) -> Iterator[Row]:
    """Yield the rows of one group, each printed to stderr as soon as it is measured; a failure is a row too."""
    start = time.monotonic()
    try:
        for row in rows:
            sys.stderr.write(f"{time.monotonic() - start:6.1f} s  {'  '.join(filter(None, row.cells()))}\n")
            yield row
    except Failed as failure:
        sys.stderr.write(f"{failure}\n")
        yield Row(f"{name}: could not be measured", ratio=1, target=0, note=str(failure).splitlines()[0])


def _describe_machine() -> str:
    """Return the machine and the Python that the figures come from."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{platform.system()} {platform.machine()}, {cores} cores, Python {platform.python_version()}"


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "python -m benchmarks", description="Measures Trueup, and prints a table of ratios."
    )
    parser.add_argument(
        "rows", nargs="*", choices=[[], *GROUPS], metavar="GROUP", help=f"of {', '.join(GROUPS)}; else all"
    )
    parser.add_argument("--quick", action="store_true", help="smaller sizes, under a minute")
    for name, text in (
        ("sizes", "numbers of definitions"),
        ("latencies", "milliseconds of each answer"),
        ("workers", "parallelisms of an apply"),
    ):
        parser.add_argument(f"--{name}", type=_parse_numbers, metavar="N,N", help=f"{text}, with commas between")
    parser.add_argument("--applied", type=int, metavar="N", help="definitions that an apply creates and modifies")
    return parser.parse_args()


def _parse_numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",")]


if __name__ == "__main__":
    sys.exit(main())
