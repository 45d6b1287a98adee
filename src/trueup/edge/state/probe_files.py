"""What a target's probes keep on disk: their answers, for git, and a diary of the assistants they made, for this
checkout alone. Knows no question and sends nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from trueup.core.checked import a_text, an_object, list_of, load_json, map_of
from trueup.core.command import Message
from trueup.core.errors import StateError, TrueupError
from trueup.core.memory.capabilities import LIMIT, Capabilities, decode, encode
from trueup.core.memory.state import is_plain_id
from trueup.edge import files
from trueup.edge.state.store import Store
from trueup.wire.registry import probe_of


def read_answers(store: Store) -> Capabilities | None:
    """Return the answers of the last probe of the store's target. Raises StateError.

    None where there was none, or where the target's protocol has no probe.
    """
    target, path = store.target, store.answers_path
    hint = Message("Move it away, or probe again: ", target.command("targets", "probe", target.name))
    content = files.read_plain(path, LIMIT, hint)
    probe = probe_of(target.protocol) if content is not None else None
    if content is None or probe is None:
        return None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\ufffd"  # damaged, which the codec says in full
    return decode(text, store.identity, target.dialect, target.gateway, str(path), probe.questions, target.selection)


def write_answers(store: Store, found: Capabilities) -> None:
    """Write the answers in the place of the last probe's; the same ones leave the file alone. Raises TrueupError."""
    content = encode(found).encode("utf-8")
    _write_changed(store, store.answers_path, content, "Make room or make it writable, and probe again.")


def _silent(_line: str) -> None:
    """Nobody is told."""


@dataclass(frozen=True, slots=True)
class ProbeDiary:
    """The assistants that probes of one target are about to make or have made; one process writes it at a time.

    Each call that changes it returns once it is on disk; `note` is told the id of what was made. Raises TrueupError
    where it cannot be, and StateError for a damaged one. Satisfies `engine.probe.Diary`.
    """

    store: Store
    note: Callable[[str], None] = _silent

    def read_noted(self) -> dict[str, str]:
        """Return the id of each probe's assistant, by the probe's nonce; empty where it was not known yet."""
        return self._read()[0]

    def read_spared(self) -> frozenset[str]:
        """Return the ids of assistants that are no probe's, whatever they carry."""
        return frozenset(self._read()[1])

    def note_start(self, nonce: str) -> None:
        """Note that a probe is about to create its assistant."""
        noted, spared = self._read()
        self._write({**noted, nonce: ""}, spared)

    def note_id(self, nonce: str, live_id: str) -> None:
        """Note the id of the assistant."""
        noted, spared = self._read()
        self._write({**noted, nonce: live_id}, spared)
        self.note(f"Created {live_id}; it is removed at the end.")

    def note_end(self, nonce: str) -> None:
        """Note that nothing of this probe is live."""
        noted, spared = self._read()
        if nonce in noted:
            self._write({other: live_id for other, live_id in noted.items() if other != nonce}, spared)

    def spare(self, live_id: str) -> None:
        """Note that this assistant was there before a probe that it now looks like: it is never a probe's."""
        noted, spared = self._read()
        self._write(noted, sorted({*spared, live_id}))

    def _read(self) -> tuple[dict[str, str], list[str]]:
        path = self.store.diary_path
        hint = "Look for assistants named `Trueup probe …` at the vendor, then delete the file."
        content = files.read_plain(path, LIMIT, hint)
        try:
            value = an_object(load_json((content or b"{}").decode("utf-8")), "the file")
            if value.keys() - {"probes", "spared"}:
                raise ValueError("it has unknown keys")
            noted = map_of(a_text)(value.get("probes", {}), "probes")
            spared = list_of(a_text)(value.get("spared", []), "spared")
            if not all(is_plain_id(entry) for entry in (*filter(None, noted.values()), *spared)):
                raise ValueError("it has an invalid id")
        except ValueError as error:
            raise StateError(f"{path} is damaged: {error}.", hint) from None
        return dict(noted), list(spared)

    def _write(self, noted: dict[str, str], spared: list[str]) -> None:
        if noted or spared:
            content = (json.dumps({"probes": noted, "spared": spared}, indent=2, sort_keys=True) + "\n").encode("ascii")
            _write_changed(self.store, self.store.diary_path, content, "Make room or make it writable.")
        else:
            self.store.diary_path.unlink(missing_ok=True)


def _write_changed(store: Store, path: Path, content: bytes, hint: str) -> None:
    try:
        store.prepare()
        if not path.is_file() or path.is_symlink() or path.read_bytes() != content:
            files.write_file(path, content)
    except OSError as error:
        raise TrueupError(f"{path} could not be written: {files.explain_error(error)}.", hint) from None
