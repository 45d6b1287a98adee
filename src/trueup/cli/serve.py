"""`serve`: the embedded server over HTTP, for other clients and for trying things out."""

from __future__ import annotations

import click

from trueup.cli.options import Flags, Number, flag, takes


@click.command(short_help="Run the embedded server over HTTP.")
@flag("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@flag("--port", type=Number(0, 65535), default=8080, show_default=True, help="The port; 0 takes any free one.")
@flag("--key", default="", metavar="TEXT", help="The only bearer token that is let in, else any.")
@flag("--memory", is_flag=True, help="Begin empty and forget everything at the end.")
@flag("--faults", is_flag=True, help="Let clients ask for failures, under /_control.")
@takes()
def serve(flags: Flags, host: str, port: int, key: str, memory: bool, faults: bool) -> int:
    """Run the embedded server over HTTP, with the assistants of the project's local targets, until Ctrl-C."""
    import json

    from trueup.cli.output import Screen
    from trueup.cli.session import open_session
    from trueup.cli.transport import local_database
    from trueup.local.openai_assistants import Server
    from trueup.local.serve import run

    screen = Screen(flags)
    where = ":memory:" if memory else str(local_database(open_session(flags).root, "openai-assistants"))

    def ready(url: str) -> None:
        screen.result(json.dumps({"format_version": 1, "kind": "serve", "url": url}) if flags.json else url)
        screen.note("Serving until Ctrl-C.")

    with Server(where) as server:
        run(server, host, port, key=key, faults=faults, ready=ready)
    return 0


COMMANDS = {"serve": serve}
