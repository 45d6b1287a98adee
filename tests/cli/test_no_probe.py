"""A protocol whose servers cannot be probed: the command refuses before it makes anything; old answers are let be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.cli.place import Place
from trueup.wire import registry


@pytest.fixture
def without_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    row = replace(registry.ROWS["openai-assistants"], has_probe=False)
    monkeypatch.setattr(registry, "ROWS", {**registry.ROWS, "openai-assistants": row})


@pytest.mark.usefixtures("without_probe")
def test_it_refuses_before_anything_is_made(place: Place) -> None:
    """In an experiment with a second protocol the probe made an object, and crashed."""
    before = place.files()
    ran = place.run("targets", "probe", "local", "--yes")
    assert ran.code == 1
    assert "cannot be probed" in ran.err
    assert "Nothing was sent" in ran.err
    assert place.files() == before
    assert not (place.root / ".trueup/local/openai-assistants.db").exists()


def test_answers_that_an_earlier_protocol_left_are_let_be(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.applied()
    kept = place.root / ".trueup/local/local.caps.json"
    kept.write_text("{}", encoding="utf-8")
    assert place.run("plan").code == 4
    row = replace(registry.ROWS["openai-assistants"], has_probe=False)
    monkeypatch.setattr(registry, "ROWS", {**registry.ROWS, "openai-assistants": row})
    assert place.run("plan").code == 0
