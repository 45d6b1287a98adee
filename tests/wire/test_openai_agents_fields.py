"""The table of a saved agent's fields holds exactly what the vendor's schema does, and fits into a stamp."""

from __future__ import annotations

from tests.local.specs import spec
from trueup.core.field_table import Kind
from trueup.wire.openai_agents.fields import TABLE


def test_the_fields_are_the_ones_that_the_vendor_publishes() -> None:
    schemas = spec("openai-agents.json")["schemas"]
    assert {*TABLE.by_name} == {*schemas["CreateRequest"]["properties"]}
    assert {*TABLE.by_name} <= {*schemas["Agent"]["properties"]}


def test_every_letter_is_given_once() -> None:
    assert len({*TABLE.letters.values()}) == len(TABLE.letters)


def test_only_the_entries_of_maps_have_no_place_in_a_stamp() -> None:
    assert {*TABLE.by_name} - {*TABLE.letters} == {name for name, row in TABLE.maps.items() if row.kind is Kind.MAP}


def test_an_experimental_setting_is_a_field_of_its_own() -> None:
    body = {"model": "m", "experimental": {"time_awareness": True}, "metadata": {"owner": "support"}}
    fields = {"model": "m", "experimental.time_awareness": True, "metadata.owner": "support"}
    assert TABLE.split(body) == fields
    assert TABLE.join(fields) == body
