"""Credentials in saved agents: they are neither shown nor erased, and files hold none."""

from __future__ import annotations

import pytest

from tests.cli.place import Place

SECRET = "Bearer canary-98765"


def add_secret(place: Place) -> None:
    """Put a header with a credential into a live tool, as somebody else would."""
    tools = place.live()["triage"]["tools"]
    tools[1]["transport"]["headers"] = {"authorization": SECRET}
    place.poke("triage", {"tools": tools})


def test_a_live_secret_is_neither_shown_nor_erased(fleet: Place) -> None:
    fleet.applied()
    add_secret(fleet)
    shown = [fleet.run(*words.split()) for words in ("drift", "plan --out a.plan", "why triage -v", "accept triage")]
    assert [ran.code for ran in shown] == [2, 0, 0, 3]
    assert "***" in shown[0].out
    ran = fleet.run("apply", "--yes", "--on-drift", "revert")
    assert (ran.code, "has a secret" in " ".join(ran.out.split())) == (3, True), ran.out + ran.err
    shown.append(ran)
    assert not any(SECRET in ran.out + ran.err for ran in shown)
    assert SECRET not in (fleet.root / "a.plan").read_text("utf-8")
    assert fleet.live()["triage"]["tools"][1]["transport"]["headers"] == {"authorization": SECRET}


def test_an_edit_of_another_field_is_sent_and_keeps_a_live_secret(fleet: Place) -> None:
    fleet.applied()
    add_secret(fleet)
    fleet.replace("assistants/triage.yaml", "Then stop.", "Then go on.")
    ran = fleet.run("apply", "--yes", "--on-drift", "revert")
    assert (ran.code, "1 modified" in ran.out) == (3, True), ran.out + ran.err
    live = fleet.live()["triage"]
    assert live["instructions"] == "Sort what comes in.\nThen go on.\n"
    assert live["tools"][1]["transport"]["headers"] == {"authorization": SECRET}
    assert fleet.run("drift").code == 2, "what was not reverted is drift still"


LOOKS = """drift --all|drift --format json|drift --format markdown|drift --format html|plan --format json
plan --format markdown|plan --format html|why triage --format json|accept triage|import --name triage|apply --yes
apply --yes --on-drift revert""".replace("\n", "|").split("|")


def test_no_format_shows_a_live_secret_and_an_edit_of_its_own_field_does_not_erase_it(fleet: Place) -> None:
    fleet.applied()
    add_secret(fleet)
    fleet.replace("assistants/triage.yaml", "{type: web_search}", "{type: web_search, mode: cached}")
    for words in (*LOOKS, "plan --out a.plan", "plan --on-drift revert --out b.plan"):
        ran = fleet.run(*words.split())
        assert SECRET not in ran.out + ran.err, words
    assert [SECRET in (fleet.root / name).read_text("utf-8") for name in ("a.plan", "b.plan")] == [False, False]
    assert fleet.live()["triage"]["tools"][1]["transport"]["headers"] == {"authorization": SECRET}
    fleet.replace("assistants/triage.yaml", "metadata:", "lifecycle: {ignore_changes: [tools]}\nmetadata:")
    assert fleet.run("apply", "--yes").code == 0
    assert fleet.live()["triage"]["tools"][1]["transport"]["headers"] == {"authorization": SECRET}


@pytest.mark.parametrize("value", ["{var: key}", "{authorization: {var: key}}"])
@pytest.mark.parametrize("form", ["text", "json", "markdown", "sarif", "github", "html"])
def test_a_variable_where_a_secret_may_stand_is_refused_and_not_shown(fleet: Place, value: str, form: str) -> None:
    fleet.replace("assistants/triage.yaml", 'mcp"}}', f'mcp", headers: {value}}}}}')
    ran = fleet.run("validate", "--var", "key=canary-98765", "--format", form)
    assert (ran.code, "canary" in ran.out + ran.err) == (1, False), ran.out + ran.err
    assert "credential_id" in ran.out + ran.err


@pytest.mark.parametrize(
    "url",
    [
        "https://ada:hunter2@e.example/mcp",
        "https://hunter2@e.example/mcp",
        "https://e.example/mcp?token=hunter2",
        "https://e.example/mcp?a=1&api_key=hunter2",
        "https://e.example/mcp?X-Access-Token=hunter2",
    ],
)
def test_a_credential_in_an_mcp_address_is_refused_and_not_shown(fleet: Place, url: str) -> None:
    fleet.replace("assistants/triage.yaml", "https://example.com/mcp", url)
    ran = fleet.run("validate")
    assert ran.code == 1, ran.out
    assert "secret-in-file" in ran.out
    assert "hunter2" not in ran.out + ran.err


def test_an_mcp_address_without_a_credential_is_fine(fleet: Place) -> None:
    fleet.replace("assistants/triage.yaml", "https://example.com/mcp", "https://e.example/a@b?monkey=1&token=&page=2")
    assert fleet.run("validate").code == 0


def test_a_secret_that_somebody_put_in_offers_neither_revert_nor_accept(fleet: Place) -> None:
    fleet.applied()
    tools = fleet.live()["triage"]["tools"]
    tools[1]["transport"]["headers"] = {"authorization": "Bearer hunter2"}
    fleet.poke("triage", {"tools": tools})
    for command in (("drift",), ("plan",), ("plan", "--on-drift", "revert")):
        ran = fleet.run(*command)
        assert "hunter2" not in ran.out
        assert "lifecycle.ignore_changes" in ran.out, ran.out
        assert "trueup accept" not in ran.out
        assert "--on-drift revert" not in ran.out.replace("with --on-drift revert", "")
