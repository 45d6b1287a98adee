"""Since when a drift is seen, and whose apply came before it: reports kept from run to run, and found again."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.cli.place import Place
from tests.ran import Ran

GITHUB = {
    "GITHUB_SHA": "c0ffee",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "shop/bots",
    "GITHUB_RUN_ID": "77",
    "GITHUB_RUN_ATTEMPT": "2",
}
GITLAB = {"CI_COMMIT_SHA": "beef", "CI_PIPELINE_URL": "https://gitlab.example/p/1"}


@pytest.fixture(autouse=True)
def no_forge(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*GITHUB, *GITLAB, "GITHUB_WORKSPACE", "CI_PROJECT_DIR"):
        monkeypatch.delenv(name, raising=False)


def sinces(ran: Ran) -> dict[str, Any]:
    return {item["name"]: item["since"] for item in ran.json["seen"]}


def test_a_chain_of_reports_keeps_the_first_moment(place: Place) -> None:
    place.applied()
    first = place.run("drift", "--since", "d.json", "--json", "--also", "json=d.json")
    assert first.code == 0
    assert "no earlier report d.json" in " ".join(first.err.split())
    place.poke("alpha", {"temperature": 1.5})
    seen = place.run("drift", "--since", "d.json", "--json", "--also", "json=d.json")
    moment = seen.json["checked_at"]
    assert sinces(seen) == {"alpha": moment}
    old = json.loads((place.root / "d.json").read_text("utf-8"))
    text = (place.root / "d.json").read_text("utf-8").replace(moment, "2026-11-01T06:00:00Z")
    assert old["checked_at"] == moment
    place.write("d.json", text)
    ran = place.run("drift", "--since", "d.json", "--also", "json=d.json")
    assert ran.code == 2
    assert "Seen since 2026-11-01T06:00:00Z." in ran.out
    place.poke("alpha", {"temperature": 0.2})
    assert sinces(place.run("drift", "--since", "d.json", "--json")) == {}


def test_without_an_earlier_report_it_is_not_known(place: Place) -> None:
    place.applied().poke("alpha", {"temperature": 1.5})
    assert sinces(place.run("drift", "--json")) == {"alpha": None}
    assert "Seen since" not in place.run("drift").out


def test_some_names_leave_what_was_seen_of_others(place: Place) -> None:
    place.applied().poke("alpha", {"temperature": 1.5})
    place.poke("beta", {"instructions": "By hand."})
    place.run("drift", "--since", "d.json", "--also", "json=d.json")
    ran = place.run("drift", "alpha", "--since", "d.json", "--json")
    assert set(sinces(ran)) == {"alpha", "team/beta"}
    assert [change["name"] for change in ran.json["drifted"]] == ["alpha"]


def test_after_a_failure_the_next_report_begins_anew_and_says_so(place: Place) -> None:
    place.write("d.json", json.dumps({"format_version": 1, "kind": "error", "error": {"message": "x", "hint": ""}}))
    ran = place.applied().run("drift", "--since", "d.json")
    assert ran.code == 0
    assert "is the report of a command that failed" in " ".join(ran.err.split())


@pytest.mark.parametrize("content", ["", "[", "7", '{"kind": "plan"}', '{"kind": "drift"}', "\x00", "[" * 100_000])
def test_what_is_no_report_is_refused(place: Place, content: str) -> None:
    place.applied()
    place.write("d.json", content)
    ran = place.run("drift", "--since", "d.json")
    assert ran.code == 1
    assert "d.json" in ran.err
    assert "report" in ran.err


def kept(place: Place, name: str, *arguments: str) -> Any:
    """Apply, and keep the report."""
    ran = place.run("apply", "--yes", "--json", *arguments)
    assert ran.code == 0, ran.err
    place.write(f"reports/{name}/report.json", ran.out)
    return ran.json


@pytest.mark.parametrize(
    ("environment", "arguments", "commit", "pipeline"),
    [
        ({}, [], None, None),
        (GITHUB, [], "c0ffee", "https://github.com/shop/bots/actions/runs/77/attempts/2"),
        (GITLAB, [], "beef", "https://gitlab.example/p/1"),
        (GITHUB, ["--commit", "mine", "--pipeline", "https://ci.example/9"], "mine", "https://ci.example/9"),
        ({"TRUEUP_COMMIT": "set", "TRUEUP_PIPELINE": "https://ci.example/8"}, [], "set", "https://ci.example/8"),
    ],
)
def test_a_report_names_commit_and_pipeline(
    place: Place, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], arguments: list[str], commit: Any,
    pipeline: Any,
) -> None:  # fmt: skip
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    report = kept(place, "1", *arguments)
    assert (report["commit"], report["pipeline"]) == (commit, pipeline)
    assert report["applied_at"].endswith("Z")
    stamp = place.live()["alpha"]["metadata"]["trueup"]
    assert all(item["operation"] in stamp or item["name"] != "alpha" for item in report["outcomes"])


def test_a_pipeline_with_a_password_is_not_kept(place: Place) -> None:
    ran = place.run("apply", "--yes", "--pipeline", "https://me:s3cret@ci.example/1")
    assert ran.code == 1
    assert "s3cret" not in ran.out + ran.err
    assert not (place.root / ".trueup").exists(), "nothing was sent"


def test_the_stamp_leads_to_the_report_of_the_last_apply(place: Place) -> None:
    kept(place, "1", "--commit", "first", "--pipeline", "https://ci.example/1")
    place.replace("assistants/alpha.yaml", "Say A.", "Say A, kindly.")
    kept(place, "2", "--commit", "second", "--pipeline", "https://ci.example/2")
    place.poke("alpha", {"temperature": 1.5})
    place.poke("beta", {"instructions": "By hand."})
    place.write("reports/3/other.json", '{"kind": "plan"}')
    place.write("reports/3/broken.json", "{")
    ran = place.run("drift", "--reports", "reports", "--json")
    assert {item["name"]: item["commit"] for item in ran.json["applied"]} == {"alpha": "second", "team/beta": "first"}
    assert "2 files are no report" in ran.err
    told = " ".join(place.run("drift", "--reports", "reports", "--format", "markdown").out.split())
    above = told.split("<details>")[0]
    assert "by commit second" in above, "who applied before stands above the fold"
    why = " ".join(place.run("why", "alpha", "--reports", "reports").out.split())
    assert "by commit second, pipeline https://ci.example/2." in why
    assert (
        place.run("why", "alpha", "--reports", "reports", "--json").json["why"]["origin"]["report"] == "2/report.json"
    )


def test_where_no_report_was_kept_that_is_said(place: Place) -> None:
    place.applied().poke("alpha", {"temperature": 1.5})
    (place.root / "reports").mkdir()
    told = " ".join(place.run("drift", "--reports", "reports").out.split())
    assert "there is no report of that apply" in told
    assert place.run("drift", "--reports", "nowhere").code == 1


@pytest.mark.parametrize("form", ["text", "markdown", "html", "github", "sarif", "junit"])
def test_a_hostile_report_breaks_out_of_no_format(place: Place, form: str) -> None:
    report = kept(place, "1", "--commit", "x")
    report["commit"] = "\x1b[31m</details>\n::error::@all <script>"
    place.write("reports/1/report.json", json.dumps(report))
    place.poke("alpha", {"temperature": 1.5})
    out = place.run("drift", "--reports", "reports", "--format", form).out
    assert "\x1b" not in out
    assert "::error::@all" not in [line[:13] for line in out.splitlines()]
    bare = re.sub(r"(`+).*?\1", "", out) if form == "markdown" else out
    assert "<script>" not in bare or form in ("text", "github", "sarif")
