"""What ends a job, in words for whoever reads its log."""

from __future__ import annotations


class Problem(Exception):
    """What is wrong, and in `hint` what to do next."""

    def __init__(self, message: str, hint: str = "") -> None:
        self.message, self.hint = message, hint
        super().__init__(message)


def quote_foreign(text: str, secrets: tuple[str, ...] = ()) -> str:
    """Return one line of somebody else's words as a code span that it cannot leave, without the secrets in it."""
    for secret in filter(None, secrets):
        text = text.replace(secret, "***")
    plain = "".join(letter if letter.isprintable() else "\ufffd" for letter in text.replace("`", "'"))
    return f"`{plain[:300] or ' '}`"


def unforeseen(error: Exception) -> Problem:
    """Return what nobody foresaw as a problem: its kind alone, since its words may hold anything."""
    return Problem(
        f"The job ended because of something that nobody foresaw ({type(error).__name__}).",
        "Look at the job's log, and please report it.",
    )


class Cancelled(Exception):
    """The forge cancelled the job before anything was applied."""
