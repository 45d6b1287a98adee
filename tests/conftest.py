"""How the tests run: one worker for each core, a third of what is long, the same examples of every law each time.

`pytest --all` is what the gate runs: all of it, and each command in a process that was started for it. A test that is
named (`file.py::test`) runs whole too.
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


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all", action="store_true", help="every case, and each command started anew, as the gate runs")


def pytest_configure(config: pytest.Config) -> None:
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # as shells start what is to run in the background
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if not config.option.all:
        forks.turn_on()
    explores = bool(os.environ.get("TRUEUP_EXPLORE"))
    if not (config.option.all or explores or _names_tests(config)):
        extent.take_a_third()
    settings.register_profile(
        "trueup",
        deadline=None,
        derandomize=not explores,
        max_examples=extent.examples(100),
        suppress_health_check=[HealthCheck.too_slow],
    )
    settings.load_profile("trueup")


def _names_tests(config: pytest.Config) -> bool:
    return any("::" in argument for argument in config.args)


def pytest_unconfigure() -> None:
    forks.turn_off()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    items[:], left_out = extent.split_cells(items, is_named=_names_tests(config))
    config.hook.pytest_deselected(items=left_out)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not extent.is_whole():
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
