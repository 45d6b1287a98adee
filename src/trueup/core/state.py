"""What Trueup remembers of each assistant: ids and digests, never values. Knows no file: the codec works on text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

FORMAT_VERSION = 1


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
    """A request whose outcome is not known: `action` is create, modify or delete; `since` is Unix seconds."""

    name: str
    operation: str
    action: str
    since: float
    id: str = ""
    after: str = ""
    record: Record | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """Which target a state or a plan belongs to. `scope` holds what else selects an account (organisation, project …)."""

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
