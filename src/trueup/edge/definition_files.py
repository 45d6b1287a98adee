"""Finds definition files in a folder and reads files inside the project, following no link. Parses nothing."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final

from trueup.core.definitions.definition import DefinitionFile
from trueup.core.definitions.document import SIZE_LIMIT
from trueup.core.definitions.names import definition_name_problem, folded, is_part, named_protocol, normal
from trueup.core.rules.fault import nearest
from trueup.core.source import Diagnostic, Position, Severity

SUFFIXES: Final = (".yaml", ".yml", ".md")
_ENDINGS: Final = {
    **{word: word for word in ("yaml", "yml", "md")},
    **dict.fromkeys(("json", "jsonc", "json5", "yalm", "ymal", "yam"), "yaml"),
    **dict.fromkeys(("markdown", "mdown", "mkd", "mdx"), "md"),
}
"""What stands in the name of a file that is probably meant as a definition, and the ending that makes it one."""
_FLAGS: Final = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


@dataclass(frozen=True, slots=True)
class Found:
    """What may be definitions: pairs of a name and a file relative to the root, in name order; and what is wrong.

    `others` are the remaining files, with what to say of one that no definition includes.
    """

    files: tuple[tuple[str, str], ...]
    diagnostics: tuple[Diagnostic, ...]
    others: Mapping[str, Diagnostic] = field(default_factory=dict)


def find(root: Path, folder: str, protocols: Collection[str] = ()) -> Found:
    """Walks the definitions folder once; hidden entries are skipped, links and special files are problems.

    One of the `protocols` at the end of a file's name (`NAME.PROTOCOL.yaml`) is no part of the definition's name.
    """
    problems: list[Diagnostic] = []
    start = root / folder
    if not start.is_dir() or start.is_symlink():
        what = "is a symbolic link" if start.is_symlink() else "is not there"
        missing = _problem(
            "no-definitions",
            f"the folder for definitions, {folder}, {what}",
            folder,
            "Create it, or name another one as `definitions` in trueup.yaml.",
        )
        return Found((), (missing,))
    named: list[tuple[str, str]] = []
    others: list[str] = []
    for path in _walk(start, folder, problems):
        inner = PurePosixPath(path).relative_to(folder)
        if is_part(inner) or _is_readme(inner):
            continue
        if inner.suffix.lower() not in SUFFIXES:
            others.append(path)
            continue
        name = normal(str(inner.with_suffix("")))
        protocol = named_protocol(path, protocols)
        name = name.removesuffix(f".{protocol}") if protocol else name
        why = definition_name_problem(name)
        if why:
            problems.append(_bad_name(path, why))
        else:
            named.append((name, path))
    taken = {path.rpartition(".")[0].casefold() for _, path in named}
    return Found(tuple(sorted(named)), tuple(problems), {path: _note_ending(path, taken) for path in sorted(others)})


def read_inside(root: Path, file: str) -> bytes | str:
    """The bytes of a plain file, at most one more than may be read; or why not, as the end of a sentence."""
    try:
        descriptor = os.open(root / file, _FLAGS)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return "is not a plain file"
            return _whole(descriptor)
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        return _missing(root, file)
    except (NotADirectoryError, IsADirectoryError):
        return "is not a plain file"
    except OSError as error:
        return _linked(root, file) or f"cannot be read: {(error.strerror or str(error)).lower()}"
    except ValueError:
        return "is not a path that a file can have"


def _whole(descriptor: int) -> bytes:
    """Everything in an open file, up to one byte more than may be read."""
    content = os.read(descriptor, SIZE_LIMIT + 1)
    while len(content) <= SIZE_LIMIT:
        more = os.read(descriptor, SIZE_LIMIT + 1 - len(content))
        if not more:
            break
        content += more
    return content


def link_on_the_way(root: Path, file: str) -> str:
    """Why a file that somebody named is not opened: a symbolic link on the way to it; empty when there is none."""
    return _linked(root, file)


def _linked(root: Path, file: str) -> str:
    path = root
    for piece in PurePosixPath(file).parts:
        path = path / piece
        if path.is_symlink():
            return (
                f"is reached through the symbolic link {path.relative_to(root).as_posix()}, and links are not followed"
            )
    return ""


def _missing(root: Path, file: str) -> str:
    folder = (root / file).parent
    beside = sorted(entry.name for entry in os.scandir(folder)) if folder.is_dir() else []
    stems = {PurePosixPath(name).stem: name for name in reversed(beside) if not name.startswith(".")}
    close = stems.get(nearest(PurePosixPath(file).stem, stems))
    return f"does not exist; did you mean {close!r}?" if close else "does not exist"


def _walk(start: Path, folder: str, problems: list[Diagnostic]) -> Iterator[str]:
    """Every plain file below a folder, as a path from the root."""
    waiting = [(str(start), folder)]
    while waiting:
        place, shown = waiting.pop()
        try:
            listing = os.scandir(place)
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            words = f"the folder {shown} cannot be read: {why}"
            problems.append(_problem("file-not-read", words, shown, "Give the right to read it."))
            continue
        with listing as entries:
            for entry in entries:
                path = f"{shown}/{entry.name}"
                if entry.name.startswith("."):
                    continue
                if entry.is_symlink():
                    problems.append(
                        _problem(
                            "symbolic-link",
                            f"{path} is a symbolic link; links are not followed",
                            path,
                            "Put the file itself here, or share text with {file:} or extends.",
                        )
                    )
                elif entry.is_dir(follow_symlinks=False):
                    waiting.append((entry.path, path))
                elif entry.is_file(follow_symlinks=False):
                    yield path
                else:
                    problems.append(
                        _problem("special-file", f"{path} is a device, a pipe or a socket", path, "Move it away.")
                    )


def find_clashes(files: Iterable[DefinitionFile]) -> tuple[frozenset[str], list[Diagnostic]]:
    """Return the names that are not one file's alone in a protocol, so that neither can be meant, and what to say.

    Names that a file system could confuse clash in whichever protocols.
    """
    clashing: set[str] = set()
    problems: list[Diagnostic] = []
    by_fold: dict[str, list[DefinitionFile]] = {}
    for found in files:
        by_fold.setdefault(folded(found.name), []).append(found)
    for same in by_fold.values():
        if len(same) == 1 or ({item.name for item in same} == {same[0].name} and _have_own_protocols(same)):
            continue
        clashing.update(item.name for item in same)
        first, second = same[0].file, same[1].file
        others = f" ({len(same) - 2} more)" if len(same) > 2 else ""
        problems.append(
            _problem(
                "name-taken",
                f"{first} and {second}{others} give the same assistant {same[0].name!r}: "
                "capitals, the ending and the way an accent is stored make no difference",
                second,
                "Rename or remove one of them.",
            )
        )
    return frozenset(clashing), problems


def _have_own_protocols(files: Sequence[DefinitionFile]) -> bool:
    return len({item.protocol for item in files}) == len(files)


def _bad_name(path: str, why: str) -> Diagnostic:
    """A name that no assistant can have; one that only this locale cannot read is said to be that."""
    hint = "Rename the file: its path is the assistant's name."
    with suppress(UnicodeDecodeError):
        if os.fsencode(path).decode("utf-8") != path:
            why = "is UTF-8, which cannot be read in this locale"
            hint = "Set a UTF-8 locale, such as LC_ALL=C.UTF-8, or PYTHONUTF8=1."
    return _problem("bad-name", f"the name of the file {ascii(path)[1:-1]} {why}", path, hint)


def _is_readme(path: PurePosixPath) -> bool:
    suffix = path.suffix.lower()
    stem = path.stem if suffix == ".md" else path.name.partition(".")[0]
    return suffix not in (".yaml", ".yml") and stem.casefold() == "readme"


def _note_ending(path: str, taken: Collection[str]) -> Diagnostic:
    """Return what to say of a file that its ending keeps from being read.

    `taken` are the paths of definitions without their endings, case-folded.
    """
    folder, _, name = path.rpartition("/")
    stem, *endings = name.split(".")
    known = [_ENDINGS.get(word.casefold().rstrip("~"), "") for word in endings]
    place = next((at for at, ending in enumerate(known) if ending), None)
    advice = "Give it one of these endings if it is a definition"
    if place is not None:
        stem = ".".join([stem, *endings[:place]])
        advice = f"Rename it to {stem}.{known[place]} if it is a definition"
        if f"{folder}/{stem}".casefold() in taken:
            advice = f"Remove it if it is a copy of the definition {stem}"
    shown = path.encode("utf-8", "backslashreplace").decode("utf-8")
    return Diagnostic(
        Severity.NOTE if place is None else Severity.WARNING,
        "other-ending",
        f"{shown} is not read: the name of a definition ends in .yaml, .yml or .md",
        Position(shown, 1, 1),
        hint=f"{advice}; start its name with _ if it is none.",
    )


def _problem(code: str, message: str, file: str, hint: str) -> Diagnostic:
    shown = file.encode("utf-8", "backslashreplace").decode("utf-8")
    return Diagnostic(Severity.ERROR, code, message, Position(shown, 1, 1), hint=hint)
