"""The papers' summaries, by hand and against SciPy."""

import numpy as np
import pytest
from scipy import stats

from core.experiments import statistics
from core.experiments.active import outcomes
from core.experiments.active.outcomes import LearningCurves

LABELS = np.arange(100, 1100, 100)


def comparison(accuracy, random=0, labels=LABELS, start=100, batch=100):
    return LearningCurves(labels, np.asarray(accuracy, float), random, start, batch)


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
