"""Do pages on a host take turns, and does whoever waits for something else let the others draw?"""

import threading

import pytest
from streamlit.runtime.scriptrunner import script_runner

from core.hosting.policy import BOUNDS
from pages.shared.serving import turns


@pytest.fixture
def drawn(monkeypatch):
    """drawn(function) runs it as Streamlit runs a page on a host."""
    monkeypatch.setattr(
        script_runner, "exec_func_with_error_handling", lambda function, context: function()
    )
    turns.take_turns()
    return lambda function: script_runner.exec_func_with_error_handling(function, None)


def at_once(*functions):
    threads = [threading.Thread(target=function, daemon=True) for function in functions]
    for thread in threads:
        thread.start()
    return threads


def test_one_page_at_a_time(drawn):
    inside, most = [], []

    def page():
        inside.append(1)
        most.append(len(inside))
        threading.Event().wait(0.02)
        inside.pop()

    for thread in at_once(*[lambda: drawn(page)] * 6):
        thread.join(10)
    assert most == [1] * 6


def test_who_waits_aside_lets_the_others_draw_and_then_waits_for_a_turn(drawn):
    others, order = threading.Event(), []

    def patient():
        with turns.aside():
            assert others.wait(10)
        order.append("patient")

    def other():
        order.append("other")
        others.set()

    (waiting,) = at_once(lambda: drawn(patient))
    drawn(other)
    waiting.join(10)
    assert order == ["other", "patient"]


def test_a_page_that_fails_gives_its_turn_back(drawn):
    def fails():
        with turns.aside():
            raise KeyError

    for _ in range(2):
        with pytest.raises(KeyError):
            drawn(fails)
    assert drawn(lambda: "next") == "next" and not turns._turns._taken


def test_turns_are_taken_once_and_at_home_nobody_waits(drawn):
    before = script_runner.exec_func_with_error_handling
    turns.take_turns()
    assert script_runner.exec_func_with_error_handling is before
    with turns.aside():  # outside a page
        assert not turns._turns._taken


@pytest.fixture
def turns_of_their_own(monkeypatch):
    own = turns.Turns()
    monkeypatch.setattr(turns, "_turns", own)
    return own


def test_next_is_who_has_drawn_the_least_whatever_their_tabs(turns_of_their_own):
    """Five tabs of one client wait before the only one of another."""
    own, order = turns_of_their_own, []
    own.take("first")

    def page(client):
        own.take(client)
        order.append(client)
        own.give(client, 0.1)

    begun = []
    for client in ["many"] * 5 + ["one"]:
        begun += at_once(lambda client=client: page(client))
        while len(own._waiting) < len(begun):
            pass
    own.give("first", 0.1)
    for thread in begun:
        thread.join(10)
    assert order == ["many", "one", "many", "many", "many", "many"]


def test_who_draws_all_the_time_waits_while_others_are_about(turns_of_their_own, monkeypatch):
    own, slept = turns_of_their_own, []
    monkeypatch.setattr(turns.time, "sleep", slept.append)
    own.drawn.charge("greedy", BOUNDS.drawing + 1)
    own.pause("greedy")
    assert slept == [], "nobody else is here"
    own.pause("other")
    own.pause("greedy")
    assert slept[0] == 0.0 and slept[1] == pytest.approx(1 / BOUNDS.drawing_share, rel=0.1)
