"""What ends a job, in words for whoever reads its log."""

from __future__ import annotations


class Problem(Exception):
    """What is wrong, and in `hint` what to do next."""

    def __init__(self, message: str, hint: str = "") -> None:
        self.message, self.hint = message, hint
        super().__init__(message)


class Cancelled(Exception):
    """The forge cancelled the job before anything was applied."""
