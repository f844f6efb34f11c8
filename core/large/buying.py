"""Which rows of a table that need not fit into memory are worth labelling, and with what weight in
the fit?

    first and second pass    leverage, as core/large/leverage.py has it
    pivotal: two more        X^T X, and the rows along their 16 main directions, 64 bytes a row

The labels are bought afterwards: sketched_least_squares(x, y, rows, weights) of
core/linalg/sampling.py is the fit.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from core.large.leverage import Streamed, Tell, leverage, silent
from core.linalg import sampling
from core.linalg.row_blocks import Table
from core.types import Floats, Ints

Draw = Callable[[Table, Floats, int, np.random.Generator], sampling.Sample]


def _replaced(rows: Table, scores: Floats, k: int, rng: np.random.Generator) -> sampling.Sample:
    return sampling.with_replacement(scores, k, rng)


def _coins(rows: Table, scores: Floats, k: int, rng: np.random.Generator) -> sampling.Sample:
    chances = sampling.inclusion(scores, k)
    return sampling.coins(chances, rng)


def _pivotal(rows: Table, scores: Floats, k: int, rng: np.random.Generator) -> sampling.Sample:
    places = sampling.main_directions(rows)
    order = sampling.spread_order(places)
    chances = sampling.inclusion(scores, k)
    return sampling.pivotal(chances, order, rng)


RULES: dict[str, Draw] = {"leverage": _replaced, "coins": _coins, "pivotal": _pivotal}


def choose(
    table: Table, rule: str, k: int, rng: np.random.Generator, tell: Tell = silent
) -> tuple[Ints, Floats, int]:
    """(row numbers (m,), their weights (m,), the table's rank). rule: one of RULES.

    m is k, for coins about k. A UserError as for leverage, and for a k above the number of rows
    whose leverage is above zero, where no row is drawn twice.
    """
    rows = Streamed(table, tell)
    scores, facts = leverage(rows)
    indices, weights = RULES[rule](rows, scores, k, rng)
    return indices, weights, int(facts["rank"])
