"""The one assistant that a probe asks with: as it was last read, and what was found out with it. Sends nothing."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from trueup.core.canonical import canonical, same
from trueup.wire.base import Dialect

METADATA, RESOURCES = "metadata", "tool_resources"
PREFIX: Final = "trueup_probe"
"""How the metadata keys of a probe begin; by itself it is the key of its mark."""

TEXT: Final = "Made by trueup targets probe, and removed by it. It can be deleted at any time."

Ask = Generator[Mapping[str, Any], bool, None]
"""Yields what to send, is sent whether it was taken."""


@dataclass(slots=True)
class Subject:
    """The probe's assistant as it was last read, and what was found out with it.

    `mark` are the metadata by which it is known; `name` is its display name. `extra` are keys of it that nobody here
    knows; `sent` is the body of the last modify as it went out; `control` is one that the server took and that changes
    nothing, empty where it takes none. `file_id` and `store_id` exist at the server, as far as
    anybody knows.
    """

    row: Dialect
    name: str
    mark: Mapping[str, str]
    file_id: str
    store_id: str
    control: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)
    sent: Mapping[str, Any] = field(default_factory=dict)
    answers: dict[str, str] = field(default_factory=dict)
    tried: dict[str, int] = field(default_factory=dict)
    fills: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    words: dict[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def pairs(self) -> Mapping[str, Any]:
        """The metadata that is live."""
        return self.body.get(METADATA) or {}

    def shows(self, name: str, value: Any) -> bool:
        """Whether a field is live with this value, defaults on both sides counted as the same."""
        rules = self.row.semantics
        return same(canonical(name, self.body.get(name), rules), canonical(name, value, rules))
