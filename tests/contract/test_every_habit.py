"""Servers that go another way where nobody has established one.

What they keep converges; what they do not keep is told once, by name, and not planned for ever.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.contract.house import OPENAI, House, house
from trueup.core.call import Call
from trueup.local.openai_assistants import Server
from trueup.local.openai_assistants.bodies import Habits

ALL = frozenset({
    "name", "description", "instructions", "temperature", "top_p", "reasoning_effort", "response_format", "metadata",
    "tool_resources",
})  # fmt: skip
SCALARS = {"instructions", "reasoning_effort", "response_format", "temperature", "top_p"}
PAIRS = {"metadata.more", "metadata.owner"}
Steps = list[set[str]]

HABITS: dict[str, tuple[Habits, Steps]] = {
    "metadata-merged": (Habits(metadata="merge"), [{"metadata.stage"}, PAIRS]),
    "null-removes-a-key": (Habits(metadata="merge", null_key="remove"), [{"metadata.stage"}, PAIRS]),
    "resources-replaced": (Habits(resources="replace"), [set(), set()]),
    "null-resets-nothing": (Habits(kept_on_null=ALL), [{"description"}, SCALARS]),
    "unknown-fields-ignored": (Habits(refuses_unknown=False), [set(), set()]),
    "floats-rounded": (Habits(float32=True), [set(), set()]),
    "schemas-filled": (Habits(fills_schema=True), [set(), set()]),
    "rankers-dated": (Habits(dates_ranker=True), [set(), set()]),
    "empty-is-null": (Habits(empty_is_null=True), [set(), set()]),
    "sampling-taken": (Habits(refuses_sampling=False), [set(), set()]),
    "all-at-once": (
        Habits(
            metadata="merge", resources="replace", kept_on_null=ALL, float32=True, fills_schema=True, dates_ranker=True,
            empty_is_null=True,
        ),
        [{"description", "metadata.stage"}, SCALARS | PAIRS],
    ),
}  # fmt: skip
"""Each habit, and what a server of it does not keep when fields are edited, and when they leave the file."""


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", HABITS)
def test_what_is_kept_converges_and_what_is_not_is_told_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    habits, (edited, removed) = HABITS[name]
    with house(tmp_path, capsys, OPENAI, habits=habits) as made:
        assert _not_kept(made) == set()
        made.put("second")
        assert _not_kept(made) == edited
        made.write("assistants/math.yaml", "model: gpt-4.1\n")
        assert _not_kept(made) == removed
        made.write("assistants/math.yaml", 'model: gpt-4.1\ndescription: ""\nmetadata: {owner: cy}\n')
        assert _not_kept(made) == set()
        assert made.live()["math"]["metadata"]["owner"] == "cy"
        made.poke("math", {"metadata": {"owner": "by hand"}})
        assert made.run("drift").code == 2
        made.applies("--on-drift", "revert")
        assert made.run("destroy", "--yes").code == 0
        assert made.live() == {}


def _not_kept(made: House) -> set[str]:
    """Return the fields that an apply reports as not kept; whatever it reports, the next plan is empty."""
    said = " ".join(made.applies().out.split())
    return {name for found in re.findall(r"did not keep (.*?) as sent", said) for name in found.split(", ")}


def test_pages_without_a_last_id_are_followed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with house(tmp_path, capsys, replace(OPENAI, dialect="foundry-classic"), habits=Habits(last_id=False)) as made:
        for number in range(101):
            made.write(f"assistants/many/{number:03d}.yaml", "model: gpt-4o\n")
        made.applies()
        assert len(made.run("state", "list", "--json").json["assistants"]) == 103


def test_a_server_that_keeps_sampling_numbers_whatever_is_sent_refuses_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Null does not clear them there, so a move to a reasoning model cannot be made by a modify."""
    stubborn = Habits(kept_on_null=frozenset({"temperature", "top_p"}))
    with house(tmp_path, capsys, OPENAI, habits=stubborn) as made:
        made.applies()
        made.write("assistants/math.yaml", "name: Math Tutor\nmodel: o3-mini\n")
        ran = made.run("apply", "--yes")
        assert ran.code == 5
        assert "not supported with this model" in " ".join(ran.out.split())
        assert made.live()["Math Tutor é🎓"]["model"] == "gpt-4o"


def test_both_views_of_one_account_lead_to_the_same_assistants(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was applied under v1 is there under v2, with its files where v2 looks for them."""
    with house(tmp_path, capsys, replace(OPENAI, dialect="openai-v1")) as made:
        made.applies()
        assert isinstance(made.server, Server)
        page = made.server.seen_as("openai").answer(Call("GET", "/assistants")).json["data"]
        (math,) = [entry for entry in page if entry["name"] == "Math Tutor é🎓"]
        assert sorted(math["tool_resources"]["code_interpreter"]["file_ids"]) == ["file-1", "file-2"]
        assert math["tool_resources"]["file_search"]["vector_store_ids"]
