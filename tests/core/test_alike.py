"""When two display names count as one: only where nobody could see a difference, and never for what is sent."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.core.definitions.names import comparable_name

CAFE = "caf\u00e9"


@pytest.mark.parametrize(
    "other", [CAFE, "cafe\u0301", " caf\u00e9", "cafe\u0301 ", "\u00a0caf\u00e9\t\n", "caf\u00e9\u3000"]
)
def test_how_an_accent_is_stored_and_blanks_at_the_ends_make_no_other_name(other: str) -> None:
    assert comparable_name(other) == CAFE


@pytest.mark.parametrize(
    "other", ["Caf\u00e9", "cafe", "caf\u200b\u00e9", "caf\u00e9\u200b", "ca f\u00e9", "\ufeffcaf\u00e9"]
)
def test_capitals_letters_and_what_is_invisible_make_another_name(other: str) -> None:
    assert comparable_name(other) != CAFE


@pytest.mark.parametrize("nothing", [None, "", 5, ["a"], {"a": 1}])
def test_what_is_no_name_is_like_none(nothing: object) -> None:
    assert comparable_name(nothing) == ""


def test_names_of_nothing_but_blanks_are_names_of_their_own() -> None:
    assert comparable_name(" ") == " " != comparable_name("  ")


@given(st.text())
def test_every_spelling_of_a_name_is_alike_and_a_name_is_like_itself(name: str) -> None:
    assert comparable_name(name) == comparable_name(unicodedata.normalize("NFD", name))
    assert comparable_name(name) == comparable_name(unicodedata.normalize("NFC", name))
    assert comparable_name(comparable_name(name)) == comparable_name(name)
    assert bool(comparable_name(name)) == bool(name)
