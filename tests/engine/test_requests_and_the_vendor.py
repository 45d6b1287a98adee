"""Every request of every golden plan is held against the vendor's own schema, where that is present."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.local.specs import spec

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "plan"
CASES = sorted(path.parent.name for path in GOLDEN.glob("*/calls.json"))


@pytest.fixture(scope="module")
def published() -> Any:
    return spec("openai-v2.json")


def validator(published: Any, name: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": published["components"]})


@pytest.mark.parametrize("case", CASES)
def test_what_is_sent_is_what_the_vendor_takes(published: Any, case: str) -> None:
    calls = json.loads((GOLDEN / case / "calls.json").read_text(encoding="utf-8"))
    for call in calls:
        if call["method"] == "POST":
            name = "CreateAssistantRequest" if call["path"] == "/assistants" else "ModifyAssistantRequest"
            assert [error.message for error in validator(published, name).iter_errors(call["json"])] == [], call


def test_there_are_requests_to_hold() -> None:
    assert len(CASES) > 100
    texts = [(GOLDEN / case / "calls.json").read_text(encoding="utf-8") for case in CASES]
    assert sum('"POST"' in text for text in texts) > 50
