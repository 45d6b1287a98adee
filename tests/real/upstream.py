"""The embedded server with eyes and hands: what arrived, what is live, and what somebody changes by hand.

Knows no software of others, and no project.
"""

from __future__ import annotations

from typing import Any

from trueup.core.call import Call, Reply
from trueup.local.faults import Faults
from trueup.local.openai_assistants import Server


class Upstream(Server):
    """The embedded server in one dialect, with a log of what arrived and faults to be added."""

    def __init__(self, dialect: str = "openai") -> None:
        super().__init__(dialect=dialect)
        self.faults = Faults()
        self._behind = self.faults.wrap(super().send)

    async def send(self, call: Call) -> Reply:
        """Return the response to one request. Raises as the faults say."""
        return await self._behind(call)

    def live(self) -> list[dict[str, Any]]:
        """All live assistants, oldest first."""
        found: list[dict[str, Any]] = []
        while True:
            query = {"limit": "100", "order": "asc", **({"after": found[-1]["id"]} if found else {})}
            page = self.answer(Call("GET", "/assistants", query)).json
            found += page["data"]
            if not page["has_more"]:
                return found

    def named(self, name: str) -> list[dict[str, Any]]:
        """Return the live assistants with this display name."""
        return [entry for entry in self.live() if entry["name"] == name]

    def edit(self, live_id: str, **body: Any) -> None:
        """Change an assistant by hand, past every gateway."""
        assert self.answer(Call("POST", f"/assistants/{live_id}", json=body)).status == 200

    def make(self, **body: Any) -> str:
        """Create an assistant as somebody else; return its id."""
        made = self.answer(Call("POST", "/assistants", json=body))
        assert made.status == 200
        return str(made.json["id"])

    def remove(self, live_id: str) -> None:
        """Delete an assistant by hand, past every gateway."""
        assert self.answer(Call("DELETE", f"/assistants/{live_id}")).status == 200

    @property
    def writes(self) -> list[Any]:
        """The requests that arrived and were no reads."""
        return [entry for entry in self.faults.log if entry.method != "GET"]
