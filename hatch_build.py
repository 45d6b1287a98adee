"""Leave out of the packages what git does not track: a stray file beside the source never reaches a user.

Hatchling finds this hook by its file name. pyproject.toml lists the folders that a package is made of; inside of them,
patterns cannot tell a module from a stray one. Where there is no git repository, as in an unpacked source distribution,
every file in these folders is packed.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class TrackedFilesHook(BuildHookInterface[BuilderConfig]):
    """Add each untracked file to what the target excludes."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002  (hatchling calls it so)
        """Extend the target's `exclude` before hatchling selects files. Raises CalledProcessError."""
        root = Path(self.root)
        if not (root / ".git").exists():
            return
        try:
            strays = find_untracked(root, sorted(self.build_config.only_include))
        except FileNotFoundError:
            self.app.display_warning("git is not installed, so files that it does not track are packed too.")
            return
        self.build_config.target_config.setdefault("exclude", []).extend(escape_pattern(path) for path in strays)


def find_untracked(root: Path, folders: list[str]) -> list[str]:
    """Return the paths below the folders that git does not track, ignored ones included."""
    # The repository's own settings start no program, and a hook of git that builds does not redirect this.
    settings = {"core.fsmonitor": "false", "core.hooksPath": os.devnull, "safe.directory": "*"}
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    done = subprocess.run(
        ["git", *options, "ls-files", "--others", "-z", "--", *folders],
        cwd=root,
        env={name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        check=True,
    )
    return [os.fsdecode(path) for path in done.stdout.split(b"\0") if path]


def escape_pattern(path: str) -> str:
    """Return the pattern, in the syntax of .gitignore, that matches this path from the root and no other."""
    return "/" + re.sub(r"([\\*?\[\]! #])", r"\\\1", path)
