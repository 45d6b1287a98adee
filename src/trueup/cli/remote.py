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
from trueup.edge.http.credentials import Credential, renew_credentials
from trueup.edge.http.secrets import Secret, Secrets
from trueup.wire.base import Adapter
from trueup.wire.registry import base_url, headers, sealed_headers


@asynccontextmanager
async def connect_remote(session: Session) -> AsyncIterator[Send]:
    """Connect to the target's server over HTTP, once every credential is there. Raises CredentialError."""
    target, secrets = session.target, Secrets()
    keys = load_keys(session, secrets)
    for credential in keys.all:
        credential.secret()

    def auth() -> Mapping[str, str]:
        made = keys.headers(session.adapter)
        for name in keys.sealed:
            secrets.add(Secret(made[name]))  # a header as a whole, should a server repeat it
        return made

    asyncio.get_running_loop().set_exception_handler(_make_exception_handler(session, secrets))
    client = Client(base_url(target), headers(target), auth, target.timeout, target.parallelism)
    try:
        yield _mask_secrets(renew_credentials(client.send, keys.all), secrets)
    finally:
        await client.close()


def _make_exception_handler(
    session: Session, secrets: Secrets
) -> Callable[[asyncio.AbstractEventLoop, dict[str, Any]], None]:
    """Make a handler that shows, with -vv only, what breaks beneath an HTTP request that an interrupt ended."""

    def note_exception(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if session.screen.verbose >= 2:
            words = f"{context.get('message', '')} {context.get('exception') or ''}".strip()
            session.screen.note(secrets.mask(words))

    return note_exception


def _mask_secrets(send: Send, secrets: Secrets) -> Send:
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
        """Make the headers that carry the credentials, for one HTTP request. Raises CredentialError."""
        main = adapter.auth(self.main.secret().reveal(), self.kind) if self.main is not None else {}
        return {**main, **{name: _reveal_header(value) for name, value in self.sealed.items()}}


def load_keys(session: Session, secrets: Secrets) -> Keys:
    """Load the target's key or token, and the headers that hold secrets. Raises CredentialError."""
    target, made = session.target, []

    def credential(ref: SecretRef, *, is_token: bool = False) -> Credential:
        made.append(Credential(ref, os.environ, secrets, session.commands or session.root, is_token=is_token))
        return made[-1]

    kind, main = ("api_key", target.api_key) if target.api_key else ("token", target.token)
    if main is None and not target.gateway:
        raise _make_credential_error(session)
    own = credential(main, is_token=kind == "token") if main is not None else None
    sealed = {name: _bind_credentials(value, credential) for name, value in sealed_headers(target).items()}
    return Keys(own, kind, sealed, tuple(made))


def _make_credential_error(session: Session) -> CredentialError:
    target, row = session.target, session.adapter.dialect
    entra = f"`token: {{command: [az, account, get-access-token, --scope, {row.token_scope}, -o, json]}}`"
    ways = ["`api_key: {env: NAME}`"] if "api_key" in row.auth else []
    ways.append(entra if row.token_scope else "`token: {command: [PROGRAM, ARGUMENT]}` for a secret manager")
    return CredentialError(
        f"The target {target.name} has no credential.",
        f"Write into trueup.yaml, under targets.{target.name}: {', or '.join(ways)}.",
    )


def _bind_credentials(value: Any, credential: Callable[[SecretRef], Credential]) -> Any:
    """Replace the references in a header's value by credentials."""
    if isinstance(value, SecretRef):
        return credential(value)
    if isinstance(value, Mapping):
        return {key: _bind_credentials(entry, credential) for key, entry in value.items()}
    return [_bind_credentials(entry, credential) for entry in value] if isinstance(value, (list, tuple)) else value


def _reveal_header(value: Any) -> str:
    """Return a header's text with its secrets, for one HTTP request."""
    return value.secret().reveal() if isinstance(value, Credential) else json.dumps(_reveal(value))


def _reveal(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _reveal(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_reveal(entry) for entry in value]
    return value.secret().reveal() if isinstance(value, Credential) else value
