"""How many pairs of points do two rankings put in the same order? The counting beneath Kendall's
tau, compiled.

A ranking comes presorted, as three int32 rows of n (`core.agreement` makes them):

    order    the points, best first, equal scores in the order of the points
    first    for every point, the first place of its group of equal scores (0 = highest)
    others   for every point, how many other points share its score

Let place_a be a point's place when sorted by a and, among equals of a, by b; place_b the other way
round. A pair is discordant (a and b order it strictly opposite) exactly if place_a and place_b
order it differently, because ties fall the same way in both. So with before_i = #{j: place_a_j <
place_a_i and place_b_j < place_b_i}

    discordant_i = place_a_i + place_b_i - 2 before_i
    net_i = n - 1 - others_a_i - others_b_i + both_i - 2 discordant_i

with both_i the points equal to i in a and in b, and for weights w over the points

    tau(w) = sum w net / sqrt(sum w (n - 1 - others_a)) / sqrt(sum w (n - 1 - others_b)).

w = 1 is tau-b (Kendall 1945). w = 1 / (1 + place) with addition of the two points' weights is
Vigna's weighted tau (A weighted correlation index for rankings with ties, WWW 2015). The pair costs
O(n log n) time and 32 n bytes. Importing this module imports numba; `core.agreement` does so only
when it counts.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import numba
import numpy as np

BITS = 6  # 64 places to a word

# numba's plain thread pool ends the whole process when two threads enter a parallel loop at once
_one_at_a_time = threading.Lock()


def pairwise_tau(
    order: np.ndarray, first: np.ndarray, others: np.ndarray, pairs: np.ndarray, weighted: bool
) -> np.ndarray:
    """tau of every row of pairs (p, 2), the numbers of two rankings: (p,) float64 in [-1, 1].

    order, first, others: (m, n) int32 as above; no ranking constant. weighted: the mean of Vigna's
    tau under the places by (a, b) and under those by (b, a), as scipy.stats.weightedtau(rank=True);
    otherwise tau-b.
    """
    pairs = np.ascontiguousarray(pairs, np.int64)
    arguments = (order, first, others, others.any(axis=1), pairs, bool(weighted))
    with _one_at_a_time:
        try:
            return _all_pairs(*arguments)
        except OSError:  # compiled, but the cache folder took no copy; the copy in memory serves
            return _all_pairs(*arguments)


def random_tau(n: int, draws: int, seed: int, at_once: int = 25) -> np.ndarray:
    """Weighted tau of `draws` random rankings of n points with a fixed one, without ties: (draws,).

    at_once bounds the memory.
    """
    rng = np.random.default_rng(seed)
    values = []
    for done in range(0, draws, at_once):
        some = min(at_once, draws - done)
        shuffled = [rng.permutation(n) for _ in range(some)]
        order = np.stack([np.arange(n), *shuffled]).astype(np.int32)
        first = np.argsort(order, axis=1).astype(np.int32)
        pairs = np.column_stack([np.zeros(some, np.int64), np.arange(1, some + 1)])
        values.append(pairwise_tau(order, first, np.zeros_like(order), pairs, weighted=True))
    return np.concatenate(values)


def _compiled(function: Callable) -> Callable:
    """Compiled on the first call; kept on disk for the next process where a folder allows it."""
    try:
        return numba.njit(parallel=True, cache=True)(function)
    except RuntimeError:  # numba finds no folder to keep it in
        return numba.njit(parallel=True)(function)


@numba.njit
def _places(order_b, first_a, a_has_ties):
    """(n,) place of each point by a and, among equals, by b: a stable counting sort of b's order by
    a.
    """
    if not a_has_ties:
        return first_a
    free = np.arange(len(order_b)).astype(np.int32)
    place = np.empty_like(order_b)
    for point in order_b:
        group = first_a[point]
        place[point] = free[group]
        free[group] += 1
    return place


@numba.njit
def _ones(word):
    """How many bits of a uint64 are set: sums within 2, 4 and 8 bits, then all bytes by one
    product.
    """
    word = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    word = (word & np.uint64(0x3333333333333333)) + (
        (word >> np.uint64(2)) & np.uint64(0x3333333333333333)
    )
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((word * np.uint64(0x0101010101010101)) >> np.uint64(56))


@numba.njit
def _before(walk, place_b):
    """(n,) for each point, how many earlier points of the walk have a smaller place_b.

    A bit per place marks who has passed; a Fenwick tree counts the bits of whole words.
    """
    words = (len(walk) >> BITS) + 1
    passed = np.zeros(words, np.uint64)
    tree = np.zeros(words + 1, np.int32)
    before = np.empty_like(place_b)
    for point in walk:
        place = place_b[point]
        word = place >> BITS
        bit = np.uint64(1) << np.uint64(place & 63)
        count = _ones(passed[word] & (bit - np.uint64(1)))
        node = word
        while node > 0:
            count += tree[node]
            node &= node - 1
        before[point] = count
        passed[word] |= bit
        node = word + 1
        while node <= words:
            tree[node] += 1
            node += node & -node
    return before


@numba.njit
def _both(walk, first_a, first_b):
    """(n,) for each point, how many others equal it in a and in b: such points are neighbours on
    the walk.
    """
    both = np.empty_like(walk)
    start = 0
    for end in range(1, len(walk) + 1):
        here = walk[start]
        if (
            end < len(walk)
            and first_a[walk[end]] == first_a[here]
            and first_b[walk[end]] == first_b[here]
        ):
            continue
        for place in range(start, end):
            both[walk[place]] = end - start - 1
        start = end
    return both


@numba.njit
def _tau(net, others_a, others_b, place, weighted):
    """tau(w) of the module's formula, with w = 1 / (1 + place) or w = 1."""
    top = 0.0
    a = 0.0
    b = 0.0
    n = len(net)
    for point in range(n):
        weight = 1.0 / (1.0 + place[point]) if weighted else 1.0
        top += weight * net[point]
        a += weight * (n - 1 - others_a[point])
        b += weight * (n - 1 - others_b[point])
    return min(1.0, max(-1.0, top / np.sqrt(a) / np.sqrt(b)))


@numba.njit
def _net(place_a, place_b, first_a, first_b, others_a, others_b, joint):
    """(n,) for each point, its concordant less its discordant partners.

    joint: may points be equal in both?
    """
    n = len(place_a)
    walk = np.empty_like(place_a)
    for point in range(n):
        walk[place_a[point]] = point
    before = _before(walk, place_b)
    net = np.empty(n, np.int64)
    for point in range(n):
        discordant = np.int64(place_a[point]) + place_b[point] - 2 * np.int64(before[point])
        net[point] = n - 1 - others_a[point] - others_b[point] - 2 * discordant
    if joint:
        net += _both(walk, first_a, first_b)
    return net


@_compiled
def _all_pairs(order, first, others, has_ties, pairs, weighted):
    out = np.empty(len(pairs))
    for t in numba.prange(len(pairs)):
        a = pairs[t, 0]
        b = pairs[t, 1]
        place_a = _places(order[b], first[a], has_ties[a])
        place_b = _places(order[a], first[b], has_ties[b])
        joint = has_ties[a] and has_ties[b]
        net = _net(place_a, place_b, first[a], first[b], others[a], others[b], joint)
        out[t] = _tau(net, others[a], others[b], place_a, weighted)
        if weighted:
            out[t] = (out[t] + _tau(net, others[a], others[b], place_b, weighted)) / 2
    return out
