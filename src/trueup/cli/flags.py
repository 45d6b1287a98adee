"""The value that the command line and the environment come to. Knows no click and nothing of what flags decide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Flags:
    """What the command line and the environment say; None where they say nothing. `timeout` is in seconds.

    `arguments` is the command line as it was typed, without the program.
    """

    chdir: str = "."
    target: str = ""
    format: str = "text"
    color: bool | None = None
    no_input: bool = False
    quiet: bool = False
    verbose: int = 0
    vars: Mapping[str, str] = field(default_factory=dict)
    parallelism: int | None = None
    timeout: float | None = None
    max_retries: int | None = None
    on_drift: str | None = None
    prune: bool | None = None
    yes: bool = False
    acks: tuple[str, ...] = ()
    stamp: bool = False
    also: tuple[tuple[str, str], ...] = ()
    arguments: tuple[str, ...] = ()

    @property
    def json(self) -> bool:
        """Whether the result is to be one JSON document."""
        return self.format == "json"
