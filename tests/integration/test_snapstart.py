"""A start from a snapshot: nothing in it may be stale."""

from __future__ import annotations

import random

import snapshot_restore_py

from tests.integration.harness import World
from tools.sandbox.application import environment, forward_application


def test_the_start_connects_to_nothing(world: World) -> None:
    before = world.tiktok.connections, sum(world.proxy.calls.values())

    with forward_application(environment(world.tiktok.url, world.proxy.url)):
        after = world.tiktok.connections, sum(world.proxy.calls.values())

    assert after == before


def test_environments_of_one_snapshot_draw_different_random_numbers(world: World) -> None:
    variables = environment(world.tiktok.url, world.proxy.url)
    variables["AWS_LAMBDA_INITIALIZATION_TYPE"] = "snap-start"
    with forward_application(variables):
        snapshot = random.getstate()
        draws = set()
        for _ in range(2):
            random.setstate(snapshot)
            for hook, arguments, named in snapshot_restore_py.get_after_restore():
                hook(*arguments, **named)
            draws.add(random.random())  # noqa: S311  # no secret

    assert len(draws) == 2


def test_other_environments_need_no_hook(world: World) -> None:
    before = len(snapshot_restore_py.get_after_restore())

    with forward_application(environment(world.tiktok.url, world.proxy.url)):
        assert len(snapshot_restore_py.get_after_restore()) == before
