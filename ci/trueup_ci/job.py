"""One job: what it is about, the folders it works in, and the checkouts that it looks at."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from trueup_ci import texts
from trueup_ci.forge import Forge
from trueup_ci.problem import Problem
from trueup_ci.repository import Repository
from trueup_ci.settings import Event, Settings
from trueup_ci.tool import Trueup, read_json

STATE = ".state.json"
"""How the names of state files end."""


@dataclass(slots=True)
class Job:
    """The settings and the event, with the forge and the repository that they name."""

    settings: Settings
    event: Event
    forge: Forge
    repository: Repository
    place: Path
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    sides: list[Trueup] = field(default_factory=list)

    @property
    def kept(self) -> Path:
        """The folder of what this job keeps of its target."""
        folder = self.settings.kept / self.settings.slug
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def state_branch(self) -> str:
        """The branch that state is committed to."""
        return self.settings.state_branch or self.event.branch

    def checkout(self, tree: str, name: str, *, is_trusted: bool = True) -> Trueup:
        """A commit's files in a folder of that name, and the command on its project."""
        top = self.repository.checkout(tree, self.place / name)
        side = Trueup(top, top / self.settings.folder, self.settings.target, self.environ, is_trusted)
        self.sides.append(side)
        return side

    def newest(self, name: str) -> tuple[str, Trueup]:
        """The last commit of the job's branch as it is now, and its files: an old job that is run again is not old."""
        commit = self.repository.fetch(f"refs/heads/{self.event.branch}", 1)
        return commit, self.checkout(commit, name)

    def state_files(self, commit: str | None) -> dict[str, bytes]:
        """The state files of a commit, by path."""
        folder = Path(self.settings.folder) / ".trueup"
        return self.repository.files(commit, folder.as_posix(), STATE)

    def with_newest_state(self, on: Trueup) -> dict[str, bytes]:
        """Puts the state that is newest in its branch into a checkout, and returns it by path. Raises Problem."""
        newest = self.state_files(self.repository.branch(self.state_branch()))
        memory = on.project / ".trueup"
        if memory.exists() and not memory.is_dir():
            raise Problem("`.trueup` is not a folder here, and Trueup keeps its memory in it.", "Move it away.")
        for path in self.state_in(on):
            (on.top / path).unlink()
        for path, content in newest.items():
            (on.top / path).parent.mkdir(parents=True, exist_ok=True)
            (on.top / path).write_bytes(content)
        return newest

    def state_in(self, on: Trueup) -> dict[str, bytes]:
        """The state files of a checkout, by path."""
        found = sorted((on.project / ".trueup").glob(f"*{STATE}"))
        return {path.relative_to(on.top).as_posix(): path.read_bytes() for path in found if path.is_file()}

    def records_in(self, on: Trueup) -> dict[str, object]:
        """What a checkout's state file remembers of the target, by name; nothing where it cannot be read."""
        found = read_json(on.project / ".trueup" / f"{self.settings.target}{STATE}")
        records = found.get("records") if isinstance(found, dict) else None
        return records if isinstance(records, dict) else {}

    def marker(self, kind: str, page: str = "") -> str:
        """The first line of what this job writes about its target: the page's own, if it is about a target at all."""
        own = page.partition("\n")[0]
        if own.startswith("<!-- trueup:") and own.endswith(f"{texts.marker('', self.settings.target, kind)[12:]}"):
            return own
        return texts.marker(self._project(), self.settings.target, kind)

    def _project(self) -> str:
        """What the project is called, as the first checkout says that can."""
        for side in self.sides:
            for target in side.run("targets", "--json", is_quiet=True).json.get("targets") or []:
                if target["name"] == self.settings.target:
                    return str(target["project"])
        return "local"

    def keep(self, name: str, content: bytes) -> Path:
        """Keeps a file."""
        path = self.kept / name
        path.write_bytes(content)
        return path

    def keep_memory(self, on: Trueup) -> None:
        """Keeps what an apply left beside its files: state, journals, backups."""
        memory = on.project / ".trueup"
        for path in (*memory.glob(f"*{STATE}"), *memory.glob("*.journal")):
            shutil.copyfile(path, self.kept / path.name)
        if (memory / "backup").is_dir():
            shutil.copytree(memory / "backup", self.kept / "backup", dirs_exist_ok=True)

    def summarize(self, page: str) -> None:
        """Adds a page to the summary of the job, where the forge has one."""
        if self.settings.summary is not None:
            with self.settings.summary.open("a", encoding="utf-8") as file:
                file.write(page)


def workplace(settings: Settings) -> Path:
    """A new folder for the clone and its checkouts; what an earlier job kept, where folders outlive jobs, goes."""
    shutil.rmtree(settings.kept / settings.slug, ignore_errors=True)
    settings.work.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix="trueup-job-", dir=settings.work))
