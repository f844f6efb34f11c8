"""Retraining with and without points, and the span of it, against explicit matrices."""

import numpy as np
import pytest

from core import softmax_head
from core.linalg import batched_heads, hessian
from core.linalg.hessian import Exact, Spanned, open_head, solver, span, spreader
from core.strategies.influence import leave_one_out
from core.types import Embedded
from tests.tools.heads import parameters, retrained, world

WIDE = {"n": 18, "d": 30, "l2": 0.05}


@pytest.mark.parametrize("setting", [{}, WIDE, {"intercept": False}, WIDE | {"intercept": False}])
def test_a_head_with_points_more_is_the_one_fitted_to_all(setting):
    x, y, validation, head = world(**setting)
    opened, (theta, penalty, design) = open_head(head), parameters(head)
    points, labels = design(validation.embedding[:2]), np.array([[0, 1], [2, 2], [1, 0]])
    found = batched_heads.with_points(opened, y, points, labels, np.repeat(theta[None], 3, axis=0))
    n = len(x) + 2
    for way in range(3):
        slow = retrained(
            np.vstack([opened.rows, points]),
            np.append(y, labels[way]),
            np.full(n, 1 / n),
            penalty,
            theta,
        )
        gap = found[way] - slow
        assert (
            np.abs(gap - gap.mean(axis=0)).max() < 1e-4
        )  # a shift of all classes is no difference


@pytest.mark.parametrize("setting", [{"n": 24}, WIDE])
def test_heads_without_each_point_are_leave_one_outs(setting):
    x, y, validation, head = world(**setting)
    opened = open_head(head)
    design = opened.design(validation.embedding)

    def loss(theta):
        return softmax_head.loss(theta, design, validation.labels, np.zeros(design.shape[1]))

    found = np.concatenate(
        [[loss(theta) for theta in heads] for _, heads in batched_heads.without_each(opened, y)]
    )
    assert found - loss(opened.theta) == pytest.approx(
        leave_one_out(x, y, validation, head), abs=1e-5
    )


def test_the_span_holds_the_rows_and_no_more():
    rng = np.random.default_rng(0)
    flat = rng.normal(size=(6, 3)) @ rng.normal(size=(3, 20))
    rows = np.column_stack([flat, np.ones(6)])
    axes = span(rows, 20)
    assert axes.shape == (21, 4) and axes.T @ axes == pytest.approx(np.eye(4), abs=1e-12)
    assert rows @ axes @ axes.T == pytest.approx(rows, abs=1e-12)
    assert span(np.zeros((3, 5)), 5).shape == (5, 0)


@pytest.mark.parametrize("intercept", [True, False])
def test_within_the_span_the_hessian_is_solved_exactly(intercept):
    _, _, validation, head = world(**WIDE, intercept=intercept)
    opened = open_head(head)
    ridge, rng = 1.1 * opened.penalty + 0.003, np.random.default_rng(1)
    slow, quick = Exact(opened, ridge), Spanned(opened, ridge)
    targets, rows = rng.normal(size=(5, *opened.shape)), opened.design(validation.embedding)
    assert quick.solve(targets) == pytest.approx(slow.solve(targets), rel=1e-8, abs=1e-9)
    assert quick.spread(rows) == pytest.approx(slow.spread(rows), rel=1e-8, abs=1e-9)
    assert isinstance(solver(opened, ridge), Spanned) and isinstance(
        spreader(opened, ridge), Spanned
    )


def test_the_span_is_taken_only_where_it_is_exact(monkeypatch):
    wide, narrow = (open_head(world(**setting)[3]) for setting in (WIDE, {}))
    assert isinstance(solver(narrow, narrow.penalty), Exact)
    uneven = wide.penalty + np.linspace(0, 1, len(wide.penalty))
    assert isinstance(solver(wide, uneven), Exact)
    monkeypatch.setattr(hessian, "FACTORED", 2 * 19)
    assert isinstance(solver(wide, wide.penalty), Spanned)
    monkeypatch.setattr(hessian, "FACTORED", 2 * 19 - 1)
    assert not isinstance(solver(wide, wide.penalty), Spanned)


def test_a_wide_head_lies_in_the_span_of_its_points():
    x, y, _, _ = world(**WIDE)
    head = softmax_head.fit(x, y, l2=0.05, tolerance=1e-10)
    axes = span(x, x.shape[1])
    assert head.weights @ axes @ axes.T == pytest.approx(head.weights, abs=1e-9)
    assert isinstance(head.fitted_on, Embedded)
