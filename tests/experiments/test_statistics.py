"""Are the intervals what they are called, the differences paired, and the outcomes no more often
wrong than they say?
"""

import numpy as np
import pytest
from scipy import stats

from core.experiments.retrain.outcomes import Grid, area, lost_classes, versus
from core.experiments.retrain.plan import RANDOM, Retraining
from core.experiments.statistics import (
    ACCURACIES,
    BETTER,
    EQUAL,
    UNCLEAR,
    WORSE,
    compare,
    estimate,
    loss_estimate,
    share_estimate,
)

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


def test_the_interval_of_a_loss_is_above_0_and_students_where_the_spread_is_small():
    near = loss_estimate([0.5, 0.501, 0.502])
    students = estimate([0.5, 0.501, 0.502])
    assert (near.low, near.high) == pytest.approx((students.low, students.high), rel=1e-4)
    wide = loss_estimate([[0.1, 0.2, 1.2], [0.3, 0.3, 0.3], [0.4, NAN, NAN]])
    error = np.std([0.1, 0.2, 1.2], ddof=1) / np.sqrt(3)
    factor = np.exp(stats.t.ppf(0.975, 2) * error / 0.5)
    assert (wide.low[0], wide.high[0]) == pytest.approx((0.5 / factor, 0.5 * factor))
    assert estimate([0.1, 0.2, 1.2]).low < 0 < wide.low[0]
    assert wide.low[1] == wide.high[1] == 0.3 and np.isnan([wide.low[2], wide.high[2]]).all()


def test_differences_are_taken_seed_by_seed():
    """Seeds differ far more than candidates: unpaired, no difference would show."""
    random = np.array([0.1, 0.5, 0.9])
    grid = a_grid([[random - 0.02, [0.8, NAN, 0.9]], [random, [0.9, 0.7, 0.7]]])
    ((top, found),) = versus(grid, RANDOM, 0.01).items()
    assert str(top) == "top:raw" and list(found.places) == ["at 100", "at 1,000"]
    first, second = found.outcomes
    assert (first.mean, first.low, first.high) == pytest.approx((-0.02,) * 3)
    assert first.outcome == WORSE and first.seeds == 3
    assert second.mean == pytest.approx((-0.1 + 0.2) / 2) and second.seeds == 2
    ((_, turned),) = versus(grid, top, 0.01).items()
    assert [one.mean for one in turned.outcomes] == pytest.approx([0.02, -0.05])


def test_classes_that_are_never_recognised_are_counted_by_seed():
    per_class = np.full((2, 2, 3, 4), 0.5)
    per_class[..., 3] = NAN  # no test points: not lost
    per_class[0, 1, 0, :2] = 0
    per_class[0, 1, 2, 1] = 0
    grid = a_grid(np.full((2, 2, 3), 0.4), per_class=per_class)
    assert lost_classes(grid) == [(grid.plan.candidates[0], 1000, 2, 2)]


def test_the_area_by_hand():
    """Budgets 10, 100, 10,000: steps of 1 and 2 in log10.

    (1 (0.2 + 0.6)/2 + 2 (0.6 + 0.8)/2) / 3 = 0.6.
    """
    found = area(
        a_grid([[[0.2, 0.3], [0.6, 0.3], [0.8, NAN]], [[0.5, 0.7]] * 3], budgets=(10, 100, 10_000))
    )
    assert found.mean == pytest.approx([0.6, 0.6]) and found.seeds.tolist() == [1, 2]
    assert found.low[1] == pytest.approx(share_estimate([0.5, 0.7]).low)


def test_the_area_of_one_budget_is_the_accuracy_there():
    found = area(a_grid([[[0.2, 0.4]], [[0.5, NAN]]], budgets=(50,)))
    assert found.mean == pytest.approx([0.3, 0.5]) and found.seeds.tolist() == [2, 1]


# ---- shares ----


def test_a_share_interval_by_hand():
    """0.5, 0.6, 0.7: m = 0.6, sd = 0.1, t = 4.302653; k = t^2 0.01 / 3 / (0.6 0.4) = 0.257122.

    Wilson: centre (0.6 + k/2) / (1 + k) = 0.579547, half width
    sqrt(k (0.24 + k/4)) / (1 + k) = 0.222500.
    """
    found = share_estimate([0.5, 0.6, 0.7])
    assert (found.low, found.high) == pytest.approx((0.357047, 0.802047), abs=1e-6)
    for p in (found.low, found.high):  # at most t standard errors away, the error taken at p
        error = 0.1 / np.sqrt(3) * np.sqrt(p * (1 - p) / 0.24)
        assert abs(0.6 - p) == pytest.approx(4.302653 * error, rel=1e-6)


@pytest.mark.parametrize("values", [(0.1, 0.2, 0.81), (0, 0, 1), (1, 1, 1), (0, 0, 0), (0.99, 1)])
def test_a_share_interval_lies_within_0_and_1_around_the_mean(values):
    found = share_estimate(np.array(values, float))
    assert 0 <= found.low <= found.mean <= found.high <= 1


@pytest.mark.parametrize("seeds", [3, 5, 10])
@pytest.mark.parametrize("accuracy", [0.5, 0.9, 0.99])
@pytest.mark.parametrize("points", [100, 1_000, 10_000])
def test_the_share_interval_covers_the_true_accuracy(accuracy, seeds, points):
    rng = np.random.default_rng([seeds, points, int(100 * accuracy)])
    found = share_estimate(rng.binomial(points, accuracy, (20_000, seeds)) / points)
    covered = np.mean((found.low <= accuracy) & (accuracy <= found.high))
    assert 0.93 <= covered <= 0.97


def test_far_from_0_and_1_it_is_students():
    values = 0.6 + 0.001 * RNG.random((50, 5))
    share, student = share_estimate(values), estimate(values)
    assert np.allclose(share.low, student.low, atol=1e-7)
    assert np.allclose(share.high, student.high, atol=1e-7)


# ---- outcomes ----


def test_the_four_outcomes_by_hand():
    """Each row alone, five seeds: t(0.975, 4) = 2.776445, sd / sqrt(5) = 0.01 for the spread s."""
    spread = 0.01 * np.sqrt(5) * np.array([-1, -1, 0, 1, 1])  # sd 0.01 sqrt(5)
    rows = {BETTER: 0.03 + spread, WORSE: -0.03 + spread, UNCLEAR: 0.02 + spread}
    rows[EQUAL] = 0.005 + spread / 10
    for outcome, row in rows.items():
        (found,) = compare(row[None])
        half = 2.776445 * (0.001 if outcome == EQUAL else 0.01)
        assert found.outcome == outcome and found.seeds == 5
        assert (found.low, found.high) == pytest.approx(
            (row.mean() - half, row.mean() + half), abs=1e-7
        )


def test_inside_the_margin_equal_wins_over_better():
    row = [[0.004, 0.0041, 0.0039]]
    assert compare(row)[0].outcome == EQUAL and compare(row)[0].low > 0
    assert compare(row, margin=0.001)[0].outcome == BETTER
    assert compare(row, margin=0)[0].outcome == BETTER
    assert compare([[0.0, 0.0, 0.0]], margin=0)[0].outcome == EQUAL


def test_holms_levels_by_hand():
    """Three rows with p of about 0.0004, 0.03 and 0.2: tested at 5% / 3, then at 5% / 2, where the
    second is not rejected; the third shares its level.
    """
    base = np.array([-1.0, -0.5, 0.0, 0.5, 1.0])
    rows = np.stack([0.1 * base + 1.2, base + 1.1, base + 0.5])[[2, 0, 1]]
    p = stats.ttest_1samp(rows, 0, axis=1).pvalue
    assert p[1] < 0.05 / 3 and 0.05 / 2 < p[2] < 0.05 < p[0]
    found = compare(rows, margin=0.01)
    for row, one, level in zip(rows, found, (1 - 0.025, 1 - 0.05 / 3, 1 - 0.025), strict=True):
        by_scipy = stats.t.interval(level, 4, row.mean(), stats.sem(row))
        assert (one.low, one.high) == pytest.approx(by_scipy)
    assert [one.outcome for one in found] == [UNCLEAR, BETTER, UNCLEAR]
    assert compare(rows[2:])[0].outcome == BETTER, "alone it would be"


@pytest.mark.parametrize("seeds", [3, 5, 10])
@pytest.mark.parametrize("bounds", [None, ACCURACIES])
def test_without_a_difference_few_plans_of_nine_statements_say_anything(seeds, bounds):
    """At most 5%, within three standard errors of 1,000 simulated plans."""
    rng = np.random.default_rng(seeds)
    plans = rng.normal(0, 0.03, (1_000, 9, seeds))
    said = [
        any(one.outcome in (BETTER, WORSE) for one in compare(plan, bounds=bounds))
        for plan in plans
    ]
    assert np.mean(said) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 1_000)
    assert np.mean(said) >= 0.02, "and it is not silent for another reason"


@pytest.mark.parametrize("seeds", [5, 10])
def test_what_differs_by_the_margin_is_seldom_called_equal(seeds):
    """Nine rows that all differ by just the margin, and surely from 0: Holm's levels alone would
    call one of them equal in 5.7% of plans of ten seeds.
    """
    plans = np.random.default_rng(seeds).normal(0.01, 0.0025, (1_500, 9, seeds))
    wrong = [any(one.outcome == EQUAL for one in compare(plan)) for plan in plans]
    assert 0.01 <= np.mean(wrong) <= 0.05


def test_a_row_that_holm_tests_last_is_called_equal_at_a_level_of_its_own():
    """Eight clear rows leave the ninth 95% alone, where its interval lies within the margin; at
    1 - 2 5% / 9 = 98.9% it does not, and that interval stands.
    """
    base = 0.001 * np.sqrt(5) * np.array([-1, -1, 0, 1, 1])  # standard error 0.001
    rows = np.r_[np.tile(0.1 + base, (8, 1)), [0.0065 + base]]
    ninth = compare(rows)[8]
    assert ninth.outcome == BETTER and ninth.high > 0.01
    level = 1 - 2 * 0.05 / 9
    expected = stats.t.interval(level, 4, 0.0065, stats.sem(rows[8]))
    assert (ninth.low, ninth.high) == pytest.approx(expected)
    assert compare(rows[8:])[0].outcome == EQUAL, "alone it is"


def test_a_true_difference_of_2_points_is_found():
    rng = np.random.default_rng(1)
    plans = rng.normal(0, 0.002, (500, 9, 5))
    plans[:, 4] += 0.02
    found = [compare(plan, bounds=ACCURACIES) for plan in plans]
    assert np.mean([one[4].outcome == BETTER for one in found]) > 0.99
    assert np.mean([one[0].outcome == EQUAL for one in found]) > 0.9


def test_few_seeds_give_no_verdict():
    found = compare([[0.1, 0.1, NAN], [NAN] * 3, [0.1, 0.1, 0.1]])
    assert [one.outcome for one in found] == [UNCLEAR, UNCLEAR, BETTER]
    assert [one.seeds for one in found] == [2, 0, 3]
    assert np.isnan([found[0].low, found[0].high, found[1].mean]).all()
    assert found[0].mean == pytest.approx(0.1)


def test_a_collapsed_seed_makes_it_unclear_not_equal():
    """A mean loss of 29 points that hangs on single seeds."""
    (found,) = compare([[-0.02, -0.85, 0.0]], bounds=ACCURACIES)
    assert found.outcome == UNCLEAR and found.mean == pytest.approx(-0.29)
    assert -1 <= found.low < -0.5 and 0 < found.high <= 1


def test_bounds_say_the_same_as_the_interval():
    """An outcome is better exactly if its interval lies above 0, with bounds and without."""
    rows = np.random.default_rng(3).normal(0.1, 0.2, (300, 4))
    for bounds in (None, ACCURACIES):
        found = [compare(row[None].clip(-1, 1), bounds=bounds)[0] for row in rows]
        assert {one.outcome for one in found} >= {BETTER, UNCLEAR}
        assert all((one.outcome == BETTER) == (one.low > 0) for one in found)


@pytest.mark.parametrize(
    "wrong", [{"margin": -1}, {"margin": NAN}, {"level": 1}, {"differences": [0.1, 0.2]}]
)
def test_what_cannot_be_compared_is_told(wrong):
    given = {"differences": [[0.1, 0.2, 0.3]], **wrong}
    with pytest.raises(ValueError, match="expected"):
        compare(given.pop("differences"), **given)


def test_no_statement_and_no_seed_are_no_fault():
    assert compare(np.zeros((0, 5))) == [] and compare(np.zeros((2, 0)))[0].outcome == UNCLEAR
