from __future__ import annotations

from tests.unit.tools.load.fakes import FakeEnvironment
from tools.load.environments import Pool


def test_a_pool_hands_out_each_environment_once() -> None:
    with Pool(FakeEnvironment, 2) as pool:
        first, second = pool.take(), pool.take()
        assert first is not None
        assert second is not None
        assert pool.take() is None
        pool.give_back(second)
        assert pool.take() is second
        pool.give_back(first)
        pool.give_back(second)


def test_a_deployment_replaces_free_environments_at_once_and_busy_ones_when_they_end() -> None:
    old = [FakeEnvironment(), FakeEnvironment()]
    new = [FakeEnvironment(), FakeEnvironment()]
    every = iter([*old, *new])
    with Pool(lambda: next(every), 2) as pool:
        busy = pool.take()
        assert busy is old[1]

        pool.deploy(lambda: next(every))

        assert [one.is_running for one in old] == [False, True]
        pool.give_back(busy)
        assert not old[1].is_running
        taken = [pool.take(), pool.take()]
        assert taken == new[::-1]
        assert pool.take() is None
        for one in new:
            pool.give_back(one)
    assert not any(one.is_running for one in new)


def test_an_environment_starts_the_next_invocation_without_old_log_lines() -> None:
    with Pool(FakeEnvironment, 1) as pool:
        environment = pool.take()
        assert environment is not None
        environment.logs.append("START")
        pool.give_back(environment)
        assert environment.logs == []
