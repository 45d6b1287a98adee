"""The embedded servers' storage: one SQLite file of JSON texts in order of creation.

Knows files, locks and damage; deliberately does not know what the texts say, who asks for them, or any protocol.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from trueup.core.errors import TrueupError

APPLICATION = 0x54525550
"""What marks a SQLite file as ours: `TRUP` in its header."""

VERSION = 1
BUSY_SECONDS = 10.0
"""How long a write waits for another process before the request is answered as refused."""

_SCHEMA = f"""
CREATE TABLE assistants (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, body TEXT NOT NULL
);
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = {VERSION};
"""

T = TypeVar("T")


class Busy(Exception):
    """The database did not take the request now (locked, full, read-only): nothing was changed by it."""


@dataclass(frozen=True, slots=True)
class Window:
    """One stretch of the listing: the texts, and whether more lie beyond it in the direction of travel."""

    bodies: tuple[str, ...]
    has_more: bool


class Database:
    """The objects of one file (`:memory:` for none), each a JSON text under its identifier.

    Their table is called `assistants` in every file, whatever the protocol, as in the files of the first version.

    Every write is one transaction. Raises `Busy` when nothing was done, `TrueupError` when the file is damaged,
    foreign or of a newer version. Two of these on one file, in one process or in two, may work side by side.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = str(path)
        self._connection = _connect(self.path)

    def close(self) -> None:
        """Give the file back; the object is of no use afterwards."""
        self._connection.close()

    def add(self, identifier: str, body: str) -> bool:
        """Append a text; False when the identifier is taken."""
        statement = "INSERT OR IGNORE INTO assistants (id, body) VALUES (?, ?)"
        return self._write(lambda c: c.execute(statement, (identifier, body)).rowcount) == 1

    def get(self, identifier: str) -> str | None:
        """Return the text of an identifier, None when there is none."""
        row = self._run_guarded(
            lambda c: c.execute("SELECT body FROM assistants WHERE id = ?", (identifier,)).fetchone()
        )
        return None if row is None else str(row[0])

    def change(self, identifier: str, how: Callable[[str], str]) -> str | None:
        """Replace a text by what `how` makes of it, with nobody writing in between; None when there is none."""

        def work(connection: sqlite3.Connection) -> str | None:
            row = connection.execute("SELECT body FROM assistants WHERE id = ?", (identifier,)).fetchone()
            if row is None:
                return None
            body = how(row[0])
            if body != row[0]:
                connection.execute("UPDATE assistants SET body = ? WHERE id = ?", (body, identifier))
            return body

        return self._write(work)

    def remove(self, identifier: str) -> bool:
        """Delete a text; False when there was none."""
        return self._write(lambda c: c.execute("DELETE FROM assistants WHERE id = ?", (identifier,)).rowcount) == 1

    def window(self, limit: int, newest_first: bool, after: str = "", before: str = "") -> Window | str:
        """At most `limit` texts in order of creation, or the cursor that names none (deleted, or never there).

        With `after` they follow it, with `before` alone they are the last ones in front of it, with both they lie
        between.
        """

        def work(connection: sqlite3.Connection) -> Window | str:
            places = []
            for cursor in (after, before):
                row = (
                    connection.execute("SELECT seq FROM assistants WHERE id = ?", (cursor,)).fetchone()
                    if cursor
                    else ()
                )
                if row is None:
                    return cursor
                places.append(row[0] if row else None)
            return _stretch(connection, limit, newest_first, *places)

        return self._run_guarded(work)

    def _write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        def transaction(connection: sqlite3.Connection) -> T:
            connection.execute("BEGIN IMMEDIATE")
            try:
                result = work(connection)
            except BaseException:
                connection.rollback()
                raise
            connection.commit()
            return result

        return self._run_guarded(transaction)

    def _run_guarded(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return work(self._connection)
        except sqlite3.OperationalError as error:
            if self._connection.in_transaction:
                self._connection.rollback()
            raise Busy(str(error)) from error
        except sqlite3.ProgrammingError:
            raise
        except sqlite3.DatabaseError as error:
            raise _damage_error(self.path, error) from error


def _stretch(
    connection: sqlite3.Connection, limit: int, newest_first: bool, after: int | None, before: int | None
) -> Window:
    """Walk from `after` (or the start) forwards; from `before` backwards when only that is given."""
    backwards = before is not None and after is None
    falling = newest_first is not backwards
    bounds = [(after, newest_first), (before, not newest_first)]
    wanted = [(f"seq {'<' if below else '>'} ?", seq) for seq, below in bounds if seq is not None]
    where = f"WHERE {' AND '.join(text for text, _ in wanted)}" if wanted else ""
    statement = f"SELECT body FROM assistants {where} ORDER BY seq {'DESC' if falling else 'ASC'} LIMIT ?"
    rows = [row[0] for row in connection.execute(statement, (*(seq for _, seq in wanted), limit + 1))]
    has_more = len(rows) > limit
    del rows[limit:]
    return Window(tuple(reversed(rows) if backwards else rows), has_more)


def _connect(path: str) -> sqlite3.Connection:
    try:
        if path != ":memory:":
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    except (OSError, sqlite3.OperationalError) as error:
        raise _unusable(path, error) from error
    try:
        _prepare(connection, path)
    except sqlite3.OperationalError as error:
        connection.close()
        raise _unusable(path, error) from error
    except sqlite3.DatabaseError as error:
        connection.close()
        raise _damage_error(path, error) from error
    except TrueupError:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: str) -> None:
    """Make sure of our tables and of write-ahead logging; whoever comes first makes them."""
    connection.execute("BEGIN")
    ours = _is_ours(connection, path)
    connection.execute("COMMIT")
    if not ours:
        _patiently(lambda: connection.execute("PRAGMA journal_mode = WAL").fetchone())
        connection.execute("BEGIN IMMEDIATE")
        if not _is_ours(connection, path):
            _run_all(connection, _SCHEMA.split(";"))
        connection.execute("COMMIT")
    connection.execute("PRAGMA synchronous = NORMAL")


def _is_ours(connection: sqlite3.Connection, path: str) -> bool:
    """Return whether the tables are there; False for an empty file. Raises `TrueupError` for any other file.

    Called inside a transaction: between its reads another process may finish the tables.
    """
    version, application = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("user_version", "application_id")
    )
    if application == APPLICATION and version == VERSION:
        return True
    if application == APPLICATION and version > VERSION:
        raise TrueupError(
            f"The embedded server's database {path} is of a newer trueup: its format is {version}, not {VERSION}.",
            "Update trueup, or move the file away to start with an empty server.",
        )
    if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        raise TrueupError(
            f"{path} is a SQLite database, but not one of trueup's embedded server; it was left as it is.",
            "Choose another path, or move the file away to start with an empty server.",
        )
    return False


def _run_all(connection: sqlite3.Connection, statements: Iterable[str]) -> None:
    for statement in statements:
        connection.execute(statement)


def _patiently(work: Callable[[], object]) -> None:
    """Repeats what SQLite refuses at once, without its own waiting, while another process opens the same new file."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            work()
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _damage_error(path: str, error: Exception) -> TrueupError:
    return TrueupError(
        f"The embedded server's database {path} is damaged: {error}.",
        "Move the file (and its -wal and -shm companions) away; the next apply then fills an empty server again.",
    )


def _unusable(path: str, error: Exception) -> TrueupError:
    return TrueupError(
        f"The embedded server's database {path} cannot be opened: {error}.",
        "Make its folder writable, end the process that holds it, or choose another path.",
    )
