"""Is there so much and no more, for each by itself?"""

import pytest

from pages.shared.serving.allowances import Allowance, Places


class Clock:
    """A clock that is set by hand."""

    now = 100.0

    def __call__(self):
        return self.now


def test_so_much_at_once_and_more_with_time():
    clock = Clock()
    allowance = Allowance(3, per_second=0.5, clock=clock)
    assert [allowance.take("a") for _ in range(4)] == [0.0, 0.0, 0.0, pytest.approx(2.0)]
    assert allowance.take("b") == 0.0, "another has an allowance of its own"
    clock.now += 1.0
    assert allowance.take("a") == pytest.approx(1.0)
    clock.now += 1.0
    assert allowance.take("a") == 0.0 and allowance.take("a") > 0.0


def test_what_is_refused_is_not_taken():
    clock = Clock()
    allowance = Allowance(1, per_second=1.0, clock=clock)
    allowance.take("a")
    for _ in range(100):
        allowance.take("a")
    clock.now += 1.0
    assert allowance.take("a") == 0.0


def test_more_than_there_ever_is_at_once_comes_when_nothing_else_is_used():
    clock = Clock()
    allowance = Allowance(2, per_second=1.0, clock=clock)
    assert allowance.take("a", 5) == 0.0 and allowance.take("a") == pytest.approx(4.0)


def test_a_charge_becomes_a_debt_that_time_pays():
    clock = Clock()
    allowance = Allowance(2, per_second=0.5, clock=clock)
    allowance.charge("a", 2)
    assert allowance.debt("a") == 0.0
    allowance.charge("a", 1)
    assert allowance.debt("a") == pytest.approx(2.0) and allowance.used("a") == 3
    clock.now += 2.0
    assert allowance.debt("a") == 0.0 and allowance.used("a") == 2


def test_a_debt_cannot_be_pushed_out_of_memory_and_what_is_paid_is_forgotten():
    clock = Clock()
    allowance = Allowance(1, per_second=0.01, clock=clock)
    allowance.take("hostile")
    for i in range(5_000):
        allowance.take(f"other {i}")
    assert allowance.take("hostile") > 0.0
    clock.now += 1_000
    allowance.take("last")
    assert list(allowance._used) == ["last"]


def test_places_are_given_back():
    places = Places(2)
    assert [places.hold("a"), places.hold("a"), places.hold("a"), places.hold("b")] == [
        True,
        True,
        False,
        True,
    ]
    places.leave("a")
    assert places.hold("a")
    for name in ("a", "a", "b"):
        places.leave(name)
    assert not places._held
