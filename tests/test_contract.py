"""Does every strategy keep the contract that menus, galleries and experiments rely on?

The checks are those of core/plugins/contract.py; they run over the whole registry, so a new
strategy is tested by being registered. Each must also object to a strategy that was broken on
purpose, so that it cannot pass by seeing nothing.
"""

import re
from functools import cache
from typing import Annotated

import numpy as np
import pytest

from core import embeddings, strategy
from core.plugins import contract, manners
from core.plugins.contract import ADVICE, CONTRACT, Broken
from core.plugins.contract_inputs import DEGENERATE, FEW, D, arrays, world
from core.plugins.menu import strategies
from core.strategy import INPUTS, Knob, scorer, selector
from core.types import UserError

CALM = contract.stays_calm_on_degenerate_points  # tried with its refusals, below
REST = [check for check in CONTRACT + ADVICE if check is not CALM]


@pytest.mark.parametrize("name", strategies())
@pytest.mark.parametrize("check", REST, ids=lambda check: check.__name__)
def test_contract(check, name):
    assert check(strategies()[name]) is None


# Who may refuse which degenerate worlds, and what the reason says. Who: all that need this input,
# or one strategy by its name. Whatever is not listed has an answer.
NO_LABELS = ("one point alone", "two points", "two points in many dimensions")
MAY_REFUSE = [
    # Without labeled points there is nothing to compare with.
    ("labeled", (*NO_LABELS, "copies of one point"), "at least one labeled point"),
    ("labeled", ("nothing labeled",), "at least one labeled point"),
    ("labeled", ("no labeled set",), "needs a labeled set"),
    # One class leaves a head, or the probabilities' covariance, without a parameter.
    ("head", ("one class",), "found 1 class|knows 1 class"),
    ("fisher_leverage", ("one class",), "found 1 class"),
    ("bait", ("one class",), "found 1 class"),
    # Rounding is larger than what decides.
    ("head", ("large numbers",), "Hessian of this head is singular|did not settle"),
    ("bait", ("large numbers",), "lost to rounding"),
    ("bait_regression", ("large numbers",), "rounding would decide"),
    ("log_det", ("large numbers",), "rounding decides below .*Raise it"),
    # What is left without the point has no head.
    ("leave_one_out", NO_LABELS, "without it no head can be fitted"),
    ("leave_one_out", ("copies of one point",), "points of at least two classes"),
    ("newton_influence", ("one point alone",), "Hessian of this head is singular"),
]


@cache
def refused(name):
    with np.errstate(all="ignore"):
        return contract.refusals(strategies()[name])


def permission(entry, where, reason):
    """The row of MAY_REFUSE that allows this, or None."""
    for who, worlds, says in MAY_REFUSE:
        if who in (entry.name, *entry.needs) and where in worlds and re.search(says, reason):
            return who, worlds, says
    return None


def unknown_reasons(entry, reasons):
    return {where: why for where, why in reasons.items() if not permission(entry, where, why)}


@pytest.mark.parametrize("name", strategies())
def test_degenerate_points_have_an_answer_or_a_reason_that_is_known(name):
    assert unknown_reasons(strategies()[name], refused(name)) == {}


def test_every_reason_is_given_by_one_of_us():
    used = [
        permission(entry, where, reason)
        for name, entry in strategies().items()
        for where, reason in refused(name).items()
    ]
    # What rounding leaves of large numbers depends on the machine.
    sure = [row for row in MAY_REFUSE if row[1] != ("large numbers",)]
    assert [row for row in sure if row not in used] == []


def test_a_reason_that_is_not_listed_is_noticed(registered):
    def only_many(embedding):
        if len(embedding) < 5:
            raise UserError("This needs 5 points.")
        return embedding.sum(axis=1).astype(np.float64)

    entry = registered(scorer("x"), only_many)
    assert tuple(unknown_reasons(entry, contract.refusals(entry))) == NO_LABELS


@pytest.mark.parametrize("name", embeddings.embedders())
def test_knobs_of_embeddings_explain_themselves(name):
    contract.knobs_work(embeddings.find(name))
    assert manners.knobs_explain_themselves(embeddings.find(name)) is None


def test_labels_tell_strategies_apart():
    labels = [entry.label for entry in strategies().values()]
    assert len(set(labels)) == len(labels) and {entry.kind for entry in strategies().values()} <= {
        "scorer",
        "selector",
    }


def test_every_word_of_the_vocabulary_has_an_input_here():
    assert set(world()) == set(INPUTS)


SOME_LABELED = {"nothing labeled": FEW, "all labeled but two": 2, "all labeled": 0}


@pytest.mark.parametrize("where", DEGENERATE)
def test_degenerate_worlds_are_whole(where):
    inputs = DEGENERATE[where]()
    n, d = inputs["embedding"].shape
    assert set(inputs) == set(INPUTS)
    for name, value in inputs.items():
        if isinstance(value, np.ndarray):
            assert value.shape[name in ("member_probs", "record")] == n, name
    head = inputs["head"]
    c = len(head.weights)
    assert head.fitted_on.embedding is inputs["embedding"]
    assert head.weights.shape[1] == d == inputs["validation"].embedding.shape[1]
    assert c == len(head.intercepts) == inputs["validation"].probs.shape[1]
    for name in ("probs", "member_probs", "record"):
        assert inputs[name].shape[-1] == c, name
        np.testing.assert_allclose(inputs[name].sum(axis=-1), 1)
    assert inputs["labels"].max() < c and inputs["validation"].labels.max() < c


def test_degenerate_worlds_are_what_they_are_called():
    found = {where: make()["embedding"] for where, make in DEGENERATE.items()}
    assert found["one point alone"].shape == (1, D) and found["two points"].shape == (2, D)
    assert found["two points in many dimensions"].shape == (2, 40)
    assert found["one dimension"].shape == (FEW, 1)
    assert (found["copies of one point"] == found["copies of one point"][0]).all()
    assert not found["points of zeros"].any()
    assert (~found["columns of zeros"].any(axis=0)).nonzero()[0].tolist() == [1, 2]
    assert np.abs(found["large numbers"]).max() > 1e15 > 1e-14 > found["small numbers"].max() > 0


def test_degenerate_predictions_and_labels_are_what_they_are_called():
    found = {where: make() for where, make in DEGENERATE.items()}
    for name in ("probs", "member_probs", "record"):
        assert set(found["certain predictions"][name].ravel()) == {0.0, 1.0}
        assert set(found["even predictions"][name].ravel()) == {1 / 3}
        assert found["one class"][name].shape[-1] == 1
    assert found["no labeled set"]["labeled"] is None
    unlabeled = {where: int((~found[where]["labeled"]).sum()) for where in SOME_LABELED}
    assert unlabeled == SOME_LABELED


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


def sum_of_ninth_powers(embedding):
    return (np.abs(embedding) ** 9).sum(axis=1).astype(np.float64)


def divides_by_a_small_power(embedding):
    sizes = np.linalg.norm(embedding, axis=1)
    powers = np.where(sizes > 0, sizes**9, 1)
    return (1 / powers).astype(np.float64)


def takes_logarithms(embedding, probs):
    return -(probs * np.log(probs)).sum(axis=1)


def by_its_range(embedding, probs):
    return probs[:, 0] / np.ptp(probs, axis=1)


def of_the_second_class(embedding, probs):
    return probs[:, 1]


def inverts_labeled(embedding, labeled=None):
    return (~labeled).astype(np.float64)


def far_from_the_unlabeled(embedding, labeled=None):
    rest = embedding if labeled is None else embedding[~labeled]
    return (embedding @ rest.min(axis=0)).astype(np.float64)


def from_the_end(embedding, *, k):
    return np.arange(-k, 0), np.zeros(k)


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
    (CALM, scorer("x"), sum_of_ninth_powers, "found inf for large numbers"),
    (CALM, scorer("x"), divides_by_a_small_power, "found inf for small numbers"),
    (CALM, scorer("x"), takes_logarithms, "found nan for certain predictions"),
    (CALM, scorer("x"), by_its_range, "found inf for even predictions"),
    (CALM, scorer("x"), of_the_second_class, "one class: index 1 is out of bounds"),
    (CALM, scorer("x"), inverts_labeled, "no labeled set: bad operand type for unary ~"),
    (CALM, scorer("x"), far_from_the_unlabeled, "^all labeled: zero-size array"),
    (
        CALM,
        selector("x", nested=True),
        from_the_end,
        r"one point alone: it picked the rows \[-1\], which are none to pick",
    ),
    (
        manners.scores_are_float64,
        scorer("x"),
        single_precision,
        "found float32 scores, expected float64",
    ),
    (manners.knobs_explain_themselves, scorer("x"), no_help, "knob weight has no words of its own"),
    (
        manners.docstring_tells_formula_shapes_and_direction,
        scorer("x"),
        row_numbers,
        "its docstring",
    ),
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
    with np.errstate(all="ignore"):
        try:
            fault = check(entry)
        except (Broken, ValueError, UserError) as error:
            fault = str(error)
    assert re.search(message, fault or "nothing")


@pytest.mark.parametrize("where", DEGENERATE)
def test_a_fault_in_one_degenerate_world_is_noticed(where, registered):
    there = DEGENERATE[where]()

    def fails_there(embedding, probs, labeled=None):
        found = {"embedding": embedding, "probs": probs, "labeled": labeled}
        same = all(np.array_equal(value, there[name]) for name, value in found.items())
        return np.full(len(embedding), np.nan if same else 0.0)

    with pytest.raises(Broken, match=f"found nan for {where};"):
        C.stays_calm_on_degenerate_points(registered(scorer("x"), fails_there))


def test_a_refusal_in_words_is_no_fault(registered):
    def only_dense(embedding):
        if not embedding.any():
            raise UserError("This needs points that differ from zero.")
        return embedding.sum(axis=1).astype(np.float64)

    entry = registered(scorer("x"), only_dense)
    C.stays_calm_on_degenerate_points(entry)
    assert list(contract.refusals(entry)) == ["points of zeros"]


def test_every_finding_has_its_sentence(registered):
    found = {
        finding.check: finding
        for finding in contract.findings(registered(scorer("x"), fails_at_its_end))
    }
    assert list(found) == [check.__name__.replace("_", " ") for check in CONTRACT + ADVICE]
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
    [check for check in CONTRACT + ADVICE if check is not manners.knobs_explain_themselves],
    ids=lambda check: check.__name__,
)
@pytest.mark.parametrize(("decorate", "function"), SOUND, ids=["scorer", "selector"])
def test_the_check_accepts_a_sound_strategy(check, decorate, function, registered):
    assert check(registered(decorate, function)) is None


# ---- sound strategies that compute in float32, and broken ones ----


def distance_from_the_middle_32(embedding):
    """x_i . m: sums in another order end in another digit. (n, d) -> (n,)."""
    x = embedding.astype(np.float32)
    return (x @ x.mean(axis=0)).astype(np.float64)


def sums_of_centred_32(embedding):
    """sum_j (x_ij - m_j): a small difference of larger numbers."""
    x = embedding.astype(np.float32)
    return (x - x.mean(axis=0)) @ np.ones(x.shape[1], np.float32)


def norms_of_cubes_32(embedding):
    """|X^T X x_i|, whose square is of the sixth degree."""
    x = embedding.astype(np.float32)
    return np.linalg.norm(x @ (x.T @ x), axis=1)


def hat_32(embedding):
    """x_i^T (X^T X + c)^-1 x_i, which rounding harms more the worse the condition."""
    x = embedding.astype(np.float32)
    x = x @ np.diag([1, 1, 1, 1, 1e-2][: x.shape[1]]).astype(np.float32) if x.shape[1] == 5 else x
    gram = x.T @ x + np.float32(1e-4) * np.eye(x.shape[1], dtype=np.float32)
    return np.einsum("nd,dn->n", x, np.linalg.solve(gram, x.T)) - 0.2


def kernel_in_torch_32(embedding, probs):
    """|sum_j k(x_i, x_j) p_j - mean| with torch's float32."""
    import torch

    x = torch.tensor(embedding, dtype=torch.float32)
    p = torch.tensor(probs, dtype=torch.float32)
    found = torch.exp(-torch.cdist(x, x) / (1 + x.norm(dim=1).mean())) @ p
    return (found - found.mean(dim=0)).norm(dim=1).numpy()


def residuals_32(embedding, labeled=None, *, k):
    """argmax |r_i| first, r what the picks before do not span; past the rank rounding decides."""
    rest = embedding.astype(np.float32)
    free = np.ones(len(rest), bool) if labeled is None else ~labeled
    picks, gains = [], []
    for _ in range(k):
        sizes = np.where(free, (rest**2).sum(axis=1), -np.inf)
        best = int(sizes.argmax())
        picks.append(best)
        gains.append(sizes[best])
        free[best] = False
        if sizes[best] > 0:
            rest = rest - np.outer(rest @ rest[best] / sizes[best], rest[best])
    return np.array(picks, int), np.array(gains)


IN_FLOAT32 = [
    (scorer("x"), distance_from_the_middle_32),
    (scorer("x"), sums_of_centred_32),
    (scorer("x"), norms_of_cubes_32),
    (scorer("x"), hat_32),
    (scorer("x"), kernel_in_torch_32),
    (selector("x", nested=True), residuals_32),
]


@pytest.mark.parametrize(
    ("decorate", "function"), IN_FLOAT32, ids=[function.__name__ for _, function in IN_FLOAT32]
)
def test_sound_float32_keeps_every_promise(decorate, function, registered):
    found = contract.findings(registered(decorate, function))
    assert [str(finding) for finding in found if finding.broken] == []


def by_row_32(embedding):
    return embedding[:, 0] + np.float32(1e-4) * np.arange(len(embedding), dtype=np.float32)


def by_the_first_row_32(embedding):
    x = embedding.astype(np.float32)
    return x @ x.mean(axis=0) + np.float32(1e-2) * x[0, 0] * x[:, 1]


def unseeded_32(embedding):
    noise = np.random.default_rng().normal(size=len(embedding)).astype(np.float32)
    return embedding[:, 0] + np.float32(1e-6) * noise


def lost_digits_64(embedding):
    """A float64 strategy whose small scores hang on the row: float32's tolerance is not for it."""
    x = embedding.astype(np.float64)
    return np.where(x[:, 0] > 0.5, x[:, 0], 0) + 1e-8 * np.arange(len(x))


def first_rows_32(embedding, labeled=None, *, k):
    rows = np.arange(len(embedding)) if labeled is None else np.flatnonzero(~labeled)
    return rows[:k], np.zeros(k, np.float32)


@pytest.mark.parametrize(
    ("decorate", "function", "check"),
    [
        (scorer("x"), by_row_32, C.order_of_points_does_not_matter),
        (scorer("x"), by_the_first_row_32, C.order_of_points_does_not_matter),
        (scorer("x"), unseeded_32, C.same_rng_same_answer),
        (scorer("x"), lost_digits_64, C.order_of_points_does_not_matter),
        (selector("x", nested=True), first_rows_32, C.order_of_points_does_not_matter),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_float32_excuses_nothing_else(decorate, function, check, registered):
    with pytest.raises(Broken):
        check(registered(decorate, function))


def test_float32_that_overflows_is_told_as_advice(registered):
    found = {
        finding.check: finding
        for finding in contract.findings(registered(scorer("x"), norms_of_cubes_32))
    }
    assert found["stays calm on degenerate points"].fault is None
    advice = found["bears large and small numbers"]
    assert advice.advice and advice.fault.startswith("found inf for large numbers")


def test_float64_that_overflows_is_broken(registered):
    def ninety(embedding):
        return (np.abs(embedding.astype(np.float64)) ** 90).sum(axis=1)

    with np.errstate(over="ignore"), pytest.raises(Broken, match="found inf for large numbers"):
        C.stays_calm_on_degenerate_points(registered(scorer("x"), ninety))
