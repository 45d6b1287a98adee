"""A text is found however others spell it, and nothing else is."""

from __future__ import annotations

import html
import json
import time
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.core.texts.escapes import core_of, replace_spellings, spelling_pattern

KEY = 'sk-ab/CANARY+cd/é"\\x=&<>%'
SPELL: dict[str, Callable[[str], str]] = {
    "plain": lambda text: text,
    "json": lambda text: json.dumps(text)[1:-1],
    "json with letters": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "json with slashes": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "json in numbers": lambda text: "".join(f"\\u{ord(sign):04X}" for sign in text),
    "url": lambda text: quote(text, safe=""),
    "page": html.escape,
    "entities": lambda text: "".join(f"&#{ord(sign)};" for sign in text),
    "hex entities": lambda text: "".join(f"&#x{ord(sign):X};" for sign in text),
}


@pytest.mark.parametrize("second", SPELL)
@pytest.mark.parametrize("first", SPELL)
def test_two_spellings_on_top_of_each_other_are_found(first: str, second: str) -> None:
    if {first, second} & {"json in numbers", "entities", "hex entities"} and "plain" not in (first, second):
        pytest.skip("no server numbers every letter of what is escaped already")
    if (first, second) == ("page", "url"):
        pytest.skip("no server puts what is for a page into an address")
    assert replace_spellings(f"<{SPELL[second](SPELL[first](KEY))}>", [KEY], "***") == "<***>"


@given(
    st.text(st.characters(max_codepoint=0xFF, min_codepoint=0x20), min_size=6, max_size=30), st.sampled_from([*SPELL])
)
def test_whatever_a_header_carries_is_found_in_each_spelling(text: str, spelling: str) -> None:
    assert spelling_pattern(text).search(SPELL[spelling](text))


@given(st.text("abc/\\u0%&", min_size=6, max_size=12), st.text("abc/\\u0%&", max_size=12))
def test_what_is_found_is_found_plainly_where_nothing_is_escaped(text: str, other: str) -> None:
    if not any(sign in text + other for sign in "\\%&u"):
        assert (spelling_pattern(text).search(other) is not None) is (text in other)


def test_a_long_run_of_backslashes_takes_no_time() -> None:
    started = time.monotonic()
    assert not spelling_pattern(KEY).search("\\" * 100_000)
    assert time.monotonic() - started < 5


def test_the_core_is_the_longest_piece_that_no_escaping_touches() -> None:
    assert core_of(KEY) == "canary"
    assert core_of("/+") == ""
