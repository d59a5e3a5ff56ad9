from __future__ import annotations

import http.client
import json
import threading
from collections import Counter
from collections.abc import Iterator

import pytest

from tools.load.scenario import WRONG_TEST_CODE, Step, Weather, install, play, timeline
from tools.load.traffic import plan
from tools.sandbox.tiktok import ACCESS_TOKEN, PIXEL_CODE, TRACK_PATH, TikTokSandbox

TRAFFIC = plan(100, seed=1)


@pytest.fixture
def tiktok() -> Iterator[TikTokSandbox]:
    with TikTokSandbox() as sandbox:
        yield sandbox


def code_of(tiktok: TikTokSandbox, event_id: str, test_event_code: str | None = None) -> int | None:
    """Send an event and return TikTok's code; None without a readable response."""
    event = {
        "event": "Purchase",
        "event_time": 1_780_000_000,
        "event_id": event_id,
        "page": {"url": "https://shop.example/"},
    }
    body = {"event_source": "web", "event_source_id": PIXEL_CODE, "data": [event]}
    if test_event_code:
        body["test_event_code"] = test_event_code
    headers = {"Access-Token": ACCESS_TOKEN, "Content-Type": "application/json"}
    connection = http.client.HTTPConnection("127.0.0.1", tiktok.port, timeout=0.5)
    content = json.dumps(body, separators=(",", ":"))
    try:
        connection.request("POST", TRACK_PATH, content, headers)
        code: int = json.loads(connection.getresponse().read())["code"]
    except (OSError, ValueError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    return code


def test_an_outage_ends(tiktok: TikTokSandbox) -> None:
    weather = Weather(is_out=True, transient_share=0.0)
    install(tiktok, weather, TRAFFIC)
    assert {code_of(tiktok, f"m-{number}") for number in range(12)} == {None}
    weather.is_out = False
    assert code_of(tiktok, "m-99") == 0


def test_throttling_refuses_about_half_of_the_requests(tiktok: TikTokSandbox) -> None:
    install(tiktok, Weather(is_throttling=True, transient_share=0.0), TRAFFIC)
    codes = Counter(code_of(tiktok, f"m-{number}") for number in range(100))
    assert codes.keys() == {0, 40100}
    assert 25 < codes[0] < 75


def test_the_transient_share_is_that_of_all_requests(tiktok: TikTokSandbox) -> None:
    install(tiktok, Weather(transient_share=0.3), TRAFFIC)
    codes = Counter(code_of(tiktok, f"m-{number}") for number in range(200))
    assert 35 < 200 - codes[0] < 85


def test_both_kinds_of_poison_are_refused_without_a_name(tiktok: TikTokSandbox) -> None:
    install(tiktok, Weather(transient_share=0.0), TRAFFIC)
    assert {code_of(tiktok, one) for one in TRAFFIC.content_poison} == {40002}
    assert {code_of(tiktok, one) for one in TRAFFIC.server_error_poison} == {50000}
    assert tiktok.accepted == []


def test_the_wrong_test_event_code_is_refused(tiktok: TikTokSandbox) -> None:
    install(tiktok, Weather(transient_share=0.0), TRAFFIC)
    assert code_of(tiktok, "m-1", WRONG_TEST_CODE) == 40002
    assert code_of(tiktok, "m-1", "RIGHT") == 0


def test_everything_that_goes_wrong_is_fixed_while_events_are_sent() -> None:
    weather = Weather()
    calls: list[str] = []
    steps = timeline(
        60.0,
        weather,
        revoke_token=lambda: calls.append("revoke"),
        store_token=lambda: calls.append("store"),
        deploy=calls.append,
    )
    assert [step.at for step in steps] == sorted(step.at for step in steps)
    assert steps[-1].at < 60.0
    assert steps[1].at - steps[0].at == 10.0
    for step in steps:
        step.change()
    assert (weather.is_out, weather.is_throttling) == (False, False)
    assert calls == ["revoke", "store", WRONG_TEST_CODE, ""]


def test_steps_are_played_in_time_and_can_be_stopped() -> None:
    stopping = threading.Event()
    shown: list[str] = []
    steps = [
        Step(0.0, "first", lambda: None),
        Step(0.05, "second", stopping.set),
        Step(60.0, "never", lambda: None),
    ]
    happened = play(steps, stopping, shown.append)
    assert shown == [name for _, name in happened] == ["first", "second"]
    assert happened[1][0] >= 0.05
