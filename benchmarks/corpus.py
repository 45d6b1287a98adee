"""Fleets of definitions to measure with: about 10 KB each, instructions of 2 to 40 KB, none to six functions.

The same number gives the same bytes everywhere. Written as text, because a YAML writer would be measured along.
"""

from __future__ import annotations

import random
from pathlib import Path

_PROSE = (
    "answer the question only from what you were given and say so plainly when it is not there before offering a next "
    "step keep to the customer's own words never promise a date a price or a refund quote the order number check it "
    "twice ask one thing at a time be brief be kind use the language of the message do not guess escalate to a person "
    "when money health or law is touched summarise what was agreed and close with thanks"
)
WORDS = _PROSE.split()
CHANGED = 100
"""Every so manieth definition is changed by `edit`: one in a hundred."""


def write(folder: Path, count: int, base_url: str = "http://127.0.0.1:9/v1", *, markdown: bool = False) -> Path:
    """A project with so many definitions, for one target at the base URL; an old one in its place is kept."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "trueup.yaml").write_text(
        "project: benchmark\ntargets:\n  stub:\n    protocol: openai-assistants\n"
        f"    base_url: {base_url}\n    api_key: {{env: TRUEUP_BENCHMARK_KEY}}\n"
        "    guard: {modify_share: 1, delete_share: 1}\n",
        encoding="utf-8",
    )
    (folder / "assistants").mkdir(exist_ok=True)
    for index in range(count):
        text = front_matter(index) if markdown else definition(index)
        (folder / "assistants" / f"{name(index)}.{'md' if markdown else 'yaml'}").write_text(text, encoding="utf-8")
    return folder


def edit(folder: Path, count: int, *, every: int = CHANGED) -> None:
    """Changes every so manieth definition: a sampling number and a line of its instructions."""
    for index in range(0, count, every):
        text = definition(index).replace("temperature: 0.7", "temperature: 0.3", 1)
        text = text.replace(
            "instructions: |-\n", "instructions: |-\n  This line is new, whatever was agreed before.\n", 1
        )
        (folder / "assistants" / f"{name(index)}.yaml").write_text(text, encoding="utf-8")


def name(index: int) -> str:
    """A definition's name, in the order of its number."""
    return f"assistant-{index:05}"


def definition(index: int) -> str:
    """One definition as YAML."""
    dice = random.Random(index)
    return "".join(
        [_head(index), "instructions: |-\n", _indented(instructions(dice), 2), _tools(dice), _metadata(index)]
    )


def front_matter(index: int) -> str:
    """The same definition as Markdown: the instructions are the body."""
    dice = random.Random(index)
    body = instructions(dice)
    return "".join(["---\n", _head(index), _tools(dice), _metadata(index), "---\n\n", body])


def instructions(dice: random.Random) -> str:
    """A prompt of 2,000 to 40,000 characters, most of them short."""
    size, lines, length = int(2_000 * 20 ** (dice.random() ** 1.95)), [], 0
    while length < size:
        line = " ".join(dice.choices(WORDS, k=dice.randint(6, 24)))
        kind = dice.random()
        line = f"# {line[:40]}" if kind < 0.06 else f"- {line}." if kind < 0.4 else f"{line}."
        lines.append(line)
        length += len(line) + 1
    return "\n".join(lines) + "\n"


def _head(index: int) -> str:
    return (
        f"name: Assistant {index}\nmodel: gpt-4.1-mini\ndescription: Number {index} of a fleet.\n"
        "temperature: 0.7\ntop_p: 0.9\n"
    )


def _indented(text: str, by: int) -> str:
    return "".join(f"{' ' * by}{line}\n" for line in text.splitlines())


def _tools(dice: random.Random) -> str:
    functions = "".join(_function(dice, number) for number in range(dice.randint(0, 6)))
    return (
        f"tools:\n  - code_interpreter\n  - type: file_search\n    file_search:\n      max_num_results: 8\n{functions}"
    )


def _function(dice: random.Random, number: int) -> str:
    properties = "".join(
        f"          field_{at}:\n            type: string\n"
        f"            description: {' '.join(dice.choices(WORDS, k=6))}\n"
        for at in range(dice.randint(1, 5))
    )
    return (
        f"  - type: function\n    function:\n      name: look_up_{number}\n"
        f"      description: {' '.join(dice.choices(WORDS, k=9))}\n      parameters:\n        type: object\n"
        f"        required: [field_0]\n        properties:\n{properties}"
    )


def _metadata(index: int) -> str:
    return f"metadata:\n  team: team-{index % 7}\n  owner: owner-{index % 31}\n  ticket: T-{index}\n"
