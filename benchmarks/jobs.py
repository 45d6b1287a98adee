"""A scheduler of jobs as `dbt-jobs-as-code` speaks to one: it keeps what it is sent and lists it, a hundred a page.

For that peer alone, and in a thread of this process, so that its work is nobody's who is measured.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

PAGE = 100
JOBS = "/api/v2/accounts/1/jobs/"


@contextmanager
def scheduler() -> Iterator[str]:
    """Run a scheduler without a job while the block runs; yield its base URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler([]))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def configuration(texts: dict[str, str]) -> str:
    """Return a file of jobs by identifier, each of which holds one text as its only step."""
    return json.dumps({"jobs": {name: _job(name, text) for name, text in texts.items()}})


def _job(name: str, text: str) -> dict[str, Any]:
    return {
        "account_id": 1,
        "project_id": 1,
        "environment_id": 1,
        "name": name,
        "settings": {"threads": 4, "target_name": "default"},
        "execution": {"timeout_seconds": 0},
        "run_generate_sources": False,
        "execute_steps": [text],
        "generate_docs": False,
        "schedule": {"cron": "0 0 1 1 *"},
        "triggers": {"github_webhook": False, "git_provider_webhook": False, "schedule": False, "on_merge": False},
    }


def _handler(jobs: list[dict[str, Any]]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one packet: else each answer waits for the reader's acknowledgement

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            self._answer(_page(jobs, parse_qs(url.query)) if url.path == JOBS else {"data": {}})

        def do_POST(self) -> None:
            sent = json.loads(self.rfile.read(int(self.headers["content-length"])))
            jobs.append({**sent, "id": len(jobs) + 1})
            self._answer({"data": jobs[-1]})

        def _answer(self, value: dict[str, Any]) -> None:
            body = json.dumps(value).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Print nothing: stderr shows the rows."""

    return Handler


def _page(jobs: list[dict[str, Any]], query: dict[str, list[str]]) -> dict[str, Any]:
    offset = int(query.get("offset", ["0"])[0])
    filters = {"limit": PAGE, "offset": offset}
    return {
        "data": jobs[offset : offset + PAGE],
        "extra": {"filters": filters, "pagination": {"total_count": len(jobs)}},
    }
