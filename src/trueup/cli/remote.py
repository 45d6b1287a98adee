"""A target's server over HTTP, with the credentials it wants. Nothing of a credential is ever shown."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from trueup.cli.session import Session
from trueup.core.call import Call, Reply, Send
from trueup.core.errors import CredentialError, NotSent, OutcomeUnknown
from trueup.core.projects.project import SecretRef
from trueup.edge.http.client import Client
from trueup.edge.http.credentials import Credential, renewing
from trueup.edge.http.secrets import Secret, Secrets
from trueup.wire.base import Adapter
from trueup.wire.registry import base_url, headers, sealed_headers


@asynccontextmanager
async def connect_remote(session: Session) -> AsyncIterator[Send]:
    """Connect to the target's server over HTTP, once every credential is there. Raises CredentialError."""
    target, secrets = session.target, Secrets()
    keys = keys_of(session, secrets)
    for credential in keys.all:
        credential.secret()

    def auth() -> Mapping[str, str]:
        made = keys.headers(session.adapter)
        for name in keys.sealed:
            secrets.add(Secret(made[name]))  # a header as a whole, should a server repeat it
        return made

    asyncio.get_running_loop().set_exception_handler(_beneath(session, secrets))
    client = Client(base_url(target), headers(target), auth, target.timeout, target.parallelism)
    try:
        yield _masked(renewing(client.send, keys.all), secrets)
    finally:
        await client.close()


def _beneath(session: Session, secrets: Secrets) -> Callable[[asyncio.AbstractEventLoop, dict[str, Any]], None]:
    """Tells of what breaks beneath a request that an interrupt gave up, only under -vv: what it means is told above."""

    def tell(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if session.screen.verbose >= 2:
            words = f"{context.get('message', '')} {context.get('exception') or ''}".strip()
            session.screen.note(secrets.mask(words))

    return tell


def _masked(send: Send, secrets: Secrets) -> Send:
    """Return a transport whose answers and failures hold none of our secrets: the one door that they come in by.

    Servers and proxies repeat keys that they refuse, and people paste them into fields.
    """

    async def send_masked(call: Call) -> Reply:
        try:
            return secrets.mask_reply(await send(call))
        except (NotSent, OutcomeUnknown) as error:
            error.args = (secrets.mask(str(error)),)
            raise

    return send_masked


@dataclass(frozen=True, slots=True)
class Keys:
    """The credentials of a target: the server's own, said under the key `kind`, and those inside of other headers."""

    main: Credential | None
    kind: str
    sealed: Mapping[str, Any]
    all: tuple[Credential, ...]

    def headers(self, adapter: Adapter) -> dict[str, str]:
        """The headers that carry them, for one request. Raises CredentialError."""
        main = adapter.auth(self.main.secret().reveal(), self.kind) if self.main is not None else {}
        return {**main, **{name: _opened(value) for name, value in self.sealed.items()}}


def keys_of(session: Session, secrets: Secrets) -> Keys:
    """The target's key or token, and the headers that hold secrets. Raises CredentialError."""
    target, made = session.target, []

    def credential(ref: SecretRef, *, is_token: bool = False) -> Credential:
        made.append(Credential(ref, os.environ, secrets, session.commands or session.root, is_token=is_token))
        return made[-1]

    kind, main = ("api_key", target.api_key) if target.api_key else ("token", target.token)
    if main is None and not target.gateway:
        raise _no_credential(session)
    own = credential(main, is_token=kind == "token") if main is not None else None
    sealed = {name: _sealed(value, credential) for name, value in sealed_headers(target).items()}
    return Keys(own, kind, sealed, tuple(made))


def _no_credential(session: Session) -> CredentialError:
    target, row = session.target, session.adapter.dialect
    entra = f"`token: {{command: [az, account, get-access-token, --scope, {row.token_scope}, -o, json]}}`"
    ways = ["`api_key: {env: NAME}`"] if "api_key" in row.auth else []
    ways.append(entra if row.token_scope else "`token: {command: [PROGRAM, ARGUMENT]}` for a secret manager")
    return CredentialError(
        f"The target {target.name} has no credential.",
        f"Write into trueup.yaml, under targets.{target.name}: {', or '.join(ways)}.",
    )


def _sealed(value: Any, credential: Callable[[SecretRef], Credential]) -> Any:
    """A header's value with credentials in the place of its references."""
    if isinstance(value, SecretRef):
        return credential(value)
    if isinstance(value, Mapping):
        return {key: _sealed(entry, credential) for key, entry in value.items()}
    return [_sealed(entry, credential) for entry in value] if isinstance(value, (list, tuple)) else value


def _opened(value: Any) -> str:
    """A header's text with its secrets, for one request."""
    return value.secret().reveal() if isinstance(value, Credential) else json.dumps(_revealed(value))


def _revealed(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _revealed(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_revealed(entry) for entry in value]
    return value.secret().reveal() if isinstance(value, Credential) else value
