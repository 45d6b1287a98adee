"""GitLab's REST API, version 4: notes, issues, merged requests, and files out of jobs' artifacts.

A job's own token may write neither notes nor issues, so a project access token is needed for that.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote

from trueup_ci.forge import Request, is_ours, plan_file
from trueup_ci.web import Api, Refused

KEPT = "trueup-kept"
"""The folder that jobs keep as their artifact."""

LOOKED_AT = 300
"""Pipelines of the default branch that are looked at for what their jobs kept."""

SOURCES = {"apply.json": ("push", "web"), "drift.json": ("schedule", "web"), "snapshot.json": ("schedule", "web")}
"""What starts the pipelines whose jobs keep such a file."""


class GitLab:
    """One project, as the token sees it."""

    def __init__(self, url: str, project: str, token: str, branch: str) -> None:
        self._api = Api(url, {"PRIVATE-TOKEN": token} if token else {})
        self._at = f"/projects/{quote(project, safe='')}"
        self._branch = branch
        self._name = ""

    def comment(self, number: int, marker: str, body: str) -> None:
        """Puts the text in the place of our note; twins of it are removed."""
        path = f"{self._at}/merge_requests/{number}/notes"
        listed = self._api.pages(path, order_by="created_at", sort="asc")
        ours = self._ours(listed, marker, "body")
        if not ours:
            self._api.send("POST", path, {"body": body})
            return
        self._api.send("PUT", f"{path}/{ours[0]['id']}", {"body": body})
        for twin in ours[1:]:
            self._api.send("DELETE", f"{path}/{twin['id']}", {})

    def issue(self, marker: str, title: str, body: str | None) -> str:
        """Opens, updates or closes our one open issue."""
        listed = self._api.pages(f"{self._at}/issues", state="opened", author_username=self._username())
        ours = self._ours(listed, marker, "description")
        if body is None:
            for entry in ours:
                self._api.send("POST", f"{self._at}/issues/{entry['iid']}/notes", {"body": "Nothing differs any more."})
                self._api.send("PUT", f"{self._at}/issues/{entry['iid']}", {"state_event": "close"})
            return "closed" if ours else "none is open"
        if ours:
            self._api.send("PUT", f"{self._at}/issues/{ours[-1]['iid']}", {"title": title, "description": body})
            return "updated"
        self._api.send("POST", f"{self._at}/issues", {"title": title, "description": body})
        return "opened"

    def merged(self, commit: str) -> Request | None:
        """The request whose merge, squash or fast-forward into the default branch the commit is."""
        for entry in self._api.pages(f"{self._at}/repository/commits/{commit}/merge_requests"):
            made = {entry.get("merge_commit_sha"), entry.get("squash_commit_sha"), entry.get("sha")}
            is_here = entry["target_branch"] == self._branch
            if is_here and entry.get("state") == "merged" and commit in made:
                return _request(entry)
        return None

    def open_request(self, head: str) -> Request | None:
        """The open request whose last commit this is."""
        listed = self._api.pages(f"{self._at}/merge_requests", state="opened", order_by="updated_at")
        return next(
            (_request(entry) for entry in listed if (entry["sha"], entry["target_branch"]) == (head, self._branch)),
            None,
        )

    def head(self, number: int) -> str:
        """The last commit of a request as it is now."""
        return str(self._api.get(f"{self._at}/merge_requests/{number}")["sha"])

    def default_branch(self) -> str:
        """The branch that requests are merged into, as the job was told."""
        return self._branch

    def authored(self, number: int) -> Iterator[str]:
        """Title and description as they are."""
        request = self._api.get(f"{self._at}/merge_requests/{number}")
        yield from (str(request.get("title") or ""), str(request.get("description") or ""))

    def plan_of(self, request: Request, slug: str) -> bytes | None:
        """The plan in the newest of the request's pipelines that kept one for that commit; the file's name tells."""
        for pipeline in self._api.pages(f"{self._at}/merge_requests/{request.number}/pipelines"):
            found = next(self._files(self._jobs(pipeline), slug, plan_file(request.head)), None)
            if found is not None:
                return found
        return None

    def last(self, slug: str, file: str, count: int = 1) -> list[bytes]:
        """A file of the newest artifacts that jobs on the default branch made."""
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
        """That file of each job that kept one."""
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


def _request(entry: Any) -> Request:
    return Request(entry["iid"], entry["sha"], entry["source_project_id"] != entry["target_project_id"])
