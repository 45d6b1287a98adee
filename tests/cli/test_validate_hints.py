"""What `validate` proposes: the words of the file again, as they have to be written."""

from __future__ import annotations

import shlex
from typing import Any

import pytest

from tests.cli.place import Place, find_problems, validate_text
from trueup.core.source import dotted


@pytest.mark.parametrize("word", ["no", "No", "off"])
def test_a_no_for_a_target_is_said_to_be_text(place: Place, word: str) -> None:
    assert find_problems(place, f"model: m\ntargets: {{local: {word}}}\n") == [("wrong-patch", "targets.local")]
    assert "`no` is a text. Write false" in validate_text(place)


def test_a_list_for_a_variable_is_told_how_to_be_written(place: Place) -> None:
    find_problems(place, "model: m\ntools: {var: tt}\n")
    shown = validate_text(place, "--var", "tt=[file_search]")
    assert "--var tt: '[file_search]' is not a list in JSON, which tools needs" in shown
    assert """--var 'tt=["file_search"]'""" in shown
    assert "Expecting" not in shown


@pytest.mark.parametrize(
    ("text", "proposed"),
    [
        ("[01234]", '["01234"]'),
        ("[+4930123, 1e3]", '["+4930123", "1e3"]'),
        ("[1.10]", '["1.10"]'),
        ('["a", 0x1F,true]', '["a", "0x1F", "true"]'),
        ("[it's]", '["it\'s"]'),
        ('["a, b", 1]', '["a, b", "1"]'),
        ("[{}]", '["{}"]'),
        ('["a', '["a"]'),
        ("[[1]]", '["[1]"]'),
    ],
)
def test_a_list_for_a_variable_is_proposed_in_the_words_that_were_passed(
    place: Place, text: str, proposed: str
) -> None:
    place.write("assistants/a.yaml", STORES.replace("IDS", "{var: ids}"))
    found = place.run("validate", "--var", f"ids={text}", "--json").json["diagnostics"]
    assert [one["code"] for one in found] == ["var-wrong-type"]
    assert found[0]["hint"].endswith(f"--var {shlex.quote(f'ids={proposed}')}.")
    assert place.run("validate", "--var", f"ids={proposed}").code == 0


STORES = "model: m\ntools: [code_interpreter]\ntool_resources: {code_interpreter: {file_ids: IDS}}\n"


WORDS = ("01234", "+4930123", "0x1F", "0o17", "1e3", "1.10", ".5", "-0", "12.", "true", "TRUE", "False")


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize(
    ("project", "definition"),
    [
        ("", "model: m\nmetadata:\n  zip: WORD\n"),
        ("", "model: m\nmetadata: {a: b, zip: WORD, c: d}\n"),
        ("", "model: m\nmetadata:\n  zip:   WORD   # a comment\n"),
        ("", "model: m\nmetadata: {zip: &anchor WORD}\n"),
        ("", '{"model": "m", "metadata": {"zip": WORD}}\n'),
        ("", STORES.replace("IDS", "[vs_1, WORD]")),
        ("vars: {zip: WORD}\n", "model: m\nmetadata: {zip: {var: zip}}\n"),
        ("targets: {local: {vars: {a: [WORD]}}}\n", STORES.replace("IDS", "{var: a}")),
        ("", "extends: _base.yaml\n"),
    ],
)
def test_a_hint_repeats_the_words_of_the_file(place: Place, project: str, definition: str, word: str) -> None:
    files = {"trueup.yaml": project, "assistants/a.yaml": definition}
    files["assistants/_base.yaml"] = "model: m\nmetadata: {zip: WORD}\n"

    def found(written: str) -> list[dict[str, Any]]:
        for name, text in files.items():
            place.write(name, text.replace("WORD", written))
        return list(place.run("validate", "--json").json["diagnostics"])

    assert [(one["code"], one["hint"]) for one in found(word)] == [
        ("wrong-type", f'Put it in quotes to make it text: "{word}".')
    ]
    assert found(f'"{word}"') == []


@pytest.mark.parametrize("word", ["1_000", "12:30", "2026-01-31", "yes", "no", "on", "1.2.3", "vs_1"])
def test_a_word_that_yaml_takes_for_text_is_text(place: Place, word: str) -> None:
    assert find_problems(place, f"model: m\nmetadata: {{zip: {word}}}\n") == []


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ('"01234"', 'Write it as a list: ["01234"].'),
        ("'01234'", "Write it as a list: ['01234']."),
        ("vs_1", "Write it as a list: [vs_1]."),
        ('"vs_\\x31"', "Write it as a list, such as `[a, b]`."),
        ('"vs_1, vs_2"', "Write it as a list, such as `[a, b]`."),
    ],
)
def test_a_list_is_proposed_in_the_words_of_the_file(place: Place, written: str, hint: str) -> None:
    find_problems(place, STORES.replace("IDS", written))
    found = place.run("validate", "--json").json["diagnostics"]
    assert [(one["code"], one["hint"]) for one in found] == [("wrong-type", hint)]


def test_keys_and_numbers_are_proposed_as_they_are_written(place: Place) -> None:
    texts = (
        "metadata: {012: a, 0x1F: b, ~: c}",
        "temperature: 1e400",
        "tools: [{type: function, function: {name: f, parameters: {type: object, maximum: 09007199254740993}}}]",
    )
    find_problems(place, "\n".join(["model: m", *texts]))
    hints = [one["hint"] for one in place.run("validate", "--json").json["diagnostics"]]
    words = ('"012"', '"0x1F"', '"~"', '"1e400"', '"09007199254740993"')
    assert [hint.rpartition(": ")[2] for hint in hints] == [f"{word}." for word in words]


INCLUDED = {
    "": "Write what is included into it.",
    "text\n": "Write a mapping, or a list of tools.",
    "name:x\n": "Put a space after the colon, as in `key: value`.",
    "- nonsense\n": "Write 'code_interpreter' or 'file_search' or 'function'.",
}


@pytest.mark.parametrize("where", ["tool", "schema"])
@pytest.mark.parametrize("text", INCLUDED)
def test_a_hint_for_an_included_file_does_not_speak_of_a_definition(place: Place, text: str, where: str) -> None:
    tool = {
        "tool": "{file: _part.yaml}",
        "schema": "{type: function, function: {name: f, parameters: {file: _part.yaml}}}",
    }
    find_problems(place, f"model: m\ntools: [{tool[where]}]\n", _part=text)
    [found] = place.run("validate", "--json").json["diagnostics"]
    assert found["position"]["file"] == "assistants/_part.yaml"
    assert "model" not in found["hint"]
    if where == "tool" or not text.startswith("-"):
        assert found["hint"] == INCLUDED[text]


def test_a_list_of_tools_that_looks_like_a_definition_is_told_its_name(place: Place) -> None:
    find_problems(place, "model: m\ntools: [{file: tools.yaml}]\n", tools="- file_search\n")
    found = {one["code"]: one["hint"] for one in place.run("validate", "--json").json["diagnostics"]}
    assert found.keys() == {"file-is-definition", "not-a-mapping"}
    assert all("name that starts with _" in hint for hint in found.values())


def test_a_mistake_in_a_list_of_tools_is_shown_in_its_file(place: Place) -> None:
    text = '[\n\t"file_search",\n\t{"type": "function", "function": {"name": "a b"}}\n]\n'
    place.write("assistants/_tools.json", text)
    find_problems(
        place, "model: m\ntools:\n- code_interpreter\n- file: _tools.json\n- {type: function, function: {name: c d}}\n"
    )
    found = place.run("validate", "--json").json["diagnostics"]
    assert [(one["position"]["file"], one["position"]["line"], dotted(tuple(one["path"]))) for one in found] == [
        ("assistants/_tools.json", 3, "tools[2].function.name"),
        ("assistants/a.yaml", 5, "tools[3].function.name"),
    ]


def test_a_file_that_was_probably_meant_is_asked_for(place: Place) -> None:
    place.write("assistants/_part.yaml", "model: m\n")
    find_problems(place, "extends: _prat.yaml\n")
    assert "did you mean '_part.yaml'?" in validate_text(place)


def test_a_project_file_that_is_a_list_is_told_how_a_project_starts(place: Place) -> None:
    place.write("trueup.yaml", "- a\n")
    ran = place.run("validate")
    assert ran.code == 1
    assert "model:" not in ran.err
    assert "`targets:`" in ran.err
