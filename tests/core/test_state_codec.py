"""State as text: round trips, merges of neighbours in git, and everything that a damaged file may be."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.core.command import Command, Selection, parts_of
from trueup.core.errors import Exit, ForeignStateError, StateError
from trueup.core.memory.state import Applied, Identity, Pending, Record, State
from trueup.core.memory.state_codec import LIMIT, decode, encode

IDENTITY = Identity("shop", "prod", "openai-assistants", "https://api.example.com/v1", {"openai_project": "proj_1"})
SCHEMA = json.loads((Path(__file__).parents[2] / "schemas" / "state.schema.json").read_text())

ids = st.from_regex(r"[A-Za-z0-9_:-][A-Za-z0-9_.:-]{0,40}", fullmatch=True)
digests = st.none() | st.text("0123456789abcdef", min_size=1, max_size=32)
fields = st.dictionaries(st.text(min_size=1), st.builds(Applied, sent=digests, kept=digests, stamp=digests), max_size=4)
records = st.builds(
    Record,
    id=ids,
    created_at=st.integers(),
    operation=st.text(),
    protect=st.booleans(),
    stamped=st.none() | st.booleans(),
    partial=st.booleans(),
    fields=fields,
)
seconds = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def states(draw: st.DrawFn) -> State:
    known = draw(st.dictionaries(st.text(min_size=1), records, max_size=5))
    unique = {name: replace(record, id=f"{record.id}{number}") for number, (name, record) in enumerate(known.items())}
    waiting = {
        name: draw(
            st.builds(
                Pending,
                name=st.just(name),
                operation=st.text(),
                action=st.sampled_from(["create", "modify", "delete"]),
                since=seconds,
                id=st.just("") | ids,
                after=st.text(),
                record=st.none() | records,
            )
        )
        for name in draw(st.lists(st.text(min_size=1), max_size=3, unique=True))
    }
    return State(IDENTITY, draw(st.integers(1, 9)), unique, waiting)


def record(number: int = 1, operation: str = "op") -> Record:
    return Record(f"asst_{number}", 1700000000 + number, operation, fields={"model": Applied("a1", "a1", "b2")})


def state(**named: Record) -> State:
    return State(IDENTITY, 1, named)


def broken(text: str, identity: Identity = IDENTITY) -> StateError:
    with pytest.raises(StateError) as caught:
        decode(text, identity, "prod.state.json", selection=Selection("", "prod"))
    assert caught.value.exit is Exit.REFUSED
    assert caught.value.hint
    return caught.value


@given(states())
def test_what_was_written_is_read_and_fits_the_published_schema(value: State) -> None:
    text = encode(value)
    assert decode(text, IDENTITY, "f") == value
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(text))


def test_the_schema_is_a_schema_and_refuses_what_the_codec_refuses() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    value = json.loads(encode(state(a=record())))
    value["records"]["a"]["fields"]["model"] = "You are a tutor."
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(SCHEMA).validate(value)
    broken(json.dumps(value))


@given(states())
def test_the_same_state_gives_the_same_text_in_whatever_order_it_was_made(value: State) -> None:
    turned = replace(
        value,
        records={
            name: replace(entry, fields=dict(reversed(list(entry.fields.items()))))
            for name, entry in reversed(list(value.records.items()))
        },
        pending=dict(reversed(list(value.pending.items()))),
    )
    assert encode(turned) == encode(value)


def test_a_lone_surrogate_in_what_a_stamp_said_is_kept() -> None:
    value = state(a=replace(record(), operation="op\ud800"))
    encode(value).encode("utf-8")
    assert decode(encode(value), IDENTITY, "f") == value


NO_IDS = ["..", ".", "...", "../../x?y=1", "a/b", "a%2e", "a b", "asst_1\n", "a\\b", "é", "x" * 257]


@pytest.mark.parametrize("live_id", NO_IDS)
def test_an_id_that_would_lead_a_request_elsewhere_is_damage(live_id: str) -> None:
    """A record with the id `..` once made a GET of the API's root."""
    named = replace(record(), id=live_id)
    pending = Pending("b", "op", "modify", 1.0, live_id)
    for value in (state(a=named), replace(state(), pending={"b": pending})):
        text = encode(value)
        assert "cannot be an assistant's id" in broken(text).message
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(text))


def merged(tmp_path: Path, base: State, ours: State, theirs: State) -> State:
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    for name, value in (("ours", ours), ("base", base), ("theirs", theirs)):
        (tmp_path / name).write_text(encode(value))
    done = subprocess.run(
        ["git", "merge-file", "-p", "ours", "base", "theirs"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    return decode(done.stdout, IDENTITY, "merged")


def test_git_merges_changes_of_neighbours(tmp_path: Path) -> None:
    base = state(a=record(1), b=record(2))
    changed_a = replace(record(1, "new a"), fields={"model": Applied("c", "c", "c"), "tools": Applied("d", "e", None)})
    changed_b = replace(record(2, "new b"), id="asst_9", created_at=7)
    both = merged(tmp_path, base, state(a=changed_a, b=record(2)), state(a=record(1), b=changed_b))
    assert both == state(a=changed_a, b=changed_b)


def test_git_merges_two_additions_with_a_record_between_them(tmp_path: Path) -> None:
    base = state(b=record(2), d=record(4))
    ours, theirs = state(a=record(1), b=record(2), d=record(4)), state(b=record(2), c=record(3), d=record(4))
    assert merged(tmp_path, base, ours, theirs) == state(a=record(1), b=record(2), c=record(3), d=record(4))


def test_git_merges_an_addition_at_the_end_with_a_change_of_the_last(tmp_path: Path) -> None:
    base, changed = state(a=record(1)), record(1, "changed")
    assert merged(tmp_path, base, state(a=record(1), b=record(2)), state(a=changed)) == state(a=changed, b=record(2))


def test_git_merges_a_removal_with_a_change_of_the_neighbour(tmp_path: Path) -> None:
    base, changed = state(a=record(1), b=record(2), c=record(3)), record(3, "changed")
    both = merged(tmp_path, base, state(a=record(1), c=record(3)), state(a=record(1), b=record(2), c=changed))
    assert both == state(a=record(1), c=changed)


def test_git_merges_the_first_record_of_all_with_nothing(tmp_path: Path) -> None:
    assert merged(tmp_path, state(), state(a=record(1)), state()) == state(a=record(1))


def test_a_newer_version_says_to_upgrade() -> None:
    error = broken(encode(state(a=record())).replace('"format_version": 1', '"format_version": 2'))
    assert "newer Trueup" in error.message
    assert "pip install --upgrade" in error.hint


def test_a_newer_version_is_told_before_its_unknown_keys() -> None:
    assert "newer Trueup" in broken('{"format_version": 2, "something": "new"}').message


@pytest.mark.parametrize("marker", ["<<<<<<< ours", ">>>>>>> theirs", "||||||| base"])
def test_conflict_markers_say_how_to_settle_the_merge(marker: str) -> None:
    lines = encode(state(a=record())).splitlines()
    error = broken("\n".join([*lines[:9], marker, *lines[9:]]))
    assert "conflict markers" in error.message
    assert "\n  trueup state rebuild -t prod\n" in error.hint


def test_a_repeated_name_is_refused() -> None:
    text = encode(state(a=record(1), b=record(2))).replace('"b": {', '"a": {')
    assert "'a' twice" in broken(text).message


def test_a_repeated_id_is_refused_with_both_names() -> None:
    assert "'a' and 'b' both have the id 'asst_1'" in broken(encode(state(a=record(1), b=record(1)))).message


def test_any_truncation_is_refused() -> None:
    text = encode(state(a=record(1), b=record(2))).rstrip()
    for length in range(len(text)):
        assert "state rebuild" in broken(text[:length]).hint


def test_a_lost_last_line_is_refused() -> None:
    value = json.loads(encode(state(a=record())))
    del value["records"][""]
    assert 'the state.records should be ended by the line `"": "end"`' in broken(json.dumps(value)).message


WRONG: list[tuple[list[str], Any]] = [
    (["format_version"], True),
    (["format_version"], "1"),
    (["target"], []),
    (["target", "scope"], {"a": 1}),
    (["target", "base_url"], None),
    (["digest_rules"], 1.0),
    (["records"], []),
    (["records", "a"], "text"),
    (["records", "a", "id"], 7),
    (["records", "a", "id"], ""),
    (["records", "a", "created_at"], True),
    (["records", "a", "protect"], 1),
    (["records", "a", "stamped"], "yes"),
    (["records", "a", "fields"], []),
    (["records", "a", "fields", "model"], "a b"),
    (["records", "a", "fields", "model"], "= - -"),
    (["records", "a", "fields", "model"], None),
    (["records", "a", "extra"], 1),
    (["extra"], 1),
    (["pending", "a"], {}),
]


@pytest.mark.parametrize(("path", "wrong"), WRONG)
def test_wrong_types_and_unknown_keys_are_refused(path: list[str], wrong: Any) -> None:
    value = json.loads(encode(state(a=record())))
    at = value
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = wrong
    assert "prod.state.json is damaged" in broken(json.dumps(value)).message


@pytest.mark.parametrize(
    "text",
    ["", "null", "[]", "[" * 100_000, '{"format_version": NaN}', '{"format_version": 1' + "0" * 5000 + "}", "\0"],
)
def test_hostile_texts_are_refused_and_crash_nothing(text: str) -> None:
    broken(text)


def test_a_pending_time_that_is_no_time_is_refused() -> None:
    waiting = State(IDENTITY, 1, pending={"a": Pending("a", "op", "create", 1.5)})
    broken(encode(waiting).replace('"since": 1.5', '"since": 1e999'))


def test_a_text_beyond_the_limit_is_refused_unread() -> None:
    assert "64 MiB" in broken(" " * (LIMIT + 1)).message


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (replace(IDENTITY, base_url="https://other.example.com"), "base_url"),
        (replace(IDENTITY, project="other"), "project"),
        (replace(IDENTITY, target="stage"), "target"),
        (replace(IDENTITY, protocol="mistral-agents"), "protocol"),
        (
            replace(IDENTITY, scope={"openai_project": "proj_2"}),
            "scope.openai_project is 'proj_1' there and 'proj_2' here",
        ),
        (replace(IDENTITY, scope={}), "scope.openai_project is 'proj_1' there and '' here"),
    ],
)
def test_the_state_of_another_target_is_refused_and_says_what_differs(other: Identity, said: str) -> None:
    error = broken(encode(state(a=record())), other)
    assert said in error.message
    assert "state rm" in error.hint
    assert decode(encode(state(a=record())), other, "f", other_target=True).identity == other


@pytest.mark.parametrize(
    ("other", "printed"),
    [
        (replace(IDENTITY, base_url="https://other.example.com"), ["state rm '*'", "state rebuild"]),
        (replace(IDENTITY, project="other"), ["state rm '*'"]),
        (replace(IDENTITY, target="stage"), ["state rm '*'"]),
    ],
)
def test_a_rebuild_is_only_proposed_where_the_stamps_are_still_this_targets(
    other: Identity, printed: list[str]
) -> None:
    with pytest.raises(ForeignStateError) as caught:
        decode(encode(state(a=record())), other, "f")
    commands = [part for part in parts_of(caught.value.hint) if isinstance(part, Command)]
    assert [str(command).removeprefix("trueup ") for command in commands] == printed


@pytest.mark.parametrize("change", [{"project": "other"}, {"target": "stage"}, {"base_url": "https://else.example"}])
def test_an_empty_state_is_nobodys(change: dict[str, str]) -> None:
    other = replace(IDENTITY, **change)  # type: ignore[arg-type]
    assert decode(encode(state()), other, "f") == State(other, 1)


def test_a_slash_behind_the_base_url_is_no_other_target() -> None:
    same = replace(IDENTITY, base_url=IDENTITY.base_url + "/")
    assert decode(encode(state(a=record())), same, "f").records == {"a": record()}


def test_windows_line_ends_are_read() -> None:
    assert decode(encode(state(a=record())).replace("\n", "\r\n"), IDENTITY, "f") == state(a=record())
