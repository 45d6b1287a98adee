"""Names of files: safe everywhere, the same on every machine, and never one that is taken."""

from __future__ import annotations

import unicodedata
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.core.definitions.names import definition_name_problem, fold_name, is_part, normalize
from trueup.core.migration.new_files import BYTES, LENGTH, find_free_name, make_stem


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("Math Tutor (v2)", "math-tutor-v2"),
        ("  Müller & Söhne  ", "müller-söhne"),
        ("日本語 テスト", "日本語-テスト"),
        ("", "assistant"),
        ("🎉", "assistant"),
        ("CON", "con-assistant"),
        ("lpt1.txt", "lpt1-txt"),
        ("README", "readme-assistant"),
        ("../../etc/passwd", "etc-passwd"),
        ("_private", "private"),
        (".hidden.", "hidden"),
        ("e\u0301te\u0301", "été"),
        ("a\x00b\u202ec", "a-b-c"),
    ],
)
def test_a_display_name_as_a_file_s(name: str, file: str) -> None:
    assert make_stem(name) == file


@given(st.text())
def test_every_name_gives_a_file_that_every_system_takes(name: str) -> None:
    made = make_stem(name)
    assert made
    assert len(made) <= LENGTH + len("-assistant")
    assert len(made.encode("utf-8")) <= BYTES + len("-assistant")
    assert made[0] not in "_.-"
    assert made[-1] not in ".- "
    assert not set(made) & set('<>:"/\\|?* ')
    assert made == normalize(made) == unicodedata.normalize("NFC", made)
    assert definition_name_problem(made) == ""
    assert not is_part(PurePosixPath(made))
    assert make_stem(made) == made


@given(st.lists(st.text(max_size=5), max_size=12))
def test_no_two_files_have_names_that_a_system_could_confuse(names: list[str]) -> None:
    taken: set[str] = set()
    for name in names:
        made = find_free_name(make_stem(name), taken)
        assert fold_name(made) not in taken
        taken.add(fold_name(made))


def test_numbers_go_up() -> None:
    assert find_free_name("bot", {"bot", "bot-2"}) == "bot-3"
