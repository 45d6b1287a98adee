"""Read and write notes, issues, merge requests and job artifacts through GitLab's REST API, version 4.

A job's own token may write neither notes nor issues, so a project access token is needed for that.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote

from trueup_ci.platform import PullRequest, is_ours, plan_file
from trueup_ci.web import Api, Refused

KEPT = "trueup-kept"
"""The folder that jobs keep as their artifact."""

LOOKED_AT = 300
"""Pipelines of the default branch that are looked at for what their jobs kept."""

SOURCES = {"apply.json": ("push", "web"), "drift.json": ("schedule", "web"), "snapshot.json": ("schedule", "web")}
"""What starts the pipelines whose jobs keep such a file."""


class GitLab:
    """One project, as far as the token can read it."""

    def __init__(self, url: str, project: str, token: str, branch: str) -> None:
        self._api = Api(url, {"PRIVATE-TOKEN": token} if token else {})
        self._at = f"/projects/{quote(project, safe='')}"
        self._branch = branch
        self._name = ""

    def write_comment(self, number: int, marker: str, body: str) -> None:
        """Replace our note or add one; delete duplicates."""
        path = f"{self._at}/merge_requests/{number}/notes"
        listed = self._api.pages(path, order_by="created_at", sort="asc")
        ours = self._ours(listed, marker, "body")
        if not ours:
            self._api.send("POST", path, {"body": body})
            return
        self._api.send("PUT", f"{path}/{ours[0]['id']}", {"body": body})
        for duplicate in ours[1:]:
            self._api.send("DELETE", f"{path}/{duplicate['id']}", {})

    def update_issue(self, marker: str, title: str, body: str | None) -> str:
        """Open, update or close our one open issue."""
        listed = self._api.pages(f"{self._at}/issues", state="opened", author_username=self._username())
        ours = self._ours(listed, marker, "description")
        if body is None:
            for entry in ours:
                self._api.send(
                    "POST", f"{self._at}/issues/{entry['iid']}/notes", {"body": "Everything is in sync again."}
                )
                self._api.send("PUT", f"{self._at}/issues/{entry['iid']}", {"state_event": "close"})
            return "closed" if ours else "there is none"
        if ours:
            self._api.send("PUT", f"{self._at}/issues/{ours[-1]['iid']}", {"title": title, "description": body})
            return "updated"
        self._api.send("POST", f"{self._at}/issues", {"title": title, "description": body})
        return "opened"

    def find_merged(self, commit: str) -> PullRequest | None:
        """Return the merge request whose merge, squash or fast-forward into the default branch is the commit."""
        for entry in self._api.pages(f"{self._at}/repository/commits/{commit}/merge_requests"):
            made = {entry.get("merge_commit_sha"), entry.get("squash_commit_sha"), entry.get("sha")}
            is_here = entry["target_branch"] == self._branch
            if is_here and entry.get("state") == "merged" and commit in made:
                return _request(entry)
        return None

    def find_open(self, head: str) -> PullRequest | None:
        """Return the open merge request whose last commit this is."""
        listed = self._api.pages(f"{self._at}/merge_requests", state="opened", order_by="updated_at")
        return next(
            (_request(entry) for entry in listed if (entry["sha"], entry["target_branch"]) == (head, self._branch)),
            None,
        )

    def read_head(self, number: int) -> str:
        """Return the last commit of a merge request as it is now."""
        return str(self._api.get(f"{self._at}/merge_requests/{number}")["sha"])

    def read_default_branch(self) -> str:
        """Return the branch that merge requests are merged into."""
        return self._branch

    def read_author_texts(self, number: int) -> Iterator[str]:
        """Yield the current title and description."""
        request = self._api.get(f"{self._at}/merge_requests/{number}")
        yield from (str(request.get("title") or ""), str(request.get("description") or ""))

    def download_plan(self, request: PullRequest, slug: str) -> bytes | None:
        """Return the plan of that commit from the newest pipeline that kept one; the file's name has the commit."""
        for pipeline in self._api.pages(f"{self._at}/merge_requests/{request.number}/pipelines"):
            found = next(self._files(self._jobs(pipeline), slug, plan_file(request.head)), None)
            if found is not None:
                return found
        return None

    def download_files(self, slug: str, file: str, count: int = 1) -> list[bytes]:
        """Return a file of the newest artifacts that jobs on the default branch made."""
        found: list[bytes] = []
        listed = self._api.pages(f"{self._at}/pipelines", ref=self._branch)
        for pipeline in itertools.islice((one for one in listed if one.get("source") in SOURCES[file]), LOOKED_AT):
            jobs = [job for job in self._jobs(pipeline) if job.get("ref") == self._branch and not job.get("tag")]
            found += self._files(jobs, slug, file)
            if len(found) >= count:
                break
        return found[:count]

    def _jobs(self, pipeline: Any) -> Iterator[Any]:
        return self._api.pages(f"{self._at}/pipelines/{pipeline['id']}/jobs")

    def _files(self, jobs: Iterable[Any], slug: str, file: str) -> Iterator[bytes]:
        """Yield that file of each job that kept one."""
        for job in jobs:
            if not job.get("artifacts_file"):
                continue
            inner = quote(f"{KEPT}/{slug}/{file}")
            try:
                yield self._api.download(f"{self._at}/jobs/{job['id']}/artifacts/{inner}")
            except Refused as error:
                if error.status != 404:
                    raise

    def _ours(self, entries: Iterator[Any], marker: str, key: str) -> list[Any]:
        name = self._username()
        return [
            entry
            for entry in entries
            if is_ours(entry[key], marker) and (entry.get("author") or {}).get("username") == name
        ]

    def _username(self) -> str:
        if not self._name:
            self._name = self._api.get("/user")["username"]
        return self._name


def _request(entry: Any) -> PullRequest:
    return PullRequest(entry["iid"], entry["sha"], entry["source_project_id"] != entry["target_project_id"])
