"""Clients of others, each in an environment of its own: asked by JSON, they say what they read. Knows no project."""

from __future__ import annotations

import json
import math
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.real.place import PATIENCE
from tests.real.servers import environment, installed

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Foreign:
    """One client: the program and the Python that runs it, and how it reaches the server."""

    python: Path
    program: str
    reach: Mapping[str, Any]

    def read(self, *wishes: list[Any]) -> list[Any]:
        """Return what the client read, one result for each call: `["list"]`, `["update", ID, BODY]` and so on."""
        command = [str(self.python), "-W", "ignore::DeprecationWarning", str(HERE / self.program)]
        asked = json.dumps({**self.reach, "wishes": wishes})
        done = subprocess.run(
            command, input=asked, capture_output=True, text=True, timeout=PATIENCE, env=environment(), check=False
        )
        assert done.returncode == 0, done.stderr
        read: list[Any] = json.loads(done.stdout)["read"]
        assert len(read) == len(wishes)
        return read


def openai_client(software: Path, kind: str, url: str, key: str, of: str = "assistants") -> Foreign:
    """OpenAI's client of one API, as one install has it; skips the test where it is absent."""
    reach = {"client": "OpenAI", "of": of, "options": {"base_url": url, "api_key": key}}
    return Foreign(installed(software, kind, "bin", "python"), "openai_client.py", reach)


def azure_client(software: Path, kind: str, url: str, key: str, version: str) -> Foreign:
    """Return the same for Azure, which has an address without its path, and a version."""
    options = {"azure_endpoint": url.removesuffix("/openai"), "api_version": version, "api_key": key}
    reach = {"client": "AzureOpenAI", "of": "assistants", "options": options}
    return Foreign(installed(software, kind, "bin", "python"), "openai_client.py", reach)


def agents_client(software: Path, url: str, key: str) -> Foreign:
    """Microsoft's client of Foundry's classic agents; skips the test where it is absent."""
    reach = {"options": {"endpoint": url, "key": key}}
    return Foreign(installed(software, "azure-ai-agents", "bin", "python"), "agents_client.py", reach)


def holds(live: Any, wanted: Any) -> bool:
    """Whether a live value has all that a definition says; what else it has is the server's. Numbers by value."""
    if isinstance(wanted, dict):
        return isinstance(live, dict) and all(key in live and holds(live[key], wanted[key]) for key in wanted)
    if isinstance(wanted, list):
        same = isinstance(live, list) and len(live) == len(wanted)
        return same and all(holds(one, other) for one, other in zip(live, wanted, strict=True))
    if type(wanted) in (int, float) and type(live) in (int, float):
        return math.isclose(live, wanted, rel_tol=1e-6)
    return bool(live == wanted)
