"""A file of the project replaced by a new version of itself: whole or not at all, its mode kept, no link followed.

Knows nothing of what the file holds.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from trueup.core.errors import TrueupError
from trueup.edge.definition_files import link_on_the_way, read_inside
from trueup.edge.files import beside, reason, sync_folder, write_new


def rewrite(root: Path, file: str, before: bytes, after: bytes) -> None:
    """Puts a new content in the place of one that is still the same, on the disk at return. Raises TrueupError."""
    path = root / file
    link = link_on_the_way(root, file)
    found = link or read_inside(root, file)
    if isinstance(found, str):
        raise TrueupError(f"{file} was not written: it {found}.", "Make it a plain file inside the project.")
    if found != before:
        raise TrueupError(f"{file} was not written: it was changed a moment ago.", "Run the command again.")
    try:
        made = beside(path)
        write_new(made, after, 0o600)
        try:
            made.chmod(path.stat().st_mode & 0o7777)
            made.replace(path)
        except OSError:
            with contextlib.suppress(OSError):
                made.unlink()
            raise
        sync_folder(path.parent)
    except OSError as error:
        raise TrueupError(
            f"{file} was not written: {reason(error)}.", "Give the right to write there, or make room, and try again."
        ) from None
