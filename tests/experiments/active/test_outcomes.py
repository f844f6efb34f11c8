"""The papers' summaries, by hand and against SciPy."""

import numpy as np
import pytest
from scipy import stats

from core.experiments import statistics
from core.experiments.active import outcomes
from core.experiments.active.outcomes import LearningCurves
from core.experiments.active.plan import Active

LABELS = np.arange(100, 1100, 100)


def comparison(accuracy, random=0, labels=LABELS, start=100, batch=100, cut=()):
    """All rounds learned but those at these places (strategy, seed, round)."""
    accuracy = np.asarray(accuracy, float)
    learned = np.isfinite(accuracy)
    for place in cut:
        learned[place] = False
    return LearningCurves(labels, accuracy, learned, random, start, batch)


def rising(final=0.9, reached=6):
    """Random's accuracy: below 99% of its final one until place `reached`."""
    curve = np.full(len(LABELS), final)
    curve[:reached] = np.linspace(0.3, 0.98 * final, reached)
    return curve


def test_budgets_double_until_random_is_there():
    accuracy = np.stack([np.stack([rising(reached=6)] * 5), np.stack([rising()] * 5)])
    # n0 = 700: (700 - 100) / 100 = 6, ceil(log2 6) = 3 budgets: 100 + 100, 100 + 200, 100 + 400
    assert LABELS[outcomes.budgets(comparison(accuracy))].tolist() == [200, 300, 500]
    early = np.stack([np.stack([rising(reached=1)] * 5)])
    assert (
        outcomes.budgets(comparison(early)) == []
    )  # random is there after one batch: nothing is left to compare
    assert outcomes.budgets(comparison(np.full((1, 5, len(LABELS)), np.nan))) == []


def test_a_budget_that_was_not_measured_is_left_out():
    short = slice(0, 4)
    accuracy = np.stack([np.stack([np.array([0.3, 0.4, 0.5, 0.9])] * 5)])
    assert outcomes.budgets(comparison(accuracy, labels=LABELS[short])) == [1, 2]


def test_the_t_statistic_is_scipys_and_its_sign_is_of_accuracies():
    rng = np.random.default_rng(0)
    a, b = rng.normal(0.9, 0.01, 5), rng.normal(0.88, 0.01, 5)
    assert statistics.t_statistic(a, b) == pytest.approx(stats.ttest_rel(a, b).statistic, rel=1e-12)
    assert statistics.t_statistic(a, b) > 0 > statistics.t_statistic(b, a)
    assert statistics.t_statistic(np.full(5, 0.9), np.full(5, 0.8)) == np.inf
    assert statistics.t_statistic(np.full(5, 0.9), np.full(5, 0.9)) == 0
    assert np.isnan(statistics.t_statistic(np.array([0.9]), np.array([0.8])))
    assert statistics.t_statistic(
        np.array([0.9, 0.8, np.nan]), np.array([0.8, 0.79, 0.1])
    ) == pytest.approx(stats.ttest_rel([0.9, 0.8], [0.8, 0.79]).statistic)


def test_the_critical_value_for_five_seeds_is_the_papers():
    assert statistics.critical(5) == pytest.approx(2.776, abs=5e-4)
    assert statistics.critical(3) == pytest.approx(stats.t.ppf(0.975, 2))


def test_the_penalty_matrix_by_hand():
    """Three budgets count.

    The second strategy beats random at two of them, the third never differs and once is beaten.
    """
    noise = np.array([-0.002, -0.001, 0.0, 0.001, 0.002])[:, None]
    random = rising() + 0 * noise
    better, same = random + noise, random + noise
    better[:, [1, 2]] += 0.05  # at 200 and 300 labels
    same = random + np.array([0.01, -0.01, 0.01, -0.01, 0.0])[:, None]
    same[:, 4] -= 0.2 + noise[:, 0]  # at 500 labels
    matrix = outcomes.penalty_matrix([comparison([random, better, same])])
    assert matrix[1, 0] == pytest.approx(2 / 3) and matrix[0, 1] == 0
    assert matrix[0, 2] == pytest.approx(1 / 3) and matrix[2, 0] == 0
    assert matrix[1, 2] == pytest.approx(3 / 3) and np.diag(matrix).tolist() == [0, 0, 0]
    assert outcomes.penalty_matrix([comparison([random, better, same])] * 4) == pytest.approx(
        4 * matrix
    )


# Figure 4 of the BADGE paper and Figure 5 of the BAIT paper as they are printed, the column means
# in the last row.
BADGE_FIGURE_4 = """
    0     9.18 10.97 12.56 3.88 13.16 10.04
    0.34  0    5.18  3.15  0.31 6.81  4.95
    1.65  2.02 0     6.55  3.08 8.13  6.56
    0.54  2.78 7.61  0     0.33 5.96  6.08
    0.96  7.14 10.87 9.34  0    11.33 9.34
    0.31  1.79 6.05  1.25  0.35 0     5.12
    0.84  5.63 7.61  8.67  2.98 10.65 0
    0.66  4.08 6.9   5.93  1.56 8.01  6.01
"""
BAIT_FIGURE_5 = """
    0    8.1  9.4  0.8 0.1
    8.2  0    10.5 0.7 0.1
    2.7  4.4  0    0.3 0
    14.7 11.7 16.8 0   2.0
    16.1 13.8 19.1 5.4 0
    8.3  7.6  11.2 1.4 0.4
"""


@pytest.mark.parametrize(("printed", "digit"), [(BADGE_FIGURE_4, 0.01), (BAIT_FIGURE_5, 0.1)])
def test_the_last_row_is_the_papers_column_mean(printed, digit):
    """Over all a rows, the diagonal's 0 included: over a - 1 the first would be 0.77."""
    table = np.array(
        [[float(value) for value in line.split()] for line in printed.split("\n")[1:-1]]
    )
    beaten = outcomes.beaten_on_average(table[:-1])
    assert np.abs(beaten - table[-1]).max() <= 0.501 * digit


def test_a_comparison_without_budgets_adds_nothing():
    flat = np.full((2, 5, len(LABELS)), 0.9)
    assert not outcomes.penalty_matrix([comparison(flat)]).any()


def test_normalised_errors_by_hand():
    random = np.stack([rising()] * 5)
    half = 1 - (1 - random) / 2
    values, weights = outcomes.normalised_errors([comparison([random, half])])
    assert values[0] == pytest.approx(1) and values[1] == pytest.approx(0.5)
    assert weights == pytest.approx([1 / 3] * 3)


def test_standard_errors_leave_unfinished_seeds_out():
    values = np.array([[[0.8, 0.9], [0.6, np.nan], [0.7, np.nan]]])
    mean, error = statistics.standard_error(values)
    assert mean[0].tolist() == pytest.approx([0.7, 0.9])
    assert error[0, 0] == pytest.approx(stats.sem([0.8, 0.6, 0.7])) and np.isnan(error[0, 1])


def a_winner():
    """Random, and a strategy that is better by 5 points at every budget; three budgets count."""
    noise = np.array([-0.002, -0.001, 0.0, 0.001, 0.002])[:, None]
    random = rising() + 0 * noise
    return [random, random + noise + 0.05]


def test_a_budget_counts_for_a_pair_in_a_seed_only_if_both_rounds_learned():
    """A cut round ruins the winner at 200 labels in one seed; uncounted, nothing of it is left."""
    random, better = a_winner()
    better[0, 1] -= 1
    told = outcomes.penalty_matrix([comparison([random, better])])
    assert told[1, 0] == pytest.approx(2 / 3)
    uncounted = comparison([random, better], cut=[(1, 0, 1)])
    assert outcomes.penalty_matrix([uncounted])[1, 0] == 1
    by_random = comparison([random, better], cut=[(0, 0, 1)])
    assert outcomes.penalty_matrix([by_random])[1, 0] == 1
    assert outcomes.fallen_out(uncounted, outcomes.budgets(uncounted)) == (1, 15)
    assert outcomes.fallen_out(comparison(a_winner()), [1, 2, 4]) == (0, 15)


def test_a_budget_without_two_learned_seeds_does_not_count_for_the_pair():
    random, better = a_winner()
    better[:, [2, 4]] = random[:, [2, 4]]  # the same at 300 and 500 labels
    cut = [(1, slice(0, 4), 2), (1, slice(0, 4), 4)]
    assert outcomes.penalty_matrix([comparison([random, better])])[1, 0] == pytest.approx(1 / 3)
    assert outcomes.penalty_matrix([comparison([random, better], cut=cut)])[1, 0] == 1
    nothing = comparison([random, better], cut=[(1,)])
    assert not outcomes.penalty_matrix([nothing]).any()


def test_the_lead_is_taken_over_the_rounds_that_both_learned():
    random, better = a_winner()
    better[:, 3:] -= 1
    assert (outcomes.lead_over(comparison([random, better]), 0)[1] < 0).all()
    late = [(1, slice(None), slice(3, 10))]
    lead = outcomes.lead_over(comparison([random, better], cut=late), 0)
    assert lead[1] == pytest.approx(0.05 + np.array([-0.002, -0.001, 0.0, 0.001, 0.002]))
    third = outcomes.lead_over(comparison([random, better], cut=[(0, 2)]), 0)[1]
    assert np.flatnonzero(np.isnan(third)).tolist() == [2]


def test_errors_leave_cut_rounds_out():
    random, better = a_winner()
    better[0, 1] -= 0.5
    values, _ = outcomes.normalised_errors([comparison([random, better], cut=[(1, 0, 1)])])
    error = 1 - better[1:, 1].mean()
    assert values[1, 0] == pytest.approx(error / (1 - random[0, 1]))
    values, _ = outcomes.normalised_errors(
        [comparison([random, better], cut=[(1, slice(None), 1)])]
    )
    assert np.isnan(values[1, 0]) and np.isfinite(values[0]).all()


def test_what_was_not_recorded_is_not_taken_as_learned():
    plan = Active().with_(strategies="entropy", seeds=2, rounds=2)
    units = plan.units()
    arrays = {"accuracy": np.array([0.5, 0.6, 0.7])}
    arrays |= {name: np.ones(2) for name in ("seconds", "log_det", "norm")}
    told = {"reached": np.array([True, False, True])}
    runs = outcomes.finished_runs(plan, {units[0]: arrays, units[1]: arrays | told})
    assert np.isnan(runs.reached[0]).all() and runs.reached[1, 0].tolist() == [1, 0, 1]
    curves = outcomes.learning_curves(plan, runs)
    assert not curves.learned[0].any() and curves.learned[1, 0].tolist() == [True, False, True]
    by_passes = plan.with_(until="epochs")
    assert outcomes.learning_curves(by_passes, runs).learned[:, 0].all(), (
        "there is nothing to reach"
    )
