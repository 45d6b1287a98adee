"""The JSON format: one document that its schema describes, stable and without any secret."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings

from tests.core.plans import PLANS
from tests.extent import examples
from tests.render import samples
from trueup.core.plans.plan import Plan
from trueup.core.plans.plan_codec import decode, digest
from trueup.render.records import json as subject
from trueup.wire.described import dialect_tables

SCHEMAS = Path(__file__).parents[2] / "schemas"
REPORT = json.loads((SCHEMAS / "report.schema.json").read_text("utf-8"))
PLAN = json.loads((SCHEMAS / "plan.schema.json").read_text("utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(REPORT)


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(REPORT)


def test_what_it_has_in_common_with_the_plan_file_is_the_same() -> None:
    for name in ("identity", "change", "fieldChange", "record", "applied", "position", "stretch", "ignored"):
        assert REPORT["$defs"][name] == PLAN["$defs"][name], name


@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        ("report", subject.report(samples.REPORT)),
        ("diagnostics", subject.diagnostics(samples.DIAGNOSTICS, "1 assistant checked for target local: valid.")),
        ("diagnostics", subject.diagnostics((), "0 assistants checked for target local: valid.")),
        ("error", subject.error(samples.ERROR)),
        ("why", subject.why(samples.WHY)),
        ("targets", subject.targets(samples.TARGETS, "prod")),
        ("dialects", subject.dialects(dialect_tables())),
    ],
)
def test_each_answer_is_one_document_of_its_kind(kind: str, shown: str) -> None:
    document = json.loads(shown)
    VALIDATOR.validate(document)
    assert document["kind"] == kind
    assert document["format_version"] == 1
    assert shown.endswith("}\n")
    assert shown.isascii()


@given(PLANS)
@settings(max_examples=examples(60), deadline=None)
def test_any_plan_is_a_valid_document_that_holds_the_plan(plan: Plan) -> None:
    document = json.loads(subject.plan(plan))
    VALIDATOR.validate(document)
    assert decode(document["plan"]) == plan
    assert document["digest"] == digest(plan)
    VALIDATOR.validate(json.loads(subject.drift(plan)))


def test_of_a_credential_only_its_source_is_told() -> None:
    told = json.loads(subject.targets(samples.TARGETS, "prod"))["targets"]
    assert [target["credentials"] for target in told] == [
        {},
        {"api_key": "env SECRET_KEY"},
        {"x-portkey-api-key": "env PORTKEY_KEY", "x-portkey-config": "env AZURE_KEY"},
    ]


def test_the_exit_code_is_the_most_urgent_one() -> None:
    assert json.loads(subject.report(samples.REPORT))["exit"] == 5
