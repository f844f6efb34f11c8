"""Influence and FI through all weights: the head's own where the network is a head, the slow
definitions where it is not, errors.
"""

import copy

import numpy as np
import pytest
import torch

from core import softmax_head
from core.models import networks, training
from core.models.network_influence import network_scores
from core.strategies.influence import influence_harm
from core.strategies.local_influence import fi_util
from core.types import Embedded, UserError
from tests.tools import heads


def test_a_network_without_hidden_layers_is_a_head():
    """Same weights, same damping: the Gauss-Newton matrix of outputs that are linear in the weights
    is the Hessian.
    """
    x, y, unseen, _ = heads.world(n=60, d=3, c=3, seed=2)
    x, unseen = (
        x.astype(np.float32),
        Embedded(unseen.embedding.astype(np.float32), labels=unseen.labels),
    )
    head = softmax_head.fit(x, y, l2=0.0, tolerance=1e-10)
    network = networks.build("linear", classes=3, shape=(3,), seed=0)
    with torch.no_grad():
        network.head.weight.copy_(torch.tensor(head.weights))
        network.head.bias.copy_(torch.tensor(head.intercepts))
    found = network_scores(network, x, y, unseen, damping=0.01)
    assert found.harm == pytest.approx(
        influence_harm(x, y, unseen, head, damping=0.01), rel=1e-4, abs=1e-7
    )
    assert found.fi == pytest.approx(fi_util(x, y, unseen, head, damping=0.01), rel=1e-3)


@pytest.fixture(scope="module")
def bent():
    """A network with one hidden layer, trained a little on points in the plane."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 2)).astype(np.float32)
    y = (x[:, 0] * x[:, 1] > 0).astype(np.int64)
    network = networks.build("mlp", classes=2, shape=(2,), seed=1, hidden=5)
    training.train(network, x, y, seed=1, steps=60, learning_rate=0.02)
    return network, x, y, Embedded(x[:15] + 0.1, labels=y[:15])


def test_both_scores_are_their_slow_definitions(bent):
    network, x, y, unseen = bent
    found, damping, n = network_scores(*bent, damping=0.05), 0.05, len(x)
    layers = copy.deepcopy(torch.nn.Sequential(network.body, network.head)).double()
    theta = list(layers.parameters())

    def flat(value, create=False):
        return torch.cat(
            [
                g.flatten()
                for g in torch.autograd.grad(value, theta, create_graph=create, retain_graph=True)
            ]
        )

    def log_probs(point):
        return layers(point[None])[0].log_softmax(-1)

    points = [torch.tensor(p, dtype=torch.float64, requires_grad=True) for p in x]
    hessian = damping * torch.eye(sum(t.numel() for t in theta), dtype=torch.float64)
    for point in points:
        scores = torch.stack([flat(log_probs(point)[c]) for c in range(2)])
        hessian += torch.einsum("c,ci,cj->ij", log_probs(point).exp().detach(), scores, scores) / n
    losses = [
        -log_probs(torch.tensor(p, dtype=torch.float64))[c]
        for p, c in zip(unseen.embedding, unseen.labels, strict=True)
    ]
    slope = torch.linalg.solve(hessian, flat(sum(losses) / len(losses))).detach()
    for i in (0, 7, 21):
        own = flat(-log_probs(points[i])[y[i]], create=True)
        assert found.harm[i] == pytest.approx(-float(slope @ own.detach()) / n, rel=1e-6)
        mixed = torch.stack([torch.autograd.grad(g, points[i], retain_graph=True)[0] for g in own])
        shift = -torch.linalg.solve(hessian, mixed) / n
        rows = [
            torch.autograd.grad(log_probs(points[i])[c], points[i])[0]
            + flat(log_probs(points[i])[c]) @ shift
            for c in range(2)
        ]
        metric = sum(
            log_probs(points[i])[c].exp().detach() * torch.outer(rows[c], rows[c]) for c in range(2)
        )
        gamma = -(slope @ mixed) / n
        assert found.fi[i] == pytest.approx(
            float((gamma @ torch.linalg.pinv(metric, rtol=1e-8) @ gamma).detach()), rel=1e-4
        )


def test_the_network_stays_as_it_was_and_points_may_be_permuted(bent):
    network, x, y, unseen = bent
    before = [p.detach().clone() for p in network.parameters()]
    found, order = network_scores(*bent), np.random.default_rng(1).permutation(len(x))
    turned = network_scores(network, x[order], y[order], unseen)
    assert all(
        torch.equal(a, b.to(a.dtype)) for a, b in zip(before, network.parameters(), strict=True)
    )
    assert turned.fi == pytest.approx(found.fi[order], rel=1e-8) and turned.harm == pytest.approx(
        found.harm[order], rel=1e-8
    )
    assert (found.fi >= 0).all()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"damping": 0.0}, "damping: found 0"),
        (
            {"validation": Embedded(np.zeros((3, 5), np.float32), labels=np.zeros(3, int))},
            "expected .2,. and a label",
        ),
        ({"validation": Embedded(np.zeros((3, 2), np.float32))}, "a label for each"),
        (
            {"validation": Embedded(np.zeros((3, 2), np.float32), labels=np.array([0, 1, 2]))},
            "validation labels: found",
        ),
        ({"labels": np.full(40, -1)}, "labels: found .* from -1"),
    ],
)
def test_what_does_not_fit_is_refused(bent, change, said):
    network, x, y, unseen = bent
    given = {"labels": y, "validation": unseen} | change
    with pytest.raises(UserError, match=said):
        network_scores(network, x, **given)


def test_a_large_network_is_refused(bent):
    _, x, y, unseen = bent
    with pytest.raises(UserError, match="expected at most 2,000"):
        network_scores(
            networks.build("mlp", classes=2, shape=(2,), seed=1, hidden=900), x, y, unseen
        )
