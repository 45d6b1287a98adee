"""The command line as a user has it, in this process: a small project, and what a command wrote and returned.

Knows no guarantee; what is looked for is the tests' affair.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.protocols import DEFAULT, current
from trueup.cli.main import main
from trueup.core.call import Call
from trueup.local.registry import local_database
from trueup.local.server import EmbeddedServer


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """All that it wrote."""
        return self.out + self.err


def run(folder: Path, *words: str) -> Done:
    """Run `trueup` in a folder, without anybody to answer a prompt."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main([words[0], "-C", str(folder), *words[1:]])
    return Done(code, out.getvalue(), err.getvalue())


def project(folder: Path, *names: str, extra: str = "") -> Path:
    """Make a folder with one small definition for each name, and a project file if there is `extra`.

    What is spoken is said in a project file too, unless it is what is spoken anyway.
    """
    for name in names:
        define(folder, name)
    if not extra and current().name != DEFAULT:
        extra = f"project: shop\ntargets:\n  local: {json.dumps(current().yaml(base_url='local'))}\n"
    if extra:
        (folder / "trueup.yaml").write_text(extra, encoding="utf-8")
    return folder


def define(folder: Path, name: str, text: str = "Be brief.", more: str = "") -> None:
    """Write one definition."""
    path = folder / "assistants" / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"name: {name}\nmodel: gpt-4.1\ninstructions: {text}\n{more}", encoding="utf-8")


@contextmanager
def vendor(folder: Path) -> Iterator[EmbeddedServer]:
    """Open the embedded server of a project, past Trueup."""
    path = database(folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    with current().server(path) as server:
        yield server


def database(folder: Path) -> Path:
    """Return the embedded server's file."""
    return local_database(folder, current().name)


def live(folder: Path) -> dict[str, dict[str, Any]]:
    """Everything that is live, by display name."""
    if not database(folder).exists():
        return {}
    with vendor(folder) as server:
        listing = server.answer(Call("GET", current().path, {"limit": "100"})).json
    return {item["name"]: item for item in listing["data"]}


def change(folder: Path, name: str, **body: Any) -> None:
    """Change a live assistant, past Trueup."""
    found = live(folder)[name]["id"]
    with vendor(folder) as server:
        assert server.answer(Call("POST", current().path_of(found), json=body)).status == 200


def remove(folder: Path, name: str) -> None:
    """Delete a live assistant, past Trueup."""
    found = live(folder)[name]["id"]
    with vendor(folder) as server:
        assert server.answer(Call("DELETE", current().path_of(found))).status == 200


def files(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, except what SQLite keeps beside an open database."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith(("-wal", "-shm"))
    }
