"""A plan, an apply and a drift report of some assistants say so, and of which, in every format."""

from __future__ import annotations

import json

import pytest

from tests.cli.place import Place
from tests.cli.test_formats import PAGES
from trueup.core.plans.plan import Limit
from trueup.core.plans.summary import describe_limit

LIMITED = "Limited to 1 of 2 assistants: team/."


def _text(out: str) -> str:
    for sign in ("`", "<code>", "</code>"):
        out = out.replace(sign, "")
    return out


@pytest.mark.parametrize("form", PAGES)
@pytest.mark.parametrize("command", ["plan", "apply", "drift"])
def test_what_is_limited_says_so(place: Place, command: str, form: str) -> None:
    consent = ["--yes"] if command == "apply" else []
    ran = place.run(command, "team/", *consent, "--format", form)
    assert ran.code == 0, ran.err
    assert LIMITED in _text(ran.out)
    assert LIMITED not in _text(place.run(command, *consent, "--format", form).out)


def test_the_json_documents_say_to_what(place: Place) -> None:
    expected = {"names": ["team/"], "chosen": 1, "total": 2}
    assert place.run("plan", "team/", "--json").json["plan"]["limit"] == expected
    assert place.run("apply", "team/", "--yes", "--json").json["limit"] == expected
    assert place.run("drift", "team/", "--json").json["limit"] == expected
    assert "limit" not in place.run("plan", "--json").json["plan"]
    assert place.run("drift", "--json").json["limit"] is None


def test_a_saved_plan_keeps_its_limit(place: Place) -> None:
    place.run("plan", "team/", "--out", "some.plan")
    assert place.run("show", "some.plan").summary.endswith(LIMITED)
    ran = place.run("apply", "some.plan")
    assert ran.code == 0, ran.err
    assert ran.summary == (f"Applied: 1 created, 0 modified, 0 deleted, 0 failed, 1 new since the plan. {LIMITED}")


def test_nothing_to_do_is_not_said_of_everything(place: Place) -> None:
    place.run("apply", "team/", "--yes")
    ran = place.run("plan", "team/")
    assert "Nothing to do: what it is limited to matches the files." in ran.out
    assert "everything" not in ran.out


def test_all_of_them_by_name_is_no_limit(place: Place) -> None:
    assert "Limited" not in place.run("plan", "alpha", "team/").out


def test_many_names_are_counted_and_none_is_obeyed() -> None:
    names = tuple(f"n{number}" for number in range(7))
    assert describe_limit(Limit(names, 7, 9)) == "Limited to 7 of 9 assistants: n0, n1, n2, n3, n4 and 2 more."
    shown = describe_limit(Limit(("a\n::error::\x1b[2J\u202e*",), 1, 9))
    assert shown == "Limited to 1 of 9 assistants: a\ufffd::error::\ufffd[2J\ufffd*."
    assert json.loads(json.dumps(shown)) == shown
