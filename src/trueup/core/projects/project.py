"""`trueup.yaml` as values: the project, its targets and what each is told. Reads no file and holds no secret."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from trueup.core.command import HERE, Command, Flag, Selection

LOCAL = "local"
"""The base URL of the embedded server, and the project name of every local target."""

PORTABLE = "openai-assistants"
"""The protocol of portable definitions, which can be translated into others; also that of a target that names none."""


@dataclass(frozen=True, slots=True)
class ProtocolRow:
    """What is known of a protocol before its modules are imported.

    `package` holds its modules and `adapter` is its class in `package.adapter`. `noun` is what messages call one of the
    objects that it manages, `dialect` the one of a target that names none, and `aliases` are what its dialects are
    called by mistake. `scope` maps each key of a target that scopes its requests to the header that carries it;
    `gateways` may stand in front of its servers. `schema` checks a resolved body and `editor_schema` a definition, both
    in `schemas/`. `is_translated`: `package.translation` makes bodies out of portable ones. `has_probe`:
    `package.probe` has questions for a server.
    """

    package: str
    adapter: str
    noun: str
    dialect: str
    aliases: Mapping[str, str] = field(default_factory=dict)
    scope: Mapping[str, str] = field(default_factory=dict)
    gateways: tuple[str, ...] = ()
    schema: str = "assistant"
    editor_schema: str = "definition"
    is_translated: bool = False
    has_probe: bool = False


@dataclass(frozen=True, slots=True)
class SecretRef:
    """Where a secret is to be had: either `env` (a variable's name) or `command` (argv, run without a shell)."""

    env: str = ""
    command: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Guard:
    """Shares of the target's records, and counts, above which an apply wants `--ack`; both must be exceeded."""

    deletes: int = 1
    delete_share: float = 0.10
    modifies: int = 5
    modify_share: float = 0.50


@dataclass(frozen=True, slots=True)
class Portkey:
    """What Portkey's gateway is told beside the request itself.

    `config` is the id of a saved one, where its text is to be had, or an inline one, in which any value may be a
    secret; `azure` are the settings of an Azure provider; `request_timeout` is milliseconds, 0 means none.
    """

    api_key: SecretRef | None = None
    virtual_key: SecretRef | None = None
    provider: str = ""
    config: str | SecretRef | Mapping[str, Any] | None = None
    custom_host: str = ""
    azure: Mapping[str, str | SecretRef] = field(default_factory=dict)
    request_timeout: int = 0


@dataclass(frozen=True, slots=True)
class Target:
    """A named place to apply to. Times are seconds; `rate_limit` is requests a second, 0 means none.

    `gateway` names what stands in front of the server that speaks the dialect; empty is nothing. `reasoning_models`
    maps names of models here, `*` for any text, to whether they are such models. `scope` are the protocol's own keys
    that say for which part of an account requests are made. `selection` are the flags by which a command line selects
    it. `translate`: it also takes portable definitions, which are translated into its protocol.
    """

    name: str
    project: str
    protocol: str = PORTABLE
    dialect: str = "openai"
    base_url: str = LOCAL
    allow_http: bool = False
    api_key: SecretRef | None = None
    token: SecretRef | None = None
    headers: Mapping[str, str | SecretRef] = field(default_factory=dict)
    api_version: str = ""
    scope: Mapping[str, str] = field(default_factory=dict)
    models: Mapping[str, str] = field(default_factory=dict)
    translate: bool = False
    state: str = "file"
    stamp: bool = True
    on_drift: str = "refuse"
    prune: bool = False
    guard: Guard = Guard()
    settle: float = 10.0
    parallelism: int = 8
    rate_limit: float = 0.0
    timeout: float = 60.0
    max_retries: int = 3
    vars: Mapping[str, Any] = field(default_factory=dict)
    allow_loss: tuple[str, ...] = ()
    always_send: tuple[str, ...] = ()
    gateway: str = ""
    portkey: Portkey = Portkey()
    reasoning_models: Mapping[str, bool] = field(default_factory=dict)
    selection: Selection = HERE

    def command(self, *words: str, **flags: Flag) -> Command:
        """Return a command that works on this target, as `Selection.command` does."""
        return self.selection.command(*words, **flags)

    @property
    def is_local(self) -> bool:
        """Whether this is the embedded server."""
        return self.base_url == LOCAL


@dataclass(frozen=True, slots=True)
class Project:
    """The project file, or its defaults when there is none. `protocol` is that of files that say none; may be empty."""

    name: str = LOCAL
    definitions: str = "assistants"
    default_target: str = LOCAL
    targets: Mapping[str, Target] = field(default_factory=dict)
    vars: Mapping[str, Any] = field(default_factory=dict)
    moved: Mapping[str, str] = field(default_factory=dict)
    released: tuple[str, ...] = ()
    protocol: str = ""

    @property
    def default_protocol(self) -> str:
        """The protocol of definitions that say none; empty where only a line in them can decide.

        It is the one that all targets without `translate` share. Where every target translates, the portable one.
        """
        spoken = {target.protocol for target in self.targets.values() if not target.translate}
        return self.protocol or (next(iter(spoken)) if len(spoken) == 1 else "" if spoken else PORTABLE)
