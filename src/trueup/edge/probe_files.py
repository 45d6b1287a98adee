"""What a target's probes keep on disk: their answers, for git, and a diary of the assistants they made, for this
checkout alone. Knows no question and sends nothing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from trueup.core.errors import StateError, TrueupError
from trueup.core.memory.capabilities import LIMIT, Capabilities, decode, encode
from trueup.core.memory.state import is_plain_id
from trueup.core.memory.state_codec import load_json
from trueup.edge import files
from trueup.edge.store import Store


def read_answers(store: Store) -> Capabilities | None:
    """The answers of the last probe of the store's target, None where there was none. Raises StateError."""
    target, path = store.target, store.answers_path
    hint = f"Move it away, or ask again: trueup targets probe {target.name}"
    content = files.read_plain(path, LIMIT, hint)
    if content is None:
        return None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\ufffd"  # damaged, which the codec says in full
    return decode(text, store.identity, target.dialect, target.gateway, str(path))


def write_answers(store: Store, found: Capabilities) -> None:
    """Puts the answers in the place of the last probe's; the same answers leave the file alone. Raises TrueupError."""
    content = encode(found).encode("utf-8")
    _put(store, store.answers_path, content, "Make room or give the right to write there, and probe again.")


@dataclass(frozen=True, slots=True)
class Diary:
    """The assistants that probes of one target are about to make or have made; one process writes it at a time.

    Each call that changes it returns once it is on disk. Raises TrueupError where it cannot be, and StateError for
    a damaged one.
    """

    store: Store

    def noted(self) -> dict[str, str]:
        """The id of each probe's assistant, by the probe's nonce; empty where it was not known yet."""
        path = self.store.diary_path
        hint = "Look for assistants named `Trueup probe …` at the vendor, then delete the file."
        content = files.read_plain(path, LIMIT, hint)
        try:
            value = load_json((content or b"{}").decode("utf-8"))
            if not isinstance(value, dict) or not all(isinstance(entry, str) for entry in value.values()):
                raise ValueError("it is no object of texts")
            if not all(entry == "" or is_plain_id(entry) for entry in value.values()):
                raise ValueError("it holds what cannot be an id")
        except (ValueError, RecursionError) as error:
            raise StateError(f"{path} is damaged: {error}.", hint) from None
        return value

    def begun(self, nonce: str) -> None:
        """A probe is about to create its assistant."""
        self._write({**self.noted(), nonce: ""})

    def made(self, nonce: str, live_id: str) -> None:
        """The assistant has this id."""
        self._write({**self.noted(), nonce: live_id})

    def ended(self, nonce: str) -> None:
        """Nothing of this probe is live."""
        noted = self.noted()
        if nonce in noted:
            self._write({other: live_id for other, live_id in noted.items() if other != nonce})

    def _write(self, noted: dict[str, str]) -> None:
        if noted:
            content = (json.dumps(noted, indent=2, sort_keys=True) + "\n").encode("ascii")
            _put(self.store, self.store.diary_path, content, "Make room or give the right to write there.")
        else:
            self.store.diary_path.unlink(missing_ok=True)


def _put(store: Store, path: Path, content: bytes, hint: str) -> None:
    try:
        store.prepare()
        if not path.is_file() or path.is_symlink() or path.read_bytes() != content:
            files.put(path, content)
    except OSError as error:
        raise TrueupError(f"{path} could not be written: {files.reason(error)}.", hint) from None
