"""Pixel codes and access tokens that are rotated, revoked, removed or unusable."""

from __future__ import annotations

from typing import Final

import pytest

from tests.integration.harness import (
    ACCESS_TOKEN_NAME,
    FORWARDED,
    PIXEL_CODE_NAME,
    READS,
    Forward,
    World,
    visit,
    visits,
)
from tools.sandbox.aws import throttled
from tools.sandbox.tiktok import ACCESS_TOKEN, PIXEL_CODE

ANOTHER_TOKEN: Final = "another-access-token"
REVOKED: Final = ("parked", "tiktok_token_invalid")


def rotate_token(world: World) -> None:
    """Replace the access token, at TikTok and in SSM."""
    world.tiktok.settings.tokens = {ANOTHER_TOKEN}
    world.put(access_token=ANOTHER_TOKEN)


def test_parameters_are_read_once_and_only_when_they_are_needed(
    world: World, application: Forward
) -> None:
    assert world.proxy.calls[READS] == 0

    for number in range(3):
        application.send(visit(f"m-{number}"))

    assert world.proxy.calls[READS] == 1


@pytest.mark.parametrize("size", [1, 4000])
def test_a_rotated_token_is_read_at_once_and_only_once(
    world: World, application: Forward, size: int
) -> None:
    """Neither a deployment nor a delay is needed."""
    application.send(visit("before"))
    rotate_token(world)

    answer = application.send(visits(size))

    assert answer.end == FORWARDED
    assert world.proxy.calls[READS] == 2


def test_a_refused_token_is_read_again_at_most_once_a_second(
    world: World, application: Forward
) -> None:
    world.tiktok.settings.tokens.clear()

    ends = [application.send(visit(f"m-{number}")).end for number in range(5)]
    assert ends == [REVOKED] * 5
    assert world.proxy.calls[READS] == 2, "the first read, and one that is forced"

    rotate_token(world)
    assert application.send(visit("too-soon")).end == REVOKED
    world.clock.advance(1)
    assert application.send(visit("after")).end == FORWARDED


def test_events_parked_for_a_revoked_token_are_delivered_after_it_is_replaced(
    world: World, application: Forward
) -> None:
    redrive = world.start_redrive()
    world.tiktok.settings.tokens.clear()
    assert application.send(visit("m-0")).end == REVOKED
    assert application.send(visits(3, "n")).end == REVOKED
    assert world.redrive(redrive) == []
    assert len(world.parked_ids()) == 4

    rotate_token(world)
    world.clock.advance(1)
    assert world.redrive(redrive) == []

    assert world.parked_ids() == []
    assert sorted(str(one.key[2]) for one in world.tiktok.accepted) == ["m-0", "n-0", "n-1", "n-2"]


def test_events_parked_for_a_removed_pixel_are_sent_to_its_successor(
    world: World, application: Forward
) -> None:
    application.send(visit("before"))
    world.tiktok.settings.pixels.clear()
    world.tiktok.settings.removed_pixels = {PIXEL_CODE}
    assert application.send(visits(2)).end == ("parked", "tiktok_pixel_not_found")

    world.tiktok.settings.pixels = {"CSANDBOXPIXEL0000009"}
    world.put(pixel_code="CSANDBOXPIXEL0000009")
    world.clock.advance(1)
    assert application.send(visit("after")).end == FORWARDED
    assert world.redrive(world.start_redrive()) == []

    sent = {one.key[2]: one.event_source_id for one in world.tiktok.events}
    assert sent.pop("before") == PIXEL_CODE
    assert sent == dict.fromkeys(("m-0", "m-1", "after"), "CSANDBOXPIXEL0000009")


@pytest.mark.parametrize("name", [ACCESS_TOKEN_NAME, PIXEL_CODE_NAME])
def test_without_a_parameter_events_are_parked(
    world: World, application: Forward, name: str
) -> None:
    world.aws.delete_parameters(name)

    answer = application.send(visits(2))

    assert (answer.status, answer.end) == (202, ("parked", "credentials_missing"))
    assert world.tiktok.requests == []


@pytest.mark.parametrize("value", ["tok en", "tök", "a\nb"])
def test_with_a_token_that_no_header_can_carry_events_are_parked(
    world: World, application: Forward, value: str
) -> None:
    world.put(access_token=value)

    answer = application.send(visit("m"))

    assert (answer.status, answer.end) == (202, ("parked", "credentials_unusable"))


def test_white_space_around_a_token_is_removed(world: World, application: Forward) -> None:
    world.put(access_token=f" {ACCESS_TOKEN}\n")

    assert application.send(visit("m")).end == FORWARDED


def test_if_ssm_fails_events_are_parked_for_a_refused_token(
    world: World, application: Forward
) -> None:
    application.send(visit("before"))
    world.tiktok.settings.tokens.clear()
    world.proxy.always(throttled(), operation="GetParameters")

    assert application.send(visit("m")).end == REVOKED
