"""Any sequence of requests, held against a dictionary that does the same in a few lines."""

from __future__ import annotations

import itertools
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.extent import examples
from trueup.core.call import Call
from trueup.local.openai_assistants import Server

PLAIN = st.fixed_dictionaries(
    {},
    optional={
        "name": st.text(max_size=5),
        "instructions": st.text(max_size=5),
        "temperature": st.floats(0, 2),
        "metadata": st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=3),
        "tools": st.lists(st.just({"type": "code_interpreter"}), max_size=2),
    },
)
WRONG = st.sampled_from([{"tools": None}, {"metadata": {"k": None}}, {"nmae": "x"}, {"top_p": 2}])
STEP = st.tuples(st.sampled_from(["create", "modify", "delete", "get", "wrong"]), PLAIN, WRONG, st.integers(0, 9))


@settings(max_examples=examples(80), deadline=None)
@given(st.lists(STEP, max_size=25), st.integers(1, 7))
def test_a_dictionary_says_the_same(steps: list[tuple[str, dict[str, Any], dict[str, Any], int]], limit: int) -> None:
    numbers = itertools.count()
    model: dict[str, dict[str, Any]] = {}
    with Server(clock=lambda: 5, ids=lambda: f"asst_{next(numbers)}") as server:
        for verb, body, wrong, pick in steps:
            name = f"asst_{pick}"
            path = f"/assistants/{name}"
            if verb == "create":
                reply = server.answer(Call("POST", "/assistants", json={"model": "m", **body}))
                model[reply.json["id"]] = {"model": "m", **body}
                assert reply.status == 200
            elif verb == "wrong":
                assert server.answer(Call("POST", "/assistants", json={"model": "m", **wrong})).status == 400
                assert server.answer(Call("POST", path, json=wrong)).status == 400
            else:
                method = {"modify": "POST", "delete": "DELETE", "get": "GET"}[verb]
                reply = server.answer(Call(method, path, json=body if verb == "modify" else None))
                assert reply.status == (200 if name in model else 404)
                if verb == "modify" and name in model:
                    model[name].update(body)
                if verb == "delete":
                    model.pop(name, None)
        for order in ("asc", "desc"):
            seen = _walk(server, order, limit)
            assert [item["id"] for item in seen] == list(model)[:: 1 if order == "asc" else -1]
            assert all(item[key] == value for item in seen for key, value in model[item["id"]].items())


def _walk(server: Server, order: str, limit: int) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    query = {"order": order, "limit": str(limit)}
    while True:
        page = server.answer(Call("GET", "/assistants", query)).json
        items += page["data"]
        if not page["has_more"]:
            return items
        query["after"] = page["last_id"]
