"""Does a strategy keep the contract that menus, galleries and experiments rely on?

    findings(menu.find("leverage"))   one Finding per check: kept, or what is wrong and its mend

A check is a function of a strategy that raises Broken. `CONTRACT` must be kept, or the app shows
something wrong or stops; what is advice (core/plugins/manners.py) is what the screen gets its
explanations from. What two answers may differ by follows the precision that the strategy computes
in (core/plugins/rounding.py).
tests/test_contract.py runs both over the whole registry, `python -m core check` over the strategies
of one file; embeddings have a contract of their own (core/plugins/embedding_contract.py).
Degenerate input may be refused by a UserError, which the screen shows; anything else is a fault.
Which of our own strategies may refuse what is listed in that test.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from core.plugins import promises, rounding
from core.plugins.contract_inputs import (
    DEGENERATE,
    MILDER,
    Inputs,
    N,
    arrays,
    given,
    picked,
    returned,
    scored,
    world,
)
from core.plugins.loading import Crashed
from core.plugins.manners import MANNERS
from core.plugins.promises import Broken, Finding, check_numbers, demand, excused
from core.strategy import INPUTS, Strategy, missing, pick
from core.types import Ints, UserError

UNLABELED = np.flatnonzero(~world()["labeled"])
POOL = len(UNLABELED)
PLACE = (
    "What a point is worth must not depend on its row:"
    " use no row numbers, and break ties by values."
)


def findings(entry: Strategy) -> Iterator[Finding]:
    """Every check of the strategy, one after the other."""
    return promises.findings(entry, CONTRACT, ADVICE)


# ---- the contract ----


def gives_finite_numbers_of_the_right_shape(entry: Strategy) -> None:
    """One score per point, or k indices and k gains."""
    if entry.kind == "scorer":
        return check_numbers(returned(entry), (N,), "scores", f"{N} points")
    found = returned(entry, k=5)
    demand(
        isinstance(found, tuple) and len(found) == 2,
        f"found {type(found).__name__}, expected a pair: indices (k,), gains (k,).",
    )
    check_numbers(found[0], (5,), "indices", "a budget of 5")
    check_numbers(found[1], (5,), "gains", "a budget of 5")


def leaves_its_inputs_alone(entry: Strategy) -> None:
    """Arrays are shared: what one strategy changes, all others would see."""
    inputs = world()
    before = copy.deepcopy(arrays(inputs))
    picked(entry, 5, inputs)
    now = arrays(inputs)
    changed = {
        id(array): name
        for (name, array), (_, then) in list(zip(now, before, strict=True))[::-1]
        if not np.array_equal(array, then)
    }
    names = ", ".join(sorted(set(changed.values())))
    demand(
        not changed,
        f"it changed its input {names} in place. Work on a copy, or write x = x * 2, not x *= 2.",
    )


def works_on_read_only_inputs(entry: Strategy) -> None:
    """The app hands over read-only arrays."""
    inputs = world()
    for _, array in arrays(inputs):
        array.flags.writeable = False
    picked(entry, 5, inputs)


def same_rng_same_answer(entry: Strategy) -> None:
    """A result can be computed again."""
    first = picked(entry, 6)
    second = picked(entry, 6)
    same = np.array_equal(first.indices, second.indices)
    same = same and np.array_equal(first.gains, second.gains)
    demand(
        same,
        "two runs with the same seed differ. Draw random numbers only from rng, a keyword-only"
        " parameter without default.",
    )


def another_rng_another_answer(entry: Strategy) -> None:
    """What takes a seed must listen to it."""
    if entry.random:
        heard = any(
            not np.array_equal(picked(entry, 6).indices, picked(entry, 6, seed=seed).indices)
            for seed in range(10, 20)
        )
        demand(heard, "ten seeds give the same answer. Draw from rng, or leave that parameter out.")


def order_of_points_does_not_matter(entry: Strategy) -> None:
    """Permuted points get permuted scores; those that draw random numbers are excused."""
    if entry.random:
        return
    order = np.random.default_rng(8).permutation(N)
    # Which of points with equal scores is picked does depend on their order.
    if entry.kind == "scorer" and not _scores_follow(entry, order):
        return
    plain = picked(entry, 6).indices
    moved = order[picked(entry, 6, world(order)).indices]
    if not np.array_equal(moved, plain):
        sure = rounding.steady(entry, 6)
        same = sure > 0 and np.array_equal(moved[:sure], plain[:sure])
        demand(same, f"in another order of the points it picks others. {PLACE}")


def _scores_follow(entry: Strategy, order: Ints) -> bool:
    """Broken unless the points' scores go along in this order, up to the rounding of the precision
    that it computes in. Do they differ by more than that, so that picks must follow?
    """
    plain = scored(entry)
    largest = np.abs(plain).max()
    apart = np.abs(scored(entry, world(order)) - plain[order])
    allowed = rounding.EXACT * largest + 1e-6 * np.abs(plain[order])
    if (apart > allowed).any():
        allowed = allowed + rounding.tolerance(entry, plain)
    other = int((apart > allowed).sum())
    demand(not other, f"in another order of the points {other} of {N} get another score. {PLACE}")
    return bool(np.diff(np.sort(plain[UNLABELED])).min() > 2 * np.max(allowed))


def nested_holds_where_it_is_declared(entry: Strategy) -> None:
    """The first j of k are the answer for j."""
    if entry.nested:
        most = picked(entry, 9)
        for j in (0, 1, 4, 8):
            fewer = picked(entry, j)
            same = np.array_equal(fewer.indices, most.indices[:j])
            rounding_of = 1e-6 * np.abs(most.gains).max()
            same = same and np.allclose(fewer.gains, most.gains[:j], rtol=1e-5, atol=rounding_of)
            demand(
                same,
                f"its {j} points are not the first {j} of its 9."
                " Declare nested=False, or pick one by one.",
            )


def picks_each_point_once_and_no_labeled_one(entry: Strategy) -> None:
    """For every budget, from none to all that are left."""
    for k in (0, 1, 7, POOL):
        indices = picked(entry, k).indices
        whole = len(indices) == k and len(set(indices)) == k and set(indices) <= set(UNLABELED)
        demand(
            whole,
            f"for k = {k} it picked {len(set(indices))} different points,"
            " some of them labeled or too few.",
        )


def bad_budgets_are_refused(entry: Strategy) -> None:
    """More points than there are, fewer than none, and what is no whole number."""
    for k in (POOL + 1, -1, 2.5, True):
        try:
            picked(entry, k)
        except UserError as error:
            demand("Budget k" in str(error), f"k = {k!r} is refused with another reason: {error}")
        else:
            raise Broken(f"k = {k!r} was accepted.")


def a_missing_input_is_named(entry: Strategy) -> None:
    """The menu says what a strategy needs."""
    for name in set(entry.needs) - {"embedding"}:
        embedded, more = given(entry, {n: v for n, v in world().items() if n != name})
        reason = missing(entry, embedded, **more) or ""
        demand(
            reason.startswith("needs ") and INPUTS[name] in reason,
            f"without {name} it says {reason!r}.",
        )
        try:
            pick(entry, embedded, 2, inputs=more)
        except UserError as error:
            demand(
                entry.label in str(error) and INPUTS[name] in str(error),
                f"without {name} it stops with another reason: {error}",
            )
        else:
            raise Broken(f"it runs without {name}. Give that input a default of None.")
    embedded, more = given(entry, world())
    demand(missing(entry, embedded, **more) is None, "it lacks an input that there is.")


def knobs_work(entry: Any) -> None:
    """A widget, a link and a command line can set each of them."""
    for name, knob in entry.knobs.items():
        demand(
            knob.kind in (int, float, str, bool),
            f"knob {name} is a {knob.kind.__name__}, expected a number, a text or true and false.",
        )
        demand(
            knob.parse(str(knob.default)) == knob.default,
            f"knob {name}: the default {knob.default!r} is outside its own range.",
        )
        demand(
            not knob.choices or knob.default in knob.choices,
            f"knob {name}: the default {knob.default!r} is no step of its slider.",
        )
        demand(
            knob.choices or knob.kind is not str,
            f"knob {name}: a text needs its choices. Annotate it with Knob(..., choices=...).",
        )
        demand(
            [knob.parse(str(c)) for c in knob.choices] == list(knob.choices),
            f"knob {name}: a step of its slider is outside its range.",
        )


def every_step_of_a_knob_works_or_says_why_not(entry: Strategy) -> None:
    """A UserError says why."""
    embedded, more = given(entry, world())
    for name, knob in entry.knobs.items():
        for choice in knob.choices:
            with excused(f"with {name} = {choice}"):
                rng = np.random.default_rng(3)
                pick(entry, embedded, 5, rng=rng, inputs=more, **{name: choice})


def stays_calm_on_degenerate_points(entry: Strategy) -> None:
    """Finite scores, or a whole batch, or a UserError that says why not."""
    refusals(entry)


def refusals(entry: Strategy) -> dict[str, str]:
    """The degenerate worlds that the strategy refuses, each with its reason.

    Broken if it neither answers nor refuses in words.
    """
    found = {}
    for where, make in DEGENERATE.items():
        with excused(where) as reasons:
            _answer_or_milder(entry, make, where)
        if reasons:
            found[where] = reasons[0]
    return found


def _answer_or_milder(entry: Strategy, make: Callable[[], Inputs], where: str) -> None:
    """An answer here; of float32 code, whose range is shorter, for milder numbers than 1e±15."""
    try:
        return _answer(entry, make(), where)
    except Exception as error:
        refused = isinstance(error, UserError) and not isinstance(error, Crashed)
        if refused or where not in MILDER or not rounding.is_single(entry):
            raise
    _answer(entry, MILDER[where](), where)


def _answer(entry: Strategy, inputs: Inputs, where: str) -> None:
    """Finite scores, or for no point, one and all that are left a whole batch of them."""
    embedded, more = given(entry, inputs)
    if reason := missing(entry, embedded, **more):
        raise UserError(reason)
    if entry.kind == "scorer":
        check_numbers(returned(entry, inputs), (len(embedded),), "scores", where)
        return
    labeled = np.zeros(len(embedded), bool) if embedded.labeled is None else embedded.labeled
    left = np.flatnonzero(~labeled)
    for k in sorted({0, min(1, len(left)), len(left)}):
        chosen = pick(entry, embedded, k, rng=np.random.default_rng(3), inputs=more)
        check_numbers(chosen.gains, (k,), "gains", where)
        odd = set(chosen.indices.tolist()) - set(left.tolist())
        demand(not odd, f"{where}: it picked the rows {sorted(odd)[:3]}, which are none to pick.")


def bears_large_and_small_numbers(entry: Strategy) -> None:
    """Where float32 overflows, float64 would not."""
    for where in MILDER:
        try:
            with excused(where):
                _answer(entry, DEGENERATE[where](), where)
        except Broken as fault:
            end = "float32 ends at 3e38 and 1e-38, and so does what is computed in it"
            raise Broken(f"{fault} Here numbers are about 1e±15; {end}.") from fault


CONTRACT: list[Callable[[Any], None]] = [
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
    knobs_work,
    every_step_of_a_knob_works_or_says_why_not,
    stays_calm_on_degenerate_points,
]
ADVICE = [bears_large_and_small_numbers, *MANNERS]
