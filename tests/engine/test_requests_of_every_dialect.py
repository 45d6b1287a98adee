"""Every request of every golden plan, made in each dialect, is held against that vendor's own schema.

A story in which somebody does by hand what the vendor refuses (a field that it has no word for) is not told there.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.engine import cases
from tests.engine.cases import Case, Story
from tests.local.specs import SCHEMAS, validator
from trueup.core.call import Call, Reply
from trueup.local.openai_assistants import Server
from trueup.wire.openai_assistants.fields import DIALECTS
from trueup.wire.openai_assistants.rules import loss_keys
from trueup.wire.registry import adapter_for

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "plan"
FOLDERS = sorted(path.name for path in GOLDEN.iterdir() if path.is_dir())
OTHERS = sorted(set(DIALECTS) - {"openai"})
LOSSES = tuple(sorted(loss_keys(tuple(DIALECTS.values()))))


@pytest.fixture
def by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Send what people and tests do behind the tool's back; that names a version too."""
    answer = Server.answer

    def versioned(self: Server, call: Call) -> Reply:
        version = DIALECTS[self.vendor.name].api_version
        query = {"api-version": version, **call.query} if version else call.query
        return answer(self, replace(call, query=query))

    monkeypatch.setattr(Server, "answer", versioned)


class Elsewhere(Story):
    """A story told to another vendor: of its definitions what the dialect holds is wanted there."""

    def files(self, bodies: Any) -> None:
        super().files({name: body and _described(body) for name, body in bodies.items()})
        held = adapter_for(self.world.target).drop_unsupported
        self.world.definitions = {name: held(entry) for name, entry in self.world.definitions.items()}


def _described(body: Any) -> Any:
    """Return a definition whose functions have descriptions, which Azure wants and `validate` asks for."""
    tools = body.get("tools")
    if not tools:
        return body
    said = {"description": "Does it."}
    full = [{**tool, "function": {**said, **tool["function"]}} if "function" in tool else tool for tool in tools]
    return {**body, "tools": full}


def elsewhere(case: Case, dialect: str) -> Case:
    row = DIALECTS[dialect]
    place = {"dialect": dialect, "base_url": row.example or "http://127.0.0.1:1/v1", "allow_loss": LOSSES}
    return replace(case, target={**place, **case.target})


def told(folder: str, dialect: str) -> list[Call]:
    """Return the requests of one golden story in a dialect."""
    story = Elsewhere.of(elsewhere(cases.read(GOLDEN / folder), dialect))
    story.world.apply(**cases.options_of(cases.read(GOLDEN / folder)))
    return story.world.writes


@pytest.mark.usefixtures("by_hand")
@pytest.mark.parametrize("dialect", OTHERS)
def test_what_is_sent_is_what_the_vendor_takes(dialect: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cases, "Server", partial(Server, dialect=dialect))
    document, create, modify, *_ = SCHEMAS[dialect]
    held, refused = 0, []
    for folder in FOLDERS:
        try:
            calls = told(folder, dialect)
        except AssertionError as error:
            refused.append(f"{folder}: {error}"[:300])
            continue
        for call in calls:
            if call.method == "POST":
                held += 1
                validator(document, create if call.path == "/assistants" else modify)(call.json)
                assert call.json.keys() <= set(DIALECTS[dialect].fields)
    assert len(refused) <= 2, refused
    assert held > 60
