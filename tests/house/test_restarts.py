"""Pauses grow while a process dies young, and are over once it has run for a while."""

from postroom.management.restarts import HEALTHY_S, Restarts


def test_the_first_restart_is_at_once() -> None:
    assert Restarts(pause_s_max=10).pause_s(ran_s=0) == 0


def test_pauses_grow_up_to_their_limit_while_the_process_dies_young() -> None:
    restarts = Restarts(pause_s_max=5)
    pauses = [restarts.pause_s(ran_s=1) for _ in range(9)]
    assert pauses == sorted(pauses)
    assert pauses[-1] == 5


def test_a_process_that_ran_for_a_while_starts_again_at_once() -> None:
    restarts = Restarts(pause_s_max=5)
    for _ in range(9):
        restarts.pause_s(ran_s=1)
    assert restarts.pause_s(ran_s=HEALTHY_S + 1) == 0
