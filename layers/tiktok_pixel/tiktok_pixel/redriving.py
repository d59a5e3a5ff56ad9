"""Retry parked events until TikTok accepts them or their time is over.

An invocation reads up to a thousand messages, sends their events in full requests, and stores what
still has to wait in new, full messages with a delay. Then SQS deletes the old ones. Nothing waits
by visibility time-out: SQS allows 120,000 messages in flight, and a queue that waits in flight
stops handing out new ones.

Nothing is sent while SQS stores no messages. A message of which some events were delivered and
others could not be stored would stay, and be sent again as a whole: after the 48 hours in which
TikTok deduplicates, events would count twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from tiktok_pixel import observability
from tiktok_pixel.aws.queue import UnreadableMessageError, read_message
from tiktok_pixel.deadline import Deadline
from tiktok_pixel.outcomes import Cause, Outcome, Status
from tiktok_pixel.telemetry import Report, record_redriven
from tiktok_pixel.tiktok.delivery import CAUSES, Delivery
from tiktok_pixel.tiktok.outgoing import OutgoingEvent, Parked, Traffic, parked_state
from tiktok_pixel.tiktok.redelivery import DOUBTFUL, Attempt, Pass
from tiktok_pixel.tiktok.retention import (
    LONGEST_DELAY_SECONDS,
    content_tries,
    delay_seconds,
    end_reason,
    is_last_content_try,
    is_refused_test,
    seconds_until_due,
)
from tiktok_pixel.tiktok.verdicts import VerdictKind

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from tiktok_pixel.aws.queue import ParkedEventQueue
    from tiktok_pixel.destination import Destination
    from tiktok_pixel.settings import Settings
    from tiktok_pixel.tiktok.batches import Batch
    from tiktok_pixel.tiktok.delivery import Call, Result

# Seconds kept back from Lambda's time, for SQS, metrics and the response.
_PARKING_SECONDS: Final = 10.0
# Seconds kept back for metrics and the response: after Lambda's time-out all messages come back.
_RESPONSE_SECONDS: Final = 2.0
READ_SECONDS: Final = 30.0
"""How long to wait for TikTok's response: without one, an event that was sent stays uncertain."""

# The longest call: connecting, sending a full request, and waiting for the response.
_CALL_SECONDS: Final = READ_SECONDS + 5
# TikTok works if it has responded so recently; else one event is risked first, not a full request.
_RESPONSIVE_SECONDS: Final = 60.0
# An unreadable message comes back so often, and alarms each time, until an operator deletes it.
_UNREADABLE_DELAY_SECONDS: Final = LONGEST_DELAY_SECONDS
# Finds two messages among a thousand. A defect that concerns all of them is not reported for each.
_MOST_CRASHES: Final = 25


@dataclass(slots=True)
class _Message:
    """One message of the queue.

    Attributes:
        id: SQS's message id.
        body: Its text.
        events: Its events; ``None`` if it cannot be read.
        is_done: Whether SQS can delete it.
    """

    id: Final[str]
    body: Final[str]
    events: Final[Sequence[OutgoingEvent] | None]
    is_done: bool = True


def respond(
    event: Mapping[str, Any],
    context: LambdaContext,
    destination: Destination,
    clock: Callable[[], float] = time.time,
) -> dict[str, Any]:
    """Process a batch of messages and return the ids of those that SQS has to keep.

    Source: AWS Lambda, "Implementing partial batch responses".
    """
    records: Sequence[Mapping[str, Any]] = event["Records"]
    end = Deadline.after(context.get_remaining_time_in_millis() / 1000).earlier(_RESPONSE_SECONDS)
    failed = [record["messageId"] for record in records]
    if destination.queue is not None:
        failed = _process_in_parts(records, destination, destination.queue, end, clock())
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _process_in_parts(
    records: Sequence[Mapping[str, Any]],
    destination: Destination,
    queue: ParkedEventQueue,
    end: Deadline,
    now: float,
) -> list[str]:
    """Process messages, after an internal error in halves: one message must not hold the others.

    Returns:
        The ids of the messages that have to stay.
    """
    failed: list[str] = []
    crashes = 0
    parts = [records]
    while parts:
        part = parts.pop()
        try:
            failed += _process(part, destination, queue, end, now)
        except Exception as error:  # noqa: BLE001  # an internal error must not lose the messages
            observability.report_crash(error)
            crashes += 1
            if len(part) > 1 and crashes < _MOST_CRASHES:
                middle = len(part) // 2
                parts += [part[:middle], part[middle:]]
            else:
                failed += [record["messageId"] for record in part]
    return failed


def _process(
    records: Sequence[Mapping[str, Any]],
    destination: Destination,
    queue: ParkedEventQueue,
    end: Deadline,
    now: float,
) -> list[str]:
    """Process messages and return the ids of those that have to stay."""
    # Messages without events come from `can_store`.
    messages = [message for message in map(_read, records) if message.events != []]
    if not messages:
        return []
    can_store = queue.can_store(end)
    if can_store:
        _store_unreadable(messages, queue, end.at_most(_PARKING_SECONDS))
        early = end.earlier(_PARKING_SECONDS)
    else:
        observability.logger.error("the queue stores no messages: parked events are not sent")
        early = end.at_most(0)
    parked = [one for message in messages if message.events for one in message.events]
    results, calls = redrive(parked, destination, early, now)
    waiting = [event for _, event in results if event is not None]
    of_waiting = iter(_store(waiting, queue, end, now) if can_store else [False] * len(waiting))
    is_stored = iter([event is None or next(of_waiting) for _, event in results])
    for message in messages:
        for _ in message.events or ():
            # A message with one event that could not be stored stays whole.
            message.is_done &= next(is_stored)
    try:
        record_redriven(
            Report([outcome for outcome, _ in results], (), {}, calls),
            [parked_state(event) for event in waiting],
            now,
        )
    except Exception as error:  # noqa: BLE001  # messages that are stored anew must not come back
        observability.report_crash(error)
    return [message.id for message in messages if not message.is_done]


def redrive(
    events: Sequence[OutgoingEvent], destination: Destination, deadline: Deadline, now: float
) -> tuple[list[tuple[Outcome, OutgoingEvent | None]], list[Call]]:
    """Send parked events that are due.

    Returns:
        For each event its outcome and, if it has to wait, the event with its new state in the
        queue; and the calls to TikTok.
    """
    settings = destination.settings
    delivery = Delivery(
        destination.client,
        destination.credentials,
        destination.breaker,
        deadline,
        test_event_code=settings.test_event_code,
        tries=1,
        clock=lambda: now,
    )
    calls: list[Call] = []

    def send_all(chunks: Sequence[Batch]) -> list[Result]:
        # The pass stops sending sooner than the circuit breaker would.
        results = delivery.send_all(chunks, counts=False)
        calls.extend(call for result in results for call in result.calls)
        return results

    ends = [end_reason(event, settings, now) for event in events]
    due = [
        index
        for index, event in enumerate(events)
        if ends[index] is None and seconds_until_due(parked_state(event), now) <= 0
    ]
    sent = {index: _as_sent(events[index], settings) for index in due}
    one_pass = Pass(
        list(sent.values()),
        send_all,
        has_time=lambda: deadline.remaining() > _CALL_SECONDS,
        is_responsive=0 <= now - destination.client.responded_at < _RESPONSIVE_SECONDS,
        is_last=[is_last_content_try(parked_state(event), now) for event in sent.values()],
    )
    attempts = dict(zip(due, one_pass.run(), strict=True))
    results = [
        _rejected(event, reason)
        if reason is not None
        else _result(sent.get(index, event), attempts.get(index), now)
        for index, (event, reason) in enumerate(zip(events, ends, strict=True))
    ]
    return results, calls


def _as_sent(event: OutgoingEvent, settings: Settings) -> OutgoingEvent:
    """Return the event as today's settings send it.

    An event that TikTok refused for the test event code of the settings was no test: once the
    operator has removed the code, it is sent as real.
    """
    if event.route.traffic is Traffic.SETTING and not settings.test_event_code:
        return replace(event, route=replace(event.route, traffic=Traffic.REAL))
    return event


def _result(
    event: OutgoingEvent, attempt: Attempt | None, now: float
) -> tuple[Outcome, OutgoingEvent | None]:
    """Decide on an event after a pass; ``attempt`` is ``None`` for one that was not due."""
    state = parked_state(event)
    if attempt is None:
        return _waiting(event, state)
    verdict = attempt.verdict
    if verdict is not None and verdict.kind is VerdictKind.ACCEPTED:
        return Outcome(event.message_id, Status.FORWARDED, verdict.reason, event.name), None
    if state.unanswered_at is None:
        state = replace(state, unanswered_at=attempt.unanswered_at)
    if verdict is not None and verdict.kind is VerdictKind.CONTENT:
        refused_at = now if state.refused_at is None else state.refused_at
        if is_last_content_try(state, now) and attempt.is_alone:
            return _rejected(event, verdict.reason)
        state = replace(
            state,
            cause=Cause.CONTENT,
            reason=verdict.reason,
            refused_at=refused_at,
            tries=content_tries(refused_at, now),
            is_alone=False,
        )
    elif state.cause is not Cause.CONTENT:
        state = replace(state, tries=state.tries + 1)
        # Once TikTok has refused the test event code, that reason stays: it decides what becomes of
        # the event when the operator removes the code.
        if verdict is not None and not is_refused_test(event):
            state = replace(
                state,
                cause=CAUSES[verdict.kind],
                reason=verdict.reason,
                is_alone=attempt.is_alone and verdict in DOUBTFUL,
            )
    return _waiting(event, state)


def _waiting(event: OutgoingEvent, state: Parked) -> tuple[Outcome, OutgoingEvent]:
    outcome = Outcome(event.message_id, Status.PARKED, state.reason, event.name, cause=state.cause)
    return outcome, replace(event, parked=state)


def _rejected(event: OutgoingEvent, reason: str) -> tuple[Outcome, None]:
    return Outcome(event.message_id, Status.REJECTED, reason, event.name), None


def _read(record: Mapping[str, Any]) -> _Message:
    body = str(record["body"])
    try:
        return _Message(str(record["messageId"]), body, read_message(body))
    except UnreadableMessageError:
        observability.count("UnreadableMessages")
        # Without the error's text, which may quote the message.
        extra = {"sqs_message_id": record["messageId"]}
        observability.logger.error("cannot read a message of the queue", extra=extra)
        return _Message(str(record["messageId"]), body, None, is_done=False)


def _store_unreadable(
    messages: Sequence[_Message], queue: ParkedEventQueue, deadline: Deadline
) -> None:
    """Send unreadable messages again unchanged, which starts their fourteen days in SQS again."""
    unreadable = [message for message in messages if message.events is None]
    if not unreadable:
        return
    stored = queue.send(
        [message.body for message in unreadable], deadline, _UNREADABLE_DELAY_SECONDS
    )
    for message, is_stored in zip(unreadable, stored, strict=True):
        message.is_done = is_stored


def _store(
    events: Sequence[OutgoingEvent], queue: ParkedEventQueue, deadline: Deadline, now: float
) -> list[bool]:
    """Store events that wait, with the delay of each; return whether each is stored."""
    by_delay: dict[int, list[int]] = {}
    for index, event in enumerate(events):
        by_delay.setdefault(delay_seconds(parked_state(event), now), []).append(index)
    stored = [False] * len(events)
    for delay, indexes in by_delay.items():
        confirmed = queue.park([events[index] for index in indexes], deadline, delay)
        for index, is_confirmed in zip(indexes, confirmed, strict=True):
            stored[index] = is_confirmed
    return stored
