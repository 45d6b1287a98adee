"""Which characters a file may hold: however soon a text is looked through, each one is judged by itself."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from trueup.core.definitions.document import decode
from trueup.core.source import Diagnostic

FORBIDDEN = "\x00\x08\x1b\x7f\x84\x9f\ufeff\ufffe\uffff"
ALLOWED = "a \t\n\r~\x85\xa0é\u2028\ud7ff\ue000\ufefe\uff00\ufffd😀"

texts = st.text(st.sampled_from(ALLOWED + FORBIDDEN), max_size=12) | st.text(st.sampled_from(ALLOWED), max_size=40)


@given(texts)
def test_a_text_is_taken_or_its_first_forbidden_character_is_shown(text: str) -> None:
    found = decode(b"\xef\xbb\xbf" + text.encode(), "some.yaml")
    first = next((index for index, sign in enumerate(text) if sign in FORBIDDEN), None)
    if first is None:
        assert found == text
        return
    assert isinstance(found, Diagnostic)
    assert found.code == "control-character"
    assert f"U+{ord(text[first]):04X}" in found.message
    assert found.position is not None
    before = text[:first].split("\n")
    assert (found.position.line, found.position.column) == (len(before), len(before[-1]) + 1)


@given(st.text(st.sampled_from(ALLOWED), min_size=1, max_size=12))
def test_only_the_byte_order_mark_at_the_very_start_is_dropped(text: str) -> None:
    marked = "\ufeff".encode()
    assert decode(marked + text.encode(), "some.yaml") == decode(text.encode(), "some.yaml") == text
    assert isinstance(decode(text.encode() + marked, "some.yaml"), Diagnostic)
    assert isinstance(decode(marked * 2 + text.encode(), "some.yaml"), Diagnostic)
