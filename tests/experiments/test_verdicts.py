"""Do the sentences say what `compare` found, and nothing else?"""

import numpy as np
import pytest

from core.experiments.statistics import ACCURACIES, Comparison, compare
from core.experiments.verdicts import FACTOR, LOSS, POINTS, RATIO, Versus, levels, sentence

NAN = float("nan")
PLACES = ("at 1,000", "at 5,000", "at 10,000")


def found(*rows):
    """(mean, low, high, outcome) per place, three seeds."""
    outcomes = [Comparison(mean, low, high, 3, outcome) for mean, low, high, outcome in rows]
    return Versus(PLACES[: len(rows)], np.full((len(rows), 3), 0.1), outcomes)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            [(-0.31, -0.34, -0.28, "worse"), (-0.008, -0.0095, -0.0065, "equal")],
            "Top is *31 points worse* than random at 1,000 (28.0 to 34.0); *equal within 1 point*"
            " to random at 5,000 (−0.8, −0.9 to −0.7).",
        ),
        (
            [(0.02, 0.01, 0.03, "better"), (0.04, 0.02, 0.06, "better")],
            "Top is *4.0 points better* than random at 5,000 (2.0 to 6.0), 2.0 at 1,000 (1.0 to"
            " 3.0).",
        ),
        (
            [(0.05, -0.225, 0.318, "unclear")] * 2,
            "Top is *unclear* against random at 1,000 (+5.0, −22.5 to +31.8) and at 5,000 (+5.0,"
            " −22.5 to +31.8).",
        ),
        (
            [
                (-0.1, -0.12, -0.08, "worse"),
                (NAN, NAN, NAN, "unclear"),
                (0.1, 0.05, 0.15, "better"),
            ],
            "Top is *10 points worse* than random at 1,000 (8.0 to 12.0); *10 points better* than"
            " random at 10,000 (5.0 to 15.0).",
        ),
        ([(NAN, NAN, NAN, "unclear")] * 3, ""),
    ],
    ids="worse-and-equal better unclear both-ways nothing-finished".split(),
)
def test_one_plain_sentence(rows, said):
    versus = found(*rows)
    versus = versus._replace(
        outcomes=[one._replace(seeds=0 if np.isnan(one.mean) else 3) for one in versus.outcomes]
    )
    assert sentence("Top", "random", versus, POINTS, 0.01) == said


@pytest.mark.parametrize(
    ("points", "said"), [(0.949, "0.9"), (8.6, "8.6"), (9.44, "9.4"), (9.6, "10"), (31.4, "31")]
)
def test_a_tenth_of_a_point_is_said_below_ten(points, said):
    assert POINTS.text(points / 100) == POINTS.text(-points / 100) == said


def test_two_seeds_are_listed_and_not_judged():
    differences = np.array([[0.09, 0.11, NAN], [0.1, NAN, NAN]])
    versus = Versus(PLACES[:2], differences, compare(differences))
    assert sentence("Top", "random", versus, POINTS, 0.01) == (
        "Top against random: no verdict at 1,000 with 2 seeds, 3 are needed (+9.0 and +11.0"
        " points); no verdict at 5,000 with 1 seed, 3 are needed (+10.0 points)."
    )


def test_lower_losses_are_better_and_signs_are_the_losses():
    better, equal = (np.array([[d, d + 1e-4, d - 1e-4]]) for d in (0.5, 0.002))
    said = sentence("BAIT", "random", Versus([""], better, compare(better)), LOSS, 0.01)
    assert said.startswith("BAIT is *0.5 lower* than random (0.5 to 0.5)")
    said = sentence("BAIT", "random", Versus([""], equal, compare(equal)), LOSS, 0.01)
    assert "equal within 0.01* to random (−0.00200, −0.00225 to −0.00175)" in said


def test_factors_are_said_as_such_and_the_largest_as_over_a_million():
    near, far = np.log([[4.0, 4.0, 4.0]]), np.log([[1e-9, 1e-9, 1e-9]])
    for differences, said in (
        (near, "the loss is *a factor 4 lower* than that of B at 10 (4)."),
        (
            far,
            "the loss is *a factor over a million higher* than that of B at 10 (over a million).",
        ),
        (
            np.log([[2.0, 0.5, 1.0]]),
            "the loss is *unclear* against that of B at 10 (×1, ×0.179 to ×5.59).",
        ),
    ):
        versus = Versus(["at 10"], differences, compare(differences, margin=0.01))
        assert sentence("the loss", "that of B", versus, FACTOR, 0.01) == said
    assert FACTOR.one(0.01) == "1%"


def test_ratios_are_in_per_cent_of_the_rival():
    """log(rival / first) = log 2: half of it, and its double the other way round."""
    half = np.log(2) + np.array([[0.0, 1e-9, -1e-9]])
    said = sentence("the risk", "that of B", Versus([""], half, compare(half)), RATIO, 0.01)
    assert said == "the risk is *50% lower* than that of B (50 to 50)."
    said = sentence("the risk", "that of B", Versus([""], -half, compare(-half)), RATIO, 0.01)
    assert said == "the risk is *100% higher* than that of B (100 to 100)."


def test_nothing_has_no_sign():
    assert [POINTS.signed(d) for d in (-1e-9, 0.0, 4e-4, -6e-4)] == ["0.0", "0.0", "0.0", "−0.1"]
    assert [LOSS.signed(d) for d in (0.0, 0.5, -0.5)] == ["0", "−0.5", "+0.5"]


def test_the_note_says_how_many_share_the_level():
    rows = np.array([[0.1, 0.2, 0.3, 0.2], [0.1, 0.1, 0.2, NAN]])
    assert levels(compare(rows, bounds=ACCURACIES), 0.01, POINTS) == (
        "2 comparisons over 3 to 4 seeds share one level: the chance that any is called better or"
        " worse without a difference is at most 5% (Holm), and each has its interval at the level"
        " at which it is tested. Equal: within 1 point."
    )
    assert levels(compare(rows[:1]), 0.02, POINTS) == (
        "95% interval over 4 seeds. Equal: within 2 points."
    )
    assert levels(compare(rows[:, :2]), 0.01, POINTS) == ""
