"""JSON reports on disk, as pipelines keep them: read as hostile, never written. What is in them is the core's.

A folder is read with all folders below it, since forges put each artifact into one of its own; no link is followed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from trueup.core.errors import TrueupError
from trueup.edge.collector import paused
from trueup.edge.files import read_regular, reason

LARGEST = 256 * 1024 * 1024
"""Bytes of the largest report that is read."""

MOST = 20_000
"""Reports of a folder that are read: 50 applies a day for a year."""


def read_report(path: Path) -> Any:
    """The JSON value in a file, None where there is no such file. Raises TrueupError where it cannot be read."""
    try:
        data = read_regular(path, LARGEST)
        if len(data) > LARGEST:
            raise TrueupError(f"{path} is larger than {LARGEST >> 20} MiB, which no report is.", "Name another file.")
        text = data.decode("utf-8-sig")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise TrueupError(f"{path} could not be read: {reason(error)}.", "Name another file.") from None
    except UnicodeDecodeError:
        raise TrueupError(f"{path} is no report: it is not UTF-8 text.", "Name another file.") from None
    try:
        with paused():
            return json.loads(text)
    except (ValueError, RecursionError):
        raise TrueupError(f"{path} is no report: it is no JSON, or is cut off.", "Name another file.") from None


def read_reports(folder: Path) -> Iterator[tuple[str, Any]]:
    """Each `.json` file below a folder with its value, in the order of paths; None for one that cannot be read.

    Raises TrueupError where there is no such folder, or it holds too many.
    """
    if not folder.is_dir():
        raise TrueupError(f"There is no folder {folder}.", "Name the folder that holds the JSON reports of applies.")
    files = sorted(path for path in folder.rglob("*.json") if path.is_file() and not path.is_symlink())
    if len(files) > MOST:
        raise TrueupError(f"{folder} holds {len(files):,} reports, more than {MOST:,}.", "Name a folder with fewer.")
    for path in files:
        try:
            value = read_report(path)
        except TrueupError:
            value = None  # told in sum by the caller: one damaged report hides no other
        yield path.relative_to(folder).as_posix(), value
