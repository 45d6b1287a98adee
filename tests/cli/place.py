"""A project's folder with the command: what it answers, and a hand that edits what is live behind its back."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.ran import Ran
from trueup.cli.main import main
from trueup.core.call import Call
from trueup.core.source import dotted
from trueup.local.registry import SERVERS, local_database, open_server
from trueup.local.server import EmbeddedServer


@dataclass
class Place:
    """A project's folder; `protocol` is its local target's, and `objects` the path of what that manages."""

    root: Path
    capsys: pytest.CaptureFixture[str]
    server: EmbeddedServer | None = field(default=None)
    protocol: str = field(default="openai-assistants", kw_only=True)
    objects: str = field(default="/assistants", kw_only=True)

    def run(self, *arguments: str) -> Ran:
        """Run the command in this process."""
        self.capsys.readouterr()
        code = main(list(arguments))
        said = self.capsys.readouterr()
        return Ran(code, said.out, said.err)

    def applied(self) -> Place:
        """Apply everything."""
        ran = self.run("apply", "--yes")
        assert ran.code == 0, ran.err + ran.out
        return self

    def write(self, name: str, text: str) -> Path:
        """Write a file of the project."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def replace(self, name: str, old: str, new: str) -> None:
        """Edit a file."""
        path = self.root / name
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    def live(self) -> dict[str, dict[str, Any]]:
        """Return what is live, by display name."""
        page = self.ask("GET", self.objects, query={"limit": "100"})
        return {entry["name"]: entry for entry in page["data"]}

    def ask(self, method: str, path: str, body: Any = None, query: dict[str, str] | None = None) -> Any:
        """Send a request as somebody else would."""
        call = Call(method, path, query or {}, body)
        if self.server is not None:
            reply = self.server.answer(call)
        else:
            database = local_database(self.root, self.protocol)
            with open_server(self.protocol, database, SERVERS[self.protocol].dialects[0]) as server:
                reply = server.answer(call)
        assert reply.status == 200, reply.text
        return reply.json

    def create(self, **body: Any) -> str:
        """Create a live assistant behind the tool's back, and return its id."""
        return str(self.ask("POST", self.objects, {"model": "gpt-4.1", **body})["id"])

    def live_ids(self) -> set[str]:
        """Return the ids of everything that is live."""
        return {body["id"] for body in self.ask("GET", self.objects, query={"limit": "100"})["data"]}

    def recorded_ids(self) -> dict[str, str]:
        """Return the ids that state holds, by name."""
        ids: dict[str, str] = self.run("state", "list", "--json").json["assistants"]
        return ids

    def poke(self, name: str, body: dict[str, Any]) -> None:
        """Change a live assistant behind the tool's back."""
        self.ask("POST", f"{self.objects}/{self.live()[name]['id']}", body)

    def remove(self, name: str) -> None:
        """Delete a live assistant behind the tool's back."""
        self.ask("DELETE", f"{self.objects}/{self.live()[name]['id']}")

    def files(self) -> dict[str, bytes]:
        """Return every file of the project but the embedded server's, for comparing."""
        return {
            str(path.relative_to(self.root)): path.read_bytes()
            for path in sorted(self.root.rglob("*"))
            if path.is_file() and f"{self.protocol}.db" not in path.name
        }


def last_line(text: str) -> str:
    """Return the last line of a text that is not empty."""
    return text.strip().split("\n")[-1]


def run_git(root: Path, *words: str, code: int = 0) -> str:
    """Run git with settings of its own, and return what it printed."""
    settings = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false", "-c", "rerere.enabled=false")
    ran = subprocess.run(["git", *settings, *words], cwd=root, check=False, capture_output=True, text=True)
    assert ran.returncode == code, ran.stdout + ran.stderr
    return ran.stdout


def find_problems(place: Place, text: str, **files: str) -> list[tuple[str, str]]:
    """Return code and path of each problem that `validate --json` shows of one definition."""
    for name in ("alpha.yaml", "team/beta.yaml"):
        (place.root / "assistants" / name).unlink(missing_ok=True)
    place.write("assistants/a.yaml", text)
    for name, content in files.items():
        place.write(f"assistants/{name}.yaml", content)
    found = place.run("validate", "--json").json["diagnostics"]
    return [(item["code"], dotted(tuple(item["path"]))) for item in found]


def validate_text(place: Place, *words: str) -> str:
    """Return what `validate` prints, with its lines joined."""
    return " ".join(place.run("validate", *words).out.split())
