"""`import --from`: every shape in one go, what cannot be read is listed, and no network is asked."""

from __future__ import annotations

import json

import pytest

from tests.cli.place import Place

V1 = {
    "id": "asst_v1", "object": "assistant", "created_at": 5, "name": "Old Bot", "model": "gpt-4",
    "instructions": "Be old.", "tools": [{"type": "retrieval"}], "file_ids": ["file-1"], "metadata": {},
}  # fmt: skip


@pytest.fixture
def hosted_nowhere(place: Place) -> Place:
    """A project whose only target answers nothing."""
    place.write(
        "trueup.yaml",
        "project: shop\ntargets:\n  prod: {base_url: 'http://127.0.0.1:9/v1', api_key: {env: CANARY_KEY}}\n",
    )
    return place


def test_many_files_of_many_shapes(hosted_nowhere: Place) -> None:
    place = hosted_nowhere
    place.write("v1.json", json.dumps(V1))
    page = {"object": "list", "data": [{"object": "assistant", "id": "asst_2", "model": "m", "name": "Two", "new": 1}]}
    place.write("page.json", json.dumps({**page, "has_more": True}))
    place.write("lines.jsonl", '{"model": "m", "name": "Three"}\n{"model": "m", "name": "Four"}\n')
    place.write("agent.md", "---\ntype: agent\nname: Five\nmodel: claude\n---\n\nBe five.\n")
    place.write("broken.json", "{")
    place.write("empty.json", "")
    files = ["v1.json", "page.json", "lines.jsonl", "agent.md", "broken.json", "empty.json", "gone.json"]
    flags = [word for file in files for word in ("--from", file)]
    assert "would write assistants/old-bot.yaml  from v1.json" in place.run("import", *flags, "--dry-run").out
    assert not (place.root / "assistants/old-bot.yaml").exists()
    ran = place.run("import", *flags)
    assert ran.code == 3
    text = " ".join(ran.out.split())
    for told in (
        "wrote assistants/old-bot.yaml from v1.json ! retrieval searched in the file file-1",
        "wrote assistants/two.yaml from page.json, entry 1 ! new is no field of a definition",
        "wrote assistants/three.yaml from lines.jsonl, line 1",
        "wrote assistants/five.yaml from agent.md",
        "! page.json says that there is more",
        "! broken.json is no JSON from line 1, column 2 on.",
        "! empty.json is empty.",
        "! gone.json is not there.",
        "Import: 5 written, 0 linked, 0 there already, 4 left out (exit 3).",
    ):
        assert told in text, ran.out
    assert "nothing was linked" in ran.err
    assert (place.root / "assistants/old-bot.yaml").read_text("utf-8") == (
        "# yaml-language-server: $schema=../.trueup/schemas/definition.schema.json\n"
        "name: Old Bot\nmodel: gpt-4\ninstructions: Be old.\ntools: [file_search]\n"
    )
    assert "instructions: Be five.\n" in (place.root / "assistants/five.yaml").read_text("utf-8")
    assert place.run("validate").code == 0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            '{"format_version": 99, "kind": "export", "assistants": []}',
            "is an export that was not read: it was written by",
        ),
        ('{"model": "a", "model": "b"}', "holds the key 'model' twice in one object"),
        ('{"model": "a", "temperature": ' + "9" * 5000 + "}", "holds a number of 5000 digits"),
        ('{"model": "a"}\n{"model": "b"}\n{broken\n', "holds a JSON value on each line, but none on line 3"),
        ('{"model": "a"}\n{"model": NaN}\n', "holds NaN, which is no JSON (line 2)"),
    ],
)
def test_a_file_that_cannot_be_read_stops_no_other(place: Place, text: str, told: str) -> None:
    place.write("good.json", '{"model": "m", "name": "Good"}')
    place.write("bad.json", text)
    ran = place.run("import", "--from", "good.json", "--from", "bad.json")
    assert ran.code == 3
    assert f"bad.json {told}" in " ".join(ran.out.split())
    assert (place.root / "assistants/good.yaml").is_file()


def test_instances_of_one_terraform_resource_are_told_apart(place: Place) -> None:
    function = {"type": "function", "function": {"name": "f", "parameters": "not json"}}
    instances = [
        {"index_key": key, "attributes": {"name": key, "model": "m", "tools": tools}}
        for key, tools in (("one", []), ("two", [function]))
    ]
    resource = {"type": "openai_assistant", "name": "t", "module": "module.x", "instances": instances}
    place.write("t.tfstate", json.dumps({"version": 4, "terraform_version": "1", "resources": [resource]}))
    text = " ".join(place.run("import", "--from", "t.tfstate").out.split())
    assert 'assistants/one.yaml from t.tfstate, module.x.openai_assistant.t["one"] wrote' in text
    assert 'assistants/two.yaml from t.tfstate, module.x.openai_assistant.t["two"] ! tools[0] is not' in text


def test_what_is_there_already_is_not_written_again(place: Place) -> None:
    place.write("v1.json", json.dumps(V1))
    assert place.run("import", "--from", "v1.json").code == 0
    before = place.files()
    again = place.run("import", "--from", "v1.json")
    assert (again.code, again.out.strip().split("\n")[-1]) == (0, "Import: 0 written, 0 linked, 1 there already.")
    place.write("v1.json", json.dumps({**V1, "instructions": "Be new."}))
    other = place.run("import", "--from", "v1.json")
    assert other.code == 3
    assert "assistants/old-bot.yaml has its display name already, and says something else" in other.out
    assert {**place.files(), "v1.json": b""} == {**before, "v1.json": b""}


def test_nothing_to_import_is_an_error(place: Place) -> None:
    place.write("a.json", '{"object": "thread"}')
    ran = place.run("import", "--from", "a.json")
    assert ran.code == 1
    assert "There is no assistant in what was given" in ran.err


def test_names_choose_among_what_is_in_the_files(place: Place) -> None:
    place.write("all.json", json.dumps([V1, {**V1, "id": "asst_2", "name": "Two"}, {**V1, "id": "asst_3"}]))
    assert place.run("import", "--from", "all.json", "Old Bot").code == 1
    ran = place.run("import", "--from", "all.json", "Two", "asst_3", "--json")
    assert [item["name"] for item in ran.json["written"]] == ["two", "old-bot"]


def test_one_id_with_two_contents_is_not_guessed(place: Place) -> None:
    place.write("a.json", json.dumps([V1, V1, {"model": "m", "name": "Else"}]))
    place.write("b.json", json.dumps({**V1, "instructions": "Other."}))
    ran = place.run("import", "--from", "a.json", "--from", "b.json")
    assert ran.code == 3
    assert "say different things of asst_v1" in ran.out
    assert not (place.root / "assistants/old-bot.yaml").exists()
    assert (place.root / "assistants/else.yaml").exists()


def test_an_export_of_another_target_gives_definitions_and_no_state(place: Place) -> None:
    place.applied()
    assert place.run("export", "live.json").code == 0
    for name in ("alpha.yaml", "team/beta.yaml"):
        (place.root / "assistants" / name).unlink()
    place.write(
        "trueup.yaml", "project: shop\ntargets:\n  prod: {base_url: 'http://127.0.0.1:9/v1', api_key: {env: X}}\n"
    )
    ran = place.run("import", "--from", "live.json")
    assert ran.code == 0, ran.err
    assert "the stamp of alpha of local/local is not taken over" in " ".join(ran.out.split())
    assert "trueup:" not in (place.root / "assistants/alpha.yaml").read_text("utf-8")
    assert place.run("state", "list", "--json").json["assistants"] == {}


@pytest.mark.parametrize(
    "text",
    [
        '{"format_version":1,"kind":"export"}',
        '{"kind":"export","format_version":9}',
        "[" * 200_000,
        '{"a": NaN}',
        "\x00",
    ],
)
def test_hostile_files_end_in_a_sentence(place: Place, text: str) -> None:
    place.write("a.json", text)
    ran = place.run("import", "--from", "a.json")
    assert ran.code == 1
    assert "Traceback" not in ran.err
    assert ran.err.startswith("error: ")


def test_live_text_cannot_move_the_cursor(place: Place) -> None:
    place.write("a.json", json.dumps({"model": "m", "name": "\x1b[2Jx", "\x1b]0;t": 1}))
    for flags in ((), ("--dry-run",)):
        assert "\x1b" not in place.run("import", "--from", "a.json", *flags).out
