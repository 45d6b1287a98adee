"""A project's folder with the command: what it answers, and a hand that edits what is live behind its back."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.ran import Ran
from trueup.cli.main import main
from trueup.core.call import Call
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
        """Runs the command in this process."""
        self.capsys.readouterr()
        code = main(list(arguments))
        said = self.capsys.readouterr()
        return Ran(code, said.out, said.err)

    def applied(self) -> Place:
        """Everything applied."""
        ran = self.run("apply", "--yes")
        assert ran.code == 0, ran.err + ran.out
        return self

    def write(self, name: str, text: str) -> Path:
        """Puts a file into the project."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def replace(self, name: str, old: str, new: str) -> None:
        """Edits a file."""
        path = self.root / name
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    def live(self) -> dict[str, dict[str, Any]]:
        """What is live, by display name."""
        page = self.ask("GET", self.objects, query={"limit": "100"})
        return {entry["name"]: entry for entry in page["data"]}

    def ask(self, method: str, path: str, body: Any = None, query: dict[str, str] | None = None) -> Any:
        """A request of somebody else."""
        call = Call(method, path, query or {}, body)
        if self.server is not None:
            reply = self.server.answer(call)
        else:
            database = local_database(self.root, self.protocol)
            with open_server(self.protocol, database, SERVERS[self.protocol].dialects[0]) as server:
                reply = server.answer(call)
        assert reply.status == 200, reply.text
        return reply.json

    def poke(self, name: str, body: dict[str, Any]) -> None:
        """Changes a live assistant behind the tool's back."""
        self.ask("POST", f"{self.objects}/{self.live()[name]['id']}", body)

    def remove(self, name: str) -> None:
        """Deletes a live assistant behind the tool's back."""
        self.ask("DELETE", f"{self.objects}/{self.live()[name]['id']}")

    def files(self) -> dict[str, bytes]:
        """Every file of the project but the embedded server's, for comparing."""
        return {
            str(path.relative_to(self.root)): path.read_bytes()
            for path in sorted(self.root.rglob("*"))
            if path.is_file() and f"{self.protocol}.db" not in path.name
        }
