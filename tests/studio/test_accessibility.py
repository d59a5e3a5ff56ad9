"""axe finds no serious fault, in light and dark, wide and narrow, in every state."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.studio.parts import edit

pytestmark = pytest.mark.studio

WIDE: Final = {"width": 1280, "height": 800}
NARROW: Final = {"width": 390, "height": 844}


def serious(page: Any) -> list[str]:
    """Return the serious and critical violations that axe finds, one line each.

    Behind an open dialog nothing can be reached, so only the dialog counts then.
    """
    context = {"include": [[".q-dialog"]]} if page.locator(".q-dialog").count() else None
    return [
        f"{violation['id']}: {node['html'][:200]} {node['failureSummary']}"
        for violation in Axe().run(page, context).response["violations"]
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]


def show_list(_: Any) -> None:
    """Show the page as it opens."""


def show_editor(page: Any) -> None:
    edit(page, "Place an Order")
    page.get_by_text(re.compile(r"\d+ default fields")).click()
    page.get_by_text("This mapping as JSON").click()
    page.get_by_label("Trigger as FQL").fill("event =")
    page.get_by_text("1 problem", exact=True).wait_for()


def show_menu(page: Any) -> None:
    page.get_by_role("button", name="Actions for Search").click()
    page.get_by_role("menuitem", name="Delete").wait_for()


def show_save(page: Any) -> None:
    page.get_by_role("switch", name="Search is on").click()
    page.get_by_role("button", name="Save", exact=True).click()
    dialog = page.get_by_role("dialog")
    # A trial waits until the dialog no longer moves.
    dialog.get_by_role("button", name="Save", exact=True).click(trial=True)


def show_import(page: Any) -> None:
    page.get_by_role("button", name="Import").click()
    page.get_by_role("dialog").get_by_label("Mappings as JSON").fill("[")
    page.get_by_text("not JSON").first.wait_for()


def show_result(page: Any) -> None:
    if page.viewport_size == NARROW:
        page.get_by_role("tab", name="Result").click()
    page.get_by_text("Request to TikTok").click()
    page.get_by_text("mappings do not match").click()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize(
    "show",
    [show_list, show_editor, show_menu, show_save, show_import, show_result],
)
def test_axe_finds_nothing_serious(
    opened: Callable[..., Any], scheme: str, viewport: dict[str, int], show: Callable[[Any], None]
) -> None:
    page = opened(viewport=viewport, color_scheme=scheme)
    show(page)
    assert serious(page) == []


def test_the_page_has_a_language_a_title_and_headings(page: Any) -> None:
    assert page.locator("html").get_attribute("lang") == "en-US"
    assert page.title() == "TikTok Pixel mappings"
    assert page.get_by_role("heading", level=1).count() == 1
    assert page.get_by_role("heading", level=2).count() == 3
