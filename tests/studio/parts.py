"""Parts of the Mappings page, found as a person or a screen reader finds them."""

from __future__ import annotations

from typing import Any, Final

_REBUILD: Final = 400  # milliseconds


def result(page: Any) -> Any:
    """Return the Result part."""
    return page.get_by_role("region", name="Result", exact=True)


def mappings(page: Any) -> Any:
    """Return the Mappings part."""
    return page.get_by_role("region", name="Mappings", exact=True)


def event(page: Any) -> Any:
    """Return the Event part."""
    return page.get_by_role("region", name="Event", exact=True)


def choose(page: Any, label: str, option: str, *, nth: int = 0) -> None:
    """Choose an option of a field, and wait until a form that depends on it is built anew."""
    page.get_by_role("combobox", name=label, exact=True).nth(nth).select_option(label=option)
    page.wait_for_timeout(_REBUILD)


def edit(page: Any, name: str) -> None:
    """Open a mapping in the editor."""
    page.get_by_role("button", name=f"Edit {name}", exact=True).click()
    page.get_by_label("Trigger as FQL").wait_for()


def save(page: Any) -> None:
    """Save, without looking at the diff."""
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Save", exact=True).click()
