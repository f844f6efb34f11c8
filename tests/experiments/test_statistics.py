"""Are the intervals Student's, the differences paired, and do the sentences say what the figures
say?
"""

import numpy as np
import pytest
from scipy import stats

from core.experiments.retrain import outcomes
from core.experiments.retrain.outcomes import Grid, against_random, area, sentence, sentences
from core.experiments.retrain.plan import Retraining
from core.experiments.statistics import Estimate, estimate

NAN = float("nan")
RNG = np.random.default_rng(0)


def a_grid(accuracy, budgets=(100, 1000), per_class=None, candidates="top random"):
    """accuracy: (candidates, budgets, seeds)."""
    accuracy = np.array(accuracy, float)
    plan = Retraining().with_(candidates=candidates, budgets=budgets, seeds=accuracy.shape[2])
    empty = np.zeros((*accuracy.shape, 0))
    return Grid(
        plan,
        accuracy,
        accuracy,
        empty if per_class is None else np.array(per_class, float),
        *[empty] * 5,
    )


def test_the_interval_by_hand():
    """0.90, 0.92, 0.97: mean 0.93, sd sqrt(0.0013), t(0.975, 2) = 4.302653: half width 4.302653
    sqrt(0.0013 / 3) = 0.089566.
    """
    found = estimate([0.90, 0.92, 0.97])
    assert found.mean == pytest.approx(0.93) and found.seeds == 3
    assert (found.low, found.high) == (
        pytest.approx(0.93 - 0.089566, abs=1e-6),
        pytest.approx(0.93 + 0.089566, abs=1e-6),
    )


@pytest.mark.parametrize("seeds", [2, 3, 5, 30])
def test_the_interval_is_scipys(seeds):
    values = RNG.random((4, 3, seeds))
    found = estimate(values)
    low, high = stats.t.interval(0.95, seeds - 1, values.mean(-1), stats.sem(values, axis=-1))
    assert (
        np.allclose(found.low, low)
        and np.allclose(found.high, high)
        and (found.seeds == seeds).all()
    )


def test_what_is_not_finished_is_left_out():
    found = estimate([[0.5, NAN, 0.7], [NAN, 0.4, NAN], [NAN, NAN, NAN], [0.5, 0.7, 0.6]])
    pair = estimate([0.5, 0.7])
    assert (found.mean[0], found.low[0], found.high[0]) == (pair.mean, pair.low, pair.high)
    assert found.seeds.tolist() == [2, 1, 0, 3] and found.mean[1] == pytest.approx(0.4)
    assert np.isnan([found.low[1], found.high[1], found.mean[2], found.low[2], found.high[2]]).all()


def test_differences_are_taken_seed_by_seed():
    """Seeds differ far more than candidates: unpaired, no difference would show."""
    random = np.array([0.1, 0.5, 0.9])
    found = against_random(a_grid([[random - 0.02, [0.8, NAN, 0.9]], [random, [0.9, 0.7, 0.7]]]))
    assert found.mean[0, 0] == pytest.approx(-0.02) and found.high[0, 0] == pytest.approx(-0.02)
    assert found.mean[0, 1] == pytest.approx((-0.1 + 0.2) / 2) and found.seeds[0].tolist() == [3, 2]
    assert np.array_equal(found.mean[1], [0, 0]) and np.array_equal(found.low[1], [0, 0])
    by_scipy = stats.ttest_rel([0.8, 0.9], [0.9, 0.7]).confidence_interval(0.95)
    assert (found.low[0, 1], found.high[0, 1]) == (
        pytest.approx(by_scipy.low),
        pytest.approx(by_scipy.high),
    )


def test_the_area_by_hand():
    """Budgets 10, 100, 10,000: steps of 1 and 2 in log10.

    (1 (0.2 + 0.6)/2 + 2 (0.6 + 0.8)/2) / 3 = 0.6.
    """
    found = area(
        a_grid([[[0.2, 0.3], [0.6, 0.3], [0.8, NAN]], [[0.5, 0.7]] * 3], budgets=(10, 100, 10_000))
    )
    assert found.mean == pytest.approx([0.6, 0.6]) and found.seeds.tolist() == [1, 2]
    assert found.low[1] == pytest.approx(estimate([0.5, 0.7]).low)


def test_the_area_of_one_budget_is_the_accuracy_there():
    found = area(a_grid([[[0.2, 0.4]], [[0.5, NAN]]], budgets=(50,)))
    assert found.mean == pytest.approx([0.3, 0.5]) and found.seeds.tolist() == [2, 1]


def an_estimate(*intervals):
    """Of one candidate: (low, high) per budget."""
    low, high = (np.array(part, float) for part in zip(*intervals, strict=True))
    return Estimate((low + high) / 2, low, high, np.full(len(low), 3.0))


@pytest.mark.parametrize(
    ("intervals", "said"),
    [
        (
            [(-0.34, -0.28), (-0.01, -0.006), (-0.1, 0.2)],
            (
                "Top is *31 points worse* than random at 1,000 (95% interval 28.0 to 34.0), 0.8 at"
                " 5,000; no difference to random shows at 10,000."
            ),
        ),
        (
            [(0.01, 0.03), (0.02, 0.06), (0.01, 0.02)],
            (
                "Top is *4.0 points better* than random at 5,000 (95% interval 2.0 to 6.0), 2.0 at"
                " 1,000, 1.5 at 10,000."
            ),
        ),
        ([(-0.1, 0.1)] * 3, "Top is not distinguishable from random at 1,000, 5,000 and 10,000."),
        (
            [(-0.12, -0.08), (-0.01, 0.01), (0.01, 0.02)],
            (
                "Top is *10 points worse* than random at 1,000 (95% interval 8.0 to 12.0); *1.5"
                " points better* than random at 10,000 (95% interval 1.0 to 2.0); no difference to"
                " random shows at 5,000."
            ),
        ),
        (
            [(-0.12, -0.08), (NAN, NAN), (NAN, NAN)],
            "Top is *10 points worse* than random at 1,000 (95% interval 8.0 to 12.0).",
        ),
        ([(NAN, NAN)] * 3, "Top: not enough is finished for a verdict."),
        (
            [(0.0, 0.0), (NAN, NAN), (NAN, NAN)],
            "Top is not distinguishable from random at 1,000.",
        ),  # the same on every seed
        (
            [(0.0, 0.1), (-0.1, 0.0), (0.02, 0.02)],
            (
                "Top is *2.0 points better* than random at 10,000 (95% interval 2.0 to 2.0); no"
                " difference to random shows at 1,000 and 5,000."
            ),
        ),
    ],
    ids="worse better even mixed partly-finished unfinished identical touching-zero".split(),
)
def test_one_plain_sentence(intervals, said):
    assert sentence("Top", (1_000, 5_000, 10_000), an_estimate(*intervals)) == said


@pytest.mark.parametrize(
    ("difference", "text"),
    [(0.094, "9.4"), (0.0951, "10"), (0.314, "31"), (0.001, "0.1"), (0.0, "0.0")],
)
def test_points_have_a_decimal_where_it_says_something(difference, text):
    assert outcomes._points(difference) == text


def test_every_candidate_but_random_gets_its_sentence():
    accuracy = [[[0.5, 0.52, 0.51]] * 2, [[0.9, 0.92, 0.9]] * 2, [[0.9, 0.91, 0.91]] * 2]
    said = sentences(a_grid(accuracy, candidates="top bottom random"), ["Top", "Bottom", "Random"])
    assert (
        len(said) == 2
        and said[0].startswith("Top is *40 points worse* than random at 100 (")
        and ", 40 at 1,000" in said[0]
    )
    assert said[1] == "Bottom is not distinguishable from random at 100 and 1,000."
