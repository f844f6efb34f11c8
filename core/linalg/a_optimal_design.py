"""A-optimal design, one point in or out at a time: how much would each candidate change tr(M^-1 F),
exactly, without a pass over F?

    M = lambda I + sum over the chosen of V V^T,    P = M^-1,    Q = P F P
    B_x = V_x^T P V_x,    C_x = V_x^T Q V_x        (r, r) for every candidate x

Putting x in lowers tr(P F) by tr(C_x (I + B_x)^-1); taking it out raises it by tr(C_x (I -
B_x)^-1). After point s has gone in (sign +1) or out (sign -1), with J J^T = (I + sign B_s)^-1 and

    U = P V_s J                                  G_x = V_x^T U
    Z = Q V_s J - sign/2 U (J^T C_s J)           H_x = V_x^T Z

the state becomes

    P -= sign U U^T                              B_x -= sign G_x G_x^T
    Q -= sign (U Z^T + Z U^T)                    C_x -= sign (G_x H_x^T + H_x G_x^T)

That is the Woodbury identity applied to P and to P F P; it costs 4 n d r^2 + 6 n r^3
multiplications per point instead of the 8 n r D^2 (D = r d) of evaluating the gains anew. All state
is float64. Once every direction is known well, P and Q are small differences of what they were at
first, and digits are lost, about (|M| / lambda)^2 eps; so a random probe watches the error, and
`Search` starts afresh from M itself when it passes 1e-9.

Source: objective and Woodbury step for P: Ash, Goel, Krishnamurthy, Kakade 2021, section 5. The
recursion for Q, B and C is our own.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from core.linalg import row_blocks
from core.linalg.fisher_information import forms, information
from core.types import Bools, Floats, UserError

ROWS = 512
TIE = 1e-12
PRECISION = 1e-9  # of the probe; a gain's error is at most some 20 times that
EPS = float(np.finfo(np.float64).eps)


class Design:
    """P = M^-1 and Q = P F P (D, D), as points come in and go out. m: M (D, D).

    fisher: F, or None for the identity. UserError: a ridge so small beside the points that M has no
    inverse in float64.
    """

    def __init__(self, m: Any, fisher: Any | None):
        try:
            self.p = _library(m).inv(m)
        except _library(m).LinAlgError:
            raise UserError(
                "Ridge: it is lost to rounding beside vectors this long, whose information goes up"
                f" to {float(m.diagonal().max()):.0e}. Raise it, or scale the embedding down."
            ) from None
        self.q = self.p @ self.p if fisher is None else self.p @ fisher @ self.p
        self.probe = row_blocks.place(np.random.default_rng(0).choice([-1.0, 1.0], len(self.p)))
        self.m_probe = m @ self.probe
        self.f_probe = self.probe if fisher is None else fisher @ self.probe

    def move(self, row: Floats, root: Floats, sign: int) -> tuple[Any, float]:
        """Put a point in (sign 1) or take it out (-1). row h (d,), root L (r, r).

        Returns U and Z side by side (D, 2 r), which the candidates need, and by how much tr(P F)
        fell or rose.
        """
        r = len(root)
        d = len(row)
        h, root = (row_blocks.place(part.astype(np.float64)) for part in (row, root))
        u, w = ((m.reshape(r * d, r, d) @ h) @ root for m in (self.p, self.q))
        b, c = (root.T @ (m.reshape(r, d, r).swapaxes(1, 2) @ h) for m in (u, w))
        j = _inverse_root(b, sign)
        u = u @ j
        w = w @ j
        change = j.T @ c @ j
        z = w - (sign / 2) * u @ change
        pair = _beside(u, z)
        crossed = _beside(z, u)
        for start in range(0, r * d, ROWS):  # in strips, so that no second (D, D) array is needed
            self.p[start : start + ROWS] -= sign * (u[start : start + ROWS] @ u.T)
            self.q[start : start + ROWS] -= sign * (pair[start : start + ROWS] @ crossed.T)
        seen = root @ (root.T @ (self.probe.reshape(r, d) @ h))
        self.m_probe += sign * (seen[:, None] * h).reshape(-1)
        return pair, float(change.trace())

    def error(self) -> float:
        """The relative error of P and Q along the probe z: P M z should be z, and Q M z should be P
        F z.
        """
        wanted = self.p @ self.f_probe
        return max(
            _norm(self.p @ self.m_probe - self.probe) / _norm(self.probe),
            _norm(self.q @ self.m_probe - wanted) / (_norm(wanted) or 1.0),
        )


class Pool:
    """B_x and C_x of every candidate, as plain batched products: the formulas above, on the GPU.

    (On the CPU: core/linalg/a_optimal_kernels.py.)
    """

    def __init__(self, rows: Floats, roots: Floats, design: Design):
        self.rows, self.roots = (
            row_blocks.place(np.ascontiguousarray(part, np.float64)) for part in (rows, roots)
        )
        self.b, self.c = (_stack(list(forms(rows, roots, m))) for m in (design.p, design.q))

    def move(self, pair: Any, sign: int) -> None:
        """Follow a point that went in or out; pair is what `Design.move` returned."""
        n, r = self.roots.shape[:2]
        d = self.rows.shape[1]
        weights = pair.reshape(r, d, 2 * r).swapaxes(0, 1).reshape(d, 2 * r * r)
        both = self.roots.swapaxes(1, 2) @ (self.rows @ weights).reshape(n, r, 2 * r)
        g = both[:, :, :r]
        h = both[:, :, r:]
        self.b -= sign * (g @ g.swapaxes(1, 2))
        crossed = g @ h.swapaxes(1, 2)
        self.c -= sign * (crossed + crossed.swapaxes(1, 2))

    def changes(self, sign: int) -> Floats:
        """tr(C_x (I + sign B_x)^-1) (n,): by how much tr(P F) would fall (sign 1) or rise (-1)."""
        inverse = _library(self.b).inv(_eye(self.b) + sign * self.b)
        return row_blocks.fetch((self.c * inverse).sum((1, 2)))


def pool(rows: Floats, roots: Floats, design: Design) -> Any:
    """The candidates' states, in the form that suits this machine. rows (n, d), roots (n, r, r)."""
    if row_blocks.device() != "cpu":
        return Pool(rows, roots, design)
    # It brings numba, which the web process does without.
    from core.linalg.a_optimal_kernels import LanePool

    return LanePool(rows, roots, design)


class Search:
    """A set of points that grows and shrinks, and what each further move would change. rows (n, d),
    roots (n, r, r).

    prior: M of the empty set (D, D). fisher: F, or None for the identity. inside: the points in the
    set at first, (n,) bool.
    """

    def __init__(self, rows: Floats, roots: Floats, prior: Any, fisher: Any | None, inside: Bools):
        self.rows = rows
        self.roots = roots
        self.prior = prior
        self.fisher = fisher
        self.inside = inside.copy()
        self._start()

    def changes(self, sign: int) -> Floats:
        """By how much putting each point in (sign 1) would lower the objective, or taking it out
        (-1) would raise it: (n,).
        """
        return self.pool.changes(sign)

    def move(self, s: int, sign: int) -> float:
        """Put point s in (sign 1) or take it out (-1); by how much the objective fell or rose."""
        pair, change = self.design.move(self.rows[s], self.roots[s], sign)
        self.inside[s] = sign > 0
        if self.design.error() > self.limit:
            self._start()
        else:
            self.pool.move(pair, sign)
        return change

    def _start(self) -> None:
        chosen = information(self.rows[self.inside], self.roots[self.inside])
        self.design = Design(self.prior + chosen, self.fisher)
        self.limit = max(PRECISION, 10 * self.design.error())
        self.pool = pool(self.rows, self.roots, self.design)


def first_largest(values: Floats) -> int:
    """The first index whose value is the largest up to a relative 1e-12: copies of a point differ
    by rounding only.
    """
    largest = values.max()
    return int(np.argmax(values >= largest - TIE * abs(largest)))


def _inverse_root(b: Any, sign: int) -> Any:
    """J (r, r) with J J^T = (I + sign B)^-1, by the eigenvalues of B.

    1 - b stays above rounding: the point may alone span a direction.
    """
    values, vectors = _library(b).eigh((b + b.T) / 2)
    return vectors * (1 + sign * values).clip(EPS, None) ** -0.5


def _norm(vector: Any) -> float:
    return float((vector * vector).sum() ** 0.5)


def _library(array: Any) -> Any:
    if isinstance(array, np.ndarray):
        return np.linalg
    import torch

    return torch.linalg


def _beside(left: Any, right: Any) -> Any:
    if isinstance(left, np.ndarray):
        return np.concatenate([left, right], axis=1)
    import torch

    return torch.cat([left, right], dim=1)


def _stack(parts: list) -> Any:
    if isinstance(parts[0], np.ndarray):
        return np.concatenate(parts)
    import torch

    return torch.cat(parts)


def _eye(batch: Any) -> Any:
    return row_blocks.place(np.eye(batch.shape[-1]))
