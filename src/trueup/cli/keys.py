"""The credentials of a target and the headers that carry them. Opens no connection; nothing of it is ever shown."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from trueup.cli.session import Session
from trueup.core.errors import CredentialError
from trueup.core.projects.project import SecretRef
from trueup.edge.http.credentials import Credential
from trueup.edge.http.secrets import Secrets
from trueup.wire.base import Adapter
from trueup.wire.registry import sealed_headers


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
