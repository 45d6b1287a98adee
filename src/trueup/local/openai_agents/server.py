"""The embedded server of OpenAI's saved agents on SQLite, behaving as its documents say."""

from __future__ import annotations

from typing import Any

from trueup.core.call import Call
from trueup.local.openai_agents.fields import FIELDS, resolve
from trueup.local.rules import record
from trueup.local.server import Answer, EmbeddedServer, body_of
from trueup.local.vendor import Vendor, openai_door

BETA = "agents=v1"
_NO_BETA = f"You must provide the 'OpenAI-Beta' header to access the Agents API: 'OpenAI-Beta: {BETA}'."

VENDORS = {"openai": Vendor("openai", "/v1", openai_door(_NO_BETA, _NO_BETA), betas={BETA: "openai"})}
"""Who speaks the protocol, by the name of the dialect."""

_CHECKS = {name: field.check for name, field in FIELDS.items()}
_CREATE = record(_CHECKS, required=("model",))
_UPDATE = record(_CHECKS)


class Server(EmbeddedServer):
    """Saved agents: an update keeps what it leaves out, null clears, and objects are replaced as a whole."""

    vendors = VENDORS
    collection = "agents"
    noun = "agent"
    prefix = "agent"

    def _create(self, call: Call) -> Answer:
        body, now = body_of(call), int(self._clock())
        _CREATE(body, "")
        about = {"object": "agent", "created_at": now, "updated_at": now}
        fields = {name: resolve(name, body.get(name)) for name in FIELDS}
        return self._add(lambda identifier: {"id": identifier, **about, **fields})

    def _modify(self, identifier: str, call: Call) -> Answer:
        body, now = body_of(call), int(self._clock())
        _UPDATE(body, "")

        def how(agent: dict[str, Any]) -> dict[str, Any]:
            sent = dict(body)
            if "experimental" in sent:
                sent["experimental"] = {**agent["experimental"], **sent["experimental"]}
            return {**agent, **{name: resolve(name, value) for name, value in sent.items()}, "updated_at": now}

        return 200, self._shown(self._replace(identifier, how))
