"""What goes over the wire in each dialect, word for word: `tests/golden/dialects`, rewritten with TRUEUP_REGOLD=1.

Each case is a fleet's life: two creates, a modify, a removal of all fields, two deletes. Behind the gateway the
requests are written down a second time, as they arrive at the vendor. A key is never among it.
"""

from __future__ import annotations

import itertools
import json
import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.contract.house import KEY, WAYS, Way, house
from tests.local.specs import SCHEMAS, validator
from trueup.core.call import Reply
from trueup.local import serve
from trueup.local.admission import Asked, Endpoint, entrance
from trueup.local.portkey import Front

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "dialects"
REGOLD = os.environ.get("TRUEUP_REGOLD") == "1"
PUBLISHED = {
    **SCHEMAS,
    "openai-agents-openai": ("openai-agents.json", "CreateRequest", "UpdateRequest", "Agent", "AgentList", ""),
}
"""Of each way without a gateway the specification and the names in it, as in `SCHEMAS`."""

SAID = ("authorization", "api-key", "openai-beta", "content-type")
"""The headers that are written down, beside the gateway's; the others are the HTTP library's."""


OPERATION = re.compile(r'(\\"o\\":\\")[0-9a-f]{16}')
"""The operation in a stamp: it is of the target's address, whose port is another one each time."""


class Tape:
    """The exchanges at the vendor's door, and those in front of it."""

    def __init__(self) -> None:
        self.at_the_vendor: list[dict[str, Any]] = []
        self.at_the_gateway: list[dict[str, Any]] = []

    def door(self, *given: Any) -> Endpoint:
        """Return the vendor's door, with a record of what passes."""
        return self._listened(entrance(*given), self.at_the_vendor)

    def front(self, *given: Any) -> Endpoint:
        """Return the gateway, with a record of what passes."""
        return self._listened(Front(*given), self.at_the_gateway)

    @staticmethod
    def _listened(endpoint: Endpoint, tape: list[dict[str, Any]]) -> Endpoint:
        async def listened(asked: Asked) -> Reply:
            reply = await endpoint(asked)
            tape.append({"request": _request(asked), "reply": {"status": reply.status, "body": reply.json}})
            return reply

        return listened


def _request(asked: Asked) -> dict[str, Any]:
    headers = {
        name: value.replace(KEY, "***")
        for name, value in sorted(asked.headers.items())
        if name in SAID or name.startswith("x-portkey-")
    }
    shown = {"method": asked.method, "path": asked.path, "query": dict(asked.query), "headers": headers}
    return {**shown, "body": json.loads(asked.body)} if asked.body else shown


def _golden(way: Way) -> Path:
    return GOLDEN / str(way) / "exchanges.json"


def counted(way: Way) -> Callable[[], str]:
    numbers = itertools.count(1)
    return lambda: way.spoken.id_of(f"{next(numbers):024d}")


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_every_request_and_reply_is_as_written_down(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, way: Way
) -> None:
    tape = Tape()
    monkeypatch.setattr(serve, "entrance", tape.door)
    monkeypatch.setattr(serve, "Front", tape.front)
    with house(tmp_path, capsys, way, target={"parallelism": 1}, ids=counted(way)) as made:
        made.run("apply", "--yes")
        made.put("second")
        made.run("apply", "--yes")
        made.write("assistants/math.yaml", "model: gpt-4o\n")
        made.run("apply", "--yes")
        assert made.run("destroy", "--yes").code == 0
    assert all(entry["reply"]["status"] == 200 for entry in (*tape.at_the_gateway, *tape.at_the_vendor))
    found: dict[str, Any] = {"exchanges": tape.at_the_gateway or tape.at_the_vendor}
    if way.gateway:
        found["requests behind the gateway"] = [entry["request"] for entry in tape.at_the_vendor]
    text = OPERATION.sub(r"\1*", json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    assert KEY not in text
    path = _golden(way)
    if REGOLD:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_what_is_written_down_is_what_the_vendor_published(way: Way) -> None:
    document, create, modify, assistant, *_ = PUBLISHED[str(replace(way, gateway=""))]
    found = json.loads(_golden(way).read_text(encoding="utf-8"))
    behind = found.get("requests behind the gateway", [])
    requests = [entry["request"] for entry in found["exchanges"]] + behind
    bodies = [(entry["path"].endswith(way.spoken.path), entry["body"]) for entry in requests if "body" in entry]
    assert sum(is_create for is_create, _ in bodies) == (4 if way.gateway else 2)
    for is_create, body in bodies:
        validator(document, create if is_create else modify)(body)
    for entry in found["exchanges"]:
        if entry["request"]["method"] == "POST":
            validator(document, assistant)(entry["reply"]["body"])


def test_there_is_no_case_that_nobody_runs() -> None:
    assert {path.name for path in GOLDEN.iterdir()} == set(map(str, WAYS))
