"""FI against its definition with explicit matrices, against retraining, and under changes of
coordinates.
"""

import numpy as np
import pytest
from scipy.stats import ortho_group, spearmanr

from core import softmax_head
from core.linalg.hessian import open_head, spreader
from core.strategies import local_influence as module
from core.strategies.local_influence import (
    as_seen,
    fi_active,
    fi_active_forest,
    fi_util,
    influence_measures,
    metric_factors,
)
from core.types import Embedded, Head, UserError
from tests.tools.heads import explicit_hessian, head_of, parameters, retrained, world

NO_RIDGE = {"l2": 0.0, "n": 60}


def slow_parts(x, y, head, i, hessian=None, keep=None):
    """(J (c m, d), rows l_c (c, d), P (c,)) of training point i from explicit matrices; keep: the
    rank of a truncated SVD of M.
    """
    theta, penalty, design = parameters(head)
    (c, m), d = theta.shape, x.shape[1]
    h, pad = design(x[i : i + 1])[0], np.eye(d, m)
    p = softmax_head.softmax(theta @ h)
    fisher, q = np.diag(p) - np.outer(p, p), p - np.eye(c)[y[i]]
    mixed = np.stack(
        [np.outer(fisher @ theta[:, j], h) + np.outer(q, pad[j]) for j in range(d)], axis=-1
    ).reshape(c * m, d)
    if keep is not None:
        u, s, v = np.linalg.svd(mixed, full_matrices=False)
        mixed = (u[:, :keep] * s[:keep]) @ v[:keep]
    probs = softmax_head.softmax(design(x) @ theta.T)
    hessian = (
        explicit_hessian(design(x), probs, np.full(len(x), 1 / len(x)), penalty)
        if hessian is None
        else hessian
    )
    shift = -np.linalg.pinv(hessian, rcond=1e-13, hermitian=True) @ mixed / len(x)
    scores = np.eye(c) - p
    return shift, np.stack([np.outer(s, h).ravel() @ shift + s @ theta[:, :d] for s in scores]), p


def slow_fi(x, y, head, i, gradient, **settings):
    """gamma G^+ gamma^T for a gradient (c, m) of the loss elsewhere."""
    shift, slopes, p = slow_parts(x, y, head, i, **settings)
    metric, moved = slopes.T @ (p[:, None] * slopes), gradient.ravel() @ shift
    return moved @ np.linalg.pinv(metric, rcond=1e-12, hermitian=True) @ moved


def influence_measure(targets, x, y, head):
    """FI(z', z) (t, n) of all pairs of these targets and training points."""
    opened = open_head(head)
    training, others = (
        as_seen(opened, x, y, head),
        as_seen(opened, targets.embedding, targets.labels, head),
    )
    return influence_measures(opened, spreader(opened, opened.penalty), training, others, None)


def gradients(points, labels, head):
    """grad loss (k, c, m) of each point."""
    theta, _, design = parameters(head)
    residuals = softmax_head.residuals(softmax_head.softmax(design(points) @ theta.T), labels)
    return residuals[:, :, None] * design(points)[:, None, :]


def with_scaled_axes(case, matrix):
    """The same head on points moved by an invertible matrix; without a penalty it is the optimum
    there too.
    """
    x, y, validation, head = case
    moved = Head(
        head.weights @ np.linalg.inv(matrix),
        head.intercepts,
        head.l2,
        Embedded(x @ matrix.T, labels=y),
    )
    return (
        x @ matrix.T,
        y,
        Embedded(validation.embedding @ matrix.T, labels=validation.labels),
        moved,
    )


@pytest.mark.parametrize("intercept", [True, False])
def test_a_shifted_point_moves_the_head_as_central_differences_of_retraining_say_with_minus(
    intercept,
):
    x, y, _, head = world(intercept=intercept)
    theta, penalty, design = parameters(head)
    for i in (0, 11):
        shift, step = slow_parts(x, y, head, i)[0].reshape(*theta.shape, 4), 1e-4
        for j in range(4):
            either = [
                retrained(
                    design(x + side * step * np.outer(np.arange(30) == i, np.eye(4)[j])),
                    y,
                    np.full(30, 1 / 30),
                    penalty,
                    theta,
                )
                for side in (1, -1)
            ]
            slope = (either[0] - either[1]) / (2 * step)
            assert np.linalg.norm(shift[..., j] - slope) < 1e-6 * np.linalg.norm(slope)


@pytest.mark.parametrize(
    "setting", [{}, {"intercept": False}, {"c": 2}, {"c": 5, "d": 2, "n": 50}, {"d": 1, "c": 2}]
)
def test_fi_is_its_definition(setting):
    x, y, validation, head = world(**setting)
    measures = influence_measure(validation, x, y, head)
    unseen = gradients(validation.embedding, validation.labels, head)
    assert measures.shape == (12, len(x)) and (measures >= 0).all()
    for i in (0, 3, 17):
        assert measures[:, i] == pytest.approx(
            [slow_fi(x, y, head, i, g) for g in unseen], rel=1e-7
        )
        assert fi_util(x, y, validation, head)[i] == pytest.approx(
            slow_fi(x, y, head, i, unseen.mean(axis=0)), rel=1e-7
        )


def test_fi_is_the_squared_change_of_loss_along_the_worst_shift_of_unit_length_in_probabilities():
    x, y, validation, head = world()
    unseen = gradients(validation.embedding, validation.labels, head)[0]
    shift, slopes, p = slow_parts(x, y, head, 5)
    rng, reached = np.random.default_rng(0), 0.0
    span = np.linalg.qr(slopes.T)[0][
        :, :2
    ]  # shifts of the metric's range; along the others no length is defined
    for omega in rng.normal(size=(4000, 2)) @ span.T:
        length = (p * (slopes @ omega) ** 2).sum()
        reached = max(reached, (unseen.ravel() @ shift @ omega) ** 2 / length)
    fi = influence_measure(validation, x, y, head)[0, 5]
    assert fi * 0.99 < reached < fi * (1 + 1e-9)


@pytest.mark.parametrize("c", [2, 3, 4])
def test_the_metric_has_rank_at_most_classes_minus_one(c):
    x, y, _, head = world(d=6, c=c)
    opened = open_head(head)
    _, slopes, p = slow_parts(x, y, head, 2)
    metric = slopes.T @ (p[:, None] * slopes)
    assert np.linalg.matrix_rank(metric, tol=1e-12 * np.trace(metric)) == c - 1
    moves = (slopes @ np.eye(6)).T @ opened.basis  # the logits' derivatives up to a common shift
    factors = metric_factors(p[None], opened.basis, moves.T[None])
    assert factors.shape == (1, c - 1, 6) and factors[0].T @ factors[0] == pytest.approx(
        metric, rel=1e-9, abs=1e-13
    )


def test_orthogonal_maps_of_the_embedding_change_nothing():
    case = world(d=5)
    turned = with_scaled_axes(case, ortho_group.rvs(5, random_state=1))
    assert fi_util(*turned) == pytest.approx(fi_util(*case), rel=1e-10, abs=1e-16)


def test_other_maps_change_nothing_where_the_metric_is_regular_and_something_where_it_is_not():
    stretch = np.diag([1.0, 3.0, 0.2, 5.0])[:, [1, 0, 3, 2]] + 0.3
    regular, singular = world(d=4, c=6, **NO_RIDGE), world(d=4, c=3, **NO_RIDGE)
    assert fi_util(*with_scaled_axes(regular, stretch)) == pytest.approx(
        fi_util(*regular), rel=1e-6
    )
    assert not np.allclose(
        fi_util(*with_scaled_axes(singular, stretch)), fi_util(*singular), rtol=0.1
    )
    assert fi_util(*with_scaled_axes(singular, 7 * np.eye(4))) == pytest.approx(
        fi_util(*singular), rel=1e-6
    )


@pytest.mark.parametrize("keep", [1, 2])
def test_directions_are_those_of_the_truncated_svd(keep):
    x, y, validation, head = world()
    unseen = gradients(validation.embedding, validation.labels, head).mean(axis=0)
    scores = fi_util(x, y, validation, head, directions=keep)
    assert scores[[0, 4]] == pytest.approx(
        [slow_fi(x, y, head, i, unseen, keep=keep) for i in (0, 4)], rel=1e-6
    )


@pytest.mark.parametrize("c", [2, 3])
@pytest.mark.parametrize("d", [1, 2, 3, 4, 5])
def test_all_directions_are_the_exact_measure_and_fewer_the_truncated_svd(d, c):
    """On narrow points too, where a direction with a singular value below |q| is among them."""
    x, y, validation, head = world(d=d, c=c, n=40)
    exact = fi_util(x, y, validation, head)
    for keep in (d, d + 3):
        assert fi_util(x, y, validation, head, directions=keep) == pytest.approx(exact, rel=1e-9)
    unseen = gradients(validation.embedding, validation.labels, head).mean(axis=0)
    for keep in {1, d - 1} - {0, d}:
        found = fi_util(x, y, validation, head, directions=keep)[[0, 4]]
        wanted = [slow_fi(x, y, head, i, unseen, keep=keep) for i in (0, 4)]
        assert found == pytest.approx(wanted, rel=1e-6)


def test_kfac_is_the_definition_with_the_product_of_the_means_for_the_hessian():
    x, y, validation, head = world()
    theta, penalty, design = parameters(head)
    probs = softmax_head.softmax(design(x) @ theta.T)
    fisher = np.mean([np.diag(p) - np.outer(p, p) for p in probs], axis=0)
    factored = np.kron(fisher, design(x).T @ design(x) / len(x)) + np.diag(np.tile(penalty, 3))
    unseen = gradients(validation.embedding, validation.labels, head).mean(axis=0)
    scores = fi_util(x, y, validation, head, hessian="kfac")
    assert scores[[0, 4]] == pytest.approx(
        [slow_fi(x, y, head, i, unseen, hessian=factored) for i in (0, 4)], rel=1e-7
    )
    assert not np.allclose(scores, fi_util(x, y, validation, head), rtol=0.01)


@pytest.mark.parametrize("many", [False, True])
def test_active_is_the_mean_of_the_middle_of_the_pairs_under_predicted_labels(many, monkeypatch):
    x, y, _, head = world(n=40)
    labeled = np.arange(40) < 25
    if many:  # more targets than reaches to solve for
        labeled = np.arange(40) < 10
    head = softmax_head.fit(x[labeled], y[labeled], l2=0.05)
    predicted = softmax_head.probabilities(x, head).argmax(axis=1)
    pairs = np.sort(
        influence_measure(Embedded(x, labels=predicted), x[labeled], y[labeled], head), axis=1
    )
    scores = fi_active(x, np.where(labeled, y, -1), labeled, head)
    assert scores == pytest.approx(
        pairs[:, 2:23].mean(axis=1) if not many else pairs[:, 1:9].mean(axis=1), rel=1e-9
    )
    point_blocks = module.point_blocks
    monkeypatch.setattr(module, "point_blocks", lambda n, numbers, budget=0: point_blocks(n, 1, 3))
    assert fi_active(x, y, labeled, head) == pytest.approx(scores, rel=1e-9)


def test_targets_or_reaches_whichever_are_solved_for_give_the_same():
    x, y, validation, head = world()
    many = Embedded(np.tile(validation.embedding, (10, 1)), labels=np.tile(validation.labels, 10))
    assert influence_measure(many, x, y, head)[:12] == pytest.approx(
        influence_measure(validation, x, y, head), rel=1e-9
    )


def test_the_forest_ranks_what_it_has_seen_and_guesses_the_rest():
    x, y, _, head = world(n=150)
    labeled = np.arange(150) < 30
    head = softmax_head.fit(x[labeled], y[labeled], l2=0.05)
    exact = fi_active(x, y, labeled, head)
    whole = fi_active_forest(x, y, labeled, head, share=1.0, rng=np.random.default_rng(0))
    part = fi_active_forest(x, y, labeled, head, share=0.2, rng=np.random.default_rng(0))
    assert spearmanr(whole[30:], exact[30:])[0] > 0.95 and spearmanr(part[30:], exact[30:])[0] > 0.3
    assert part.min() >= 1 and part.max() <= 24 and whole.min() >= 1 and whole.max() <= 120
    again = fi_active_forest(x, y, labeled, head, share=0.2, rng=np.random.default_rng(0))
    assert np.array_equal(part, again)


def test_a_far_mislabeled_point_is_trimmed_first():
    x, y, validation, _ = world(n=60, validation=60)
    x[7] = 4 * (x[y == 1].mean(axis=0) - x[y != 1].mean(axis=0))
    head = softmax_head.fit(x, np.where(np.arange(60) == 7, 0, y), l2=0.05)
    assert (
        fi_util(x, np.where(np.arange(60) == 7, 0, y), validation, head)
        .argsort()[-5:]
        .tolist()
        .count(7)
        == 1
    )


def test_a_constant_head_has_no_length_to_measure_by_and_gives_zero():
    _, y, validation, _ = world(intercept=False)
    head = head_of(np.zeros((3, 4)), 4, 0.1, np.zeros((30, 4)), y)
    assert fi_util(np.zeros((30, 4)), y, validation, head) == pytest.approx(np.zeros(30), abs=0)


def test_certain_predictions_copies_and_a_single_labeled_point_are_fine():
    x, y, validation, head = world()
    sure = head_of(np.column_stack([head.weights * 1e3, head.intercepts]), 4, 0.05, x, y)
    assert np.isfinite(fi_util(x, y, validation, sure, damping=1e-3)).all()
    copies = fi_util(np.vstack([x, x[:2]]), np.append(y, y[:2]), validation, head)
    assert copies[30:] == pytest.approx(copies[:2], rel=1e-9)
    assert np.isfinite(fi_active(x, y, np.arange(30) == 3, head)).all()
    everything = fi_active_forest(x, y, np.ones(30, bool), head, rng=np.random.default_rng(0))
    assert everything.shape == (30,)


def test_bad_input_is_refused():
    x, y, validation, head = world()
    with pytest.raises(UserError, match="fitted on 4 dimensions, the validation set has 3"):
        fi_util(x, y, Embedded(validation.embedding[:, :3], labels=validation.labels), head)
    with pytest.raises(UserError, match="validation labels: found 0 to 3"):
        fi_util(
            x,
            y,
            Embedded(validation.embedding, labels=np.where(validation.labels == 2, 3, 0)),
            head,
        )
    with pytest.raises(UserError, match="labels: found -1 to 1"):
        fi_util(x, y - 1, validation, head)
    for scorer in (fi_active, lambda *a: fi_active_forest(*a, rng=np.random.default_rng(0))):
        with pytest.raises(UserError, match="at least one labeled point"):
            scorer(x, y, np.zeros(30, bool), head)
        with pytest.raises(UserError, match="a label and a mark for each of 30"):
            scorer(x, y, np.ones(29, bool), head)
        with pytest.raises(UserError, match="labels: found -1 to 2"):
            scorer(x, np.where(np.arange(30) == 4, -1, y), np.arange(30) < 9, head)


def test_an_exact_hessian_that_would_take_minutes_is_refused_and_kfac_is_not(monkeypatch):
    x, y, validation, head = world()  # 30 points, 2 x 5 parameters
    monkeypatch.setattr(module, "SPREADS", 30 * 10**2)
    exact = fi_util(x, y, validation, head)
    monkeypatch.setattr(module, "SPREADS", 30 * 10**2 - 1)
    with pytest.raises(UserError, match="10 parameters would take several minutes for 30 points"):
        fi_util(x, y, validation, head)
    assert fi_util(x, y, validation, head, hessian="kfac").shape == exact.shape


def test_without_penalty_a_dead_dimension_needs_damping():
    x, y, validation, head = world(**NO_RIDGE)
    x = np.column_stack([x, np.zeros(60)])
    unseen = Embedded(
        np.column_stack([validation.embedding, np.ones(12)]), labels=validation.labels
    )
    head = head_of(np.column_stack([head.weights, np.zeros(3), head.intercepts]), 5, 0.0, x, y)
    with pytest.raises(UserError, match="Set Damping above 0"):
        fi_util(x, y, unseen, head)
    assert np.isfinite(fi_util(x, y, unseen, head, damping=1e-3)).all()


def test_a_dead_dimension_has_no_length_and_is_cut():
    x, y, validation, head = world(d=1)
    wide = Embedded(np.column_stack([validation.embedding, np.ones(12)]), labels=validation.labels)
    dead = head_of(
        np.column_stack([head.weights, np.zeros(3), head.intercepts]),
        2,
        0.05,
        np.column_stack([x, np.zeros(30)]),
        y,
    )
    opened = open_head(dead)
    reaches = module.reach(
        opened,
        spreader(opened, opened.penalty),
        as_seen(opened, dead.fitted_on.embedding, y, dead),
    )
    assert (
        reaches.shape == (30, 2, 6) and not reaches[:, 1].any() and reaches[:, 0].any(axis=1).all()
    )
    assert fi_util(dead.fitted_on.embedding, y, wide, dead) == pytest.approx(
        fi_util(x, y, validation, head), rel=1e-9
    )
