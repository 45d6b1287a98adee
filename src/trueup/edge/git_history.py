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


SAFE: Final = {
    "core.fsmonitor": "false",
    "core.hooksPath": os.devnull,
    "diff.external": "",
    "gpg.program": "false",
    "log.showSignature": "false",
    "protocol.allow": "never",
    "safe.bareRepository": "explicit",
}
"""Settings that keep git from running a program that a repository names, whatever its own configuration says."""


def versions(root: Path, files: Sequence[str]) -> Iterator[dict[str, bytes | None]]:
    """The contents of the files in each commit that touched one of them; None for one that was not there."""
    listed = run_git(root, "rev-list", f"--max-count={COMMITS}", "HEAD", "--", *files)
    for commit in (listed or b"").decode("ascii", "replace").split():
        yield {file: run_git(root, "cat-file", "blob", f"{commit}:./{file}") for file in files}


def run_git(root: Path, *words: str) -> bytes | None:
    """Return what git prints in a folder; None where it fails, is absent, or takes too long.

    The one place that starts git. It runs no hook, filter, pager, signature program, file system monitor or external
    diff of the repository, fetches nothing, and takes no bare repository among the files for one.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment = kept | {
        "GIT_ALLOW_PROTOCOL": "none",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_LITERAL_PATHSPECS": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
    }
    settings = [part for name, value in SAFE.items() for part in ("-c", f"{name}={value}")]
    try:
        done = subprocess.run(
            ["git", *settings, "--no-pager", "-C", str(root), *words],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=PATIENCE,
            env=environment,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
