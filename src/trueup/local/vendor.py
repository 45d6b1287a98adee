"""A vendor as its front door shows it: where it listens, which keys and versions it takes, and how it turns away.

Knows no protocol: each embedded server has rows of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from trueup.local.answers import envelope

Said = tuple[int, Mapping[str, Any]]
"""A status and a body."""


@dataclass(frozen=True, slots=True)
class Door:
    """What those hear who are not let in: without a key, with a wrong one, without a version or with an unknown one.

    `lost` is the body of the 404 for a path that does not exist; None: the vendor names the path, as OpenAI does.
    """

    no_key: Said
    wrong_key: Said
    no_version: Said
    unknown_version: Said
    lost: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Vendor:
    """One vendor's way in.

    `mount` is the path of its base URL. `credentials` are the ways in that it takes: `bearer`, `api-key`. `betas`
    names, for each version header it takes, the vendor as which it then answers; empty: it wants none. `retired` are
    versions of that header that it knows and takes no more. `versions` are the values of `api-version`, oldest first;
    empty: it wants none. `dated`: those between the first and the last are taken too.
    """

    name: str
    mount: str
    door: Door
    credentials: tuple[str, ...] = ("bearer",)
    betas: Mapping[str, str] = field(default_factory=dict)
    retired: frozenset[str] = frozenset()
    versions: tuple[str, ...] = ()
    dated: bool = False

    def takes_version(self, version: str) -> bool:
        """Whether it knows this `api-version`."""
        if not self.dated:
            return version in self.versions
        return version.endswith("-preview") and self.versions[0] <= version <= self.versions[-1]


def openai_door(no_version: str, unknown_version: str) -> Door:
    """OpenAI's door; the two messages are about the version header of one of its APIs."""
    no_key = "No API key was sent: put it into a header, 'Authorization: Bearer YOUR_KEY'."
    wrong_key = "Incorrect API key provided: this server was started with another one."
    return Door(
        no_key=(401, envelope(no_key)),
        wrong_key=(401, envelope(wrong_key, code="invalid_api_key")),
        no_version=(400, envelope(no_version, code="invalid_beta")),
        unknown_version=(400, envelope(unknown_version, code="invalid_beta")),
    )
