"""Uncertainty: how unsure is the model of a point's class?

Three readings of one row of probabilities, and the disagreement of several networks. All are
largest where the classes are equally probable and 0 where one class is certain, and higher means
picked first. Natural logarithms.

Sources: Shannon 1948 (entropy); Scheffer, Decomain and Wrobel 2001 (margin); Lewis and Gale 1994,
Culotta and McCallum 2005 (least confidence); Houlsby, Huszar, Ghahramani and Lengyel 2011 (BALD).
Ash et al. 2020 call the first three ENTROPY, MARG, CONF.
"""

from __future__ import annotations

import numpy as np

from core.linalg.probabilities import besides_the_first, check_probs, doubt
from core.strategy import scorer
from core.types import Floats, UserError


@scorer("Entropy")
def entropy(probs: np.ndarray) -> Floats:
    """Entropy of the predicted probabilities, H(p) = -sum_y p_y log p_y, with 0 log 0 = 0.

    probs: (n, c). Returns (n,) float64 in [0, log c] nats, higher = picked first. A UserError if
    rows do not sum to 1.
    """
    return _entropy(check_probs(probs))


@scorer("Margin")
def margin(probs: np.ndarray) -> Floats:
    """How close the two most probable classes are: 1 - (p_first - p_second).

    probs: (n, c). Returns (n,) float64 in [0, 1], higher = picked first: the sign is turned, since
    the usual margin is small where the model is unsure. Computed as (1 - p_first) + p_second, which
    keeps the digits of a nearly sure prediction. With one class: 0.
    """
    others = besides_the_first(check_probs(probs))
    return others.sum(axis=1) + others.max(axis=1)


@scorer("Least confidence")
def least_confidence(probs: np.ndarray) -> Floats:
    """What the most probable class leaves to the others: 1 - max_y p_y.

    probs: (n, c). Returns (n,) float64 in [0, 1 - 1/c], higher = picked first. Computed as the sum
    of the other probabilities.
    """
    return doubt(check_probs(probs))


@scorer("BALD")
def bald(member_probs: np.ndarray) -> Floats:
    """How far several networks disagree: the mutual information H(mean_m p_m) - mean_m H(p_m) of
    the label and the network.

    member_probs: (m, n, c), the probabilities of m networks. Returns (n,) float64 in
    [0, log min(m, c)] nats, higher = picked first. Probabilities are averaged, never logits.
    Rounding below 0 is cut off. With one network: 0.
    """
    members = np.asarray(member_probs)
    if members.ndim != 3 or len(members) == 0:
        raise UserError(
            f"member_probs: found shape {members.shape}, expected (m, n, c):"
            " one (n, c) table for each of m networks."
        )
    total = np.zeros(members.shape[1:])
    own = np.zeros(members.shape[1])
    for number, member in enumerate(members):
        probs = check_probs(member, name=f"member_probs[{number}]")
        total += probs
        own += _entropy(probs)
    return np.maximum(_entropy(total / len(members)) - own / len(members), 0.0)


def _entropy(probs: Floats) -> Floats:
    return -(probs * np.log(np.where(probs > 0, probs, 1.0))).sum(axis=1) + 0.0
