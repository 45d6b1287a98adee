"""Two saved agents that the tests of `openai-agents` begin with."""

from __future__ import annotations

from tests.cli.place import Place

EMPTY = "0 to create, 0 to modify, 0 to delete"
TRIAGE = """\
model: gpt-5.5
instructions: |
  Sort what comes in.
  Then stop.
reasoning: {summary: auto}
text: {format: {type: json_schema, schema: {type: object}}}
experimental: {time_awareness: true}
metadata: {owner: bea}
tools:
  - type: function
    name: lookup
    description: Finds an order
    parameters: {type: object, properties: {id: {type: string}}}
  - {type: mcp, server_label: docs, transport: {type: http, server_url: "https://example.com/mcp"}}
  - {type: web_search}
"""


def assert_in_sync(place: Place) -> None:
    ran = place.run("plan", "--detailed-exitcode")
    assert ran.code == 0, ran.out + ran.err
    assert EMPTY in ran.out
