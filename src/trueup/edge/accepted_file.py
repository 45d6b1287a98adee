"""The file in which a checkout keeps what `accept` took into its definitions since the last apply. Never for git."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

from trueup.core.acceptance.accepted import AcceptedValues, decode_accepted, encode_accepted
from trueup.core.errors import StateError
from trueup.edge import files
from trueup.edge.store import Store

LIMIT = 16 * 1024 * 1024
"""Bytes of the file; a larger one is refused."""


def read_accepted(store: Store) -> dict[str, AcceptedValues]:
    """Return what is kept, by the names of assistants. Raises StateError where no plain file is in its place."""
    path = store.accepted_path
    content = files.read_plain(path, LIMIT, "Move it away: it only spares an `accept` from conflicts.")
    return decode_accepted(content.decode("utf-8", "replace")) if content is not None else {}


def write_accepted(store: Store, accepted: Mapping[str, AcceptedValues]) -> None:
    """Replace what is kept.

    Where that cannot be written nothing is raised: the definition has the value already, and all that is lost is that
    the next `accept` of the same field may leave a conflict.
    """
    with contextlib.suppress(OSError, StateError):
        store.prepare()
        files.put(store.accepted_path, encode_accepted(accepted).encode("utf-8"))
