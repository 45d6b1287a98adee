"""Which protocol's body a definition holds: what its file, or one that it extends, says; else the project's default."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from trueup.core.definitions.layers import Origin
from trueup.core.definitions.names import meant, named_protocol
from trueup.core.definitions.sources import PROJECT_FILE, Gathered, Sources, file_named
from trueup.core.source import Diagnostic, Position, Severity

KEY: Final = "protocol"


@dataclass(frozen=True, slots=True)
class Stated:
    """The protocol of one file, empty where nothing says it; or what is wrong with what says it."""

    protocol: str = ""
    problem: Diagnostic | None = None


class ProtocolFinder:
    """Finds the protocol of each definition; files that several extend are looked at once.

    `known` are the protocols that there are, `default` is that of files that say nothing, empty where there is none,
    and `choices` are the protocols that a line could say then.
    """

    def __init__(self, sources: Sources, known: Collection[str], default: str, choices: Sequence[str]) -> None:
        self._sources = sources
        self._known = known
        self._default = default
        self._choices = choices
        self._stated: dict[str, Stated] = {}

    def find(self, file: str) -> Stated:
        """Return the protocol of a definition, or the problem that keeps it from having one."""
        stated = self._chain(file, ())
        if stated.problem is not None or stated.protocol:
            return stated
        if self._default or self._sources.mapping(file).checkable is None:
            return Stated(self._default)
        return Stated(problem=self._undecided(file))

    def _chain(self, file: str, seen: tuple[str, ...]) -> Stated:
        """Return what a file and those that it extends say."""
        if file not in self._stated:
            self._stated[file] = self._looked_up(file, seen)
        return self._stated[file]

    def _looked_up(self, file: str, seen: tuple[str, ...]) -> Stated:
        value = self._sources.mapping(file).checkable
        if not isinstance(value, dict):
            return self._unread(file)
        own = self._own(file, value.get(KEY))
        base = self._base(file, value.get("extends"))
        if own.problem is not None or not base or base in (*seen, file):
            return own
        if not isinstance(self._sources.mapping(base).checkable, dict):
            return own if own.protocol else self._unread(base, Origin(file, ("extends",)))
        below = self._chain(base, (*seen, file))
        if not own.protocol or below.problem is not None:
            return below
        theirs = below.protocol or (self._default if self._sources.is_definition(base) else "")
        if theirs and theirs != own.protocol:
            message = f"this definition is of the protocol {own.protocol}, and {base}, which it extends, of {theirs}"
            origin = Origin(file, ("extends",))
            return self._wrong("wrong-protocol", message, origin, "Extend a file of the same protocol.")
        return own

    def _unread(self, file: str, origin: Origin | None = None) -> Stated:
        """Return what the name of a file says that cannot be read; else its problem where targets speak differently.

        It is then of no protocol: were it taken for one, the other targets would miss its assistant. `origin` is what
        names the file.
        """
        named, document = named_protocol(file, self._known), self._sources.mapping(file)
        if named or len(self._choices) < 2:
            return Stated(named)
        if document.diagnostics:
            return Stated(problem=document.diagnostics[0])
        at = origin or Origin(file, ())
        return self._wrong("file-not-read", f"{file} {document.refusal}", at, "Write the file, or correct its name.")

    def _own(self, file: str, said: Any) -> Stated:
        """Return what the file's name and its own line say."""
        named, origin = named_protocol(file, self._known), Origin(file, (KEY,))
        if said is None:
            return Stated(named)
        if not isinstance(said, str) or said not in self._known:
            shown = repr(said[:60]) if isinstance(said, str) else "of this kind"
            return self._wrong("wrong-protocol", f"there is no protocol {shown}", origin, meant(str(said), self._known))
        if named not in ("", said):
            message = f"the file's name says {named}, and its line says {said}"
            return self._wrong("wrong-protocol", message, origin, "Rename the file, or remove this line.")
        return Stated(said)

    def _base(self, file: str, name: Any) -> str:
        """Return the file that `extends` names; empty where it names none, which is reported elsewhere."""
        if not isinstance(name, str):
            return ""
        return file_named(name, Origin(file, ("extends",)), Gathered(self._sources)) or ""

    def _undecided(self, file: str) -> Diagnostic:
        lines = " or ".join(f"`{KEY}: {choice}`" for choice in self._choices)
        return Diagnostic(
            Severity.ERROR,
            "protocol-missing",
            f"nothing says of which protocol {file} is, and the targets speak different ones",
            self._sources.at(file, ()) or Position(file, 1, 1),
            hint=f"Add {lines} to this file, to the file that it extends, or to {PROJECT_FILE} for all files.",
        )

    def _wrong(self, code: str, message: str, origin: Origin, hint: str) -> Stated:
        at = self._sources.at(origin.file, origin.path)
        return Stated(problem=Diagnostic(Severity.ERROR, code, message, at, origin.path, hint))
