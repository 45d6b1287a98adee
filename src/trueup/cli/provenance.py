"""Who applies, and who applied: the commit and the pipeline as CI names them, kept in reports and found there again."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from trueup.cli.options import Decorator, flag

if TYPE_CHECKING:
    from trueup.cli.session import Session
    from trueup.core.plans.drift import Origin
    from trueup.core.plans.report import Provenance
    from trueup.engine.plan import Planning

NAMED: Sequence[Decorator] = (
    flag("--commit", metavar="TEXT", help="The commit, for the report; else GITHUB_SHA or CI_COMMIT_SHA."),
    flag("--pipeline", metavar="TEXT", help="The pipeline's address, for the report; else as GitHub or GitLab say."),
)
"""What `apply` and `destroy` take, to say in their report who applied."""

REPORTS: Sequence[Decorator] = (
    flag("--reports", metavar="FOLDER", help="JSON reports of applies: who applied each assistant last."),
)
"""What commands take that tell who applied last."""

LONGEST = 500
"""Characters of a commit or of a pipeline's address that are kept."""


def provenance(commit: str | None, pipeline: str | None, environ: Mapping[str, str]) -> Provenance:
    """Who applies now: flags first, then what GitHub Actions and GitLab CI set.

    Raises TrueupError for an address that carries a user or a password.
    """
    from trueup.core.migration.export import moment
    from trueup.core.plans.report import Provenance

    commit = commit or environ.get("GITHUB_SHA") or environ.get("CI_COMMIT_SHA") or ""
    pipeline = pipeline or _of_github(environ) or environ.get("CI_PIPELINE_URL") or ""
    _refuse_credential(pipeline)
    return Provenance(commit[:LONGEST], pipeline[:LONGEST], moment(time.time()))


def _of_github(environ: Mapping[str, str]) -> str:
    """The address of a workflow's run, as GitHub's documentation puts it together."""
    parts = [environ.get(name, "") for name in ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")]
    if not all(parts):
        return ""
    attempt = environ.get("GITHUB_RUN_ATTEMPT", "")
    return f"{parts[0]}/{parts[1]}/actions/runs/{parts[2]}" + (f"/attempts/{attempt}" if attempt else "")


def _refuse_credential(address: str) -> None:
    from trueup.core.errors import TrueupError

    try:
        carries = "@" in urlsplit(address).netloc
    except ValueError:
        carries = "@" in address
    if carries:
        raise TrueupError(
            "The pipeline's address carries a user or a password, and reports are kept.",
            "Give the address without them.",
        )


def origins_of(session: Session, planning: Planning, names: Sequence[str], folder: str | None) -> dict[str, Origin]:
    """The last apply of each assistant, by the reports in a folder seen from the project's; none without a folder.

    Where no report tells of an operation, its origin names nothing else. Raises TrueupError.
    """
    from trueup.core.plans.drift import Origin, origins
    from trueup.edge.artifacts import read_reports

    if folder is None:
        return {}
    found, others = origins(read_reports(session.root / folder))
    if others:
        files = "1 file is" if others == 1 else f"{others} files are"
        session.screen.say(f"In {folder} {files} no report of an apply, and told nothing.")
    known = {name: operation_of(name, planning) for name in names}
    return {name: found.get(text, Origin(text)) for name, text in known.items() if text}


def operation_of(name: str, planning: Planning) -> str:
    """The operation that an assistant's stamp names, else the one that state remembers; empty where neither does."""
    record = planning.state.records.get(name)
    live = planning.seen.get(record.id) if record is not None else None
    if live is not None and live.stamp is not None and live.stamp.operation:
        return live.stamp.operation
    return record.operation if record is not None else ""
