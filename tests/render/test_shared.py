"""A change of a shared part is told once, by the part in whose lines it stands; what only looks alike is told twice."""

from __future__ import annotations

from trueup.core.memory.state import Identity
from trueup.core.plans.plan import Action, Cause, Change, FieldChange, Options, Plan, Reason
from trueup.core.source import Stretch
from trueup.render.findings import of_plan
from trueup.render.shared import shared

BEFORE = "You are {}.\n\nNever guess.\nBe kind.\n\nEnd well."
SAFETY, LAW = "assistants/_safety.md", "assistants/_law.md"


def _change(name: str, before: str, after: str, *, known: bool = True) -> Change:
    file = f"assistants/{name}.md"
    places = (Stretch(1, file, 4), Stretch(3, SAFETY, 1), Stretch(6, file, 9)) if known else ()
    field = FieldChange("instructions", before.format(name), after.format(name), Cause.EDITED)
    return Change(name, Action.MODIFY, Reason.EDITED, fields=(field,), parts=(LAW, SAFETY), stretches=places, file=file)


def _notes(*changes: Change) -> list[list[str]]:
    found = shared(changes).notes
    return [list(found.get(change.name, {}).values()) for change in changes]


def test_a_change_in_the_lines_of_a_part_is_told_once_and_names_the_part() -> None:
    after = BEFORE.replace("guess", "ever guess")
    assert _notes(*(_change(name, BEFORE, after) for name in "abc")) == [
        [f"This change from {SAFETY} also reaches b, c:"],
        [f"=The same change from {SAFETY} as in a."],
        [f"=The same change from {SAFETY} as in a."],
    ]


def test_the_same_words_in_files_of_their_own_are_no_shared_change() -> None:
    after = BEFORE.replace("End well", "End very well")
    assert _notes(*(_change(name, BEFORE, after) for name in "ab")) == [[], []]


def test_where_no_line_says_so_the_users_of_the_parts_do_and_none_of_two_is_picked() -> None:
    after = BEFORE.replace("guess", "ever guess")
    assert _notes(*(_change(name, BEFORE, after, known=False) for name in "ab")) == [
        ["This change also reaches b:"],
        ["=The same change as in a."],
    ]


def test_one_who_changed_the_part_otherwise_is_told_apart() -> None:
    one, other = (BEFORE.replace("guess", word) for word in ("ever guess", "guess or lie"))
    assert _notes(_change("a", BEFORE, one), _change("b", BEFORE, one), _change("c", BEFORE, other))[2] == []


def test_a_change_from_a_part_alone_is_annotated_at_each_of_its_lines_there() -> None:
    after = BEFORE.replace("guess", "ever guess").replace("kind", "very kind")
    told = [_change(name, BEFORE, after) for name in "ab"]
    own = _change("c", BEFORE, after.replace("End well", "End very well"))
    plan = Plan(Identity("acme", "prod", "openai-assistants", "https://api.example"), Options(), (*told, own))
    notes = [(str(item.position), item.message) for item in of_plan(plan)]
    assert (f"{SAFETY}:1:1", "a, b: modify: this part changed (instructions)") in notes
    assert not any(message.startswith(("a:", "b:")) for _, message in notes)
    assert [place for place, message in notes if message.startswith("c:")] == ["assistants/c.md:1:1"]
