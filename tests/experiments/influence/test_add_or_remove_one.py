"""Predicted and retrained utilities of one seed, against the strategies and against refitting by
hand.
"""

import numpy as np
import pytest

from core import datasets, softmax_head
from core.experiments.influence import add_or_remove_one
from core.experiments.influence.add_or_remove_one import BATCH, compare
from core.experiments.influence.labeled_heads import fitted, part, seen
from core.experiments.influence.outcomes import (
    correlation,
    foreseen,
    left_out,
    mean_correlation,
    slopes,
    steps_outside,
    together,
)
from core.strategies.goal import GOALS, OVER, goal_utility
from core.strategies.influence import leave_one_out
from core.types import Embedded, UserError
from tests.tools.heads import batch_utility

SETTING = {"labeled": 40, "pool": 25, "validation": 60, "l2": 0.01, "seed": 1}


@pytest.fixture(scope="module")
def scene():
    """(data, matrix, arrays, facts, head, validation, pool points, their labels)."""
    data = datasets.load("digits")
    matrix = seen(data, data.points.reshape(len(data), -1) / np.float32(255))
    said = []
    arrays, facts = compare(
        data, matrix, **SETTING, progress=lambda fraction, text: said.append((fraction, text))
    )
    assert (
        said[0][0] == 0
        and all(0 <= fraction <= 1 for fraction, _ in said)
        and any("under 10 labels" in text for _, text in said)
    )
    head = fitted(data, matrix, arrays["labeled"], 0.01)
    validation_rows = add_or_remove_one.draw(data, 40, 25, 60, 1).validation
    pool = arrays["pool"]
    return (
        data,
        matrix,
        arrays,
        facts,
        head,
        part(data, matrix, validation_rows),
        matrix[pool].astype(float),
        data.labels[pool],
    )


@pytest.mark.parametrize("step", ["linear", "newton"])
@pytest.mark.parametrize("goal", GOALS)
def test_predictions_are_the_strategys_whatever_the_label_is_taken_for(scene, goal, step):
    _, _, arrays, _, head, validation, pool, labels = scene
    for over, temperature in (*((over, 1.0) for over in OVER), ("predicted", 2.0)):
        ours = foreseen(arrays, labels, goal, over, temperature)[step]
        theirs = goal_utility(
            pool, labels, validation, head, goal=goal, over=over, temperature=temperature, step=step
        )
        assert ours == pytest.approx(theirs, rel=1e-6, abs=1e-9)


def test_the_truth_is_a_head_fitted_anew(scene):
    data, matrix, arrays, _, head, validation, pool, _ = scene
    rows, known = arrays["labeled"], data.labels[arrays["labeled"]]
    design = softmax_head.design(validation.embedding)

    def value(head):
        theta = np.column_stack([head.weights, head.intercepts])
        return -softmax_head.loss(theta, design, validation.labels, np.zeros(design.shape[1]))

    for i, label in ((0, 3), (5, 0), (24, 9)):
        more = softmax_head.fit(
            np.vstack([matrix[rows], pool[i]]),
            np.append(known, label),
            l2=0.01,
            classes=10,
            tolerance=1e-9,
        )
        assert arrays["retrained"][0, i, label] == pytest.approx(
            value(more) - value(head), abs=1e-6
        )


def test_remark_1_is_exact_even_after_packing(scene):
    _, _, arrays, _, _, _, _, labels = scene
    packed = {
        name: np.asarray(array, np.float32) if array.dtype.kind == "f" else array
        for name, array in arrays.items()
    }
    for outcome in (arrays, packed):
        for g, goal in enumerate(GOALS):
            same = foreseen(outcome, labels, goal, "predicted")["linear"]
            assert np.ptp(same) == 0 and same[0] == pytest.approx(arrays["constant"][g], rel=1e-6)
            assert np.isnan(
                correlation(same, foreseen(outcome, labels, goal, "predicted")["retrained"])
            ).all()
            assert np.ptp(foreseen(outcome, labels, goal, "predicted", 2.0)["linear"]) > 0


def test_batches_are_sums_in_the_first_order_and_steps_and_truths_otherwise(scene):
    data, matrix, arrays, _, head, validation, pool, labels = scene
    found = together(arrays, "dev")
    starts = np.arange(len(pool) - BATCH + 1)
    assert len(found["linear"]) == len(starts)
    for i in (0, 7):
        batch = list(range(starts[i], starts[i] + BATCH))
        for step in ("linear", "newton"):
            theirs = batch_utility(pool, labels, validation, head, batch, step=step)
            assert found[step][i] == pytest.approx(theirs, rel=1e-6)
    rows = np.concatenate([arrays["labeled"], arrays["pool"][:BATCH]])
    more = fitted(data, matrix, rows, 0.01)
    design = softmax_head.design(validation.embedding)
    losses = [
        softmax_head.loss(
            np.column_stack([h.weights, h.intercepts]), design, validation.labels, np.zeros(65)
        )
        for h in (head, more)
    ]
    assert found["retrained"][0] == pytest.approx(losses[0] - losses[1], abs=1e-6)


def test_points_left_out_are_leave_one_outs(scene):
    data, matrix, arrays, _, head, validation, _, _ = scene
    points, known = matrix[arrays["labeled"]].astype(float), data.labels[arrays["labeled"]]
    assert left_out(arrays)["retrained"] == pytest.approx(
        leave_one_out(points, known, validation, head), abs=1e-6
    )


def test_a_newton_step_foresees_what_the_first_order_does_not(scene):
    _, _, arrays, facts, _, _, _, labels = scene
    for values in (
        foreseen(arrays, labels, "dev"),
        foreseen(arrays, labels, "dev", "min"),
        left_out(arrays),
    ):
        first, newton = (
            correlation(values[step], values["retrained"])[0] for step in ("linear", "newton")
        )
        assert newton > first and newton > 0.95
    assert facts == {"labeled": 40, "pool": 25, "dimensions": 64}


def test_steps_outside_their_range_are_counted_for_the_labels_that_are_looked_at(scene):
    _, _, arrays, _, _, _, pool, _ = scene
    assert arrays["outside"].shape == (len(pool), 10)
    assert not arrays["outside"].any() and not arrays["batch_outside"].any()
    beyond = {
        "outside": np.array([[True, False, True], [False, False, True]]),
        "batch_outside": np.array([True, False, False, True]),
    }
    labels = np.array([0, 1])
    assert steps_outside(beyond, labels, "min", False) == (3, 6)
    assert steps_outside(beyond, labels, "oracle", False) == (1, 2)
    assert steps_outside(beyond, labels, "oracle", True) == (2, 4)
    assert steps_outside({}, labels, "min", False) == (0, 0)


def test_more_points_of_a_wide_embedding_than_it_has_dimensions_or_fewer_make_no_difference():
    data = datasets.load("digits")
    matrix = data.points.reshape(len(data), -1) / 255.0
    wide = np.hstack([matrix, np.zeros((len(data), 40))])
    setting = SETTING | {"pool": 3, "validation": 20}
    narrow, spread = (compare(data, points, **setting)[0] for points in (matrix, wide))
    for name in ("linear", "newton", "removed_newton"):
        assert spread[name] == pytest.approx(narrow[name], rel=1e-5, abs=1e-8), name
    assert spread["retrained"] == pytest.approx(narrow["retrained"], abs=2e-6)


def test_correlations_by_hand():
    assert correlation(np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 6.0])) == pytest.approx(
        (1.0, 1.0)
    )
    # Ranks 1 2 3 4 against 1 2 4 3: 1 - 6 * 2 / (4 * 15) = 0.8.
    assert correlation(np.array([1.0, 2.0, 3.0, 4.0]), np.array([0.0, 1.0, 30.0, 2.0]))[
        1
    ] == pytest.approx(0.8)
    assert np.isnan(correlation(np.ones(2), np.arange(2.0))).all()
    twice = {"linear": np.array([2.0, 4.0]), "retrained": np.array([1.0, 2.0])}
    assert slopes(
        [twice, twice | {"linear": np.array([3.0, 6.0])}, twice], "linear"
    ) == pytest.approx(2.0)


def test_a_mean_correlation_stays_below_1():
    found = mean_correlation(np.array([[0.9, 0.99, 0.999], [1.0, 1.0, 1.0]]))
    z = np.arctanh([0.9, 0.99, 0.999])
    half = 4.302653 * z.std(ddof=1) / np.sqrt(3)  # Student's t with two degrees of freedom
    assert found.low[0] == pytest.approx(np.tanh(z.mean() - half), abs=1e-6) and found.high[0] < 1
    assert found.mean[1] == pytest.approx(1.0)


def test_what_has_no_meaning_is_refused(scene):
    _, _, arrays, _, _, _, _, labels = scene
    for change in (("risk", "oracle", 1.0), ("dev", "median", 1.0), ("dev", "predicted", 0.0)):
        with pytest.raises(UserError, match="no meaning"):
            foreseen(arrays, labels, *change)


def test_the_speed_is_measured_on_a_few_heads():
    data = datasets.load("digits")
    found = add_or_remove_one.speed(data, data.points.reshape(len(data), -1) / 255.0, 40, 0.01)
    assert found["rate"] > 0 and found["memory"] > 1e7 and found["weights"] == 10 * 65


def test_a_scene_measures_every_goal(scene):
    data, matrix, arrays, *_ = scene
    stage = add_or_remove_one.problem_of(
        data, matrix, arrays["labeled"], arrays["pool"], arrays["pool"][:5], 0.01
    )
    assert stage.goals(np.zeros((2, 10, 65))).tolist() == [[0.0, 0.0]] * 3 and isinstance(
        stage.validation, Embedded
    )
