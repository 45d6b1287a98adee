"""`plan` against its own limit: the pages it must read one after another at a latency, and the CPU it uses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks import corpus
from benchmarks.inside import Figures
from benchmarks.process import PYTHON, Failed, Spent, busy, calm, run, trueup
from benchmarks.setting import Setting
from benchmarks.table import Row

MEMORY = {1_000: 100, 10_000: 450}
"""Megabytes that a plan may take at its peak."""
UNCHANGED = 0.35
"""Milliseconds of CPU for one assistant that is as it should be."""


ROUNDS = 3
"""How often the parts of a plan are measured where they are quick; twice where not."""


def rows(setting: Setting) -> Iterator[Row]:
    """Yield for each size a new fleet, a clean one, one with 1 % changed, the refresh alone, and the peak of memory."""
    for count in setting.sizes:
        yield from _plan_new(setting, count)
        yield from _plan_known(setting, count)


def _plan_new(setting: Setting, count: int) -> Iterator[Row]:
    """Plan a fleet of which nothing is recorded and nothing is live: one page, and everything to create."""
    setting.stub.reset()
    setting.live = 0
    yield from _plan_at_each_latency(setting, setting.project(count), count, "all new", f"{count} to create,")


def _plan_known(setting: Setting, count: int) -> Iterator[Row]:
    """Plan a fleet that is live and recorded."""
    project = setting.fleet(count)
    yield from _plan_at_each_latency(
        setting, project, count, "clean", f"0 to modify, 0 to delete, 0 drifted, {count} unchanged"
    )
    yield _measure_comparison(project, count)
    latency = max(setting.latencies)
    if latency:
        setting.stub.latency(latency)
        yield _measure_stretches(project, count, latency)
        yield _plan_without_state(setting, project, count, latency)
        yield _plan_changed(setting, project, count, latency)
        setting.stub.latency(0)


def _plan_at_each_latency(setting: Setting, project: Path, count: int, what: str, said: str) -> Iterator[Row]:
    """Plan one folder at each latency; yield a row for each and the most memory that one took."""
    peak = 0.0
    for latency in setting.latencies:
        setting.stub.latency(latency)
        spent, pages = _run_plan(setting, project, said)
        if not latency:
            setting.rest = max(0.0, spent.wall - spent.cpu - spent.waited)
        peak = max(peak, spent.peak)
        yield _hold_to_limit(f"plan {count:,} {what}, {latency} ms", spent, setting, pages, latency)
    setting.stub.latency(0)
    allowed = MEMORY.get(count)
    against = f"{allowed} MB" if allowed else ""
    ratio = peak / allowed if allowed else None
    yield Row(f"plan {count:,} {what}, peak memory", f"{peak:.0f} MB", against, ratio, 1 if allowed else None)


def _run_plan(setting: Setting, project: Path, said: str) -> tuple[Spent, int]:
    """Return one plan and its number of requests. Raises `Failed` unless it printed what was expected."""
    setting.stub.taken()
    spent = trueup("plan", "--quiet", cwd=project)
    if said not in spent.out:
        raise Failed(f"a plan should have said {said!r}:\n{spent.out[-2000:]}")
    return spent, setting.stub.taken()[0]


def _hold_to_limit(what: str, spent: Spent, setting: Setting, pages: int, latency: float) -> Row:
    """Hold a plan against its pages x latency, every request counted as a page, its CPU, and what it does besides.

    That last is what the same plan took beyond its CPU where the latency is nothing: the disk, the stub's own work,
    and the end of the process.
    """
    limit = 1.2 * pages * latency / 1000 + spent.cpu + setting.rest
    return Row(
        what,
        f"{spent.wall:.2f} s",
        f"1.2 x {pages} pages x {latency} ms + CPU {spent.cpu:.2f} s + {setting.rest:.2f} s",
        spent.wall / limit,
        1 if latency else None,
        note=busy(spent),
        calm=calm(spent) / limit,
    )


def _measure_comparison(project: Path, count: int) -> Row:
    """Measure what an unchanged assistant costs beside its definition: reading and comparing it."""
    rounds = ROUNDS if count <= 1_000 else 2
    figures = [_measure_parts(project) for _ in range(rounds)]
    best = min(figures, key=lambda parts: parts["both"]["cpu"])
    each, refresh = (1000 * best[part]["cpu"] / count for part in ("both", "refresh"))
    return Row(
        f"refresh and compare {count:,}, one assistant",
        f"{each:.3f} ms CPU",
        f"{UNCHANGED} ms",
        each / UNCHANGED,
        1 if count >= 1_000 else None,
        note=f"cheapest of {rounds}; of it refresh {refresh:.3f} ms",
    )


def _measure_stretches(project: Path, count: int, latency: int) -> Row:
    """Measure the reading alone: a known fleet in stretches side by side, against page after page."""
    stretched = _measure_parts(project)
    pages = _measure_parts(project, "--in-sequence")
    ours, theirs = (parts["refresh"]["wall"] for parts in (stretched, pages))
    return Row(
        f"refresh {count:,} with state, {latency} ms",
        f"{ours:.2f} s",
        f"page after page {theirs:.2f} s",
        theirs / ours,
        3 if count >= 10_000 else None,
        at_least=True,
        note=f"{stretched['found']['pages']:.0f} pages; CPU {stretched['refresh']['cpu']:.2f} s",
    )


def _measure_parts(project: Path, *mode: str) -> Figures:
    found: Figures = run([PYTHON, "-m", "benchmarks.inside", "phases", str(project), *mode]).json
    return found


def _plan_without_state(setting: Setting, project: Path, count: int, latency: int) -> Row:
    """Plan the same fleet in a checkout without a state file: everything is found by its stamp."""
    state = project / ".trueup" / "stub.state.json"
    aside = state.with_suffix(".aside")
    state.rename(aside)
    try:
        spent, pages = _run_plan(setting, project, "0 to create, 0 to modify")
    finally:
        aside.rename(state)
    return _hold_to_limit(f"plan {count:,} without state, {latency} ms", spent, setting, pages, latency)


def _plan_changed(setting: Setting, project: Path, count: int, latency: int) -> Row:
    """Edit one definition in a hundred, plan, and restore them."""
    setting.edit(project, count)
    try:
        spent, pages = _run_plan(setting, project, f"{-(-count // corpus.CHANGED)} to modify")
    finally:
        setting.write(project, count)
    return _hold_to_limit(f"plan {count:,} with 1 % changed, {latency} ms", spent, setting, pages, latency)
