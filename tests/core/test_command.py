"""Commands as values: what one function writes is what a shell reads back, and a message keeps its commands."""

from __future__ import annotations

import copy
import pickle
import shlex
import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.extent import examples
from trueup.core.command import (
    HERE,
    Command,
    Message,
    Selection,
    change_commands,
    change_texts,
    fill_message,
    join_messages,
    list_commands,
    locate_commands,
    parts_of,
    texts_of,
    write_for_page,
)

PROD = Selection("sub folder", "prod", vars=("owner=a b",))
FORGET = PROD.command("state", "rm", "triage")

WRITTEN = {
    HERE.command("plan"): "trueup plan",
    FORGET: "trueup state rm triage -C 'sub folder' -t prod",
    PROD.command("apply", "a b", on_drift="revert", prune=True, ack=("x", "y"), stamp=False): (
        "trueup apply 'a b' --on-drift revert --prune --ack x --ack y -C 'sub folder' -t prod --var 'owner=a b'"
    ),
    PROD.command("plan", verbose=True, out=""): "trueup plan -v -C 'sub folder' -t prod --var 'owner=a b'",
    PROD.command("targets", "probe", "prod"): "trueup targets probe prod -C 'sub folder' --var 'owner=a b'",
    Selection(target="staging", is_default=True).command("state", "rm", "it's"): "trueup state rm 'it'\"'\"'s'",
    HERE.command("import", from_="live.json"): "trueup import --from live.json",
    HERE.command("state", "rm", "--yes"): "trueup state rm ./--yes",
    HERE.command("accept", "a\nb\u202ec"): "trueup accept $'a\\u000ab\\u202ec'",
    HERE.command("accept", "##vso[x]"): "trueup accept $'\\x23\\x23vso[x]'",
    Command(("import", "asst_1"), None): "trueup import asst_1",
}  # fmt: skip


@pytest.mark.parametrize("command", WRITTEN, ids=lambda command: " ".join(command.words))
def test_a_command_is_written_complete_and_on_one_line(command: Command) -> None:
    assert str(command) == WRITTEN[command]
    assert str(command).splitlines() == [str(command)]


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8), max_size=3), st.booleans())
@settings(max_examples=examples(60), deadline=None)
def test_a_shell_reads_the_words_back(names: list[str], ascii_only: bool) -> None:
    command = HERE.command("state", "rm", *names)
    written = command.write(ascii_only=ascii_only)
    assert "\n" not in written
    assert written.isascii() or not ascii_only
    if all(name.isprintable() and (name.isascii() or not ascii_only) for name in names) and "##" not in written:
        assert tuple(shlex.split(written)[1:]) == command.words
    bash = shutil.which("bash")
    if bash is not None:
        read = subprocess.run(
            [bash, "-c", f"trueup() {{ printf '%s\\0' \"$@\"; }}; {written}"],
            capture_output=True, check=True, env={"LC_ALL": "C.UTF-8"},
        )  # fmt: skip
        assert tuple(read.stdout.decode("utf-8").split("\0")[:-1]) == command.words


def test_no_name_is_taken_for_a_flag() -> None:
    command = HERE.command("apply", "--yes", "-C", prune=True)
    assert command.words == ("apply", "./--yes", "./-C", "--prune")


def test_on_a_page_a_command_names_no_folder_of_this_machine() -> None:
    command = PROD.command("show", "/home/me/change.plan")
    assert write_for_page(Message("See ", command, ".")) == "See `trueup show change.plan -t prod`."


def test_a_message_is_its_text_and_keeps_its_parts() -> None:
    message = Message("To forget it: ", FORGET, ".")
    assert message == f"To forget it: {FORGET!s}."
    assert message.parts == ("To forget it: ", FORGET, ".")
    assert parts_of("plain") == ("plain",)
    assert Message(message, "", " Then: ", HERE.command("plan")).parts == (
        *message.parts, " Then: ", HERE.command("plan"),
    )  # fmt: skip
    for other in (copy.deepcopy(message), pickle.loads(pickle.dumps(message))):
        assert (other, other.parts) == (message, message.parts)


def test_messages_are_joined_listed_filled_in_and_changed_without_losing_a_command() -> None:
    plan, apply = HERE.command("plan"), HERE.command("apply")
    assert join_messages(["One.", "", Message("Two: ", plan)]).parts == ("One.", " ", "Two: ", plan)
    assert list_commands([plan]).parts == (plan,)
    assert list_commands([plan, apply, FORGET]).parts == (plan, ", ", apply, " or ", FORGET)
    filled = fill_message("{{a}}: {first}, then {second}", {"first": plan, "second": "look"})
    assert filled == "{a}: trueup plan, then look"
    assert plan in filled.parts
    louder = change_texts(Message("to plan: ", plan), str.upper)
    assert parts_of(louder) == ("TO PLAN: ", plan)
    assert change_texts("a", str.upper) == "A"
    assert change_commands(louder, lambda _: apply) == "TO PLAN: trueup apply"
    assert texts_of(louder) == ("TO PLAN: ",)


def test_a_command_that_does_not_know_its_place_gets_one() -> None:
    elsewhere = Command(("import", "asst_1"), None)
    message = Message("Plan: ", HERE.command("plan"), ", ", FORGET, ", ", elsewhere)
    prod = Selection(target="prod")
    assert parts_of(locate_commands(message, prod)) == ("Plan: ", prod.command("plan"), ", ", FORGET, ", ", elsewhere)
