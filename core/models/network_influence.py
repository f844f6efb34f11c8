"""Influence and FI through all weights of a small network, by automatic differentiation.

    harm_i = -(1/n) < g_V, H^-1 g_i >
    FI_i = gamma_i G_i^+ gamma_i^T,    gamma_i = -(1/n) g_V^T H^-1 M_i

g_V is the gradient of the mean validation loss by all D weights, g_i that of point i's loss, and
M_i = d/dx g_i (D, d). G_i is the metric of core/strategies/local_influence.py, here with the whole
network's derivatives. Where the other methods look at the last layer alone, this one moves every
weight, as the FI paper's experiment on two crescents does.

Where ours differs: a network's Hessian has negative eigenvalues short of an optimum, and the paper
does not say what it does about them. H is the damped Gauss-Newton matrix

    H = (1/n) sum_i J_i^T (diag(p_i) - p_i p_i^T) J_i + damping I

which is positive definite, and but for the damping the Hessian itself where the outputs are linear
in the weights. Costs n D^2; D at most 2,000. Sources: the FI paper, section 5.1 and Algorithm 1;
Koh and Liang 2017; Schraudolph 2002 (Gauss-Newton).
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from core.types import Embedded, Floats, Ints, UserError

if TYPE_CHECKING:
    from torch import Tensor

    from core.models.networks import Network

WEIGHTS = 2_000


class NetworkScores(NamedTuple):
    """fi: (n,) >= 0. harm: (n,) in nats, any sign. Higher = trimmed first in both."""

    fi: Floats
    harm: Floats


def network_scores(
    network: Network,
    points: np.ndarray,
    labels: Ints,
    validation: Embedded,
    *,
    damping: float = 0.01,
) -> NetworkScores:
    """FI-util and the influence function of each training point on the mean validation loss.

    points: (n, d), labels: (n,), what the network was trained on; validation: points (v, d) with
    labels. Both scores (n,) float64, higher = trimmed first. Raises UserError for damping not above
    0, a validation set of another width or without labels, labels that the network does not know,
    and for more than 2,000 weights.
    """
    _check(network, points, labels, validation, damping)
    seen = _Derivatives(network, points, labels)
    unseen = _Derivatives(network, validation.embedding, validation.labels)
    logit_slopes = seen.logits_by_weights()
    probs = seen.probs()
    n = len(points)
    factor = cho_factor(_gauss_newton(logit_slopes, probs, damping), overwrite_a=True)
    slope = cho_solve(factor, unseen.gradients().mean(axis=0))
    harm = -seen.gradients() @ slope / n
    mixed = seen.mixed()
    by_weight = mixed.transpose(1, 0, 2).reshape(len(slope), -1)
    solved = -cho_solve(factor, by_weight).reshape(len(slope), n, -1)
    shifts = solved.transpose(1, 0, 2) / n
    moves = seen.logits_by_points() + logit_slopes @ shifts
    gammas = -np.einsum("d,ndx->nx", slope, mixed) / n
    return NetworkScores(_measures(gammas, moves, probs), harm)


class _Derivatives:
    """The loss of each point, and the logits, differentiated by all weights and by the point."""

    def __init__(self, network: Network, points: np.ndarray, labels: Ints):
        import torch

        self.torch = torch
        with torch.inference_mode(False):
            self.layers = (
                copy.deepcopy(torch.nn.Sequential(network.body, network.head)).cpu().double()
            )
            self.points = network.inputs.cpu()(torch.tensor(np.asarray(points))).detach().double()
        self.labels = torch.tensor(np.asarray(labels))
        self.weights = torch.cat([one.detach().flatten() for one in self.layers.parameters()])

    def logits(self, weights: Tensor, point: Tensor) -> Tensor:
        named = {}
        start = 0
        for name, value in self.layers.named_parameters():
            named[name] = weights[start : start + value.numel()].view(value.shape)
            start += value.numel()
        return self.torch.func.functional_call(self.layers, named, (point[None],))[0]

    def loss(self, weights: Tensor, point: Tensor, label: Tensor) -> Tensor:
        return -self.logits(weights, point).log_softmax(-1).gather(0, label[None])[0]

    def probs(self) -> Floats:
        return self._each(self.logits, False).softmax(-1).numpy()

    def gradients(self) -> Floats:
        return self._each(self.torch.func.grad(self.loss), True).numpy()

    def mixed(self) -> Floats:
        return self._each(
            self.torch.func.jacfwd(self.torch.func.grad(self.loss), argnums=1), True
        ).numpy()

    def logits_by_weights(self) -> Floats:
        return self._each(self.torch.func.jacrev(self.logits), False).numpy()

    def logits_by_points(self) -> Floats:
        return self._each(self.torch.func.jacrev(self.logits, argnums=1), False).numpy()

    def _each(self, function, labelled: bool) -> Tensor:
        """The function of every point, (n, ...)."""
        given = (self.points, self.labels) if labelled else (self.points,)
        return self.torch.vmap(function, in_dims=(None, *[0] * len(given)))(
            self.weights, *given
        ).detach()


def _gauss_newton(logit_slopes: Floats, probs: Floats, damping: float) -> Floats:
    """(1/n) sum_i J_i^T (diag(p_i) - p_i p_i^T) J_i + damping I, from J (n, c, D).

    With Lambda = diag(p) - p p^T: J^T Lambda J = sum_c p_c (J_c - p J)^T (J_c - p J).
    """
    n, _, weights = logit_slopes.shape
    centred = logit_slopes - np.einsum("nc,ncd->nd", probs, logit_slopes)[:, None]
    rows = (np.sqrt(probs)[:, :, None] * centred).reshape(-1, weights)
    return rows.T @ rows / n + damping * np.eye(weights)


def _measures(gammas: Floats, moves: Floats, probs: Floats) -> Floats:
    """gamma_i G_i^+ gamma_i^T for each point: gammas (n, d), moves (n, c, d), probs (n, c).

    moves: the logits' derivatives by the shift. Singular values of sqrt(P_c) (moves_c - p moves)
    below sqrt(d eps) of the largest count as zero.
    """
    factors = np.sqrt(probs)[:, :, None] * (moves - np.einsum("nc,ncx->nx", probs, moves)[:, None])
    _, values, vectors = np.linalg.svd(factors, full_matrices=False)
    floor = np.sqrt(gammas.shape[1] * np.finfo(np.float64).eps) * values[:, :1]
    inverse = np.divide(
        1.0, values, out=np.zeros_like(values), where=(values > floor) & (values > 0)
    )
    return ((np.einsum("nrx,nx->nr", vectors, gammas) * inverse) ** 2).sum(axis=1)


def _check(
    network: Network, points: np.ndarray, labels: Ints, validation: Embedded, damping: float
) -> None:
    found = sum(one.numel() for one in (*network.body.parameters(), *network.head.parameters()))
    classes = network.head.out_features
    if found > WEIGHTS:
        raise UserError(
            f"This method moves all weights of a network: found {found:,}, expected at most"
            f" {WEIGHTS:,}. Choose a smaller one."
        )
    if not damping > 0:
        raise UserError(
            f"damping: found {damping}, expected a number above 0:"
            " a network's curvature is singular without it."
        )
    if validation.labels is None or validation.embedding.shape[1:] != points.shape[1:]:
        raise UserError(
            f"Validation set: found points of shape {validation.embedding.shape[1:]}, expected"
            f" {points.shape[1:]} and a label for each."
        )
    for name, given, n in (
        ("labels", labels, len(points)),
        ("validation labels", validation.labels, len(validation)),
    ):
        if np.shape(given) != (n,) or np.min(given) < 0 or np.max(given) >= classes:
            raise UserError(
                f"{name}: found {np.shape(given)} from {np.min(given)} to {np.max(given)}, expected"
                f" {n:,} of 0 to {classes - 1}."
            )
