"""SSM is asked rarely, its bad moments are outlived, and nobody waits for it too long."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from tiktok_pixel.aws.parameters import ParameterCache, ParametersUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

DENIED = ClientError({"Error": {"Code": "AccessDeniedException"}}, "GetParameters")
UNREACHABLE = EndpointConnectionError(endpoint_url="https://ssm.example")


class Store:
    """SSM's ``GetParameters`` in memory; ``error`` or ``gate`` stand in its way."""

    def __init__(self, **values: str) -> None:
        self.values = values
        self.calls: list[list[str]] = []
        self.error: Exception | None = None
        self.gate: threading.Event | None = None

    def get_parameters(self, *, Names: list[str], WithDecryption: bool) -> dict[str, Any]:  # noqa: N803  # AWS's names
        assert WithDecryption
        assert len(Names) <= 10, "SSM takes ten names"
        self.calls.append(Names)
        if self.gate is not None:
            assert self.gate.wait(10)
        if self.error is not None:
            raise self.error
        found = [
            {"Name": name, "Value": self.values[name]} for name in Names if name in self.values
        ]
        return {"Parameters": found, "InvalidParameters": []}


class Clock:
    """A wall clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1_767_225_600.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def store() -> Store:
    return Store(a="1", b="2")


@pytest.fixture
def clock() -> Clock:
    return Clock()


def cache_of(store: Store, clock: Clock, names: Iterable[str] = ("a", "b", "c")) -> ParameterCache:
    """A cache whose values are good for five minutes."""
    return ParameterCache(cast("SSMClient", store), list(names), 300.0, clock)


def test_all_parameters_come_with_one_call(store: Store, clock: Clock) -> None:
    cache = cache_of(store, clock)

    assert cache.values(1.0) == {"a": "1", "b": "2"}
    assert store.calls == [["a", "b", "c"]]


def test_more_than_ten_names_take_more_calls(clock: Clock) -> None:
    names = [f"p{number}" for number in range(23)]
    store = Store(**dict.fromkeys(names, "x"))

    assert cache_of(store, clock, names).values(1.0) == store.values
    assert [len(call) for call in store.calls] == [10, 10, 3]


def test_values_and_absences_are_kept_until_they_are_old(store: Store, clock: Clock) -> None:
    cache = cache_of(store, clock)
    cache.values(1.0)
    store.values["c"] = "3"

    clock.now += 299.9
    assert cache.values(1.0) == {"a": "1", "b": "2"}
    assert len(store.calls) == 1

    clock.now += 0.1
    assert cache.values(1.0) == {"a": "1", "b": "2", "c": "3"}
    assert len(store.calls) == 2


def test_a_deleted_parameter_is_gone(store: Store, clock: Clock) -> None:
    cache = cache_of(store, clock)
    cache.values(1.0)
    del store.values["b"]

    clock.now += 300
    assert cache.values(1.0) == {"a": "1"}


def test_a_clock_that_was_set_back_does_not_keep_values_for_ever(
    store: Store, clock: Clock
) -> None:
    cache = cache_of(store, clock)
    cache.values(1.0)

    clock.now -= 3600
    cache.values(1.0)

    assert len(store.calls) == 2


@pytest.mark.parametrize("error", [DENIED, UNREACHABLE], ids=["refuses", "is not there"])
def test_when_ssm_fails_the_last_values_serve(store: Store, clock: Clock, error: Exception) -> None:
    cache = cache_of(store, clock)
    cache.values(1.0)
    store.error = error

    clock.now += 300
    assert cache.values(1.0) == {"a": "1", "b": "2"}
    assert cache.failures == 1


def test_a_failing_ssm_is_not_asked_with_every_request(store: Store, clock: Clock) -> None:
    cache = cache_of(store, clock)
    cache.values(1.0)
    store.error = DENIED
    clock.now += 300

    for _ in range(10):
        cache.values(1.0)
    assert len(store.calls) == 2

    store.error = None
    store.values["a"] = "new"
    clock.now += 5
    assert cache.values(1.0)["a"] == "new"


def test_without_any_values_a_failing_ssm_is_an_error_and_asked_again(
    store: Store, clock: Clock
) -> None:
    cache = cache_of(store, clock)
    store.error = UNREACHABLE

    for _ in range(2):
        with pytest.raises(ParametersUnavailableError):
            cache.values(1.0)

    store.error = None
    assert cache.values(1.0) == {"a": "1", "b": "2"}
    assert len(store.calls) == 3


def test_half_of_the_calls_is_no_answer(clock: Clock) -> None:
    """A set of parameters is never put together from two times."""
    names = [f"p{number}" for number in range(11)]
    store = Store(**dict.fromkeys(names, "old"))
    cache = cache_of(store, clock, names)
    cache.values(1.0)
    store.values = dict.fromkeys(names, "new")
    answer = store.get_parameters

    def fail_second(**request: Any) -> dict[str, Any]:
        if "p10" in request["Names"]:
            raise DENIED
        return answer(**request)

    store.get_parameters = fail_second  # type: ignore[method-assign]
    clock.now += 300

    assert set(cache.values(1.0).values()) == {"old"}


def test_nobody_waits_longer_than_they_have_time_for(store: Store, clock: Clock) -> None:
    cache = cache_of(store, clock)
    cache.values(1.0)
    store.gate = threading.Event()
    clock.now += 300
    started = time.perf_counter()

    values = cache.values(0.05)

    assert time.perf_counter() - started < 1.0
    assert values == {"a": "1", "b": "2"}
    store.gate.set()


def test_an_answer_that_comes_too_late_is_no_harm(store: Store, clock: Clock) -> None:
    cache = cache_of(store, clock)
    store.gate = threading.Event()
    with pytest.raises(ParametersUnavailableError):
        cache.values(0.05)
    store.gate.set()

    assert cache.values(5.0) == {"a": "1", "b": "2"}


def test_forced_the_values_are_read_anew(store: Store, clock: Clock) -> None:
    cache = cache_of(store, clock)
    cache.values(1.0)
    store.values["a"] = "mended"

    assert cache.force(1.0)
    assert cache.values(1.0)["a"] == "mended"


def test_forcing_asks_ssm_at_most_once_a_second(store: Store, clock: Clock) -> None:
    cache = cache_of(store, clock)

    assert [cache.force(1.0) for _ in range(3)] == [True, False, False]
    assert len(store.calls) == 1

    clock.now += 1.0
    assert cache.force(1.0)


def test_forcing_a_failing_ssm_keeps_the_values(store: Store, clock: Clock) -> None:
    cache = cache_of(store, clock)
    cache.values(1.0)
    store.error = DENIED

    assert not cache.force(1.0)
    assert cache.values(1.0) == {"a": "1", "b": "2"}


def test_many_threads_ask_once(store: Store, clock: Clock) -> None:
    cache = cache_of(store, clock)
    store.gate = threading.Event()
    threads = [threading.Thread(target=cache.values, args=(5.0,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    store.gate.set()
    for thread in threads:
        thread.join(5)

    assert len(store.calls) == 1
