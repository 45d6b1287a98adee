"""The plan file: it comes back as it went, is the same for the same plan, and refuses whatever is not its own."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings

from tests.core.plans import PLANS
from tests.extent import examples
from trueup.core.canonical import canonical_json
from trueup.core.command import HERE, Command, Message, Selection, parts_of
from trueup.core.errors import TrueupError
from trueup.core.field_table import Kind
from trueup.core.memory.state import Applied, Identity, Record
from trueup.core.plans import plan_codec
from trueup.core.plans.plan import MISSING, Action, Cause, Change, FieldChange, Options, Plan, Reason, with_kinds
from trueup.core.plans.plan_codec import FORMAT_VERSION, decode, digest, dumps, encode, loads
from trueup.core.source import Diagnostic, Position, Severity
from trueup.wire.openai_assistants.fields import TABLE

SCHEMA = json.loads((Path(__file__).parents[2] / "schemas" / "plan.schema.json").read_text("utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

ELSEWHERE = Command(("import", "asst_1"), None)

CHANGE = Change(
    name="math-tutor",
    action=Action.MODIFY,
    reason=Reason.EDITED,
    id="asst_1",
    fields=(FieldChange("temperature", 1, 0.2, Cause.EDITED),),
    sets={"temperature": 0.2},
    stamp="whose it is",
    overwritten={"temperature": "ab12"},
    sources={"temperature": Position("assistants/math-tutor.yaml", 4, 1)},
    file="assistants/math-tutor.yaml",
    message="the file changed",
)
PLAN = Plan(Identity("school", "prod", "openai-assistants", "https://api.example.com/v1"), Options(), (CHANGE,))


@given(PLANS)
@settings(max_examples=examples(150), deadline=None)
def test_a_plan_comes_back_as_it_went(plan: Plan) -> None:
    assert decode(encode(plan)) == plan
    text = dumps(plan)
    whole = {**encode(plan), "format_version": FORMAT_VERSION, "digest": digest(plan)}
    checksum = hashlib.sha256(canonical_json(whole) + b"\n").hexdigest()
    assert text.encode() == canonical_json({**whole, "checksum": checksum}) + b"\n"  # though made change by change
    assert loads(text) == plan
    assert dumps(loads(text)) == text
    VALIDATOR.validate(json.loads(text))


def test_a_field_gets_its_kind_from_the_table_and_the_file_does_not_hold_it() -> None:
    plan = replace(PLAN, changes=(replace(CHANGE, fields=(FieldChange("tools", [], MISSING, Cause.REMOVED),)),))
    found = with_kinds(plan, TABLE)
    assert [item.kind for change in found.changes for item in change.fields] == [Kind.TOOLS]
    assert dumps(found) == dumps(plan)


def test_the_schema_is_a_schema_and_knows_every_field() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    kinds = {
        "change": Change, "fieldChange": FieldChange, "identity": Identity, "options": Options,
        "position": Position, "diagnostic": Diagnostic, "record": Record, "applied": Applied,
    }  # fmt: skip
    for name, kind in kinds.items():
        assert set(SCHEMA["$defs"][name]["properties"]) == {item.name for item in fields(kind) if not item.metadata}, (
            name
        )
        assert SCHEMA["$defs"][name]["additionalProperties"] is False
    assert set(SCHEMA["properties"]) == {item.name for item in fields(Plan)} | {"format_version", "digest", "checksum"}
    assert set(SCHEMA["$defs"]["change"]["properties"]["action"]["enum"]) == {item.value for item in Action}
    assert set(SCHEMA["$defs"]["change"]["properties"]["reason"]["enum"]) == {item.value for item in Reason}
    assert set(SCHEMA["$defs"]["fieldChange"]["properties"]["cause"]["enum"]) == {item.value for item in Cause}


@pytest.mark.parametrize(
    "told",
    [
        {"message": "other words"},
        {"hint": "do this"},
        {"sources": {}},
        {"file": "elsewhere.yaml"},
        {"parts": ("_shared/a.md",)},
        {"reason": Reason.REVERTED},
        {"fields": ()},
        {"stamp": "another"},
        {"operation": "0123456789abcdef"},
    ],
)
def test_words_files_and_positions_are_no_part_of_the_digest(told: dict[str, Any]) -> None:
    assert digest(replace(PLAN, changes=(replace(CHANGE, **told),))) == digest(PLAN)


@pytest.mark.parametrize(
    "done",
    [
        {"name": "other"},
        {"action": Action.CREATE},
        {"id": "asst_2"},
        {"protect": True},
        {"sets": {"temperature": 0.3}},
        {"sets": {"temperature": None}},
        {"sets": {"temperature": 0.2, "metadata.owner": "bea"}},
        {"sets": {}},
        {"overwritten": {"temperature": "other"}},
    ],
)
def test_whatever_is_sent_or_overwritten_is_part_of_the_digest(done: dict[str, Any]) -> None:
    assert digest(replace(PLAN, changes=(replace(CHANGE, **done),))) != digest(PLAN)


def test_the_digest_covers_the_target_but_not_the_order_of_changes() -> None:
    other = replace(CHANGE, name="second")
    assert digest(replace(PLAN, changes=(CHANGE, other))) == digest(replace(PLAN, changes=(other, CHANGE)))
    assert digest(replace(PLAN, identity=replace(PLAN.identity, target="staging"))) != digest(PLAN)
    assert digest(replace(PLAN, identity=replace(PLAN.identity, scope={"project": "p"}))) != digest(PLAN)


def test_a_saved_plan_knows_the_commands_of_its_messages() -> None:
    prod = Selection("some/folder", "prod", vars=("owner=bea",))
    hint = Message("Back: ", prod.command("apply", "math-tutor", on_drift="revert"), ", elsewhere: ", ELSEWHERE, ".")
    warned = Diagnostic(Severity.WARNING, "x", Message("see ", prod.command("plan")), hint=hint)
    change = replace(CHANGE, hint=hint, remarks=(hint,))
    options = replace(PLAN.options, vars={"owner": "bea"})
    plan = replace(PLAN, options=options, changes=(change,), diagnostics=(warned,), selection=prod)
    text = dumps(plan)
    assert "some/folder" not in text, "a plan file is read on other machines"
    VALIDATOR.validate(json.loads(text))
    found = loads(text, "elsewhere")
    there = replace(prod, folder="elsewhere")
    expected = ("Back: ", there.command("apply", "math-tutor", on_drift="revert"), ", elsewhere: ", ELSEWHERE, ".")
    assert found.selection == there
    for message in (found.changes[0].hint, found.changes[0].remarks[0], found.diagnostics[0].hint):
        assert parts_of(message) == expected
    assert parts_of(found.diagnostics[0].message) == ("see ", there.command("plan"))
    assert dumps(found) == text
    assert digest(found) == digest(plan) == digest(replace(plan, selection=HERE, changes=(replace(change, hint=""),)))


def test_a_plan_file_from_before_messages_knew_their_commands_is_read() -> None:
    text = dumps(replace(PLAN, changes=(replace(CHANGE, hint="To plan: trueup plan"),)))
    assert "selection" not in text
    assert '"hint":"To plan: trueup plan"' in text
    assert parts_of(loads(text).changes[0].hint) == ("To plan: trueup plan",)


@pytest.mark.parametrize(
    "part", [1, {}, {"command": []}, {"command": [1]}, {"command": ["a"], "elsewhere": ["a"]}, {"other": ["a"]}]
)
def test_a_message_of_other_parts_is_refused(part: Any) -> None:
    document = encode(PLAN)
    document["changes"][0]["hint"] = ["a ", part]
    with pytest.raises(TrueupError, match="edited by hand or damaged"):
        decode(document)


def test_a_body_that_is_null_and_a_field_that_is_absent_are_two_things() -> None:
    change = replace(CHANGE, fields=(FieldChange("a", None, MISSING, Cause.REMOVED),))
    document = json.loads(dumps(replace(PLAN, changes=(change,))))
    assert document["changes"][0]["fields"] == [{"before": None, "cause": "removed", "path": "a"}]


def test_what_is_set_stands_in_the_file_once() -> None:
    text = "a prompt of some length"
    fields = (
        FieldChange("instructions", "before", text, Cause.EDITED),
        FieldChange("description", "d", None, Cause.EDITED),
        FieldChange("metadata.owner", "ann", MISSING, Cause.REMOVED),
        FieldChange("temperature", 1, 1, Cause.FORCED),
    )
    sets = {"instructions": text, "description": None, "metadata.owner": None, "temperature": True}
    plan = replace(PLAN, changes=(replace(CHANGE, fields=fields, sets=sets),))
    file = dumps(plan)
    assert file.count(text) == 1
    assert loads(file) == plan
    afters = {item["path"]: item.get("after", "absent") for item in json.loads(file)["changes"][0]["fields"]}
    assert afters == {"instructions": "absent", "description": None, "metadata.owner": "absent", "temperature": 1}


def test_a_create_takes_half_of_the_room_that_its_body_took_twice() -> None:
    body = {"name": "Tutor", "model": "gpt-4o", "instructions": "Be patient. " * 500}
    fields = tuple(FieldChange(name, MISSING, value, Cause.NEW) for name, value in body.items())
    change = Change("tutor", Action.CREATE, Reason.NEW, fields=fields, sets=body)
    size = len(dumps(replace(PLAN, changes=(change,))))
    assert size < len(canonical_json(body)) + 1_000


def test_text_that_no_file_can_hold_is_written_all_the_same() -> None:
    plan = replace(PLAN, changes=(replace(CHANGE, sets={"name": "x\ud800é", "t": 0.5}),))
    text = dumps(plan)
    assert loads(text.encode("utf-8").decode("utf-8")).changes[0].sets == {"name": "x\ufffdé", "t": 0.5}


def _edited(change: Callable[[dict[str, Any]], object]) -> str:
    document = json.loads(dumps(PLAN))
    change(document)
    return json.dumps(document)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("9" * 10_000, "not JSON"),
        ("[]", "the file should be an object"),
        ('{"a": 1, "a": 2}', "'a' twice"),
        ('{"format_version": NaN}', "NaN is not a JSON number"),
        ("{}", "format_version"),
        (_edited(lambda d: d.update(format_version=True)), "format_version"),
        (
            _edited(lambda d: d.update(format_version=1)),
            "version 1, of an older Trueup; this one reads version 2",
        ),
        (_edited(lambda d: d.update(format_version=3)), "has format version 3, of a newer Trueup"),
        (_edited(lambda d: d.update(digest="0" * 64)), "digest does not match"),
        (_edited(lambda d: d.pop("digest")), "digest does not match"),
        (_edited(lambda d: d["changes"][0]["sets"].update(temperature=2)), "digest does not match"),
        (_edited(lambda d: d["changes"][0]["fields"][0].update(after=0.9)), "checksum does not match"),
        (_edited(lambda d: d.pop("checksum")), "checksum does not match"),
        (dumps(PLAN).replace('"checksum"', ' "checksum"'), "checksum does not match"),
        (dumps(PLAN)[:-2] + ',"ignored":[]}', "checksum does not match"),
        (_edited(lambda d: d["options"].update(vars={"checksum": d["checksum"]})), "checksum does not match"),
        (_edited(lambda d: d.update(extra=1)), "plan.extra should be absent"),
        (_edited(lambda d: d.pop("identity")), "plan.identity should be present"),
        (
            _edited(lambda d: d["changes"][0].update(action="explode")),
            r"plan.changes\[0\].action should be one of create",
        ),
        (_edited(lambda d: d["changes"][0].update(action=["create"])), "should be one of"),
        (_edited(lambda d: d["changes"][0].update(adopted=1)), "should be true or false"),
        (_edited(lambda d: d["changes"][0].update(name=7)), "name should be a string"),
        (_edited(lambda d: d["changes"][0].update(overwritten=[])), "overwritten should be an object"),
        (_edited(lambda d: d["changes"][0].update(calls=[])), "calls should be absent"),
        (_edited(lambda d: d["changes"][0].update(sets=[])), "sets should be an object"),
        (_edited(lambda d: d.update(unchanged=-1)), "whole number of 0 or more"),
        (_edited(lambda d: d.update(unchanged=True)), "whole number of 0 or more"),
        (_edited(lambda d: d.update(changes={})), "changes should be a list"),
        (dumps(PLAN).replace('"temperature":0.2', '"temperature":1e999', 1), "number that JSON can hold"),
        (dumps(PLAN).replace('"temperature":0.2', '"temperature":' + "[" * 300 + "]" * 300, 1), "nested at most 200"),
    ],
)
def test_what_is_not_its_own_is_refused_with_a_way_on(text: str, says: str) -> None:
    with pytest.raises(TrueupError, match=says) as caught:
        loads(text)
    assert caught.value.hint


def test_a_file_too_large_is_refused_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_codec, "MAX_CHARACTERS", 10)
    with pytest.raises(TrueupError, match="larger than 10 characters"):
        loads(dumps(PLAN))


def test_decode_takes_no_value_that_json_has_not() -> None:
    document = encode(PLAN)
    document["options"] = {"vars": {"when": object()}}
    with pytest.raises(TrueupError, match="a JSON value"):
        decode(document)
