"""The generated table of default fields."""

from tools.docs.default_fields import PAGE, page


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m tools.docs.default_fields"


def test_nested_fields_and_literals_are_shown() -> None:
    rows = page().splitlines()
    assert "| `event_id` | `messageId` |" in rows
    assert (
        "| `address.state` | `properties.address.state`, `traits.address.state`, `traits.state`, "
        "`context.traits.address.state`, `context.traits.state` |"
    ) in rows
    assert (
        '| `content_type` | `properties.content_type`, `properties.contentType`, "product" |'
    ) in rows


def test_the_fields_that_only_the_full_set_reads_are_shown() -> None:
    _, _, of_full = page().partition("## In the set `full`")
    assert "| `lead_id` | `properties.lead_id` |" in of_full
    assert "| `vehicle_fields.vin` | `properties.vin` |" in of_full
