"""The file under the embedded server: two at once, damage, other people's files."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from trueup.core.call import Call
from trueup.core.errors import TrueupError
from trueup.local import database
from trueup.local.openai_assistants import Server
from trueup.local.openai_assistants.bodies import Habits


def create(server: Server, name: str) -> str:
    reply = server.answer(Call("POST", "/assistants", json={"model": "m", "name": name}))
    assert reply.status == 200, reply.text
    return str(reply.json["id"])


def everything(server: Server) -> list[str]:
    names, after = [], ""
    while True:
        page = server.answer(Call("GET", "/assistants", {"limit": "100", "order": "asc", "after": after})).json
        names += [item["name"] for item in page["data"]]
        if not page["has_more"]:
            return names
        after = page["last_id"]


def test_what_was_stored_is_there_for_the_next_one(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "down" / "prod.sqlite"
    with Server(path) as server:
        create(server, "kept")
    with Server(path) as server:
        assert everything(server) == ["kept"]


def test_two_servers_on_one_file_see_each_other_at_once(tmp_path: Path) -> None:
    with Server(tmp_path / "db") as one, Server(tmp_path / "db") as two:
        for number in range(20):
            create(one if number % 2 else two, str(number))
        assert everything(one) == everything(two) == [str(number) for number in range(20)]


def test_threads_and_processes_lose_nothing_on_one_file(tmp_path: Path) -> None:
    path = tmp_path / "db"
    script = (
        "import sys\n"
        "from trueup.core.call import Call\n"
        "from trueup.local.openai_assistants import Server\n"
        "server = Server(sys.argv[1])\n"
        "for number in range(100):\n"
        "    body = {'model': 'm', 'name': f'{sys.argv[2]}-{number}'}\n"
        "    assert server.answer(Call('POST', '/assistants', json=body)).status == 200\n"
    )
    others = [subprocess.Popen([sys.executable, "-c", script, str(path), f"process{n}"]) for n in range(3)]
    with Server(path) as server:
        threads = [
            threading.Thread(target=lambda n=n: [create(server, f"thread{n}-{i}") for i in range(50)]) for n in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [other.wait(60) for other in others] == [0, 0, 0]
        names = everything(server)
    assert len(names) == len(set(names)) == 3 * 100 + 4 * 50
    assert [name for name in names if name.startswith("process1-")] == [f"process1-{n}" for n in range(100)]


def test_whoever_opens_a_new_file_at_the_same_moment_is_let_in(tmp_path: Path) -> None:
    """Regression: one of them saw tables without the version beside them, and called the file somebody else's."""
    opened: list[bool] = []

    def enter(path: Path, gate: threading.Barrier) -> None:
        gate.wait()
        with Server(path) as server:
            opened.append(bool(create(server, "x")))

    for turn in range(30):
        gate = threading.Barrier(6)
        threads = [threading.Thread(target=enter, args=(tmp_path / str(turn), gate)) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert opened == [True] * 180


def test_modifies_side_by_side_lose_no_key(tmp_path: Path) -> None:
    merging = Habits(metadata="merge")
    with Server(tmp_path / "db", habits=merging) as one, Server(tmp_path / "db", habits=merging) as two:
        path = f"/assistants/{create(one, 'a')}"

        def write(server: Server, keys: range) -> None:
            for key in keys:
                server.answer(Call("POST", path, json={"metadata": {f"k{key}": "v"}}))

        shares = [(one, range(8)), (two, range(8, 16))]
        threads = [threading.Thread(target=write, args=share) for share in shares]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(one.answer(Call("GET", path)).json["metadata"]) == 16


def test_a_locked_file_is_answered_with_503_and_nothing_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    with Server(tmp_path / "db") as server:
        held = create(server, "before")
        other = sqlite3.connect(tmp_path / "db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        for call in (
            Call("POST", "/assistants", json={"model": "m"}),
            Call("POST", f"/assistants/{held}", json={"name": "x"}),
            Call("DELETE", f"/assistants/{held}"),
        ):
            reply = server.answer(call)
            assert (reply.status, reply.json["error"]["type"]) == (503, "server_error")
            assert reply.headers["retry-after"] == "1"
        assert everything(server) == ["before"]
        other.execute("ROLLBACK")
        other.close()
        create(server, "after")
        assert everything(server) == ["before", "after"]


def test_a_refused_modify_leaves_the_file_unlocked(tmp_path: Path) -> None:
    with Server(tmp_path / "db") as one, Server(tmp_path / "db") as two:
        path = f"/assistants/{create(one, 'a')}"
        assert one.answer(Call("POST", path, json={"model": "o3"})).status == 400
        assert two.answer(Call("POST", path, json={"name": "b"})).status == 200


def test_a_damaged_file_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "db"
    path.write_bytes(b"this is no database, " * 100)
    with pytest.raises(TrueupError, match="is damaged") as caught:
        Server(path)
    assert "Move the file" in caught.value.hint
    assert str(path) in caught.value.message


def test_damage_found_later_says_what_to_do_too(tmp_path: Path) -> None:
    path = tmp_path / "db"
    with Server(path) as server:
        for number in range(200):
            create(server, f"{number:0250d}")
    whole = path.read_bytes()
    path.write_bytes(whole[:8192] + b"\xff" * (len(whole) - 8192))
    with Server(path) as server, pytest.raises(TrueupError, match="is damaged"):
        everything(server)


def test_a_newer_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "db"
    Server(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(TrueupError, match="its format is 99") as caught:
        Server(path)
    assert "Update trueup" in caught.value.hint


def test_somebody_elses_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE customers (name TEXT)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(TrueupError, match="not one of trueup's"):
        Server(path)
    assert path.read_bytes() == before


def test_a_path_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for path in (tmp_path, tmp_path / "file" / "db"):
        with pytest.raises(TrueupError, match="cannot be opened"):
            Server(path)


def test_ten_thousand_assistants(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Server(tmp_path / "db") as server:
        started = time.perf_counter()
        for number in range(10_000):
            create(server, str(number))
        created = time.perf_counter()
        assert everything(server) == [str(number) for number in range(10_000)]
        listed = time.perf_counter()
    with capsys.disabled():
        print(f" [10,000 created in {created - started:.2f} s, listed in {listed - created:.2f} s]", end="")


def test_a_closed_server_is_not_called_damaged(tmp_path: Path) -> None:
    server = Server(tmp_path / "db")
    server.close()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        create(server, "late")
