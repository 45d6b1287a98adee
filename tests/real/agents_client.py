"""Microsoft's client of Foundry's classic agents as a program: what it is asked on stdin, what it read on stdout.

Run by the Python of an environment that has the `azure-ai-agents` package and nothing else; so it imports nothing of
Trueup, and knows nothing of it. A key goes as a bearer by a policy of the client's own, since it lends no token to an
address without TLS.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from typing import Any

PAGE = 2
"""So few at a time that a listing has pages."""


class Token:
    """A credential that is never asked: the policy below stands in for it."""

    def get_token(self, *_: Any, **__: Any) -> Any:
        """Return a token for an hour."""
        return importlib.import_module("azure.core.credentials").AccessToken("unused", int(time.time()) + 3600)


def main() -> None:
    """Answers each wish of `{"options": {"endpoint": …, "key": …}, "wishes": [[verb, …], …]}` in turn."""
    asked = json.load(sys.stdin)
    agents = importlib.import_module("azure.ai.agents")
    key = importlib.import_module("azure.core.credentials").AzureKeyCredential(asked["options"]["key"])
    policies = importlib.import_module("azure.core.pipeline.policies")
    client = agents.AgentsClient(
        asked["options"]["endpoint"],
        Token(),
        authentication_policy=policies.AzureKeyCredentialPolicy(key, "Authorization", prefix="Bearer"),
        retry_total=0,
    )
    read = [_done(client, *wish) for wish in asked["wishes"]]
    json.dump({"version": agents.__version__, "read": read}, sys.stdout)


def _done(client: Any, verb: str, *arguments: Any) -> Any:
    """Return the client's result: objects by the API's own names, and the classes it read tools as."""
    if verb == "list":
        return [one.as_dict() for one in client.list_agents(limit=PAGE, order="asc")]
    if verb == "retrieve":
        return client.get_agent(arguments[0]).as_dict()
    if verb == "update":
        return client.update_agent(arguments[0], body=arguments[1]).as_dict()
    if verb == "create":
        return client.create_agent(body=arguments[0]).as_dict()
    if verb == "tools":
        return [type(tool).__name__ for tool in client.get_agent(arguments[0]).tools]
    return client.delete_agent(arguments[0])


if __name__ == "__main__":
    main()
