"""What a job asks of a forge, whichever it is, and how text finds its own place there again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Request:
    """A pull or merge request: its number, its own last commit, and whether that is in the repository itself."""

    number: int
    head: str
    is_fork: bool


class Forge(Protocol):
    """GitHub or GitLab. Each method raises Problem where the forge refuses or does not answer."""

    def comment(self, number: int, marker: str, body: str) -> None:
        """Puts the text in the place of our comment that begins with the marker, or makes one; never a second one."""
        ...

    def issue(self, marker: str, title: str, body: str | None) -> str:
        """Opens or updates the one issue that begins with the marker; without a text closes it. Returns what it did."""
        ...

    def merged(self, commit: str) -> Request | None:
        """The request that a commit is the merge of."""
        ...

    def open_request(self, head: str) -> Request | None:
        """The open request of a fork whose last commit this is."""
        ...

    def head(self, number: int) -> str:
        """The last commit of a request as it is now."""
        ...

    def default_branch(self) -> str:
        """The branch that requests are merged into, and that is applied."""
        ...

    def authored(self, number: int) -> Iterator[str]:
        """What a request's author may have written into the message of its merge: title and description."""
        ...

    def plan_of(self, request: Request, slug: str) -> bytes | None:
        """The newest plan that was kept for exactly the request's last commit, by a job of the repository itself."""
        ...

    def last(self, slug: str, file: str, count: int = 1) -> list[bytes]:
        """`drift.json`, `snapshot.json` or `apply.json` of the newest jobs on the default branch, the newest first."""
        ...


def plan_file(head: str) -> str:
    """The name of the file that holds the plan of a request's commit, so that no other commit's is taken for it."""
    return f"{head}.plan"


def is_ours(text: str | None, marker: str) -> bool:
    """Whether a text begins with the marker on a line of its own, whatever the project in it is called.

    A branch whose `trueup.yaml` is broken cannot say the project's name; folder and target, which follow it, are the
    job's own.
    """
    first = (text or "").lstrip("\ufeff").split("\n", 1)[0].strip()
    return first.startswith("<!-- trueup:") and first.partition("/")[2] == marker.partition("/")[2]
