"""`serve`: the embedded server over HTTP, for other clients and for trying things out."""

from __future__ import annotations

import click

from trueup.cli.flags import Flags
from trueup.cli.options import Number, flag, takes
from trueup.local.registry import SERVERS, local_database, open_server

PROTOCOLS = tuple(SERVERS)
DIALECTS = tuple(dict.fromkeys(name for row in SERVERS.values() for name in row.dialects))
GATEWAYS = ("portkey",)


@click.command(short_help="Run the embedded server over HTTP.")
@flag("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@flag("--port", type=Number(0, 65535), default=8080, show_default=True, help="The port; 0 takes any free one.")
@flag("--protocol", type=click.Choice(PROTOCOLS), default=PROTOCOLS[0], show_default=True, help="The API to speak.")
@flag("--dialect", type=click.Choice(DIALECTS), help="The vendor to imitate; default: the protocol's first.")
@flag("--gateway", type=click.Choice(GATEWAYS), help="The gateway in front of it.")
@flag("--key", default="", metavar="TEXT", help="The key to accept; `any`: every key, on loopback only.")
@flag("--allow-host", "hosts", multiple=True, metavar="NAME", help="Another host name to accept; repeatable.")
@flag("--memory", is_flag=True, help="Start empty and keep nothing.")
@flag("--faults", is_flag=True, help="Let clients request failures, under /_control.")
@takes()
def serve(
    flags: Flags,
    host: str,
    port: int,
    protocol: str,
    dialect: str | None,
    gateway: str | None,
    key: str,
    hosts: tuple[str, ...],
    memory: bool,
    faults: bool,
) -> int:
    """Run the embedded server over HTTP, with the assistants of the project's local targets, until Ctrl-C.

    Without --key a random key is generated and printed. Requests from web pages are refused.
    """
    import json
    import secrets

    from trueup.cli.output import Screen
    from trueup.cli.session import open_session
    from trueup.core.projects.endpoint import is_loopback
    from trueup.local.portkey import Gateway
    from trueup.local.serve import run

    screen, vendor = Screen(flags), _choose_dialect(protocol, dialect)
    if key == "any" and not is_loopback(host):
        raise click.UsageError(f"--key any is for loopback only; {host} can be reached from other machines.")
    made = "" if key else f"local-{secrets.token_urlsafe(18)}"
    where = ":memory:" if memory else str(local_database(open_session(flags).root, protocol))

    def ready(url: str) -> None:
        what = {"protocol": protocol, "dialect": vendor, "gateway": gateway}
        document = {"format_version": 1, "kind": "serve", "url": url, **what}
        if not is_loopback(host):
            screen.write_stderr(f"Warning: {host} can be reached from other machines, and HTTP is not encrypted.")
        screen.write_result(json.dumps(document | ({"key": made} if made else {})) if flags.json else url)
        if made and not flags.json:
            screen.write_stderr(f"Key: {made}")
        screen.note("Serving until Ctrl-C.")

    front = Gateway() if gateway else None
    with open_server(protocol, where, vendor) as server:
        pinned = made or ("" if key == "any" else key)
        run(server, host, port, key=pinned, faults=faults, gateway=front, hosts=hosts, ready=ready)
    return 0


def _choose_dialect(protocol: str, dialect: str | None) -> str:
    """Return the protocol's dialect to serve. Raises `UsageError` for one of another protocol."""
    known = SERVERS[protocol].dialects
    if dialect is not None and dialect not in known:
        raise click.UsageError(f"The protocol {protocol} has no dialect {dialect}; choose one of: {', '.join(known)}.")
    return dialect or known[0]


COMMANDS = {"serve": serve}
