from __future__ import annotations

from collections import Counter

from tools.load.traffic import plan


def test_every_event_is_sent_once_single_or_in_a_batch() -> None:
    traffic = plan(1000, seed=5)
    ids = Counter(event["messageId"] for post in traffic.posts for event in post.events)
    assert len(ids) == 1000
    assert set(ids.values()) == {1}
    single = [post for post in traffic.posts if not post.is_batch]
    assert len(single) == 400
    assert all(len(post.events) == 1 for post in single)


def test_each_event_has_one_planned_end() -> None:
    traffic = plan(2000, seed=5)
    kinds = (
        traffic.ignored,
        traffic.rejected,
        traffic.content_poison,
        traffic.server_error_poison,
    )
    assert [len(kind) for kind in kinds] == [100, 40, 2, 2]
    assert len(frozenset().union(*kinds)) == 144
    assert traffic.poison == traffic.content_poison | traffic.server_error_poison
    assert traffic.poison <= traffic.message_ids


def test_a_seed_repeats_the_plan() -> None:
    def order(seed: int) -> list[tuple[float, str]]:
        return [(post.at, post.events[0]["messageId"]) for post in plan(500, seed).posts]

    assert order(1) == order(1)
    assert order(1) != order(2)
