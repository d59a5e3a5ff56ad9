"""Segment events through the real function: what TikTok gets and what Segment is told."""

from __future__ import annotations

import base64
import json
import time
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from tiktok_pixel.endpoint import RetryLaterError
from tools.sandbox import faults, samples
from tools.sandbox.application import FOLDER, PREFIX, ForwardApplication, put_parameters
from tools.sandbox.tiktok import ACCESS_TOKEN, PIXEL_CODE, TRACK_PATH, TikTokSandbox

if TYPE_CHECKING:
    from tests.integration.conftest import Output, StartApplication
    from tools.sandbox.aws import AwsSandbox

USER_AGENT = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/17.5 Safari/605.1.15"
)


def digest(text: str) -> str:
    """SHA-256 in hex."""
    return sha256(text.encode()).hexdigest()


VISITOR = {
    "external_id": [digest("a1b2c3d4-0000-4000-8000-000000000001")],
    "ip": "8.8.8.8",
    "user_agent": USER_AGENT,
    "locale": "en-US",
}
CUSTOMER = VISITOR | {"external_id": [digest("user-4711")]}
JANE = CUSTOMER | {
    "email": [digest("jane.doe@example.com")],
    "phone": [digest("+12065550100")],
    "first_name": digest("jane"),
    "last_name": digest("doe"),
    "city": "seattle",
    "state": "wa",
    "zip_code": digest("981011234"),
    "country": "us",
}
MONOPOLY = {
    "price": 18.99,
    "quantity": 1,
    "content_category": "Games",
    "content_id": "507f1f77",
    "content_name": "Monopoly: 3rd Edition",
    "brand": "Hasbro",
}
UNO = {
    "price": 3,
    "quantity": 2,
    "content_category": "Games",
    "content_id": "505",
    "content_name": "UNO Card Game",
    "brand": "Mattel",
}


def page(path: str) -> dict[str, str]:
    """The page object of the samples."""
    return {
        "url": f"https://www.example.com/{path}",
        "referrer": "https://www.example.com/",
    }


# What TikTok has of each sample, but for the time.
PAYLOADS: dict[str, dict[str, Any]] = {
    "view-content": {
        "event": "ViewContent",
        "user": VISITOR | {"ttclid": "E.C.P.sample-click-id"},
        "properties": {"content_type": "product"},
        "page": {
            "url": "https://www.example.com/games?ttclid=E.C.P.sample-click-id",
            "referrer": "https://www.tiktok.com/",
        },
    },
    "search": {
        "event": "Search",
        "user": CUSTOMER,
        "properties": {
            "content_type": "product",
            "query": "board games",
            "search_string": "board games",
        },
        "page": page("search?q=board+games"),
    },
    "add-to-wishlist": {
        "event": "AddToWishlist",
        "user": JANE,
        "properties": {"content_type": "product", "contents": [MONOPOLY]},
        "page": page("games/507f1f77"),
    },
    "add-to-cart": {
        "event": "AddToCart",
        "user": JANE | {"ttp": "sample-ttp-cookie"},
        "properties": {
            "content_type": "product",
            "currency": "USD",
            "value": 18.99,
            "contents": [MONOPOLY],
        },
        "page": page("games/507f1f77"),
    },
    "initiate-checkout": {
        "event": "InitiateCheckout",
        "user": JANE,
        "properties": {
            "content_type": "product",
            "currency": "USD",
            "value": 24.99,
            "order_id": "order-50314b8e",
            "contents": [MONOPOLY, UNO],
        },
        "page": page("checkout"),
    },
    "add-payment-info": {
        "event": "AddPaymentInfo",
        "user": JANE | {"phone": [digest("+442079460958")]},
        "properties": {"content_type": "product", "order_id": "order-50314b8e"},
        "page": page("checkout/payment"),
    },
    "place-an-order": {
        "event": "PlaceAnOrder",
        "user": JANE | {"email": [digest("jane.doe@example.com"), digest("jane@example.org")]},
        "properties": {
            "content_type": "product",
            "currency": "USD",
            "value": 24.99,
            "order_id": "order-50314b8e",
            "contents": [MONOPOLY, UNO],
        },
        "page": page("checkout/done"),
    },
    "order-completed": {
        "event": "PlaceAnOrder",
        # Hashed by the sender.
        "user": CUSTOMER | {"email": [digest("user@example.com")]},
        "properties": {
            "content_type": "product",
            "currency": "EUR",
            "value": 30,
            "order_id": "order-50314b8f",
            "contents": [MONOPOLY, UNO],
        },
        "page": page("checkout/done"),
    },
    "partly-unusable": {
        "event": "AddToCart",
        "user": CUSTOMER,
        "properties": {
            "content_type": "product",
            "contents": [{key: MONOPOLY[key] for key in MONOPOLY if key != "price"}],
        },
        "page": page("games/507f1f77"),
    },
}
NOT_SENT = {
    "ignored-identify": (200, "ignored", "not_mapped", None),
    "rejected-no-identifier": (400, "rejected", "identifier_missing", "AddToCart"),
    "rejected-too-old": (400, "rejected", "event_time_too_old", "AddToCart"),
}


def sent(tiktok: TikTokSandbox) -> list[dict[str, Any]]:
    """The events TikTok took, without their times, which are checked to be now."""
    events = [dict(accepted.event) for accepted in tiktok.accepted]
    for event in events:
        assert time.time() - 60 <= event.pop("event_time") <= time.time()
    return events


def answer(row: dict[str, Any]) -> dict[str, Any]:
    """The whole body for one event."""
    counts = dict.fromkeys(("forwarded", "ignored", "rejected", "parked", "retry"), 0)
    return {"status": row["status"], **counts, row["status"]: 1, "results": [row]}


def test_every_sample_has_an_expectation() -> None:
    assert PAYLOADS.keys() | NOT_SENT.keys() == set(samples.names())


@pytest.mark.parametrize("name", PAYLOADS)
@pytest.mark.parametrize("way", ["signed", "invoked directly"])
def test_a_mapped_sample_reaches_tiktok(
    application: ForwardApplication, tiktok: TikTokSandbox, name: str, way: str
) -> None:
    message_id = f"sample-{name}"
    if way == "signed":
        http = application.post(samples.read(samples.SIGNED + name))
        assert http.status == 200
        body = http.body
    else:
        body = application.invoke(samples.read(name))

    assert body == answer(
        {
            "message_id": message_id,
            "status": "forwarded",
            "reason": "tiktok_accepted",
            "event": PAYLOADS[name]["event"],
        }
    )
    assert sent(tiktok) == [PAYLOADS[name] | {"event_id": message_id}]


@pytest.mark.parametrize("name", NOT_SENT)
@pytest.mark.parametrize("way", ["signed", "invoked directly"])
def test_the_other_samples_do_not(
    application: ForwardApplication, tiktok: TikTokSandbox, name: str, way: str
) -> None:
    http_status, status, reason, event = NOT_SENT[name]
    if way == "signed":
        http = application.post(samples.read(samples.SIGNED + name))
        assert http.status == http_status
        body = http.body
    else:
        body = application.invoke(samples.read(name))

    assert body == answer(
        {"message_id": f"sample-{name}", "status": status, "reason": reason, "event": event}
    )
    assert tiktok.requests == []


def test_the_request_to_tiktok(application: ForwardApplication, tiktok: TikTokSandbox) -> None:
    application.send(samples.read("add-to-cart"))

    (request,) = tiktok.requests
    assert request.request.method == "POST"
    assert request.request.path == TRACK_PATH
    assert request.headers["access-token"] == ACCESS_TOKEN
    assert request.headers["content-type"] == "application/json"
    assert request.parsed is not None
    assert request.parsed.keys() == {"event_source", "event_source_id", "data"}
    assert request.parsed["event_source"] == "web"
    assert request.parsed["event_source_id"] == PIXEL_CODE


def test_a_test_event_code_marks_the_request(
    start: StartApplication, tiktok: TikTokSandbox
) -> None:
    start(TEST_EVENT_CODE="TEST12345").send(samples.read("add-to-cart"))

    assert [accepted.test_event_code for accepted in tiktok.accepted] == ["TEST12345"]


def test_without_a_default_region_a_national_phone_needs_country_or_locale(
    start: StartApplication, tiktok: TikTokSandbox
) -> None:
    application = start(DEFAULT_PHONE_REGION="")
    event = samples.read("add-to-cart")
    application.send(event)
    del event["context"]["traits"]["address"], event["context"]["locale"]
    application.send(event | {"messageId": "m-2"})

    first, second = (accepted.event["user"] for accepted in tiktok.accepted)
    assert first["phone"] == [digest("+12065550100")]
    assert "phone" not in second


def test_an_event_without_page_url_is_sent(
    application: ForwardApplication, tiktok: TikTokSandbox
) -> None:
    """TikTok has the last word on it."""
    tiktok.settings.page_url_required = False
    event = samples.read("add-to-cart")
    del event["context"]["page"]

    assert application.send(event).row["status"] == "forwarded"
    assert "page" not in sent(tiktok)[0]


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ({"timestamp": "{t0}", "originalTimestamp": "{t1}"}, 0),
        ({"timestamp": None, "originalTimestamp": "{t1}"}, 1),
        ({"originalTimestamp": "{t1}"}, 1),
    ],
)
def test_the_time_comes_from_timestamp_else_original_timestamp(
    application: ForwardApplication, tiktok: TikTokSandbox, times: dict[str, Any], expected: int
) -> None:
    moments = [int(time.time()) - 3600, int(time.time()) - 7200]
    t0, t1 = (time.strftime("%Y-%m-%dT%H:%M:%S.999Z", time.gmtime(one)) for one in moments)
    filled = {name: value and value.format(t0=t0, t1=t1) for name, value in times.items()}

    application.send(samples.read("add-to-cart") | filled)

    assert [accepted.event["event_time"] for accepted in tiktok.accepted] == [moments[expected]]


def test_a_numeric_message_id_is_text_for_tiktok(
    application: ForwardApplication, tiktok: TikTokSandbox
) -> None:
    row = application.send(samples.read("search") | {"messageId": 4711}).row

    assert (row["status"], row["message_id"]) == ("forwarded", "4711")
    assert tiktok.event_ids == {"4711"}


def test_connections_are_kept(application: ForwardApplication, tiktok: TikTokSandbox) -> None:
    for number in range(5):
        application.send(samples.read("search") | {"messageId": f"m-{number}"})

    assert {request.connection for request in tiktok.requests} == {tiktok.requests[0].connection}


CART = json.dumps(samples.read("add-to-cart"))


@pytest.mark.parametrize("header", ["x-signature", "X-Signature", "X-SIGNATURE", "x-Signature"])
def test_the_signature_header_comes_in_any_case(
    application: ForwardApplication, header: str
) -> None:
    event = samples.http_event(CART, None)
    event["headers"][header] = samples.sign(CART.encode())

    assert application.post(event).status == 200


def test_a_base64_body_is_decoded_before_its_signature_is_checked(
    application: ForwardApplication, tiktok: TikTokSandbox
) -> None:
    encoded = base64.b64encode(CART.encode()).decode()

    signed = samples.http_event(encoded, samples.sign(CART.encode()), base64=True)
    wrong = samples.http_event(encoded, samples.sign(encoded.encode()), base64=True)

    assert application.post(signed).status == 200
    assert application.post(wrong).status == 401
    assert len(tiktok.accepted) == 1


def test_a_batch_is_signed_by_its_first_event(
    application: ForwardApplication, tiktok: TikTokSandbox
) -> None:
    bodies = [json.dumps(samples.read(name)) for name in ("search", "add-to-cart")]
    plain = f"[{','.join(bodies)}]"
    wrapped = "[" + ",".join(f'{{"json":{body}}}' for body in bodies) + "]"

    for text in (plain, wrapped):
        tiktok.forget()
        http = application.post(samples.http_event(text, samples.sign(bodies[0].encode())))
        assert (http.status, http.body["forwarded"]) == (200, 2)
        assert tiktok.event_ids == {"sample-search", "sample-add-to-cart"}


@pytest.mark.parametrize(
    ("body", "signature"),
    [
        pytest.param(CART, None, id="missing"),
        pytest.param(CART, "", id="empty"),
        pytest.param(CART, samples.sign(CART.encode(), "another secret"), id="another secret"),
        pytest.param(CART, samples.sign(CART.encode())[:-1], id="cut"),
        pytest.param(CART + " ", samples.sign(CART.encode()), id="another body"),
        pytest.param(f"[{CART},{CART}]", samples.sign(b"x"), id="a batch"),
        pytest.param("", None, id="no body"),
        pytest.param("{", "0" * 40, id="not JSON"),
    ],
)
def test_without_the_right_signature_nothing_happens(
    application: ForwardApplication,
    tiktok: TikTokSandbox,
    output: Output,
    body: str,
    signature: str | None,
) -> None:
    http = application.post(samples.http_event(body, signature))

    assert (http.status, http.body["status"]) == (401, "rejected")
    assert http.body["reason"] == "signature_invalid"
    assert http.body["results"] == []
    assert tiktok.requests == []
    assert output.metrics == {"AuthenticationFailure": 1}


def test_no_headers_at_all_is_no_signature(application: ForwardApplication) -> None:
    event = samples.http_event(CART, None)
    del event["headers"]

    assert application.post(event).status == 401


@pytest.mark.parametrize("secret", ["deleted", " "])
def test_without_a_usable_secret_segment_has_to_try_again(
    start: StartApplication, aws: AwsSandbox, tiktok: TikTokSandbox, secret: str
) -> None:
    """A 401 would make Segment drop the events."""
    name = f"{FOLDER}/webhook-secret"
    if secret == "deleted":
        aws.delete_parameters(name)
    else:
        aws.put_parameters({name: ("SecureString", secret)})

    http = start().send(samples.read("search"))

    assert (http.status, http.body["status"]) == (503, "retry")
    assert http.body["reason"] == "webhook_secret_unavailable"
    assert tiktok.requests == []


def test_the_development_secret_is_refused_in_production(
    start: StartApplication, aws: AwsSandbox, tiktok: TikTokSandbox
) -> None:
    folder = f"{PREFIX}/prod"
    put_parameters(aws, folder)
    assert start(STAGE="prod").send(samples.read("search")).status == 503

    aws.put_parameters({f"{folder}/webhook-secret": ("SecureString", "of our own")})
    application = start(STAGE="prod")
    body = CART.encode()
    assert application.send(samples.read("search")).status == 401
    assert tiktok.requests == []
    assert (
        application.post(samples.http_event(CART, samples.sign(body, "of our own"))).status == 200
    )


def test_while_a_secret_is_rotated_both_count(start: StartApplication, aws: AwsSandbox) -> None:
    aws.put_parameters({f"{FOLDER}/webhook-secret": ("SecureString", "old\nnew\n")})
    application = start()

    statuses = [
        application.post(samples.http_event(CART, samples.sign(CART.encode(), secret))).status
        for secret in ("old", "new", "old\nnew")
    ]

    assert statuses == [200, 200, 401]


@pytest.mark.parametrize(
    ("fault", "http_status", "reason"),
    [
        (faults.answer(40100), 429, "tiktok_throttled"),
        (faults.answer(50000), 503, "tiktok_unavailable"),
        (faults.http(502), 503, "tiktok_unavailable"),
        (faults.not_json(), 503, "tiktok_answer_unreadable"),
        (faults.reset(), 503, "tiktok_unreachable"),
    ],
)
def test_what_passes_by_itself_is_sent_again_by_segment(
    application: ForwardApplication,
    tiktok: TikTokSandbox,
    fault: faults.Fault,
    http_status: int,
    reason: str,
) -> None:
    tiktok.always(fault)

    http = application.send(samples.read("search"))

    assert (http.status, http.row["status"], http.row["reason"]) == (http_status, "retry", reason)


def test_an_event_that_tiktok_refuses_is_rejected(
    application: ForwardApplication, tiktok: TikTokSandbox
) -> None:
    tiktok.settings.poisoned = {"sample-search"}

    http = application.send(samples.read("search"))

    assert (http.status, http.row["reason"]) == (400, "tiktok_parameter_invalid")
    assert tiktok.accepted == []


def test_a_direct_invocation_that_has_to_be_sent_again_fails(
    application: ForwardApplication, tiktok: TikTokSandbox
) -> None:
    tiktok.always(faults.answer(50000))

    with pytest.raises(RetryLaterError, match="tiktok_unavailable"):
        application.invoke(samples.read("search"))


@pytest.mark.parametrize("event", [[], "text", None, 5])
def test_a_direct_invocation_with_no_event_is_rejected(
    application: ForwardApplication, event: Any
) -> None:
    body = application.invoke(event)

    assert (body["status"], body["results"]) == ("rejected", [])


def test_the_metrics_name_what_happened(
    application: ForwardApplication, tiktok: TikTokSandbox, output: Output
) -> None:
    application.send([samples.read(name) for name in samples.names()])

    metrics = output.metrics
    assert metrics.pop("TikTokLatency") > 0
    assert metrics == {
        "EventsReceived": 12,
        "EventsForwarded": 9,
        "EventsIgnored": 1,
        "EventsRejected": 2,
        # What had been left out of the event that no identifier remained of.
        "ValidationFailure[ip,not_public]": 1,
        "ValidationFailure[identifier,missing]": 1,
        "ValidationFailure[event_time,too_old]": 1,
        "ValidationFailure[email,not_an_address]": 1,
        "ValidationFailure[phone,not_valid]": 1,
        "ValidationFailure[currency,not_supported]": 1,
    }
    assert len(tiktok.accepted) == 9


def test_a_refusal_of_tiktoks_is_counted_by_its_code(
    application: ForwardApplication, tiktok: TikTokSandbox, output: Output
) -> None:
    tiktok.next(faults.answer(40100), faults.http(502))

    application.send(samples.read("search"))

    metrics = output.metrics
    assert metrics["TikTokError[40100]"] == 1
    assert metrics["TikTokError[tiktok_unavailable]"] == 1
    assert metrics["EventsForwarded"] == 1


def test_the_log_can_be_searched_by_message_id(
    application: ForwardApplication, output: Output
) -> None:
    application.send(samples.read("search"))

    (line,) = output.logs
    assert line["message_id"] == "sample-search"
    assert line["status"] == "forwarded"
    assert line["tiktok"][0]["request_id"]
