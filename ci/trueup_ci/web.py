"""A forge's REST API: JSON over HTTP with the standard library. The token goes to the API's own host, nowhere else."""

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
"""Seconds for one answer."""

TRIES = 4
"""How often a read is tried; a write is sent once."""

PAGES = 1000
"""Pages of a hundred that a search looks at: more than a forge answers before it asks to wait."""

LATER = "See whether a proxy or a login page stands before the forge, and run the job again later."

LARGEST = 256 * 1024 * 1024
"""Bytes of the largest download."""


class Refused(Problem):
    """The API answered with an error: `status` says which."""

    def __init__(self, status: int, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.status = status


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: a library would carry the token along."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        """Nothing follows."""


class Api:
    """An API at a base URL; `headers` carry the token."""

    def __init__(self, base: str, headers: Mapping[str, str], pause: float = 1.0) -> None:
        self._base, self._headers, self._pause = base.rstrip("/"), dict(headers), pause
        self._secrets = tuple(
            headers[name].removeprefix("Bearer ") for name in ("Authorization", "PRIVATE-TOKEN") if name in headers
        )
        self._open = urllib.request.build_opener(_Stay).open

    def get(self, path: str, **query: Any) -> Any:
        """The JSON of an answer. Raises Refused and Problem."""
        return _json(path, self._send("GET", self._url(path, query))[1])

    def pages(self, path: str, **query: Any) -> Iterator[Any]:
        """The entries of a list, page after page: `PAGES` of them at most. Raises Refused and Problem."""
        for page in range(1, PAGES + 1):
            found = self.get(path, **query, per_page=100, page=page)
            lists = [found] if isinstance(found, list) else [v for v in found.values() if isinstance(v, list)]
            if len(lists) != 1:
                raise Problem(f"What {path} answered is no list.", LATER)
            entries = lists[0]
            yield from entries
            if len(entries) < 100:
                return

    def send(self, method: str, path: str, body: Mapping[str, Any]) -> Any:
        """Sends JSON, once, and returns the answer's. Raises Refused and Problem."""
        answer = self._send(method, self._url(path, {}), json.dumps(body).encode())[1]
        return _json(path, answer) if answer else None

    def download(self, path: str) -> bytes:
        """The bytes behind a path, also behind a redirect to another host, which gets no token. Raises Problem."""
        url = self._url(path, {})
        for _ in range(5):
            is_ours = urlsplit(url)[:2] == urlsplit(self._base)[:2]
            status, answer, place = self._answer("GET", url, None, self._headers if is_ours else {})
            if status not in (301, 302, 303, 307, 308):
                return answer
            url = urljoin(url, place)
            if urlsplit(url).scheme not in ("http", "https"):
                break
        raise Problem(f"{path} leads nowhere.", "Run the job again later.")

    def _url(self, path: str, query: Mapping[str, Any]) -> str:
        return f"{self._base}{path}" + (f"?{urlencode(query)}" if query else "")

    def _send(self, method: str, url: str, body: bytes | None = None) -> tuple[int, bytes]:
        status, answer, _ = self._answer(method, url, body, self._headers)
        if 300 <= status < 400:
            raise Refused(status, f"{method} {urlsplit(url).path} was redirected, and that is not followed.")
        return status, answer

    def _answer(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> tuple[int, bytes, str]:
        """Status, body and place to go on; reads are tried again. Raises Refused and Problem."""
        path = urlsplit(url).path
        for attempt in range(TRIES):
            request = urllib.request.Request(url, body, dict(headers), method=method)
            if body is not None:
                request.add_header("Content-Type", "application/json")
            is_last = method != "GET" or attempt == TRIES - 1
            try:
                with self._open(request, timeout=TIMEOUT) as answer:
                    return answer.status, _whole(answer, path), ""
            except urllib.error.HTTPError as error:
                if 300 <= error.code < 400:
                    return error.code, b"", error.headers.get("Location", "")
                if is_last or (error.code < 500 and error.code != 429):
                    said = _said(error)
                    raise Refused(
                        error.code, f"{method} {path} was answered with {error.code}.",
                        quote_foreign(said, self._secrets) if said else "",
                    ) from None  # fmt: skip
            except (urllib.error.URLError, HTTPException, OSError) as error:
                if is_last:
                    reason = quote_foreign(str(getattr(error, "reason", error)), self._secrets)
                    why = f"{method} {path} had no answer: {reason}."
                    raise Problem(why, "Run the job again later.") from None
            time.sleep(self._pause * 2**attempt)
        raise AssertionError("the last try returns or raises")


def _json(path: str, answer: bytes) -> Any:
    """The object or list of an answer. Raises Problem for a page of a proxy, a login, or what was cut."""
    try:
        found = json.loads(answer)
    except ValueError:
        found = None
    if not isinstance(found, (dict, list)):
        raise Problem(f"What {path} answered is no JSON of the forge.", LATER)
    return found


def _whole(answer: IO[bytes], path: str) -> bytes:
    content = answer.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise Problem(f"What {path} answered is larger than {LARGEST >> 20} MiB.", "Look at what was kept there.")
    return content


def _said(error: urllib.error.HTTPError) -> str:
    """What the API says of a refusal, in one line."""
    try:
        said = json.loads(error.read(65536))
    except (ValueError, OSError, HTTPException):
        return ""
    message = said.get("message", said.get("error", "")) if isinstance(said, dict) else ""
    return " ".join(str(message)[:300].split())
