"""A named pipe or an endless device in the place of a file is refused at once."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.place import Place

SECONDS = 20


@pytest.fixture(autouse=True)
def alarm() -> Iterator[None]:
    """End a test that hangs."""

    def give_up(*_: object) -> None:
        raise TimeoutError(f"nothing came of it within {SECONDS} seconds")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def make_pipe(path: Path) -> None:
    """Put a named pipe that nobody writes to in a file's place."""
    os.mkfifo(path)


def make_device(path: Path) -> None:
    """Put a link to a device without an end in a file's place."""
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize("make", [make_pipe, make_device], ids=["pipe", "device"])
@pytest.mark.parametrize(
    "words",
    [
        ("show", "odd.json"),
        ("apply", "odd.json"),
        ("apply", "./odd.json"),
        ("plan", "--snapshot", "odd.json"),
        ("drift", "--snapshot", "odd.json"),
        ("drift", "--since", "odd.json"),
        ("import", "--from", "odd.json"),
        ("import", "--from", "odd.yaml"),
    ],
    ids=" ".join,
)
def test_what_is_no_plain_file_is_refused_at_once(place: Place, words: tuple[str, ...], make: object) -> None:
    place.applied()
    for name in ("odd.json", "odd.yaml"):
        assert callable(make)
        make(place.root / name)
    ran = place.run(*words)
    assert ran.code in (1, 3), ran.out + ran.err
    assert "odd." in ran.err
    assert "plain file" in ran.err


@pytest.mark.parametrize("words", [("drift", "--reports", "."), ("why", "alpha", "--reports", ".")], ids=" ".join)
def test_a_pipe_among_the_reports_hides_none(place: Place, words: tuple[str, ...]) -> None:
    place.applied()
    make_pipe(place.root / "odd.json")
    assert place.run(*words).code == 0


@pytest.mark.parametrize("place_of", [".gitignore", ".trueup/.gitignore"])
def test_a_pipe_for_gitignore_stops_nothing(place: Place, place_of: str) -> None:
    (place.root / ".trueup").mkdir(exist_ok=True)
    (place.root / place_of).unlink(missing_ok=True)
    make_pipe(place.root / place_of)
    ran = place.run("init")
    assert (ran.code, ".gitignore" in ran.err) == ((1, True) if place_of == ".gitignore" else (0, False)), ran.err
    assert place.run("apply", "--yes").code == 0


def test_a_linked_gitignore_is_not_extended(place: Place, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("mine\n", encoding="utf-8")
    (place.root / ".gitignore").unlink(missing_ok=True)
    (place.root / ".gitignore").symlink_to(elsewhere)
    ran = place.run("init")
    assert ran.code == 1
    assert "symbolic link" in ran.err
    assert elsewhere.read_text(encoding="utf-8") == "mine\n"


@pytest.mark.parametrize("linked", [".trueup", ".trueup/local", ".trueup/local/openai-assistants.db"])
@pytest.mark.parametrize("words", [("plan",), ("apply", "--yes"), ("export", "all.json")], ids=" ".join)
def test_a_linked_database_is_refused(place: Place, tmp_path: Path, linked: str, words: tuple[str, ...]) -> None:
    other = tmp_path / "other"
    place.applied()
    (place.root / linked).rename(other)
    (place.root / linked).symlink_to(other)
    before = {path: path.read_bytes() for path in sorted(tmp_path.rglob("*.db"))}
    ran = place.run(*words)
    assert ran.code == 4, ran.out + ran.err
    assert "symbolic link" in ran.err
    assert {path: path.read_bytes() for path in sorted(tmp_path.rglob("*.db"))} == before
