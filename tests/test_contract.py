"""Does every strategy keep the contract that menus, galleries and experiments rely on?

The checks are those of core/plugins/contract.py; they run over the whole registry, so a new
strategy is tested by being registered. Each must also object to a strategy that was broken on
purpose, so that it cannot pass by seeing nothing.
"""

from typing import Annotated

import numpy as np
import pytest

from core import embeddings, strategy
from core.plugins import contract
from core.plugins.contract import CONTRACT, MANNERS, Broken
from core.plugins.contract_inputs import DEGENERATE, D, N, arrays, world
from core.plugins.menu import strategies
from core.strategy import INPUTS, Knob, scorer, selector
from core.types import UserError


@pytest.mark.parametrize("name", strategies())
@pytest.mark.parametrize("check", CONTRACT + MANNERS, ids=lambda check: check.__name__)
def test_contract(check, name):
    check(strategies()[name])


@pytest.mark.parametrize("name", embeddings.embedders())
def test_knobs_of_embeddings_explain_themselves(name):
    contract.knobs_work(embeddings.find(name))
    contract.knobs_explain_themselves(embeddings.find(name))


def test_labels_tell_strategies_apart():
    labels = [entry.label for entry in strategies().values()]
    assert len(set(labels)) == len(labels) and {entry.kind for entry in strategies().values()} <= {
        "scorer",
        "selector",
    }


def test_every_word_of_the_vocabulary_has_an_input_here():
    assert set(world()) == set(INPUTS)


@pytest.mark.parametrize("where", DEGENERATE)
def test_degenerate_worlds_are_whole(where):
    inputs = DEGENERATE[where]()
    n, d = inputs["embedding"].shape
    assert set(inputs) == set(INPUTS) and not inputs["labeled"].all()
    for name, value in inputs.items():
        if isinstance(value, np.ndarray):
            assert value.shape[name in ("member_probs", "record")] == n, name
    head = inputs["head"]
    assert (
        head.fitted_on.embedding is inputs["embedding"]
        and head.weights.shape[1] == d == inputs["validation"].embedding.shape[1]
    )


def test_degenerate_worlds_are_what_they_are_called():
    shapes = {where: make()["embedding"].shape for where, make in DEGENERATE.items()}
    assert (
        shapes["one point alone"] == (1, D)
        and shapes["two points"] == (2, D)
        and shapes["one dimension"] == (N, 1)
    )
    found = {where: make()["embedding"] for where, make in DEGENERATE.items()}
    assert (found["copies of one point"] == found["copies of one point"][0]).all() and not found[
        "points of zeros"
    ].any()
    assert (~found["columns of zeros"].any(axis=0)).nonzero()[0].tolist() == [1, 2]


def test_arrays_are_found_inside_heads_and_embedded_points():
    names = [name for name, _ in arrays(world())]
    assert {"embedding", "probs", "head", "validation", "images"} <= set(names) and names.count(
        "head"
    ) == 5


# ---- strategies broken on purpose, and one that is sound ----


def row_sums(embedding, probs, labeled=None, *, weight: float = 1.0):
    """s_i = sum_j x_ij p_i0. Shapes: (n, d), (n, c) -> (n,). Higher = picked first."""
    return weight * np.asarray(embedding, np.float64).sum(axis=1) * probs[:, 0]


def greedy(embedding, labeled=None, *, k):
    """argmax |x_i| first. (n, d) -> indices (k,), gains (k,): the norm."""
    norms = np.linalg.norm(embedding, axis=1)
    order = [i for i in np.argsort(-norms, kind="stable") if labeled is None or not labeled[i]][:k]
    return np.array(order, int), norms[order]


def forgets_labeled(embedding, *, k):
    return np.arange(k), np.zeros(k)


def repeats(embedding, *, k):
    return np.zeros(k, int), np.zeros(k)


def scales_in_place(embedding):
    embedding *= 2
    return embedding.sum(axis=1).astype(np.float64)


def own_randomness(embedding):
    return np.random.default_rng().random(len(embedding))


def deaf_to_rng(embedding, *, rng):
    return np.arange(len(embedding), dtype=np.float64)


def row_numbers(embedding):
    """In the order of the rows."""
    return np.arange(len(embedding), dtype=np.float64)


def depends_on_k(embedding, labeled=None, *, k):
    order = np.flatnonzero(~labeled)[:k]
    return order[::-1], np.zeros(k)


def single_precision(embedding):
    return embedding.sum(axis=1)


def too_few(embedding):
    return np.zeros(len(embedding) - 1)


def words(embedding):
    return np.full(len(embedding), "high")


def only_indices(embedding, *, k):
    return np.arange(k)


def of_length_one(embedding):
    return (embedding / np.linalg.norm(embedding, axis=1, keepdims=True))[:, 0].astype(np.float64)


def third_neighbour(embedding):
    return np.sort(((embedding[:, None] - embedding[None]) ** 2).sum(axis=2), axis=1)[:, 3].astype(
        np.float64
    )


def of_a_strange_kind(embedding, *, weights=(1.0, 2.0)):
    return embedding.sum(axis=1).astype(np.float64)


def fails_at_its_end(
    embedding, *, power: Annotated[float, Knob("Power", "Of the norm.", choices=(1.0, 2.0))] = 1.0
):
    return {1.0: embedding.sum(axis=1).astype(np.float64)}[power]


def half(embedding, labeled=None, *, k):
    order = np.flatnonzero(~labeled)[: k // 2]
    return order, np.zeros(len(order))


def infinite(embedding):
    return np.full(len(embedding), np.inf)


def no_help(embedding, *, weight: float = 1.0):
    return row_numbers(embedding)


def out_of_its_range(
    embedding, *, weight: Annotated[float, Knob("Weight", "How much it weighs.", low=2.0)] = 1.0
):
    return row_numbers(embedding)


C = contract
BROKEN = [
    (
        C.gives_finite_numbers_of_the_right_shape,
        scorer("x"),
        infinite,
        r"found inf for 24 points; a score must be a finite number",
    ),
    (
        C.gives_finite_numbers_of_the_right_shape,
        scorer("x"),
        too_few,
        r"found scores of shape \(23,\) for 24 points, expected \(24,\)",
    ),
    (
        C.gives_finite_numbers_of_the_right_shape,
        scorer("x"),
        words,
        "scores for 24 points, expected numbers",
    ),
    (
        C.gives_finite_numbers_of_the_right_shape,
        selector("x", nested=True),
        only_indices,
        "found ndarray, expected a pair",
    ),
    (
        C.leaves_its_inputs_alone,
        scorer("x"),
        scales_in_place,
        "it changed its input embedding in place. Work on a copy",
    ),
    (C.works_on_read_only_inputs, scorer("x"), scales_in_place, "read-only"),
    (C.same_rng_same_answer, scorer("x"), own_randomness, "two runs with the same seed differ"),
    (C.another_rng_another_answer, scorer("x"), deaf_to_rng, "ten seeds give the same answer"),
    (C.order_of_points_does_not_matter, scorer("x"), row_numbers, "2[0-4] of 24 get another score"),
    (
        C.order_of_points_does_not_matter,
        selector("x", nested=True),
        depends_on_k,
        "in another order of the points it picks others",
    ),
    (
        C.nested_holds_where_it_is_declared,
        selector("x", nested=True),
        depends_on_k,
        "its 1 points are not the first 1 of its 9",
    ),
    (
        C.picks_each_point_once_and_no_labeled_one,
        selector("x", nested=True),
        repeats,
        "expected 7 new points, but it picked 1 different",
    ),
    (
        C.picks_each_point_once_and_no_labeled_one,
        selector("x", nested=True),
        forgets_labeled,
        "1 of them labeled",
    ),
    (
        C.picks_each_point_once_and_no_labeled_one,
        selector("x", nested=True),
        half,
        "expected 1 new points, but it picked 0",
    ),
    (
        C.knobs_work,
        scorer("x"),
        out_of_its_range,
        "weight: found 1.0, expected a number of at least 2",
    ),
    (C.knobs_work, scorer("x"), of_a_strange_kind, "knob weights is a tuple, expected a number"),
    (
        C.every_step_of_a_knob_works_or_says_why_not,
        scorer("x"),
        fails_at_its_end,
        "with power = 2.0: 2.0",
    ),
    (
        C.stays_calm_on_degenerate_points,
        scorer("x"),
        of_length_one,
        "found nan for points of zeros; a score must be a finite number",
    ),
    (
        C.stays_calm_on_degenerate_points,
        scorer("x"),
        third_neighbour,
        "one point alone: index 3 is out of bounds",
    ),
    (
        C.stays_calm_on_degenerate_points,
        selector("x", nested=True),
        half,
        "one point alone: half: expected 1 new points",
    ),
    (C.scores_are_float64, scorer("x"), single_precision, "found float32 scores, expected float64"),
    (C.knobs_explain_themselves, scorer("x"), no_help, "knob weight has no words of its own"),
    (C.docstring_tells_formula_shapes_and_direction, scorer("x"), row_numbers, "its docstring"),
]


@pytest.fixture
def registered(monkeypatch):
    """Register a function for one test only."""
    monkeypatch.setattr(strategy, "_registry", dict(strategies()))

    def register(decorate, function):
        decorate(function)
        return strategy._registry[function.__name__]

    return register


IDS = [f"{function.__name__}-{check.__name__}" for check, _, function, _ in BROKEN]


@pytest.mark.parametrize(("check", "decorate", "function", "message"), BROKEN, ids=IDS)
def test_the_check_notices_a_broken_strategy(check, decorate, function, message, registered):
    entry = registered(decorate, function)
    with np.errstate(all="ignore"), pytest.raises((Broken, ValueError, UserError), match=message):
        check(entry)


def test_a_refusal_in_words_is_no_fault(registered):
    def only_many(embedding):
        if len(embedding) < 5:
            raise UserError("This needs 5 points.")
        return embedding.sum(axis=1).astype(np.float64)

    C.stays_calm_on_degenerate_points(registered(scorer("x"), only_many))


def test_every_finding_has_its_sentence(registered):
    found = {
        finding.check: finding
        for finding in contract.findings(registered(scorer("x"), fails_at_its_end))
    }
    assert list(found) == [check.__name__.replace("_", " ") for check in CONTRACT + MANNERS]
    assert found["every step of a knob works or says why not"].fault == "with power = 2.0: 2.0"
    assert (
        found["gives finite numbers of the right shape"].fault is None
        and not found["gives finite numbers of the right shape"].advice
    )
    assert (
        found["docstring tells formula shapes and direction"].advice
        and found["docstring tells formula shapes and direction"].fault
    )


SOUND = [(scorer("Sums"), row_sums), (selector("Greedy", nested=True), greedy)]


@pytest.mark.parametrize(
    "check",
    [check for check in CONTRACT + MANNERS if check is not C.knobs_explain_themselves],
    ids=lambda check: check.__name__,
)
@pytest.mark.parametrize(("decorate", "function"), SOUND, ids=["scorer", "selector"])
def test_the_check_accepts_a_sound_strategy(check, decorate, function, registered):
    check(registered(decorate, function))
