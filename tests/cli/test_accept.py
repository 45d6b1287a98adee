"""`accept`: what is live goes into the lines of its value, the next plan has nothing left, and nothing else changes.

A case is a folder of data: `files` are applied, `live` is what somebody then makes of the assistants, `edits` what
somebody makes of the files, `command` the arguments; `said` and `after` are what came of it. TRUEUP_REGOLD rewrites.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cli.place import Place
from trueup.core.acceptance.placing import to_file_value
from trueup.core.call import Call
from trueup.core.canonical import canonical, same
from trueup.core.field_table import FieldTable
from trueup.core.projects.project import Target
from trueup.local.openai_assistants import Server
from trueup.wire.openai_assistants.fields import DEFINITIONS
from trueup.wire.registry import adapter_for

CASES = Path(__file__).parents[1] / "golden" / "accept"
GIT = shutil.which("git")
KEPT = ".trueup/local/local~accepted.journal"
"""What the checkout keeps of it, which is `test_accept_twice`'s."""


def _tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def _put(folder: Path, tree: dict[str, bytes]) -> None:
    for name, content in tree.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def _ready(case: Path, place: Place) -> None:
    """Apply and commit the case's files, then change both sides."""
    shutil.rmtree(place.root / "assistants")
    _put(place.root, _tree(case / "files"))
    place.applied()
    if GIT and not (case / "no-git").exists():
        for words in (
            ("init", "-q"),
            ("add", "-A"),
            ("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "a"),
        ):
            subprocess.run(["git", *words], cwd=place.root, check=True, capture_output=True)
    for name, body in json.loads((case / "live.json").read_text("utf-8")).items():
        place.poke(name, body)
    if (case / "edits").is_dir():
        _put(place.root, _tree(case / "edits"))


@pytest.mark.parametrize("case", sorted(path.name for path in CASES.iterdir() if path.is_dir()))
def test_what_is_live_goes_into_the_lines_of_its_value(case: str, place: Place) -> None:
    folder = CASES / case
    _ready(folder, place)
    before = place.files()
    ran = place.run("accept", *(folder / "command").read_text("utf-8").split())
    said = f"exit {ran.code}\n--- stdout\n{ran.out}--- stderr\n{ran.err}"
    changed = {name: content for name, content in place.files().items() if before.get(name) != content}
    changed = {name: content for name, content in changed.items() if not name.startswith((".git/", KEPT))}
    if os.environ.get("TRUEUP_REGOLD"):
        (folder / "said.txt").write_text(said, encoding="utf-8")
        shutil.rmtree(folder / "after", ignore_errors=True)
        _put(folder / "after", changed)
    assert said == (folder / "said.txt").read_text("utf-8")
    assert changed == _tree(folder / "after")


@pytest.mark.skipif(GIT is None, reason="git is not installed")
@pytest.mark.parametrize("case", ["block-text", "line-endings", "markdown-body", "no-final-newline"])
def test_the_patch_is_what_git_applies_and_nothing_is_written(case: str, place: Place) -> None:
    _ready(CASES / case, place)
    before = place.files()
    ran = place.run("accept", *(CASES / case / "command").read_text("utf-8").split(), "--patch")
    assert place.files() == before
    subprocess.run(["git", "apply", "--whitespace=nowarn"], cwd=place.root, input=ran.out.encode(), check=True)
    for name, content in _tree(CASES / case / "after").items():
        assert (place.root / name).read_bytes() == content


def test_the_next_plan_has_nothing_left_of_it(place: Place) -> None:
    place.applied()
    place.poke("alpha", {"temperature": 0.7, "instructions": "New.\n", "tools": [{"type": "file_search"}]})
    ran = place.run("accept", "alpha", "temperature", "instructions", "tools")
    assert ran.code == 0, ran.out + ran.err
    assert place.run("plan", "--detailed-exitcode").code == 0
    assert place.run("drift").code == 0


def test_it_only_reads_what_is_live(place: Place) -> None:
    place.applied()
    place.poke("alpha", {"temperature": 0.7})
    before = place.live()
    state = (place.root / ".trueup/local/local.state.json").read_bytes()
    assert place.run("accept", "alpha").code == 0
    assert place.live() == before
    assert (place.root / ".trueup/local/local.state.json").read_bytes() == state


def test_mode_stays_and_a_second_run_has_nothing_to_take(place: Place) -> None:
    place.applied()
    path = place.root / "assistants/alpha.yaml"
    path.chmod(0o640)
    place.poke("alpha", {"temperature": 0.7})
    assert place.run("accept", "alpha").code == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    again = place.run("accept", "alpha")
    assert (again.code, again.out) == (
        0,
        "alpha: no field was changed manually.\n\nAccept: 0 taken, 0 merged, 0 the same already.\n",
    )


def test_no_link_is_followed(place: Place) -> None:
    place.applied()
    place.poke("alpha", {"temperature": 0.7})
    path = place.root / "assistants/alpha.yaml"
    path.rename(place.root / "outside.yaml")
    path.symlink_to(place.root / "outside.yaml")
    before = (place.root / "outside.yaml").read_bytes()
    assert place.run("accept", "alpha").code == 1
    assert (place.root / "outside.yaml").read_bytes() == before


def test_a_file_that_changed_meanwhile_is_not_overwritten(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.applied()
    place.poke("alpha", {"temperature": 0.7})
    from trueup.cli.commands import accepting

    def meanwhile(*_: Any) -> None:
        place.write("assistants/alpha.yaml", "model: gpt-5\n")

    monkeypatch.setattr(accepting, "_confirm", meanwhile)
    ran = place.run("accept", "alpha")
    assert ran.code != 0
    assert (place.root / "assistants/alpha.yaml").read_text() == "model: gpt-5\n"


def test_json_tells_all(place: Place) -> None:
    place.applied()
    place.poke("alpha", {"temperature": 0.7})
    found = place.run("accept", "alpha", "--json").json
    assert (found["kind"], found["written"]) == ("accept", True)
    assert [(item["name"], item["ending"]) for item in found["fields"]] == [("temperature", "taken")]
    assert found["files"][0]["patch"].startswith("--- a/assistants/alpha.yaml\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nobody",), "No assistant matches"),
        (("alpha", "temprature"), "Did you mean 'temperature'?"),
        (("*",), "matches 2 assistants"),
    ],
)
def test_who_and_what_must_be_clear(arguments: tuple[str, ...], words: str, place: Place) -> None:
    place.applied()
    ran = place.run("accept", *arguments)
    assert ran.code == 1
    assert words in ran.err


def test_what_is_not_live_is_not_taken(place: Place) -> None:
    ran = place.run("accept", "alpha")
    assert (ran.code, "does not exist yet" in ran.err) == (1, True)
    place.applied()
    place.remove("alpha")
    ran = place.run("accept", "alpha")
    assert (ran.code, "was deleted outside" in ran.err) == (1, True)


def test_behind_another_checkout_nothing_is_taken(place: Place) -> None:
    place.applied()
    old = (place.root / ".trueup/local/local.state.json").read_bytes()
    place.replace("assistants/alpha.yaml", "0.2", "0.3")
    place.applied()
    (place.root / ".trueup/local/local.state.json").write_bytes(old)
    place.replace("assistants/alpha.yaml", "0.3", "0.2")
    ran = place.run("accept", "alpha")
    assert (ran.code, "another checkout" in ran.err) == (1, True)


TABLE: FieldTable = adapter_for(Target("local", "local")).dialect.table
words = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=30)
texts = st.one_of(
    words, st.lists(st.sampled_from(("Be kind.", "", "# x", "  in", "- y", "k: v", "\t")), max_size=6).map("\n".join)
)


def _function(name: str, text: str) -> dict[str, Any]:
    parameters = {"type": "object", "properties": {}}
    return {"type": "function", "function": {"name": name, "description": text, "parameters": parameters}}


def _searching(results: int) -> dict[str, Any]:
    return {"type": "file_search", "file_search": {"max_num_results": results}}


def _which(tool: dict[str, Any]) -> tuple[str, str]:
    return tool["type"], str(tool.get("function", {}).get("name"))


tools: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.just({"type": "code_interpreter"}),
    st.builds(_searching, st.integers(1, 50)),
    st.builds(_function, st.sampled_from(("f", "g", "h")), words),
)
bodies = st.fixed_dictionaries(
    {},
    optional={
        "name": words, "description": words, "instructions": texts, "model": st.sampled_from(("gpt-4.1", "gpt-4o")),
        "temperature": st.one_of(st.integers(0, 2), st.floats(0, 2, width=32)),
        "metadata": st.dictionaries(st.sampled_from(("owner", "team", "a.b")), words, max_size=3),
        "tools": st.lists(tools, max_size=3, unique_by=_which),
    },
)  # fmt: skip
layouts = st.fixed_dictionaries(
    {
        "default_flow_style": st.sampled_from((False, None)),
        "default_style": st.sampled_from((None, None, '"', "|")),
        "indent": st.sampled_from((2, 4)),
        "allow_unicode": st.just(True),
    }
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(bodies, bodies, layouts, st.booleans())
def test_whatever_is_live_the_next_plan_is_empty(
    place: Place, file: dict[str, Any], live: dict[str, Any], layout: dict[str, Any], with_note: bool
) -> None:
    """Over definitions, live values and layouts: each drifted field is taken, or refused with a reason."""
    for left in ("assistants", ".trueup"):
        shutil.rmtree(place.root / left, ignore_errors=True)
    body = {"model": "gpt-4.1", "name": "it", **file}
    note = "# a note\n" if with_note else ""
    place.write("assistants/it.yaml", note + yaml.safe_dump(body, **layout, sort_keys=False) + note)
    if place.run("validate").code != 0:
        return
    place.applied()
    with Server(place.root / ".trueup/local/openai-assistants.db") as server:
        (found,) = server.answer(Call("GET", "/assistants", {"limit": "100"})).json["data"]
        fields = {key: value for key, value in live.items() if key != "metadata"}
        reply = server.answer(Call("POST", f"/assistants/{found['id']}", {}, fields))
        if reply.status != 200:
            return
    ran = place.run("accept", "it", "--json").json
    assert {item["ending"] for item in ran["fields"]} <= {"taken"}, ran
    assert place.run("plan", "--detailed-exitcode").code == 0
    text = (place.root / "assistants/it.yaml").read_text("utf-8")
    assert text.startswith(note)
    assert text.endswith(note)


@given(st.sampled_from(("temperature", "top_p")), st.floats(0, 2, width=32))
def test_a_number_is_written_as_a_person_would(name: str, live: float) -> None:
    written = to_file_value(name, live, None, TABLE, has_null=True)
    assert same(canonical(name, written, TABLE), canonical(name, live, TABLE))
    assert len(repr(written)) <= len(repr(live))


def test_what_a_server_fills_in_is_not_written() -> None:
    live = [{"type": "function", "function": {"name": "f", "strict": False, "parameters": {"type": "object"}}}]
    file = [{"type": "function", "function": {"name": "f", "parameters": {}}}]
    assert to_file_value("tools", live, file, TABLE, has_null=True) == [
        {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    ]


def test_a_field_s_path() -> None:
    assert DEFINITIONS.path_of("metadata.a.b") == ("metadata", "a.b")
    assert DEFINITIONS.path_of("tool_resources.file_search.vector_store_ids") == (
        "tool_resources", "file_search", "vector_store_ids",
    )  # fmt: skip
