"""`plan --connections`: what a proposed project file says of where to go is shown, and neither used nor run."""

from __future__ import annotations

import html
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.place import Place
from trueup.core.projects.connections import KEYS, PROJECT, SAFETY
from trueup.local.openai_assistants import Server
from trueup.local.serve import running
from trueup.wire.registry import scope_keys

ROOT = Path(__file__).parents[2]
KEY = "sk-canary-123456"
THEFT = "import os; open('stolen', 'w').write(os.getcwd()); print('sk-canary-123456')"


@pytest.fixture
def url() -> Iterator[str]:
    with Server() as server, running(server, key=KEY) as found:
        yield found


def _file(url: str, credential: str, more: str = "") -> str:
    return f"project: acme\ntargets:\n  prod:\n    base_url: {url}\n    {credential}\n{more}"


@pytest.fixture
def both(place: Place, url: str, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Return a checkout, and in `../base` the project file of the branch that it is proposed for."""
    monkeypatch.setenv("KEY", KEY)
    base = place.root / "base"
    base.mkdir()
    (base / "trueup.yaml").write_text(_file(url, "api_key: {env: KEY}"))
    place.write("trueup.yaml", _file(url, "api_key: {env: KEY}"))
    return place


def _used(place: Place) -> list[str]:
    ran = place.run("plan", "--json", "--connections", "base")
    assert ran.code == 0, ran.err + ran.out
    return [item["message"] for item in ran.json["plan"].get("diagnostics", []) if item["code"] == "not-used"]


def test_the_same_file_needs_no_word(both: Place) -> None:
    assert _used(both) == []


def test_an_address_is_shown_and_not_asked(both: Place, url: str) -> None:
    both.write("trueup.yaml", _file("https://elsewhere.invalid/v1", "api_key: {env: KEY}"))
    ran = both.run("plan", "--connections", "base")
    assert ran.code == 0
    assert "Plan: 2 to create" in ran.out
    said = " ".join(ran.out.split())
    assert f'targets.prod.base_url is "https://elsewhere.invalid/v1" here and was not used: in force is "{url}"' in said
    assert "trueup.yaml:4:" in said


def test_a_command_of_the_proposal_never_runs(both: Place) -> None:
    both.write("trueup.yaml", _file("http://127.0.0.1:1", f'token: {{command: [{sys.executable}, -c, "{THEFT}"]}}'))
    used = _used(both)
    assert not list(both.root.rglob("stolen"))
    assert [message.split(" ", 1)[0] for message in used] == [
        "targets.prod.base_url", "targets.prod.api_key", "targets.prod.token"
    ]  # fmt: skip


def test_a_script_that_the_trusted_command_names_is_the_trusted_one(both: Place, url: str) -> None:
    command = f"token: {{command: [{sys.executable}, key.py]}}"
    (both.root / "base" / "trueup.yaml").write_text(_file(url, command))
    (both.root / "base" / "key.py").write_text(THEFT)
    both.write("key.py", "raise SystemExit('the script of the proposal ran')")
    both.write("trueup.yaml", _file(url, command))
    assert _used(both) == []
    assert (both.root / "base" / "stolen").read_text() == str(both.root / "base")


def test_headers_are_told_one_by_one(both: Place, url: str) -> None:
    (both.root / "base" / "trueup.yaml").write_text(
        _file(url, "headers: {x-team: a, x-old: b}\n    api_key: {env: KEY}")
    )
    both.write("trueup.yaml", _file(url, "headers: {x-team: evil, x-new: c}\n    api_key: {env: KEY}"))
    assert _used(both) == [
        'targets.prod.headers.x-new is "c" here and was not used: it is not set in the file in force',
        'targets.prod.headers.x-old is removed here and was not used: in force is "b"',
        'targets.prod.headers.x-team is "evil" here and was not used: in force is "a"',
    ]


def test_the_rest_is_used(both: Place, url: str) -> None:
    both.write("assistants/alpha.yaml", "model: small\nmetadata: {owner: {var: owner}}\n")
    more = "    models: {small: gpt-4.1-mini}\n    vars: {owner: ann}\n"
    both.write("trueup.yaml", _file(url, "api_key: {env: KEY}", more))
    ran = both.run("plan", "--json", "--connections", "base")
    (alpha, _) = ran.json["plan"]["changes"]
    assert (alpha["sets"]["model"], alpha["sets"]["metadata.owner"]) == ("gpt-4.1-mini", "ann")
    assert [item["code"] for item in ran.json["plan"].get("diagnostics", [])] == []


def test_what_decides_what_an_apply_may_do_is_used_and_told(both: Place, url: str) -> None:
    """A stranger's find: a request lifted the guard for itself, and no line of its plan said so."""
    base = _file(url, "api_key: {env: KEY}", "    guard: {deletes: 2, modifies: 9}\n    stamp: true\n")
    (both.root / "base" / "trueup.yaml").write_text(base)
    more = "    guard: {deletes: 2, modifies: 1000}\n    prune: true\n    settle: 0\n    timeout: 30\nreleased: [old]\n"
    both.write("trueup.yaml", _file(url, "api_key: {env: KEY}", more))
    found = both.run("plan", "--json", "--connections", "base").json["plan"]["diagnostics"]
    assert {item["message"] for item in found if item["code"] == "setting-changed"} == {
        "targets.prod.stamp is removed here and is used: in force is true",
        "targets.prod.prune is true here and is used: it is not set in the file in force",
        "targets.prod.guard.modifies is 1000 here and is used: in force is 9",
        "targets.prod.settle is 0 here and is used: it is not set in the file in force",
        "targets.prod.timeout is 30 here and is used: it is not set in the file in force",
        'released is ["old"] here and is used: it is not set in the file in force',
    }
    assert {item["severity"] for item in found} == {"warning"}
    page = both.run("plan", "--format", "markdown", "--connections", "base").out
    assert "`setting-changed`: `targets.prod.guard.modifies` is 1000 here and is used: in force is 9" in page


def test_every_setting_of_a_target_is_a_connection_or_is_warned_of() -> None:
    """A stranger's find: `rate_limit: 0.02` held an apply for minutes, and no line of its plan said so."""
    schema = json.loads((ROOT / "schemas" / "project.schema.json").read_text(encoding="utf-8"))
    shown = {"models", "vars", "moved"}  # what they change shows in the plan itself
    assert set(schema["$defs"]["target"]["properties"]) - shown == {*KEYS, *scope_keys(), *SAFETY}
    assert set(schema["properties"]) - shown - {"targets"} == set(PROJECT)


def test_a_new_target_cannot_be_planned_and_disturbs_no_other(both: Place, url: str) -> None:
    more = "  next: {base_url: 'http://127.0.0.1:1', api_key: {env: KEY}}\n"
    both.write("trueup.yaml", "default_target: next\n" + _file(url, "api_key: {env: KEY}", more))
    both.write("assistants/alpha.yaml", "model: gpt-4.1\ntargets: {next: {model: gpt-5}}\n")
    ran = both.run("plan", "--connections", "base", "-t", "prod")
    assert ran.code == 0
    assert "the target next is new here" in " ".join(ran.out.split())
    refused = both.run("plan", "--connections", "base")
    assert refused.code == 1
    assert "The target next is new in trueup.yaml" in refused.err
    assert "trueup validate -t next" in refused.err


def test_where_nothing_is_in_force_only_the_embedded_server_is(both: Place) -> None:
    (both.root / "base" / "trueup.yaml").unlink()
    assert both.run("plan", "--connections", "base", "-t", "prod").code == 1
    both.write(
        "trueup.yaml", "project: acme\ntargets: {local: {base_url: 'http://127.0.0.1:1', api_key: {env: KEY}}}\n"
    )
    ran = both.run("plan", "--connections", "base")
    assert ran.code == 0
    assert "the embedded server" in ran.out


def test_there_must_be_a_folder(both: Place) -> None:
    assert both.run("plan", "--connections", "nowhere").code == 1


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("project: acme\n\n\n\ntargts: {}\n", "in the trueup.yaml in force, line 5, column 1: unknown key `targts`"),
        ("project: [\n", "in the trueup.yaml in force, line 1, column 10:"),
        ("- a\n", "in the trueup.yaml in force, line 1, column 1:"),
    ],
)
@pytest.mark.parametrize("form", ["text", "json", "markdown", "html", "github"])
def test_what_is_wrong_in_force_is_no_line_of_what_is_proposed(both: Place, form: str, file: str, words: str) -> None:
    """A stranger's find: who mended the file was told that a line was wrong that the mended one does not have."""
    (both.root / "base" / "trueup.yaml").write_text(file)
    ran = both.run("plan", "--connections", str(both.root / "base"), "--format", form)
    assert ran.code == 1
    out = ran.err if form == "text" else ran.out
    told = " ".join(re.sub("<[^>]*>|[`']", "", html.unescape(out)).split())
    assert words.replace("`", "") in told
    assert "The trueup.yaml in force is not valid: trueup.yaml has a problem." in told
    assert "Fix it on the branch in force first; then this proposal can be planned." in told
    assert str(both.root) not in ran.out + ran.err
    assert not re.search(r"trueup\.yaml:\d|file=trueup\.yaml", out), "a place in the proposed file"
    if form == "json":
        assert "position" not in ran.json["diagnostics"][0] or ran.json["diagnostics"][0]["position"] is None


def test_another_spelling_in_force_is_said_to_be_there(both: Place) -> None:
    (both.root / "base" / "trueup.yaml").rename(both.root / "base" / "trueup.yml")
    said = " ".join(both.run("plan", "--connections", "base").err.split())
    assert "The trueup.yaml in force is not valid: trueup.yml is not read" in said
    assert "on the branch in force first" in said


LIFECYCLE = "lifecycle: {{protect: {protect}, ignore_changes: [{fields}]}}\n"


def _changed(place: Place) -> dict[str, dict[str, Any]]:
    ran = place.run("plan", "--json", "--connections", "base")
    assert ran.code == 0, ran.err + ran.out
    found = ran.json["plan"].get("diagnostics", [])
    return {item["message"]: item for item in found if item["code"] == "setting-changed"}


def test_what_a_definition_no_longer_guards_is_told_at_its_line(both: Place) -> None:
    """A stranger's find: a request took the tools of an assistant out of sight, and no line of its plan said so."""
    more = LIFECYCLE.format(protect="true", fields="temperature, metadata.owner")
    for name, text in (("alpha", more), ("same", more), ("gone", more)):
        for folder in ("assistants", "base/assistants"):
            both.write(f"{folder}/{name}.yaml", f"model: gpt-4.1\n{text}")
    noise = ", ".join(f"metadata.{'k' * 60}{number}" for number in range(6))
    less = LIFECYCLE.format(protect="false", fields=f"{noise}, tools, model")
    both.write("assistants/alpha.yaml", f"model: gpt-4.1\n# a request\n{less}")
    both.write("assistants/gone.yaml", "model: gpt-4.1\n")
    both.write("assistants/new.yaml", f"model: gpt-4.1\n{less}")
    found = _changed(both)
    assert [message.split(" here", 1)[0].split(" is ", 1)[0] for message in found] == [
        "lifecycle.protect of alpha", "lifecycle.ignore_changes of alpha",
        "lifecycle.protect of gone", "lifecycle.ignore_changes of gone",
    ]  # fmt: skip
    protect, ignored, gone, _ = found
    assert protect == "lifecycle.protect of alpha is false here and is used: in force is true"
    assert ignored.startswith('lifecycle.ignore_changes of alpha is ["model", "tools", "metadata.k')
    assert ignored.endswith(', … 5 more] here and is used: in force is ["temperature", "metadata.owner"]')
    assert gone == "lifecycle.protect of gone is removed here and is used: in force is true"
    assert {(item["position"]["file"], item["position"]["line"]) for item in found.values()} == {
        ("assistants/alpha.yaml", 3), ("assistants/gone.yaml", 1)
    }  # fmt: skip
    for form in ("markdown", "github"):
        page = both.run("plan", "--format", form, "--connections", "base").out.replace("`", "")
        assert "lifecycle.protect of alpha is false here and is used: in force is true" in page


def test_a_lifecycle_that_comes_from_a_base_is_told_there(both: Place) -> None:
    for folder in ("assistants", "base/assistants"):
        both.write(f"{folder}/_base.yaml", "model: gpt-4.1\n")
        both.write(f"{folder}/one.yaml", "extends: _base.yaml\n")
    both.write("assistants/_base.yaml", "model: gpt-4.1\nlifecycle: {ignore_changes: [model]}\n")
    ((message, item),) = _changed(both).items()
    assert (
        message == 'lifecycle.ignore_changes of one is ["model"] here and is used: it is not set in the file in force'
    )
    assert (item["position"]["file"], item["position"]["line"]) == ("assistants/_base.yaml", 2)


def test_a_renamed_definition_is_held_against_what_it_was(both: Place, url: str) -> None:
    both.write("base/assistants/old.yaml", "model: gpt-4.1\nlifecycle: {protect: true}\n")
    both.write("assistants/now.yaml", "model: gpt-4.1\nlifecycle: {protect: false}\n")
    both.write("trueup.yaml", _file(url, "api_key: {env: KEY}") + "moved: {old: now}\n")
    assert list(_changed(both)) == ["lifecycle.protect of now is false here and is used: in force is true"]


@pytest.mark.parametrize("wrong", ["model: [\n", "modle: x\nlifecycle: {protect: 7}\n", "extends: _gone.yaml\n", ""])
def test_definitions_in_force_that_cannot_be_read_say_nothing(both: Place, wrong: str) -> None:
    both.write("base/assistants/alpha.yaml", wrong)
    assert _changed(both) == {}


def test_what_decides_for_all_is_told_before_what_decides_for_one(both: Place, url: str) -> None:
    both.write("trueup.yaml", _file(url, "api_key: {env: KEY}", "    guard: {deletes: 999, modifies: 999}\n"))
    for number in range(60):
        both.write(f"base/assistants/n{number:02}.yaml", "model: gpt-4.1\n")
        both.write(f"assistants/n{number:02}.yaml", "model: gpt-4.1\nlifecycle: {ignore_changes: [model]}\n")
    for form in ("markdown", "github"):
        page = both.run("plan", "--format", form, "--connections", "base").out.replace("`", "")
        assert "targets.prod.guard.deletes is 999 here and is used" in page
        assert "lifecycle.ignore_changes of n00 is" in page


def test_a_secret_in_the_proposal_is_not_repeated(both: Place, url: str) -> None:
    both.write("trueup.yaml", _file(url, "api_key: hunter2-abcdef"))
    ran = both.run("plan", "--connections", "base", "--format", "markdown")
    assert ran.code == 1
    assert "hunter2" not in ran.out + ran.err
    assert "sk-canary" not in ran.out + ran.err


def test_a_link_in_the_place_of_the_project_file_is_refused(both: Place, tmp_path: Path) -> None:
    (both.root / "trueup.yaml").unlink()
    (both.root / "trueup.yaml").symlink_to(tmp_path / "base" / "trueup.yaml")
    assert both.run("plan", "--connections", "base").code == 1
