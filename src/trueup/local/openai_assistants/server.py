"""The embedded server of the assistants API on SQLite, behaving as a vendor's was recorded and documented to."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from trueup.core.call import Call
from trueup.local.openai_assistants import bodies, v1
from trueup.local.openai_assistants.bodies import USUAL, Habits
from trueup.local.openai_assistants.vendors import STORED, VENDORS, AssistantsVendor, Fields
from trueup.local.server import Answer, EmbeddedServer, Verbs, body_of
from trueup.local.vendor import page_text


class Server(EmbeddedServer):
    """The vendor of a dialect; `habits` say which way it goes where nobody has established it."""

    vendors = VENDORS
    collection = "assistants"
    noun = "assistant"
    prefix = "asst"
    cursors = ("after", "before")
    headers: ClassVar[Mapping[str, str]] = {"openai-version": "2020-10-01"}
    vendor: AssistantsVendor

    def __init__(
        self,
        path: Path | str = ":memory:",
        clock: Callable[[], float] = time.time,
        ids: Callable[[], str] | None = None,
        *,
        dialect: str = "openai",
        habits: Habits = USUAL,
    ) -> None:
        super().__init__(path, clock, ids, dialect=dialect)
        self.habits = habits

    def _create(self, call: Call) -> Answer:
        taken, _ = bodies.check_body(body_of(call), self._fields(call).create, ("model",), self.habits)
        wide, now = v1.from_v1(taken) if self.vendor.is_v1 else taken, int(self._clock())

        def make(identifier: str) -> dict[str, Any]:
            assistant = bodies.make_assistant(wide, identifier, now, self.vendor, self.habits)
            return v1.attach_files(assistant, None, taken, now) if self.vendor.is_v1 else assistant

        return self._add(make)

    def _modify(self, identifier: str, call: Call) -> Answer:
        taken, removed = bodies.check_body(body_of(call), self._fields(call).modify, (), self.habits)
        return 200, self._answer_text(self._change(identifier, lambda _: taken, removed))

    def _fields(self, call: Call) -> Fields:
        return self.vendor.previews.get(call.query.get("api-version", ""), self.vendor.fields)

    def _verbs(self, call: Call) -> Verbs:
        return super()._verbs(call) or (self._file_verbs(call) if self.vendor.is_v1 else {})

    def _file_verbs(self, call: Call) -> Verbs:
        """v1's attachments: those of one assistant, or one of them."""
        found = re.fullmatch("/assistants/([^/]+)/files(?:/([^/]+))?", call.path)
        if found is None:
            return {}
        identifier, file_id = found.groups()
        if not file_id:
            return {
                "GET": lambda: (200, v1.page(json.loads(self._get(identifier)), call.query)),
                "POST": lambda: self._attach(identifier, body_of(call)),
            }
        return {
            "GET": lambda: (200, json.dumps(v1.attachment_of(json.loads(self._get(identifier)), file_id))),
            "DELETE": lambda: self._detach(identifier, file_id),
        }

    def _change(
        self, identifier: str, what: Callable[[Mapping[str, Any]], dict[str, Any]], removed: frozenset[str]
    ) -> str:
        """Return the stored text after a modify that may depend on what is stored. Raises `Refusal`."""

        def how(stored: dict[str, Any]) -> dict[str, Any]:
            taken = what(stored)
            if not self.vendor.is_v1:
                return bodies.modify_assistant(stored, taken, removed, self.vendor, self.habits)
            wide = v1.from_v1(taken)
            assistant = bodies.modify_assistant(stored, wide, removed, self.vendor, self.habits)
            return v1.attach_files(assistant, stored, taken, int(self._clock()))

        return self._replace(identifier, how)

    def _attach(self, identifier: str, body: dict[str, Any]) -> Answer:
        text = self._change(identifier, lambda stored: self._files(v1.attaching(stored, body)), frozenset())
        return 200, json.dumps(v1.attachment_of(json.loads(text), body["file_id"]))

    def _detach(self, identifier: str, file_id: str) -> Answer:
        self._change(identifier, lambda stored: v1.detaching(stored, file_id), frozenset())
        return 200, json.dumps({"id": file_id, "object": "assistant.file.deleted", "deleted": True})

    def _files(self, change: dict[str, Any]) -> dict[str, Any]:
        """Return a change of the attachments, held against v1's limit. Raises `Refusal`."""
        return bodies.check_body(change, self.vendor.fields.modify, (), self.habits)[0]

    def _page(self, entries: Sequence[str], has_more: bool) -> str:
        last = "always" if self.vendor.always_last_id else "filled" if self.habits.last_id else "never"
        return page_text(entries, has_more, self.vendor.first_id, last)

    def _answer_text(self, text: str) -> str:
        """Return the stored text as this vendor answers it: most often as it is."""
        if self.vendor.keys is STORED and f'"{v1.KEY}": ' not in text:
            return text
        stored = json.loads(text)
        if self.vendor.is_v1:
            return json.dumps(v1.to_v1(stored, self.vendor.keys))
        return json.dumps({name: stored[name] for name in self.vendor.keys})
