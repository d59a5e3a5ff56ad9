"""The sandbox's own endpoints, for curl and for tests in another process.

GET    /_sandbox/requests   the requests received, with the code of each response
GET    /_sandbox/events     the events that TikTok counts
DELETE /_sandbox/requests   remove both
POST   /_sandbox/faults     {"next": [{"fault": "answer", "code": 40100}],
                             "always": {"fault": "http", "status": 502}}
DELETE /_sandbox/faults     remove all faults
POST   /_sandbox/settings   {"poisoned": ["m-7"], "latency": 0.5, …}
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tools.sandbox.faults import BY_NAME
from tools.sandbox.wire import Response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tools.sandbox.faults import Fault
    from tools.sandbox.tiktok import TikTokSandbox
    from tools.sandbox.wire import Connection

PREFIX: Final = " /_sandbox/"


def serve(tiktok: TikTokSandbox, line: Connection) -> bool:
    """Respond to one request to a control endpoint; return whether the connection stays open."""
    request = line.read_request()
    if request is None:
        return False
    endpoint = _ENDPOINTS.get((request.method, request.path))
    if endpoint is None:
        response = Response.of_json({"error": "no such control endpoint"}, 404)
    else:
        try:
            body = request.json() if request.body else {}
            response = Response.of_json(endpoint(tiktok, body))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            response = Response.of_json({"error": repr(error)}, 400)
    line.send(response.encode())
    return True


def _requests(tiktok: TikTokSandbox, _body: Any) -> Any:
    return [
        {
            "headers": dict(one.headers),
            "body": one.body.decode("utf-8", "replace"),
            "parsed": one.parsed,
            "code": one.code,
            "connection": one.connection,
            "fault": type(one.fault).__name__ if one.fault else None,
        }
        for one in tiktok.requests
    ]


def _events(tiktok: TikTokSandbox, _body: Any) -> Any:
    return [
        {
            "event_source": one.event_source,
            "event_source_id": one.event_source_id,
            "test_event_code": one.test_event_code,
            "event": one.event,
        }
        for one in tiktok.events
    ]


def _forget(tiktok: TikTokSandbox, _body: Any) -> Any:
    tiktok.forget()
    return {}


def _script(tiktok: TikTokSandbox, body: dict[str, Any]) -> Any:
    following = [_fault(one) for one in body.get("next", [])]
    standing = _fault(body["always"]) if body.get("always") else None
    tiktok.next(*following)
    if standing:
        tiktok.always(standing)
    return {"pending": tiktok.faults.pending}


def _fault(described: dict[str, Any]) -> Fault:
    arguments = dict(described)
    return BY_NAME[arguments.pop("fault")](**arguments)


def _clear(tiktok: TikTokSandbox, _body: Any) -> Any:
    tiktok.clear_faults()
    return {}


def _settings(tiktok: TikTokSandbox, body: dict[str, Any]) -> Any:
    for name, value in body.items():
        if not hasattr(tiktok.settings, name):
            raise KeyError(name)
        setattr(tiktok.settings, name, set(value) if isinstance(value, list) else value)
    return {}


_ENDPOINTS: Final[Mapping[tuple[str, str], Callable[[TikTokSandbox, Any], Any]]] = {
    ("GET", "/_sandbox/requests"): _requests,
    ("GET", "/_sandbox/events"): _events,
    ("DELETE", "/_sandbox/requests"): _forget,
    ("POST", "/_sandbox/faults"): _script,
    ("DELETE", "/_sandbox/faults"): _clear,
    ("POST", "/_sandbox/settings"): _settings,
}
