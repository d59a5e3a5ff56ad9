"""`pixel studio`: the Mappings page, on this machine only."""

from __future__ import annotations

import importlib.util
import threading
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from tiktok_pixel.destination import OWN_MAPPINGS
from tools.pixel.console import CommandError, print_line
from tools.pixel.options import ParametersOption, settings_for


def command(
    *,
    file: Annotated[
        str, typer.Argument(help="A mapping file, or a shipped set: default or full.")
    ] = "default",
    port: Annotated[
        int, typer.Option(help="The port to listen on.", metavar="PORT", min=1, max=65535)
    ] = 8080,
    parameters: ParametersOption = None,
    endpoint: Annotated[
        str, typer.Option(help="The endpoint of `pixel sandbox`.", metavar="URL")
    ] = "http://127.0.0.1:8054",
    folder: Annotated[
        Path,
        typer.Option(
            help="The stages' mapping files. [default: those of the layer]",
            metavar="FOLDER",
            show_default=False,
            file_okay=False,
        ),
    ] = OWN_MAPPINGS,
    browser: Annotated[
        bool,
        typer.Option(" /--no-browser", help="Do not open a browser.", show_default=False),
    ] = True,
) -> None:
    """Show and edit the mappings in a browser.

    The page is served on 127.0.0.1 only. Events are kept in memory.
    """
    if importlib.util.find_spec("nicegui") is None:
        raise CommandError("NiceGUI is not installed; use `make studio`")
    from tools.studio.mapping_files import MappingFileError  # noqa: PLC0415
    from tools.studio.page import MappingsPage  # noqa: PLC0415
    from tools.studio.server import serve  # noqa: PLC0415
    from tools.studio.session import Session  # noqa: PLC0415

    settings = settings_for("default", "dev", parameters)

    def new_session() -> Session:
        return Session(folder, file, settings)

    try:
        new_session()
    except MappingFileError as error:
        raise CommandError(str(error)) from error
    url = f"http://127.0.0.1:{port}/"
    print_line(f"Mappings page  {url}  (Ctrl+C stops it)")
    if browser:
        threading.Timer(1.0, webbrowser.open, (url,)).start()
    serve(lambda: MappingsPage(new_session(), endpoint), port)
