"""Files that the command line names, such as a plan or an export: read as hostile text, and put in place whole.

Knows what such a file is called in a message, and not what is in one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from trueup.core.command import join_messages
from trueup.core.errors import TrueupError
from trueup.edge.collector import paused
from trueup.edge.files import beside, read_regular, reason, sync_folder, write_new

_T = TypeVar("_T")


def read_named(path: Path, what: str, limit: int, again: str, loads: Callable[[str], _T]) -> _T:
    """What `loads` makes of a file's text; `what` names its kind ("plan file"), `limit` are bytes.

    `again` is a hint with the command that makes one.

    Raises TrueupError saying what is wrong with the file and how to go on.
    """
    try:
        data = read_regular(path, limit)
        if len(data) > limit:
            raise TrueupError(f"{path} is larger than any {what}.", again)
        text = data.decode("utf-8-sig")
    except FileNotFoundError:
        raise TrueupError(f"There is no {what} {path}.", again) from None
    except UnicodeDecodeError:
        raise TrueupError(f"{path} is no {what}: it is not UTF-8 text.", again) from None
    except OSError as error:
        raise TrueupError(f"The {what} {path} could not be read: {reason(error)}.", again) from None
    try:
        with paused():
            return loads(text)
    except TrueupError as error:
        raise TrueupError(f"{path}: {error.message}", join_messages((error.hint, again))) from None


def put_named(path: Path, what: str, content: Iterable[bytes]) -> None:
    """Puts the pieces in the file's place, readable by its owner only. Raises TrueupError; the old file then stands."""
    try:
        made = beside(path)
        with paused():
            write_new(made, content, 0o600)
        try:
            made.replace(path)
        except OSError:
            made.unlink()
            raise
        sync_folder(path.parent)
    except OSError as error:
        raise TrueupError(
            f"The {what} {path} could not be written: {reason(error)}.",
            "Make room, or name a file in a folder that you may write.",
        ) from None
