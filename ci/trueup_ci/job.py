"""One job: what it is about, the folders it works in, and the checkouts that it looks at."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from trueup_ci import texts
from trueup_ci.forge import Forge
from trueup_ci.problem import Problem
from trueup_ci.repository import Repository
from trueup_ci.settings import Event, Settings
from trueup_ci.tool import Trueup

STATE = ".state.json"
"""How the names of state files end."""

CAPS = ".caps.json"
"""How the names of those files end that hold what a probe found."""

JOURNAL = ".journal"
"""How the names of journals end: no job reads one of a commit, but a person's checkout would."""


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
    project: str = ""

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
        for place in (top / self.settings.folder, *(top / self.settings.folder).parents):
            if place.is_relative_to(top) and place.exists() and not place.is_dir():
                words = (
                    f"{texts.code(place.relative_to(top).as_posix())} is a file in commit {tree[:12]}, not a folder."
                )
                raise Problem(words, "The job's folder has to be one.")
        side = Trueup(top, top / self.settings.folder, self.settings.target, self.environ, is_trusted)
        self.sides.append(side)
        return side

    def newest(self, name: str) -> tuple[str, Trueup]:
        """The last commit of the job's branch as it is now, and its files: an old job that is run again is not old."""
        commit = self.repository.fetch(f"refs/heads/{self.event.branch}", 1)
        return commit, self.checkout(commit, name)

    def memory_of(self, commit: str | None, ending: str) -> dict[str, bytes]:
        """The files of Trueup's memory in a commit whose names end so, by path."""
        folder = Path(self.settings.folder) / ".trueup"
        return self.repository.files(commit, folder.as_posix(), ending)

    def remember(self, on: Trueup, commit: str) -> dict[str, bytes]:
        """Makes a checkout remember what the branch does, and nothing of its own; returns the state by path.

        State is the newest in its branch, what a probe found is the commit's; a journal is nobody's to bring along.
        """
        memory = on.project / ".trueup"
        if memory.is_dir():
            shutil.rmtree(memory)
        memory.unlink(missing_ok=True)
        state = self.memory_of(self.repository.branch(self.state_branch()), STATE)
        for path, content in {**self.memory_of(commit, CAPS), **state}.items():
            (on.top / path).parent.mkdir(parents=True, exist_ok=True)
            (on.top / path).write_bytes(content)
        return state

    def state_in(self, on: Trueup) -> dict[str, bytes]:
        """The state files of a checkout, by path."""
        found = sorted((on.project / ".trueup").glob(f"*{STATE}"))
        return {path.relative_to(on.top).as_posix(): path.read_bytes() for path in found if path.is_file()}

    def marker(self, kind: str) -> str:
        """The first line of what this job writes about its target: nothing that a request says decides it."""
        name = PurePosixPath(self.settings.folder) / self.settings.target
        return texts.marker(self._project(), name.as_posix(), kind)

    def _project(self) -> str:
        """What the project is called, as the first checkout says that can; the branch's where there is none yet."""
        for side in () if self.project else self.sides or [self.newest("named")[1]]:
            for target in side.run("targets", "--json", is_quiet=True).json.get("targets") or []:
                if target["name"] == self.settings.target:
                    self.project = self.project or str(target["project"])
        return self.project or "local"

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
