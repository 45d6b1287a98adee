"""Each protocol of the registry as tests need it, and which one is spoken now.

Paths, servers and fields come from the registries and the field tables. `SAMPLES` has what neither says: values that
are good for a test. A protocol of the registry that has no row there fails every suite, with the row to write.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import pytest

from trueup.core.field_table import FieldTable
from trueup.core.memory.stamp import Stamp
from trueup.core.plans.live import stamp_of
from trueup.core.projects.project import PORTABLE, Target
from trueup.local.registry import SERVERS
from trueup.local.server import EmbeddedServer
from trueup.wire import registry


@dataclass(frozen=True, slots=True)
class Sample:
    """What a test says in the words of one protocol.

    `scalar` is a field beside name, model, instructions, tools and metadata, and `values` are three of its values that
    are not its default. `unsaid` are fields that no definition of a test declares: each makes a value of a number, and
    the server answers it as it was sent. `tools` are two tools without settings, `function` makes a tool of a
    function's name and description. `follows` are the fields that change with others, or with each write.
    """

    scalar: str
    values: tuple[Any, Any, Any]
    unsaid: Mapping[str, Callable[[int], Any]]
    tools: tuple[Mapping[str, Any], Mapping[str, Any]]
    function: Callable[[str, str], dict[str, Any]]
    follows: frozenset[str] = frozenset()


SAMPLES: Mapping[str, Sample] = {
    "openai-assistants": Sample(
        scalar="temperature",
        values=(0.1, 0.7, 0.3),
        unsaid={"description": lambda number: f"n{number}", "top_p": lambda number: number / 128},  # any width holds it
        tools=({"type": "code_interpreter"}, {"type": "file_search"}),
        function=lambda name, description: {
            "type": "function",
            "function": {"name": name, "description": description},
        },
        follows=frozenset({"tool_resources"}),
    ),
    "openai-agents": Sample(
        scalar="service_tier",
        values=("flex", "priority", "fast"),
        unsaid={
            "compaction": lambda number: {"async": number % 2 == 0},
            "text": lambda number: {"format": {"type": "text"}, "verbosity": ("low", "medium", "high")[number % 3]},
        },
        tools=({"type": "tool_search"}, {"type": "automations"}),
        function=lambda name, description: {
            "type": "function",
            "name": name,
            "description": description,
            "parameters": {"type": "object", "properties": {}},
        },
        follows=frozenset({"updated_at"}),
    ),
}


@dataclass(frozen=True, slots=True)
class Protocol:
    """One protocol of the registry."""

    name: str
    sample: Sample

    @property
    def table(self) -> FieldTable:
        """Its fields."""
        return registry.field_table(self.name)

    @property
    def server(self) -> type[EmbeddedServer]:
        """Its embedded server."""
        found: type[EmbeddedServer] = import_module(SERVERS[self.name].module).Server
        return found

    @property
    def turn(self) -> int:
        """Its number: where a plain run has a third of a walk, each protocol has another one."""
        return registry.protocols().index(self.name)

    @property
    def path(self) -> str:
        """Where its objects are: `/assistants`."""
        return f"/{self.server.collection}"

    def path_of(self, live_id: str) -> str:
        """Return where one object is."""
        return f"{self.path}/{live_id}"

    def id_of(self, text: str) -> str:
        """Return an id of the form that the vendor's have."""
        return f"{self.server.prefix}_{text}"

    def absent(self, live_id: str) -> dict[str, Any]:
        """Return the body of the vendor's own 404 of an id."""
        return {"error": {"message": f"No {self.server.noun} found with id '{live_id}'."}}

    def words(self, text: str) -> str:
        """Return a text about assistants with the ids and nouns that a target of this protocol is told of."""
        noun = self.server.noun
        words = {
            "asst_": self.id_of(""),
            "listing of assistants": f"listing of {noun}s",
            "No assistant found": f"No {noun} found",
            "not an assistant": f"not an {noun}",
            "is about another assistant (": f"is about another {noun} (",
            "assistant.deleted": f"{noun}.deleted",
            '"assistant"': f'"{noun}"',
        }
        for assistants, theirs in words.items():
            text = text.replace(assistants, theirs)
        return text

    def stamp_of(self, body: Mapping[str, Any]) -> Stamp | None:
        """Return the stamp that a body carries; None where there is none."""
        return stamp_of(body, self.table)

    def target(self, name: str = "prod", **keys: Any) -> Target:
        """Return a target that speaks it."""
        return Target(name, "acme", protocol=self.name, dialect=registry.row_of(self.name).dialect, **keys)

    def yaml(self, **keys: Any) -> dict[str, Any]:
        """Return the keys of a target in `trueup.yaml`; the default protocol is not written."""
        return keys if self.name == PORTABLE else {"protocol": self.name, **keys}

    # --- words of its bodies

    @property
    def scalar(self) -> str:
        """A field that is none of those which all protocols have."""
        return self.sample.scalar

    @property
    def values(self) -> Sequence[Any]:
        """Three values of `scalar`, none of them its default."""
        return self.sample.values

    @property
    def default(self) -> Any:
        """What `scalar` is where it is cleared."""
        return self.table.default_of(self.sample.scalar)

    @property
    def tools(self) -> list[dict[str, Any]]:
        """Two tools that have no settings."""
        return [dict(tool) for tool in self.sample.tools]

    def function(self, name: str = "look_up", description: str = "Finds it.") -> dict[str, Any]:
        """Return a tool that calls a function."""
        return self.sample.function(name, description)

    def unsaid(self, number: int) -> dict[str, Any]:
        """Return values of the fields that no definition of a test declares."""
        return {name: make(number) for name, make in self.sample.unsaid.items()}


def protocol_of(name: str) -> Protocol:
    """Return a protocol of the registry. Fails where a row is missing here, or the embedded server."""
    assert name in SERVERS, f"{name} has no embedded server: write its row into trueup/local/registry.py"
    assert name in SAMPLES, f"{name} is unknown to the tests: write {name!r}: Sample(…) into SAMPLES of {__name__}"
    return Protocol(name, SAMPLES[name])


DEFAULT = PORTABLE
"""The protocol that is spoken where nothing else is said."""

_spoken: ContextVar[str] = ContextVar("spoken", default=DEFAULT)


def current() -> Protocol:
    """Return the protocol that is spoken now."""
    return protocol_of(_spoken.get())


@contextmanager
def speaking(name: str) -> Iterator[Protocol]:
    """Speak a protocol for a while."""
    token = _spoken.set(name)
    try:
        yield current()
    finally:
        _spoken.reset(token)


def names_for(test: pytest.Item | pytest.Function) -> tuple[str, ...]:
    """Return the protocols that a test is run with: all, or what its mark says."""
    only = test.get_closest_marker("only_protocol")
    if only is not None:
        return (only.args[0],)
    return registry.protocols() if test.get_closest_marker("any_protocol") is None else (DEFAULT,)


@pytest.fixture(autouse=True)
def protocol(request: pytest.FixtureRequest) -> Iterator[Protocol]:
    """Speak the protocol that a test is run with. A folder's `conftest.py` takes this and the hook below."""
    with speaking(request.param) as spoken:
        yield spoken


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test of the folder once with each protocol of the registry."""
    if "protocol" in metafunc.fixturenames:
        metafunc.parametrize("protocol", names_for(metafunc.definition), indirect=True)
