"""Each protocol's own schema against what its vendor published: the same fields, tools and words, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.local.specs import recorded, spec
from trueup.core.source import SourceMap, dotted
from trueup.edge import schemas

OURS = schemas.load("openai-agents")
CHECKER = schemas.checker_of("openai-agents")
NOT_SENT = {"lifecycle"}
SECRET = {"tools[].headers", "tools[].authorization"}
"""Keys that our schema only has to refuse them with a reason."""


def published() -> dict[str, Any]:
    found: dict[str, Any] = spec("openai-agents.json")["schemas"]["CreateRequest"]
    return found


def keys(rule: Any, root: dict[str, Any], path: str = "") -> Iterator[str]:
    """Return the paths of all properties that a schema names, with the words that may stand there."""
    if not isinstance(rule, dict):
        return
    if "$ref" in rule:
        yield from keys(root["$defs"][rule["$ref"].removeprefix("#/$defs/")], root, path)
    for word in (*rule.get("enum", ()), *([rule["const"]] if "const" in rule else ())):
        if isinstance(word, str):
            yield f"{path}={word}"
    for name, inner in (rule.get("properties") or {}).items():
        yield f"{path}.{name}".removeprefix(".")
        yield from keys(inner, root, f"{path}.{name}".removeprefix("."))
    yield from keys(rule.get("items"), root, f"{path}[]")
    for branch in (*rule.get("anyOf", ()), *rule.get("allOf", ())):
        for inner in (branch, branch.get("then"), branch.get("if")):
            yield from keys(inner, root, path)


def test_openai_s_fields_tools_and_words_are_all_there_and_no_others() -> None:
    theirs = published()
    ours = {key for key in keys(OURS, OURS) if key.partition(".")[0].partition("[")[0] not in NOT_SENT}
    assert ours - SECRET == set(keys(theirs, theirs))
    assert OURS["required"] == theirs["required"]


def test_every_body_that_openai_s_own_sdk_sent_is_a_definition() -> None:
    sent = [entry["body"] for entry in recorded("openai.json") if "model" in (entry["body"] or {})]
    assert sent
    for body in sent:
        found = CHECKER.problems(body, SourceMap)
        assert [(item.code, dotted(item.path)) for item in found if item.code != "secret-in-file"] == []
