"""`init`, `schema`, `completion`: a project to begin with, and what its editor and its shell read. Sends nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from trueup.cli.flags import Flags
from trueup.cli.options import takes
from trueup.core.command import Command, Selection

if TYPE_CHECKING:
    from pathlib import Path

PROJECT = f"""\
# What Trueup manages, and where. For all keys: {Command(("schema", "project"), None)}
default_target: local

targets:
  # The embedded server: it needs no key and no network, and its assistants are in .trueup/local/.
  local:
    base_url: local

  # A hosted one. The name of the project and of the target go into the assistants' stamps: they cannot change later.
  # Add `project: some-name` at the top of this file with the first one.
  #
  # prod:
  #   base_url: https://api.example.com/v1
  #   api_key: {{env: OPENAI_API_KEY}}
"""

DEFINITION = """\
# yaml-language-server: $schema=../.trueup/schemas/definition.schema.json
name: Hello
description: A first assistant, to be changed or removed.
model: gpt-5-mini
instructions: |
  You are a friendly assistant for people who try something out for the first time.
  Answer in two sentences at most, and end with one thing they could try next.
metadata:
  team: platform
"""

IGNORED = (".trueup/local/", ".trueup/backup/", ".trueup/*.journal", ".trueup/*.lock", ".trueup/*.tmp")
"""What belongs to one checkout; the state files of hosted targets are for git."""


@click.command(short_help="Start a project: trueup.yaml, an example, editor schema.")
@takes()
def init(flags: Flags) -> int:
    """Start a project: trueup.yaml, an example, editor schema.

    Also writes a .gitignore. Existing files stay as they are, and nothing is asked.
    """
    from pathlib import Path

    from trueup.cli.output import Screen
    from trueup.cli.paths import find_project_above
    from trueup.edge import schemas

    screen, root = Screen(flags), Path(flags.chdir)
    above = find_project_above(root) if root.is_dir() and not (root / "trueup.yaml").exists() else ""
    if above:
        screen.note_wrapped(
            f"The folder {above} is already a project: this is another project inside it, with its own state."
        )
    texts = {
        "trueup.yaml": PROJECT,
        ".trueup/schemas/definition.schema.json": schemas.read_text("definition"),
    }
    if not _has_definitions(root):
        texts["assistants/hello.yaml"] = DEFINITION
    written = [name for name, text in texts.items() if _create_file(root / name, text)]
    written += [".gitignore"] if _extend_gitignore(root / ".gitignore") else []
    kept = [name for name in (*texts, ".gitignore") if name not in written]
    if flags.json:
        screen.write_json("init", written=written, kept=kept)
        return 0
    lines = [f"wrote  {name}" for name in written] + [f"kept   {name}" for name in kept]
    here = Selection(flags.folder)
    next_ones = [here.command("validate"), here.command("plan"), here.command("apply")]
    screen.write_result("\n".join([*lines, "", "Next:", *(f"  {command}" for command in next_ones)]))
    return 0


def _has_definitions(root: Path) -> bool:
    folder = root / "assistants"
    return folder.is_dir() and any(folder.iterdir())


def _create_file(path: Path, text: str) -> bool:
    """Create a file; return False where it exists. Raises TrueupError."""
    from trueup.core.errors import TrueupError

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TrueupError(
            f"The folder {path.parent} could not be made: {(error.strerror or str(error)).lower()}.",
            "Move away what is in its place, or make the parent folder writable.",
        ) from None
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        return False
    except OSError as error:
        raise TrueupError(f"{path} could not be written: {error.strerror}.", "Make it writable.") from None
    return True


def _extend_gitignore(path: Path) -> bool:
    """Append what .gitignore lacks; return False where it lacks nothing. Raises TrueupError."""
    from trueup.core.errors import TrueupError
    from trueup.edge.files import read_regular
    from trueup.edge.state.store import IGNORE_LIMIT

    if path.is_symlink():
        raise TrueupError(
            f"{path} is a symbolic link.", "Replace the link with the file itself; links are not followed."
        )
    try:
        text = read_regular(path, IGNORE_LIMIT)[:IGNORE_LIMIT].decode("utf-8") if path.exists() else ""
        known = {line.strip() for line in text.splitlines()}
        missing = [line for line in IGNORED if line not in known]
        if missing:
            gap = "\n" if text and not text.endswith("\n") else ""
            with path.open("a", encoding="utf-8", newline="\n") as file:
                file.write(gap + "\n".join(missing) + "\n")
    except (OSError, UnicodeDecodeError) as error:
        raise TrueupError(f"{path} could not be extended: {error}.", "Make it writable.") from None
    return bool(missing)


@click.command(short_help="Print a JSON Schema.")
@click.argument("name", required=False)
@takes()
def schema(flags: Flags, name: str | None) -> int:
    """Print the JSON Schema NAME, or list the names."""
    from trueup.cli.output import Screen
    from trueup.edge import schemas

    screen = Screen(flags)
    if name is not None:
        screen.write_result(schemas.read_text(name))
    elif flags.json:
        screen.write_json("schemas", names=schemas.list_names())
    else:
        screen.write_result("\n".join(schemas.list_names()))
    return 0


@click.command(short_help="Print the completion script of a shell.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@takes()
def completion(flags: Flags, shell: str) -> int:
    """Print the completion script of a shell.

    For bash: `source <(trueup completion bash)`; for zsh the same; for fish: `trueup completion fish | source`.
    """
    from click.shell_completion import get_completion_class

    from trueup.cli.output import Screen

    made = get_completion_class(shell)
    context = click.get_current_context().find_root()
    if made is None:
        raise click.UsageError(f"There is no completion for {shell!r}.")
    script = made(context.command, {}, "trueup", "_TRUEUP_COMPLETE")
    Screen(flags).write_result(script.source())
    return 0


COMMANDS = {"init": init, "schema": schema, "completion": completion}
