"""Each protocol's embedded server is found by its row, and has a database file of its own."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from trueup.core.call import Call
from trueup.core.errors import StateError, TrueupError
from trueup.local.registry import SERVERS, local_database, open_server
from trueup.wire.registry import dialects, protocols


@pytest.mark.parametrize("protocol", SERVERS)
def test_a_row_names_the_dialects_that_its_server_has(protocol: str) -> None:
    row = SERVERS[protocol]
    with open_server(protocol, ":memory:", row.dialects[0]) as server:
        assert set(row.dialects) == set(server.vendors)
        assert server.vendor.name == row.dialects[0]
    with pytest.raises(TrueupError, match="has no dialect 'other'"):
        open_server(protocol, ":memory:", "other")


@pytest.mark.parametrize("protocol", protocols())
def test_each_protocol_has_a_server_for_each_dialect(protocol: str) -> None:
    embedded = {name for name, row in dialects(protocol).items() if row.embedded}
    assert set(SERVERS[protocol].dialects) == embedded


def test_each_server_answers_its_own_protocol_from_its_own_file(tmp_path: Path) -> None:
    with ExitStack() as stack:
        servers = [
            stack.enter_context(open_server(protocol, local_database(tmp_path, protocol), row.dialects[0]))
            for protocol, row in SERVERS.items()
        ]
        for server in servers:
            assert server.answer(Call("POST", f"/{server.collection}", json={"model": "m"})).status == 200
            statuses = {one.collection: server.answer(Call("GET", f"/{one.collection}")).status for one in servers}
            assert [name for name, status in statuses.items() if status == 200] == [server.collection]
    files = sorted(path.name for path in (tmp_path / ".trueup" / "local").glob("*.db"))
    assert files == sorted(f"{protocol}.db" for protocol in SERVERS)


def test_a_link_in_place_of_a_database_is_refused(tmp_path: Path) -> None:
    path = local_database(tmp_path, "openai-agents")
    path.parent.mkdir(parents=True)
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StateError, match="is a symbolic link"):
        local_database(tmp_path, "openai-agents")


def test_no_server_is_loaded_before_it_is_opened() -> None:
    code = "import sys, trueup.local.registry as r; print([n for n in sys.modules if n.startswith('trueup.local.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['trueup.local.registry']"
