"""What Trueup remembers of each assistant: ids and digests, never values. Knows no file: the codec works on text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

FORMAT_VERSION = 1

DUPLICATE = "delete-duplicate"
"""The action of a pending delete that leaves the record of its name as it is."""

_PLAIN_ID = re.compile(r"(?!\.+\Z)[A-Za-z0-9_.:-]{1,256}\Z")


def is_plain_id(text: str) -> bool:
    """Whether a text can be a live assistant's id: it goes into the path of requests, and must not lead elsewhere.

    Up to 256 letters, digits and `_ - . :`, and not dots alone.
    """
    return _PLAIN_ID.match(text) is not None


@dataclass(frozen=True, slots=True)
class Applied:
    """What is known of one field as last applied, each a digest or None.

    `sent` and `kept` are digests of the raw value as sent and as the server answered; `stamp` is the short digest
    of the canonical value, all that a stamp holds.
    """

    sent: str | None = None
    kept: str | None = None
    stamp: str | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """What state remembers of one assistant.

    `stamped` is True if the server kept our stamp, False if it was sent and not kept, None if it was never sent.
    `partial` records were rebuilt from a stamp: what `fields` lacks of metadata and tool resources is unknown.
    """

    id: str
    created_at: int = 0
    operation: str = ""
    protect: bool = False
    stamped: bool | None = None
    partial: bool = False
    fields: Mapping[str, Applied] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pending:
    """A request whose outcome is not known: `action` is create, modify, delete, release or `DUPLICATE`.

    `since` is Unix seconds.
    """

    name: str
    operation: str
    action: str
    since: float
    id: str = ""
    after: str = ""
    record: Record | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """Which target a state or a plan belongs to. `scope` is what else selects an account (organisation, project …)."""

    project: str
    target: str
    protocol: str
    base_url: str
    scope: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class State:
    """All records of one target by name, and what is still unclear."""

    identity: Identity
    digest_rules: int
    records: Mapping[str, Record] = field(default_factory=dict)
    pending: Mapping[str, Pending] = field(default_factory=dict)
