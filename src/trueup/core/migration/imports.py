"""What an import comes to: the files, the links and what stays outside, as one value to show and to carry out.

Knows no file system: paths and texts are handed on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from trueup.core.migration.foreign import Unread


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """Assistants and definitions of one name, of which nobody can say which belongs to which."""

    display_name: str
    ids: tuple[str, ...]
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NewFile:
    """A definition to be written; `origin` is the live id, or where the assistant stood, `id` empty when unlinked."""

    name: str
    file: str
    text: str
    origin: str
    id: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """A definition that gets a live assistant. `patch` is what its entry for the target must say, empty where they
    agree; `edit` the file before and after it, None where it has to be put in by hand, for the reason `why`."""

    name: str
    file: str
    id: str
    patch: Mapping[str, Any] = field(default_factory=dict)
    edit: tuple[bytes, bytes] | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Imports:
    """All of one import. `parts` are further new files, path to text; `remarks` say, by origin, what a definition
    does not hold; `managed` maps ids, or places, to definitions that are there already; `outside` maps what was not
    imported to the reason, as the end of a sentence."""

    target: str
    files: tuple[NewFile, ...] = ()
    parts: Mapping[str, str] = field(default_factory=dict)
    links: tuple[Link, ...] = ()
    remarks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    managed: Mapping[str, str] = field(default_factory=dict)
    foreign: Mapping[str, str] = field(default_factory=dict)
    outside: Mapping[str, str] = field(default_factory=dict)
    ambiguous: tuple[Ambiguous, ...] = ()
    unread: tuple[Unread, ...] = ()
    shared: int = 0

    @property
    def ids(self) -> dict[str, str]:
        """The names that get a live assistant, and its id."""
        return {item.name: item.id for item in self.files if item.id} | {item.name: item.id for item in self.links}

    @property
    def is_whole(self) -> bool:
        """Whether nothing that was asked for is left to a person."""
        return not (self.outside or self.ambiguous or self.unread or any(item.why for item in self.links))
