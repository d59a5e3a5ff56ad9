"""Direct invocations with Segment events, by Segment's Lambda destination or `sam local invoke`."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.harness import Forward, World
from tiktok_pixel.endpoint import RetryLaterError
from tools.sandbox import faults, samples


def test_events_to_send_again_make_the_invocation_fail(world: World, application: Forward) -> None:
    world.tiktok.always(faults.answer(50000))

    with pytest.raises(RetryLaterError, match="tiktok_unavailable"):
        application.invoke(samples.read("search"))


@pytest.mark.parametrize("event", [[], "text", None, 5])
def test_an_invocation_without_an_event_is_rejected(application: Forward, event: Any) -> None:
    body = application.invoke(event)

    assert (body["status"], body["results"]) == ("rejected", [])
