"""One job: its settings and event, the folders that it works in, and its checkouts."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from trueup_ci import texts
from trueup_ci.platform import Platform
from trueup_ci.problem import Problem
from trueup_ci.repository import Repository
from trueup_ci.settings import Event, Settings
from trueup_ci.tool import Trueup

STATE = ".state.json"
"""How the names of state files end."""

CAPS = ".caps.json"
"""How the names of files with probe results end."""

JOURNAL = ".journal"
"""How the names of journals end: a job never reads one from a commit, but a person's checkout would."""


@dataclass(slots=True)
class Job:
    """The settings and the event of a job, with the platform and the repository that they name."""

    settings: Settings
    event: Event
    platform: Platform
    repository: Repository
    place: Path
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    sides: list[Trueup] = field(default_factory=list)
    project: str = ""

    @property
    def kept(self) -> Path:
        """Return the folder of the files that this job keeps; make it if needed."""
        folder = self.settings.kept / self.settings.slug
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def state_branch(self) -> str:
        """Return the branch that state is committed to."""
        return self.settings.state_branch or self.event.branch

    def checkout(self, tree: str, name: str, *, is_trusted: bool = True) -> Trueup:
        """Check out a commit into a folder of that name and return the command on its project."""
        top = self.repository.checkout(tree, self.place / name)
        for place in (top / self.settings.folder, *(top / self.settings.folder).parents):
            if place.is_relative_to(top) and place.exists() and not place.is_dir():
                name = texts.code_span(place.relative_to(top).as_posix())
                words = f"{name} is a file in commit {tree[:12]}, not a folder."
                raise Problem(words, "Set the job's `folder` to a folder of the repository.")
        side = Trueup(top, top / self.settings.folder, self.settings.target, self.environ, is_trusted)
        self.sides.append(side)
        return side

    def checkout_newest(self, name: str) -> tuple[str, Trueup]:
        """Check out the newest commit of the job's branch; an old job that is run again sees what came since."""
        commit = self.repository.fetch(f"refs/heads/{self.event.branch}", 1)
        return commit, self.checkout(commit, name)

    def read_memory(self, commit: str | None, ending: str) -> dict[str, bytes]:
        """Return the files under `.trueup` of a commit whose names end so, by path."""
        folder = Path(self.settings.folder) / ".trueup"
        return self.repository.read_files(commit, folder.as_posix(), ending)

    def restore_memory(self, on: Trueup, commit: str) -> dict[str, bytes]:
        """Replace a checkout's `.trueup` with the state of its branch; return the state by path.

        State is the newest of its branch, probe results are the commit's; journals are removed.
        """
        memory = on.project / ".trueup"
        if memory.is_dir():
            shutil.rmtree(memory)
        memory.unlink(missing_ok=True)
        state = self.read_memory(self.repository.fetch_branch(self.state_branch()), STATE)
        for path, content in {**self.read_memory(commit, CAPS), **state}.items():
            (on.top / path).parent.mkdir(parents=True, exist_ok=True)
            (on.top / path).write_bytes(content)
        return state

    def read_state(self, on: Trueup) -> dict[str, bytes]:
        """Return the state files of a checkout, by path."""
        found = sorted((on.project / ".trueup").glob(f"*{STATE}"))
        return {path.relative_to(on.top).as_posix(): path.read_bytes() for path in found if path.is_file()}

    def marker(self, kind: str) -> str:
        """Return the first line of each page about the target; no content of a pull request decides it."""
        name = PurePosixPath(self.settings.folder) / self.settings.target
        return texts.write_marker(self._project(), name.as_posix(), kind)

    def _project(self) -> str:
        """Return the project's name from the first checkout that can be read."""
        for side in () if self.project else self.sides or [self.checkout_newest("named")[1]]:
            for target in side.run("targets", "--json", is_quiet=True).json.get("targets") or []:
                if target["name"] == self.settings.target:
                    self.project = self.project or str(target["project"])
        return self.project or "local"

    def keep(self, name: str, content: bytes) -> Path:
        """Write a file into the artifact and return its path."""
        path = self.kept / name
        path.write_bytes(content)
        return path

    def keep_memory(self, on: Trueup) -> None:
        """Copy state files, journals and backups into the artifact."""
        memory = on.project / ".trueup"
        for path in (*memory.glob(f"*{STATE}"), *memory.glob("*.journal")):
            shutil.copyfile(path, self.kept / path.name)
        if (memory / "backup").is_dir():
            shutil.copytree(memory / "backup", self.kept / "backup", dirs_exist_ok=True)

    def add_summary(self, page: str) -> None:
        """Append a page to the job's summary, where the platform has one."""
        if self.settings.summary is not None:
            with self.settings.summary.open("a", encoding="utf-8") as file:
                file.write(page)


def make_workplace(settings: Settings) -> Path:
    """Make a new folder for the clone and its checkouts; delete what an earlier job kept."""
    shutil.rmtree(settings.kept / settings.slug, ignore_errors=True)
    settings.work.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix="trueup-job-", dir=settings.work))
