"""A report, problems, an answer to `why` and targets: what renderers are tried on beside the golden plans."""

from __future__ import annotations

from trueup.core.errors import DefinitionError, Exit
from trueup.core.memory.state import Identity
from trueup.core.plans.plan import MISSING, Action, Options, Plan
from trueup.core.plans.reasons import AppliedAs, Why, WhyField
from trueup.core.plans.report import Outcome, Report, Result
from trueup.core.projects.project import Portkey, SecretRef, Target
from trueup.core.source import Diagnostic, Position, Severity
from trueup.wire.described import describe_target

PLAN = Plan(Identity("acme-support", "prod", "openai-assistants", "https://api.openai.com/v1"), Options(), ())
AT = Position("assistants/math-tutor.yaml", 3, 14, "temperature: 3.5")

REPORT = Report(
    plan=PLAN,
    outcomes=(
        Outcome("billing", Action.RECORD, Result.RECORDED, "asst_0"),
        Outcome("math-tutor", Action.CREATE, Result.DONE, "asst_1", attempts=2),
        Outcome("onboarding", Action.MODIFY, Result.DONE, "asst_2", not_kept=("temperature", "metadata.owner")),
        Outcome(
            "sales/quotes", Action.MODIFY, Result.FAILED, "asst_3", position=AT,
            message="400: temperature is above 2.", hint="Correct the file, then plan and apply again.",
        ),
        Outcome("sales/renewals", Action.CREATE, Result.UNKNOWN, message="No answer within 60 s.", others=("asst_9",)),
        Outcome("support/triage", Action.MODIFY, Result.CHANGED, "asst_4", hint="Plan again to see what it is now."),
        Outcome("old/faq", Action.DELETE, Result.SKIPPED, "asst_5", message="Another write of this run failed."),
        Outcome("press", Action.MODIFY, Result.ALREADY, "asst_6"),
        Outcome("legal", Action.ADOPT, Result.ADOPTED, "asst_7"),
    ),
    codes=(Exit.PARTIAL, Exit.HELD),
    only_fresh=2,
    calls=9,
    retries=3,
    problems=("The journal could not be folded into the state; the next run does it.",),
)  # fmt: skip

DIAGNOSTICS = (
    Diagnostic(
        Severity.ERROR, "out-of-range", "temperature is 3.5, and may be 0 to 2", AT, ("temperature",),
        "Write a number from 0 to 2.",
    ),
    Diagnostic(
        Severity.WARNING, "unused-part", "no definition uses this part",
        Position("assistants/_shared/safety.md", 1, 1, "\tSafety \x1b[31m" + "policy " * 25),
    ),
    Diagnostic(
        Severity.ERROR, "unknown-key", "there is no key `colour`",
        Position("assistants/support/triage.yaml", 120, 151, "x: " + "long words here, " * 9 + "colour: red and so on"),
        ("colour",), "Leave it out.",
    ),
    Diagnostic(Severity.NOTE, "no-definitions", "nothing is defined yet", None, ("targets", 0, "name")),
)  # fmt: skip

CHECKED = "3 assistants checked for targets local, prod: 2 errors, 1 warning, 1 note (exit 1)."

ERROR = DefinitionError("Two definitions are wrong, so nothing was planned.", "Correct them.", DIAGNOSTICS[:1])

WHY = Why(
    "support/triage",
    "asst_4",
    "is blocked: was changed both in the file and live",
    (
        WhyField("model", "gpt-4.1", AppliedAs.NEITHER, "o3", "Both changed since it was applied: a conflict.", AT),
        WhyField("instructions", "Be kind.\n" * 30, AppliedAs.FILE, "Be rude.\n" * 30, "Only live changed: drift."),
        WhyField("metadata.owner", MISSING, AppliedAs.NEVER, None, "Not declared: not touched."),
    ),
    hint="To put the file's value in force: --on-drift revert.",
    notes={"temperature": "ignored by lifecycle.ignore_changes until 2027-01-31"},
)

TARGETS = (
    describe_target(Target("local", "local")),
    describe_target(
      Target(
        "prod", "acme-support", base_url="https://api.openai.com/v1", api_key=SecretRef(env="SECRET_KEY"),
        state="stamps", on_drift="revert",
      )
    ),
    describe_target(
      Target(
        "azure", "acme-support", base_url="", dialect="azure-openai", gateway="portkey",
        allow_loss=("reasoning_effort",),
        portkey=Portkey(api_key=SecretRef(env="PORTKEY_KEY"), config={"api_key": SecretRef(env="AZURE_KEY")}),
      )
    ),
)  # fmt: skip
