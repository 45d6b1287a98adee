"""Fleets of definitions to measure with: about 10 KB each, instructions of 2 to 40 KB, none to six functions.

The same number gives the same bytes everywhere. Written as text, because a YAML writer would be measured along.
"""

from __future__ import annotations

import random
from pathlib import Path

from benchmarks.protocols import DEFAULT, SAMPLES, Sample

_PROSE = (
    "answer the question only from what you were given and say so plainly when it is not there before offering a next "
    "step keep to the customer's own words never promise a date a price or a refund quote the order number check it "
    "twice ask one thing at a time be brief be kind use the language of the message do not guess escalate to a person "
    "when money health or law is touched summarise what was agreed and close with thanks"
)
WORDS = _PROSE.split()
CHANGED = 100
"""Every so manieth definition is changed by `edit`: one in a hundred."""


def write(
    folder: Path,
    count: int,
    base_url: str = "http://127.0.0.1:9/v1",
    *,
    markdown: bool = False,
    protocol: str = DEFAULT,
) -> Path:
    """Write a project with so many definitions and one target at the base URL; other files in the folder stay."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "trueup.yaml").write_text(
        f"project: benchmark\ntargets:\n  stub:\n    protocol: {protocol}\n"
        f"    base_url: {base_url}\n    api_key: {{env: TRUEUP_BENCHMARK_KEY}}\n"
        "    guard: {modify_share: 1, delete_share: 1}\n",
        encoding="utf-8",
    )
    (folder / "assistants").mkdir(exist_ok=True)
    for index in range(count):
        text = front_matter(index) if markdown else definition(index, protocol)
        (folder / "assistants" / f"{name(index)}.{'md' if markdown else 'yaml'}").write_text(text, encoding="utf-8")
    return folder


def edit(folder: Path, count: int, *, every: int = CHANGED, protocol: str = DEFAULT) -> None:
    """Change one definition in `every`: the value of a field and a line of its instructions."""
    for index in range(0, count, every):
        text = definition(index, protocol).replace(*SAMPLES[protocol].edit, 1)
        text = text.replace(
            "instructions: |-\n", "instructions: |-\n  This line is new, whatever was agreed before.\n", 1
        )
        (folder / "assistants" / f"{name(index)}.yaml").write_text(text, encoding="utf-8")


def name(index: int) -> str:
    """Return the name of the definition with this number; names sort as the numbers do."""
    return f"assistant-{index:05}"


def definition(index: int, protocol: str = DEFAULT) -> str:
    """Return one definition as YAML."""
    dice, sample = random.Random(index), SAMPLES[protocol]
    text = _indent(instructions(dice), 2)
    return "".join([_head(index, sample), "instructions: |-\n", text, _tools(dice, sample), _metadata(index)])


def front_matter(index: int) -> str:
    """Return a definition of the default protocol as Markdown: the instructions are the body."""
    dice, sample = random.Random(index), SAMPLES[DEFAULT]
    body = instructions(dice)
    return "".join(["---\n", _head(index, sample), _tools(dice, sample), _metadata(index), "---\n\n", body])


def instructions(dice: random.Random) -> str:
    """Return a prompt of 2,000 to 40,000 characters; most prompts are short."""
    size, lines, length = int(2_000 * 20 ** (dice.random() ** 1.95)), [], 0
    while length < size:
        line = " ".join(dice.choices(WORDS, k=dice.randint(6, 24)))
        kind = dice.random()
        line = f"# {line[:40]}" if kind < 0.06 else f"- {line}." if kind < 0.4 else f"{line}."
        lines.append(line)
        length += len(line) + 1
    return "\n".join(lines) + "\n"


def _head(index: int, sample: Sample) -> str:
    return f"name: {sample.noun.capitalize()} {index}\nmodel: gpt-4.1-mini\n{sample.fields.format(index)}"


def _indent(text: str, by: int) -> str:
    return "".join(f"{' ' * by}{line}\n" for line in text.splitlines())


def _tools(dice: random.Random, sample: Sample) -> str:
    return f"tools:\n{sample.tools}{''.join(_function(dice, number, sample) for number in range(dice.randint(0, 6)))}"


def _function(dice: random.Random, number: int, sample: Sample) -> str:
    properties = "".join(
        f"    field_{at}:\n      type: string\n      description: {' '.join(dice.choices(WORDS, k=6))}\n"
        for at in range(dice.randint(1, 5))
    )
    text = (
        f"name: look_up_{number}\ndescription: {' '.join(dice.choices(WORDS, k=9))}\nparameters:\n  type: object\n"
        f"  required: [field_0]\n  properties:\n{properties}"
    )
    nested = f"    function:\n{_indent(text, 6)}" if sample.nests_functions else _indent(text, 4)
    return f"  - type: function\n{nested}"


def _metadata(index: int) -> str:
    return f"metadata:\n  team: team-{index % 7}\n  owner: owner-{index % 31}\n  ticket: T-{index}\n"
