"""`plan` against its own limit: the pages it must read one after another at a latency, and the CPU it uses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks import corpus
from benchmarks.process import PYTHON, Spent, busy, calm, run, trueup
from benchmarks.setting import Setting
from benchmarks.table import Row

PAGE = 100
MEMORY = {1_000: 100, 10_000: 450}
"""Megabytes that a plan may take at its peak."""


def rows(setting: Setting) -> Iterator[Row]:
    """For each size: a new fleet, a clean one, one with 1 % changed, the refresh alone, and the peak of memory."""
    for count in setting.sizes:
        yield from _new(setting, count)
        yield from _known(setting, count)


def _new(setting: Setting, count: int) -> Iterator[Row]:
    """Nothing is recorded and nothing is live: one page, and all that is to be created."""
    setting.stub.reset()
    setting.live = 0
    project = setting.project(count)
    for latency in setting.latencies:
        setting.stub.latency(latency)
        yield _limited(
            f"plan {count:,} all new, {latency} ms", trueup("plan", "--quiet", cwd=project), setting, latency
        )
    setting.stub.latency(0)


def _known(setting: Setting, count: int) -> Iterator[Row]:
    """All are live and recorded."""
    project = setting.fleet(count)
    state = project / ".trueup" / "stub.state.json"
    clean: Spent | None = None
    for latency in setting.latencies:
        setting.stub.latency(latency)
        clean = trueup("plan", "--quiet", cwd=project)
        assert f"0 to modify, 0 to delete, 0 drifted, {count} unchanged" in clean.out, clean.out
        yield _limited(f"plan {count:,} clean, {latency} ms", clean, setting, latency)
        yield from _refreshed(setting, project, count, latency)
    yield _without_state(setting, project, state, count)
    yield _changed(setting, project, count)
    setting.stub.latency(0)
    if clean is not None:
        allowed = MEMORY.get(count)
        against = f"{allowed} MB" if allowed else ""
        yield Row(
            f"plan {count:,} clean, peak memory",
            f"{clean.peak:.0f} MB",
            against,
            clean.peak / allowed if allowed else None,
            1 if allowed else None,
        )


def _limited(what: str, spent: Spent, setting: Setting, latency: float) -> Row:
    """A plan held against its pages x latency, every request counted as a page, and its CPU."""
    requests, _ = setting.stub.taken()
    wait = requests * latency / 1000
    limit = 1.2 * wait + spent.cpu
    return Row(
        what,
        f"{spent.wall:.2f} s",
        f"1.2 x {requests} pages x {latency} ms + CPU {spent.cpu:.2f} s",
        spent.wall / limit,
        1 if latency else None,
        note=busy(spent),
        calm=calm(spent) / limit,
    )


def _refreshed(setting: Setting, project: Path, count: int, latency: int) -> Iterator[Row]:
    """The reading alone, in stretches and page after page; and what an unchanged assistant costs."""
    stretched = run([PYTHON, "-m", "benchmarks.inside", "phases", str(project)]).json
    each = stretched["both"]["cpu"] / count
    if latency == setting.latencies[0]:
        yield Row(
            f"refresh and compare {count:,}, one assistant",
            f"{1000 * each:.3f} ms CPU",
            "0.35 ms",
            1000 * each / 0.35,
            1 if count >= 1_000 else None,
            note=f"of it refresh {1000 * stretched['refresh']['cpu'] / count:.3f} ms",
        )
    if latency < max(setting.latencies) or not latency:
        return
    pages = run([PYTHON, "-m", "benchmarks.inside", "phases", str(project), "--in-sequence"]).json
    setting.stub.taken()
    one_by_one = pages["refresh"]["wall"]
    yield Row(
        f"refresh {count:,} with state, {latency} ms",
        f"{stretched['refresh']['wall']:.2f} s",
        f"page after page {one_by_one:.2f} s",
        one_by_one / stretched["refresh"]["wall"],
        3 if count >= 10_000 else None,
        at_least=True,
        note=f"{stretched['found']['pages']:.0f} pages; CPU {stretched['refresh']['cpu']:.2f} s",
    )


def _without_state(setting: Setting, project: Path, state: Path, count: int) -> Row:
    """The same fleet in a checkout without a state file: everything is found by its stamp."""
    latency = max(setting.latencies)
    aside = state.with_suffix(".aside")
    state.rename(aside)
    setting.stub.taken()
    try:
        spent = trueup("plan", "--quiet", cwd=project)
    finally:
        aside.rename(state)
    return _limited(f"plan {count:,} without state, {latency} ms", spent, setting, latency)


def _changed(setting: Setting, project: Path, count: int) -> Row:
    """One definition in a hundred is edited, planned, and put back."""
    latency = max(setting.latencies)
    corpus.edit(project, count)
    try:
        spent = trueup("plan", "--quiet", cwd=project)
    finally:
        corpus.write(project, count, setting.stub.base_url)
    edited = -(-count // corpus.CHANGED)
    assert f"{edited} to modify" in spent.out, spent.out
    return _limited(f"plan {count:,} with 1 % changed, {latency} ms", spent, setting, latency)
