"""Merging is git's: one side's changes are taken, both sides' are a conflict between markers."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.extent import examples
from trueup.core.texts.merge import find_conflict, make_patch, merge_texts

texts = st.lists(st.sampled_from(("a", "b", "c", "d", "", "x y")), max_size=12).map(
    lambda lines: "".join(f"{line}\n" for line in lines)
)
contents = st.one_of(
    st.lists(st.sampled_from((b"a", b"b", b"\xc3\xa9", b"", b"c\r", b"--- a", b"+++", b"@@")), max_size=14).map(
        b"\n".join
    ),
    st.binary(max_size=30),
)
GIT = shutil.which("git")


@given(texts, texts)
def test_a_side_that_changed_nothing_gives_way(base: str, other: str) -> None:
    assert merge_texts(base, base, other) == merge_texts(base, other, base) == merge_texts(base, other, other)
    assert merge_texts(base, base, other).text == other
    assert merge_texts(base, base, other).conflicts == 0


@given(texts, texts, texts)
def test_each_side_is_found_in_a_conflict(base: str, ours: str, theirs: str) -> None:
    """Without a base, taking our side of every conflict gives ours, taking theirs gives theirs."""
    made = merge_texts(None, ours, theirs)
    assert _side(made.text, ours=True) == ours
    assert _side(made.text, ours=False) == theirs
    assert (made.conflicts == 0) == (ours == theirs)
    assert merge_texts(base, ours, theirs).conflicts <= len(ours) + len(theirs)


def _side(text: str, *, ours: bool) -> str:
    kept, side = [], ""
    for line in text.splitlines(keepends=True):
        if line.startswith("<<<<<<< "):
            side = "ours"
        elif line == "=======\n":
            side = "theirs"
        elif line.startswith(">>>>>>> "):
            side = ""
        elif not side or (side == "ours") == ours:
            kept.append(line)
    return "".join(kept)


def test_changes_far_apart_are_both_taken() -> None:
    base = "".join(f"{number}\n" for number in range(12))
    ours, theirs = base.replace("2\n", "two\n", 1), base.replace("9\n", "nine\n")
    assert merge_texts(base, ours, theirs).text == ours.replace("9\n", "nine\n")


def test_a_conflict_looks_as_git_leaves_it() -> None:
    assert merge_texts("a\nb\nc\n", "a\nours\nc\n", "a\ntheirs\nc\n").text == (
        "a\n<<<<<<< file\nours\n=======\ntheirs\n>>>>>>> live\nc\n"
    )


@pytest.mark.skipif(GIT is None, reason="git is not installed")
@settings(max_examples=40, deadline=None)
@given(texts, texts, texts)
def test_git_finds_a_conflict_where_we_do(tmp_path_factory: pytest.TempPathFactory, base: str, o: str, t: str) -> None:
    """git joins neighbouring changes and may align repeated lines otherwise; what both merge holds the same lines."""
    folder = tmp_path_factory.mktemp("merge")
    for name, text in (("base", base), ("ours", o), ("theirs", t)):
        (folder / name).write_text(text)
    done = subprocess.run(
        ["git", "merge-file", "-p", "ours", "base", "theirs"], cwd=folder, capture_output=True, text=True, check=False
    )
    mine = merge_texts(base, o, t)
    if done.returncode == 0 and mine.conflicts == 0:
        assert sorted(mine.text) == sorted(done.stdout)


def test_markers_are_found_only_as_a_whole_and_at_the_line_s_start() -> None:
    whole = "a\n<<<<<<< file\nx\n=======\ny\n>>>>>>> live\n"
    assert find_conflict(whole) == 2
    assert find_conflict(whole.replace("\n", "\r\n")) == 3
    assert find_conflict(whole.replace("=======\n", "")) is None
    assert find_conflict("    " + whole.replace("\n", "\n    ")) is None
    assert find_conflict("a heading\n=======\n") is None


@given(contents)
def test_equal_contents_have_no_patch(content: bytes) -> None:
    assert make_patch("a.yaml", content, content) == b""


@pytest.mark.skipif(GIT is None, reason="git is not installed")
@settings(max_examples=examples(60), deadline=None)
@given(contents, contents, st.sampled_from(("f.yaml", "a b.md", "deep/é.yaml", 'q"uote.md', "tab\t.md", "back\\slash")))
def test_git_applies_every_patch(
    tmp_path_factory: pytest.TempPathFactory, before: bytes, after: bytes, name: str
) -> None:
    """In a folder below the repository's top, where the project may well be."""
    repository = tmp_path_factory.mktemp("patch")
    folder = repository / "project"
    file = folder / name
    file.parent.mkdir(parents=True)
    _git(repository, "init", "-q")
    file.write_bytes(before)
    made = make_patch(name, before, after)
    if made and before and after:
        (folder / "p.patch").write_bytes(made)
        _git(folder, "apply", "--whitespace=nowarn", "p.patch")
        assert file.read_bytes() == after


def _git(folder: Path, *words: str) -> None:
    done = subprocess.run(["git", *words], cwd=folder, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
