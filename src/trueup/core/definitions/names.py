"""Names: what they may be made of, which one was meant, and which definitions a NAME on the command line selects.

Knows definitions as values; never looks at the disk, so a path is only a text that a definition carries.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Final

from trueup.core.definitions.definition import Definition
from trueup.core.errors import TrueupError
from trueup.core.projects.project import Project, Target
from trueup.core.rules.fault import nearest

_LABEL: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._ /-]*[A-Za-z0-9])?\Z")
_TARGET: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?\Z")
_GLOB: Final = frozenset("*?[")
_UNFIT: Final = {'"': "a quotation mark", "'": "a quotation mark", "`": "a quotation mark", "\\": "a backslash"}


def suggest(word: str, known: Collection[str]) -> str:
    """Return a hint: the nearest known word, or the first few known words."""
    close = nearest(word, known)
    if close:
        return f"Did you mean {close!r}?"
    if not known:
        return "There are none."
    shown = sorted(known)
    return f"There {'is' if len(shown) == 1 else 'are'}: {', '.join(shown[:8])}{', …' if len(shown) > 8 else ''}."


def project_name_problem(name: str) -> str:
    """Why a project cannot have this name, as the end of a sentence; empty when it can."""
    if len(name) > 100:
        return "is longer than 100 characters"
    return "" if _LABEL.match(name) else "may hold only letters a-z, digits, and . _ - / or spaces between them"


def target_name_problem(name: str) -> str:
    """Why a target cannot have this name; it names files and goes into the stamps."""
    if len(name) > 64:
        return "is longer than 64 characters"
    return "" if _TARGET.match(name) else "may hold only letters a-z, digits, and . _ - between them"


def definition_name_problem(name: str) -> str:
    """Why a file cannot give an assistant this name: what JSON or a terminal would have to escape is refused."""
    for character in name:
        if "\udc80" <= character <= "\udcff":
            return "is not UTF-8 text"
        if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"):
            return f"holds the invisible character U+{ord(character):04X}"
        if character in _UNFIT:
            return f"holds {_UNFIT[character]}"
        if character in _GLOB or character == "]":
            return f"holds {character!r}, which means something in a pattern"
    if any(part != part.strip() or not part for part in name.split("/")):
        return "begins or ends with a space"
    return ""


def normalize(name: str) -> str:
    """Return the name in Unicode's composed form (NFC), the only form that is compared."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def fold_name(name: str) -> str:
    """Return a key that is equal for names that a file system or a person could confuse."""
    return normalize(normalize(name).casefold())


def comparable_name(name: object) -> str:
    """Return a key that is equal for display names that look the same.

    The encoding of accents and blanks at the ends make no difference; capitals and invisible characters do. The key
    is empty where there is no name. Use it to find name conflicts, never for what is sent.
    """
    return normalize(name).strip() or name if isinstance(name, str) else ""


def protocol_in_name(file: str, known: Collection[str]) -> str:
    """Return the protocol that a file's name says (`NAME.PROTOCOL.yaml`), empty where it says none of the known."""
    stem = file.rpartition("/")[2].rpartition(".")[0]
    name, _, ending = stem.rpartition(".")
    return ending if name and ending in known else ""


def is_part(path: PurePosixPath) -> bool:
    """Whether a path below the definitions folder is a part: some component starts with `_`."""
    return any(piece.startswith("_") for piece in path.parts)


def choose_target(project: Project, wanted: str = "") -> Target:
    """Return the requested target, else the default one. Raises TrueupError that lists the targets."""
    name = wanted or project.default_target
    if name in project.targets:
        return project.targets[name]
    listed = ", ".join(sorted(project.targets))
    if name:
        raise TrueupError(f"There is no target {name!r} in trueup.yaml.", suggest(name, project.targets))
    raise TrueupError(
        "trueup.yaml has several targets and none is the default.",
        f"Name one with -t ({listed}), or set default_target in trueup.yaml.",
    )


def select(
    patterns: Sequence[str], definitions: Sequence[Definition], names: Collection[str] = frozenset()
) -> set[str]:
    """Return the names that the patterns select; without a pattern, all names.

    A pattern is a name, a path, a folder, a glob (`*` also crosses folders), or a part, which means all who use it.
    `names` are further names without a definition here (left out, broken, or only in state). Raises TrueupError for
    every pattern that matches nothing.
    """
    everything = {definition.name for definition in definitions} | set(names)
    if not patterns:
        return everything
    chosen: set[str] = set()
    lost: list[str] = []
    for pattern in patterns:
        found = _match(normalize(pattern), definitions, everything)
        chosen |= found
        if not found:
            lost.append(pattern)
    if lost:
        words = everything | {definition.file for definition in definitions}
        words |= {part for definition in definitions for part in definition.parts}
        raise TrueupError(
            f"No assistant matches {', '.join(map(repr, lost))}.",
            " ".join(f"{pattern!r}: {suggest(pattern, words)}" for pattern in lost),
        )
    return chosen


def _match(pattern: str, definitions: Sequence[Definition], names: set[str]) -> set[str]:
    if pattern in names:
        return {pattern}
    cleaned = str(PurePosixPath(pattern)) if pattern else pattern
    is_folder = pattern.endswith("/")
    found = set() if is_folder else {definition.name for definition in definitions if definition.file == cleaned}
    if found:
        return found
    return {name for name in names if _fits(cleaned, name) and not (is_folder and name == cleaned)} | {
        definition.name
        for definition in definitions
        if _fits(cleaned, definition.file) or any(_fits_part(cleaned, part) for part in definition.parts)
    }


def _fits(pattern: str, path: str) -> bool:
    """Whether a name or a path is the pattern, lies in the folder it names, or matches it as a glob."""
    return path == pattern or path.startswith(f"{pattern}/") or pattern == "." or fnmatchcase(path, pattern)


def _fits_part(pattern: str, part: str) -> bool:
    """Check whether a pattern selects a shared file, by its path or its path in the definitions folder."""
    inner = part.split("/", 1)[-1]
    return _fits_strictly(pattern, part) or _fits_strictly(pattern, inner)


def _fits_strictly(pattern: str, part: str) -> bool:
    """Check a pattern against a shared file; a folder or glob needs a piece that starts with `_`."""
    if pattern == part:
        return True
    return is_part(PurePosixPath(pattern)) and _fits(pattern, part)
