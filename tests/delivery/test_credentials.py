"""Secrets change and break while the function runs, and so do connections: no event is lost."""

from __future__ import annotations

import time
from typing import Any, Final

import pytest

from tests.delivery.relay import Relay
from tests.delivery.world import (
    ACCESS_TOKEN_NAME,
    ANOTHER_TOKEN,
    PIXEL_CODE_NAME,
    READS,
    Output,
    World,
    allow_forced_read,
    expire_parameters,
    visit,
    visits,
)
from tiktok_pixel.aws.credentials import DEVELOPMENT_SECRET
from tiktok_pixel.tiktok import client
from tools.sandbox import samples
from tools.sandbox.aws import throttled
from tools.sandbox.tiktok import ACCESS_TOKEN, PIXEL_CODE

FORWARDED: Final = ("forwarded", "tiktok_accepted")
REVOKED: Final = ("parked", "tiktok_token_invalid")


def test_parameters_are_read_once(world: World) -> None:
    application = world.start()
    assert world.proxy.calls[READS] == 0, "not before they are needed"

    for number in range(5):
        world.send(application, visit(f"m-{number}"))

    assert world.proxy.calls[READS] == 1


def test_a_rotated_token_works_at_once(world: World) -> None:
    """Without a deployment and without an event that has to wait."""
    application = world.start()
    world.send(application, visit("before"))
    world.tiktok.settings.tokens = {ANOTHER_TOKEN}
    world.put(access_token=ANOTHER_TOKEN)

    sent = world.send(application, visit("after"))

    assert sent.end == FORWARDED
    assert [one.code for one in world.tiktok.requests] == [0, 40105, 0]
    assert world.proxy.calls[READS] == 2


def test_a_rotated_token_works_for_a_large_batch_at_once(world: World) -> None:
    application = world.start()
    world.send(application, visit("before"))
    world.tiktok.settings.tokens = {ANOTHER_TOKEN}
    world.put(access_token=ANOTHER_TOKEN)

    sent = world.send(application, visits(4000))

    assert sent.end == FORWARDED
    assert world.proxy.calls[READS] == 2, "one read for all requests of the batch"


def test_a_token_that_is_mended_within_the_second_works_in_the_next(world: World) -> None:
    application = world.start()
    world.tiktok.settings.tokens = {ANOTHER_TOKEN}
    first = world.send(application, visit("first"))
    world.put(access_token=ANOTHER_TOKEN)

    second = world.send(application, visit("second"))
    deadline = time.monotonic() + 2
    later = second
    while later.end != FORWARDED:
        assert time.monotonic() < deadline, "two seconds later it still does not work"
        time.sleep(0.1)
        later = world.send(application, visit(f"later-{time.monotonic()}"))

    assert (first.end, second.end) == (REVOKED, REVOKED)


def test_a_revoked_token_does_not_flood_ssm(world: World) -> None:
    application = world.start()
    world.tiktok.settings.tokens.clear()
    started = time.monotonic()

    ends = [world.send(application, visit(f"m-{number}")).end for number in range(60)]

    seconds = time.monotonic() - started
    assert set(ends) == {REVOKED}
    assert world.proxy.calls[READS] <= 1 + 1 + seconds, "the first read, and one a second"
    assert len(world.tiktok.requests) == 60 + world.proxy.calls[READS] - 1


def test_what_a_revoked_token_parked_is_delivered_when_it_is_mended(world: World) -> None:
    application, redrive = world.start(), world.start_redrive()
    world.send(application, visit("before"))
    world.tiktok.settings.tokens.clear()

    assert {world.send(application, visit(f"m-{number}")).end for number in range(3)} == {REVOKED}
    assert world.send(application, visits(3, "n")).end == REVOKED
    assert len(world.redrive(redrive)) == 4, "every message is kept"
    assert world.tiktok.event_ids == {"before"}

    world.tiktok.settings.tokens = {ANOTHER_TOKEN}
    world.put(access_token=ANOTHER_TOKEN)
    allow_forced_read(redrive)
    assert world.redrive(redrive) == set()

    assert world.parked_ids() == []
    assert world.tiktok.event_ids == {"before", "m-0", "m-1", "m-2", "n-0", "n-1", "n-2"}
    assert len(world.tiktok.accepted) == 7


def test_a_removed_pixel_parks_and_its_successor_gets_the_events(world: World) -> None:
    application, redrive = world.start(), world.start_redrive()
    world.send(application, visit("before"))
    world.tiktok.settings.pixels.clear()
    world.tiktok.settings.removed_pixels = {PIXEL_CODE}

    assert world.send(application, visits(2)).end == ("parked", "tiktok_pixel_not_found")

    world.tiktok.settings.pixels = {"CSANDBOXPIXEL0000009"}
    world.put(pixel_code="CSANDBOXPIXEL0000009")
    allow_forced_read(application)
    assert world.send(application, visit("after")).end == FORWARDED
    assert world.redrive(redrive) == set()
    assert {one.key[2] for one in world.tiktok.events if one.event_source_id != PIXEL_CODE} == {
        *("m-0", "m-1", "after")
    }


@pytest.mark.parametrize("name", [ACCESS_TOKEN_NAME, PIXEL_CODE_NAME])
def test_a_deleted_parameter_parks(world: World, name: str) -> None:
    world.aws.delete_parameters(name)

    sent = world.send(world.start(), visits(2))

    assert (sent.status, sent.end) == (202, ("parked", "credentials_missing"))
    assert world.tiktok.requests == []


@pytest.mark.parametrize("value", ["tok en", "tök", "a\nb"])
def test_a_token_that_cannot_be_one_parks(world: World, value: str) -> None:
    world.put(access_token=value)

    sent = world.send(world.start(), visit("m"))

    assert (sent.status, sent.end) == (202, ("parked", "credentials_unusable"))


def test_white_space_around_a_token_is_a_slip(world: World) -> None:
    world.put(access_token=f" {ACCESS_TOKEN}\n")

    assert world.send(world.start(), visit("m")).end == FORWARDED


def test_while_ssm_fails_a_refused_token_parks(world: World) -> None:
    application = world.start()
    world.send(application, visit("before"))
    world.tiktok.settings.tokens.clear()
    world.proxy.always(throttled(), operation="GetParameters")

    assert world.send(application, visit("m")).end == REVOKED


OLD: Final = "the-old-secret"
NEW: Final = "the-new-secret"
ROTATION: Final[list[tuple[str, dict[str, int]]]] = [
    (OLD, {OLD: 200, NEW: 401}),
    (f"{OLD}\n{NEW}", {OLD: 200, NEW: 200}),
    (f"{NEW}\r\n{OLD}\r\n", {OLD: 200, NEW: 200}),
    (NEW, {OLD: 401, NEW: 200}),
]


def signed_by(secret: str) -> dict[str, Any]:
    body = (
        '{"type":"page","messageId":"m","userId":"u",'
        '"context":{"page":{"url":"https://shop.example/"}}}'
    )
    return samples.http_event(body, samples.sign(body.encode(), secret))


def test_the_webhook_secret_is_rotated_without_a_gap(world: World) -> None:
    world.put(webhook_secret=OLD)
    application = world.start()

    for value, expected in ROTATION:
        world.put(webhook_secret=value)
        expire_parameters(application)
        statuses = {}
        for secret in (OLD, NEW):
            world.tiktok.forget()
            statuses[secret] = world.post(application, signed_by(secret)).status
        assert statuses == expected


def test_a_wrong_secret_is_seen_at_once(world: World, output: Output) -> None:
    """Every 401 is an event lost for good."""
    assert world.post(world.start(), signed_by("wrong")).status == 401

    assert output.metrics["AuthenticationFailure"] == 1
    (line,) = [line for line in output.logs if line["message"] == "not authenticated"]
    assert line["reason"] == "signature_invalid"
    assert "shop.example" not in output.text


@pytest.mark.parametrize("value", [None, "\n", DEVELOPMENT_SECRET])
def test_without_a_usable_secret_segment_keeps_the_events(
    world: World, output: Output, value: str | None
) -> None:
    folder = "/tiktok-pixel/prod"
    if value is not None:
        world.aws.put_parameters({f"{folder}/webhook-secret": ("SecureString", value)})

    sent = world.post(world.start(STAGE="prod"), signed_by(DEVELOPMENT_SECRET))

    assert (sent.status, sent.answer.body["reason"]) == (503, "webhook_secret_unavailable")
    assert output.metrics["AuthenticationUnavailable"] == 1


def test_a_connection_is_kept(world: World) -> None:
    application = world.start()

    for number in range(3):
        world.send(application, visit(f"m-{number}"))

    assert world.tiktok.connections == 1


def test_a_connection_that_tiktok_closed_is_replaced(world: World) -> None:
    application = world.start()
    world.send(application, visit("before"))
    for connection in list(world.tiktok._server._open):
        connection.hang_up()
    time.sleep(0.05)

    sent = world.send(application, visit("after"))

    assert sent.end == FORWARDED
    assert len(world.tiktok.requests) == 2, "no try was lost on the dead one"
    assert world.tiktok.connections == 2


def test_connections_of_a_frozen_environment_are_not_used_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Relay(world.tiktok.url) as relay:
        application = world.start(tiktok_url=relay.url)
        world.send(application, visit("before"))
        relay.cut()
        thawed = time.time() + 60
        monkeypatch.setattr(time, "time", lambda: thawed)

        sent = world.send(application, visit("after"))

        assert sent.end == FORWARDED
        assert sent.seconds < 1.0, "nobody waited for the dead connection"
        assert relay.connections == 2


def test_connections_that_died_silently_are_replaced_in_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several of them: after the first disappointment none of the others is trusted."""
    monkeypatch.setattr(client, "_READ_SECONDS", 1.0)
    with Relay(world.tiktok.url) as relay:
        application = world.start(tiktok_url=relay.url)
        world.tiktok.settings.latency = 0.1
        world.send(application, visits(3000))
        assert relay.connections == 3
        relay.cut()

        sent = world.send(application, visit("after"))
        again = world.send(application, visits(1001, "n"))

        assert (sent.end, again.end) == (FORWARDED, FORWARDED)
        assert again.seconds < 1.0, "nobody waited for the other dead ones"
