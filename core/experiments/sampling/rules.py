"""Rules that say which rows' labels to buy, each as core/linalg/sampling.py has it.

    RULES["pivotal"].draw(known, k, rng) -> indices (k,), weights (k,)

known: what is known of the rows without any label. A rule raises a UserError for a k with which it
can do nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from core.linalg import row_blocks, sampling
from core.linalg.sampling import Sample
from core.linalg.whitening import Whitening, ridge_weights, whiten
from core.strategies.bait import bait_regression
from core.strategies.dpp import log_det
from core.strategy import top_k
from core.types import Floats, Ints, UserError

# Products of a greedy design: each pick looks at all rows in all directions.
MOST_PRODUCTS = 6e10


@dataclass(frozen=True)
class Known:
    """The rows X (n, d), and what rules ask of them; computed when it is first asked for."""

    x: np.ndarray

    def __len__(self) -> int:
        return len(self.x)

    @cached_property
    def whitening(self) -> Whitening:
        """The map W that whitens X."""
        return whiten(self.x)

    @cached_property
    def scores(self) -> Floats:
        """Leverage (n,)."""
        return sampling.leverages(self.x, self.whitening)

    @cached_property
    def ridge_scores(self) -> Floats:
        """Ridge leverage (n,), with the ridge that leaves half as many directions."""
        ridge = sampling.ridge_for(self.x, self.whitening.rank / 2)
        gram = row_blocks.gram(self.x)
        weights = ridge_weights(gram, ridge)
        return row_blocks.squared_norms(self.x, weights)

    @cached_property
    def order(self) -> Ints:
        """The rows as they stand in space, along their main directions."""
        places = sampling.main_directions(self.x)
        return sampling.spread_order(places)

    @cached_property
    def white(self) -> Floats:
        """Z = sqrt(n) X W (n, r) float32: columns of mean square 1, orthogonal to each other."""
        length = np.sqrt(len(self.x))
        weights = length * self.whitening.weights
        return row_blocks.product(self.x, weights)


def uniform(known: Known, k: int, rng: np.random.Generator) -> Sample:
    """Every set of k rows alike, none twice."""
    _check_rows(known, k)
    drawn = rng.choice(len(known), size=k, replace=False)
    return drawn, np.ones(k)


def leverage_sampled(known: Known, k: int, rng: np.random.Generator) -> Sample:
    """k draws by leverage, with replacement, weighted by 1 / (k p)."""
    return sampling.with_replacement(known.scores, k, rng)


def unweighted(known: Known, k: int, rng: np.random.Generator) -> Sample:
    """The same draws, all of weight 1: the fit is then of other rows than the table has."""
    indices, weights = sampling.with_replacement(known.scores, k, rng)
    return indices, np.ones(len(weights))


def ridge_sampled(known: Known, k: int, rng: np.random.Generator) -> Sample:
    """k draws by ridge leverage, with replacement, weighted: small directions count less."""
    return sampling.with_replacement(known.ridge_scores, k, rng)


def coins(known: Known, k: int, rng: np.random.Generator) -> Sample:
    """Each row by a coin of its own, k rows on average, none twice."""
    _check_rows(known, k)
    chances = sampling.inclusion(known.scores, k)
    return sampling.coins(chances, rng)


def pivotal(known: Known, k: int, rng: np.random.Generator) -> Sample:
    """Neighbours compete for a place: k rows by leverage, none twice, spread over space."""
    _check_rows(known, k)
    chances = sampling.inclusion(known.scores, k)
    return sampling.pivotal(chances, known.order, rng)


def volume(known: Known, k: int, rng: np.random.Generator) -> Sample:
    """Sets of k rows by the volume that they span; the plain fit to them is unbiased."""
    return sampling.volume(known.x, k, rng, known.scores)


def top(known: Known, k: int, rng: np.random.Generator) -> Sample:
    """The k rows of highest leverage: no draw, and no bound."""
    _check_rows(known, k)
    first = top_k(known.scores, k)
    return first.indices, np.ones(k)


def a_optimal(known: Known, k: int, rng: np.random.Generator) -> Sample:
    """Greedy A-optimal design, as BAIT for regression: the expected loss falls most with each."""
    _affordable(known, k)
    chosen, _ = bait_regression(known.white, k=k, backward=False)
    return chosen, np.ones(k)


def d_optimal(known: Known, k: int, rng: np.random.Generator) -> Sample:
    """Greedy D-optimal design (log-det): the volume grows most with each."""
    _affordable(known, k)
    chosen, _ = log_det(known.white, k=k, space="embedding")
    return chosen, np.ones(k)


@dataclass(frozen=True)
class Rule:
    """One way to choose. drawn: does its choice hang on chance? greedy: one row after the other."""

    label: str
    draw: Callable[[Known, int, np.random.Generator], Sample]
    drawn: bool = True
    greedy: bool = False

    @property
    def says(self) -> str:
        """What it does, in a sentence."""
        return " ".join((self.draw.__doc__ or "").split())


RULES = {
    "uniform": Rule("Uniform", uniform),
    "leverage": Rule("By leverage", leverage_sampled),
    "unweighted": Rule("By leverage, unweighted", unweighted),
    "coins": Rule("Leverage coins", coins),
    "pivotal": Rule("Pivotal", pivotal),
    "ridge": Rule("By ridge leverage", ridge_sampled),
    "volume": Rule("Volume", volume),
    "top": Rule("Top leverage", top, drawn=False),
    "a_optimal": Rule("Greedy A-optimal", a_optimal, drawn=False, greedy=True),
    "d_optimal": Rule("Greedy D-optimal", d_optimal, drawn=False, greedy=True),
}


def _check_rows(known: Known, k: int) -> None:
    if k > len(known):
        raise UserError(
            f"Labels: found {k:,} of {len(known):,} rows. Choose at most {len(known):,}."
        )


def _affordable(known: Known, k: int) -> None:
    _check_rows(known, k)
    size = len(known) * known.whitening.rank
    if k * size > MOST_PRODUCTS:
        raise UserError(
            f"Labels: found {k:,}, but a greedy design looks at {len(known):,} rows in"
            f" {known.whitening.rank:,} directions for each; expected at most"
            f" {int(MOST_PRODUCTS / size):,}."
        )
