"""The stamp: a round trip, always within 512 characters, and hostile text that is never taken for ours."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.core.canonical import DIGEST_RULES, digest
from trueup.core.memory.stamp import (
    LENGTH,
    RELEASED,
    UNREADABLE,
    Stamp,
    about_to_send,
    digests,
    encode,
    list_held_digests,
    parse,
    record_of,
    short,
)
from trueup.core.memory.state import Applied
from trueup.core.plans.fields import Rules
from trueup.core.plans.judge import DecisionPolicy, Facts, is_ours
from trueup.core.plans.live import stamp_of
from trueup.wire.openai_assistants.fields import DIALECTS, TABLE

LETTERS = {name: letter for row in DIALECTS.values() for name, letter in row.table.letters.items()}
HEX = st.text("0123456789abcdef", min_size=8, max_size=8)
OPERATION = st.text("0123456789abcdef", min_size=16, max_size=16)
WORD = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"], exclude_characters='"\\'), min_size=1)
NAME = WORD.filter(
    lambda text: text.isprintable() and text[:1] not in ("", ".", "_") and not set(text) & set("\"'`\\*?[]/")
)
STAMPS = st.builds(
    Stamp,
    project=WORD,
    target=WORD,
    name=NAME,
    operation=OPERATION,
    protect=st.booleans(),
    fields=st.dictionaries(st.sampled_from(list(LETTERS)), HEX),
)


@given(STAMPS)
def test_round_trip(stamp: Stamp) -> None:
    assert parse(encode(stamp, LETTERS), LETTERS) == stamp


@given(STAMPS)
def test_the_order_of_fields_does_not_change_the_text(stamp: Stamp) -> None:
    turned = Stamp(
        stamp.project,
        stamp.target,
        stamp.name,
        stamp.operation,
        stamp.protect,
        fields=dict(reversed(list(stamp.fields.items()))),
    )
    assert encode(turned, LETTERS) == encode(stamp, LETTERS)


@given(st.integers(1, 254), st.integers(1, 254), st.sampled_from(["a", "ä", "家", "\U0001f600"]))
def test_it_fits_whenever_project_target_and_name_take_256_characters(project: int, target: int, letter: str) -> None:
    project = min(project, 254)
    target = min(target, 255 - project)
    stamp = Stamp(
        letter * project,
        letter * target,
        letter * (256 - project - target),
        "f" * 16,
        protect=True,
        fields=dict.fromkeys(LETTERS, "f" * 8),
    )
    assert len(encode(stamp, LETTERS)) <= LENGTH
    assert parse(encode(stamp, LETTERS), LETTERS) == stamp


def test_every_field_has_a_letter_of_its_own_or_falls_into_entries() -> None:
    assert len(set(LETTERS.values())) == len(LETTERS)
    assert {name for row in DIALECTS.values() for name in row.fields} == {*LETTERS, "metadata", "tool_resources"}
    assert all(len(code) == 1 for code in LETTERS.values())


def test_nineteen_letters_fit_beside_names_of_256_characters_and_twenty_do_not() -> None:
    """So many fields of a protocol can be known after a rebuild."""
    lengths = []
    for count in (19, 20):
        letters = {f"field{number}": chr(ord("a") + number) for number in range(count)}
        stamp = Stamp("p" * 85, "t" * 85, "n" * 86, "f" * 16, protect=True, fields=dict.fromkeys(letters, "f" * 8))
        lengths.append(len(encode(stamp, letters)))
    assert lengths[0] <= LENGTH < lengths[1]


@pytest.mark.parametrize("text", [None, RELEASED])
def test_no_stamp(text: Any) -> None:
    assert parse(text, LETTERS) is None


@pytest.mark.parametrize(
    "body", [{}, {"metadata": None}, {"metadata": {"owner": "ada"}}, {"metadata": {"trueup": RELEASED}}]
)
def test_a_body_without_a_stamp(body: Any) -> None:
    assert stamp_of(body, TABLE) is None


WHOLE: dict[str, Any] = {"v": DIGEST_RULES, "p": "acme", "t": "prod", "n": "math", "o": "op", "f": "m12345678"}
NO_NUMBERS: list[Any] = ["1", None, 1.5, []]
HOSTILE: list[Any] = [
    "",
    " ",
    "null",
    "[]",
    "{}",
    "{",
    "Released",
    '"acme"',
    "NaN",
    "[" * 1_000,
    '{"p":' * 500,
    "x" * 10_000,
    1,
    True,
    ["acme"],
    {"p": "acme"},
    *(json.dumps({key: value for key, value in WHOLE.items() if key != gone}) for gone in WHOLE),
    *(json.dumps({**WHOLE, key: 7}) for key in "ptnof"),
    *(json.dumps({**WHOLE, "v": value}) for value in NO_NUMBERS),
    json.dumps({**WHOLE, "o": ""}),
    json.dumps(WHOLE) + "x",
    json.dumps(WHOLE).replace("1", "9" * 5_000),
]


@pytest.mark.parametrize("text", HOSTILE)
def test_what_cannot_be_read_is_nobodys(text: Any) -> None:
    assert parse(text, LETTERS) == UNREADABLE


@given(st.text(max_size=40) | st.recursive(st.none() | st.integers() | st.text(max_size=3), lambda x: st.lists(x)))
def test_no_text_raises_or_counts_as_ours(text: Any) -> None:
    stamp = parse(text, LETTERS)
    facts = Facts("math", {}, None, None)
    assert stamp is None or not is_ours(stamp, facts, CHOICES)


CHOICES = DecisionPolicy("acme", "prod", Rules(TABLE))


@pytest.mark.parametrize(("key", "value"), [("p", "other"), ("t", "dev"), ("n", "physics"), ("n", "MATH"), ("p", "")])
def test_a_stamp_is_ours_only_if_project_target_and_name_are(key: str, value: str) -> None:
    facts = Facts("math", {}, None, None)
    ours, other = parse(json.dumps(WHOLE), LETTERS), parse(json.dumps({**WHOLE, key: value}), LETTERS)
    assert ours is not None
    assert other is not None
    assert is_ours(ours, facts, CHOICES)
    assert not is_ours(other, facts, CHOICES)


def test_garbage_among_the_field_digests_is_passed_over() -> None:
    stamp = parse(json.dumps({**WHOLE, "f": "m12345678 ?x z1 m i"}), LETTERS)
    assert stamp is not None
    assert set(stamp.fields) <= {"model", "instructions"}


def test_a_record_from_a_stamp_knows_top_level_fields_only() -> None:
    file = {"model": "a", "instructions": "x", "metadata.owner": "ada"}
    stamp = Stamp("acme", "prod", "math", "op", protect=True, fields=digests(file, TABLE))
    record = record_of(stamp, "asst_1", 7)
    assert (record.id, record.created_at, record.operation, record.protect) == ("asst_1", 7, "op", True)
    assert (record.partial, record.stamped) == (True, True)
    assert record.fields == {name: Applied(stamp=short(name, file[name], TABLE)) for name in ("model", "instructions")}


def test_a_stamp_of_other_rules_tells_which_fields_were_applied_and_no_more() -> None:
    stamp = Stamp("acme", "prod", "math", "op", rules=DIGEST_RULES + 1, fields={"model": "12345678"})
    assert record_of(stamp, "asst_1", 7).fields == {"model": Applied()}


def test_a_short_digest_is_of_the_canonical_value() -> None:
    assert short("temperature", 1, TABLE) == short("temperature", None, TABLE)
    assert short("instructions", "", TABLE) == short("instructions", None, TABLE)
    assert short("instructions", "x", TABLE) != short("instructions", "y", TABLE)


VALUES = (
    st.none() | st.text(max_size=4) | st.integers(0, 3) | st.floats(0, 2) | st.lists(st.text(max_size=2), max_size=2)
)
FILES = st.dictionaries(st.sampled_from([*TABLE.names, "metadata.owner"]), VALUES) | st.fixed_dictionaries(
    {"tools": st.lists(st.sampled_from([{"type": "file_search"}, {"type": "code_interpreter"}, {"type": "function"}]))}
)


@given(FILES)
def test_what_is_remembered_of_a_sent_field_is_its_digest_and_its_stamp(file: dict[str, Any]) -> None:
    """Both are made in one go where a value is canonical as it stands; nobody can tell."""
    sent = about_to_send(file, TABLE)
    assert sent == {name: Applied(digest(value), None, short(name, value, TABLE)) for name, value in file.items()}
    assert list_held_digests(sent, TABLE) == digests(file, TABLE)
