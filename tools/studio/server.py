"""The server of the Mappings page: on this machine only, for requests of the page itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import uvicorn
from fastapi import FastAPI
from nicegui import ui

from tools.studio.guard import Application, LocalOnly

HOST: Final = "127.0.0.1"
TITLE: Final = "TikTok Pixel mappings"
_ICON: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">'
    '<rect width="32" height="32" rx="8" fill="#0f172a"/>'
    '<path d="M8 11h9m-3-4 4 4-4 4M24 21h-9m3-4-4 4 4 4" fill="none" stroke="#5eead4" '
    'stroke-width="2.5" stroke-linecap="round" stroke-linejoin="round"/></svg>'
)


def application(build_page: Callable[[], Any], port: int) -> Application:
    """Return the ASGI application that serves the page.

    Nothing is stored: `app.storage` is not used and has no secret. NiceGUI serves its own assets;
    FastAPI's documentation pages, which load theirs from the internet, are switched off.
    """
    server = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    ui.run_with(
        server,
        root=build_page,
        title=TITLE,
        favicon=_ICON,
        dark=None,
        language="en-US",
        tailwind=False,
        show_welcome_message=False,
        reconnect_timeout=10.0,
    )
    return LocalOnly(server, port)


def serve(build_page: Callable[[], Any], port: int) -> None:
    """Serve the page until interrupted."""
    uvicorn.run(
        application(build_page, port), host=HOST, port=port, log_level="warning", ws="wsproto"
    )


STYLES: Final = Path(__file__).parent / "studio.css"
