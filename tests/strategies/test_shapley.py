"""Shapley values against the sum over all teams, on sets small enough to write all teams down."""

from itertools import combinations, permutations
from math import comb, log

import numpy as np
import pytest

from core import softmax_head
from core.linalg.batched_heads import fit_teams
from core.strategies import shapley as module
from core.strategies.shapley import data_shapley, knn_shapley
from core.types import Embedded, UserError
from tests.tools.heads import mean_loss, retrained, world


def brute_force(n, value):
    """s_i = (1/n) sum over teams S without i of (v(S + i) - v(S)) / binomial(n - 1, |S|)."""
    scores = np.zeros(n)
    for i in range(n):
        others = [j for j in range(n) if j != i]
        for size in range(n):
            for team in combinations(others, size):
                scores[i] += (value((*team, i)) - value(team)) / comb(n - 1, size) / n
    return scores


def knn_value(x, y, validation, neighbours):
    def value(team):
        team, total = np.array(team, int), 0.0
        for point, wanted in zip(validation.embedding, validation.labels, strict=True):
            nearest = team[np.argsort(np.linalg.norm(x[team] - point, axis=1))[:neighbours]]
            total += (y[nearest] == wanted).sum() / neighbours
        return total / len(validation)

    return value


@pytest.mark.parametrize(("n", "neighbours"), [(7, 3), (6, 1), (4, 9)])
def test_knn_shapley_is_the_sum_over_all_teams(n, neighbours):
    x, y, validation, _ = world(n=n, validation=5)
    value, scores = (
        knn_value(x, y, validation, neighbours),
        knn_shapley(x, y, validation, neighbours=neighbours),
    )
    assert scores == pytest.approx(brute_force(n, value), abs=1e-12)
    assert scores.sum() == pytest.approx(value(range(n)) - value(()), abs=1e-12)


def test_knn_shapley_by_hand():
    # One validation point at 0 of class 1, points at 1 (class 1), 2 (class 0), 3 (class 1), K = 1.
    # s_3 = 1/3, s_2 = 1/3 - 1/2, s_1 = s_2 + 1.
    x, y = np.array([[1.0], [2.0], [3.0]]), np.array([1, 0, 1])
    validation = Embedded(np.zeros((1, 1)), labels=np.array([1]))
    assert knn_shapley(x, y, validation, neighbours=1) == pytest.approx(
        [5 / 6, -1 / 6, 1 / 3], abs=1e-15
    )


def test_knn_shapley_in_blocks_and_in_any_order_of_the_validation_points(monkeypatch):
    x, y, validation, _ = world(n=40, validation=23)
    scores, back = (
        knn_shapley(x, y, validation),
        Embedded(validation.embedding[::-1], labels=validation.labels[::-1]),
    )
    assert knn_shapley(x, y, back) == pytest.approx(scores, abs=1e-15)
    point_blocks = module.point_blocks
    monkeypatch.setattr(module, "point_blocks", lambda n, numbers: point_blocks(n, 1, budget=4))
    assert knn_shapley(x, y, validation) == pytest.approx(scores, abs=1e-15)
    parts = [
        knn_shapley(
            x, y, Embedded(validation.embedding[i : i + 1], labels=validation.labels[i : i + 1])
        )
        for i in range(23)
    ]
    assert np.mean(parts, axis=0) == pytest.approx(scores, abs=1e-14)


def test_distances_far_from_the_origin_and_equal_ones():
    x, y, validation, _ = world(n=30)
    far = Embedded(validation.embedding + 1e7, labels=validation.labels)
    assert knn_shapley(x + 1e7, y, far) == pytest.approx(knn_shapley(x, y, validation), abs=1e-15)
    same = knn_shapley(
        np.ones((4, 2)),
        np.array([0, 1, 0, 1]),
        Embedded(np.ones((1, 2)), labels=np.array([0])),
        neighbours=1,
    )
    assert same == pytest.approx([5 / 6, -1 / 6, 1 / 3, 0], abs=1e-15)


def test_a_class_that_no_point_has_is_worth_nothing():
    x, y, validation, _ = world(n=12)
    absent = Embedded(validation.embedding, labels=np.full(12, 7))
    assert not knn_shapley(x, y, absent).any()


def data_value(x, y, validation, l2, c=3):
    rows, unseen = softmax_head.design(x), softmax_head.design(validation.embedding)

    def value(team):
        if not team:
            return -log(c)
        team = np.array(team)
        start = np.zeros((c, rows.shape[1]))
        theta = retrained(
            rows[team],
            y[team],
            np.full(len(team), 1 / len(team)),
            np.full(rows.shape[1], l2),
            start,
        )
        return -mean_loss(theta, unseen, validation.labels)

    return value


def game(x, y, validation, l2):
    rows, unseen = softmax_head.design(x), softmax_head.design(validation.embedding)
    return module._Game(rows, y, np.full(rows.shape[1], l2), unseen, validation.labels, 3)


def test_data_shapley_over_all_orders_is_the_sum_over_all_teams():
    x, y, validation, _ = world(n=4)
    scores = game(x, y, validation, 0.1).shapley(
        np.array(list(permutations(range(4)))), tolerance=0.0
    )
    assert scores == pytest.approx(brute_force(4, data_value(x, y, validation, 0.1)), abs=1e-5)


def test_each_order_shares_out_what_all_points_add():
    x, y, validation, head = world(n=20, l2=0.1)
    value = data_value(x, y, validation, 0.1)
    scores = data_shapley(
        x, y, validation, head, orders=3, tolerance=0.0, rng=np.random.default_rng(0)
    )
    assert scores.sum() == pytest.approx(value(tuple(range(20))) - value(()), abs=1e-5)
    assert not np.array_equal(
        scores,
        data_shapley(x, y, validation, head, orders=3, tolerance=0.0, rng=np.random.default_rng(1)),
    )


def test_an_order_is_cut_where_it_has_come_close_to_the_end():
    x, y, validation, _ = world(n=20)
    played = game(x, y, validation, 0.1)
    order = np.random.default_rng(2).permutation(20)
    whole, cut = (played.shapley(order[None], tolerance) for tolerance in (0.0, 0.3))
    value = data_value(x, y, validation, 0.1)
    close = [
        abs(value(tuple(order)) - value(tuple(order[:k])))
        < 0.3 * abs(value(tuple(order)) - value(()))
        for k in range(1, 21)
    ]
    stop = close.index(True) + 1
    assert (
        stop < 20
        and cut[order[:stop]] == pytest.approx(whole[order[:stop]], abs=1e-12)
        and not cut[order[stop:]].any()
    )
    both = played.shapley(np.stack([order, order[::-1]]), 0.3)
    assert both == pytest.approx((cut + played.shapley(order[None, ::-1], 0.3)) / 2, abs=1e-6)


def test_many_orders_come_close_to_the_exact_value():
    x, y, validation, head = world(n=6, l2=0.1)
    exact = brute_force(6, data_value(x, y, validation, 0.1))
    estimate = data_shapley(
        x, y, validation, head, orders=400, tolerance=0.0, rng=np.random.default_rng(0)
    )
    assert np.abs(estimate - exact).max() < 0.15 * np.abs(exact).max()


def test_team_heads_are_the_heads_fitted_one_by_one():
    x, y, _, _ = world(n=30)
    rows = softmax_head.design(x * [1, 10, 0.1, 3])
    teams = np.random.default_rng(0).random((6, 30)) < 0.4
    teams[0] = np.arange(30) == 4
    penalty = np.full(5, 0.01)
    theta = fit_teams(rows, y, teams, penalty, np.zeros((6, 3, 5)), tolerance=1e-9)
    for team, found in zip(teams, theta, strict=True):
        slow = retrained(
            rows[team], y[team], np.full(team.sum(), 1 / team.sum()), penalty, np.zeros((3, 5))
        )
        assert found == pytest.approx(slow, abs=1e-6)


def test_bad_input_is_refused():
    x, y, validation, head = world()
    narrow = Embedded(validation.embedding[:, :2], labels=validation.labels)
    with pytest.raises(UserError, match="validation set has 2 dimensions, the embedding 4"):
        knn_shapley(x, y, narrow)
    with pytest.raises(UserError, match="one label for each of 30"):
        knn_shapley(x, y[:-1], validation)
    with pytest.raises(UserError, match="one label for each of 30"):
        knn_shapley(x, y, Embedded(validation.embedding))
    with pytest.raises(UserError, match=r"without a label \(-1\)"):
        knn_shapley(x, y - 1, validation)
    rng = np.random.default_rng(0)
    with pytest.raises(UserError, match="the validation set has 2"):
        data_shapley(x, y, narrow, head, rng=rng)
    with pytest.raises(UserError, match="validation labels: found 0 to 3"):
        data_shapley(x, y, Embedded(validation.embedding, labels=np.arange(12) % 4), head, rng=rng)
    with pytest.raises(UserError, match="expected at most 500 points"):
        data_shapley(np.tile(x, (17, 1)), np.tile(y, 17), validation, head, rng=rng)
    with pytest.raises(UserError, match="l2 above 0"):
        data_shapley(x, y, validation, world(l2=0.0, n=60)[3], rng=rng)
