"""How much of the difference between two answers is rounding?

It depends on the precision that a strategy computes in: float64 keeps 16 digits, float32 seven, and
sums in another order differ in the last of them; a difference of large numbers, or a system of
equations, loses more. So this is measured, by strategies run on inputs whose last digit is changed:

    tolerance(entry, scores)   how far a score may lie from the same score computed otherwise
    steady(entry, k)           how many of its first k picks no last digit decides

Embeddings come in float32, so nothing finer than their last digit is anybody's answer. What a
strategy gains by that is bounded: WIDEST of the largest score.
"""

from __future__ import annotations

import numpy as np

from core.plugins.contract_inputs import (
    BY_COLUMN,
    Inputs,
    embedded_as,
    picked,
    returned,
    scored,
    world,
)
from core.strategy import Strategy
from core.types import Floats

EXACT = 1e-9  # of the largest score, and 1e-6 of each: what float64 may lose
UNSEEN = 2.0**-40  # float64 notices such a change of its inputs, float32 cannot
SEEN = 2.0**-18  # both do
WIDEST = 2.0**-10
NUDGES = 4
UNITS = 16  # in the last digit, that sums of a few dozen numbers may differ by


def tolerance(entry: Strategy, scores: Floats) -> float:
    """How far a score of the world may lie from one of these, if only rounding differs."""
    largest = float(np.abs(scores).max())
    if not is_single(entry):
        return EXACT * largest
    found = np.asarray(returned(entry)).dtype
    half = found == np.float16
    step = float(np.finfo(np.float16 if half else np.float32).eps)
    moved = [
        np.abs(scored(entry, nudged(step, np.float32, seed)) - scores).max()
        for seed in range(NUDGES)
    ]
    widest = UNITS * step if half else WIDEST
    return min(max(4 * float(np.max(moved)), UNITS * step * largest), widest * largest)


def steady(entry: Strategy, k: int) -> int:
    """How many of the first k picks stay what they are when the inputs' last digit changes."""
    plain = picked(entry, k).indices
    step = float(np.finfo(np.float32).eps)
    kept = k
    for seed in range(2 * NUDGES):
        other = picked(entry, k, nudged(step, np.float32, seed)).indices
        kept = min(kept, int(np.argmax(np.append(other != plain, True))))
    return kept


def nudged(step: float, dtype: type[np.floating], seed: int) -> Inputs:
    """The world with every number that describes or predicts a point times 1 ± step."""
    rng = np.random.default_rng([9, seed])
    inputs = world()

    def moved(array: Floats) -> Floats:
        return array * (1 + step * rng.choice([-1.0, 1.0], array.shape))

    predictions = {name: moved(inputs[name]) for name in ("probs", *BY_COLUMN)}
    return embedded_as(inputs | predictions, moved(inputs["embedding"]).astype(dtype))


def is_single(entry: Strategy) -> bool:
    """Does it compute in float32 anywhere?

    What float64 computes follows a change of the inputs that float32 cannot hold, and by as little.
    What rounds its inputs to float32 stays where it was, though a larger change moves it; what
    computes in the precision it is handed moves by what float32 had lost.
    """
    plain = _numbers(entry, world())
    try:
        moved = np.abs(_numbers(entry, nudged(UNSEEN, np.float64, 0)) - plain).max()
    except Exception:  # float32 is all that it takes
        return True
    if moved == 0:
        return bool((_numbers(entry, nudged(SEEN, np.float64, 0)) != plain).any())
    return bool(moved > EXACT * np.abs(plain).max())


def _numbers(entry: Strategy, inputs: Inputs) -> Floats:
    """Its scores, or the gains of its first picks."""
    return scored(entry, inputs) if entry.kind == "scorer" else picked(entry, 5, inputs).gains
