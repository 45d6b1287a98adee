"""How a command ended, whichever way a test ran it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended; `code` is minus the signal's number where one killed it."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)

    @property
    def said(self) -> str:
        """Both outputs, with each run of white space as one blank, so that line breaks do not matter."""
        return " ".join(f"{self.out} {self.err}".split())

    @property
    def summary(self) -> str:
        """The last line of the result."""
        return self.out.rstrip().rpartition("\n")[2]
