"""A project's folder and the command run on it as a process of its own. Knows no server."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.ran import Ran

EXAMPLE = Path(__file__).parents[2]
"""The folder of the repository, whose example fleet is applied to every server."""

KEY = "sk-real-0123456789"
PATIENCE = 120.0
"""Seconds after which a command that does not end has hung."""


@dataclass(slots=True)
class Place:
    """A project in a folder; `environ` are the variables that its target takes its credentials from."""

    root: Path
    environ: dict[str, str] = field(default_factory=lambda: {"REAL_KEY": KEY})

    def target(self, base_url: str, **options: Any) -> None:
        """Write the project file with one target, `real`, and the variables of the example. None: not written."""
        given = {"base_url": base_url, "api_key": {"env": "REAL_KEY"}, "settle": 0.5, **options}
        target = {name: value for name, value in given.items() if value is not None}
        values = {"handbook_store": "vs_1", "support_owner": "a@b.example", "catalogue_file": "file-1"}
        content = {
            "project": "real",
            "vars": values,
            "targets": {"real": target, "staging": {"base_url": "local"}},
            "default_target": "real",
        }
        (self.root / "trueup.yaml").write_text(json.dumps(content, indent=1), "utf-8")

    def write(self, name: str, content: Mapping[str, Any] | str) -> None:
        """Write one definition."""
        path = self.root / "assistants" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")

    def replace(self, name: str, old: str, new: str) -> None:
        """Edits one definition."""
        path = self.root / "assistants" / name
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new), "utf-8")

    def copy_example(self) -> None:
        """Copy the example fleet of the repository."""
        shutil.copytree(EXAMPLE / "assistants", self.root / "assistants")

    def run(self, *arguments: str) -> Ran:
        """Run `trueup` here; no other variable of Trueup or of a proxy reaches it."""
        keep = {name: value for name, value in os.environ.items() if not name.upper().startswith(("TRUEUP_", "HTTP"))}
        environ = {**keep, **self.environ, "COLUMNS": "200", "NO_COLOR": "1", "NO_PROXY": "127.0.0.1"}
        command = [sys.executable, "-m", "trueup", "-C", str(self.root), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, env=environ, check=False)
        assert not any(secret in done.stdout + done.stderr for secret in self.environ.values())
        return Ran(done.returncode, done.stdout, done.stderr)

    def ids(self) -> dict[str, str]:
        """Name to id, as applications read it."""
        found: dict[str, str] = json.loads(self.run("state", "list", "--json").out)["assistants"]
        return found

    def rendered(self) -> dict[str, Any]:
        """Name to final body, as the definitions say it."""
        found: dict[str, Any] = json.loads(self.run("render", "--json").out)["assistants"]
        return found

    def forget(self) -> None:
        """Loses the state, as a fresh checkout would have it."""
        shutil.rmtree(self.root / ".trueup")


def unchanged(count: int) -> str:
    """Return the last line of a plan in which nothing is to be done."""
    return f"Plan: 0 to create, 0 to modify, 0 to delete, 0 drifted, {count} unchanged."
