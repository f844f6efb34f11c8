"""Does the reader see numbers with four significant digits at most, thousands separated, units
named?
"""

import numpy as np
import pytest

from core import datasets
from pages.parts.explore.answer import sentence
from pages.shared.words import NOUNS, inside, lacking, noun, number, score_texts, time_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (713, "713"),
        (713.0, "713"),
        (70_000, "70,000"),
        (999_999, "999,999"),
        (-12, "-12"),
        (0.0169, "0.0169"),
        (0.016938, "0.01694"),
        (4.8123e-05, "4.812e-05"),
        (-4.8123e-05, "-4.812e-05"),
        (0.001, "0.001"),
        (143.26, "143.3"),
        (1234.56, "1,235"),
        (1_234_567, "1.235e+06"),
        (219_876.4, "219,876"),
        (0.99996, "1"),
        (999.96, "1,000"),
        (2.5, "2.5"),
        (-0.5, "-0.5"),
        (np.float32(0.25), "0.25"),
    ],
)
def test_number(value, text):
    assert number(value) == text


def test_scores_of_one_gallery_have_one_format():
    assert score_texts([1.0, 0.98765, 0.0004]) == ["1.000", "0.988", "0.000"]
    assert score_texts([0.0099, 0.0001]) == ["9.90e-03", "1.00e-04"]
    assert score_texts([250.26, -3.0]) == ["250.3", "-3.0"]
    assert score_texts([1e6, 1.0]) == ["1.00e+06", "1.00e+00"]
    assert score_texts([0.0, 0.0]) == ["0.000", "0.000"] and score_texts([]) == []
    assert score_texts([15.0, 2.0, 0.0]) == ["15", "2", "0"] and score_texts([1.0, 0.0]) == [
        "1.000",
        "0.000",
    ]


TIMES = [
    (0.0, "0.00 s"),
    (0.314, "0.31 s"),
    (2.44, "2.4 s"),
    (59.4, "59.4 s"),
    (60, "1 min 0 s"),
    (200.7, "3 min 20 s"),
    (3600, "60 min 0 s"),
]


@pytest.mark.parametrize(("seconds", "text"), TIMES)
def test_time(seconds, text):
    assert time_text(seconds) == text


def test_labels_stand_inside_sentences():
    assert inside("Random ReLU features") == "random ReLU features" and inside("") == ""
    assert [inside(label) for label in ("BALD", "FI-util", "GraNd, last layer")] == [
        "BALD",
        "FI-util",
        "GraNd, last layer",
    ]
    assert inside("Influence, helpful first") == "influence, helpful first" and inside("A") == "a"


def test_every_dataset_has_its_noun():
    """Simulated and fetched tables are points."""
    named = {name for name in datasets.names() if datasets.info(name).is_images} | {
        "letter",
        "adult",
    }
    assert (
        set(NOUNS) == named
        and noun("mnist") == "digits"
        and noun("two_gaussians") == noun("my own") == "points"
    )


def test_the_answer_says_when_an_embedding_spans_few_of_its_dimensions():
    scores = np.array([0.5, 0.25, 0.25])
    assert "spans only *51 of its 200* dimensions" in sentence(
        "Leverage", "x", "digits", scores, 51, 200
    )
    assert "spans" not in sentence("Leverage", "x", "digits", scores, 193, 200)
    assert "*no one* of 3 digits" in sentence("Leverage", "x", "digits", scores, 193, 200)


def test_a_reason_is_told_once_for_all_whom_it_keeps_out():
    assert (
        lacking(
            {"BADGE": "needs labels", "Random": None, "BALD": "needs networks"}
            | dict.fromkeys(("BAIT", "FI-util"), "needs labels")
            | dict.fromkeys(("One", "Two"), "was computed for other points")
        )
        == "BADGE, BAIT and FI-util need labels; BALD needs networks; One and Two were computed for"
        " other points"
    )
    assert lacking({"Random": None}) == ""
