"""The methods that a job needs of a CI provider, and the marker by which it finds its own comment again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull or merge request: its number, its last commit, and whether that commit is in a fork."""

    number: int
    head: str
    is_fork: bool


class Platform(Protocol):
    """GitHub or GitLab. Each method raises Problem where the platform refuses or does not respond."""

    def write_comment(self, number: int, marker: str, body: str) -> None:
        """Replace our comment that begins with the marker, or add one; never a second one."""
        ...

    def update_issue(self, marker: str, title: str, body: str | None) -> str:
        """Open or update the one issue that begins with the marker; close it without a body. Return what was done."""
        ...

    def find_merged(self, commit: str) -> PullRequest | None:
        """Return the pull request that a commit is the merge of."""
        ...

    def find_open(self, head: str) -> PullRequest | None:
        """Return the open pull request of a fork whose last commit this is."""
        ...

    def read_head(self, number: int) -> str:
        """Return the last commit of a pull request as it is now."""
        ...

    def read_default_branch(self) -> str:
        """Return the branch that pull requests are merged into, and that is applied."""
        ...

    def read_author_texts(self, number: int) -> Iterator[str]:
        """Yield the texts of a pull request's author that may be in the merge's message: title and description."""
        ...

    def download_plan(self, request: PullRequest, slug: str) -> bytes | None:
        """Return the newest plan of exactly that last commit that a job of the repository itself kept."""
        ...

    def download_files(self, slug: str, file: str, count: int = 1) -> list[bytes]:
        """Return `drift.json`, `snapshot.json` or `apply.json` of the default branch's newest jobs, newest first."""
        ...


def plan_file(head: str) -> str:
    """Return the name of the plan file of a commit; no other commit's plan has it."""
    return f"{head}.plan"


def is_ours(text: str | None, marker: str) -> bool:
    """Return whether a text begins with the marker on a line of its own, whatever the project's name in it.

    The project's name is unknown while `trueup.yaml` is broken; folder and target, which follow it, are the job's own.
    """
    first = (text or "").lstrip("\ufeff").split("\n", 1)[0].strip()
    return first.startswith("<!-- trueup:") and first.partition("/")[2] == marker.partition("/")[2]
