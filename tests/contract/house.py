"""A project with one target, behind it over HTTP the embedded server in its protocol and dialect, and what was written.

The client's side comes from its own rows (`trueup.wire`), the server's from its own (`trueup.local`): neither knows the
other, and a row without a server, or a server that takes what the row does not send, is a failing test.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cli.place import Place
from tests.protocols import DEFAULT, Protocol, protocol_of
from tests.ran import Ran
from trueup.local.openai_assistants.bodies import USUAL, Habits
from trueup.local.portkey import Gateway
from trueup.local.serve import running
from trueup.local.server import EmbeddedServer
from trueup.wire.base import Dialect
from trueup.wire.registry import dialects, protocols, row_of

KEY = "sk-contract-0123456789"
DEFINITIONS = Path(__file__).parent / "definitions"


@dataclass(frozen=True, slots=True)
class Way:
    """One way to a server: a protocol, one of its dialects, and what stands in front, if anything does."""

    protocol: str
    dialect: str
    gateway: str = ""

    @property
    def spoken(self) -> Protocol:
        """Its protocol."""
        return protocol_of(self.protocol)

    @property
    def row(self) -> Dialect:
        """Its dialect."""
        return dialects(self.protocol)[self.dialect]

    @property
    def definitions(self) -> Path:
        """The folder of the definitions that use all that the dialect holds."""
        return DEFINITIONS / self.protocol / self.dialect

    def __str__(self) -> str:
        words = [] if self.protocol == DEFAULT else [self.protocol]
        return "-".join([*words, self.dialect, *(("behind", self.gateway) if self.gateway else ())])


WAYS = [
    Way(protocol, dialect, gateway)
    for protocol in protocols()
    for dialect, row in dialects(protocol).items()
    if row.embedded
    for gateway in ("", *row_of(protocol).gateways)
]
"""Every way to an embedded server that a target can name today; tests/real has the others."""

DIRECT = [way for way in WAYS if not way.gateway]
OPENAI = Way(DEFAULT, "openai")
NOTHING = "Plan: 0 to create, 0 to modify, 0 to delete, 0 drifted"


@dataclass
class House(Place):
    """A project's folder and the vendor behind its target."""

    url: str = ""
    way: Way = OPENAI

    def put(self, moment: str) -> None:
        """Return the definition of that moment (`first`, `second`), with every field that the dialect supports."""
        self.write("assistants/math.yaml", (self.way.definitions / f"{moment}.yaml").read_text(encoding="utf-8"))

    def writes(self) -> list[Mapping[str, Any]]:
        """Return the requests that arrived at the vendor and were no reads."""
        import httpx

        root = self.url.split("/", 3)
        log = httpx.get(f"{'/'.join(root[:3])}/_control/log", headers={"Authorization": f"Bearer {KEY}"}).json()
        return [entry for entry in log if entry["method"] != "GET"]

    def applies(self, *flags: str) -> Ran:
        """Apply all there is to do; check that the plan is empty then, and that another apply writes nothing."""
        ran = self.run("apply", "--yes", *flags)
        assert ran.code == 0, ran.out + ran.err
        self.rests()
        return ran

    def rests(self) -> None:
        """Nothing is left to plan, nothing has drifted, and applying again writes nothing."""
        plan = self.run("plan", "--detailed-exitcode")
        assert (plan.code, self.summary(plan)) == (0, NOTHING), plan.out
        drift = self.run("drift")
        assert drift.code == 0, drift.out
        before = len(self.writes())
        assert self.run("apply", "--yes").code == 0
        assert len(self.writes()) == before

    @staticmethod
    def summary(ran: Ran) -> str:
        """Return the stable last line, without what is unchanged."""
        (line,) = [line for line in ran.out.splitlines() if line.startswith("Plan: ")]
        return line.rpartition(", ")[0] if "unchanged." in line.rpartition(", ")[2] else line


@contextmanager
def house(
    root: Path,
    capsys: pytest.CaptureFixture[str],
    way: Way,
    habits: Habits = USUAL,
    target: Mapping[str, Any] | None = None,
    ids: Callable[[], str] | None = None,
) -> Iterator[House]:
    """Make a house with two assistants: `math`, with all fields, and `plain`. `target` are keys of the target."""
    front = Gateway() if way.gateway else None
    given: dict[str, Any] = {} if habits is USUAL else {"habits": habits}  # only one protocol's server has any
    with (
        way.spoken.server(dialect=way.dialect, ids=ids, clock=lambda: 1_700_000_000, **given) as server,
        running(server, key=KEY, faults=True, gateway=front) as url,
    ):
        made = House(root, capsys, server, url, way, protocol=way.protocol, objects=way.spoken.path)
        text = {"project": "shop", "targets": {"prod": {**_target(way, server, url), **(target or {})}}}
        made.write("trueup.yaml", json.dumps(text))
        made.write("assistants/plain.yaml", "model: gpt-4o\ninstructions: Be plain.\n")
        made.put("first")
        yield made


def _target(way: Way, server: EmbeddedServer, url: str) -> dict[str, Any]:
    """Return the target as a user would write it."""
    many = {"deletes": 9, "modifies": 9}
    credential = next(iter(way.row.auth))
    target = way.spoken.yaml(
        **{"dialect": way.dialect, "base_url": url, credential: {"env": "CONTRACT_KEY"}, "settle": 0, "guard": many}
    )
    if not way.gateway:
        return target
    provider = "azure-openai" if way.dialect == "azure-openai" else "openai"
    host = f"http://localhost{server.vendor.mount}"
    return {**target, "gateway": way.gateway, "portkey": {"provider": provider, "custom_host": host}}
