"""What a server refuses at apply is shown where it stands in the files, whatever shape its answer has."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.cli.place import Place
from tests.ran import Ran
from trueup.local.faults import Fault, Kind

Arm = Callable[..., None]

FUNCTION = """\
  - type: function
    function:
      name: {}
      parameters:
        type: object
        properties:
          city: {{type: string}}
"""
FULL = (
    "model: gpt-4.1\n"  # 1
    "temperature: 0.3\n"  # 2
    "instructions: |\n  Be kind.\n"  # 3, 4
    "metadata:\n  owner: bea\n  team.lead: cy\n"  # 5, 6, 7
    "tools:\n"  # 8
    "  - code_interpreter\n"  # 9
    + FUNCTION.format("one")  # 10
    + FUNCTION.format("two")  # 17
)
LATER = "description: new\n"


def openai(message: str, param: str | None, code: str | None = None) -> Any:
    return {"error": {"message": message, "type": "invalid_request_error", "param": param, "code": code}}


SCHEMA = "Invalid schema for function 'two': In context=('properties', 'city'), 'kind' is not permitted."
LITELLM = (
    "litellm.BadRequestError: OpenAIException - Error code: 400 - {'error': {'message': \"" + SCHEMA + '", '
    "'type': 'invalid_request_error', 'param': 'tools[2].function.parameters', 'code': None}}"
)
SHAPES = {
    "param": (openai(SCHEMA, "tools[2].function.parameters"), 21, 9),
    "deep": (openai(SCHEMA, "tools[2].function.parameters.properties.city.type"), 23, 24),
    "beyond what the file holds": (openai("Unknown", "tools[2].function.strict.x"), 19, 7),
    "a bare word": (openai("Invalid value", "tools[0].type"), 9, 5),
    "length": (
        openai(
            "Invalid 'instructions': string too long. Expected a string with maximum length 256000, but got a string "
            "with length 300000 instead.", "instructions", "string_above_max_length",
        ), 3, 15,
    ),
    "only in the message": (openai("Invalid 'tools[1].function.name': string does not match pattern.", None), 12, 13),
    "unquoted in the message": (openai("tools.1.function.name is not allowed", None), 12, 13),
    "a key with a dot": (openai("Invalid 'metadata.team.lead': string too long.", "metadata.team.lead"), 7, 14),
    "a field of the whole": (openai("Too many", "metadata"), 6, 3),
    "a gateway that passes it on": (
        {"error": {"message": f"openai error: {SCHEMA}", "param": "tools[2].function.parameters"}, "provider": "x"},
        21, 9,
    ),
    "a gateway that repeats it as text": ({"error": {"message": LITELLM, "param": "None", "code": "400"}}, 21, 9),
    "a gateway's own": (
        {"status": "failure", "message": "Invalid body", "errors": [{"path": "tools[1].function.name"}]}, 12, 13,
    ),
    "FastAPI": (
        {"detail": [{"type": "string_type", "loc": ["body", "tools", 2, "function", "name"], "msg": "Not a string"}]},
        19, 13,
    ),
    "FastAPI, kinds of a union among the steps": (
        {"detail": [{"loc": ["body", "tools", 2, "ToolFunction", "function", "name"], "msg": "Not a string"}]}, 19, 13,
    ),
    "a problem document": (
        {"type": "about:blank", "title": "Invalid", "status": 422, "detail": "Your request is invalid",
         "validation": [{"location": ["body", "tools", "2", "function"], "severity": "Error", "message": "no"}]},
        19, 7,
    ),
    "a pointer": ({"errors": [{"pointer": "/tools/2/function/name", "message": "no"}]}, 19, 13),
    "a field that no file has": (openai("Unknown parameter: 'seed'.", "seed"), 1, 1),
}  # fmt: skip


def refused(place: Place, *arguments: str) -> tuple[Ran, Any]:
    """Run an apply that fails for `full`; return it and the place that it names."""
    ran = place.run("apply", *arguments, "--json")
    assert ran.code == 5, ran.out + ran.err
    outcome = next(item for item in ran.json["outcomes"] if item["result"] == "failed")
    return ran, outcome


def at(outcome: Any) -> tuple[str, int, int]:
    position = outcome["position"]
    return position["file"], position["line"], position["column"]


@pytest.mark.exhaustive
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("saved", [False, True], ids=["now", "saved"])
def test_a_refused_create_leads_to_its_line(hosted: Place, faulty: Arm, shape: str, saved: bool) -> None:
    body, line, column = SHAPES[shape]
    hosted.write("assistants/full.yaml", FULL)
    assert hosted.run("plan", "--out", "p.plan").code == 0
    faulty(Fault(Kind.ANSWER, "POST", "/", having='"full"', status=400, body=body))
    _, outcome = refused(hosted, *(["p.plan"] if saved else ["--yes"]))
    assert at(outcome) == ("assistants/full.yaml", line, column)
    assert outcome["message"].startswith("HTTP 400: ")


def test_a_refusal_that_names_no_place_leads_to_the_file_and_one_of_the_sender_to_none(
    hosted: Place, faulty: Arm
) -> None:
    hosted.write("assistants/full.yaml", FULL)
    for status, place in ((400, ("assistants/full.yaml", 1, 1)), (413, ("assistants/full.yaml", 1, 1)), (403, None)):
        faulty(Fault(Kind.ANSWER, "POST", "/", having='"full"', status=status, body=openai("No.", None)))
        _, outcome = refused(hosted, "full", "--yes")
        assert (at(outcome) if place else outcome["position"]) == place


@pytest.mark.parametrize("saved", [False, True], ids=["now", "saved"])
def test_so_does_a_refused_modify_and_every_format_says_it(hosted: Place, faulty: Arm, saved: bool) -> None:
    hosted.write("assistants/full.yaml", FULL)
    hosted.applied()
    hosted.replace("assistants/full.yaml", "{type: string}", "{type: number}")
    for form, wanted in (
        ("text", "assistants/full.yaml:19:13: HTTP 400"),
        ("github", "::error file=assistants/full.yaml,line=19,col=13,"),
        ("markdown", "assistants/full.yaml:19:13"),
        ("html", "assistants/full.yaml:19:13"),
    ):
        assert hosted.run("plan", "--out", "p.plan").code == 0
        faulty(Fault(Kind.ANSWER, "POST", "/", status=400, body=openai("Invalid name", "tools[2].function.name")))
        ran = hosted.run("apply", *(["p.plan"] if saved else ["--yes"]), "--format", form)
        assert ran.code == 5
        assert wanted in ran.out


def test_what_a_file_extends_includes_or_says_of_a_target_is_named_itself(hosted: Place, faulty: Arm) -> None:
    vars_ = "vars: {heat: 0.4}\n"
    path = hosted.root / "trueup.yaml"
    path.write_text(vars_ + path.read_text("utf-8"), encoding="utf-8")
    hosted.write("assistants/_base.yaml", "model: gpt-4.1\ntop_p: 0.5\n")
    hosted.write("assistants/_tool.yaml", "type: function\nfunction:\n  name: lookup\n")
    hosted.write("assistants/_schema.json", '{\n  "type": "object",\n  "properties": {}\n}\n')
    hosted.write("assistants/_shared.md", "Be kind.\n")
    hosted.write(
        "assistants/full.yaml",
        "extends: _base.yaml\n"
        "temperature: {var: heat}\n"
        "instructions: {file: _shared.md}\n"
        "tools:\n"
        "  - file: _tool.yaml\n"
        "  - {type: function, function: {name: x, parameters: {file: _schema.json}}}\n"
        "targets:\n  prod:\n    metadata: {owner: ann}\n",
    )
    for param, file, line in (
        ("model", "assistants/_base.yaml", 1),
        ("top_p", "assistants/_base.yaml", 2),
        ("temperature", "trueup.yaml", 1),
        ("instructions", "assistants/_shared.md", 1),
        ("tools[0].function.name", "assistants/_tool.yaml", 3),
        ("tools[1].function.parameters.properties", "assistants/_schema.json", 3),
        ("tools[1].function.name", "assistants/full.yaml", 6),
        ("metadata.owner", "assistants/full.yaml", 9),
        ("name", "assistants/full.yaml", 1),
    ):
        faulty(Fault(Kind.ANSWER, "POST", "/", having='"full"', status=400, body=openai("Invalid", param)))
        _, outcome = refused(hosted, "full", "--yes")
        assert at(outcome)[:2] == (file, line), param


def test_front_matter_and_body_of_markdown_have_their_own_lines(hosted: Place, faulty: Arm) -> None:
    hosted.write("assistants/full.md", "---\nmodel: gpt-4.1\nmetadata:\n  owner: bea\n---\n\nBe kind.\n")
    for param, line in (("metadata.owner", 4), ("instructions", 7), ("model", 2)):
        faulty(Fault(Kind.ANSWER, "POST", "/", having='"full"', status=400, body=openai("Invalid", param)))
        _, outcome = refused(hosted, "full", "--yes")
        assert at(outcome)[:2] == ("assistants/full.md", line), param


@pytest.mark.parametrize(
    "param",
    [
        "x" * 100_000,
        "tools[99999999999999999999].a",
        "[" * 5_000,
        "tools[2]" * 3_000,
        "\x1b[31m::error::",
        "..",
        "\u202e",
    ],
)
def test_a_hostile_place_breaks_nothing(hosted: Place, faulty: Arm, param: str) -> None:
    hosted.write("assistants/full.yaml", FULL)
    faulty(Fault(Kind.ANSWER, "POST", "/", having='"full"', status=400, body=openai(param, param)))
    ran = hosted.run("apply", "full", "--yes", "--format", "github")
    assert ran.code == 5
    assert "\x1b" not in ran.out
    assert all(line.startswith(("::error file=assistants/full.yaml,", "Applied: ")) for line in ran.out.splitlines())


def test_a_server_that_speaks_of_what_it_holds_is_not_told_to_want_it_always(hosted: Place, faulty: Arm) -> None:
    hosted.write("assistants/full.yaml", FULL)
    hosted.applied()
    hosted.write("assistants/full.yaml", FULL + LATER)
    words = "Unsupported parameter: 'temperature' is not supported with this model."
    faulty(Fault(Kind.ANSWER, "POST", "/", status=400, body=openai(words, None, "unsupported_parameter")))
    _, outcome = refused(hosted, "--yes")
    assert at(outcome)[1] == 2
    assert "always_send" not in json.dumps(outcome)
