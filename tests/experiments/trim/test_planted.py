"""Is the planted damage what it says, and are AUC and precision what they are by counting pairs?"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as draw

from core.experiments.trim.planted import DAMAGES, auc, plant, precision
from core.types import UserError

IMAGES = np.random.default_rng(0).integers(0, 256, (200, 4, 4), dtype=np.uint8)
TABLE = np.random.default_rng(1).normal(size=(200, 3)).astype(np.float32) * [1, 10, 100]
LABELS = np.arange(200) % 5


def planted(kind, points=IMAGES, share=0.1, seed=0):
    return plant(kind, points, LABELS, share=share, classes=5, rng=np.random.default_rng(seed))


@pytest.mark.parametrize("kind", DAMAGES)
@pytest.mark.parametrize("points", [IMAGES, TABLE], ids=["images", "table"])
def test_only_planted_points_change_and_the_given_ones_never(kind, points):
    kept, labels = points.copy(), LABELS.copy()
    changed, new_labels, mask = planted(kind, points)
    assert np.array_equal(points, kept) and np.array_equal(LABELS, labels)
    assert mask.sum() == (0 if kind == "none" else 20) and changed.dtype == points.dtype
    assert np.array_equal(changed[~mask], points[~mask]) and np.array_equal(
        new_labels[~mask], LABELS[~mask]
    )


def test_a_flipped_label_is_another_one_each_equally_likely():
    drawn = np.concatenate(
        [planted("flip", share=1.0, seed=seed)[1][LABELS == 0] for seed in range(50)]
    )
    counts = np.bincount(drawn, minlength=5)
    assert counts[0] == 0 and counts.sum() == 2000 and np.abs(counts[1:] - 500).max() < 80


def test_noise_has_a_third_of_the_range_and_inversion_reflects_it():
    changed, _, mask = planted("noise", TABLE, share=1.0)
    spread = (changed - TABLE).std(axis=0) / np.ptp(TABLE, axis=0)
    assert mask.all() and spread == pytest.approx([np.sqrt(0.1)] * 3, rel=0.15)
    changed, _, mask = planted("invert")
    assert np.array_equal(changed[mask], 255 - IMAGES[mask])
    changed, _, mask = planted("invert", TABLE)
    assert changed[mask] == pytest.approx(
        TABLE.min(axis=0) + TABLE.max(axis=0) - TABLE[mask], rel=1e-5
    )


def test_every_planted_duplicate_has_its_twin():
    changed, labels, mask = planted("duplicate")
    rows = np.flatnonzero(mask)
    for i in rows:
        twins = [
            j
            for j in rows
            if j != i and np.array_equal(changed[i], changed[j]) and labels[i] == labels[j]
        ]
        assert len(twins) == 1
    assert sum(np.array_equal(changed[i], IMAGES[i]) for i in rows) == len(rows) // 2


def test_the_odd_one_out_of_an_odd_number_of_duplicates_stays_as_it_is():
    for share, wanted in ((0.005, 0), (0.105, 20)):  # 1 and 21 of 200
        changed, _, mask = planted("duplicate", share=share)
        assert mask.sum() == wanted and np.array_equal(changed[~mask], IMAGES[~mask])


def test_the_same_seed_plants_the_same():
    for first, second in zip(planted("noise", seed=3), planted("noise", seed=3), strict=True):
        assert np.array_equal(first, second)
    assert not np.array_equal(planted("noise", seed=3)[2], planted("noise", seed=4)[2])


@pytest.mark.parametrize(("kind", "share"), [("colour", 0.1), ("flip", 1.5), ("flip", -0.1)])
def test_unknown_damage_is_refused(kind, share):
    with pytest.raises(UserError, match="expected one of none, flip"):
        planted(kind, share=share)


@given(draw.lists(draw.tuples(draw.integers(0, 4), draw.booleans()), min_size=1, max_size=30))
def test_auc_counts_pairs(pairs):
    scores, mask = np.array([float(s) for s, _ in pairs]), np.array([m for _, m in pairs])
    inside, outside = scores[mask], scores[~mask]
    wins = [(a > b) + 0.5 * (a == b) for a in inside for b in outside]
    assert (
        auc(scores, mask) == pytest.approx(np.mean(wins)) if wins else np.isnan(auc(scores, mask))
    )


def test_precision_by_hand():
    scores, mask = np.array([5.0, 1.0, 4.0, 3.0, 2.0]), np.array([True, True, False, True, False])
    assert precision(scores, mask, (1, 2, 3, 5)).tolist() == pytest.approx([1, 1 / 2, 2 / 3, 3 / 5])
    assert np.isnan(precision(scores, np.zeros(5, bool), (1, 2))).all()
