"""Whatever the API can hold: imported, the next plan is empty, and a second import finds nothing to do."""

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
    """A folder without a definition, whose embedded server holds these assistants."""
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


def _import(root: Path, *flags: str) -> tuple[Any, str]:
    """What an import answers, and the last line of the plan after it."""
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
    code, text = _run(arguments)
    assert code == 0, text
    return text


def _run(arguments: list[str]) -> tuple[int, str]:
    """A command's exit code, and what it says on stdout."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main(arguments)
    return code, out.getvalue() if code in (0, 3) else out.getvalue() + err.getvalue()
