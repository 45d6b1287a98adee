"""Laws of a proposed project file with trusted connections: where to go is the trusted one's, all the rest proposed."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from trueup.core.projects.connections import INSIDE, KEYS, PROJECT, SAFETY, apply_connections, list_new_targets

SCOPE = ("openai_organization", "openai_project")
OURS = (*KEYS, *SCOPE)
REST = ("vars", "models", "timeout", *SAFETY)
VALUES = st.one_of(
    st.text(max_size=3), st.booleans(), st.integers(0, 2), st.dictionaries(st.text(max_size=2), st.text(max_size=2))
)
TARGET = st.none() | st.dictionaries(st.sampled_from([*OURS, *REST]), VALUES, max_size=6)
FILE = st.fixed_dictionaries(
    {"targets": st.none() | st.dictionaries(st.sampled_from(["prod", "stage", "local"]), TARGET)},
    optional={"vars": VALUES, "moved": VALUES, "released": VALUES, "project": VALUES},
)


def _of(target: Any, keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: value for key, value in (target or {}).items() if key in keys}


@given(FILE, FILE)
def test_where_to_go_is_trusted_and_the_rest_is_proposed(proposed: dict[str, Any], trusted: dict[str, Any]) -> None:
    before = deepcopy((proposed, trusted))
    made, _ = apply_connections(proposed, trusted, SCOPE)
    assert (proposed, trusted) == before
    assert {key: value for key, value in made.items() if key != "targets"} == {
        key: value for key, value in proposed.items() if key != "targets"
    }
    ours, theirs = proposed["targets"] or {"local": None}, trusted["targets"] or {"local": None}
    assert made["targets"].keys() == ours.keys()
    for name, target in made["targets"].items():
        if name in list_new_targets(proposed, trusted):
            assert name not in theirs
            continue
        assert _of(target, OURS) == _of(theirs[name], OURS)
        assert _of(target, REST) == _of(ours[name], REST)


@given(FILE, FILE)
def test_whatever_is_not_used_or_decides_what_is_sent_is_told(
    proposed: dict[str, Any], trusted: dict[str, Any]
) -> None:
    _, found = apply_connections(proposed, trusted, SCOPE)
    ours, theirs = proposed["targets"] or {"local": None}, trusted["targets"] or {"local": None}
    for keys, is_used in ((OURS, False), (SAFETY, True)):
        differing = {
            ("targets", name, key)
            for name in ours.keys() & theirs.keys()
            for key in keys
            if _differ(key, (ours[name] or {}).get(key), (theirs[name] or {}).get(key))
        }
        top = {(key,) for key in PROJECT if is_used and _differ(key, proposed.get(key), trusted.get(key))}
        told = {item.path[:3] for item in found if item.is_used is is_used and len(item.path) != 2}
        assert told == differing | top
    assert {item.path[1] for item in found if len(item.path) == 2} == list_new_targets(proposed, trusted)


def _differ(key: str, one: Any, other: Any) -> bool:
    """Whether two values mean something else; where entries are told, a mapping without one beside none does not."""
    if key in INSIDE and one in (None, {}) and other in (None, {}):
        return False
    return type(one) is not type(other) or bool(one != other)


@given(FILE)
def test_the_same_file_is_used_whole(file: dict[str, Any]) -> None:
    made, found = apply_connections(file, deepcopy(file), SCOPE)
    assert found == []
    assert list_new_targets(file, file) == frozenset()
    assert made["targets"] == {name: target or {} for name, target in (file["targets"] or {"local": None}).items()}
