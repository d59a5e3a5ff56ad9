"""Take pictures of the Mappings page (`make screenshots`).

The first folder gets all of them, to be looked at after a change; the second one the pictures of
the README.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from tests.studio.browser import launched, open_page, running
from tests.studio.parts import choose, edit
from tools.sandbox.samples import names, read

_WIDE: Final = {"width": 1280, "height": 800}
_NARROW: Final = {"width": 390, "height": 844}


def show_page(page: Any) -> None:
    choose(page, "Sample event", "add-to-cart")


def show_editor(page: Any) -> None:
    edit(page, "Place an Order")


def show_problem(page: Any) -> None:
    edit(page, "Search")
    choose(page, "TikTok event", "Custom event…")
    page.get_by_label("Custom event name").fill("Loyalty Joined!")
    page.get_by_label("Trigger as FQL").fill('event = "Products Searched')
    page.get_by_text("2 problems").wait_for()


def show_save(page: Any) -> None:
    page.get_by_role("switch", name="Search is on").click()
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("Changes in").wait_for()


def show_import(page: Any) -> None:
    page.get_by_role("button", name="Import").click()
    presets = [{"name": "Signed Up", "subscribe": "event =", "mapping": {"event": "Lead"}}]
    page.get_by_label("Mappings as JSON").fill(json.dumps(presets))
    page.get_by_text("Signed Up").wait_for()


def show_event(page: Any) -> None:
    _open_tab(page, "Event")


def show_result(page: Any) -> None:
    choose_in_event(page, "partly-unusable")


def show_rejected(page: Any) -> None:
    choose_in_event(page, "rejected-no-identifier")
    page.get_by_text("mappings do not match").click()


def show_several(page: Any) -> None:
    _open_tab(page, "Event")
    page.get_by_role("button", name="Paste").click()
    page.get_by_label("Segment event as JSON").fill(json.dumps([read(name) for name in names()]))
    page.get_by_text("events; shown is").wait_for()
    _open_tab(page, "Result")


def choose_in_event(page: Any, sample: str) -> None:
    """Choose a sample, then look at its result."""
    _open_tab(page, "Event")
    choose(page, "Sample event", sample)
    _open_tab(page, "Result")


def _open_tab(page: Any, name: str) -> None:
    if page.viewport_size == _NARROW:
        page.get_by_role("tab", name=name).click()
        page.get_by_role("region", name=name, exact=True).wait_for()


_WIDE_SHOTS: Final[tuple[Callable[[Any], None], ...]] = (
    show_page,
    show_editor,
    show_problem,
    show_save,
    show_import,
    show_result,
    show_rejected,
    show_several,
)
_NARROW_SHOTS: Final[tuple[Callable[[Any], None], ...]] = (
    show_editor,
    show_problem,
    show_save,
    show_event,
    show_result,
    show_several,
)
_README: Final = {"page": show_page, "editor": show_editor}


def main(folder: Path, readme: Path) -> None:
    """Take all pictures."""
    for made in (folder, readme):
        made.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work, running(Path(work)) as url, launched() as browser:

        def take(file: Path, show: Callable[[Any], None], **options: Any) -> None:
            context = browser.new_context(reduced_motion="reduce", **options)
            page = open_page(context, url)
            show(page)
            page.wait_for_load_state("networkidle")
            page.wait_for_timeout(500)
            page.screenshot(path=file, full_page=options["viewport"] == _NARROW)
            context.close()

        for scheme in ("light", "dark"):
            for size, viewport, shots in (
                ("wide", _WIDE, _WIDE_SHOTS),
                ("narrow", _NARROW, _NARROW_SHOTS),
            ):
                for show in shots:
                    name = f"{size}-{scheme}-{show.__name__.removeprefix('show_')}.png"
                    take(folder / name, show, viewport=viewport, color_scheme=scheme)
        for name, show in _README.items():
            take(readme / f"mappings-{name}.png", show, viewport=_WIDE, color_scheme="light")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
