"""Finds the embedded server of a protocol and its database file. Loads a server's module only when it is opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from trueup.core.errors import StateError

if TYPE_CHECKING:
    from trueup.local.server import EmbeddedServer


@dataclass(frozen=True, slots=True)
class ServerRow:
    """One protocol's embedded server: the module whose `Server` it is, and its dialects, the default first."""

    module: str
    dialects: tuple[str, ...]


SERVERS: Mapping[str, ServerRow] = {
    "openai-assistants": ServerRow(
        "trueup.local.openai_assistants", ("openai", "openai-v1", "azure-openai", "foundry-classic")
    ),
    "openai-agents": ServerRow("trueup.local.openai_agents", ("openai",)),
}
"""Protocol to its embedded server."""


def open_server(protocol: str, path: Path | str, dialect: str) -> EmbeddedServer:
    """Open a protocol's embedded server on a file. Raises `TrueupError` for a file or a dialect that will not do."""
    server: type[EmbeddedServer] = import_module(SERVERS[protocol].module).Server
    return server(path, dialect=dialect)


def local_database(root: Path, protocol: str) -> Path:
    """Return a protocol's database file: all local targets of a project that speak it are one account.

    Raises StateError where a symbolic link leads elsewhere.
    """
    folder = root / ".trueup"
    path = folder / "local" / f"{protocol}.db"
    for place in (folder, path.parent, path):
        if place.is_symlink():
            raise StateError(f"{place} is a symbolic link.", "Put a folder or a file of its own in its place.")
    return path
