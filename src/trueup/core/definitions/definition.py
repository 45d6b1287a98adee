"""What a file says an assistant should be, once everything it is made of has been put together. Reads no files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from trueup.core.projects.project import PORTABLE
from trueup.core.source import SourceMap


@dataclass(frozen=True, slots=True)
class Ignore:
    """One entry of `lifecycle.ignore_changes`: a field name; `reason` and `until` (ISO date) are for people."""

    field: str
    reason: str = ""
    until: str = ""


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """`protect` is None when the definition does not say."""

    protect: bool | None = None
    ignore_changes: tuple[Ignore, ...] = ()


@dataclass(frozen=True, slots=True)
class DefinitionFile:
    """A file that holds a definition of this name, in the names of this protocol; the path is from the root."""

    name: str
    file: str
    protocol: str = PORTABLE


@dataclass(frozen=True, slots=True)
class Definition:
    """One assistant for one target, resolved: extends, target, vars and files are applied.

    `body` holds only declared top-level fields, in the names of `protocol`, the target's; `file` is the definition's
    path relative to the root; `parts` are the other files it is made of; `locate` gives the positions of the body's
    values and is only called when one is needed.
    """

    name: str
    body: Mapping[str, Any]
    file: str
    lifecycle: Lifecycle = Lifecycle()
    parts: tuple[str, ...] = ()
    locate: Callable[[], SourceMap] = SourceMap
    protocol: str = PORTABLE

    @property
    def ignored(self) -> frozenset[str]:
        """The fields that `lifecycle.ignore_changes` names."""
        return frozenset(entry.field for entry in self.lifecycle.ignore_changes)
