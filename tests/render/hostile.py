"""Plans, reports and problems in which every text that can be foreign is a nasty one."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.render.changes import field_change
from trueup.core.memory.state import Identity
from trueup.core.plans.plan import MISSING, Action, Cause, Change, Ignored, Options, Plan, Reason
from trueup.core.plans.report import Outcome, Report, Result
from trueup.core.source import Diagnostic, Position, Severity

NASTY = (
    "```", "`" * 40, "``` \n```", "~~~", "</details>", "</summary><script>alert(1)</script>", "-->", "<!--", "--!>",
    "<script>", "</style>", "</code></pre>", "<img src=x onerror=alert(1)>", "&#x3c;script&#x3e;", "&lt;", "&amp;",
    "::error::x", "\n::set-output name=a::b", "##[error]x", "%0A::error::", "%25", "]]>", "<![CDATA[", "<?xml?>",
    "##vso[task.setvariable variable=a]b", "###vso[x]", "##teamcity[x]",
    "\x1b[31mred", "\x1b]8;;https://evil.example/\x07", "\u202eesrever", "\u2066", "\u2028", "\u2029", "\ud800",
    "\udfff", "\0", "\x08", "\x85", "\ufffe", "\uffff", "\ufeff", "@everyone", "@org/team", "#1", "org/repo#2", "GH-3",
    "https://evil.example", "www.evil.example", ":tada:", "/close", "\n/close\n", "# title", "- [ ] x", "1. x", "|a|b|",
    "[x](javascript:alert(1))", "![x](y)", "<https://x.y>", "\\", "$`x`$", "\r\n", "\t", "    code", "\n\n\n", " ",
    '" onmouseover="x', "'", "a:b,c=d", "ünï 日本 👩‍💻", "x" * 300,
)  # fmt: skip

TEXTS = st.lists(st.one_of(st.sampled_from(NASTY), st.text(max_size=12)), min_size=1, max_size=5).map("".join)
POSITIONS = st.builds(Position, TEXTS, st.integers(1, 9_999), st.integers(1, 200), TEXTS)
VALUES = st.one_of(
    TEXTS,
    st.just(MISSING),
    st.none(),
    st.integers(),
    st.lists(TEXTS, max_size=3),
    st.dictionaries(TEXTS, TEXTS, max_size=2),
)
TOOLS = st.lists(
    st.builds(lambda name, text: {"type": "function", "function": {"name": name, "description": text}}, TEXTS, TEXTS),
    max_size=2,
)
FIELDS = st.one_of(
    st.builds(field_change, st.one_of(st.just("instructions"), TEXTS), VALUES, VALUES, st.sampled_from(Cause)),
    st.builds(field_change, st.just("tools"), TOOLS, TOOLS, st.sampled_from(Cause)),
)
CHANGES = st.builds(
    Change,
    name=TEXTS,
    action=st.sampled_from(Action),
    reason=st.sampled_from(Reason),
    id=TEXTS,
    fields=st.lists(FIELDS, max_size=3).map(tuple),
    others=st.lists(TEXTS, max_size=2).map(tuple),
    display_name=TEXTS,
    message=st.one_of(st.just(""), TEXTS),
    hint=st.one_of(st.just(""), TEXTS),
    sources=st.dictionaries(st.sampled_from(["instructions", "tools"]), POSITIONS, max_size=2),
    file=TEXTS,
    parts=st.lists(TEXTS, max_size=2).map(tuple),
    remarks=st.lists(TEXTS, max_size=2).map(tuple),
)
IGNORED = st.builds(Ignored, TEXTS, TEXTS, TEXTS, TEXTS, st.booleans())
DIAGNOSTICS = st.builds(
    Diagnostic, st.sampled_from(Severity), st.one_of(st.just("unknown-key"), TEXTS), TEXTS,
    st.one_of(st.none(), POSITIONS), st.lists(TEXTS, max_size=2).map(tuple), TEXTS,
)  # fmt: skip
IDENTITIES = st.builds(Identity, TEXTS, TEXTS, TEXTS, TEXTS)
PLANS = st.builds(
    Plan,
    identity=IDENTITIES,
    options=st.builds(Options, vars=st.dictionaries(TEXTS, TEXTS, max_size=1)),
    changes=st.lists(CHANGES, max_size=4, unique_by=lambda change: change.name).map(tuple),
    complete=st.booleans(),
    diagnostics=st.lists(DIAGNOSTICS, max_size=3).map(tuple),
    ignored=st.lists(IGNORED, max_size=3).map(tuple),
    snapshot=st.sampled_from(["", "2026-11-20T08:00:00Z"]),
)
OUTCOMES = st.builds(
    Outcome, TEXTS, st.sampled_from(Action), st.sampled_from(Result), TEXTS, TEXTS, TEXTS,
    st.lists(TEXTS, max_size=2).map(tuple), st.lists(TEXTS, max_size=2).map(tuple), st.integers(0, 3),
    st.one_of(st.none(), POSITIONS),
)  # fmt: skip
REPORTS = st.builds(
    Report, PLANS, st.lists(OUTCOMES, max_size=3).map(tuple), problems=st.lists(TEXTS, max_size=2).map(tuple)
)
