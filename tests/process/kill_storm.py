"""Stories of a project whose commands are killed at random moments, and what must hold all the same.

Each story is drawn from a seed: files are edited, live assistants are changed by others, the vendor is slow or loses
answers, and the process dies of SIGKILL, SIGINT or SIGTERM. Then one calm run, and the accounts are settled: no twin,
nothing lost, state readable, the next plan empty. Knows no module of the engine: it only runs the command and looks.
"""

from __future__ import annotations

import json
import random
import signal
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.process.project import KEY, Project, Vendor, ended, hosted
from tests.ran import Ran
from trueup.local.faults import Fault, Kind

BOUNDLESS = {"deletes": 1000, "modifies": 1000}
"""Guards that never ask, so that a calm run needs no acknowledgement."""

CAREFREE = ("apply", "--yes", "--prune", "--on-drift", "revert")
ROUNDS = 8
RUNS = 12
"""Runs that are struck down in one round, at most."""

PATIENCE = 10.0
"""Seconds that a strike waits, at most, for the request that it is to follow."""


class Violation(AssertionError):
    """A promise was broken; the message says which, and how the run that showed it ended."""


@dataclass(slots=True)
class Tally:
    """What was done: processes that died of each signal, commands struck, and runs that ended before their signal."""

    struck: dict[str, int] = field(default_factory=dict)
    killed: int = 0
    interrupted: int = 0
    outlived: int = 0
    rounds: int = 0

    def count(self, command: str, code: int) -> None:
        """Count a run by how it ended."""
        self.struck[command] = self.struck.get(command, 0) + 1
        self.killed += code == -signal.SIGKILL
        self.interrupted += code in (130, -signal.SIGINT, -signal.SIGTERM)
        self.outlived += code not in (130, -signal.SIGINT, -signal.SIGTERM, -signal.SIGKILL)

    def add(self, other: Tally) -> None:
        """Add another tally's numbers."""
        for command, number in other.struck.items():
            self.struck[command] = self.struck.get(command, 0) + number
        self.killed += other.killed
        self.interrupted += other.interrupted
        self.outlived += other.outlived
        self.rounds += other.rounds


@dataclass(slots=True)
class Story:
    """One project and its vendor over some rounds. `wanted` is what the files say, `ids` what must not change."""

    random: random.Random
    project: Project
    vendor: Vendor
    tally: Tally
    wanted: dict[str, dict[str, Any]] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    others: list[dict[str, Any]] = field(default_factory=list)
    made: int = 0
    usual: float = 0.6  # seconds that the last calm run took: a machine may be busy

    def round(self) -> None:
        """Edits, a few runs that are struck down, a calm one, and the accounts."""
        self.tally.rounds += 1
        acts = (self._apply, self._rebuild, self._import, self._destroy)
        act = self.random.choices(acts, (8, 1, 1, 1))[0]
        (act if self.wanted else self._apply)()

    def _apply(self) -> None:
        self._edit()
        self._meddle()
        for _ in range(self.random.randint(2, RUNS)):
            if self.random.random() < 0.1:
                self.project.run("plan", "--out", "saved.plan", *CAREFREE[2:])
                self._strike("apply", "saved.plan", *CAREFREE[2:])
            else:
                self._strike(*CAREFREE)
        self._settle()

    def _rebuild(self) -> None:
        """State is lost, and its rebuilding struck down."""
        for name in ("prod.state.json", "prod.journal"):
            (self.project.root / ".trueup" / name).unlink(missing_ok=True)
        for _ in range(self.random.randint(2, RUNS)):
            self._strike("state", "rebuild")
        self._calm("state", "rebuild")
        self._must(self.project.records() == self.ids, "a rebuild does not know what the stamps say")
        self._settle()

    def _import(self) -> None:
        """Take over a live assistant of somebody else."""
        name, spoken = self._new_name(), self.vendor.protocol
        body = self.vendor.ask("POST", spoken.path, {"model": "gpt-4.1", "name": name, spoken.scalar: spoken.values[0]})
        self._write(name, {"model": "gpt-4.1", "instructions": "Taken over."})
        self.ids[name] = body["id"]
        for _ in range(self.random.randint(2, RUNS)):
            self._strike("import", f"{name}={body['id']}")
        self._calm("import", f"{name}={body['id']}")
        self._settle()

    def _destroy(self) -> None:
        for _ in range(self.random.randint(2, RUNS)):
            self._strike("destroy", "--yes")
        self._calm("destroy", "--yes")
        self._must(not self.vendor.stamped() and not self.project.records(), "destroy left something")
        self.ids = {}
        self._settle()

    def _edit(self) -> None:
        """Add, change and remove definitions."""
        spoken = self.vendor.protocol
        for _ in range(self.random.randint(0, 3) + (not self.wanted)):
            self._write(self._new_name(), {"model": "gpt-4.1", "instructions": f"Version {self.random.random()}"})
        for name in self.random.sample(sorted(self.wanted), min(len(self.wanted), self.random.randint(0, 3))):
            scalar = self.random.choice((*spoken.values, spoken.default))
            more = {spoken.scalar: scalar, "metadata": {"owner": self.random.choice("abc")}}
            self._write(name, {**self.wanted[name], **more})
        if len(self.wanted) > 4 or self.random.random() < 0.2:
            for name in self.random.sample(sorted(self.wanted), min(len(self.wanted) - 1, self.random.randint(1, 2))):
                del self.wanted[name]
                self.ids.pop(name, None)
                (self.project.root / f"assistants/{name}.yaml").unlink()

    def _write(self, name: str, body: dict[str, Any]) -> None:
        self.wanted[name] = body
        self.project.write(f"assistants/{name}.yaml", json.dumps({"name": name, **body}))

    def _new_name(self) -> str:
        self.made += 1
        return f"assistant-{self.made}"

    def _meddle(self) -> None:
        """Somebody else changes a live assistant, or makes one that is none of our business."""
        if self.ids and self.random.random() < 0.3:
            live_id = self.random.choice(sorted(self.ids.values()))
            self.vendor.ask("POST", self.vendor.protocol.path_of(live_id), {"instructions": "By somebody else."})
        if self.random.random() < 0.1:
            body = {"model": "gpt-4.1", "name": "not yours"}
            self.others.append(self.vendor.ask("POST", self.vendor.protocol.path, body))

    def _strike(self, *arguments: str) -> None:
        """Run a command on a vendor in some mood, and send it a signal at some moment."""
        number = self.random.choices((signal.SIGKILL, signal.SIGINT, signal.SIGTERM), (8, 1, 1))[0]
        self.vendor.faults.add(*self._mood(kill=number == signal.SIGKILL))
        before, writes = self.vendor.arrived, self.vendor.writes
        process = self.project.start(*arguments)
        if self.random.random() < 0.3:
            time.sleep(self.random.uniform(0, self.usual))
        else:
            self.vendor.wait_for(
                before + self.random.randint(1, 4 if arguments[0] == "apply" else 1),
                PATIENCE,
                lambda: process.poll() is not None,
            )
            time.sleep(self.random.choice((0, self.random.uniform(0, 0.08))))
        process.send_signal(number)
        ran = ended(process)
        self.vendor.faults.clear()
        self.tally.count(arguments[0], ran.code)
        if number != signal.SIGKILL:
            self._interrupted(ran, began=self.vendor.arrived > before, wrote=self.vendor.writes > writes)

    def _mood(self, *, kill: bool) -> list[Fault]:
        """Choose what the vendor does to writes during one run; it loses answers only if the process is killed."""
        moods: list[Callable[[], list[Fault]]] = [
            list,
            lambda: [Fault(Kind.PASS, times=0, delay=self.random.uniform(0, 0.04))],
            lambda: [Fault(Kind.PASS, method="POST", times=0, delay=self.random.uniform(0, 0.2))],
            lambda: [Fault(Kind.DROP, method="POST", nth=self.random.randint(1, 4), commit=True)],
            lambda: [Fault(Kind.DROP, method="POST", nth=self.random.randint(1, 4), late=0.1)],
            lambda: [Fault(Kind.ANSWER, method="POST", nth=self.random.randint(1, 4), times=2, commit=True)],
        ]
        return self.random.choice(moods if kill else moods[:3])()

    def _interrupted(self, ran: Ran, *, began: bool, wrote: bool) -> None:
        """Check what a run that was asked to stop leaves: its code, no traceback, and a state file that has it all."""
        if not began and (not ran.err or ran.err.endswith("\nKeyboardInterrupt\n")):
            return  # Python itself was still starting: its own words, before there is anybody to say others
        is_told = "Interrupted" in ran.err or '"exit": 130' in ran.out
        codes = (
            (0, 130, -signal.SIGINT) if is_told else (0,)
        )  # 0: all was done already; a shell shows both others as 130
        self._must(ran.code in codes, "a wrong exit code after an interrupt", ran)
        self._must(ran.code != 0 or "interrupted" not in ran.out, "0 although something was left out", ran)
        self._must("Traceback" not in ran.err, "a traceback", ran)
        if wrote:
            journal = self.project.root / ".trueup/prod.journal"
            live = {name: found[0]["id"] for name, found in self.vendor.stamped().items()}
            self._must(journal.stat().st_size == 0, "the journal was not folded into state", ran)
            self._must(self.project.records() == live, "state does not hold what was done", ran)

    def _calm(self, *arguments: str) -> Ran:
        started = time.monotonic()
        ran = self.project.run(*arguments)
        self.usual = time.monotonic() - started
        self._must(ran.code == 0, f"the calm `trueup {' '.join(arguments)}` did not end well", ran)
        return ran

    def _settle(self) -> None:
        """Apply in peace, and check what there is."""
        ran = self._calm(*CAREFREE)
        stamped = self.vendor.stamped()
        ids = {name: found[0]["id"] for name, found in stamped.items()}
        self._must(all(len(found) == 1 for found in stamped.values()), f"twins: {stamped}", ran)
        self._must(stamped.keys() == self.wanted.keys(), f"live are {sorted(stamped)}", ran)
        for name, body in self.wanted.items():
            live = {key: value for key, value in stamped[name][0].items() if key in body}
            live["metadata"] = {key: value for key, value in live.get("metadata", {}).items() if key != "trueup"}
            self._must(live == {"metadata": {}, **body}, f"{name} is {live}, not {body}", ran)
        self._must({**ids, **self.ids} == ids, "an assistant was lost and made again", ran)
        self._must(self.project.records() == ids, f"state holds {self.project.records()}, not {ids}", ran)
        live_ids = {body["id"]: body for body in self.vendor.live()}
        self._must(all(live_ids.get(body["id"]) == body for body in self.others), "somebody else's was touched", ran)
        self._must(len(live_ids) == len(ids) + len(self.others), "there is more live than there should be", ran)
        self.ids = ids
        writes = self.vendor.writes
        ran = self.project.run("plan", "--detailed-exitcode", *CAREFREE[2:])
        self._must(ran.code == 0 and self.vendor.writes == writes, "the second run is not empty", ran)
        self._must(not self.project.leaks(), f"the key is in {self.project.leaks()}", ran)

    def _must(self, holds: bool, what: str, ran: Ran | None = None) -> None:
        if not holds:
            raise Violation(f"{what}\n{ran}\nstamped: {self.vendor.stamped()}\nwanted: {self.wanted}, ids: {self.ids}")
        if ran is not None and KEY in ran.out + ran.err:
            raise Violation(f"the key was shown\n{ran}")


def run(seed: int, tally: Tally, rounds: int = ROUNDS, kind: type[Story] = Story) -> None:
    """One story of so many rounds; adds to the tally. Raises Violation."""
    with (
        tempfile.TemporaryDirectory(prefix="trueup-storm-") as folder,
        hosted(Path(folder), guard=BOUNDLESS) as (project, vendor),
    ):
        story = kind(random.Random(seed), project, vendor, tally)
        for number in range(rounds):
            try:
                story.round()
            except Violation as violation:
                raise Violation(f"seed {seed}, round {number}: {violation}") from None
