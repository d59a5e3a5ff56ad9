"""The local TikTok refuses what TikTok refuses, and each fault happens on the connection."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import threading
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tools.sandbox import faults
from tools.sandbox.rules import SHA256_OF_EMPTY
from tools.sandbox.tiktok import ACCESS_TOKEN, PIXEL_CODE, TRACK_PATH, TikTokSandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

HASH = "848a7714" + "0" * 56
HEADERS = {"Access-Token": ACCESS_TOKEN, "Content-Type": "application/json"}


def event(**changes: Any) -> dict[str, Any]:
    """Return a purchase that TikTok accepts, with changes; None removes a field."""
    whole: dict[str, Any] = {
        "event": "Purchase",
        "event_time": 1_700_000_000,
        "event_id": "m-1",
        "user": {"email": [HASH], "phone": HASH, "ip": "203.0.113.7", "user_agent": "Mozilla/5.0"},
        "properties": {
            "value": 0,
            "currency": "USD",
            "content_type": "product",
            "contents": [{"price": 9.5, "quantity": 2, "content_id": "sku-1"}],
        },
        "page": {"url": "https://shop.example/thanks"},
        "limited_data_use": False,
    }
    return {name: value for name, value in (whole | changes).items() if value is not None}


def body(*events: Any, **changes: Any) -> dict[str, Any]:
    """Return a request body, with changes; None removes a field."""
    whole = {
        "event_source": "web",
        "event_source_id": PIXEL_CODE,
        "data": list(events) or [event()],
    }
    return {name: value for name, value in (whole | changes).items() if value is not None}


class Client:
    """One kept-alive connection to the sandbox."""

    def __init__(self, url: str, timeout: float = 5.0) -> None:
        parts = urlsplit(url)
        self.connection = http.client.HTTPConnection(
            parts.hostname or "", parts.port, timeout=timeout
        )

    def request(
        self,
        method: str,
        path: str,
        content: Any = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, bytes]:
        data = content if isinstance(content, bytes | None) else json.dumps(content).encode()
        self.connection.request(method, path, data, HEADERS if headers is None else headers)
        response = self.connection.getresponse()
        return response.status, response.read()

    def send(self, content: Any = None, headers: dict[str, str] | None = None) -> tuple[int, str]:
        """Send a request; return the code and the message of the envelope."""
        content = body() if content is None else content
        status, answer = self.request("POST", TRACK_PATH, content, headers)
        assert status == 200
        envelope = json.loads(answer)
        assert envelope.keys() == {"code", "message", "request_id", "data"}
        return envelope["code"], envelope["message"]

    def raw(self) -> tuple[int, bytes]:
        return self.request("POST", TRACK_PATH, body())


@pytest.fixture
def tiktok() -> Iterator[TikTokSandbox]:
    with TikTokSandbox() as sandbox:
        yield sandbox


@pytest.fixture
def client(tiktok: TikTokSandbox) -> Iterator[Client]:
    made = Client(tiktok.url)
    yield made
    made.connection.close()


@pytest.fixture(scope="module")
def shared() -> Iterator[tuple[TikTokSandbox, Client]]:
    """Share one server: refusals leave no state."""
    with TikTokSandbox() as sandbox:
        client = Client(sandbox.url)
        yield sandbox, client
        client.connection.close()


class TestAccepts:
    @pytest.mark.parametrize(
        "changes",
        [
            {},
            {"user": {}},
            {"user": None},
            {"event_id": None},
            {"user": {"external_id": [HASH, HASH], "ttclid": "x" * 1000, "ttp": "t"}},
            {"properties": {"value": 12.5, "num_items": 3, "custom": {"any": ["thing", None]}}},
            {"event": "My_Own_Event"},
        ],
    )
    def test_good_events(
        self, tiktok: TikTokSandbox, client: Client, changes: dict[str, Any]
    ) -> None:
        assert client.send(body(event(**changes))) == (0, "OK")
        assert len(tiktok.accepted) == 1

    def test_a_thousand_events(self, tiktok: TikTokSandbox, client: Client) -> None:
        batch = body(*(event(event_id=f"m-{n}") for n in range(1000)))
        assert client.send(batch) == (0, "OK")
        assert len(tiktok.events) == 1000

    def test_other_event_sources(self, tiktok: TikTokSandbox, client: Client) -> None:
        lead = event(page=None, lead={"lead_id": "42"})
        assert client.send(body(lead, event_source="crm")) == (0, "OK")
        assert client.send(body(event(page=None), event_source="offline")) == (0, "OK")
        assert [one.event_source for one in tiktok.accepted] == ["crm", "offline"]

    def test_test_events_are_known_by_their_code(
        self, tiktok: TikTokSandbox, client: Client
    ) -> None:
        client.send(body(test_event_code="TEST123", partner_name="Segment"))
        assert tiktok.accepted[0].test_event_code == "TEST123"


REFUSED_EVENTS: list[tuple[dict[str, Any], int, str]] = [
    ({"event": None}, 40002, "event"),
    ({"event": 5}, 40002, "event"),
    ({"event": " "}, 40002, "event"),
    ({"event_time": None}, 40002, "event_time"),
    ({"event_time": "1700000000"}, 40002, "event_time"),
    ({"event_time": 1_700_000_000.5}, 40002, "event_time"),
    ({"event_time": True}, 40002, "event_time"),
    ({"event_time": 1_700_000_000_000}, 40002, "event_time"),
    ({"event_time": 0}, 40002, "event_time"),
    ({"event_id": 7}, 40002, "event_id"),
    ({"event_id": ""}, 40002, "event_id"),
    ({"user": []}, 40002, "user"),
    ({"user": {"ip": None}}, 40002, "user.ip"),
    ({"user": {"ip": ["203.0.113.7"]}}, 40002, "user.ip"),
    ({"user": {"locale": ""}}, 40002, "user.locale"),
    ({"user": {"city": {}}}, 40002, "user.city"),
    ({"user": {"email": []}}, 40002, "user.email"),
    ({"user": {"email": [HASH, ""]}}, 40002, "user.email"),
    ({"user": {"email": [HASH, 5]}}, 40002, "user.email"),
    ({"user": {"email": "a@b.example"}}, 40062, "email"),
    ({"user": {"email": [HASH, "a@b.example"]}}, 40062, "email"),
    ({"user": {"phone": HASH.upper()[:-1] + "A"}}, 40062, "phone"),
    ({"user": {"external_id": "user-1"}}, 40062, "external_id"),
    ({"user": {"first_name": "jane"}}, 40062, "first_name"),
    ({"user": {"last_name": HASH + "0"}}, 40062, "last_name"),
    ({"user": {"zip_code": "95110"}}, 40062, "zip_code"),
    ({"user": {"email": SHA256_OF_EMPTY}}, 40002, "user.email"),
    ({"user": {"external_id": [HASH, SHA256_OF_EMPTY]}}, 40002, "user.external_id"),
    ({"properties": {"deep": [{"x": SHA256_OF_EMPTY.upper()}]}}, 40002, "properties.deep.x"),
    ({"user": {"ttclid": "x" * 4097}}, 40002, "user.ttclid"),
    ({"user": {"att_status": "MAYBE"}}, 40002, "user.att_status"),
    ({"properties": "x"}, 40002, "properties"),
    ({"properties": {"value": "9.99"}}, 40002, "properties.value"),
    ({"properties": {"value": True}}, 40002, "properties.value"),
    ({"properties": {"price": "1"}}, 40002, "properties.price"),
    ({"properties": {"num_items": 1.0}}, 40002, "properties.num_items"),
    ({"properties": {"currency": "BGN"}}, 40002, "properties.currency"),
    ({"properties": {"currency": "usd"}}, 40002, "properties.currency"),
    ({"properties": {"currency": ["USD"]}}, 40002, "properties.currency"),
    ({"properties": {"content_type": "destination"}}, 40002, "properties.content_type"),
    ({"properties": {"delivery_category": "drone"}}, 40002, "properties.delivery_category"),
    ({"properties": {"customer_type": "frequent"}}, 40002, "properties.customer_type"),
    ({"ad": {"attribution_share": 1.5}}, 40002, "ad.attribution_share"),
    ({"properties": {"order_id": 17}}, 40002, "properties.order_id"),
    ({"properties": {"content_ids": "a"}}, 40002, "properties.content_ids"),
    ({"properties": {"content_ids": [1]}}, 40002, "properties.content_ids"),
    ({"properties": {"contents": {}}}, 40002, "properties.contents"),
    ({"properties": {"contents": ["a"]}}, 40002, "properties.contents.0"),
    ({"properties": {"contents": [{"content_id": 5}]}}, 40002, "properties.contents.0.content_id"),
    ({"properties": {"contents": [{"price": "5"}]}}, 40002, "properties.contents.0.price"),
    ({"properties": {"contents": [{}, {"quantity": 1.5}]}}, 40002, "contents.1.quantity"),
    ({"properties": {"contents": [{"brand": 5}]}}, 40002, "properties.contents.0.brand"),
    ({"page": None}, 40002, "page.url"),
    ({"page": {"url": ""}}, 40002, "page.url"),
    ({"page": {"referrer": "https://x.example"}}, 40002, "page.url"),
    ({"page": {"url": "https://x.example", "referrer": 5}}, 40002, "page.referrer"),
    ({"limited_data_use": "true"}, 40002, "limited_data_use"),
    ({"limited_data_use": 1}, 40002, "limited_data_use"),
]


class TestRefuses:
    @pytest.mark.parametrize(("changes", "code", "named"), REFUSED_EVENTS)
    def test_one_bad_event_refuses_all_and_names_the_field_only(
        self,
        shared: tuple[TikTokSandbox, Client],
        changes: dict[str, Any],
        code: int,
        named: str,
    ) -> None:
        tiktok, client = shared
        verdict, message = client.send(body(event(), event(**changes), event()))
        assert verdict == code
        assert named in message
        assert "data." not in message
        assert tiktok.accepted == []
        assert tiktok.requests[-1].code == code

    def test_an_offline_event_with_a_custom_name(self, client: Client) -> None:
        custom = event(event="MyEvent", page=None)
        assert client.send(body(custom, event_source="offline"))[0] == 40002

    def test_the_message_is_tiktoks(self, client: Client) -> None:
        refused = (40002, "Invalid value for event_id: not a valid string.")
        assert client.send(body(event(event_id=5))) == refused

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"event_source": None}, 40002),
            ({"event_source": "website"}, 40002),
            ({"event_source": "crm"}, 40002),
            ({"event_source_id": None}, 40002),
            ({"event_source_id": 5}, 40002),
            ({"event_source_id": "CUNKNOWN"}, 40001),
            ({"data": None}, 40002),
            ({"data": {}}, 40002),
            ({"data": []}, 40002),
            ({"data": [5]}, 40002),
            ({"data": [event()] * 1001}, 40002),
            ({"test_event_code": ""}, 40002),
            ({"partner_name": 5}, 40002),
        ],
    )
    def test_envelopes(self, client: Client, changes: dict[str, Any], code: int) -> None:
        assert client.send(body(**changes))[0] == code

    @pytest.mark.parametrize(
        ("content", "kind"),
        [
            (b"", "application/json"),
            (b"{", "application/json"),
            (b"[]", "application/json"),
            (b"\xff{}", "application/json"),
            (b'{"data": NaN}', "application/json"),
            (json.dumps(body()).encode(), "text/plain"),
        ],
    )
    def test_bodies(self, client: Client, content: bytes, kind: str) -> None:
        headers = {"Access-Token": ACCESS_TOKEN, "Content-Type": kind}
        assert client.send(content, headers)[0] == 40000

    def test_tokens(self, tiktok: TikTokSandbox, client: Client) -> None:
        json_only = {"Content-Type": "application/json"}
        assert client.send(headers=json_only)[0] == 40104
        assert client.send(headers=json_only | {"Access-Token": "stale"})[0] == 40105
        tiktok.settings.tokens.add("stale")
        assert client.send(headers=json_only | {"Access-Token": "stale"})[0] == 0
        assert [one.event_ids for one in tiktok.requests] == [["m-1"]] * 3

    def test_pixels(self, tiktok: TikTokSandbox, client: Client) -> None:
        tiktok.settings.pixels.clear()
        assert client.send()[1].startswith("No permission to operate pixel code: " + PIXEL_CODE)
        tiktok.settings.removed_pixels.add(PIXEL_CODE)
        assert client.send()[0] == 40007

    def test_poisoned_events(self, tiktok: TikTokSandbox, client: Client) -> None:
        tiktok.settings.poisoned.add("m-2")
        assert client.send(body(event(), event(event_id="m-2")))[0] == 40002
        assert client.send(body(event()))[0] == 0

    def test_a_missing_page_can_be_allowed(self, tiktok: TikTokSandbox, client: Client) -> None:
        tiktok.settings.page_url_required = False
        assert client.send(body(event(page=None)))[0] == 0

    def test_other_paths_and_methods(self, tiktok: TikTokSandbox, client: Client) -> None:
        assert client.request("POST", TRACK_PATH.rstrip("/"), body()) == (
            404,
            b"404 page not found\n",
        )
        assert client.request("GET", TRACK_PATH)[0] == 405
        assert tiktok.requests == []


class TestRemembers:
    def test_requests(self, tiktok: TikTokSandbox, client: Client) -> None:
        client.send()
        request = tiktok.requests[0]
        assert request.headers["access-token"] == ACCESS_TOKEN
        assert json.loads(request.body) == request.parsed == body()
        assert (request.code, request.connection, request.event_ids) == (0, 1, ["m-1"])

    def test_connections_are_kept(self, tiktok: TikTokSandbox, client: Client) -> None:
        for _ in range(3):
            client.send()
        assert tiktok.connections == 1

    def test_duplicates_count_once(self, tiktok: TikTokSandbox, client: Client) -> None:
        tiktok.settings.pixels.add("COTHER")
        client.send()
        client.send()
        client.send(body(event(event="ViewContent"), event(event_id=None), event(event_id=None)))
        client.send(body(event_source_id="COTHER"))
        assert len(tiktok.accepted) == 6
        assert len(tiktok.events) == 5

    def test_peak_concurrency(self, tiktok: TikTokSandbox) -> None:
        tiktok.settings.latency = 0.1
        clients = [Client(tiktok.url) for _ in range(4)]
        threads = [threading.Thread(target=one.send) for one in clients]
        began = time.monotonic()
        for thread in threads:
            thread.start()
        assert len(tiktok.wait_for_requests(4)) == 4
        for thread in threads:
            thread.join()
        assert 0.1 <= time.monotonic() - began < 1
        assert tiktok.peak_concurrency == 4
        for one in clients:
            one.connection.close()

    def test_reset(self, tiktok: TikTokSandbox, client: Client) -> None:
        tiktok.always(faults.http(502))
        tiktok.settings.tokens.clear()
        client.raw()
        tiktok.reset()
        assert client.send() == (0, "OK")
        assert len(tiktok.requests) == 1

    def test_waiting_times_out(self, tiktok: TikTokSandbox) -> None:
        with pytest.raises(TimeoutError):
            tiktok.wait_for_requests(1, timeout=0.01)


class TestFaults:
    def test_queued_faults(self, tiktok: TikTokSandbox, client: Client) -> None:
        tiktok.next(faults.answer(40100, "slow down"), faults.by_the_rules(), faults.answer(50000))
        codes = [client.send()[0] for _ in range(4)]
        assert codes == [40100, 0, 50000, 0]
        assert [one.code for one in tiktok.requests] == codes
        assert len(tiktok.accepted) == 2

    def test_permanent_faults(self, tiktok: TikTokSandbox, client: Client) -> None:
        tiktok.always(faults.answer(60001))
        assert [client.send()[0] for _ in range(2)] == [60001, 60001]
        tiktok.clear_faults()
        assert client.send()[0] == 0

    def test_faults_for_some_requests(self, tiktok: TikTokSandbox, client: Client) -> None:
        tiktok.always(faults.answer(40002), when=lambda request: b'"m-2"' in request.body)
        tiktok.next(faults.answer(40100), when=lambda request: b'"m-3"' in request.body)
        codes = [client.send(body(event(event_id=f"m-{n}")))[0] for n in (1, 2, 3, 3)]
        assert codes == [0, 40002, 40100, 0]
        with pytest.raises(ValueError, match="before the request is read"):
            tiktok.next(faults.reset_unread(), when=lambda _: True)

    def test_response_with_a_status(self, tiktok: TikTokSandbox, client: Client) -> None:
        tiktok.next(faults.answer(40105, status=401, data={"a": 1}))
        status, answer = client.raw()
        assert (status, json.loads(answer)["data"]) == (401, {"a": 1})

    def test_pages_of_a_gateway(self, tiktok: TikTokSandbox, client: Client) -> None:
        tiktok.next(faults.http(502), faults.http(429, "wait", headers={"Retry-After": "1"}))
        status, answer = client.raw()
        assert (status, b"<h1>502 Bad Gateway</h1>" in answer) == (502, True)
        assert client.raw() == (429, b"wait")
        assert tiktok.accepted == []
        assert [one.code for one in tiktok.requests] == [None, None]

    def test_a_redirect(self, tiktok: TikTokSandbox, client: Client) -> None:
        tiktok.next(faults.redirect("https://elsewhere.example/"))
        client.connection.request("POST", TRACK_PATH, json.dumps(body()), HEADERS)
        response = client.connection.getresponse()
        response.read()
        assert (response.status, response.headers["Location"]) == (
            301,
            "https://elsewhere.example/",
        )

    @pytest.mark.parametrize("fault", [faults.truncated_json(), faults.not_json(), faults.empty()])
    def test_unreadable_bodies(
        self, tiktok: TikTokSandbox, client: Client, fault: faults.Fault
    ) -> None:
        tiktok.next(fault)
        status, answer = client.raw()
        assert status == 200
        with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
            json.loads(answer)
        assert tiktok.accepted == []

    def test_json_that_is_no_envelope(self, tiktok: TikTokSandbox, client: Client) -> None:
        tiktok.next(faults.json_but([]))
        assert client.raw() == (200, b"[]")

    def test_a_huge_body(self, tiktok: TikTokSandbox, client: Client) -> None:
        tiktok.next(faults.huge())
        _, answer = client.raw()
        assert len(answer) == pytest.approx(10_000_000, abs=10)
        assert json.loads(answer)["code"] == 0

    @pytest.mark.parametrize("fault", [faults.reset(), faults.reset_unread()])
    def test_resets(self, tiktok: TikTokSandbox, client: Client, fault: faults.Fault) -> None:
        tiktok.next(fault)
        with pytest.raises(ConnectionResetError):
            client.raw()
        assert len(tiktok.requests) == (0 if fault.before_reading else 1)
        client.connection.close()
        assert client.send()[0] == 0

    def test_resets_of_a_connection_in_use(self, tiktok: TikTokSandbox, client: Client) -> None:
        client.send()
        tiktok.next(faults.reset_unread())
        with pytest.raises(ConnectionResetError):
            client.raw()

    def test_close_without_a_response(self, tiktok: TikTokSandbox, client: Client) -> None:
        tiktok.next(faults.close())
        with pytest.raises(http.client.RemoteDisconnected):
            client.raw()

    @pytest.mark.parametrize("lost", [faults.reset(accept=True), faults.close(accept=True)])
    def test_the_response_is_lost_but_the_event_is_accepted(
        self, tiktok: TikTokSandbox, client: Client, lost: faults.Fault
    ) -> None:
        tiktok.next(lost)
        with pytest.raises(ConnectionError):
            client.raw()
        client.connection.close()
        client.send()
        assert len(tiktok.accepted) == 2
        assert len(tiktok.events) == 1

    def test_hang(self, tiktok: TikTokSandbox, client: Client) -> None:
        tiktok.next(faults.hang(30))
        client.connection.timeout = 0.05
        with pytest.raises(TimeoutError):
            client.raw()

    @pytest.mark.parametrize("fault", [faults.slow_headers(0.02, 40), faults.slow_body(0.02, 40)])
    def test_slow_responses_arrive(
        self, tiktok: TikTokSandbox, client: Client, fault: faults.Fault
    ) -> None:
        tiktok.next(fault)
        began = time.monotonic()
        assert client.send() == (0, "OK")
        assert time.monotonic() - began >= 0.04
        assert tiktok.event_ids == {"m-1"}

    @pytest.mark.parametrize("fault", [faults.slow_headers(0.03), faults.slow_body(0.03)])
    def test_slow_responses_outlast_a_socket_timeout(
        self, tiktok: TikTokSandbox, fault: faults.Fault
    ) -> None:
        """Only a deadline for the whole response ends this: each byte arrives in time."""
        tiktok.next(fault)
        with socket.create_connection(("127.0.0.1", tiktok.port), timeout=0.5) as raw:
            content = json.dumps(body()).encode()
            head = "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())
            head += f"Content-Length: {len(content)}\r\n\r\n"
            raw.sendall(f"POST {TRACK_PATH} HTTP/1.1\r\n{head}".encode() + content)
            answer = b""
            until = time.monotonic() + 0.2
            while time.monotonic() < until:
                answer += raw.recv(65_536)
        assert not answer.endswith(b"}")

    def test_more_bytes_announced_than_sent(self, tiktok: TikTokSandbox, client: Client) -> None:
        tiktok.next(faults.too_long_promised())
        with pytest.raises(http.client.IncompleteRead):
            client.raw()

    def test_fewer_bytes_announced_than_sent(self, tiktok: TikTokSandbox, client: Client) -> None:
        tiktok.next(faults.too_short_promised())
        _, answer = client.raw()
        assert not answer.endswith(b"}")
        with pytest.raises(http.client.BadStatusLine):
            client.raw()

    def test_an_untrusted_certificate(self) -> None:
        with TikTokSandbox(tls=True) as tiktok:
            assert tiktok.url.startswith("https://")
            refusing = http.client.HTTPSConnection("127.0.0.1", tiktok.port, timeout=5)
            with pytest.raises(ssl.SSLCertVerificationError):
                refusing.connect()
            refusing.close()
            context = ssl.create_default_context(cafile=tiktok.certificate_file)
            trusting = http.client.HTTPSConnection("127.0.0.1", tiktok.port, context=context)
            trusting.request("POST", TRACK_PATH, json.dumps(body()), HEADERS)
            assert json.load(trusting.getresponse())["code"] == 0
            trusting.close()
            assert tiktok.event_ids == {"m-1"}


class TestControl:
    def test_read_and_remove(self, tiktok: TikTokSandbox, client: Client) -> None:
        client.send()
        assert _control(client, "GET", "requests")[0]["parsed"] == body()
        assert _control(client, "GET", "events")[0]["event"] == event()
        _control(client, "DELETE", "requests")
        assert (tiktok.requests, tiktok.accepted) == ([], [])

    def test_faults(self, client: Client) -> None:
        scripted = {
            "next": [{"fault": "answer", "code": 40100}],
            "always": {"fault": "answer", "code": 50000},
        }
        assert _control(client, "POST", "faults", scripted) == {"pending": 1}
        assert [client.send()[0] for _ in range(3)] == [40100, 50000, 50000]
        _control(client, "DELETE", "faults")
        assert client.send()[0] == 0

    def test_faults_do_not_apply_to_it(self, tiktok: TikTokSandbox, client: Client) -> None:
        tiktok.always(faults.reset_unread())
        assert _control(client, "GET", "requests") == []

    def test_settings(self, tiktok: TikTokSandbox, client: Client) -> None:
        _control(client, "POST", "settings", {"poisoned": ["m-1"], "latency": 0.001})
        assert client.send()[0] == 40002
        assert tiktok.settings.latency == 0.001

    @pytest.mark.parametrize(
        ("path", "content", "status"),
        [
            ("faults", {"next": [{"fault": "unheard-of"}]}, 400),
            ("faults", {"next": [{"fault": "hang"}]}, 400),
            ("faults", [], 400),
            ("settings", {"mood": 1}, 400),
            ("nothing", {}, 404),
        ],
    )
    def test_wrong_requests(self, client: Client, path: str, content: Any, status: int) -> None:
        assert client.request("POST", f"/_sandbox/{path}", content)[0] == status


def _control(client: Client, method: str, path: str, content: Any = None) -> Any:
    status, answer = client.request(method, f"/_sandbox/{path}", content)
    assert status == 200
    return json.loads(answer)


class TestWire:
    def test_clients_that_expect_to_continue(self, tiktok: TikTokSandbox, client: Client) -> None:
        content = json.dumps(body()).encode()
        client.send(content, HEADERS | {"Expect": "100-continue"})
        assert [one.body for one in tiktok.requests] == [content]

    @pytest.mark.parametrize(
        ("data", "status"),
        [
            (b"\r\n\r\n", b""),
            (b"GET\r\n\r\n", b"400"),
            (b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n", b"411"),
            (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"411"),
        ],
    )
    def test_requests_that_cannot_be_read(
        self, tiktok: TikTokSandbox, data: bytes, status: bytes
    ) -> None:
        with socket.create_connection(("127.0.0.1", tiktok.port), timeout=5) as raw:
            raw.sendall(data)
            response = b""
            while received := raw.recv(65_536):
                response += received
        assert status in response
        assert tiktok.requests == []

    def test_a_body_that_ends_early(self, tiktok: TikTokSandbox) -> None:
        with socket.create_connection(("127.0.0.1", tiktok.port), timeout=5) as raw:
            raw.sendall(b"POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\n{}")
            raw.shutdown(socket.SHUT_WR)
            assert raw.recv(10) == b""

    def test_connection_close_is_respected(self, tiktok: TikTokSandbox, client: Client) -> None:
        client.send(headers=HEADERS | {"Connection": "close"})
        client.send()
        assert tiktok.connections == 2

    def test_stopping_ends_idle_and_hanging_connections_at_once(self) -> None:
        before = threading.active_count()
        tiktok = TikTokSandbox().start()
        idle, hanging = Client(tiktok.url), Client(tiktok.url)
        idle.send()
        tiktok.next(faults.hang(60))
        hanging.connection.request("POST", TRACK_PATH, json.dumps(body()), HEADERS)
        tiktok.wait_for_requests(2)
        began = time.monotonic()
        tiktok.stop()
        assert time.monotonic() - began < 1
        assert threading.active_count() == before
        for one in (idle, hanging):
            one.connection.close()
