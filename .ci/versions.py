"""Compare what is installed beside this Python with constraints.txt. Exit code 1: something differs.

What every environment brings along (pip, setuptools) and Trueup itself are left out. Needs the standard library alone.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from importlib.metadata import distributions
from pathlib import Path

LOCK = Path(__file__).parents[1] / "constraints.txt"
BROUGHT_ALONG = {"pip", "setuptools", "wheel", "trueup"}


def normalize_name(name: str) -> str:
    """Return the name as indexes compare it: PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_lock(text: str) -> dict[str, set[str]]:
    """Return the locked versions by name; a name has several where Pythons or platforms need different ones."""
    versions: dict[str, set[str]] = defaultdict(set)
    for name, version in re.findall(r"^([\w.-]+)==(\S+)", text, re.MULTILINE):
        versions[normalize_name(name)].add(version)
    return versions


def find_differences() -> list[tuple[str, str, str]]:
    """Return name, locked version and installed version of what is not installed as it is locked."""
    locked = read_lock(LOCK.read_text(encoding="utf-8"))
    installed = {normalize_name(item.metadata["Name"]): item.version for item in distributions()}
    return [
        (name, " or ".join(sorted(locked.get(name, {"not locked"}))), version)
        for name, version in sorted(installed.items())
        if name not in BROUGHT_ALONG and version not in locked.get(name, set())
    ]


def main() -> int:
    """Print the differences as a table, or that there are none."""
    rows = find_differences()
    if not rows:
        print("Every installed version is the locked one.")
        return 0
    for row in [("package", "locked", "installed"), *rows]:
        print("  ".join((row[0].ljust(28), row[1].ljust(18), row[2])))
    return 1


if __name__ == "__main__":
    sys.exit(main())
