"""`import --from`: every shape in one go, what cannot be read is listed, and no network is asked."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest

from tests.cli.place import Place

V1 = {
    "id": "asst_v1", "object": "assistant", "created_at": 5, "name": "Old Bot", "model": "gpt-4",
    "instructions": "Be old.", "tools": [{"type": "retrieval"}], "file_ids": ["file-1"], "metadata": {},
}  # fmt: skip


@pytest.fixture
def hosted_nowhere(place: Place) -> Place:
    """Return a project whose only target answers nothing."""
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
        "wrote assistants/two.yaml from page.json, entry 1 ! new is not a field of a definition",
        "wrote assistants/three.yaml from lines.jsonl, line 1",
        "wrote assistants/five.yaml from agent.md",
        "! page.json has more entries",
        "! broken.json is not JSON from line 1, column 2 on.",
        "! empty.json is empty.",
        "! gone.json is not there.",
        "Import: 5 written, 0 linked, 0 there already, 4 left out; of these 2 with omitted values (exit 3).",
    ):
        assert told in text, ran.out
    assert "2 assistants were not linked." in ran.err
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
            "is an export that cannot be read: ",
        ),
        ('{"model": "a", "model": "b"}', "cannot be read as JSON: it holds the name 'model' twice"),
        (
            '{"model": "a", "temperature": ' + "9" * 5000 + "}",
            "cannot be read as JSON: it holds a number of 5,000 digits",
        ),
        ('{"model": "a"}\n{"model": "b"}\n{broken\n', "holds a JSON value on each line, but none on line 3"),
        ('{"model": "a"}\n{"model": NaN}\n', "cannot be read as JSON on line 2: NaN is not a JSON number"),
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
    two = text.split('assistants/two.yaml from t.tfstate, module.x.openai_assistant.t["two"] !')[1]
    assert "! tools is not in the definition, and what is live stays as it is: tools[0].function.parameters" in two


def test_what_is_there_already_is_not_written_again(place: Place) -> None:
    place.write("v1.json", json.dumps(V1))
    assert place.run("import", "--from", "v1.json").code == 3
    before = place.files()
    again = place.run("import", "--from", "v1.json")
    assert (again.code, again.out.strip().split("\n")[-1]) == (0, "Import: 0 written, 0 linked, 1 there already.")
    place.write("v1.json", json.dumps({**V1, "instructions": "Be new."}))
    other = place.run("import", "--from", "v1.json")
    assert other.code == 3
    assert "assistants/old-bot.yaml already has its display name, and differs" in other.out
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
    assert "differ about asst_v1" in ran.out
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
    assert "the stamp of alpha of local/local is not imported" in " ".join(ran.out.split())
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


SCHEMA = {"type": "object", "properties": {"sku": {"type": "string"}}}
THIRTEEN: list[dict[str, Any]] = [
    {"type": "function", "function": {"name": f"f{n}", "parameters": SCHEMA}} for n in range(13)
]
NO_TOOLS: dict[str, Any] = {}


@pytest.mark.parametrize(
    ("tools", "is_declared", "omitted"),
    [
        (NO_TOOLS, False, []),
        ({"tools": None}, False, []),
        ({"tools": [{"type": "function", "function": {"name": "two words"}}]}, False, ["tools[0].function.name"]),
        ({"tools": [*THIRTEEN[:12], {"type": "browser"}]}, False, ["tools[12].type"]),
        ({"tools": [*THIRTEEN[:12], "f12"]}, False, ["tools[12].type"]),
        (
            {"tools": [{"type": "function", "function": {**tool["function"], "title": "T"}} for tool in THIRTEEN]},
            True,
            [f"tools[{n}].function.title" for n in range(13)],
        ),
        ({"tools": THIRTEEN}, True, []),
    ],
    ids=["absent", "null", "the only one refused", "one refused", "a word", "a key in each", "all"],
)
def test_a_source_that_says_less_takes_no_live_tool_away(
    place: Place, tools: dict[str, Any], is_declared: bool, omitted: list[str]
) -> None:
    """Imported, linked and applied, thirteen live functions are thirteen still; what was left out is named."""
    (place.root / ".trueup/local").mkdir(parents=True)
    live = place.ask("POST", "/assistants", {"model": "gpt-4.1", "name": "Shop", "tools": THIRTEEN})
    place.write("shop.json", json.dumps({key: value for key, value in live.items() if key != "tools"} | tools))
    ran = place.run("import", "--from", "shop.json", "--json")
    assert ran.code == (3 if omitted else 0)
    assert [item["path"] for item in ran.json["omitted"]] == omitted
    assert {item["from"] for item in ran.json["omitted"]} <= {"shop.json"}
    text = (place.root / "assistants/shop.yaml").read_text("utf-8")
    assert ("tools:" in text) is is_declared
    assert "title" not in text
    place.write("assistants/shop.yaml", text + "description: Sells.\n")
    assert place.run("import", f"shop={live['id']}").code == 0
    assert place.run("apply", "shop", "--yes").code == 0
    after = place.live()["Shop"]
    assert (after["description"], len(after["tools"])) == ("Sells.", 13)


def test_what_was_left_out_is_counted_and_shown_with_its_place(place: Place) -> None:
    given = {"model": "m", "name": "Bot", "tools": [{"type": "browser"}], "temperature": 3, "x": 1}
    place.write("old.json", json.dumps([given, {"model": "m", "name": "Two", "y": [2]}]))
    for flags in (["--dry-run"], []):
        ran = place.run("import", "--from", "old.json", *flags)
        assert ran.code == 3
        text = " ".join(ran.out.split())
        assert "from old.json, entry 1 " in text
        assert "! tools is not in the definition, and what is live stays as it is: tools[0].type may not be" in text
        assert "! temperature is not in the definition" in text
        assert ran.out.strip().endswith(" 0 there already; of these 2 with omitted values (exit 3).")


def test_a_field_that_the_source_does_not_have_is_not_declared(place: Place) -> None:
    place.write("a.json", '{"model": "m"}')
    assert place.run("import", "--from", "a.json").code == 0
    text = (place.root / "assistants/assistant.yaml").read_text("utf-8")
    assert text.endswith(
        "name: null\nmodel: m\n"
        "lifecycle:\n  ignore_changes:\n    - field: name\n      reason: Its source does not have it.\n"
    )
    place.write("a.json", '{"model": "m", "name": null, "tools": [], "description": null}')
    assert place.run("import", "--from", "a.json").code == 0
    assert (place.root / "assistants/assistant-2.yaml").read_text("utf-8").endswith("name: null\nmodel: m\ntools: []\n")


def test_a_name_that_the_source_does_not_have_stays_as_it_is_live(place: Place) -> None:
    place.applied()
    live = place.ask("POST", "/assistants", {"model": "m", "name": "Theirs"})
    place.write("a.json", '{"model": "m"}')
    assert place.run("import", "--from", "a.json").code == 0
    assert place.run("import", f"assistant={live['id']}").code == 0
    assert "0 to create, 0 to modify, 0 to delete, 0 drifted, 3 unchanged" in place.run("plan").out


def test_the_commands_that_link_what_was_imported_are_printed_and_do_it(hosted: Place) -> None:
    """With the target that is not the default one, the real names and the real ids."""
    text = (hosted.root / "trueup.yaml").read_text("utf-8")
    hosted.write("trueup.yaml", text + "  local: {base_url: local}\ndefault_target: local\n")
    ids = [hosted.ask("POST", "/assistants", {"model": "m", "name": f"Bot {number}"})["id"] for number in range(23)]
    hosted.write("page.json", json.dumps(hosted.ask("GET", "/assistants", query={"limit": "100"})))
    ran = hosted.run("import", "--from", "page.json", "-t", "prod", "-q")
    assert ran.code == 0, ran.out
    assert "Do not apply yet where they are live on prod" in " ".join(ran.err.split())
    commands = [line for line in ran.err.splitlines() if line.startswith("trueup ")]
    assert [len(line.split()) for line in commands] == [2 + 20 + 2, 2 + 3 + 2]
    for line in commands:
        assert hosted.run(*shlex.split(line)[1:]).code == 0
    assert hosted.run("state", "list", "-t", "prod", "--json").json["assistants"] == {
        f"bot-{number}": live_id for number, live_id in enumerate(ids)
    }
    assert "2 to create, 0 to modify, 0 to delete, 0 drifted, 23 unchanged" in hosted.run("plan", "-t", "prod").out
    assert "trueup import" not in hosted.run("import", "--from", "page.json", "-t", "prod").err


def test_an_export_of_this_target_is_linked_and_nothing_else_is_said(hosted: Place) -> None:
    hosted.ask("POST", "/assistants", {"model": "m", "name": "Bot"})
    assert hosted.run("export", "all.json").code == 0
    hosted.write("new/trueup.yaml", (hosted.root / "trueup.yaml").read_text("utf-8"))
    ran = hosted.run("import", "--from", "../all.json", "-C", "new", "--json")
    assert (ran.code, ran.err, ran.json["unlinked"]) == (0, "", {})
    assert len(ran.json["state"]) == 1
    assert "1 unchanged" in hosted.run("plan", "-C", "new").summary


def test_an_export_of_another_target_names_the_import_that_links_it(hosted: Place) -> None:
    text = (hosted.root / "trueup.yaml").read_text("utf-8")
    hosted.write("trueup.yaml", text + "  local: {base_url: local}\ndefault_target: local\n")
    hosted.ask("POST", "/assistants", {"model": "m", "name": "Bot"})
    assert hosted.run("export", "all.json", "-t", "prod").code == 0
    ran = hosted.run("import", "--from", "all.json")
    assert ran.code == 0
    assert " ".join(ran.err.split()) == (
        "all.json is an export of shop/prod, so nothing was linked on local. "
        "To link it there: trueup import --from all.json -t prod"
    )
    assert hosted.run("import", "--from", "all.json", "-t", "prod").err == ""
    assert "bot" in hosted.run("state", "list", "-t", "prod").out


def test_another_projects_export_of_the_same_account_can_be_linked(hosted: Place) -> None:
    live_id = hosted.ask("POST", "/assistants", {"model": "m", "name": "Bot"})["id"]
    hosted.applied()
    assert hosted.run("export", "all.json").code == 0
    hosted.write("new/trueup.yaml", (hosted.root / "trueup.yaml").read_text("utf-8").replace("shop", "store"))
    ran = hosted.run("import", "--from", "../all.json", "-C", "new")
    assert f"trueup import bot={live_id} -C new" in ran.err
    assert "trueup import alpha=" not in ran.err, "it has the stamp of shop"
    assert "../all.json is an export of shop/prod, so nothing was linked on prod." in ran.said


def test_what_is_still_not_linked_is_named_by_the_next_import_too(place: Place) -> None:
    place.applied()
    live = place.ask("POST", "/assistants", {"model": "m", "name": "Bot"})
    place.write("page.json", json.dumps(live))
    for _ in range(2):
        ran = place.run("import", "--from", "page.json")
        assert ran.code == 0
        assert f"Link first: trueup import bot={live['id']}" in ran.said
    assert place.run("import", f"bot={live['id']}").code == 0
    assert "trueup import" not in place.run("import", "--from", "page.json").err


def test_what_has_a_record_needs_no_link_and_gets_no_second_file(place: Place) -> None:
    place.applied()
    live = place.live()
    place.write("live.json", json.dumps([live["alpha"], {**live["beta"], "instructions": "Be else."}]))
    for name in ("alpha.yaml", "team/beta.yaml"):
        (place.root / "assistants" / name).unlink()
    ran = place.run("import", "--from", "live.json", "--json")
    assert [item["name"] for item in ran.json["written"]] == ["alpha", "team/beta"]
    assert ran.json["unlinked"] == {}
    assert "trueup import" not in ran.err
    place.write("live.json", json.dumps({**live["beta"], "name": "Renamed"}))
    again = place.run("import", "--from", "live.json")
    assert again.code == 3
    assert f"{live['beta']['id']} is already team/beta, whose definition differs" in again.out


def test_a_target_of_the_first_api_keeps_its_words(hosted_nowhere: Place) -> None:
    place = hosted_nowhere
    place.replace("trueup.yaml", "api_key:", "dialect: openai-v1, api_key:")
    place.write("v1.json", json.dumps(V1))
    ran = place.run("import", "--from", "v1.json")
    assert ran.code == 0, ran.out
    text = (place.root / "assistants/old-bot.yaml").read_text("utf-8")
    assert "tools: [retrieval]\n" in text
    assert "file_ids: [file-1]\n" in text


def test_a_model_that_the_target_maps_is_told(place: Place) -> None:
    place.write("trueup.yaml", "targets:\n  local: {base_url: local, models: {gpt-4: small}}\n")
    place.write("a.json", '{"model": "gpt-4", "name": "Bot"}')
    ran = place.run("import", "--from", "a.json")
    assert ran.code == 0
    assert "! its model gpt-4 is small on local, as targets.local.models says." in ran.out


def test_live_text_cannot_move_the_cursor(place: Place) -> None:
    place.write("a.json", json.dumps({"model": "m", "name": "\x1b[2Jx", "\x1b]0;t": 1}))
    for flags in ((), ("--dry-run",)):
        assert "\x1b" not in place.run("import", "--from", "a.json", *flags).out
