"""Does the plug point read signatures, check what comes in, and rank as it promises?

What every single strategy has to keep is in test_contract.py.
"""

import dataclasses
from typing import Annotated

import numpy as np
import pytest

from core import strategy
from core.plugins import menu
from core.plugins.menu import strategies
from core.strategy import (
    INPUTS,
    Knob,
    find,
    knobs_of,
    missing,
    parse_knobs,
    pick,
    score,
    scorer,
    selector,
    top_k,
)
from core.types import Embedded, UserError

WHOLE = Knob("Seed", name="seed", kind=int, low=0, high=2**31 - 1)
REAL = Knob("Ridge", name="ridge", kind=float, low=0.0)
FEW = Knob("Directions", name="rank", kind=int, low=1, optional=True)
SWITCH = Knob("Centre", name="centre", kind=bool)
CHOICE = Knob("Goal", name="goal", kind=str, choices=("dev", "entropy"))
TOP = Knob("Share", name="share", kind=float, high=1.0)

GOOD = [
    (WHOLE, "7", 7),
    (WHOLE, 7, 7),
    (WHOLE, np.int64(7), 7),
    (WHOLE, 7.0, 7),
    (WHOLE, "1e3", 1000),
    (WHOLE, "2147483647", 2**31 - 1),
    (REAL, "0.1", 0.1),
    (REAL, "0", 0.0),
    (REAL, 3, 3.0),
    (REAL, "1e-300", 1e-300),
    (FEW, "None", None),
    (FEW, "none", None),
    (FEW, "", None),
    (FEW, None, None),
    (FEW, "5", 5),
    (SWITCH, "true", True),
    (SWITCH, "0", False),
    (SWITCH, False, False),
    (SWITCH, "True", True),
    (CHOICE, "entropy", "entropy"),
    (TOP, "-1e9", -1e9),
]
BAD = [
    (WHOLE, "seven", "seed: found 'seven', expected a whole number from 0 to 2.14748e+09."),
    (WHOLE, "7.5", "expected a whole number"),
    (WHOLE, 7.5, "expected a whole number"),
    (WHOLE, "nan", "expected a whole number"),
    (WHOLE, float("nan"), "expected a whole number"),
    (WHOLE, "inf", "expected a whole number"),
    (WHOLE, float("inf"), "expected a whole number"),
    (WHOLE, "", "expected a whole number"),
    (WHOLE, None, "expected a whole number"),
    (WHOLE, [1], "expected a whole number"),
    (WHOLE, "-1", "seed: found -1, expected a number from 0 to"),
    (WHOLE, "9" * 30, "expected a number from 0 to"),
    (WHOLE, "9" * 400, "expected a whole number"),
    (REAL, "nan", "ridge: found nan, expected a number of at least 0."),
    (REAL, "inf", "ridge: found inf, expected a number of at least 0."),
    (REAL, "-inf", "expected a number of at least 0"),
    (REAL, "1e400", "expected a number of at least 0"),
    (REAL, "-0.1", "ridge: found -0.1, expected a number of at least 0."),
    (REAL, "a lot", "ridge: found 'a lot', expected a number of at least 0."),
    (REAL, None, "expected a number"),
    (FEW, "0", "rank: found 0, expected a number of at least 1."),
    (SWITCH, "maybe", "centre: found 'maybe', expected true or false."),
    (SWITCH, "2", "expected true or false"),
    (CHOICE, "accuracy", "goal: found 'accuracy', expected one of dev, entropy."),
    (TOP, "1.5", "share: found 1.5, expected a number of at most 1."),
]


@pytest.mark.parametrize(("knob", "text", "value"), GOOD)
def test_a_knob_reads_values_and_texts(knob, text, value):
    parsed = knob.parse(text)
    assert parsed == value and type(parsed) is type(value)


@pytest.mark.parametrize(("knob", "text", "message"), BAD)
def test_a_knob_says_what_it_found_and_expected(knob, text, message):
    with pytest.raises(UserError) as refused:
        knob.parse(text)
    assert message in str(refused.value) and knob.name in str(refused.value)


def test_a_whole_number_without_a_bound_may_be_huge():
    assert Knob("Point", name="point", kind=int).parse("1e30") == int(1e30)


def test_knobs_are_read_from_the_signature():
    ridge_knob = Knob("Ridge λ", "Why.", low=0.0)

    def function(
        embedding,
        *,
        k,
        rng,
        plain=2,
        few: int | None = None,
        ridge: Annotated[float, ridge_knob] = 0.5,
        on: bool = True,
    ):
        pass

    knobs = knobs_of(function)
    assert list(knobs) == ["plain", "few", "ridge", "on"]
    assert knobs["ridge"] == Knob("Ridge λ", "Why.", low=0.0, name="ridge", default=0.5, kind=float)
    assert [(knob.kind, knob.optional, knob.default) for knob in knobs.values()] == [
        (int, False, 2),
        (int, True, None),
        (float, False, 0.5),
        (bool, False, True),
    ]


def test_parse_knobs_fills_defaults_in_and_names_strangers():
    knobs = {"ridge": dataclasses.replace(REAL, default=0.0), "rank": FEW}
    assert parse_knobs(knobs, {"rank": "3"}, "Leverage") == {"ridge": 0.0, "rank": 3}
    with pytest.raises(UserError, match="Leverage has no setting colour, size; it has ridge, rank"):
        parse_knobs(knobs, {"size": 1, "colour": 2}, "Leverage")
    with pytest.raises(UserError, match="Random has no setting ridge; it has none"):
        parse_knobs({}, {"ridge": 1}, "Random")


def test_top_k_is_best_first_with_ties_in_the_order_of_the_points():
    chosen = top_k(np.array([0.2, 0.9, 0.5, 0.9, 0.5]), 4)
    assert (
        chosen.indices.tolist() == [1, 3, 2, 4]
        and chosen.gains.tolist() == [0.9, 0.9, 0.5, 0.5]
        and chosen.nested
    )
    assert top_k(np.zeros(5), 3).indices.tolist() == [0, 1, 2]
    assert len(top_k(np.zeros(5), 0)) == 0


def test_top_k_leaves_labeled_points_out():
    labeled = np.array([False, True, False, True, False])
    chosen = top_k(np.array([0.2, 0.9, 0.5, 0.9, 0.5]), 3, labeled)
    assert chosen.indices.tolist() == [2, 4, 0] and chosen.gains.tolist() == [0.5, 0.5, 0.2]
    with pytest.raises(
        UserError, match=r"found 4, but 3 points can be picked. Choose k between 0 and 3"
    ):
        top_k(np.zeros(5), 4, labeled)


@pytest.mark.parametrize("k", [-1, 6, 2.5, "3", None, True])
def test_top_k_refuses_bad_budgets(k):
    with pytest.raises(UserError, match="Budget k: found"):
        top_k(np.zeros(5), k)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_top_k_ranks_no_non_finite_score(bad):
    with pytest.raises(UserError, match="1 of 2 scores are NaN or infinite"):
        top_k(np.array([0.1, bad]), 1)


def test_find_lists_the_names():
    assert find("leverage") is find(find("leverage"))
    with pytest.raises(
        UserError, match=r"Strategy: found 'levrage', expected one of leverage,.*random"
    ):
        find("levrage")


def test_the_menu_begins_with_leverage_and_a_copy_is_handed_out():
    assert next(iter(strategies())) == "leverage" and "random" in strategies()
    strategies().clear()
    assert "leverage" in strategies()


@pytest.fixture
def registry(monkeypatch):
    monkeypatch.setattr(strategy, "_registry", dict(strategies()))


EMBEDDED = Embedded(np.array([[3.0], [1.0], [2.0]], np.float32))


def test_registration_reads_inputs_knobs_and_randomness(registry):
    @scorer("Made up")
    def made_up(embedding, probs, labels=None, *, weight: float = 1.0, rng):
        """The first
        paragraph.

        The second."""
        return np.zeros(len(embedding))

    entry = find("made_up")
    assert (entry.label, entry.kind) == ("Made up", "scorer")
    assert (entry.needs, entry.accepts) == (
        ("embedding", "probs"),
        ("embedding", "probs", "labels"),
    )
    assert (
        list(entry.knobs) == ["weight"]
        and entry.random
        and entry.nested
        and entry.summary == "The first paragraph."
    )
    assert made_up.__name__ == "made_up", "the function stays a plain function"


def test_registration_refuses_inputs_outside_the_vocabulary(registry):
    def odd(embedding, gradients):
        pass

    with pytest.raises(TypeError, match=r"odd: unknown inputs \['gradients'\]"):
        scorer("Odd")(odd)
    assert "odd" not in strategies()


def test_inputs_are_handed_over_by_name_and_missing_ones_explained(registry):
    @scorer("Uses head")
    def uses_head(embedding, head, probs=None):
        return embedding[:, 0].astype(np.float64) * head

    assert missing("uses_head", EMBEDDED) == f"needs {INPUTS['head']}"
    assert missing("uses_head", EMBEDDED, head=2) is None
    assert score("uses_head", EMBEDDED, inputs={"head": 2}).tolist() == [6, 2, 4]
    with pytest.raises(UserError, match="Uses head needs a linear head"):
        score("uses_head", EMBEDDED)


def test_a_ranker_needs_what_any_dataset_gives_or_what_is_made_for_it(registry):
    @scorer("Needs images")
    def needs_images(embedding, images):
        return embedding[:, 0]

    found = menu.rankers()
    assert (
        found["needs_images"] == "needs images"
        and found["fi_active"] == f"needs {INPUTS['labeled']}"
    )
    assert {name for name, reason in found.items() if reason} == {
        "needs_images",
        "fi_active",
        "fi_active_forest",
    }
    assert list(found) == [name for name, entry in strategies().items() if entry.kind == "scorer"]


def test_a_selector_picks_and_has_no_scores(registry):
    @selector("Last first", nested=False)
    def last_first(embedding, *, k):
        return list(range(len(embedding)))[::-1][:k], [1] * k

    chosen = pick("last_first", EMBEDDED, 2)
    assert (
        chosen.indices.tolist() == [2, 1]
        and chosen.indices.dtype == np.int64
        and chosen.gains.dtype == np.float64
        and not chosen.nested
    )
    with pytest.raises(
        UserError, match=r"Last first picks a batch and has no score per point. Use pick"
    ):
        score("last_first", EMBEDDED)


@pytest.mark.parametrize(
    "picked", [[0, 0], [0, 1], [0]], ids=["twice the same", "a labeled one", "too few"]
)
def test_a_selector_that_picks_wrongly_is_stopped(registry, picked):
    @selector("Careless", nested=False)
    def careless(embedding, *, k):
        return picked, [1.0] * len(picked)

    with pytest.raises(ValueError, match="careless: expected 2 new points"):
        pick("careless", Embedded(EMBEDDED.embedding, labeled=np.array([False, True, False])), 2)


def test_two_strategies_cannot_share_a_name(registry):
    def a_norm(module):
        def norm(embedding):
            return embedding[:, 0]

        norm.__module__ = module
        return norm

    scorer("Norm")(a_norm("one.module"))
    scorer("Norm")(a_norm("one.module"))  # the same module may be imported anew
    with pytest.raises(
        TypeError, match=r"norm: one\.module has registered a strategy of this name"
    ):
        scorer("Norm of somebody else")(a_norm("another.module"))


@pytest.mark.parametrize(
    ("values", "message"),
    [([1.0, np.nan, 2.0], "1 of 3 scores are NaN"), ([1.0, 2.0], r"expected \(3,\)")],
)
def test_scores_that_cannot_be_ranked_are_refused(registry, values, message):
    @scorer("Bad")
    def bad(embedding):
        return np.array(values)

    with pytest.raises(UserError, match=message):
        score("bad", EMBEDDED)


def test_without_a_generator_random_numbers_are_still_the_same_each_time():
    assert np.array_equal(
        score("random", EMBEDDED), score("random", EMBEDDED, rng=np.random.default_rng(0))
    )
    assert not np.array_equal(
        score("random", EMBEDDED), score("random", EMBEDDED, rng=np.random.default_rng(1))
    )
