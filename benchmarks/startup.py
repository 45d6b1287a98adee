"""How long a command takes before it does anything, against a bare interpreter and one that has imported click."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.process import PYTHON, TRUEUP, Spent, side_by_side
from benchmarks.setting import Setting
from benchmarks.table import Row

BARE = [PYTHON, "-c", "pass"]
CLICK = [PYTHON, "-c", "import click"]
PROMISED = {"--version": 1.35, "--help": 1.6}


def rows(setting: Setting) -> Iterator[Row]:
    """Yield `--version`, `--help`, and `validate` of one definition."""
    project = setting.project(1)
    commands = [[TRUEUP, "--version"], [TRUEUP, "--help"], [TRUEUP, "-C", str(project), "validate"]]
    bare, click, *ours = side_by_side([BARE, CLICK, *commands], setting.rounds)
    yield Row("start-up: python -c 'import click'", _ms(click), f"bare Python {_ms(bare)}", click.cpu / bare.cpu)
    for name, spent in zip(("--version", "--help", "validate"), ours, strict=True):
        note = f"{spent.cpu / bare.cpu:.1f} x bare Python"
        yield Row(
            f"start-up: trueup {name}",
            _ms(spent),
            f"click {_ms(click)}",
            spent.cpu / click.cpu,
            PROMISED.get(name),
            note=note,
        )


def _ms(spent: Spent) -> str:
    return f"{1000 * spent.cpu:.0f} ms CPU"
