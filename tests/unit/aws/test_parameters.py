"""SSM is read rarely, its failures are bridged, and nobody waits for it too long."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast

import pytest

from tiktok_pixel.aws.errors import AwsError
from tiktok_pixel.aws.parameters import ParameterCache, ParametersUnavailableError

if TYPE_CHECKING:
    from tiktok_pixel.aws.api import SsmClient

DENIED = AwsError("AccessDeniedException")
UNREACHABLE = AwsError("ConnectionError")


class Store:
    """SSM's ``GetParameters`` in memory; ``error`` makes it fail, ``gate`` makes it wait."""

    def __init__(self, **values: str) -> None:
        self.values = values
        self.calls: list[list[str]] = []
        self.error: Exception | None = None
        self.gate: threading.Event | None = None

    def get_parameters(self, *, Names: list[str], WithDecryption: bool) -> dict[str, Any]:  # noqa: N803  # AWS's names
        assert WithDecryption
        assert len(Names) <= 10, "the limit of GetParameters"
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
    """A wall clock that the test sets."""

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
    """A cache whose values are used for five minutes."""
    return ParameterCache(cast("SsmClient", store), list(names), 300.0, clock)


def test_one_call_reads_all_parameters(store: Store, clock: Clock) -> None:
    cache = cache_of(store, clock)

    assert cache.values(1.0) == {"a": "1", "b": "2"}
    assert store.calls == [["a", "b", "c"]]


def test_more_than_ten_names_take_more_calls(clock: Clock) -> None:
    names = [f"p{number}" for number in range(23)]
    store = Store(**dict.fromkeys(names, "x"))

    assert cache_of(store, clock, names).values(1.0) == store.values
    assert [len(call) for call in store.calls] == [10, 10, 3]


def test_values_and_missing_parameters_are_cached_until_they_expire(
    store: Store, clock: Clock
) -> None:
    cache = cache_of(store, clock)
    cache.values(1.0)
    store.values["c"] = "3"

    clock.now += 299.9
    assert cache.values(1.0) == {"a": "1", "b": "2"}
    assert len(store.calls) == 1

    clock.now += 0.1
    assert cache.values(1.0) == {"a": "1", "b": "2", "c": "3"}
    assert len(store.calls) == 2


def test_a_deleted_parameter_disappears(store: Store, clock: Clock) -> None:
    cache = cache_of(store, clock)
    cache.values(1.0)
    del store.values["b"]

    clock.now += 300
    assert cache.values(1.0) == {"a": "1"}


def test_a_clock_that_is_set_back_does_not_keep_values_for_ever(store: Store, clock: Clock) -> None:
    cache = cache_of(store, clock)
    cache.values(1.0)

    clock.now -= 3600
    cache.values(1.0)

    assert len(store.calls) == 2


@pytest.mark.parametrize("error", [DENIED, UNREACHABLE], ids=["refuses", "unreachable"])
def test_when_ssm_fails_the_last_values_are_used(
    store: Store, clock: Clock, error: Exception
) -> None:
    cache = cache_of(store, clock)
    cache.values(1.0)
    store.error = error

    clock.now += 300
    assert cache.values(1.0) == {"a": "1", "b": "2"}
    assert len(store.calls) == 2


def test_a_failing_ssm_is_not_read_with_every_request(store: Store, clock: Clock) -> None:
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


def test_without_values_a_failing_ssm_is_an_error_and_read_again(
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


def test_a_read_that_fails_halfway_changes_nothing(clock: Clock) -> None:
    """Parameters of two points in time are never mixed."""
    names = [f"p{number}" for number in range(11)]
    store = Store(**dict.fromkeys(names, "old"))
    cache = cache_of(store, clock, names)
    cache.values(1.0)
    store.values = dict.fromkeys(names, "new")
    get_parameters = store.get_parameters

    def fail_second(**request: Any) -> dict[str, Any]:
        if "p10" in request["Names"]:
            raise DENIED
        return get_parameters(**request)

    store.get_parameters = fail_second  # type: ignore[method-assign]
    clock.now += 300

    assert set(cache.values(1.0).values()) == {"old"}


def test_callers_wait_no_longer_than_they_ask_to(store: Store, clock: Clock) -> None:
    cache = cache_of(store, clock)
    cache.values(1.0)
    store.gate = threading.Event()
    clock.now += 300
    started = time.perf_counter()

    values = cache.values(0.05)

    assert time.perf_counter() - started < 1.0
    assert values == {"a": "1", "b": "2"}
    store.gate.set()


def test_a_read_that_ends_late_updates_the_cache(store: Store, clock: Clock) -> None:
    cache = cache_of(store, clock)
    store.gate = threading.Event()
    with pytest.raises(ParametersUnavailableError):
        cache.values(0.05)
    store.gate.set()

    assert cache.values(5.0) == {"a": "1", "b": "2"}


def test_a_forced_read_gets_new_values(store: Store, clock: Clock) -> None:
    cache = cache_of(store, clock)
    cache.values(1.0)
    store.values["a"] = "fixed"

    assert cache.force(1.0)
    assert cache.values(1.0)["a"] == "fixed"


def test_a_forced_read_happens_at_most_once_a_second(store: Store, clock: Clock) -> None:
    cache = cache_of(store, clock)

    assert [cache.force(1.0) for _ in range(3)] == [True, False, False]
    assert len(store.calls) == 1

    clock.now += 1.0
    assert cache.force(1.0)


def test_a_forced_read_that_fails_keeps_the_values(store: Store, clock: Clock) -> None:
    cache = cache_of(store, clock)
    cache.values(1.0)
    store.error = DENIED

    assert not cache.force(1.0)
    assert cache.values(1.0) == {"a": "1", "b": "2"}


def test_young_values_are_not_refreshed(store: Store, clock: Clock) -> None:
    cache = cache_of(store, clock)
    cache.values(1.0)
    clock.now += 9.9

    assert cache.refresh(10.0, 1.0)
    assert len(store.calls) == 1


def test_older_values_are_refreshed(store: Store, clock: Clock) -> None:
    cache = cache_of(store, clock)
    cache.values(1.0)
    store.values["a"] = "rotated"
    clock.now += 10.0

    assert cache.refresh(10.0, 1.0)
    assert cache.values(1.0)["a"] == "rotated"


def test_a_refresh_that_fails_is_repeated_after_the_interval(store: Store, clock: Clock) -> None:
    cache = cache_of(store, clock)
    cache.values(1.0)
    clock.now += 10.0
    store.error = DENIED

    assert [cache.refresh(10.0, 1.0) for _ in range(5)] == [False] * 5
    assert len(store.calls) == 2
    assert cache.values(1.0) == {"a": "1", "b": "2"}

    store.error = None
    clock.now += 9.9
    assert not cache.refresh(10.0, 1.0)
    clock.now += 0.1
    assert cache.refresh(10.0, 1.0)


def test_a_refresh_waits_no_longer_than_it_may(store: Store, clock: Clock) -> None:
    cache = cache_of(store, clock)
    cache.values(1.0)
    clock.now += 10.0
    store.gate = threading.Event()

    assert not cache.refresh(10.0, 0.05)

    store.gate.set()
    assert cache.refresh(10.0, 5.0), "it waits for the read that is in progress"


def test_many_threads_share_one_read(store: Store, clock: Clock) -> None:
    cache = cache_of(store, clock)
    store.gate = threading.Event()
    threads = [threading.Thread(target=cache.values, args=(5.0,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    store.gate.set()
    for thread in threads:
        thread.join(5)

    assert len(store.calls) == 1
