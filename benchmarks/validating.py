"""What a further definition costs `validate`, against PyYAML's C loader alone on the same files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.process import PYTHON, TRUEUP, side_by_side
from benchmarks.setting import Setting
from benchmarks.table import Row

LOADER = """
import pathlib, sys, yaml
for file in pathlib.Path(sys.argv[1]).iterdir():
    text = file.read_bytes()
    yaml.load(text.split(b"---\\n", 2)[1] if file.suffix == ".md" else text, yaml.CSafeLoader)
"""
"""Values are dropped at once: the loader's cheapest way. Of Markdown it reads the front matter alone."""
PROMISED = 1.6
FEW = 10
"""Definitions of the project whose cost is start-up and is taken off."""


def rows(setting: Setting) -> Iterator[Row]:
    """Yield a row for each size, and one for Markdown."""
    for count in setting.sizes:
        yield _measure_row(setting, count, markdown=False)
    middle = sorted(setting.sizes)[len(setting.sizes) // 2]
    yield _measure_row(setting, middle, markdown=True)


def _measure_row(setting: Setting, count: int, *, markdown: bool) -> Row:
    few, many = (setting.project(size, markdown=markdown) for size in (FEW, count))
    commands = [command for folder in (few, many) for command in (_validate_command(folder), _loader_command(folder))]
    rounds = max(1, min(setting.rounds, 6_000 // count))
    ours_few, loader_few, ours, loader = side_by_side(commands, rounds)
    mine = (ours.cpu - ours_few.cpu) / (count - FEW)
    base = (loader.cpu - loader_few.cpu) / (count - FEW)
    kind = "Markdown" if markdown else "YAML"
    return Row(
        f"validate {count:,} x {kind}, a further definition",
        f"{1000 * mine:.3f} ms CPU",
        f"CSafeLoader {1000 * base:.3f} ms",
        mine / base,
        None if markdown or count < 1_000 else PROMISED,
        note=f"whole command {ours.wall:.2f} s, {ours.peak:.0f} MB",
    )


def _validate_command(folder: Path) -> list[str]:
    return [TRUEUP, "-C", str(folder), "validate"]


def _loader_command(folder: Path) -> list[str]:
    return [PYTHON, "-c", LOADER, str(folder / "assistants")]
