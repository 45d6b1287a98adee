"""What an import comes to: the files, the links and what stays outside, as one value to show and to carry out.

Knows no file system: paths and texts are handed on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from trueup.core.command import HERE, Selection
from trueup.core.migration.imported import Omission, Unread


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
    """All of one import. `parts` are further new files, path to text; `omissions` are, by origin, the values that a
    definition does not hold, and `remarks` what else is to be known of it; `managed` maps ids, or places, to
    definitions that are there already; `outside` maps what was not imported to the reason, as the end of a sentence;
    `unlinked` maps the names of definitions without a record to the id that their assistant has in its source;
    `selection` is how a command line selects the target."""

    target: str
    files: tuple[NewFile, ...] = ()
    parts: Mapping[str, str] = field(default_factory=dict)
    links: tuple[Link, ...] = ()
    omissions: Mapping[str, tuple[Omission, ...]] = field(default_factory=dict)
    remarks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    managed: Mapping[str, str] = field(default_factory=dict)
    foreign: Mapping[str, str] = field(default_factory=dict)
    outside: Mapping[str, str] = field(default_factory=dict)
    ambiguous: tuple[Ambiguous, ...] = ()
    unread: tuple[Unread, ...] = ()
    shared: int = 0
    unlinked: Mapping[str, str] = field(default_factory=dict)
    selection: Selection = HERE

    @property
    def ids(self) -> dict[str, str]:
        """The names that get a live assistant, and its id."""
        return {item.name: item.id for item in self.files if item.id} | {item.name: item.id for item in self.links}

    @property
    def is_whole(self) -> bool:
        """Whether nothing that was asked for is left out or left to a person."""
        by_hand = any(item.why for item in self.links)
        return not (self.outside or self.ambiguous or self.unread or by_hand or any(self.omissions.values()))
