"""The `pixel` command.

Each command has a module of its own, with a function `command` that declares its options.
Exit status: 0 for success, 1 when the command fails, 2 for wrong usage.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer

from tools.load import command as load
from tools.pixel import (
    check,
    configure,
    deploy,
    mappings,
    run,
    sandbox,
    send,
    sign,
    status,
    studio,
)
from tools.pixel.audit import command as audit
from tools.pixel.console import CommandError, log_to_stderr, print_error, show_any_character

app = typer.Typer(
    help="Local tools of TikTok Pixel Destination for AWS.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("run")(run.command)
app.command("mappings")(mappings.command)
app.command("sandbox")(sandbox.command)
app.command("audit")(audit.command)
app.command("send")(send.command)
app.command("events")(sign.command)
app.command("studio")(studio.command)
app.command("configure")(configure.command)
app.command("deploy", context_settings={"allow_extra_args": True})(deploy.command)
app.command("check")(check.command)
app.command("status")(status.command)
app.command("load")(load.command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command with these arguments, by default those of the process, and exit."""
    show_any_character()
    log_to_stderr()
    try:
        app(arguments, prog_name="pixel")
    except CommandError as error:
        print_error(str(error))
        sys.exit(1)


if __name__ == "__main__":
    main()
