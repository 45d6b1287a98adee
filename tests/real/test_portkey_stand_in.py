"""The embedded stand-in of Portkey's gateway and the gateway itself, asked the same: they must answer the same.

Compared are the status, the shape of the body and the gateway's own words, and what arrives at the vendor behind it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.real.place import KEY
from tests.real.servers import gateway
from tests.real.upstream import Upstream
from trueup.local.faults import Fault, Kind
from trueup.local.portkey import Gateway
from trueup.local.serve import running

BEARER = {"authorization": f"Bearer {KEY}"}
JSON = {"content-type": "application/json", "openai-beta": "assistants=v2"}
CREATE = ("POST", "/assistants", {"model": "m", "temperature": 1.0})
LIST = ("GET", "/assistants?limit=2&order=asc", None)
ABSENT = ("GET", "/assistants/asst_x", None)
BETA = {"x-portkey-openai-beta": "assistants=v2"}
Ask = tuple[str, str, Any]


def to(host: str, **more: str | None) -> dict[str, str | None]:
    return {"x-portkey-provider": "openai", "x-portkey-custom-host": host, **BEARER, **more}


def by(host: str, **more: Any) -> dict[str, str]:
    return {"x-portkey-config": json.dumps({"provider": "openai", "api_key": KEY, "custom_host": host, **more})}


CASES: dict[str, Any] = {
    "create": (CREATE, to, []),
    "list": (LIST, to, []),
    "absent": (ABSENT, to, []),
    "delete-absent": (("DELETE", "/assistants/asst_x", None), to, []),
    "put": (("PUT", "/assistants/asst_x", None), to, []),
    "no-provider": (CREATE, lambda _: BEARER, []),
    "slug": (CREATE, lambda _: {"x-portkey-provider": "@slug", **BEARER}, []),
    "virtual-key": (CREATE, lambda _: {"x-portkey-virtual-key": "v", **BEARER}, []),
    "saved-config": (CREATE, lambda _: {"x-portkey-config": "pc-1", **BEARER}, []),
    "config": (CREATE, by, []),
    "config-virtual-key": (CREATE, lambda _: {"x-portkey-config": '{"virtual_key": "v"}', **BEARER}, []),
    "config-alone": (CREATE, lambda _: {"x-portkey-config": '{"provider": "openai"}', **BEARER}, []),
    "config-private-host": (CREATE, lambda _: by("http://10.0.0.1/v1"), []),
    "config-and-bearer": (CREATE, lambda host: by(host) | {"authorization": "Bearer wrong"}, []),
    "override": (CREATE, lambda host: by(host, override_params={"model": "theirs"}), []),
    "private-host": (CREATE, lambda _: to("http://192.168.0.1/v1"), []),
    "slash": (CREATE, lambda host: to(f"{host}/"), []),
    "text": (CREATE, lambda host: to(host, **{"content-type": "text/plain"}), []),
    "beta-header": (CREATE, lambda host: to(host, **BETA, **{"openai-beta": None}), []),
    "beta-headers": (CREATE, lambda host: to(host, **BETA, **{"openai-beta": ""}), []),
    "no-content-type": (CREATE, lambda host: to(host, **{"content-type": None}), []),
    "numbers": (("POST", "/assistants", {"model": "m", "tools": [{"type": "function", "function": {
        "name": "f", "parameters": {"10": 12345678901234567890, "2": 1.0, "a": 0.10, "b": "é"}}}]}), to, []),
    "timeout": (CREATE, lambda host: to(host, **{"x-portkey-request-timeout": "300"}),
                [Fault(Kind.PASS, "POST", delay=0.8)]),
    "retry": (CREATE, lambda host: by(host, retry={"attempts": 1}), [Fault(method="POST", status=500, commit=True)]),
    "retry-used-up": (CREATE, lambda host: by(host, retry={"attempts": 1}), [Fault(status=503, times=2)]),
    "dropped": (CREATE, to, [Fault(Kind.DROP, "POST", commit=True)]),
    "limited": (CREATE, to, [Fault(status=429, headers={"retry-after": "7"})]),
    "page": (CREATE, to, [Fault(Kind.HTML, status=502)]),
    "fallback": (CREATE, lambda host: {"x-portkey-config": json.dumps({"strategy": {"mode": "fallback"}, "targets": [
        {"provider": "openai", "api_key": KEY, "custom_host": one} for one in (f"{host}/nowhere", host)]})}, []),
}  # fmt: skip


@pytest.fixture(scope="module")
def real(software: Path) -> Iterator[str]:
    with gateway(software) as address:
        yield f"{address}/v1"


@pytest.mark.parametrize("name", CASES)
def test_both_answer_alike(real: str, name: str) -> None:
    asked, headers, faults = CASES[name]
    one, other = Upstream(), Upstream()
    with one, running(one, key=KEY) as host:
        theirs = _asked(one, real, asked, headers(host), faults)
    with other, running(other, key=KEY, gateway=Gateway()) as url:
        ours = _asked(other, url, asked, headers(host), faults)
    assert ours == theirs


def _asked(
    server: Upstream, url: str, asked: Ask, headers: Mapping[str, str | None], faults: list[Fault]
) -> dict[str, Any]:
    """Return what a gateway answered, without what differs from run to run, and what arrived behind it."""
    method, path, body = asked
    server.faults.add(*faults)
    own = {name: value for name, value in {**JSON, **headers}.items() if value is not None}
    content = json.dumps(body) if body else None
    reply = httpx.request(method, f"{url}{path}", headers=own, content=content, timeout=20)
    arrived = [(entry.method, entry.path, dict(entry.query), json.dumps(entry.json)) for entry in server.faults.log]
    marks = {name: reply.headers.get(f"x-portkey-{name}") for name in ("retry-attempt-count", "cache-status")}
    kind = reply.headers.get("content-type", "").partition(";")[0]
    return {"status": reply.status_code, "kind": kind, "said": _said(reply), "marks": marks, "arrived": arrived,
            "live": len(server.live()), "retry-after": reply.headers.get("retry-after")}  # fmt: skip


def _said(reply: httpx.Response) -> Any:
    """Return the body's keys, and the words of an error; of a long list of errors nothing."""
    try:
        body = reply.json()
    except ValueError:
        return reply.text.split(" Cause: ")[0]
    error = body.get("error", {})
    return sorted(body), body.get("message") or error.get("message") or body.get("model"), error.get("type")
