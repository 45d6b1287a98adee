"""Read and write comments, issues, pull requests and artifacts through GitHub's REST API.

Facts are from GitHub's REST documentation, version 2022-11-28. Whoever may write in a repository's issues may also
write our marker; so only what our own account wrote counts as ours.
"""

from __future__ import annotations

import io
import itertools
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from trueup_ci.platform import PullRequest, is_ours, plan_file
from trueup_ci.problem import Problem
from trueup_ci.web import LARGEST, Api, Refused

ACTIONS = "github-actions[bot]"
"""Who a workflow's own token writes as."""

ATTEMPTS = range(1, 6)
"""Attempts of a run whose reports are looked for."""


class GitHub:
    """One repository; `bot` is the author of our comments where the token cannot ask for it."""

    def __init__(self, url: str, repository: str, token: str, bot: str = "") -> None:
        headers = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        self._api = Api(url, headers)
        self._repository = repository
        self._at = f"/repos/{quote(repository)}"
        self._bot = bot
        self._branch = ""

    def write_comment(self, number: int, marker: str, body: str) -> None:
        """Replace our comment or add one; delete duplicates, which two jobs at the same time may make."""
        path = f"{self._at}/issues/{number}/comments"
        ours = self._ours(self._api.pages(path), marker)
        if not ours:
            self._api.send("POST", path, {"body": body})
            return
        self._api.send("PATCH", f"{self._at}/issues/comments/{ours[0]['id']}", {"body": body})
        for duplicate in ours[1:]:
            self._api.send("DELETE", f"{self._at}/issues/comments/{duplicate['id']}", {})

    def update_issue(self, marker: str, title: str, body: str | None) -> str:
        """Open, update or close our one open issue."""
        listed = self._api.pages(f"{self._at}/issues", state="open", creator=self._login())
        ours = [entry for entry in self._ours(listed, marker) if "pull_request" not in entry]
        if body is None:
            for entry in ours:
                path = f"{self._at}/issues/{entry['number']}"
                self._api.send("POST", f"{path}/comments", {"body": "Everything is in sync again."})
                self._api.send("PATCH", path, {"state": "closed", "state_reason": "completed"})
            return "closed" if ours else "there is none"
        if ours:
            self._api.send("PATCH", f"{self._at}/issues/{ours[-1]['number']}", {"title": title, "body": body})
            return "updated"
        self._api.send("POST", f"{self._at}/issues", {"title": title, "body": body})
        return "opened"

    def find_merged(self, commit: str) -> PullRequest | None:
        """Return the pull request whose merge is the commit; GitHub may list the commit under others too."""
        for entry in self._api.pages(f"{self._at}/commits/{commit}/pulls"):
            is_here = entry["base"]["ref"] == self.read_default_branch()
            if is_here and entry.get("merged_at") and entry.get("merge_commit_sha") == commit:
                return self._request(entry)
        return None

    def find_open(self, head: str) -> PullRequest | None:
        """Return the open pull request into the default branch whose last commit this is."""
        for entry in self._api.pages(f"{self._at}/pulls", state="open", sort="updated", direction="desc"):
            if entry["head"]["sha"] == head and entry["base"]["ref"] == self.read_default_branch():
                return self._request(entry)
        return None

    def read_head(self, number: int) -> str:
        """Return the last commit of a pull request as it is now."""
        return str(self._api.get(f"{self._at}/pulls/{number}")["head"]["sha"])

    def read_default_branch(self) -> str:
        """Return the branch that pull requests are merged into."""
        if not self._branch:
            self._branch = str(self._api.get(self._at)["default_branch"])
        return self._branch

    def read_author_texts(self, number: int) -> Iterator[str]:
        """Yield the current title and description, then each earlier title."""
        request = self._api.get(f"{self._at}/pulls/{number}")
        yield from (str(request.get("title") or ""), str(request.get("body") or ""))
        for event in self._api.pages(f"{self._at}/issues/{number}/events"):
            if event["event"] == "renamed":
                yield from (str(event["rename"]["from"]), str(event["rename"]["to"]))

    def download_plan(self, request: PullRequest, slug: str) -> bytes | None:
        """Return the plan in the newest artifact of that commit that no job of a fork made."""
        found = self._artifacts(f"trueup-plan-{slug}-{request.head}")
        made = [artifact for artifact in found if artifact["workflow_run"]["head_sha"] == request.head]
        newest = max(made, key=_age, default=None)
        return None if newest is None else self._file(newest, plan_file(request.head))

    def download_files(self, slug: str, file: str, count: int = 1) -> list[bytes]:
        """Return a file of the newest artifacts that jobs on the default branch made."""
        kind = "apply" if file == "apply.json" else "drift"
        made: list[Any] = []
        for attempt in ATTEMPTS:
            found = self._artifacts(f"trueup-{kind}-{slug}-{attempt}")
            own = (one for one in found if one["workflow_run"]["head_branch"] == self.read_default_branch())
            made += itertools.islice(own, count)
        newest = sorted(made, key=_age, reverse=True)[:count]
        return [content for artifact in newest if (content := self._file(artifact, file)) is not None]

    def _artifacts(self, name: str) -> Iterator[Any]:
        """Yield the artifacts of that name that still exist and that this repository's jobs made, newest first."""
        for artifact in self._api.pages(f"{self._at}/actions/artifacts", name=name):
            run = artifact.get("workflow_run") or {}
            is_own = run.get("repository_id") is not None and run["repository_id"] == run.get("head_repository_id")
            if is_own and not artifact.get("expired"):
                yield artifact

    def _file(self, artifact: Any, name: str) -> bytes | None:
        """Return one file of an artifact, or None if it has no such file or a file that is too large."""
        path = f"{self._at}/actions/artifacts/{artifact['id']}/zip"
        try:
            archive = zipfile.ZipFile(io.BytesIO(self._api.download(path)))
            if name not in archive.namelist() or archive.getinfo(name).file_size > LARGEST:
                return None
            with archive.open(name) as file:
                return file.read(LARGEST)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError):
            raise Problem(f"The response to {path} is not a complete zip file.", "Run the job again later.") from None

    def _ours(self, entries: Iterator[Any], marker: str) -> list[Any]:
        login = self._login()
        return [entry for entry in entries if is_ours(entry["body"], marker) and _author(entry) == login]

    def _login(self) -> str:
        """Return the author of our comments; a workflow's own token may not ask, and writes as `ACTIONS`."""
        if not self._bot:
            try:
                self._bot = self._api.get("/user")["login"]
            except Refused as error:
                if error.status not in (401, 403):
                    raise
                self._bot = ACTIONS
        return self._bot

    def _request(self, entry: Any) -> PullRequest:
        fork = (entry["head"]["repo"] or {}).get("full_name") != self._repository
        return PullRequest(entry["number"], entry["head"]["sha"], fork)


def _age(artifact: Any) -> str:
    return str(artifact["created_at"])


def _author(entry: Any) -> str:
    """Return the author of a comment or an issue; empty if the account is gone."""
    return str((entry.get("user") or {}).get("login", ""))
