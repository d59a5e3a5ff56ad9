"""Plan the events of a load test, and which of them are poison."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tools.sandbox import samples

_BATCHED_SHARE: Final = 0.6
_BATCH_SIZES: Final = (10, 50, 100, 400)
# Of a thousand events: how many of each kind.
_IGNORED: Final = 50
_REJECTED: Final = 20
_POISON: Final = 1
_FEWEST: Final = 2
# All events get a chance of another try before the end.
_LAST_START: Final = 0.97


@dataclass(frozen=True, slots=True)
class Post:
    """One request of Segment.

    Attributes:
        events: The events.
        is_batch: Whether the body is a list.
        at: When to send it: a share of the time in which all are sent, 0 to 1.
    """

    events: Sequence[dict[str, Any]]
    is_batch: bool
    at: float


@dataclass(frozen=True, slots=True)
class Traffic:
    """The requests of a load test, and the messageIds that cannot reach TikTok.

    Attributes:
        posts: The requests, by time.
        ignored: Events that nothing maps.
        rejected: Events that can never be sent.
        content_poison: Events that TikTok will refuse for their content.
        server_error_poison: Events on which TikTok will fail with an internal error.
        owners: TikTok's external id → messageId: each event is from another person.
    """

    posts: Sequence[Post]
    ignored: frozenset[str]
    rejected: frozenset[str]
    content_poison: frozenset[str]
    server_error_poison: frozenset[str]
    owners: dict[str, str] = field(repr=False)

    @property
    def poison(self) -> frozenset[str]:
        """Events that have to be parked at the end."""
        return self.content_poison | self.server_error_poison

    @property
    def message_ids(self) -> set[str]:
        """The messageIds of all events."""
        return {event["messageId"] for post in self.posts for event in post.events}


def plan(count: int, seed: int) -> Traffic:
    """Plan a shop's events: single and in batches, with some of each kind of poison."""
    rng = random.Random(seed)  # noqa: S311  # not a secret
    numbers = list(range(count))
    rng.shuffle(numbers)
    chosen = iter(numbers)

    def take(per_thousand: int) -> set[int]:
        return {next(chosen) for _ in range(max(_FEWEST, count * per_thousand // 1000))}

    ignored, rejected, content, server = map(take, (_IGNORED, _REJECTED, _POISON, _POISON))
    mapped = [samples.read(name) for name in samples.MAPPED]
    unmapped = samples.read("ignored-identify")
    unusable = [samples.read(name) for name in samples.OTHERS if name.startswith("rejected-")]
    events = []
    for number in range(count):
        if number in ignored:
            sample = unmapped
        elif number in rejected:
            sample = rng.choice(unusable)
        else:
            sample = rng.choice(mapped)
        events.append(_renamed(sample, number, keeps_person=number in rejected))
    return Traffic(
        posts=sorted(_posts(events, rng), key=lambda post: post.at),
        ignored=_message_ids(ignored),
        rejected=_message_ids(rejected),
        content_poison=_message_ids(content),
        server_error_poison=_message_ids(server),
        owners={_hashed(_user_id(number)): _message_id(number) for number in range(count)},
    )


def _posts(events: Sequence[dict[str, Any]], rng: random.Random) -> Iterator[Post]:
    batched = round(len(events) * _BATCHED_SHARE)
    start = 0
    while start < batched:
        size = min(rng.choice(_BATCH_SIZES), batched - start)
        yield Post(events[start : start + size], is_batch=True, at=rng.uniform(0, _LAST_START))
        start += size
    for event in events[batched:]:
        yield Post([event], is_batch=False, at=rng.uniform(0, _LAST_START))


def _renamed(sample: dict[str, Any], number: int, *, keeps_person: bool) -> dict[str, Any]:
    event = sample | {"messageId": _message_id(number)}
    if keeps_person:  # Its missing identifier or its old timestamp is what rejects it.
        return event
    now = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
    return event | {"userId": _user_id(number), "timestamp": now}


def _message_id(number: int) -> str:
    return f"load-{number:06}"


def _message_ids(numbers: Iterable[int]) -> frozenset[str]:
    return frozenset(map(_message_id, numbers))


def _user_id(number: int) -> str:
    return f"user-{number}"


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
