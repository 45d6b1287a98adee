"""Whatever the API can hold: imported, the next plan is empty, and a second import finds nothing to do.

Whatever a file leaves out of it, or holds beside it that no definition can: once linked, the plan is empty too.
"""

from __future__ import annotations

import io
import json
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.extent import examples
from trueup.cli.main import main
from trueup.core.call import Call
from trueup.local.openai_assistants import Server

ODD = ["\n", "\n\n", " ", "\t", "\x85", "\u2028", "\ufeff", "\r\n", "# ", ": ", "- ", "{var: x}", "---", "é", "😀", "x"]
texts = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    st.lists(st.sampled_from(ODD), max_size=10).map("".join),
)
lines = st.text(st.characters(codec="ascii"), min_size=1, max_size=30)
long_texts = st.builds(lambda line, count: f"{line}\n" * count + line, lines, st.integers(15, 60))
words = st.from_regex(r"[A-Za-z_][A-Za-z0-9_-]{0,8}", fullmatch=True)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=4,
)
parameters = st.builds(
    lambda names, extra: {"type": "object", "properties": {name: {"type": "string"} for name in names}, **extra},
    st.lists(texts, max_size=3),
    st.dictionaries(st.sampled_from(["x-note", "default", "examples"]), st.lists(json_values, max_size=2), max_size=1),
)
functions = st.builds(
    lambda name, more: {"type": "function", "function": {"name": name, **more}},
    st.sampled_from(["get_weather", "Get_Weather", "con", "_x", "f-1"]),
    st.fixed_dictionaries({}, optional={"description": texts, "parameters": parameters, "strict": st.booleans()}),
)
searches = st.sampled_from(
    [
        {"type": "file_search"},
        {"type": "file_search", "file_search": {"max_num_results": 20}},
        {"type": "file_search", "file_search": {"max_num_results": 3, "ranking_options": {"score_threshold": 0.5}}},
        {"type": "file_search", "file_search": {"ranking_options": {"ranker": "auto", "score_threshold": 0}}},
    ]
)
tools = st.lists(
    st.one_of(st.just({"type": "code_interpreter"}), searches, functions),
    max_size=3,
    unique_by=lambda tool: tool.get("function", {}).get("name", tool["type"]),
)
formats = st.sampled_from(
    [
        "auto", {"type": "text"}, {"type": "json_object"},
        {"type": "json_schema", "json_schema": {"name": "n", "strict": True, "schema": {"type": "object"}}},
    ]
)  # fmt: skip
bodies: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"model": st.sampled_from(["gpt-4.1", "no", "1e3", "a: b"])},
    optional={
        "name": st.sampled_from(["Bot", "bot", "", "No", "../x"]) | texts,
        "description": texts,
        "instructions": texts | long_texts,
        "tools": tools,
        "metadata": st.dictionaries(st.sampled_from(["var", "file", "a b", "<<", "~"]) | words, texts, max_size=3),
        "tool_resources": st.sampled_from(
            [{"code_interpreter": {"file_ids": ["f-1"]}}, {"file_search": {"vector_store_ids": ["vs_1"]}}, {}]
        ),
        "temperature": st.floats(0, 2) | st.none(),
        "top_p": st.floats(0, 1),
        "response_format": formats,
        "reasoning_effort": st.sampled_from(["low", None]),
    },
)


@contextmanager
def project(live: list[dict[str, Any]], target: str = "") -> Iterator[Path]:
    """Make a folder without a definition, whose embedded server holds these assistants."""
    here = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        os.chdir(root)
        try:
            (root / ".trueup/local").mkdir(parents=True)
            with Server(root / ".trueup/local/openai-assistants.db") as server:
                for body in live:
                    reply = server.answer(Call("POST", "/assistants", {}, body))
                    assert reply.status == 200, reply.text
            if target:
                (root / "trueup.yaml").write_text(f"targets:\n  local: {{base_url: local, {target}}}\n")
            yield root
        finally:
            os.chdir(here)


@settings(max_examples=25, deadline=None)
@given(live=st.lists(bodies, min_size=1, max_size=4))
def test_the_plan_after_an_import_is_empty(live: list[dict[str, Any]]) -> None:
    with project(live) as root:
        done, said = _import(root)
        assert len(done["written"]) == len(live)
        number = len(live)
        counted = f"{number} unchanged; of these {number} not stamped."
        assert said == f"Plan: 0 to create, 0 to modify, 0 to delete, 0 drifted, {counted}"
        again = json.loads(_output(["import", "--json"]))
        assert (again["written"], again["linked"], len(again["managed"])) == ([], [], number)


@settings(max_examples=8, deadline=None)
@given(live=st.lists(bodies, min_size=1, max_size=3))
def test_lost_state_is_found_again_in_the_files_that_say_the_same(live: list[dict[str, Any]]) -> None:
    """As after a kill between the last file and state: nothing is written twice."""
    with project(live) as root:
        _import(root)
        files = {path: path.read_bytes() for path in (root / "assistants").rglob("*") if path.is_file()}
        (root / ".trueup/local/local.state.json").unlink()
        code, text = _run(["import", "--json"])
        again = json.loads(text)
        assert again["written"] == []
        assert len(again["linked"]) + sum(len(group["ids"]) for group in again["ambiguous"]) == len(live)
        assert {path: path.read_bytes() for path in files} == files
        assert code == (3 if again["ambiguous"] else 0)


@settings(max_examples=8, deadline=None)
@given(live=st.lists(bodies, min_size=1, max_size=3))
def test_with_stamps_as_state_the_stamps_are_written_and_the_plan_is_empty(live: list[dict[str, Any]]) -> None:
    with project(live, "state: stamps") as root:
        done, said = _import(root, "--yes")
        number = len(done["written"])
        assert number == len(live)
        assert said == f"Plan: 0 to create, 0 to modify, 0 to delete, 0 drifted, {number} unchanged."
        assert not list(root.glob(".trueup/**/*.state.json"))


@settings(max_examples=8, deadline=None)
@given(live=st.lists(bodies, min_size=1, max_size=3))
def test_an_export_of_the_target_gives_the_same_files_and_state(live: list[dict[str, Any]]) -> None:
    with project(live) as root:
        assert _run(["export", "live.json"])[0] == 0
        plain, _ = _import(root)
        first = {path.relative_to(root): path.read_bytes() for path in (root / "assistants").rglob("*.*")}
        state = (root / ".trueup/local/local.state.json").read_bytes()
        for path in first:
            (root / path).unlink()
        (root / ".trueup/local/local.state.json").unlink()
        again = json.loads(_output(["import", "--from", "live.json", "--json"]))
        assert again["written"] == plain["written"]
        assert {path.relative_to(root): path.read_bytes() for path in (root / "assistants").rglob("*.*")} == first
        assert (root / ".trueup/local/local.state.json").read_bytes() == state


REFUSED = [{"type": "browser"}, {"type": "function", "function": {"name": "two words"}}, {"type": "function"}, 7, None]
WRONG: dict[str, list[Any]] = {
    "description": [7, ["x"]],
    "instructions": [{"file": "x"}, 7],
    "temperature": ["hot", 9, True],
    "top_p": ["1", -1],
    "tools": ["", {}, 0, False, None, [7], [{}]],
    "metadata": ["x", ["y"], {"k": 1}, {"k": None}],
    "tool_resources": ["x", [], {"file_search": {"vector_store_ids": "vs_1"}}, {"code_interpreter": 3}],
    "response_format": ["json", {"type": "json_schema"}, {"type": "xml"}],
    "reasoning_effort": ["", 3],
}


@st.composite
def poorer_sources(draw: st.DrawFn, live: dict[str, Any]) -> dict[str, Any]:
    """Draw an answer of the API that lacks fields, has values that no definition can hold, and keys of its own."""
    source = {**live, "tools": [dict(tool) for tool in live["tools"]]}
    for index, tool in enumerate(source["tools"]):
        if draw(st.booleans()):
            inner = tool.get("function") if draw(st.booleans()) else None
            source["tools"][index] = {**tool, "function": {**inner, "x-own": 1}} if inner else {**tool, "x-own": [1]}
    if draw(st.booleans()):
        place = draw(st.integers(0, len(source["tools"])))
        source["tools"][place : place + draw(st.integers(0, 1))] = [draw(st.sampled_from(REFUSED))]
    for key in draw(st.sets(st.sampled_from(sorted(WRONG)), max_size=2)):
        source[key] = draw(st.sampled_from(WRONG[key]))
    for key in draw(st.sets(st.sampled_from([*sorted(WRONG), "name"]), max_size=3)):
        source.pop(key, None)
    return source | draw(st.sampled_from([{}, {"x-own": {"a": 1}}, {"lifecycle": {}, "created_by": "me"}]))


@settings(max_examples=examples(60), deadline=None)
@given(data=st.data(), body=bodies)
def test_a_file_that_says_less_than_what_is_live_takes_nothing_away(data: st.DataObject, body: dict[str, Any]) -> None:
    with project([body]) as root:
        (live,) = json.loads(_output(["export", "-"]))["assistants"]
        answer = {**live["body"], "id": live["id"], "object": "assistant"}
        source = data.draw(poorer_sources(answer))
        _is_linked_without_a_change(root, "a.json", source)


@settings(max_examples=40, deadline=None)
@given(
    body=bodies,
    tools=st.lists(
        st.one_of(st.sampled_from([{"type": "code_interpreter"}, {"type": "file_search"}]), functions),
        max_size=3,
        unique_by=lambda tool: tool.get("function", {}).get("name", tool["type"]),
    ),
    shape=st.sampled_from(["nested", "blocks", "flat", "text", "function_definition", "words"]),
)
def test_a_state_of_terraform_takes_nothing_away(body: dict[str, Any], tools: list[Any], shape: str) -> None:
    """In the shape of each provider; none of them has a word for `strict`."""
    tools = [
        {**tool, "function": {**tool["function"], "strict": False}} if "function" in tool else tool for tool in tools
    ]
    with project([{**body, "tools": tools}]) as root:
        (live,) = json.loads(_output(["export", "-"]))["assistants"]
        kept = {key: live["body"].get(key) for key in ("name", "description", "instructions", "model", "temperature")}
        resources = live["body"].get("tool_resources") or None
        attributes = {
            **kept, "id": live["id"], "tools": [_terraform_tool(tool, shape) for tool in live["body"]["tools"]],
            "tool_resources": [resources] if shape == "blocks" and resources else resources,
            "metadata": live["body"].get("metadata") if shape != "flat" else None,
        }  # fmt: skip
        entry = {"type": "openai_assistant", "name": "x", "instances": [{"attributes": attributes}]}
        _is_linked_without_a_change(root, "t.tfstate", {"terraform_version": "1", "resources": [entry]})


def _terraform_tool(tool: dict[str, Any], shape: str) -> Any:
    """Write a tool as a Terraform provider keeps it."""
    if shape == "words":
        return tool["type"]
    if "function" not in tool:
        return {"type": tool["type"], "function": [] if shape == "blocks" else None}
    inner = {key: value for key, value in tool["function"].items() if key in ("name", "description", "parameters")}
    if shape in ("text", "function_definition"):
        key = "function" if shape == "text" else shape
        return {"type": "function", key: json.dumps(inner)}
    if "parameters" in inner:
        inner["parameters"] = json.dumps(inner["parameters"])
    if shape == "flat":
        return {"type": "function", **inner}
    return {"type": "function", "function": [inner] if shape == "blocks" else inner}


def _is_linked_without_a_change(root: Path, file: str, source: Any) -> None:
    """Assert that the file becomes a definition and, linked to what is live, changes nothing."""
    (root / file).write_text(json.dumps(source), "utf-8")
    code, text = _run(["import", "--from", file, "--json"])
    if code == 1:
        return  # nothing in it is an assistant
    done = json.loads(text)
    assert (code == 3) is bool(done["omitted"] or done["left_out"]), done
    for name, live_id in done["unlinked"].items():
        _output(["import", f"{name}={live_id}"])
        said = _output(["plan"]).strip().split("\n")
        assert said[-1].startswith("Plan: 0 to create, 0 to modify, 0 to delete, 0 drifted, 1 unchanged"), said


def _import(root: Path, *flags: str) -> tuple[Any, str]:
    """Run an import; return its answer and the last line of the plan after it."""
    dry = json.loads(_output(["import", "--dry-run", "--json"]))
    assert not (root / "assistants").exists()
    done = json.loads(_output(["import", "--json", *flags]))
    assert done["written"] == dry["written"]
    for file, text in dry["files"].items():
        assert (root / file).read_bytes() == text.encode("utf-8")
    for item in done["written"]:
        assert re.fullmatch(r"assistants/[^/\\:*?\"<>|]+\.(yaml|md)", item["file"])
    return done, _output(["plan"]).strip().split("\n")[-1]


def _output(arguments: list[str]) -> str:
    """Return what a command prints; it leaves nothing out, or names it."""
    code, text = _run(arguments)
    assert code == 0 or (code == 3 and json.loads(text)["omitted"]), text[:2000]
    return text


def _run(arguments: list[str]) -> tuple[int, str]:
    """Run a command; return its exit code and stdout."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main(arguments)
    return code, out.getvalue() if code in (0, 3) else out.getvalue() + err.getvalue()
