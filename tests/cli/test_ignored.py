"""What `ignore_changes` leaves alone is named in every answer: what, why, until when, and where live differs."""

from __future__ import annotations

import json
import re

import pytest

from tests.cli.place import Place

ENTRY = (
    "lifecycle: {ignore_changes: [{field: temperature, reason: tuned by the helpdesk, until: '9999-12-31'}, model]}\n"
)
HOSTILE = 'lifecycle: {ignore_changes: [{field: temperature, reason: "</details>\\n::error::@all <img src=x>"}]}\n'


@pytest.fixture
def ignoring(place: Place) -> Place:
    """One assistant whose temperature somebody tunes by hand."""
    place.applied()
    path = place.root / "assistants/alpha.yaml"
    path.write_text(path.read_text("utf-8") + ENTRY, encoding="utf-8")
    place.poke("alpha", {"temperature": 1.25})
    return place


@pytest.mark.parametrize("command", [["plan"], ["drift"], ["show", "p.plan"]])
@pytest.mark.parametrize("form", ["text", "markdown", "html"])
def test_it_is_told_with_reason_and_day(ignoring: Place, command: list[str], form: str) -> None:
    assert ignoring.run("plan", "--out", "p.plan").code == 0
    ran = ignoring.run(*command, "--format", form)
    told = " ".join(ran.out.split())
    assert ran.code == 0, "what is ignored is no drift"
    name = {"text": "alpha", "markdown": "`alpha`", "html": "<code>alpha</code>"}[form]
    for words in ("tuned by the helpdesk", "9999-12-31", f"live differs from the file in {name}"):
        assert words in told
    assert "model" in told.split(f"live differs from the file in {name}")[1]


def test_a_key_that_only_live_has_differs(place: Place) -> None:
    place.replace(
        "assistants/team/beta.yaml", "metadata: {owner: bea}", "lifecycle: {ignore_changes: [metadata.owner]}"
    )
    place.applied()
    assert "in sync: metadata.owner in team/beta." in " ".join(place.run("plan").out.split())
    live = place.ask("GET", "/assistants", query={"limit": "100"})["data"]
    beta = next(entry for entry in live if entry["instructions"] == "Say B.")
    place.ask("POST", f"/assistants/{beta['id']}", {"metadata": {**beta["metadata"], "owner": "HAND"}})
    assert "live differs from the file in team/beta" in " ".join(place.run("plan").out.split())


def test_a_default_that_the_server_fills_in_is_no_difference(place: Place) -> None:
    place.replace("assistants/team/beta.yaml", "metadata: {owner: bea}", "lifecycle: {ignore_changes: [top_p]}")
    place.applied()
    assert "in sync: top_p in team/beta." in " ".join(place.run("plan").out.split())
    live = place.ask("GET", "/assistants", query={"limit": "100"})["data"]
    beta = next(entry for entry in live if entry["instructions"] == "Say B.")
    place.ask("POST", f"/assistants/{beta['id']}", {"top_p": 0.5})
    assert "live differs from the file in team/beta" in " ".join(place.run("plan").out.split())


@pytest.mark.parametrize("command", ["plan", "drift"])
def test_an_annotation_tells_only_what_differs(ignoring: Place, command: str) -> None:
    lines = ignoring.run(command, "--format", "github").out.splitlines()
    notices = [line for line in lines if "ignored::" in line]
    assert len(notices) == 1
    assert notices[0].startswith("::notice ")
    assert "temperature" in notices[0]


def test_a_document_has_each_entry(ignoring: Place) -> None:
    entries = [
        {"name": "alpha", "field": "temperature", "reason": "tuned by the helpdesk", "until": "9999-12-31",
         "differs": True},
        {"name": "alpha", "field": "model"},
    ]  # fmt: skip
    assert ignoring.run("plan", "--json").json["plan"]["ignored"] == entries
    assert ignoring.run("drift", "--json").json["ignored"] == entries
    assert "ignored" not in ignoring.run("plan", "--json", "team/beta").json["plan"], "NAMEs limit it"


def test_why_names_the_reason(ignoring: Place) -> None:
    told = " ".join(ignoring.run("why", "alpha", "temperature").out.split())
    assert "ignored: lifecycle.ignore_changes lists it (tuned by the helpdesk), until 9999-12-31" in told


def test_many_that_share_an_entry_are_one_sentence(place: Place) -> None:
    place.write("assistants/_base.yaml", f"model: gpt-4.1\ntemperature: 0.5\n{ENTRY}")
    for number in range(12):
        place.write(f"assistants/many/a{number:02}.yaml", "extends: ../_base.yaml\n")
    place.applied()
    place.poke("a07", {"temperature": 1.5})
    told = " ".join(place.run("plan").out.split())
    assert "live differs from the file in many/a07; in sync in many/a00" in told
    assert "and 6 more" in told
    assert told.count("temperature is ignored") == 1


@pytest.mark.parametrize("command", ["plan", "drift"])
@pytest.mark.parametrize("form", ["text", "markdown", "html"])
def test_no_noise_hides_a_whole_field(place: Place, command: str, form: str) -> None:
    """A stranger's find: a note that was cut named eight long keys of metadata, and neither `tools` nor `model`."""
    place.applied()
    noise = ", ".join(f"metadata.a{'k' * 50}{number}" for number in range(8))
    path = place.root / "assistants/alpha.yaml"
    path.write_text(f"{path.read_text('utf-8')}lifecycle: {{ignore_changes: [{noise}, tools, model]}}\n")
    told = " ".join(place.run(command, "--format", form).out.split())
    for field in ("tools", "model"):
        name = {"text": field, "markdown": f"`{field}`", "html": f"<code>{field}</code>"}[form]
        assert re.search(rf"[ :;>]{name} (in|is ignored)", told), field


@pytest.mark.parametrize("form", ["text", "markdown", "html", "github", "sarif", "junit"])
def test_a_hostile_reason_breaks_out_of_no_format(place: Place, form: str) -> None:
    place.applied()
    path = place.root / "assistants/alpha.yaml"
    path.write_text(path.read_text("utf-8") + HOSTILE, encoding="utf-8")
    place.poke("alpha", {"temperature": 1.25})
    out = place.run("drift", "--format", form).out
    assert not any(line.startswith("::error::@all") for line in out.splitlines())
    if form in ("html", "markdown"):
        assert "<img src=x>" not in out.replace("`", "") or form == "markdown"
    if form == "html":
        assert "&lt;img" in out
    if form == "sarif":
        json.loads(out)


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_nothing_to_do_is_not_said_of_what_is_left_alone(ignoring: Place, form: str) -> None:
    ignoring.run("apply", "--yes")
    plan, drift = (
        " ".join(ignoring.run(word, "--format", form).out.replace("`", "").split()) for word in ("plan", "drift")
    )
    assert "Nothing to do: apart from what ignore_changes ignores, everything matches the files." in plan
    assert "Apart from what ignore_changes ignores, no drift: live matches what was applied." in drift
