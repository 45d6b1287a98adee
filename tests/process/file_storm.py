"""Stories of commands that write a person's files, killed at random moments: `import` of live assistants, `accept`.

A file is there whole or not at all, a file of somebody else is never overwritten, nothing is sent, and the same command
again finishes the work: the next plan is empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.process.kill_storm import RUNS, Story

LONG = "Answer in full sentences.\n" * 30


class FileStory(Story):
    """`made` counts the assistants that others made; a name is never used twice."""

    def round(self) -> None:
        """Kill one of the two commands some times, run it in peace, and check what there is."""
        self.tally.rounds += 1
        names = sorted(self.project.records())
        if names and self.random.random() < 0.5:
            self._accept(self.random.choice(names))
        else:
            self._import_all()

    def _import_all(self) -> None:
        """Import some unmanaged live assistants into definitions and state."""
        spoken = self.vendor.protocol
        for _ in range(self.random.randint(1, 12)):
            self.made += 1
            body: dict[str, Any] = {"model": "gpt-4.1", "name": f"Assistant {self.made}"}
            body["instructions"] = self.random.choice((LONG, f"Version {self.random.random()}", "ünïcode: 'quoted'"))
            body["tools"] = self.random.choice(([], [spoken.function()], spoken.tools[1:]))
            self.vendor.ask("POST", spoken.path, body)
        self._struck("import", "--yes", may_change=())
        self._must(len(self.project.records()) == len(self.vendor.live()), "not everything was imported")

    def _accept(self, name: str) -> None:
        """Somebody edits an assistant at the vendor, and its definition follows."""
        spoken = self.vendor.protocol
        change = {spoken.scalar: self.random.choice((*spoken.values, spoken.default))}
        change["instructions"] = f"By hand {self.random.random()}\n-"
        self.vendor.ask("POST", spoken.path_of(self.project.records()[name]), change)
        files = [path.relative_to(self.project.root) for path in self.project.root.glob(f"assistants/{name}.*")]
        self._struck("accept", name, spoken.scalar, "instructions", "--yes", may_change=[str(path) for path in files])

    def _struck(self, *command: str, may_change: Sequence[str]) -> None:
        """Strikes a command down some times, runs it in peace, and compares what was there at each time."""
        live, writes = self.vendor.live(), self.vendor.writes
        seen = [self._definitions()]
        for _ in range(self.random.randint(2, RUNS)):
            self._strike(*command)
            seen.append(self._definitions())
        self._calm(*command)
        last = self._definitions()
        for files in seen:
            for name, content in files.items():
                is_whole = content == last.get(name) or (name in may_change and content == seen[0].get(name))
                self._must(is_whole, f"{name} was half written, or overwritten: {content!r}, then {last.get(name)!r}")
        left = [name for name in self.project.files() if name.endswith(".tmp")]
        self._must(not left, f"half-written files were left: {left}")
        self._must(self.vendor.live() == live and self.vendor.writes == writes, "something was sent")
        ran = self.project.run("plan", "--detailed-exitcode")
        self._must(ran.code == 0, "the next plan is not empty", ran)
        self._calm("apply", "--yes")  # remembers what was accepted, so that a later edit is no conflict

    def _definitions(self) -> dict[str, bytes]:
        """Every file of a person, by name; not the unnamed ones that a killed writer leaves until the next one."""
        files = self.project.files()
        hidden = (".trueup/", "assistants/.")
        return {name: content for name, content in files.items() if not name.startswith(hidden) and "/." not in name}
