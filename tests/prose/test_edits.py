"""Fifty edits: each reads as it did, hides nothing on paper, and costs a reviewer less than git's word diff in sum."""

from __future__ import annotations

import os
import shutil

import pytest

from tests.prose import paper
from tests.prose.reading import ENDLESS, Edit, edits, git, ours, rows
from trueup.core.texts.prose import after_from, before_from

EDITS = edits()
NAMES = [edit.name for edit in EDITS]


def test_there_are_fifty() -> None:
    assert len(EDITS) >= 50


@pytest.mark.parametrize("edit", EDITS, ids=NAMES)
def test_an_edit_reads_as_it_did(edit: Edit) -> None:
    expected = edit.folder / "expected.txt"
    if os.environ.get("TRUEUP_REGOLD") == "1":
        expected.write_bytes(ours(edit).encode("utf-8"))
    assert ours(edit) == expected.read_bytes().decode("utf-8")


@pytest.mark.parametrize("edit", EDITS, ids=NAMES)
def test_no_change_is_hidden(edit: Edit) -> None:
    assert after_from(edit.prose, edit.before) == edit.after
    assert before_from(edit.prose, edit.after) == edit.before


@pytest.mark.parametrize("edit", EDITS, ids=NAMES)
def test_the_new_prompt_can_be_written_down_from_the_old_one_and_the_printed_rows(edit: Edit) -> None:
    assert paper.after(ours(edit, width=ENDLESS, verbose=True), edit.before) == edit.after


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
@pytest.mark.parametrize("width", [80, ENDLESS])
def test_a_reviewer_reads_fewer_rows_than_in_the_word_diff_of_git(width: int) -> None:
    mine = sum(rows(ours(edit, width=width), width) for edit in EDITS)
    theirs = sum(rows(git(edit), width) for edit in EDITS)
    assert mine < theirs
