"""Whatever live text, files or an answer hold, it breaks out of no format: read back by parsers that are not ours."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.extent import examples
from tests.render import parsed, text
from tests.render.changes import field_change, read_plan
from tests.render.hostile import DIAGNOSTICS, PLANS, REPORTS
from trueup.core.errors import TrueupError
from trueup.core.memory.state import Identity
from trueup.core.plans.plan import Action, Cause, Change, FieldChange, Options, Plan, Reason
from trueup.core.plans.report import Report
from trueup.core.source import Diagnostic, Severity
from trueup.render import pages
from trueup.render.markup import html, markdown
from trueup.render.pages import Detail
from trueup.render.records import github, junit, sarif

LAW = settings(
    max_examples=examples(60),
    deadline=None,
    phases=[Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

COMMENT_TAGS = frozenset({
    "p", "h3", "strong", "em", "ul", "li", "code", "details", "summary", "b", "i", "table", "tr", "th", "td",
    "pre", "del", "ins", "sub", "br", "blockquote", "tbody", "thead",
})  # fmt: skip
PAGE_TAGS = frozenset({
    "html", "head", "meta", "title", "style", "body", "header", "main", "section", "footer", "fieldset",
    "legend", "label", "input", "details", "summary", "div", "span", "h1", "h2", "h3", "p", "ul", "li", "code",
    "pre", "table", "thead", "tbody", "tr", "th", "td", "del", "ins",
})  # fmt: skip
PAGE_ATTRIBUTES = frozenset({
    "lang", "charset", "http-equiv", "content", "name", "class", "type", "id", "checked", "open", "scope",
    "aria-hidden", "data-of",
})  # fmt: skip
LINKED = re.compile(r"[@#]\w|://|www\.|(?<![\w:]):\w+:|\bGH-\d|\w/\w+#\d")
COMMAND = re.compile(r"^\s*::", re.MULTILINE)
OBEYED = re.compile(r"##(vso|teamcity)?\[")
"""What GitHub's, Azure's and TeamCity's runners look for anywhere in a line."""


def _is_safe_comment(written: str) -> None:
    assert len(written.encode("utf-8")) < 65_536
    assert not COMMAND.search(written)
    assert not OBEYED.search(written)
    assert not re.search(r"^/", written, re.MULTILINE)
    read = parsed.markdown(written)
    assert read.tags <= COMMENT_TAGS
    assert read.attributes == set()
    assert len(read.comments) == 1
    assert written.startswith(f"<!--{read.comments[0]}-->\n")
    assert not LINKED.search("\n".join(read.plain))


def _is_safe_page(written: str) -> None:
    assert written.encode("utf-8")
    assert not OBEYED.search(written)
    read = parsed.Parsed(written)
    assert read.tags <= PAGE_TAGS
    assert read.attributes <= PAGE_ATTRIBUTES
    assert read.counts["style"] == 1
    assert len(read.comments) == 1


def _are_annotations(written: str, most: int = 10) -> list[dict[str, str]]:
    """Return the annotations as a runner reads them."""
    assert not OBEYED.search(written)
    found = []
    for line in written.removesuffix("\n").split("\n"):
        match = re.fullmatch(r"::(error|warning|notice) ([^:]*)::(.*)", line)
        if match is None:
            assert not line.lstrip().startswith("::")
            continue
        pairs = dict(pair.split("=", 1) for pair in match[2].split(","))
        assert set(pairs) <= {"file", "line", "col", "title"}
        found.append({"kind": match[1], "message": unquote(match[3]), **pairs})
    assert all(number <= most for number in Counter(item["kind"] for item in found).values())
    assert len(written.splitlines()) == written.count("\n")
    return found


def _is_sarif(written: str) -> None:
    document = json.loads(written)
    assert not OBEYED.search(written)
    (run,) = document["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert len(set(rules)) == len(rules)
    prints = []
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note")
        place = result["locations"][0]["physicalLocation"]
        assert re.fullmatch(r"[A-Za-z0-9._~/%-]*", place["artifactLocation"]["uri"])
        assert place["artifactLocation"]["uriBaseId"] in run["originalUriBaseIds"]
        prints.append(json.dumps(result["partialFingerprints"]))
    assert len(set(prints)) == len(prints)


def _is_junit(written: str) -> None:
    root = ElementTree.fromstring(written.encode("utf-8"))
    assert not COMMAND.search(written)
    assert not OBEYED.search(written)
    cases = root.findall("./testsuite/testcase")
    assert len(cases) == int(root.attrib["tests"])
    assert len(root.findall(".//failure")) == int(root.attrib["failures"])
    assert {item.tag for item in root.iter()} <= {"testsuites", "testsuite", "testcase", "failure", "system-out"}


@given(PLANS, st.lists(st.sampled_from(["a guard: --ack `x`"]), max_size=1))
@LAW
def test_a_plan_breaks_out_of_no_format(plan: Plan, alerts: Sequence[str]) -> None:
    _is_safe_comment(markdown.write_page(pages.plan_page(plan, alerts)))
    _is_safe_page(html.write_page(pages.plan_page(plan, alerts)))
    _are_annotations(github.plan(plan, alerts))
    written = text.plan(plan, color=False, width=80)
    assert not COMMAND.search(written)
    assert not OBEYED.search(written)


@given(PLANS, REPORTS)
@LAW
def test_groups_of_equal_changes_and_outcomes_break_out_of_no_format(plan: Plan, report: Report) -> None:
    changes = [replace(item, name=item.name + end, others=()) for item in plan.changes for end in ("", "2", "`3")]
    outcomes = [replace(item, name=item.name + end, others=()) for item in report.outcomes for end in ("", "2", "<3")]
    plan, report = replace(plan, changes=tuple(changes)), replace(report, outcomes=tuple(outcomes))
    for page in (pages.plan_page(plan), pages.drift_page(plan), pages.report_page(report)):
        _is_safe_comment(markdown.write_page(page))
        _is_safe_page(html.write_page(page))
    for compact in (False, True):
        written = text.plan(plan, detail=Detail(compact), color=False, width=80)
        assert not COMMAND.search(written)
        assert not OBEYED.search(written)
    assert not COMMAND.search(text.report(report, color=False, width=80))


@given(PLANS)
@LAW
def test_a_drift_report_breaks_out_of_no_format(plan: Plan) -> None:
    _is_safe_comment(markdown.write_page(pages.drift_page(plan)))
    _is_safe_page(html.write_page(pages.drift_page(plan)))
    _are_annotations(github.drift(plan))
    _is_sarif(sarif.drift(plan))
    _is_junit(junit.drift(plan))


@given(REPORTS)
@LAW
def test_an_apply_report_breaks_out_of_no_format(report: Report) -> None:
    _is_safe_comment(markdown.write_page(pages.report_page(report)))
    _is_safe_page(html.write_page(pages.report_page(report)))
    _are_annotations(github.report(report))


@given(st.lists(DIAGNOSTICS, max_size=5))
@LAW
def test_problems_and_errors_break_out_of_no_format(items: list[Diagnostic]) -> None:
    error = TrueupError("::error::failed", "-->", items)
    for written in (
        markdown.write_page(pages.problems_page(items, "checked")),
        markdown.write_page(pages.error_page(error)),
    ):
        _is_safe_comment(written)
    for written in (html.write_page(pages.problems_page(items, "checked")), html.write_page(pages.error_page(error))):
        _is_safe_page(written)
    assert len(_are_annotations(github.error(error))) <= len(items) + 1
    _are_annotations(github.diagnostics(items, "checked"))
    _is_sarif(sarif.diagnostics(items))
    _is_sarif(sarif.error(error))
    _is_junit(junit.diagnostics(items, ["assistants/a.yaml"]))
    _is_junit(junit.error(error))


def _large(fields: Sequence[FieldChange], number: int = 1) -> Plan:
    """Return a plan of so many modifies; if there are several, each field of each ends in a line of its own."""
    changes = tuple(
        Change(f"team/{place:04}", Action.MODIFY, Reason.EDITED, f"asst_{place}", fields=tuple(
            replace(item, after=f"{item.after}line of {place:04}\n") if number > 1 else item for item in fields
        ))
        for place in range(number)
    )  # fmt: skip
    return Plan(Identity("acme", "prod", "openai-assistants", "https://api.example"), Options(), changes)


LARGE = {
    "one line": ("x" * 1_000_000, "x" * 500_000 + "`" + "x" * 500_000),
    "backticks": ("a\n" * 10, "`" * 1_000_000),
    "words": ("a b " * 60_000, "a c " * 60_000),
    "lines": ("".join(f"line {n}\n" for n in range(9_000)), "".join(f"line {n}!\n" for n in range(9_000))),
    "tags": ("", "</details>\n" * 20_000),
}


@pytest.mark.parametrize("case", LARGE)
def test_a_large_text_is_cut_at_a_row_and_the_cut_is_counted(case: str) -> None:
    before, after = LARGE[case]
    written = markdown.write_page(pages.plan_page(_large([field_change("instructions", before, after, Cause.EDITED)])))
    _is_safe_comment(written)
    assert re.search(r"[\d,]+ more (rows?|characters?)", written)


@pytest.mark.exhaustive
@pytest.mark.parametrize("number", [2, 70, 400, 3_000])
def test_many_assistants_share_the_room_and_the_rest_is_counted(number: int) -> None:
    lines = field_change("instructions", "a\n", "".join(f"line {n} of the text\n" for n in range(60)), Cause.EDITED)
    written = markdown.write_page(pages.plan_page(_large([lines], number)))
    _is_safe_comment(written)
    shown = written.count("<details>")
    left = re.search(r"Not shown to save space: ([\d,]+) modify", written)
    assert shown + (int(left[1].replace(",", "")) if left else 0) == number
    assert shown >= min(number, 40)


def test_a_cut_comment_uses_its_room_and_names_those_without_a_block() -> None:
    lines = field_change("instructions", "a\n", "".join(f"line {n} of the text\n" for n in range(60)), Cause.EDITED)
    written = markdown.write_page(pages.plan_page(_large([lines], 150)))
    assert 63_000 < len(written.encode("utf-8")) < 65_000
    assert all(f"team/{number:04}" in written for number in range(150))
    many = markdown.write_page(pages.plan_page(_large([lines], 3_000)))
    left = re.search(r"\n- modify: (.*) and ([\d,]+) more\n", many)
    assert left is not None
    assert many.count("<details>") + left[1].count("`") // 2 + int(left[2].replace(",", "")) == 3_000


def test_every_size_is_cut_safely() -> None:
    for number in range(900, 1_000, 3):
        lines = "".join(f"{n} </details> ``` ünï 日本 👩‍💻\n" for n in range(number))
        page = pages.plan_page(_large([field_change("instructions", "", lines, Cause.EDITED)]))
        _is_safe_comment(markdown.write_page(page))


def test_a_runner_is_given_ten_of_a_kind_and_the_rest_as_a_number() -> None:
    items = [Diagnostic(severity, "c", f"m{n}") for severity in Severity for n in range(25)]
    found = _are_annotations(github.diagnostics(items, "checked"))
    assert Counter(item["kind"] for item in found) == {"error": 10, "warning": 10, "notice": 10}
    assert sum("16 more" in item["message"] for item in found) == 3
    ten = _are_annotations(github.diagnostics(items[:10], "checked"))
    assert [item["message"] for item in ten] == [f"m{n}" for n in range(10)]


def test_a_fingerprint_stays_where_the_line_moves() -> None:
    from tests.render import samples

    first = samples.DIAGNOSTICS[0]
    assert first.position is not None
    moved = replace(first, position=replace(first.position, line=99))
    one, other = (json.loads(sarif.diagnostics([item]))["runs"][0]["results"][0] for item in (first, moved))
    assert one["partialFingerprints"] == other["partialFingerprints"]
    assert one["locations"] != other["locations"]


def test_a_comment_is_found_by_its_first_line() -> None:
    plan = _large([])
    for page in (pages.plan_page(plan), pages.drift_page(plan), pages.report_page(Report(plan, ()))):
        written = markdown.write_page(page)
        assert written.startswith("<!-- trueup:acme/prod ")
    foreign = replace(plan, identity=replace(plan.identity, target="x --> <script>"))
    assert markdown.write_page(pages.plan_page(foreign)).startswith(
        "<!-- trueup:acme/x%20--%3E%20%3Cscript%3E plan -->\n"
    )


def test_the_saved_plan_of_each_golden_case_is_safe() -> None:
    from tests.render.test_golden import CASES, GOLDEN

    for case in CASES:
        plan = read_plan((GOLDEN / case / "plan.json").read_text("utf-8"))
        _is_safe_comment(markdown.write_page(pages.plan_page(plan)))
        _is_safe_page(html.write_page(pages.plan_page(plan)))
