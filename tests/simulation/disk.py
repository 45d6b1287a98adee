"""A disk that keeps no promise beyond fsync: a real folder, and beside it what of it would survive a power cut.

Writes that were not synced may be lost or torn at any byte; a file's place in a folder is only safe once the folder
was synced; the n-th write or sync may fail. Every change of the disk is a moment to be killed at. `system` tells it
what is done to the folder. Knows nothing of what the files say.
"""

from __future__ import annotations

import errno
import os
import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.simulation.tally import Tally


@dataclass
class File:
    """`safe` is what is on the platter; `waiting` are writes (bytes) and cuts (sizes) that may or may not get there."""

    safe: bytes = b""
    waiting: list[bytes | int] = field(default_factory=list)

    def sync(self) -> None:
        self.safe, self.waiting = _replayed(self.safe, self.waiting), []

    def survivor(self, dice: random.Random) -> bytes:
        """Return what is left after a power cut: some of what waited, the last of it torn; or a tail of zeros."""
        kept = self.waiting[: dice.randint(0, len(self.waiting))]
        if kept and isinstance(kept[-1], bytes):
            torn = kept[-1][: _some(dice, len(kept[-1]))]
            zeros = b"\0" * (len(kept[-1]) - len(torn)) if dice.random() < 0.2 else b""
            kept = [*kept[:-1], torn + zeros]
        return _replayed(self.safe, kept)


@dataclass
class Folder:
    """`safe` are the entries on the platter, `now` those that processes see, `waiting` the changes between the two."""

    safe: dict[str, Node] = field(default_factory=dict)
    now: dict[str, Node] = field(default_factory=dict)
    waiting: list[dict[str, Node | None]] = field(default_factory=list)

    def change(self, entries: dict[str, Node | None]) -> None:
        self.waiting.append(entries)
        _entered(self.now, entries)

    def sync(self) -> None:
        self.safe, self.waiting = dict(self.now), []

    def survivor(self, dice: random.Random) -> dict[str, Node]:
        """Return the entries after a power cut: the first of what waited, or any of it."""
        kept = self.waiting[: dice.randint(0, len(self.waiting))]
        if dice.random() < 0.3:
            kept = [entries for entries in self.waiting if dice.random() < 0.5]
        found = dict(self.safe)
        for entries in kept:
            _entered(found, entries)
        return found


Node = File | Folder


class Torn(BaseException):
    """The process died in the middle of a write; the argument is what of it was written."""


@dataclass(frozen=True, slots=True)
class Failure:
    """The `nth` change of the disk fails, and the `times - 1` after it; `syncs`: only syncs are counted."""

    number: int
    nth: int
    times: int
    syncs: bool = False


class Disk:
    """One checkout's disk. `step` is called before and after every change, and raises when the process dies."""

    def __init__(
        self, root: Path, dice: random.Random, step: Callable[[], None], is_dead: Callable[[], bool], tally: Tally
    ) -> None:
        self.tally = tally
        self.root = root
        self.dice = dice
        self.step = step
        self.is_dead = is_dead
        self.quiet = False  # a person is at work, or the oracle looks: nothing fails and nobody dies
        self.is_off = False  # the machine is down: what happens to the folder is not seen
        self.failure: Failure | None = None
        self.deadly = ""  # how the change begins right after which the process is killed: `open prod.journal`
        self.tears = ""  # the kind of file in the middle of whose writing the process is killed
        self.kill: Callable[[], None] = lambda: None
        self.at = ""  # the path that is being changed
        self._count = 0
        self.top = Folder()

    def fail(self, failure: Failure | None) -> None:
        """Arms a failure, or none; it counts from now on."""
        self.failure, self._count = failure, 0

    @contextmanager
    def in_peace(self) -> Iterator[None]:
        """Let a person or the oracle work; what a person changes is safe at once."""
        self.quiet = True
        try:
            yield
            _sync_all(self.top)
        finally:
            self.quiet = False

    def cut_power(self) -> None:
        """Put the folder into the state in which the machine comes back."""
        before = _files(self.top, "", now=True)
        self.top = _restored(self.top, self.dice)
        after = _files(self.top, "")
        for path in sorted(before.keys() | after.keys()):
            if before.get(path) != after.get(path):
                self.tally.note(f"{kind(path)}: {'torn' if _is_torn(before, after, path) else 'lost'} in a power cut")
        self.is_off = True
        for entry in self.root.iterdir():
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        _laid_out(self.top, self.root)
        self.is_off = False

    def safe_files(self) -> dict[str, bytes]:
        """Return what a power cut now leaves at least, by path below the root."""
        return _files(self.top, "")

    # --- what `system` asks

    def holds(self, path: str) -> bool:
        """Whether a path is on this disk."""
        return not self.is_off and (path == str(self.root) or path.startswith(f"{self.root}{os.sep}"))

    def node(self, path: str) -> Node | None:
        """Return the file or folder at a path, the root included."""
        node: Node | None = self.top
        for part in Path(path).relative_to(self.root).parts:
            node = node.now.get(part) if isinstance(node, Folder) else None
        return node

    def enter(self, path: str, node: Node | None, instead: str = "") -> None:
        """Put a node at a path (None removes what is there), `instead` of where it was before."""
        place = Path(path)
        folder = self.node(str(place.parent))
        assert isinstance(folder, Folder)
        folder.change({**({Path(instead).name: None} if instead else {}), place.name: node})

    def before(self, *, sync: bool = False) -> None:
        """Just before a change. Raises what `step` raises, and OSError where the disk fails."""
        if self.quiet:
            return
        self.step()
        if self.failure is None or (self.failure.syncs and not sync):
            return
        self._count += 1
        if 0 <= self._count - self.failure.nth < self.failure.times:
            word = "was full" if self.failure.number == errno.ENOSPC else "failed"
            self.tally.note(f"{kind(self.at)}: the disk {word}")
            raise OSError(self.failure.number, os.strerror(self.failure.number))

    def after(self, what: str = "") -> None:
        """Just after a change of some kind: the process may be killed in this very moment."""
        if self.quiet:
            return
        if self.deadly and what.startswith(self.deadly):
            self.deadly = ""
            self.kill()
        self.step()

    def torn(self, data: bytes) -> bytes:
        """How much of a write there is when its process dies or the disk fails in the middle of it."""
        return data[: _some(self.dice, len(data))]

    def fitting(self, data: bytes) -> bytes:
        """Return what is done of a write: all, or what still fits. Raises OSError, and `Torn` if the process dies."""
        was_dead = self.is_dead()
        if self.tears and not self.quiet and kind(self.at) == self.tears:
            self.tears = ""
            self.kill()
        try:
            self.before()
        except OSError as error:
            part = self.torn(data) if error.errno == errno.ENOSPC else b""
            if not part:
                raise
            return part
        except BaseException as end:
            part = b"" if was_dead else self.torn(data)
            if part and part != data:
                self.tally.note(f"{kind(self.at)}: torn by the kill")
            raise Torn(part) from end
        return data


def _some(dice: random.Random, most: int) -> int:
    """From 0 to `most`, by one throw whatever that is: lengths of paths and process ids must not change the dice."""
    return int(dice.random() * (most + 1))


def _replayed(content: bytes, changes: list[bytes | int]) -> bytes:
    for change in changes:
        content = content + change if isinstance(change, bytes) else content[:change]
    return content


def _entered(entries: dict[str, Node], changes: dict[str, Node | None]) -> None:
    for name, node in changes.items():
        if node is None:
            entries.pop(name, None)
        else:
            entries[name] = node


def _sync_all(folder: Folder) -> None:
    folder.sync()
    for node in folder.now.values():
        _sync_all(node) if isinstance(node, Folder) else node.sync()


def _files(folder: Folder, where: str, *, now: bool = False) -> dict[str, bytes]:
    """Return what is on the platter by path, or `now` what processes see."""
    found: dict[str, bytes] = {}
    for name, node in (folder.now if now else folder.safe).items():
        if isinstance(node, Folder):
            found.update(_files(node, f"{where}{name}/", now=now))
        else:
            found[f"{where}{name}"] = _replayed(node.safe, node.waiting) if now else node.safe
    return found


def _is_torn(before: dict[str, bytes], after: dict[str, bytes], path: str) -> bool:
    """Whether a power cut left a part of what a file held, or zeros in its place."""
    left, whole = after.get(path, b"").rstrip(b"\0"), before.get(path, b"")
    return after.get(path, b"") != b"" and whole.startswith(left)


def kind(path: str) -> str:
    """Return what the tally calls a file."""
    name = path.rsplit("/", 1)[-1]
    if "/backup/" in path:
        return "a backup"
    words = {".state.json": "the state file", ".journal": "the journal", "change.plan": "the plan file"}
    return next((word for piece, word in words.items() if piece in name), "another file or a folder")


def _restored(folder: Folder, dice: random.Random) -> Folder:
    entries: dict[str, Node] = {}
    for name, node in sorted(folder.survivor(dice).items()):
        entries[name] = _restored(node, dice) if isinstance(node, Folder) else File(node.survivor(dice))
    return Folder(entries, dict(entries))


def _laid_out(folder: Folder, place: Path) -> None:
    for name, node in folder.safe.items():
        if isinstance(node, Folder):
            (place / name).mkdir()
            _laid_out(node, place / name)
        else:
            (place / name).write_bytes(node.safe)
