"""`--also FORMAT=FILE`: one run, one answer, in as many formats as are wanted."""

from __future__ import annotations

import json

import pytest

from tests.cli.place import Place


def test_one_apply_is_told_in_four_formats(place: Place) -> None:
    ran = place.run(
        "apply", "--yes", "--also", "json=report.json", "--also", "markdown=report.md", "--also=html=r.html"
    )
    assert ran.code == 0
    assert "Applied: 2 created" in ran.out
    assert json.loads((place.root / "report.json").read_text())["summary"].startswith("Applied: 2 created")
    assert (place.root / "report.md").read_text().startswith("<!-- trueup:local/local apply -->\n")
    assert (place.root / "r.html").read_text().startswith("<!doctype html>")


def test_a_plan_and_its_file_are_of_one_run(place: Place) -> None:
    ran = place.run(
        "plan", "--out", "a.plan", "--format", "github", "--also", "markdown=plan.md", "--also", "text=plan.txt"
    )
    assert ran.out.startswith("::notice")
    assert "\nPlan: 2 to create" in (place.root / "plan.txt").read_text()
    shown = place.run("show", "a.plan", "--format", "markdown", "--also", "json=plan.json").out
    assert shown == (place.root / "plan.md").read_text()
    assert json.loads((place.root / "plan.json").read_text())["kind"] == "plan"


def test_drift_and_validate_too(place: Place) -> None:
    place.applied().poke("alpha", {"temperature": 0.9})
    ran = place.run("drift", "--json", "--also", "sarif=drift.sarif", "--also", "junit=drift.xml")
    assert ran.code == 2
    assert ran.json["kind"] == "drift"
    assert json.loads((place.root / "drift.sarif").read_text())["version"] == "2.1.0"
    assert "alpha" in (place.root / "drift.xml").read_text()
    place.write("assistants/alpha.yaml", "model: 1\n")
    assert place.run("validate", "--also", "json=found.json").code == 1
    assert json.loads((place.root / "found.json").read_text())["kind"] == "diagnostics"


@pytest.mark.parametrize("format_", ["text", "json", "markdown"])
def test_what_ended_the_command_is_written_too(place: Place, format_: str) -> None:
    place.write("trueup.yaml", "targts: {}\n")
    ran = place.run("plan", "--format", format_, "--also", "json=a.json", "--also", "text=a.txt")
    assert ran.code == 1
    assert json.loads((place.root / "a.json").read_text())["kind"] == "error"
    assert "trueup.yaml has a problem" in (place.root / "a.txt").read_text()


@pytest.mark.parametrize("format_", ["text", "json"])
def test_a_guard_that_refuses_is_a_report(place: Place, format_: str) -> None:
    for number in range(12):
        place.write(f"assistants/n{number}.yaml", "model: gpt-4.1\n")
    place.applied()
    for number in range(12):
        place.write(f"assistants/n{number}.yaml", "model: gpt-5\n")
    assert place.run("apply", "--yes", "--format", format_, "--also", "json=a.json").code == 4
    report = json.loads((place.root / "a.json").read_text())
    assert (report["kind"], report["exit"]) == ("report", 4)
    assert "--ack" in report["problems"][0]


def test_a_file_that_cannot_be_written_is_refused_before_anything_is_sent(place: Place) -> None:
    (place.root / "loop").symlink_to("loop")
    (place.root / "nowhere").symlink_to("no/such/report.json")
    long = f"json={'x' * 300}"
    for wrong in (
        "json=no/such/report.json", "json=assistants", "json=loop", "json=nowhere", long, "sarif=x", "json", "=x",
    ):  # fmt: skip
        ran = place.run("apply", "--yes", "--also", wrong)
        assert ran.code == 1, wrong
        assert "--also" in ran.err
    assert not (place.root / ".trueup").exists()


def test_a_file_that_cannot_be_written_after_all_takes_nothing_back(place: Place) -> None:
    ran = place.run("apply", "--yes", "--also", "json=report.json", "--also", "json=/dev/full")
    assert ran.code == 1
    assert "Applied: 2 created" in ran.out
    assert "The command itself is done" in " ".join(ran.err.split())
    assert json.loads((place.root / "report.json").read_text())["kind"] == "report"
    assert place.run("plan", "--detailed-exitcode").code == 0


DANGEROUS = (
    ".trueup/local/local.state.json", ".trueup/new.json", ".trueup/.gitignore", "trueup.yaml", "assistants/alpha.yaml",
    "assistants/new.md", "assistants/sub/new.md", ".git/config", "sub/.git/hooks/post-checkout", "sub/../trueup.yaml",
    "other/trueup.yaml", "other/.trueup/prod.state.json", "link-to-state", "link-to-file", "linked/new.json",
    "hard-link.yaml",
)  # fmt: skip


def _dangerous(place: Place) -> Place:
    place.write("trueup.yaml", "project: acme\ntargets: {local: {}}\n")
    place.applied()
    for folder in ("other/.trueup", "assistants/sub", "sub/.git/hooks", ".git"):
        (place.root / folder).mkdir(parents=True)
    (place.root / ".git" / "config").write_text("[core]\n")
    (place.root / "link-to-state").symlink_to(".trueup/local/local.state.json")
    (place.root / "link-to-file").symlink_to("assistants/not-there.yaml")
    (place.root / "linked").symlink_to(".trueup")
    (place.root / "hard-link.yaml").hardlink_to(place.root / "trueup.yaml")
    return place


@pytest.mark.parametrize("where", DANGEROUS)
@pytest.mark.parametrize("as_json", [(), ("--json",)])
def test_no_answer_is_written_over_what_a_project_lives_by(place: Place, where: str, as_json: tuple[str, ...]) -> None:
    """A stranger's find: state, definitions, git's configuration and `trueup.yaml` became reports, with exit code 0."""
    before = _dangerous(place).files()
    for command in (["plan"], ["apply", "--yes"], ["drift"], ["validate"], ["destroy", "--yes"], ["show", "a.plan"]):
        ran = place.run(*command, *as_json, "--also", f"json={where}")
        assert ran.code == 1, command
        said = " ".join((ran.out if as_json else ran.err).split())
        assert "--also cannot write" in said
        assert "Name another file, such as report.json." in said
        assert place.files() == before
    assert place.live().keys() == {"alpha", "beta"}


def test_what_is_gits_above_the_project_is_gits(place: Place) -> None:
    place.write("fleet/assistants/one.yaml", "model: gpt-4.1\n")
    place.write(".git/config", "[core]\n")
    for where in ("../.git/config", "../.GIT", str(place.root / ".git" / "new"), "../trueup.yaml"):
        ran = place.run("plan", "-C", "fleet", "--also", f"json={where}")
        assert (ran.code, "--also cannot write" in ran.err) == (1, True), where
    assert place.run("plan", "-C", "fleet", "--also", "json=../report.json").code == 0


def test_a_project_below_a_folder_of_that_name_has_reports_too(place: Place) -> None:
    place.write(".git/tree/assistants/one.yaml", "model: gpt-4.1\n")
    assert place.run("plan", "-C", ".git/tree", "--also", "json=report.json").code == 0


def test_a_definitions_folder_of_another_name_is_found(place: Place) -> None:
    place.write("trueup.yaml", "definitions: bots\n")
    place.write("bots/one.yaml", "model: gpt-4.1\n")
    ran = place.run("plan", "--also", "json=bots/one.yaml")
    assert (ran.code, "bots is for definitions" in ran.err) == (1, True)
    assert place.run("plan", "--also", "json=assistants/report.json").code == 0, "no folder of definitions any more"


@pytest.mark.parametrize("file", ["definitions: bots\ntargts: {}\n", "definitions: [\n", "definitions: 7\n"])
def test_what_is_wrong_with_the_project_file_is_not_written_over_a_definition(place: Place, file: str) -> None:
    place.write("trueup.yaml", file)
    place.write("bots/one.yaml", "model: gpt-4.1\n")
    ran = place.run("plan", "--also", "json=bots/one.yaml", "--also", "json=error.json")
    assert ran.code == 1
    assert (place.root / "bots/one.yaml").read_text() == "model: gpt-4.1\n"
    if "targts" in file:
        assert "bots is for definitions" in ran.err
    else:
        assert "trueup.yaml has a problem" in ran.err
        assert json.loads((place.root / "error.json").read_text())["kind"] == "error"


def test_a_wrong_command_line_writes_no_file(place: Place) -> None:
    place.applied()
    state = (place.root / ".trueup/local/local.state.json").read_bytes()
    assert place.run("plan", "--nothing", "--json", "--also", "json=.trueup/local/local.state.json").code == 1
    assert (place.root / ".trueup/local/local.state.json").read_bytes() == state


def test_a_plan_is_not_written_over_by_its_own_answer(place: Place) -> None:
    both = place.run("plan", "--out", "a.plan", "--also", "json=./a.plan")
    assert (both.code, "--out writes the plan there" in both.err) == (1, True)
    assert not (place.root / "a.plan").exists()
    assert place.run("plan", "--out", "a.plan").code == 0
    saved = (place.root / "a.plan").read_bytes()
    (place.root / "link").symlink_to("a.plan")
    for command in (["show", "a.plan"], ["apply", "a.plan"], ["apply", "./a.plan"], ["plan", "--out", "link"]):
        for where in ("a.plan", "link"):
            ran = place.run(*command, "--also", f"json={where}")
            assert (ran.code, "--also cannot write" in ran.err) == (1, True), command
            assert (place.root / "a.plan").read_bytes() == saved
    assert place.run("apply", "a.plan", "--also", "json=report.json").code == 0


def test_a_snapshot_is_not_written_over_by_what_is_made_of_it(place: Place) -> None:
    place.applied()
    assert place.run("export", "live.json").code == 0
    for command in ("plan", "drift"):
        ran = place.run(command, "--snapshot", "live.json", "--also", "json=live.json")
        assert (ran.code, "it is what --snapshot reads" in ran.err) == (1, True)


def test_no_file_is_named_twice(place: Place) -> None:
    (place.root / "same").symlink_to("o")
    for other, why in (("o", "another --also writes"), ("./o", "another --also writes"), ("same", "a symbolic link")):
        ran = place.run("plan", "--also", "json=o", "--also", f"markdown={other}")
        assert (ran.code, why in ran.err) == (1, True)
    assert not (place.root / "o").exists()


def test_yesterdays_report_is_written_over(place: Place) -> None:
    place.applied()
    (place.root / "out").mkdir()
    (place.root / "alpha").write_text("yesterday's\n")
    for _ in range(2):
        assert place.run("drift", "--also", "json=last.json", "--also", "html=out/last.html").code == 0
    assert place.run("drift", "--since", "last.json", "--also", "json=last.json").code == 0
    assert json.loads((place.root / "last.json").read_text())["kind"] == "drift"
    assert place.run("plan", "alpha", "--also", "text=alpha").code == 0
    assert "Plan:" in (place.root / "alpha").read_text()
