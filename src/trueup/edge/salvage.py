"""Moves a damaged state file or journal out of the way, so that state can be made again, and back. Deletes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from trueup.core.errors import ForeignStateError, StateError, TrueupError
from trueup.core.memory.state_codec import LIMIT, find_names
from trueup.edge.files import read_regular, reason
from trueup.edge.journal_file import Journal
from trueup.edge.store import Store


def set_damaged_aside(store: Store) -> tuple[Path, ...]:
    """The new places of what could not be read; empty when all can be. To be called under the target's lock.

    Raises ForeignStateError for a state that is whole, but another target's or a newer version's; TrueupError when a
    file cannot be moved.
    """
    moved = []
    try:
        Journal.read(store.journal_path)
    except StateError:
        moved.append(_aside(store.journal_path))
    try:
        store.load()
    except ForeignStateError:
        raise
    except StateError:
        moved.append(_aside(store.state_path))
    return tuple(moved)


def names_in(path: Path) -> Mapping[str, str]:
    """Map the names in a damaged file to their ids, as far as they can be found; none in what is no plain file."""
    try:
        content = b"" if path.is_symlink() else read_regular(path, LIMIT)
    except OSError:
        content = b""
    return find_names(content.decode("utf-8", "replace"))


def put_back(store: Store, aside: Sequence[Path]) -> None:
    """Move files back that were set aside, where nothing has taken their place since."""
    for path in aside:
        place = next(one for one in (store.state_path, store.journal_path) if path.name.startswith(one.name))
        if not place.exists():
            path.rename(place)


def _aside(path: Path) -> Path:
    number = 1
    while (place := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    try:
        path.rename(place)
    except OSError as error:
        raise TrueupError(
            f"{path} is damaged and could not be moved aside: {reason(error)}.", "Move it away by hand, and try again."
        ) from None
    return place
