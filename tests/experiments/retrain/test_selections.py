"""Does each rule take the points it says, whatever the scores, classes and budgets are?"""

from collections import Counter
from itertools import product

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.experiments.retrain import selections
from core.experiments.retrain.selections import RULES, find, probabilities, shares, take, weights
from core.types import UserError

SCORES = np.array([0.3, 0.9, 0.1, 0.5, 0.9, 0.2, 0.7, 0.5])
LABELS = np.array([0, 0, 1, 1, 0, 2, 0, 2])
BY_HAND = {  # best first 1 4 6 3 7 0 5 2, classes 0 0 0 1 2 0 2 1
    "top": {0: [], 1: [1], 3: [1, 4, 6], 5: [1, 4, 6, 3, 7], 8: [1, 4, 6, 3, 7, 0, 5, 2]},
    "bottom": {0: [], 1: [2], 3: [2, 5, 0], 5: [2, 5, 0, 3, 7], 8: [2, 5, 0, 3, 7, 6, 1, 4]},
    "middle": {0: [], 2: [3, 7], 3: [6, 3, 7], 4: [6, 3, 7, 0], 8: [1, 4, 6, 3, 7, 0, 5, 2]},
    "top_balanced": {
        0: [],
        3: [1, 3, 7],
        4: [1, 4, 3, 7],
        6: [1, 4, 3, 7, 5, 2],
        7: [1, 4, 6, 3, 7, 5, 2],
        8: [1, 4, 6, 3, 7, 0, 5, 2],
    },
}


def drawn(name, k, seed=0, scores=SCORES, labels=LABELS):
    return take(find(name), scores, labels, k, np.random.default_rng(seed)).tolist()


@pytest.mark.parametrize(
    ("name", "k", "rows"),
    [(name, k, rows) for name, each in BY_HAND.items() for k, rows in each.items()],
)
def test_rules_with_an_order_by_hand(name, k, rows):
    assert drawn(name, k) == rows


def test_equal_scores_come_in_the_order_of_the_points():
    level = np.zeros(8)
    for name in ("top", "bottom", "middle"):
        assert drawn(name, 8, scores=level) == list(range(8))
    assert drawn("middle", 4, scores=level) == [2, 3, 4, 5] and drawn(
        "top_balanced", 3, scores=level
    ) == [0, 2, 5]


def test_negative_scores_are_ranked():
    assert drawn("top", 2, scores=-SCORES) == [2, 5] and drawn("bottom", 2, scores=-SCORES) == [
        1,
        4,
    ]


@given(st.lists(st.integers(0, 12), min_size=1, max_size=5).filter(sum), st.floats(0, 1))
@example([1, 9, 9], 11 / 19)
def test_shares_are_as_equal_as_the_classes_allow(sizes, part):
    k, labels, sizes = (
        round(part * sum(sizes)),
        np.repeat(np.arange(len(sizes)), sizes),
        np.trim_zeros(np.array(sizes), "b"),
    )
    found = shares(labels, k)
    assert found.sum() == k and (found >= 0).all() and (found <= sizes).all()
    open_ones = (
        found < sizes
    )  # a class that has more to give has as much as any other, to within the remainder's one point
    assert not open_ones.any() or found[open_ones].min() >= found.max() - 1
    at_level = found[open_ones]
    assert (np.diff(at_level) <= 0).all()  # the remainder goes to the first classes


@pytest.mark.parametrize(
    ("sizes", "k", "expected"),
    [
        ((5, 5, 5), 7, (3, 2, 2)),
        ((1, 9, 9), 11, (1, 5, 5)),
        ((1, 2, 9), 12, (1, 2, 9)),
        ((2, 0, 9), 5, (2, 0, 3)),
        ((4, 4), 0, (0, 0)),
    ],
)
def test_shares_by_hand(sizes, k, expected):
    assert tuple(shares(np.repeat(np.arange(len(sizes)), sizes), k)) == expected


@given(st.lists(st.integers(0, 2), min_size=3, max_size=30), st.integers(0, 1000), st.data())
def test_every_rule_takes_k_rows_of_the_pool(labels, seed, data):
    labels = np.array([0, 1, 2, *labels])
    k = data.draw(st.integers(3, len(labels)))
    scores = np.random.default_rng(seed).integers(0, 4, len(labels)) + 0.5  # with ties
    for name, rule in RULES.items():
        rows = take(rule, scores, labels, k, np.random.default_rng(seed))
        assert len(rows) == k and rows.min() >= 0 and rows.max() < len(labels)
        assert name.startswith("proportional") or len(set(rows.tolist())) == k
        assert not rule.balanced or np.array_equal(
            np.bincount(labels[rows], minlength=3), shares(labels, k)
        )


def test_the_best_of_each_class_are_its_highest_scores():
    rng = np.random.default_rng(3)
    scores, labels = rng.random(60), rng.integers(0, 4, 60)
    rows = take(find("top_balanced"), scores, labels, 21, rng)
    assert (np.diff(scores[rows]) < 0).all()
    for c, share in enumerate(shares(labels, 21)):
        assert set(rows[labels[rows] == c]) == set(
            np.flatnonzero(labels == c)[np.argsort(-scores[labels == c])[:share]]
        )


@pytest.mark.parametrize("name", [name for name, rule in RULES.items() if rule.random])
def test_what_is_drawn_depends_on_the_generator_alone(name):
    labels, scores = np.arange(200) % 4, np.random.default_rng(0).random(200)
    take_with = {seed: [drawn(name, 40, seed, scores, labels) for _ in range(2)] for seed in (1, 2)}
    assert take_with[1][0] == take_with[1][1] and sorted(take_with[1][0]) != sorted(take_with[2][0])


@pytest.mark.parametrize("name", [name for name, rule in RULES.items() if not rule.random])
def test_rules_that_do_not_draw_leave_the_generator_alone(name):
    rng = np.random.default_rng(1)
    take(find(name), SCORES, LABELS, 4, rng)
    assert rng.bit_generator.state == np.random.default_rng(1).bit_generator.state


def test_random_needs_no_scores_and_favours_no_set():
    """Every one of the six pairs of four points, 4,000 draws: chi-squared, 5 degrees of freedom,
    30.9 is passed once in 100,000 times.
    """
    counts = Counter(
        tuple(sorted(drawn("random", 2, seed, None, np.zeros(4, int)))) for seed in range(4000)
    )
    expected = 4000 / 6
    assert (
        len(counts) == 6
        and sum((count - expected) ** 2 / expected for count in counts.values()) < 30.9
    )


def test_random_of_each_class_favours_no_point_of_a_class():
    counts = Counter(
        row
        for seed in range(3000)
        for row in drawn("random_balanced", 4, seed, None, np.array([0, 1, 0, 1, 0]))
    )
    expected = {row: 3000 * 2 / (3 if row in (0, 2, 4) else 2) for row in range(5)}
    assert all(abs(counts[row] - expected[row]) < 5 * np.sqrt(expected[row]) for row in (0, 2, 4))
    assert counts[1] == counts[3] == 3000  # class 1 has two points and gives both


def test_drawing_by_score_follows_the_scores_and_may_repeat():
    scores = np.array([1.0, 0.0, 3.0, 4.0])
    counts = np.zeros(4)
    for seed in range(1000):
        counts += np.bincount(drawn("proportional", 4, seed, scores, np.zeros(4, int)), minlength=4)
    assert counts[1] == 0 and np.allclose(
        counts / 4000, probabilities(scores), atol=5 * np.sqrt(0.25 / 4000)
    )
    assert len(set(drawn("proportional", 4, 0, scores, np.zeros(4, int)))) < 4
    assert drawn("proportional", 4, 7, scores, np.zeros(4, int)) == drawn(
        "proportional_weighted", 4, 7, scores, np.zeros(4, int)
    )


def test_weights_make_the_mean_loss_unbiased_exactly():
    """The expectation over all k draws, enumerated: sum over the n^k outcomes of their probability
    times the weighted mean loss.
    """
    scores, losses, k = np.array([0.2, 1.5, 0.7, 3.0]), np.array([2.0, -1.0, 0.5, 4.0]), 3
    p, w = probabilities(scores), weights(scores)
    outcomes = [list(rows) for rows in product(range(4), repeat=k)]
    assert sum(p[rows].prod() for rows in outcomes) == pytest.approx(1.0, rel=1e-12)
    expected = sum(p[rows].prod() * (w[rows] * losses[rows]).mean() for rows in outcomes)
    plain = sum(p[rows].prod() * losses[rows].mean() for rows in outcomes)
    assert expected == pytest.approx(losses.mean(), rel=1e-12) and plain == pytest.approx(
        p @ losses
    ) != pytest.approx(losses.mean())


def test_weights_are_the_usual_ones_up_to_the_pools_size():
    """1/(k p_i) summed over the k draws estimates the pool's summed loss; ours is its n-th part,
    averaged instead of summed.
    """
    scores, k = np.array([0.2, 1.5, 0.7, 3.0]), 3
    assert np.allclose(
        weights(scores) / k, 1 / (k * probabilities(scores)) / len(scores), rtol=1e-15
    )
    assert np.array_equal(weights(np.ones(5)), np.ones(5))
    assert weights(np.array([0.0, 2.0])).tolist() == [
        0.0,
        0.5,
    ]  # never drawn, and no division by zero


BAD = [
    (
        "top",
        9,
        SCORES,
        LABELS,
        "Budget k: found 9, but 8 points can be picked. Choose k between 0 and 8.",
    ),
    ("proportional", 9, SCORES, LABELS, "found 9, but 8 points"),
    ("random", -1, None, LABELS, "Choose k between 0 and 8"),
    ("random", 1.5, None, LABELS, "Budget k: found 1.5, expected a whole number"),
    (
        "top_balanced",
        2,
        SCORES,
        LABELS,
        "Top of each class: found a budget of 2 for 3 classes. Give at least one point per class.",
    ),
    (
        "random_balanced",
        2,
        None,
        LABELS,
        "Random of each class: found a budget of 2 for 3 classes.",
    ),
    (
        "top_balanced",
        5,
        SCORES,
        LABELS * 2,
        "Top of each class: class 1, 3 has no point in the pool. Use more points or another rule.",
    ),
    (
        "proportional",
        3,
        SCORES - 0.5,
        LABELS,
        "found scores from -0.4 to 0.4, expected none below 0 and some above. Choose another",
    ),
    (
        "proportional_weighted",
        3,
        np.zeros(8),
        LABELS,
        "found scores from 0 to 0, expected none below 0",
    ),
    ("top", 3, np.where(SCORES > 0.8, np.nan, SCORES), LABELS, "2 of 8 scores are NaN"),
]


@pytest.mark.parametrize(
    ("name", "k", "scores", "labels", "message"),
    BAD,
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_taken_is_said(name, k, scores, labels, message):
    with pytest.raises(UserError) as told:
        take(find(name), scores, labels, k, np.random.default_rng(0))
    assert message in str(told.value)


def test_an_empty_class_at_the_end_is_seen_when_the_classes_are_known():
    with pytest.raises(UserError, match="class 3 has no point"):
        selections.check(find("random_balanced"), LABELS, 5, 4)
    selections.check(find("random"), LABELS, 5, 4)


def test_unknown_rules_are_refused_with_the_names():
    with pytest.raises(
        UserError,
        match="found 'best', expected one of top, bottom, middle, top_balanced, proportional",
    ):
        find("best")
