"""How the tests run: the same hypothesis examples each time, one worker for each core, a third of the long tables.

`pytest --all` is what the gate runs: every case, and each command in a process that was started for it.
`TRUEUP_EXPLORE=1 pytest -m hypothesis` looks for new examples; what it finds becomes a case of its own.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests import extent, forks

settings.register_profile(
    "trueup",
    deadline=None,
    derandomize=not os.environ.get("TRUEUP_EXPLORE"),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("trueup")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all", action="store_true", help="every case, and each command started anew, as the gate runs")


def pytest_configure(config: pytest.Config) -> None:
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # as shells start what is to run in the background
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if not config.option.all:
        forks.turn_on()
        extent.take_a_third()


def pytest_unconfigure() -> None:
    forks.turn_off()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out two thirds of the long tables, but nothing of a test that was asked for by its name."""
    if not any("::" in argument for argument in config.args):
        items[:], left_out = extent.split_cells(items)
        config.hook.pytest_deselected(items=left_out)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what the gate runs beyond this."""
    if not config.option.all:
        line = "Of the long tables, laws and walks a third ran; `pytest --all` runs everything, as the gate does."
        terminalreporter.write_line(line)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """Start no worker for single files or tests: they end before workers would have started."""
    places = [Path(argument.partition("::")[0]) for argument in config.args]
    return 0 if all(place.is_file() for place in places) else None


@pytest.fixture(autouse=True)
def start_of_commands(request: pytest.FixtureRequest) -> Iterator[None]:
    """Where a test has the mark `real_start`, start its commands."""
    with forks.real_starts() if request.node.get_closest_marker("real_start") else nullcontext():
        yield
