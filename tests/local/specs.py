"""Where published specifications and recordings lie, for tests that read them: they are no part of the repository."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

SCHEMAS = {
    "openai": ("openai-v2.json", "CreateAssistantRequest", "ModifyAssistantRequest", "AssistantObject",
               "ListAssistantsResponse", "DeleteAssistantResponse"),
    "openai-v1": ("openai-v1.json", "CreateAssistantRequest", "ModifyAssistantRequest", "AssistantObject",
                  "ListAssistantsResponse", "DeleteAssistantResponse"),
    "azure-openai": ("azure-2025-03-01-preview.json", "createAssistantRequest", "modifyAssistantRequest",
                     "assistantObject", "listAssistantsResponse", "deleteAssistantResponse"),
    "foundry-classic": ("foundry-classic-v1.transcribed.json", "CreateAgent", "UpdateAgent", "Agent", "AgentList",
                        "Deletion"),
}  # fmt: skip
"""Of each dialect the specification, and what create, modify, an assistant, a page and a deletion are called in it."""


def spec(name: str) -> Any:
    """Return a specification's JSON; skip the test if the folder (TRUEUP_SPECS, or ../shared/specs) lacks it."""
    return _read(_folder(), name)


def recorded(name: str) -> list[dict[str, Any]]:
    """Return what a vendor's own client sent; skip the test if the folder beside the specifications lacks it."""
    exchanges: list[dict[str, Any]] = _read(_folder().parent / "recorded", name)["exchanges"]
    return exchanges


def _folder() -> Path:
    root = Path(__file__).resolve().parents[2]
    return Path(os.environ.get("TRUEUP_SPECS", root / ".." / "shared" / "specs")).resolve()


def _read(folder: Path, name: str) -> Any:
    path = folder / name
    if not path.is_file():
        pytest.skip(f"{name} is not there: set TRUEUP_SPECS to the folder of the specifications")
    return json.loads(path.read_text(encoding="utf-8"))


@functools.cache
def validator(name: str, schema: str) -> Callable[[Any], None]:
    """Return a check against one schema of a vendor's specification; `nullable` of OpenAPI 3.0 allows null."""
    document = spec(name)
    if "schemas" in document:  # each of them whole
        return Draft202012Validator(document["schemas"][schema]).validate
    where = "#/$defs" if "$defs" in document else "#/components/schemas"
    holder = "$defs" if "$defs" in document else "components"
    root = with_null({"$ref": f"{where}/{schema}", holder: document[holder]})
    return Draft202012Validator(root).validate


def with_null(value: Any) -> Any:
    """`nullable: true` as JSON Schema has it; beside a reference too, where 3.0's own rules would not read it."""
    if isinstance(value, list):
        return [with_null(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    plain = {key: with_null(entry) for key, entry in value.items()}
    if plain.get("nullable") is not True:
        return plain
    del plain["nullable"]
    return {"anyOf": [plain, {"type": "null"}]}
