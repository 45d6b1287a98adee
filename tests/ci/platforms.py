"""Stand-ins of GitHub's and GitLab's REST API on loopback: what Trueup's jobs ask of them, as their documentation says.

Whoever has no token that may write is answered as the platforms answer. Every request is noted.
"""

from __future__ import annotations

import io
import json
import re
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

TOKEN = "platform-token-123456"
READ_ONLY = "platform-token-of-a-fork"
BOT = "github-actions[bot]"

Answer = tuple[int, Any]


@dataclass
class Asked:
    """One request that arrived."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    token: str


@dataclass
class Platform:
    """What a platform remembers; `trouble` are statuses of the next answers; 0 is a usual one."""

    me: str = BOT
    requests: dict[int, dict[str, Any]] = field(default_factory=dict)
    comments: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    issues: list[dict[str, Any]] = field(default_factory=list)
    artifacts: list[dict[str, Any]] = field(default_factory=list)
    events: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    trouble: list[int] = field(default_factory=list)
    url: str = ""
    numbers: int = 100

    def number(self) -> int:
        """Return a new id."""
        self.numbers += 1
        return self.numbers

    def answer(self, asked: Asked) -> Answer:
        """Return the response to one request."""
        self.asked.append(asked)
        status = self.trouble.pop(0) if self.trouble else 0
        if status:
            return status, {"message": "trouble"} if status != 302 else self.url
        if asked.method != "GET" and asked.token != TOKEN:
            return 403, {"message": "Resource not accessible by integration"}
        for pattern, method, handler in self.routes():
            found = re.fullmatch(pattern, asked.path)
            if found and method == asked.method:
                return handler(asked, *map(unquote, found.groups()))
        return 404, {"message": f"no route {asked.method} {asked.path}"}

    def routes(self) -> list[tuple[str, str, Callable[..., Answer]]]:
        """Pattern of the path, method, and who answers."""
        raise NotImplementedError

    def upload(self, name: str, folder: Path, head: str, branch: str, *, fork: bool = False) -> None:
        """Keep a folder as an artifact, as a step of the job does."""
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for path in sorted(folder.rglob("*")):
                if path.is_file():
                    archive.write(path, path.relative_to(folder).as_posix())
        number = self.number()
        run = {"head_sha": head, "head_branch": branch, "repository_id": 1, "head_repository_id": 2 if fork else 1}
        self.artifacts = [
            *[one for one in self.artifacts if (one["name"], one["workflow_run"]["head_sha"]) != (name, head)],
            {"id": number, "name": name, "expired": False, "created_at": f"2026-11-21T00:00:{number:05}", "zip":
             packed.getvalue(), "workflow_run": run},
        ]  # fmt: skip


def _page(entries: list[Any], asked: Asked) -> Answer:
    size, page = int(asked.query.get("per_page", "30")), int(asked.query.get("page", "1"))
    return 200, entries[(page - 1) * size : page * size]


class GitHubStandIn(Platform):
    """The repository acme/fleet."""

    def routes(self) -> list[tuple[str, str, Callable[..., Answer]]]:
        """Return the answers of GitHub, by path and method."""
        at = "/repos/acme/fleet"
        return [
            ("/user", "GET", lambda _: (403, {"message": "Resource not accessible by integration"})),
            (at, "GET", lambda _: (200, {"default_branch": "main"})),
            (rf"{at}/pulls/(\d+)", "GET", lambda _, n: (200, self.requests[int(n)])),
            (rf"{at}/pulls", "GET", lambda asked: _page([r for r in self.requests.values() if r["open"]], asked)),
            (rf"{at}/commits/(\w+)/pulls", "GET", self._pulls_of),
            (rf"{at}/issues/(\d+)/comments", "GET", lambda asked, n: _page(self.comments.get(int(n), []), asked)),
            (rf"{at}/issues/(\d+)/comments", "POST", self._comment),
            (rf"{at}/issues/comments/(\d+)", "PATCH", self._edit),
            (rf"{at}/issues/comments/(\d+)", "DELETE", self._delete),
            (rf"{at}/issues", "GET", self._list_issues),
            (rf"{at}/issues", "POST", self._open),
            (rf"{at}/issues/(\d+)", "PATCH", self._change),
            (rf"{at}/issues/(\d+)/events", "GET", lambda asked, n: _page(self.events.get(int(n), []), asked)),
            (rf"{at}/actions/artifacts", "GET", self._list_artifacts),
            (rf"{at}/actions/artifacts/(\d+)/zip", "GET", self._elsewhere),
            (r"/blob/(\d+)", "GET", self._blob),
        ]

    def _pulls_of(self, _asked: Asked, commit: str) -> Answer:
        found = [r for r in self.requests.values() if commit in (r["merge_commit_sha"], r["head"]["sha"])]
        return 200, found

    def _comment(self, asked: Asked, number: str) -> Answer:
        made = {"id": self.number(), "body": asked.body["body"], "user": {"login": self.me}}
        self.comments.setdefault(int(number), []).append(made)
        return 201, made

    def _edit(self, asked: Asked, number: str) -> Answer:
        for entry in (entry for listed in self.comments.values() for entry in listed if entry["id"] == int(number)):
            entry["body"] = asked.body["body"]
            return 200, entry
        return 404, {"message": "Not Found"}

    def _delete(self, _asked: Asked, number: str) -> Answer:
        for listed in self.comments.values():
            listed[:] = [entry for entry in listed if entry["id"] != int(number)]
        return 204, None

    def _list_issues(self, asked: Asked) -> Answer:
        found = [entry for entry in self.issues if entry["state"] == asked.query["state"]]
        return _page([one for one in found if one["user"]["login"] == asked.query.get("creator")][::-1], asked)

    def _open(self, asked: Asked) -> Answer:
        made = {"number": self.number(), "state": "open", "user": {"login": self.me}, **asked.body}
        self.issues.append(made)
        return 201, made

    def _change(self, asked: Asked, number: str) -> Answer:
        entry = next(one for one in self.issues if one["number"] == int(number))
        entry.update(asked.body)
        return 200, entry

    def _list_artifacts(self, asked: Asked) -> Answer:
        found = [one for one in self.artifacts if one["name"] == asked.query["name"]][::-1]
        _, page = _page(found, asked)
        told = [{key: value for key, value in one.items() if key != "zip"} for one in page]
        return 200, {"total_count": len(found), "artifacts": told}

    def _elsewhere(self, _asked: Asked, number: str) -> Answer:
        return 302, self.url.replace("127.0.0.1", "localhost") + f"/blob/{number}"

    def _blob(self, asked: Asked, number: str) -> Answer:
        if asked.token:
            return 400, {"message": "a token was carried to another host"}
        return 200, next(one for one in self.artifacts if one["id"] == int(number))["zip"]


class GitLabStandIn(Platform):
    """The project acme/fleet; what its jobs kept are the entries of `artifacts`."""

    def routes(self) -> list[tuple[str, str, Callable[..., Answer]]]:
        """Return the answers of GitLab, by path and method."""
        at = "/projects/acme%2Ffleet"
        return [
            ("/user", "GET", lambda _: (200, {"username": self.me})),
            (rf"{at}/merge_requests/(\d+)", "GET", lambda _, n: (200, self.requests[int(n)])),
            (rf"{at}/repository/commits/(\w+)/merge_requests", "GET", self._requests_of),
            (rf"{at}/merge_requests/(\d+)/notes", "GET", lambda asked, n: _page(self.comments.get(int(n), []), asked)),
            (rf"{at}/merge_requests/(\d+)/notes", "POST", self._note),
            (rf"{at}/merge_requests/\d+/notes/(\d+)", "PUT", self._edit),
            (rf"{at}/issues", "GET", self._list_issues),
            (rf"{at}/issues", "POST", self._open),
            (rf"{at}/issues/(\d+)/notes", "POST", lambda _, __: (201, {})),
            (rf"{at}/issues/(\d+)", "PUT", self._change),
            (rf"{at}/merge_requests/(\d+)/pipelines", "GET", self._pipelines),
            (rf"{at}/pipelines/(\d+)/jobs", "GET", self._jobs_of),
            (rf"{at}/pipelines", "GET", self._pipelines_of),
            (rf"{at}/jobs/(\d+)/artifacts/(.+)", "GET", self._file),
        ]

    def _requests_of(self, _asked: Asked, commit: str) -> Answer:
        return 200, [r for r in self.requests.values() if r["merge_commit_sha"] == commit]

    def _note(self, asked: Asked, number: str) -> Answer:
        made = {"id": self.number(), "body": asked.body["body"], "author": {"username": self.me}}
        self.comments.setdefault(int(number), []).append(made)
        return 201, made

    def _edit(self, asked: Asked, number: str) -> Answer:
        entry = next(one for listed in self.comments.values() for one in listed if one["id"] == int(number))
        entry["body"] = asked.body["body"]
        return 200, entry

    def _list_issues(self, asked: Asked) -> Answer:
        return _page([one for one in self.issues if one["state"] == asked.query["state"]], asked)

    def _open(self, asked: Asked) -> Answer:
        self.issues.append({"iid": self.number(), "state": "opened", "author": {"username": self.me}, **asked.body})
        return 201, self.issues[-1]

    def _change(self, asked: Asked, number: str) -> Answer:
        entry = next(one for one in self.issues if one["iid"] == int(number))
        entry.update({"state": "closed"} if asked.body.get("state_event") == "close" else asked.body)
        return 200, entry

    def _pipelines(self, asked: Asked, number: str) -> Answer:
        found = [one for one in self.artifacts if one["workflow_run"]["head_branch"] == f"topic-{number}"]
        return _page([self._pipeline(one, "merge_request_event") for one in found[::-1]], asked)

    def _pipelines_of(self, asked: Asked) -> Answer:
        found = [one for one in self.artifacts if one["workflow_run"]["head_branch"] == asked.query["ref"]]
        return _page([self._pipeline(one, one["name"].partition("/")[0]) for one in found[::-1]], asked)

    def _pipeline(self, artifact: dict[str, Any], source: str) -> dict[str, Any]:
        """Return the pipeline of an artifact; the first word of its name is what started it."""
        return {"id": artifact["id"], "sha": artifact["workflow_run"]["head_sha"], "source": source}

    def _jobs_of(self, asked: Asked, number: str) -> Answer:
        return _page([self._job(one) for one in self.artifacts if one["id"] == int(number)], asked)

    def _job(self, artifact: dict[str, Any]) -> dict[str, Any]:
        run = artifact["workflow_run"]
        return {"id": artifact["id"], "ref": run["head_branch"], "tag": False, "artifacts_file": {"filename": "a.zip"}}

    def _file(self, _asked: Asked, number: str, name: str) -> Answer:
        packed = next(one for one in self.artifacts if one["id"] == int(number))["zip"]
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            inner = name.removeprefix("trueup-kept/").split("/", 1)[1]
            return (200, archive.read(inner)) if inner in archive.namelist() else (404, {"message": "404"})


@contextmanager
def served(platform: Platform) -> Iterator[str]:
    """Serve the platform over HTTP; yield its address."""

    class Handler(BaseHTTPRequestHandler):
        def _do(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            token = self.headers.get("Authorization", "").removeprefix("Bearer ") or self.headers.get(
                "PRIVATE-TOKEN", ""
            )
            asked = Asked(self.command, parts.path, dict(parse_qsl(parts.query)), body, token)
            status, answer = platform.answer(asked)
            self.send_response(status)
            if status == 302:
                self.send_header("Location", answer)
                answer = b""
            content = answer if isinstance(answer, bytes) else b"" if answer is None else json.dumps(answer).encode()
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _do  # noqa: N815  the library's names

        def log_message(self, *_: object) -> None:
            """Nothing goes to the terminal."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    platform.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield platform.url
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
