"""Call a platform's REST API with the standard library. The token goes to the API's own host, nowhere else."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from http.client import HTTPException, HTTPMessage
from typing import IO, Any
from urllib.parse import urlencode, urljoin, urlsplit

from trueup_ci.problem import Problem, quote_foreign

TIMEOUT = 60.0
"""Seconds for one response."""

TRIES = 4
"""How often a read is tried; a write is sent once."""

PAGES = 1000
"""Pages of a hundred that a search reads: more than a platform allows before its rate limit."""

LATER = "Check whether a proxy or a login page is in front of the API, and run the job again."

LARGEST = 256 * 1024 * 1024
"""Bytes of the largest download."""


class Refused(Problem):
    """The API responded with the error `status`."""

    def __init__(self, status: int, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.status = status


class _Stay(urllib.request.HTTPRedirectHandler):
    """A handler that follows no redirect: urllib would send the token along."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        """Follow nothing."""


class Api:
    """An API at a base URL; `headers` carry the token."""

    def __init__(self, base: str, headers: Mapping[str, str], pause: float = 1.0) -> None:
        self._base, self._headers, self._pause = base.rstrip("/"), dict(headers), pause
        self._secrets = tuple(
            headers[name].removeprefix("Bearer ") for name in ("Authorization", "PRIVATE-TOKEN") if name in headers
        )
        self._open = urllib.request.build_opener(_Stay).open

    def get(self, path: str, **query: Any) -> Any:
        """Return the JSON of a response. Raises Refused and Problem."""
        return _parse_json(path, self._send("GET", self._url(path, query))[1])

    def pages(self, path: str, **query: Any) -> Iterator[Any]:
        """Yield the entries of a list, page after page, at most `PAGES` pages. Raises Refused and Problem."""
        for page in range(1, PAGES + 1):
            found = self.get(path, **query, per_page=100, page=page)
            lists = [found] if isinstance(found, list) else [v for v in found.values() if isinstance(v, list)]
            if len(lists) != 1:
                raise Problem(f"The response to {path} is not a list.", LATER)
            entries = lists[0]
            yield from entries
            if len(entries) < 100:
                return

    def send(self, method: str, path: str, body: Mapping[str, Any]) -> Any:
        """Send JSON, once, and return the JSON of the response. Raises Refused and Problem."""
        answer = self._send(method, self._url(path, {}), json.dumps(body).encode())[1]
        return _parse_json(path, answer) if answer else None

    def download(self, path: str) -> bytes:
        """Return the bytes at a path. A redirect to another host is followed without the token. Raises Problem."""
        url = self._url(path, {})
        for _ in range(5):
            is_ours = urlsplit(url)[:2] == urlsplit(self._base)[:2]
            status, answer, place = self._send_and_retry("GET", url, None, self._headers if is_ours else {})
            if status not in (301, 302, 303, 307, 308):
                return answer
            url = urljoin(url, place)
            if urlsplit(url).scheme not in ("http", "https"):
                break
        raise Problem(f"The redirects of {path} have no end.", "Run the job again later.")

    def _url(self, path: str, query: Mapping[str, Any]) -> str:
        return f"{self._base}{path}" + (f"?{urlencode(query)}" if query else "")

    def _send(self, method: str, url: str, body: bytes | None = None) -> tuple[int, bytes]:
        status, answer, _ = self._send_and_retry(method, url, body, self._headers)
        if 300 <= status < 400:
            raise Refused(status, f"{method} {urlsplit(url).path} was redirected; redirects are not followed.")
        return status, answer

    def _send_and_retry(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, bytes, str]:
        """Return status, body and `Location`; reads are retried. Raises Refused and Problem."""
        path = urlsplit(url).path
        for attempt in range(TRIES):
            request = urllib.request.Request(url, body, dict(headers), method=method)
            if body is not None:
                request.add_header("Content-Type", "application/json")
            is_last = method != "GET" or attempt == TRIES - 1
            try:
                with self._open(request, timeout=TIMEOUT) as answer:
                    return answer.status, _read_whole(answer, path), ""
            except urllib.error.HTTPError as error:
                if 300 <= error.code < 400:
                    return error.code, b"", error.headers.get("Location", "")
                if is_last or (error.code < 500 and error.code != 429):
                    said = _error_message(error)
                    raise Refused(
                        error.code, f"{method} {path} failed with HTTP {error.code}.",
                        quote_foreign(said, self._secrets) if said else "",
                    ) from None  # fmt: skip
            except (urllib.error.URLError, HTTPException, OSError) as error:
                if is_last:
                    reason = quote_foreign(str(getattr(error, "reason", error)), self._secrets)
                    why = f"{method} {path} got no response: {reason}."
                    raise Problem(why, "Run the job again later.") from None
            time.sleep(self._pause * 2**attempt)
        raise AssertionError("the last try returns or raises")


def _parse_json(path: str, answer: bytes) -> Any:
    """Return the object or list of a response. Raises Problem for a page of a proxy, a login, or a cut response."""
    try:
        found = json.loads(answer)
    except ValueError:
        found = None
    if not isinstance(found, (dict, list)):
        raise Problem(f"The response to {path} is not the API's JSON.", LATER)
    return found


def _read_whole(answer: IO[bytes], path: str) -> bytes:
    content = answer.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise Problem(f"The response to {path} is larger than {LARGEST >> 20} MiB.", "Check the size of that artifact.")
    return content


def _error_message(error: urllib.error.HTTPError) -> str:
    """Return the API's error message in one line."""
    try:
        said = json.loads(error.read(65536))
    except (ValueError, OSError, HTTPException):
        return ""
    message = said.get("message", said.get("error", "")) if isinstance(said, dict) else ""
    return " ".join(str(message)[:300].split())
