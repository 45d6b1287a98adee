"""The journal's lines: an intent before each write, an outcome after it, and how they fold into a state. No file here."""

from __future__ import annotations

from dataclasses import dataclass

from trueup.core.state import Record


@dataclass(frozen=True, slots=True)
class Entry:
    """One line. `step` is `intent` or one of the outcomes `done`, `not-done`; `since` is Unix seconds.

    An intent names what will be remembered (`record`, without the server's answer) and the operation it follows
    (`after`), so that a line older than the state is recognised. `done` carries the record to remember; None: forgotten.
    """

    step: str
    name: str
    action: str
    operation: str
    since: float
    id: str = ""
    after: str = ""
    record: Record | None = None
