"""Schemathesis, a stranger that knows only the published specification, looks for faults in what `serve` answers."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.local.specs import spec
from trueup.local.openai_assistants import Server
from trueup.local.serve import running


def tightened(document: dict[str, Any]) -> dict[str, Any]:
    """Return the specification with what OpenAI says in prose only, and without cursors, which nobody can guess."""
    schemas, paths = document["components"]["schemas"], document["paths"]
    listing = paths["/assistants"]["get"]
    listing["parameters"] = [one for one in listing["parameters"] if one["name"] not in ("after", "before")]
    schemas["Metadata"]["anyOf"][0].update(
        maxProperties=16, propertyNames={"maxLength": 64}, additionalProperties={"type": "string", "maxLength": 512}
    )
    word = {"type": "string", "pattern": "^[a-zA-Z0-9_-]{1,64}$"}
    schemas["FunctionObject"]["properties"]["name"] = word
    schemas["ResponseFormatJsonSchema"]["properties"]["json_schema"]["properties"]["name"] = word
    for name in ("CreateAssistantRequest", "ModifyAssistantRequest"):
        properties = schemas[name]["properties"]
        properties["model"] = {"type": "string", "minLength": 1}
        resources = properties["tool_resources"]["anyOf"][0]
        search = resources["properties"]["file_search"]
        search.pop("oneOf", None)
        if "vector_stores" in search["properties"]:
            search["not"] = {"required": ["vector_store_ids", "vector_stores"]}
            chunking = search["properties"]["vector_stores"]["items"]["properties"]["chunking_strategy"]
            static = chunking["oneOf"][1]["properties"]["static"]["properties"]
            static["chunk_overlap_tokens"].update(minimum=0, maximum=50)
        _closed(resources)
    for name in ("AssistantToolsCode", "AssistantToolsFileSearch", "AssistantToolsFunction", "FunctionObject",
                 "FileSearchRankingOptions", "ResponseFormatText", "ResponseFormatJsonObject",
                 "ResponseFormatJsonSchema"):  # fmt: skip
        _closed(schemas[name])
    schemas["FileSearchRankingOptions"]["properties"]["hybrid_search"] = {"type": ["object", "null"]}
    return document


def _closed(schema: dict[str, Any]) -> None:
    """Objects that list their properties have no others."""
    if "properties" in schema:
        schema.setdefault("additionalProperties", False)
        for entry in schema["properties"].values():
            _closed(entry)
    if isinstance(schema.get("items"), dict):
        _closed(schema["items"])


def test_schemathesis_finds_nothing(tmp_path: Path) -> None:
    command = shutil.which(
        "schemathesis", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    )
    if command is None:
        pytest.skip("schemathesis is not installed")
    path = tmp_path / "spec.json"
    path.write_text(json.dumps(tightened(spec("openai-v2-assistants-tuned.json"))))
    with Server() as server, running(server, key="sk-test") as url:
        done = subprocess.run(
            [command, "run", str(path), "--url", url, "-H", "Authorization: Bearer sk-test",
             "-H", "OpenAI-Beta: assistants=v2", "--max-examples", "15", "--seed", "1", "--no-color"],
            capture_output=True, text=True, cwd=tmp_path, timeout=120, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "Tested: 5" in done.stdout
