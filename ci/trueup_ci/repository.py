"""Read commits as plain files and commit state files, through git. Executes nothing from a commit.

Works in a bare clone of its own whose only configuration is here: no hook, no filter, no link, no submodule.
"""

from __future__ import annotations

import base64
import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from trueup_ci.problem import Problem, quote_foreign

TRIES = 5
"""How often a commit is made again when somebody pushed in between."""

ALL = 2**31 - 1
"""The depth that git takes for all of history, also of commits that are there without theirs."""

FILES = 50_000
"""Files of a checkout, at most: a small tree can name itself a million times over."""

BYTES = 2 * 1024**3
"""Bytes of a checkout's files together, at most."""

_ATTRIBUTES = "* -text -ident !eol !filter !working-tree-encoding -export-ignore -export-subst !merge\n"
"""The repository's own `.gitattributes` are overridden: files are what reviewers see in the commit."""

_SETTINGS = {
    "core.fsmonitor": "false",
    "log.showSignature": "false",
    "core.hooksPath": os.devnull,
    "core.symlinks": "false",
    "core.autocrlf": "false",
    "protocol.ext.allow": "never",
    "http.followRedirects": "false",  # git would take the token along
    "gc.auto": "0",
    "user.name": "Trueup",
    "user.email": "trueup@localhost",
}


class Repository:
    """A repository at an address. Commits are fetched as they are needed; the token is for that address only."""

    def __init__(self, folder: Path, address: str, token: str = "", user: str = "x-access-token") -> None:
        self._folder = folder
        self._address = address
        self._settings = dict(_SETTINGS)
        self._secrets: tuple[str, ...] = (token,)
        if token and address.startswith(("https://", "http://")):
            word = base64.b64encode(f"{user}:{token}".encode()).decode()
            self._settings[f"http.{address}.extraHeader"] = f"Authorization: Basic {word}"
            self._secrets = (token, word)
        self._run("init", "-q", "--bare", str(folder), inside=False)
        (folder / "info").mkdir(parents=True, exist_ok=True)
        (folder / "info" / "attributes").write_text(_ATTRIBUTES, encoding="ascii")

    def fetch(self, name: str, depth: int = 0) -> str:
        """Fetch a commit, a branch (`refs/heads/…`) or another ref and return its commit; depth 0 is all of history."""
        try:
            self._run("fetch", "-q", "--no-tags", f"--depth={depth or ALL}", self._address, name)
        except Problem as error:
            raise Problem(f"{name} could not be fetched.", error.hint) from None
        return self._run("rev-parse", "FETCH_HEAD^{commit}").strip()

    def fetch_branch(self, name: str) -> str | None:
        """Fetch the last commit of a branch and return it; None if there is no such branch."""
        listed = self._run("ls-remote", self._address, f"refs/heads/{name}")
        return self.fetch(f"refs/heads/{name}", 1) if listed.strip() else None

    def read_parents(self, commit: str) -> list[str]:
        """Return the parents of a commit."""
        return self._run("rev-list", "--parents", "-n", "1", commit).split()[1:]

    def merge(self, base: str, head: str) -> str:
        """Return the tree of the merge of two commits. Raises Problem where they conflict."""
        try:
            return self._run("merge-tree", "--write-tree", base, head).split("\n", 1)[0].strip()
        except Problem:
            words = "The pull request conflicts with its target branch."
            raise Problem(words, "Merge the target branch into it and resolve the conflict.") from None

    def checkout(self, tree: str, place: Path) -> Path:
        """Write the files of a commit or tree into a new folder; a symbolic link becomes a file with its target's path.

        Raises Problem for more files, or larger ones, than a job reads.
        """
        self._refuse_large(tree)
        place.mkdir(parents=True)
        with tempfile.TemporaryDirectory() as scratch:
            index = {"GIT_INDEX_FILE": f"{scratch}/index"}
            self._run("read-tree", tree, more=index)
            self._run(f"--work-tree={place}", "checkout-index", "--all", "--force", more=index)
        return place

    def _refuse_large(self, tree: str) -> None:
        """Raise Problem for a tree of too many or too large files, without walking through all of it."""
        with subprocess.Popen(
            self._command("ls-tree", "-r", "-t", "-l", "-z", tree),
            env=self._environ(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True,
        ) as process:  # fmt: skip
            assert process.stdout is not None
            files = size = 0  # folders count as files: a tree of empty folders has none
            rest = b""
            while (files <= FILES and size <= BYTES) and (data := os.read(process.stdout.fileno(), 1 << 20)):
                *entries, rest = (rest + data).split(b"\0")
                files += len(entries)
                size += sum(int(entry.split(b"\t", 1)[0].split()[3].replace(b"-", b"0")) for entry in entries)
            process.kill()
        if files > FILES or size > BYTES:
            words = f"The commit {tree[:12]} holds more than {FILES:,} files, or more than {BYTES >> 30} GiB of them."
            raise Problem(words, "That is the limit of a job: keep the definitions in a smaller repository.")

    def read_files(self, commit: str | None, folder: str, ending: str) -> dict[str, bytes]:
        """Return the plain files of a folder whose names end so, by path; none without a commit."""
        if commit is None:
            return {}
        at = f"{folder}/" if folder not in ("", ".") else ""
        listed = self._run("ls-tree", "-z", commit, "--", at) if at else self._run("ls-tree", "-z", commit)
        found = {}
        for line in filter(None, listed.split("\0")):
            facts, path = line.split("\t", 1)
            mode, kind, blob = facts.split()
            if kind == "blob" and mode != "120000" and path.endswith(ending):
                found[path] = self._run_bytes("cat-file", "blob", blob)
        return found

    def read_trailers(self, commit: str, key: str) -> list[str]:
        """Return the values of a trailer of a commit's message."""
        shown = self._run("log", "-1", f"--format=%(trailers:key={key},valueonly)", commit)
        return [line.strip() for line in shown.splitlines() if line.strip()]

    def read_messages(self, head: str) -> str:
        """Return the messages of a commit and of all before it, decoded by git and as raw bytes."""
        commit = self.fetch(head)
        listed = self._run("rev-list", commit)
        as_bytes = self._run_bytes("cat-file", "--batch", feed=listed.encode())
        return self._run("log", "--format=%B", commit) + as_bytes.decode("utf-8", "replace")

    def commit(self, branch: str, before: Mapping[str, bytes], after: Mapping[str, bytes], message: str) -> str | None:
        """Commit files on top of the newest commit of a branch, which is made if needed; return the commit.

        `before` are the files when the job began: changes of others since are merged. Returns None if there is nothing
        to commit. Raises Problem where the same lines were changed, or where the push fails.
        """
        changed = {path: content for path, content in after.items() if before.get(path) != content}
        if not changed:
            return None
        for _ in range(TRIES):
            tip = self.fetch_branch(branch)
            made = self._make_commit(tip, before, changed, message)
            if made is None:
                return None
            pushed = self._run_raw("push", "-q", self._address, f"{made}:refs/heads/{branch}")
            if pushed.returncode == 0:
                return made
            if self.fetch_branch(branch) == tip:
                break
        raise Problem(
            f"The state could not be pushed to {branch}: {self._last_line(pushed.stderr)}",
            "The changes were applied, and their state is in this job's artifact. Allow the job's token to push "
            "there, or set a state branch, or use `state: stamps`; then commit the state file of the artifact.",
        )

    def _make_commit(
        self, tip: str | None, before: Mapping[str, bytes], changed: Mapping[str, bytes], message: str
    ) -> str | None:
        """Make a commit of the changed files on top of the tip; return None if the tip has them already."""
        there = {path: self._read_blob(tip, path) for path in changed}
        merged = {
            path: content if there[path] == before.get(path) else self._merge_file(path, before, there[path], content)
            for path, content in changed.items()
        }
        if all(there[path] == content for path, content in merged.items()):
            return None
        with tempfile.TemporaryDirectory() as scratch:
            index = {"GIT_INDEX_FILE": f"{scratch}/index"}
            if tip is not None:
                self._run("read-tree", tip, more=index)
            for path, content in merged.items():
                blob = self._run_bytes("hash-object", "-w", "--stdin", feed=content).decode().strip()
                self._run("update-index", "--add", "--replace", "--cacheinfo", f"100644,{blob},{path}", more=index)
            tree = self._run("write-tree", more=index).strip()
        parent = ["-p", tip] if tip is not None else []
        return self._run("commit-tree", tree, *parent, "-m", message).strip()

    def _merge_file(self, path: str, before: Mapping[str, bytes], theirs: bytes | None, ours: bytes) -> bytes:
        if theirs == ours:
            return ours
        with tempfile.TemporaryDirectory() as scratch:
            for name, content in (("ours", ours), ("base", before.get(path, b"")), ("theirs", theirs or b"")):
                (Path(scratch) / name).write_bytes(content)
            ran = self._run_raw("merge-file", "-p", *(f"{scratch}/{name}" for name in ("ours", "base", "theirs")))
        if ran.returncode != 0:
            raise Problem(
                f"The same lines of {path} were changed while this job ran.",
                "The changes were applied, and their state is in this job's artifact. Let only one job at a time write "
                "to a target; then merge the two state files by hand, or run `trueup state rebuild`.",
            )
        return ran.stdout

    def _read_blob(self, commit: str | None, path: str) -> bytes | None:
        if commit is None or not self._run("ls-tree", commit, "--", path).strip():
            return None
        return self._run_bytes("cat-file", "blob", f"{commit}:{path}")

    def _run(self, *words: str, more: Mapping[str, str] | None = None, inside: bool = True) -> str:
        ran = self._run_raw(*words, more=more, inside=inside)
        return self._check(ran, words).decode("utf-8", "surrogateescape")

    def _run_bytes(self, *words: str, feed: bytes | None = None) -> bytes:
        return self._check(self._run_raw(*words, feed=feed), words)

    def _run_raw(
        self, *words: str, more: Mapping[str, str] | None = None, feed: bytes | None = None, inside: bool = True
    ) -> subprocess.CompletedProcess[bytes]:
        environ = self._environ() | dict(more or {})
        command = self._command(*words, inside=inside)  # in a group of its own: a cancelled job does not cut off a push
        return subprocess.run(
            command, env=environ, input=feed, capture_output=True, check=False, start_new_session=True
        )

    def _command(self, *words: str, inside: bool = True) -> list[str]:
        return ["git", *([f"--git-dir={self._folder}"] if inside else []), *words]

    def _environ(self) -> dict[str, str]:
        """Return git's environment: our settings alone, and not on a command line, which others can read."""
        environ = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
        environ |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}
        environ |= {"LC_ALL": "C.UTF-8", "GIT_CONFIG_COUNT": str(len(self._settings))}
        for place, (key, value) in enumerate(self._settings.items()):
            environ |= {f"GIT_CONFIG_KEY_{place}": key, f"GIT_CONFIG_VALUE_{place}": value}
        return environ

    def _check(self, ran: subprocess.CompletedProcess[bytes], words: tuple[str, ...]) -> bytes:
        if ran.returncode != 0:
            command = next(word for word in words if not word.startswith("-"))
            raise Problem(f"git {command} failed.", self._last_line(ran.stderr))
        return ran.stdout

    def _last_line(self, said: bytes) -> str:
        """Return the last line of git's output as code: it may contain names of files and words of a server."""
        lines = said.decode("utf-8", "replace").strip().splitlines()
        return quote_foreign(lines[-1], self._secrets) if lines else "git printed nothing."
