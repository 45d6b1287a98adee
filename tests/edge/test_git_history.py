"""git reads the history of a repository and runs nothing that the repository names."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from trueup.edge.definitions.edits import read_versions, run_git

TRACE = "trace"


def git(root: Path, *words: str) -> None:
    """Run git as the repository's owner does."""
    known = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "HOME": str(root)}
    author = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
    subprocess.run(["git", *author, "-C", str(root), *words], check=True, capture_output=True, env=os.environ | known)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Make a repository with two versions of one file."""
    root = tmp_path / "repository"
    root.mkdir()
    git(root, "init", "-q")
    for text in ("one", "two"):
        (root / "a.yaml").write_text(text, encoding="utf-8")
        git(root, "add", ".")
        git(root, "commit", "-q", "-m", text)
    return root


def program(root: Path) -> str:
    """Write a program that leaves a trace beside the repository when it is run."""
    path = root.parent / "program"
    path.write_text(f"#!/bin/sh\ntouch '{root.parent / TRACE}'\nexit 1\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def signature(root: Path) -> None:
    """Every commit is signed, `git log` shows signatures, and the program for them is the repository's."""
    git(root, "config", "log.showSignature", "true")
    git(root, "config", "gpg.program", program(root))
    done = subprocess.run(["git", "-C", str(root), "cat-file", "commit", "HEAD"], check=True, capture_output=True)
    head, _, message = done.stdout.partition(b"\n\n")
    armour = b"gpgsig -----BEGIN PGP SIGNATURE-----\n \n x\n -----END PGP SIGNATURE-----"
    made = subprocess.run(
        ["git", "-C", str(root), "hash-object", "-t", "commit", "-w", "--stdin"],
        input=head + b"\n" + armour + b"\n\n" + message, check=True, capture_output=True,
    )  # fmt: skip
    git(root, "update-ref", "HEAD", made.stdout.decode().strip())


def monitor(root: Path) -> None:
    """Let a program of the repository's own watch the index."""
    git(root, "config", "core.fsmonitor", program(root))


def external_diff(root: Path) -> None:
    """Differences are shown by a program of the repository's."""
    git(root, "config", "diff.external", program(root))
    git(root, "config", "core.pager", program(root))


def lazy_fetch(root: Path) -> None:
    """Remove an object, which a promisor has whose address is a command."""
    for key, value in {
        "core.repositoryFormatVersion": "1",
        "extensions.partialClone": "origin",
        "remote.origin.promisor": "true",
        "remote.origin.url": f"ext::{program(root)}",
        "protocol.ext.allow": "always",
        "protocol.allow": "always",
    }.items():
        git(root, "config", key, value)
    blob = subprocess.run(["git", "-C", str(root), "rev-parse", "HEAD:a.yaml"], check=True, capture_output=True)
    name = blob.stdout.decode().strip()
    (root / ".git" / "objects" / name[:2] / name[2:]).unlink()


ATTACKS: list[Callable[[Path], None]] = [signature, monitor, external_diff, lazy_fetch]


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_no_program_of_the_repository_runs(root: Path, attack: Callable[[Path], None]) -> None:
    attack(root)
    found = list(read_versions(root, ["a.yaml"]))
    run_git(root, "status")
    run_git(root, "log", "-1", "-p")
    assert len(found) == 2
    assert found[1] == {"a.yaml": b"one"}
    assert not (root.parent / TRACE).exists()


@pytest.mark.parametrize("attack", [signature, lazy_fetch], ids=lambda attack: attack.__name__)
def test_the_attack_would_work_without_the_settings(root: Path, attack: Callable[[Path], None]) -> None:
    attack(root)
    for words in (("log", "-1"), ("cat-file", "blob", "HEAD:a.yaml")):
        subprocess.run(["git", "-C", str(root), *words], check=False, capture_output=True)
    assert (root.parent / TRACE).exists()


def test_a_bare_repository_among_the_files_is_none(root: Path) -> None:
    """Its configuration would count as soon as a command is run in its folder."""
    inner = root / "assistants"
    subprocess.run(["git", "init", "-q", "--bare", str(inner)], check=True, capture_output=True)
    (inner / "config").write_text(f"[core]\n\tfsmonitor = {program(root)}\n\tbare = true\n", encoding="utf-8")
    assert run_git(inner, "rev-parse", "--git-dir") is None
    assert list(read_versions(inner, ["a.yaml"])) == []
    assert not (root.parent / TRACE).exists()


def test_the_environment_leads_git_nowhere_else(root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "-q")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", program(root))
    assert [version["a.yaml"] for version in read_versions(root, ["a.yaml"])] == [b"two", b"one"]


def test_where_there_is_no_repository_there_is_no_history(tmp_path: Path) -> None:
    assert list(read_versions(tmp_path, ["a.yaml"])) == []
