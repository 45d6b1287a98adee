"""The exceptions that end a job, with words for whoever reads its log."""

from __future__ import annotations


class Problem(Exception):
    """A problem that ends the job; `hint` says what to do next."""

    def __init__(self, message: str, hint: str = "") -> None:
        self.message, self.hint = message, hint
        super().__init__(message)


def quote_foreign(text: str, secrets: tuple[str, ...] = ()) -> str:
    """Return foreign text as one code span that it cannot leave, without the secrets in it."""
    for secret in filter(None, secrets):
        text = text.replace(secret, "***")
    plain = "".join(letter if letter.isprintable() else "\ufffd" for letter in text.replace("`", "'"))
    return f"`{plain[:300] or ' '}`"


def unforeseen(error: Exception) -> Problem:
    """Return an unexpected error as a problem: its kind alone, since its words may hold a secret."""
    return Problem(
        f"The job failed with an unexpected error ({type(error).__name__}).",
        "See the job's log, and please report it.",
    )


class Cancelled(Exception):
    """The platform cancelled the job before anything was applied."""
