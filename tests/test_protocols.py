"""Each protocol of the registry has what the suites need, and few tests are about one protocol alone."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.protocols import SAMPLES, current, protocol_of, speaking
from trueup.core.call import Call
from trueup.core.canonical import same
from trueup.wire.registry import protocols

TESTS = Path(__file__).parent


@pytest.mark.parametrize("name", protocols())
def test_the_suites_know_each_protocol_of_the_registry(name: str) -> None:
    spoken = protocol_of(name)
    fields = {spoken.scalar, *spoken.sample.unsaid}
    assert fields <= set(spoken.table.names)
    assert not fields & {"name", "model", "instructions", "tools", "metadata"}
    assert len({*map(str, spoken.values)} - {str(spoken.default)}) == 3


@pytest.mark.parametrize("name", protocols())
def test_an_embedded_server_answers_the_words_of_the_suites_as_they_were_sent(name: str) -> None:
    spoken = protocol_of(name)
    with spoken.server() as server:
        for number, value in enumerate(spoken.values):
            body = {"name": "n", "instructions": "i", "metadata": {"k": "v"}, spoken.scalar: value}
            sent = {"model": "m", "tools": [*spoken.tools, spoken.function()], **body, **spoken.unsaid(number)}
            answered = server.answer(Call("POST", spoken.path, json=sent))
            assert answered.status == 200, answered.text
            assert {**answered.json, **body, **spoken.unsaid(number)} == answered.json
            assert answered.json["id"].startswith(spoken.id_of(""))
            gone = server.answer(Call("POST", spoken.path_of(answered.json["id"]), json={spoken.scalar: None}))
            assert same(gone.json[spoken.scalar], spoken.default)
        missing = server.answer(Call("GET", spoken.path_of(spoken.id_of("gone"))))
    assert (missing.status, missing.json["error"]["message"]) == (
        404, spoken.absent(spoken.id_of("gone"))["error"]["message"],
    )  # fmt: skip


def test_a_protocol_without_its_row_is_told_what_to_write(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(SAMPLES, current().name)
    with pytest.raises(AssertionError, match=r"write '[a-z-]+': Sample\(…\) into SAMPLES"), speaking(current().name):
        pass


def _marks(name: str) -> Iterator[tuple[str, ast.Call]]:
    for path in sorted(TESTS.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == f"pytest.mark.{name}":
                yield f"{path.relative_to(TESTS)}:{node.lineno}", node


def test_what_is_about_one_protocol_alone_says_which_and_why_and_is_little() -> None:
    marks = list(_marks("only_protocol"))
    for place, node in marks:
        name, reason = (ast.literal_eval(word) for word in node.args)
        assert name in protocols(), place
        assert reason, place
    assert len(marks) <= 12, [place for place, _ in marks]
