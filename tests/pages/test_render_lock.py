"""Do pages on a host take turns, and does whoever waits for something else let the others draw?"""

import threading

import pytest
from streamlit.runtime.scriptrunner import script_runner

from pages.shared import render_lock


@pytest.fixture
def drawn(monkeypatch):
    """drawn(function) runs it as Streamlit runs a page on a host."""
    monkeypatch.setattr(
        script_runner, "exec_func_with_error_handling", lambda function, context: function()
    )
    render_lock.take_turns()
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
        with render_lock.aside():
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
        with render_lock.aside():
            raise KeyError

    for _ in range(2):
        with pytest.raises(KeyError):
            drawn(fails)
    assert drawn(lambda: "next") == "next" and not render_lock._turn.locked()


def test_turns_are_taken_once_and_at_home_nobody_waits(drawn):
    before = script_runner.exec_func_with_error_handling
    render_lock.take_turns()
    assert script_runner.exec_func_with_error_handling is before
    with render_lock.aside():  # outside a page
        assert not render_lock._turn.locked()
