"""What a target keeps in `.trueup`: its state file with the journal beside it, and backups. Knows no vendor.

The order of a run: `lock`, `load`, append to the journal, `save`. Killed anywhere, the next `load` has everything.
Deliberately ignorant of the meaning of records; the text is `core.memory.state_codec`'s. Damaged files are moved aside,
never deleted.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from trueup.core.acceptance.accepted import AcceptedValues, decode_accepted, encode_accepted
from trueup.core.canonical import DIGEST_RULES
from trueup.core.command import Command, Message
from trueup.core.errors import ForeignStateError, StateError, TrueupError
from trueup.core.memory.journal import fold, list_pending
from trueup.core.memory.state import Identity, State
from trueup.core.memory.state_codec import LIMIT, decode, encode, find_names
from trueup.core.projects.project import Target
from trueup.edge import files
from trueup.edge.collector import pause_collector
from trueup.edge.state.journal_file import Journal
from trueup.edge.state.lock_file import hold_lock, remove_abandoned

FOLDER = ".trueup"
STAMPS = "stamps"
_IGNORED = "# Written by Trueup: what belongs to one checkout. The state files are for git.\n"
_PATTERNS = ("local/", "backup/", "*.journal", "*.lock", "*.tmp", "*.damaged-*")
_TRIES = 5

ACCEPTED_LIMIT = 16 * 1024 * 1024
"""Bytes of the file that keeps accepted values; a larger one is refused."""

IGNORE_LIMIT = 1024 * 1024
"""Bytes of a .gitignore that are read."""


@dataclass(frozen=True, slots=True)
class Store:
    """One target's memory on disk, under the project's root; `now` gives Unix seconds."""

    root: Path
    target: Target
    identity: Identity
    now: Callable[[], float] = time.time

    @property
    def folder(self) -> Path:
        """Where the target's files are: a local target's are git-ignored."""
        return self.root / FOLDER / "local" if self.target.is_local else self.root / FOLDER

    @property
    def state_path(self) -> Path:
        """The state file; a target with `state: stamps` never has one."""
        return self.folder / f"{_escape_name(self.target.name)}.state.json"

    @property
    def journal_path(self) -> Path:
        """The journal beside it."""
        return self.folder / f"{_escape_name(self.target.name)}.journal"

    @property
    def answers_path(self) -> Path:
        """What a probe of the target found out, for git as the state file is."""
        return self.folder / f"{_escape_name(self.target.name)}.caps.json"

    @property
    def diary_path(self) -> Path:
        """Which assistants the target's probes have made, for this checkout alone."""
        return self.folder / f"{_escape_name(self.target.name)}.probe.journal"

    @property
    def accepted_path(self) -> Path:
        """What `accept` took into files since the last apply, for this checkout alone; no target's own journal."""
        return self.folder / f"{_escape_name(self.target.name)}~accepted.journal"

    @property
    def lock_path(self) -> Path:
        """The file that the operating system's lock is on."""
        return self.folder / f"{_escape_name(self.target.name)}.lock"

    @property
    def _definitions_lock(self) -> Path:
        """One for all targets; no target's own, whose name cannot begin with a dot."""
        return self.root / FOLDER / ".definitions.lock"

    @property
    def is_folded(self) -> bool:
        """Whether the state file alone says everything: no line of an earlier run waits in the journal."""
        try:
            return self.journal_path.lstat().st_size == 0
        except OSError:
            return True

    def load(self, *, other_target: bool = False) -> State:
        """Return the state file with the journal folded in; empty when there is neither. Writes nothing.

        `other_target` lets the state of another endpoint pass, for `state rm`. Raises StateError.
        """
        if self.target.state == STAMPS:
            pending = list_pending(Journal.read(self.journal_path, self.target.selection))
            return State(self.identity, DIGEST_RULES, pending=pending)
        with pause_collector():
            for _ in range(_TRIES):
                before = self._read_fingerprint()
                state = self._read(other_target)
                entries = Journal.read(self.journal_path, self.target.selection)
                if self._read_fingerprint() == before:  # else an apply saved in between, and its journal is gone
                    break
            return fold(state, entries)

    def save(self, state: State) -> None:
        """Replace the state file, whole and on disk, then empty the journal that is now in it.

        With `state: stamps` only the journal is emptied, and only when nothing in it is unsettled. Raises TrueupError;
        the old state file and the journal then stand as they were.
        """
        if self.target.state == STAMPS:
            if not state.pending:
                self._clear_journal()
            return
        with pause_collector():
            content = encode(state).encode("utf-8")
        if len(content) > LIMIT:
            raise TrueupError(
                f"The state of {self.target.name} would be larger than {LIMIT >> 20} MiB, and could not be read again.",
                "Nothing is lost: the journal has everything that was done. Split the project into several.",
            )
        if files.read_plain(self.state_path, LIMIT, self._obstacle_hint()) != content:
            try:
                self.prepare()
                files.write_file(self.state_path, content)
            except OSError as error:
                raise TrueupError(
                    f"The state file {self.state_path} could not be written: {files.explain_error(error)}.",
                    "Nothing is lost: the journal beside it has everything that was done. Make room or make it "
                    "writable; the next apply reads the journal.",
                ) from None
        self._clear_journal()

    def open_journal(self) -> Journal:
        """Open the journal for appending, safe from a power cut, under `lock`. Raises TrueupError."""
        self._prepare_or_explain(safe=True)
        return Journal.open(self.journal_path)

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the target for one writer. Raises TrueupError naming the holder when it is taken."""
        self._prepare_or_explain()
        with hold_lock(self.lock_path, self.target.name, self.now(), unlock=self._unlock_command):
            yield

    @contextlib.contextmanager
    def import_lock(self) -> Iterator[None]:
        """Hold the target, and all targets' definitions, for one import. Raises TrueupError naming the holder."""
        self._prepare_or_explain()
        unlock = self._unlock_command
        with (
            hold_lock(self._definitions_lock, self.target.name, self.now(), others="import", unlock=unlock),
            self.lock(),
        ):
            yield

    @property
    def _unlock_command(self) -> Command:
        return self.target.command("state", "unlock")

    def unlock(self) -> bool:
        """Take away the locks of a file system without locks; True if there was one.

        A lock of the operating system dies with its holder and is never touched.
        """
        return any([remove_abandoned(self.lock_path), remove_abandoned(self._definitions_lock)])

    def backup(self, name: str, kind: str, body: object) -> None:
        """Keep a live object before it is overwritten or deleted, readable by its owner only. Raises TrueupError."""
        now = self.now()
        taken = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
        value = {
            "target": self.target.name, "protocol": self.identity.protocol, "name": name, "kind": kind,
            "taken_at": now, "body": body,
        }  # fmt: skip
        content = (json.dumps(value, indent=2) + "\n").encode("ascii")
        folder = self.root / FOLDER / "backup"
        stem = f"{taken}-{_escape_name(self.target.name)}-{_escape_name(name)}-{_escape_name(kind)}"
        try:
            self.prepare()
            _make_folder(folder, 0o700)
            _write_numbered(folder, stem, content)
            files.sync_folder(folder)
            files.sync_folder(folder.parent)
        except OSError as error:
            raise TrueupError(
                f"The backup of {name} in {FOLDER}/backup could not be written: {files.explain_error(error)}.",
                "It was not changed: nothing is overwritten without a backup. Make room or make it writable, and "
                "apply again.",
            ) from None

    def prepare(self) -> None:
        """Make the target's folder and tell git what in it is nobody else's. Raises OSError and StateError."""
        base = self.root / FOLDER
        for folder in (base, self.folder):
            if folder.is_symlink():
                raise StateError(f"{folder} is a symbolic link.", "Replace it with a folder; links are not followed.")
            folder.mkdir(exist_ok=True)
        _write_gitignore(base / ".gitignore")

    def _prepare_or_explain(self, *, safe: bool = False) -> None:
        """`prepare`, with a folder's own place on the disk if it is to be safe. Raises TrueupError and StateError."""
        try:
            self.prepare()
            if safe:  # always: a run that was killed may have made the folders and no more
                files.sync_folder(self.root)
                files.sync_folder(self.folder.parent)
        except OSError as error:
            mend = "Make it writable"
            if isinstance(error, FileExistsError):
                mend = f"Move {error.filename} away: state is kept in a folder of that name"
            raise TrueupError(
                f"The folder {self.folder} could not be made: {files.explain_error(error)}.",
                f"Nothing was sent. {mend}, and run the command again.",
            ) from None

    def _read(self, other_target: bool) -> State:
        content = files.read_plain(self.state_path, LIMIT, self._obstacle_hint())
        if content is None:
            return State(self.identity, DIGEST_RULES)
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = "\ufffd"  # damaged, which the codec says in full
        selection = self.target.selection
        return decode(text, self.identity, str(self.state_path), other_target=other_target, selection=selection)

    def _read_fingerprint(self) -> tuple[int, int, int] | None:
        """Return what changes when the state file is replaced."""
        try:
            found = self.state_path.lstat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size

    def _clear_journal(self) -> None:
        if self.journal_path.exists():
            journal = Journal.open(self.journal_path)  # syncs the folder: also the place that a killed run gave state
            try:
                journal.clear()
            finally:
                journal.close()

    def _obstacle_hint(self) -> Message:
        return Message(
            "Move it away, and restore the state file from git, or rebuild it from the stamps: ",
            self.target.command("state", "rebuild"),
        )


def _write_gitignore(path: Path) -> None:
    """Tells git what to leave alone: writes the file, or adds what an older version's or a torn one lacks.

    A line that somebody switched off, with `#` or `!` before it, stays so; a link or another's file is left as it is.
    """
    with contextlib.suppress(FileExistsError):
        files.write_new(path, (_IGNORED + "\n".join(_PATTERNS) + "\n").encode(), 0o666)
        return
    if path.is_symlink() or not path.is_file() or not os.access(path, os.R_OK | os.W_OK):
        return
    content = files.read_regular(path, IGNORE_LIMIT)
    if len(content) > IGNORE_LIMIT:
        return
    known = {line.strip().lstrip(b"#!/ ") for line in content.splitlines()}
    missing = [pattern for pattern in _PATTERNS if pattern.encode() not in known]
    if missing:
        gap = b"" if content.endswith(b"\n") or not content else b"\n"
        files.append_file(path, gap + "\n".join((*missing, "")).encode())


def _make_folder(folder: Path, mode: int) -> None:
    """Make the folder unless it is there. Raises StateError for a link, behind which anything may be, and OSError."""
    if folder.is_symlink():
        raise StateError(f"{folder} is a symbolic link.", "Replace it with a folder.")
    folder.mkdir(mode=mode, exist_ok=True)


def _write_numbered(folder: Path, stem: str, content: bytes) -> None:
    """Write under the stem, or under the next free number behind it."""
    number = 1
    while True:
        try:
            files.write_new(folder / (f"{stem}.json" if number == 1 else f"{stem}-{number}.json"), content, 0o600)
            return
        except FileExistsError:
            number += 1


def _escape_name(name: str) -> str:
    """Return the name as one part of a path: escaped, and shortened with a digest where it is too long."""
    text = quote(name, safe=" ,+@").replace("~", "%7E")
    if text.strip(".") and len(text) <= 80:
        return text
    return f"{text[:60].strip('.')}-{hashlib.sha256(os.fsencode(name)).hexdigest()[:12]}"


def set_damaged_aside(store: Store) -> tuple[Path, ...]:
    """Return the new places of what could not be read; empty when all can be. To be called under the target's lock.

    Raises ForeignStateError for a state that is whole, but another target's or a newer version's; TrueupError when a
    file cannot be moved.
    """
    moved = []
    try:
        Journal.read(store.journal_path)
    except StateError:
        moved.append(_move_aside(store.journal_path))
    try:
        store.load()
    except ForeignStateError:
        raise
    except StateError:
        moved.append(_move_aside(store.state_path))
    return tuple(moved)


def find_names_in(path: Path) -> Mapping[str, str]:
    """Map the names in a damaged file to their ids, as far as they can be found; none in what is no plain file."""
    try:
        content = b"" if path.is_symlink() else files.read_regular(path, LIMIT)
    except OSError:
        content = b""
    return find_names(content.decode("utf-8", "replace"))


def put_back(store: Store, aside: Sequence[Path]) -> None:
    """Move files back that were set aside, where nothing has taken their place since."""
    for path in aside:
        place = next(one for one in (store.state_path, store.journal_path) if path.name.startswith(one.name))
        if not place.exists():
            path.rename(place)


def _move_aside(path: Path) -> Path:
    number = 1
    while (place := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    try:
        path.rename(place)
    except OSError as error:
        raise TrueupError(
            f"{path} is damaged and could not be moved aside: {files.explain_error(error)}.",
            "Move it away, and try again.",
        ) from None
    return place


def read_accepted(store: Store) -> dict[str, AcceptedValues]:
    """Return what is kept, by the names of assistants. Raises StateError where no plain file is in its place."""
    path = store.accepted_path
    content = files.read_plain(path, ACCEPTED_LIMIT, "Move it away: only `accept` uses it, to avoid conflicts.")
    return decode_accepted(content.decode("utf-8", "replace")) if content is not None else {}


def write_accepted(store: Store, accepted: Mapping[str, AcceptedValues]) -> None:
    """Replace what is kept.

    Where that cannot be written nothing is raised: the definition has the value already, and all that is lost is that
    the next `accept` of the same field may leave a conflict.
    """
    with contextlib.suppress(OSError, StateError):
        store.prepare()
        files.write_file(store.accepted_path, encode_accepted(accepted).encode("utf-8"))
