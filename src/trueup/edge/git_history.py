"""What git remembers of files: their contents in earlier commits. Where git cannot be asked, there is no history."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

COMMITS: Final = 50
"""Commits that are looked at, the newest first."""

PATIENCE: Final = 10.0
"""Seconds for one answer."""


def versions(root: Path, files: Sequence[str]) -> Iterator[dict[str, bytes | None]]:
    """The contents of the files in each commit that touched one of them; None for one that was not there."""
    listed = _git(root, "log", f"-{COMMITS}", "--format=%H", "--", *files)
    for commit in (listed or b"").decode("ascii", "replace").split():
        yield {file: _git(root, "cat-file", "blob", f"{commit}:./{file}") for file in files}


def _git(root: Path, *words: str) -> bytes | None:
    """What git prints; None where it fails, is not there, or takes too long. No filter or hook of a repository runs."""
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "GIT_LITERAL_PATHSPECS": "1"}
    try:
        done = subprocess.run(
            ["git", "--no-pager", "-C", str(root), *words],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=PATIENCE,
            env=environment,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
