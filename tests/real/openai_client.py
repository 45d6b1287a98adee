"""OpenAI's own client as a program: what it is asked on stdin, what it read on stdout, both JSON.

Run by the Python of an environment that has the `openai` package, in whatever version, and nothing else; so it imports
nothing of Trueup, and knows nothing of it.
"""

from __future__ import annotations

import importlib
import json
import sys
from typing import Any

PAGE = 2
"""So few at a time that a listing has pages."""


def main() -> None:
    """Answers each wish of `{"client": NAME, "options": {…}, "of": "assistants", "wishes": [[verb, …], …]}` in turn."""
    asked = json.load(sys.stdin)
    openai = importlib.import_module("openai")
    client = getattr(openai, asked["client"])(**asked["options"], max_retries=0)
    read = [_done(getattr(client.beta, asked["of"]), *wish) for wish in asked["wishes"]]
    json.dump({"version": openai.__version__, "read": read}, sys.stdout)


def _done(resource: Any, verb: str, *arguments: Any) -> Any:
    """Return the client's result: objects by the API's own names, and the classes it read tools as."""
    if verb == "list":
        return [_plain(one) for one in resource.list(limit=PAGE, order="asc")]
    if verb == "update":
        return _plain(resource.update(arguments[0], **arguments[1]))
    if verb == "create":
        return _plain(resource.create(**arguments[0]))
    if verb == "tools":
        return [type(tool).__name__ for tool in resource.retrieve(arguments[0]).tools]
    return _plain(getattr(resource, verb)(arguments[0]))


def _plain(found: Any) -> Any:
    """Return a model of the client as the JSON it came from; older versions have no `to_dict`."""
    return json.loads(found.model_dump_json(by_alias=True, exclude_unset=True))


if __name__ == "__main__":
    main()
