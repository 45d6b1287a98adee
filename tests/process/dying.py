"""Runs the command in this process and kills it with SIGKILL at the n-th change of the project's disk.

`python dying.py N FOLDER COMMAND…`: the changes that count are those that Python tells its audit hooks of: files opened
to be written, folders synced, files linked, renamed, removed and changed, beneath FOLDER. The kill comes just before.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

EVENTS = frozenset({"os.rename", "os.link", "os.remove", "os.mkdir", "os.chmod", "os.truncate", "os.rmdir"})


def main() -> None:
    left, root = int(sys.argv[1]), Path(sys.argv[2]).resolve()

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal left
        if not _changes(event, arguments) or not Path(os.fsdecode(arguments[0])).absolute().is_relative_to(root):
            return
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.argv = ["trueup", *sys.argv[3:]]
    from trueup.cli.entry import run

    sys.addaudithook(watch)
    run()


def _changes(event: str, arguments: tuple[Any, ...]) -> bool:
    """Whether an event changes the disk; a folder is opened to be synced."""
    if event != "open":
        return event in EVENTS and isinstance(arguments[0], (str, bytes, Path))
    path, _, flags = arguments
    return isinstance(path, (str, bytes)) and bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_DIRECTORY))


if __name__ == "__main__":
    main()
