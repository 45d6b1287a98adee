"""How often each trouble really struck in a schedule, for the tables of docs/guarantees.md. Judges nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import product

from trueup.core.call import Call, Reply, Send
from trueup.local.faults import Fault, Faults, Kind

SILENCE = 10.0
"""Seconds without an answer that count as a timeout."""

WHENS = ("nothing was done", "done before", "done seconds later")
STATUSES = (408, 409, 429, 500, 502, 503)
WRITES = ("the connection closed", "a timeout", *map(str, STATUSES), "HTML in place of JSON", "a redirect")
FILES = ("the state file", "the journal", "the plan file", "a backup", "another file or a folder")
DISK = (
    "killed at it", "torn by the kill", "the disk was full", "the disk failed", "lost in a power cut",
    "torn in a power cut",
)  # fmt: skip

LISTS: dict[str, tuple[str, ...]] = {
    "requests": (
        "a write answered with 400 or 403",
        "a 404 that means that the endpoint is gone",
        "an answer of another kind with status 200",
        "an answer cut in half",
        "the connection refused",
        "an answer later than ten seconds",
        "a Retry-After",
        "a read that failed or was answered with something else",
        "a gateway sent our POST twice",
    ),
    "listings": (
        "a page that was late: something missing or as it was before",
        "a page smaller than what was asked for, with more to come",
        "one item with the word that it is the last page, and it is not",
        "a page with the word that it is the last, and it is not",
        "an empty page with more to come",
        "an empty page with the word that it is the last, and it is not",
        "an item that was there before",
        "the first page again",
        "another kind of object among the items",
        "a page without data",
        "a text in place of a page",
        "403 in place of a page",
        "502 in place of a page",
    ),
    "servers": (
        "a write to a server that merges metadata",
        "a write to a server that drops metadata",
        "a write to a server that drops only our stamp",
        "a write to a server that rewrites texts, numbers and tools",
        "a modify to a server that ignores a field",
    ),
    "people": (
        "a declared field edited at the vendor, between runs",
        "a declared field edited at the vendor, during a run",
        "an undeclared field written at the vendor, between runs",
        "an undeclared field written at the vendor, during a run",
        "an assistant deleted at the vendor, between runs",
        "an assistant deleted at the vendor, during a run",
        "somebody else's assistant made, between runs",
        "somebody else's assistant made, during a run",
        "an assistant copied with its stamp",
        "a file edited, added or removed",
        "two checkouts applied at once",
        "the other checkout applied in between",
    ),
    "processes": (
        "killed before a request left",
        "killed while a request was under way or answered",
        "killed while waiting",
        "killed at a line of the journal (memory)",
        "killed at the state (memory)",
        "killed with a create on its way, which arrived",
        "interrupted",
    ),
    "memory, plans, clock": (
        "state and journal lost",
        "an older state came back",
        "the power was cut",
        "a plan applied as it was saved",
        "a plan file torn",
        "a plan file changed by hand",
        "a plan file forged with the right digest",
        "an old plan file applied",
        "the clock set ahead during a run",
        "the clock set back during a run",
        "the clock set ahead or back between runs",
    ),
}


class Tally:
    """Counts troubles by the words of the tables; a word that no table knows is an error."""

    known = frozenset(
        {word for words in LISTS.values() for word in words}
        | {f"{what}, {when}" for what, when in product(WRITES, WHENS)}
        | {f"{file}: {what}" for file, what in product(FILES, DISK)}
    )

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def note(self, *words: str) -> None:
        """One more of each."""
        assert self.known.issuperset(words), words
        self.counts.update(words)

    def absent(self) -> list[str]:
        """Return what did not happen at all."""
        return sorted(self.known - self.counts.keys())


class Counted(Faults):
    """Faults that are counted when they strike."""

    tally: Tally

    async def _misbehave(self, fault: Fault, send: Send, call: Call) -> Reply:
        self.tally.note(*_words(fault, call))
        return await super()._misbehave(fault, send, call)


def _words(fault: Fault, call: Call) -> Iterable[str]:
    """Return what the tables call a fault that strikes this request."""
    is_write = call.method != "GET"
    what = _cell(fault)
    if what and is_write:
        yield f"{what}, {WHENS[2] if fault.late else WHENS[1] if fault.commit else WHENS[0]}"
    elif what or (fault.kind is Kind.CUT and not is_write):
        yield "a read that failed or was answered with something else"
    if fault.kind is Kind.CUT:
        yield "an answer cut in half"
    elif fault.kind is Kind.REFUSE:
        yield "the connection refused"
    elif fault.kind is Kind.REPEAT and call.method == "POST":
        yield "a gateway sent our POST twice"
    elif fault.kind in (Kind.ANSWER, Kind.HTML) and fault.status == 404:
        yield "a 404 that means that the endpoint is gone"
    elif fault.kind is Kind.ANSWER and fault.status == 200:
        yield "an answer of another kind with status 200"
    elif fault.kind in (Kind.ANSWER, Kind.HTML) and fault.status in (400, 403) and is_write:
        yield "a write answered with 400 or 403"
    if fault.delay > SILENCE and fault.kind is not Kind.DROP:
        yield "an answer later than ten seconds"
    if "retry-after" in fault.headers and fault.kind in (Kind.ANSWER, Kind.HTML):
        yield "a Retry-After"


def _cell(fault: Fault) -> str:
    """Return the row in the table of writes, empty if there is none."""
    if fault.kind is Kind.DROP:
        return "a timeout" if fault.delay > SILENCE else "the connection closed"
    if fault.kind is Kind.REDIRECT:
        return "a redirect"
    if fault.kind is Kind.HTML and fault.status not in (400, 403, 404):
        return "HTML in place of JSON"
    return str(fault.status) if fault.kind is Kind.ANSWER and fault.status in STATUSES else ""


def tables(counts: Counter[str]) -> str:
    """All tables as Markdown."""
    heads = " | ".join(WHENS)
    lines = [f"| in answer to a write | {heads} |", "|---|---|---|---|"]
    lines += [_row(what, (counts[f"{what}, {when}"] for when in WHENS)) for what in WRITES]
    lines += ["", f"| file | {' | '.join(DISK)} |", "|---|" + "---|" * len(DISK)]
    lines += [_row(file, (counts[f"{file}: {what}"] for what in DISK)) for file in FILES]
    for title, words in LISTS.items():
        lines += ["", f"| {title} | times |", "|---|---|", *(_row(word, (counts[word],)) for word in words)]
    return "\n".join(lines)


def _row(word: str, numbers: Iterable[int]) -> str:
    return f"| {word} | " + " | ".join(f"{number:,}" for number in numbers) + " |"
