"""Does every strategy keep the contract that menus, galleries and experiments rely on?

Each check is a function of a strategy; it runs over the whole registry, so a new strategy is tested by being registered.
Each must also object to a strategy that was broken on purpose, so that it cannot pass by seeing nothing. Inputs come by
name from the closed vocabulary `INPUTS`, for 24 points of 5 dimensions in 3 classes, 4 of them labeled.
"""

import copy
import dataclasses
from collections.abc import Callable
from contextlib import suppress
from typing import Annotated

import numpy as np
import pytest

from core import embeddings, strategy
from core.strategy import INPUTS, Knob, missing, pick, score, scorer, selector, strategies
from core.types import Embedded, Head, UserError

N, D, C = 24, 5, 3
IN_EMBEDDED = ("embedding", "probs", "labels", "labeled")


def softmax(logits):
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def world(order=None) -> dict:
    """Every input of the vocabulary, the points in this order."""
    rng, order = np.random.default_rng(5), np.arange(N) if order is None else order
    embedding = rng.normal(size=(N, D)).astype(np.float32)[order]
    weights, intercepts = rng.normal(size=(C, D)), rng.normal(size=C)
    labels, labeled = rng.permutation(np.arange(N) % C)[order], (np.arange(N) % 6 == 1)[order]
    unseen = rng.normal(size=(9, D)).astype(np.float32)
    members = softmax(rng.normal(size=(4, N, C)))[:, order]
    probs = softmax(embedding @ weights.T + intercepts)
    return {
        "embedding": embedding,
        "probs": probs,
        "labels": labels,
        "labeled": labeled,
        "head": Head(weights, intercepts, 0.1, Embedded(embedding, probs, labels)),
        "validation": Embedded(unseen, softmax(unseen @ weights.T + intercepts), np.arange(9) % C),
        "member_probs": members,
        "record": softmax(3 * rng.normal(size=(6, N, C)))[:, order],
        "images": rng.integers(0, 256, (N, 6, 6), dtype=np.uint8)[order],
    }


def given(entry, inputs: dict, labeled: bool = True) -> tuple[Embedded, dict]:
    """What of these inputs the strategy accepts, as pick() and score() take it."""
    kept = {name: value for name, value in inputs.items() if name in (*entry.accepts, "embedding", *(["labeled"] if labeled else []))}
    return Embedded(**{n: v for n, v in kept.items() if n in IN_EMBEDDED}), {n: v for n, v in kept.items() if n not in IN_EMBEDDED}


def picked(entry, k: int, inputs: dict | None = None, seed: int = 3):
    embedded, more = given(entry, inputs or world())
    return pick(entry, embedded, k, rng=np.random.default_rng(seed), inputs=more)


def scored(entry, inputs: dict | None = None, seed: int = 3):
    embedded, more = given(entry, inputs or world())
    return score(entry, embedded, rng=np.random.default_rng(seed), inputs=more)


def arrays(value) -> list[np.ndarray]:
    """All arrays inside the inputs, in a fixed order."""
    if isinstance(value, np.ndarray):
        return [value]
    parts = list(value.values()) if isinstance(value, dict) else [getattr(value, f.name) for f in dataclasses.fields(value)]
    return [array for part in parts if isinstance(part, np.ndarray | Embedded | Head) for array in arrays(part)]


UNLABELED = np.flatnonzero(~world()["labeled"])
POOL = len(UNLABELED)


# ---- the contract ----


def gives_finite_numbers_of_the_right_shape(entry):
    if entry.kind == "scorer":
        inputs, rng = {name: world()[name] for name in entry.accepts}, {"rng": np.random.default_rng(0)} if entry.random else {}
        raw = entry.function(**inputs, **rng)
        assert raw.shape == (N,) and raw.dtype == np.float64 and np.isfinite(raw).all()
    chosen = picked(entry, 5)
    assert chosen.indices.shape == chosen.gains.shape == (5,)
    assert chosen.indices.dtype == np.int64 and chosen.gains.dtype == np.float64 and np.isfinite(chosen.gains).all()
    assert chosen.nested == entry.nested


def leaves_its_inputs_alone(entry):
    inputs = world()
    before = copy.deepcopy(arrays(inputs))
    picked(entry, 5, inputs)
    assert all(np.array_equal(a, b) for a, b in zip(arrays(inputs), before, strict=True))


def works_on_read_only_inputs(entry):
    inputs = world()
    for array in arrays(inputs):
        array.flags.writeable = False
    assert len(picked(entry, 5, inputs)) == 5


def same_rng_same_answer(entry):
    first, second = picked(entry, 6), picked(entry, 6)
    assert np.array_equal(first.indices, second.indices) and np.array_equal(first.gains, second.gains)


def another_rng_another_answer(entry):
    if entry.random:
        assert any(not np.array_equal(picked(entry, 6).indices, picked(entry, 6, seed=seed).indices) for seed in range(10, 20))


def order_of_points_does_not_matter(entry):
    if entry.random:
        return
    order = np.random.default_rng(8).permutation(N)
    if entry.kind == "scorer":
        plain = scored(entry)
        assert np.allclose(scored(entry, world(order)), plain[order], rtol=1e-6, atol=1e-9 * np.abs(plain).max())
        if len(np.unique(plain[UNLABELED])) < POOL:  # counts: which of equal points is picked does depend on their order
            return
    assert np.array_equal(order[picked(entry, 6, world(order)).indices], picked(entry, 6).indices)


def nested_holds_where_it_is_declared(entry):
    if entry.nested:
        most = picked(entry, 9)
        for j in (0, 1, 4, 8):
            assert np.array_equal(picked(entry, j).indices, most.indices[:j])
            assert np.allclose(picked(entry, j).gains, most.gains[:j])


def picks_each_point_once_and_no_labeled_one(entry):
    for k in (0, 1, 7, POOL):
        indices = picked(entry, k).indices
        assert len(indices) == k and len(set(indices)) == k and set(indices) <= set(UNLABELED)


def bad_budgets_are_refused(entry):
    for k in (POOL + 1, -1, 2.5, True):
        with pytest.raises(UserError, match="Budget k"):
            picked(entry, k)


def a_missing_input_is_named(entry):
    for name in set(entry.needs) - {"embedding"}:
        embedded, more = given(entry, {n: v for n, v in world().items() if n != name})
        reason = missing(entry, embedded, **more)
        assert reason and reason.startswith("needs ") and INPUTS[name] in reason
        with pytest.raises(UserError) as refused:
            pick(entry, embedded, 2, inputs=more)
        assert entry.label in str(refused.value) and INPUTS[name] in str(refused.value)
    embedded, more = given(entry, world())
    assert missing(entry, embedded, **more) is None


def knobs_explain_themselves(entry):
    for name, knob in entry.knobs.items():
        assert knob.name == name and knob.label and knob.label != name and len(knob.help) > 10, name
        assert knob.kind in (int, float, str, bool), name
        assert knob.parse(str(knob.default)) == knob.default, f"{name}: the default is outside its own range"
        assert not knob.choices or knob.default in knob.choices, f"{name}: the default is no step of its slider"
        assert knob.choices or knob.kind is not str, f"{name}: a text needs its choices"
        assert [knob.parse(str(choice)) for choice in knob.choices] == list(knob.choices), name


def every_step_of_a_knob_works_or_says_why_not(entry):
    embedded, more = given(entry, world())
    for name, knob in entry.knobs.items():
        for choice in knob.choices:
            with suppress(UserError):
                assert len(pick(entry, embedded, 5, rng=np.random.default_rng(3), inputs=more, **{name: choice})) == 5


def docstring_tells_formula_shapes_and_direction(entry):
    text = entry.function.__doc__ or ""
    assert len(entry.summary) > 20 and "(n" in text and any(sign in text for sign in "=^[∑|")
    assert "igher" in text if entry.kind == "scorer" else "gain" in text


CONTRACT: list[Callable] = [
    gives_finite_numbers_of_the_right_shape,
    leaves_its_inputs_alone,
    works_on_read_only_inputs,
    same_rng_same_answer,
    another_rng_another_answer,
    order_of_points_does_not_matter,
    nested_holds_where_it_is_declared,
    picks_each_point_once_and_no_labeled_one,
    bad_budgets_are_refused,
    a_missing_input_is_named,
    knobs_explain_themselves,
    every_step_of_a_knob_works_or_says_why_not,
    docstring_tells_formula_shapes_and_direction,
]


@pytest.mark.parametrize("name", strategies())
@pytest.mark.parametrize("check", CONTRACT, ids=lambda check: check.__name__)
def test_contract(check, name):
    check(strategies()[name])


@pytest.mark.parametrize("name", embeddings.embedders())
def test_knobs_of_embeddings_explain_themselves(name):
    knobs_explain_themselves(embeddings.find(name))


def test_labels_tell_strategies_apart():
    labels = [entry.label for entry in strategies().values()]
    assert len(set(labels)) == len(labels) and {entry.kind for entry in strategies().values()} <= {"scorer", "selector"}


def test_every_word_of_the_vocabulary_has_an_input_here():
    assert set(world()) == set(INPUTS)


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


def infinite(embedding):
    return np.full(len(embedding), np.inf)


def no_help(embedding, *, weight: float = 1.0):
    return row_numbers(embedding)


def out_of_its_range(embedding, *, weight: Annotated[float, Knob("Weight", "How much it weighs.", low=2.0)] = 1.0):
    return row_numbers(embedding)


BROKEN = [
    (gives_finite_numbers_of_the_right_shape, scorer("x"), single_precision),
    (gives_finite_numbers_of_the_right_shape, scorer("x"), infinite),
    (leaves_its_inputs_alone, scorer("x"), scales_in_place),
    (works_on_read_only_inputs, scorer("x"), scales_in_place),
    (same_rng_same_answer, scorer("x"), own_randomness),
    (another_rng_another_answer, scorer("x"), deaf_to_rng),
    (order_of_points_does_not_matter, scorer("x"), row_numbers),
    (order_of_points_does_not_matter, selector("x", nested=True), depends_on_k),
    (nested_holds_where_it_is_declared, selector("x", nested=True), depends_on_k),
    (picks_each_point_once_and_no_labeled_one, selector("x", nested=True), repeats),
    (picks_each_point_once_and_no_labeled_one, selector("x", nested=True), forgets_labeled),
    (knobs_explain_themselves, scorer("x"), no_help),
    (knobs_explain_themselves, scorer("x"), out_of_its_range),
    (docstring_tells_formula_shapes_and_direction, scorer("x"), row_numbers),
]


@pytest.fixture
def registered(monkeypatch):
    """Register a function for one test only."""
    monkeypatch.setattr(strategy, "_registry", dict(strategies()))

    def register(decorate, function):
        decorate(function)
        return strategy._registry[function.__name__]

    return register


@pytest.mark.parametrize(("check", "decorate", "function"), BROKEN, ids=[f"{f.__name__}-{c.__name__}" for c, _, f in BROKEN])
def test_the_check_notices_a_broken_strategy(check, decorate, function, registered):
    with pytest.raises((AssertionError, ValueError, UserError)):
        check(registered(decorate, function))


SOUND = [(scorer("Sums"), row_sums), (selector("Greedy", nested=True), greedy)]


@pytest.mark.parametrize("check", [check for check in CONTRACT if check is not knobs_explain_themselves], ids=lambda check: check.__name__)
@pytest.mark.parametrize(("decorate", "function"), SOUND, ids=["scorer", "selector"])
def test_the_check_accepts_a_sound_strategy(check, decorate, function, registered):
    check(registered(decorate, function))
