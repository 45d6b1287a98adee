"""An export: the same assistants give the same bytes, what is read back is what was written, and hostile texts are
refused by name."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from trueup.core.command import Command
from trueup.core.errors import TrueupError
from trueup.core.memory.state import Identity
from trueup.core.migration import export as codec
from trueup.core.migration.export import BEGINNING, Export, Exported, dumps, is_of, refuse_other_target
from trueup.edge import schemas


def loads(text: str) -> Export:
    return codec.loads(text, lambda _: {"metadata": 1, "tool_resources": 2})


AGAIN = Command(("export", "live.json"))
HERE = Identity("shop", "prod", "openai-assistants", "https://api.example.com/v1", {"organization": "org-1"})

scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text()
)
values = st.recursive(
    scalars, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(), inner, max_size=3))
)
bodies = st.dictionaries(st.sampled_from(["name", "model", "instructions", "tools", "temperature"]), values)
entries = st.builds(
    Exported,
    st.from_regex(r"asst_[A-Za-z0-9]{1,8}", fullmatch=True),
    bodies,
    st.integers(0, 2**40),
    st.one_of(st.none(), st.text(min_size=1)),
    st.dictionaries(st.text(), values, max_size=2),
)
exports = st.builds(
    Export,
    st.just(HERE),
    st.integers(0, 4_000_000_000),
    st.lists(entries, max_size=4, unique_by=lambda entry: entry.id).map(tuple),
)


@given(
    st.lists(
        st.sampled_from(["\x7f", "\x9b", "\u202e", "\u2028", "\u200b", "\U000e0041", "##vso[", "#", "x[", "\\", "é"])
    )
)
def test_no_sign_that_is_obeyed_or_unseen_is_in_the_text_and_all_read_back(parts: list[str]) -> None:
    body = {"instructions": "".join(parts), "".join(parts): [1]}
    text = dumps(Export(HERE, 0, (Exported("asst_1", body),)))
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u2028-\u202e\U000e0041]|##(vso|x)?\\[", text)
    assert loads(text).assistants[0].body == body


@given(exports)
def test_what_is_written_reads_back_and_fits_its_schema(export: Export) -> None:
    text = dumps(export)
    found = loads(text)
    assert found.identity == export.identity
    assert found.exported_at == export.exported_at
    assert sorted(found.assistants, key=lambda entry: entry.id) == sorted(export.assistants, key=lambda entry: entry.id)
    Draft202012Validator(schemas.load("export")).validate(json.loads(text))
    assert text.startswith(BEGINNING)


@given(exports, st.randoms())
def test_the_order_of_the_listing_does_not_show(export: Export, chance: Any) -> None:
    shuffled = list(export.assistants)
    chance.shuffle(shuffled)
    assert dumps(Export(export.identity, export.exported_at, tuple(shuffled))) == dumps(export)


def test_half_a_character_survives() -> None:
    export = Export(HERE, 0, (Exported("asst_1", {"name": "a\ud800"}),))
    assert loads(dumps(export)).assistants[0].body["name"] == "a\ud800"


def test_a_number_that_json_cannot_hold_is_said_to_be_that() -> None:
    with pytest.raises(TrueupError, match="NaN"):
        dumps(Export(HERE, 0, (Exported("asst_1", {"temperature": float("nan")}),)))


def _value(**changes: Any) -> str:
    entry = {"id": "asst_1", "created_at": 5, "body": {"model": "m"}}
    good = json.loads(dumps(Export(HERE, 0, ())))
    return json.dumps({**good, "assistants": [entry], **changes})


def _entry(**changes: Any) -> str:
    return _value(assistants=[{"id": "asst_1", "created_at": 5, "body": {"model": "m"}, **changes}])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "it is empty"),
        ("[]", "is not that of an export"),
        ('{"kind":"export"}', "format_version is not 1"),
        (_value(format_version=2), "written by a newer Trueup"),
        (_value(format_version=True), "format_version is not 1"),
        (_value(secret="x"), "the export.secret should be absent"),
        (_value(assistants={}), "the export.assistants should be a list"),
        (_value(assistants=[1]), "assistants[0] should be an object"),
        (_value(exported_at="yesterday"), "exported_at should be a moment"),
        (_value(exported_at=5), "exported_at should be a moment"),
        (_value(target={}), "target.project should be present"),
        (_entry(id="../../etc"), "assistants[0].id should be an id: '../../etc'"),
        (_entry(id=5), "assistants[0].id should be a string"),
        (_entry(body=[]), "assistants[0].body should be an object"),
        (_entry(created_at=True), "assistants[0].created_at should be a whole number"),
        (_entry(body={"metadata": []}), "assistants[0].body.metadata should be an object"),
        (_entry(body={"tool_resources": {"x": 1}}), "assistants[0].body.tool_resources.x should be an object"),
        (_entry(extra=1), "assistants[0].extra should be an object"),
        (_entry(version=1), "assistants[0].version should be a string"),
        (_entry(more=1), "assistants[0].more should be absent"),
        (_value(assistants=[{"id": "a", "created_at": 1, "body": {}}] * 2), "holds a twice"),
        ('{"kind":"export","kind":"export"}', "kind"),
        ("[" * 100_000, "nested too deeply"),
        (_entry(body={"temperature": float("nan")}), "NaN"),
    ],
)
def test_what_is_no_export_is_refused_with_the_reason(text: str, told: str) -> None:
    with pytest.raises(TrueupError) as caught:
        loads(text)
    assert told in caught.value.message


def test_an_export_of_another_target_is_told_apart_by_what_differs() -> None:
    export = Export(HERE, 0, ())
    refuse_other_target(
        export, Identity(HERE.project, HERE.target, HERE.protocol, f"{HERE.base_url}/", HERE.scope), AGAIN
    )
    other = Identity("shop", "staging", HERE.protocol, HERE.base_url, {"organization": "org-2"})
    assert not is_of(export, other)
    with pytest.raises(TrueupError, match=r"target is 'prod' there and 'staging' here; scope\.organization is"):
        refuse_other_target(export, other, AGAIN)
