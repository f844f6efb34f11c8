"""The bundled networks: they are what their files say, do what the README claims, and bad files are
refused.
"""

import copy
import json

import numpy as np
import pytest
import torch
from safetensors.torch import save

from core import agreement, datasets
from core.models import evaluation, networks, shipped_networks, training
from core.spec import Spec, embedding_key, scores_key
from core.strategies.leverage import leverage
from core.types import UserError

BUNDLED = [
    (objective, seed) for objective in shipped_networks.SHIPPED for seed in shipped_networks.SEEDS
]


@pytest.fixture(scope="module")
def mnist():
    return datasets.load("mnist")


@pytest.fixture(scope="module")
def digits():
    return datasets.load("digits", n=300)


@pytest.mark.parametrize("objective, seed", BUNDLED)
def test_every_shipped_network_reads_digits_as_well_as_claimed(mnist, objective, seed):
    network = shipped_networks.load(
        shipped_networks.file("mnist", objective, seed),
        shipped_networks.description(mnist, objective, seed),
    )
    accuracy = evaluation.evaluate(
        network, mnist.points[mnist.test][:1_000], mnist.labels[mnist.test][:1_000]
    ).accuracy
    assert accuracy >= 0.975, "0.985 of all 10,000: tests/benchmarks/bundled_in_full.py"


def test_networks_of_other_seeds_differ(mnist):
    heads = [
        shipped_networks.load(
            shipped_networks.file("mnist", o, s), shipped_networks.description(mnist, o, s)
        ).head.weight
        for o, s in BUNDLED
    ]
    assert len({head.detach().numpy().tobytes() for head in heads}) == len(BUNDLED)


@pytest.fixture
def file(tmp_path, digits):
    """A network that was trained on a few digits, in its file; and what it was before."""
    network = networks.build("talk_cnn", classes=10, shape=(8, 8), seed=1)
    training.train(network, digits.points, digits.labels, seed=1, epochs=3)
    path = tmp_path / "network.safetensors"
    path.write_bytes(
        shipped_networks.encode(network, shipped_networks.description(digits, "cross_entropy", 1))
    )
    return path, network


@pytest.mark.parametrize("objective", shipped_networks.SHIPPED)
def test_float16_keeps_the_leverage_ranking(mnist, objective):
    """A float32 network that rounds to the bundled one ranks 3,000 test digits as it does, to a tau
    of 0.999.
    """
    bundled = shipped_networks.load(
        shipped_networks.file("mnist", objective, 1),
        shipped_networks.description(mnist, objective, 1),
    )
    original, generator = copy.deepcopy(bundled), torch.Generator().manual_seed(0)
    for weights in original.parameters():
        half_a_step = torch.rand(weights.shape, generator=generator) - 0.5
        weights.data *= (
            1 + half_a_step * 2**-10
        )  # float16 keeps 11 bits: rounding moves a number by up to one part in 2^11
    scores = [
        leverage(evaluation.embed(network, mnist.points[mnist.test][:3_000]))
        for network in (bundled, original)
    ]
    assert not np.array_equal(*scores)
    assert agreement.kendall(np.stack(scores))[0, 1] >= 0.999


def test_a_file_that_describes_another_network_is_refused(file, digits):
    with pytest.raises(UserError, match=r"describes .*\"seed\": 1.*expected .*\"seed\": 2"):
        shipped_networks.load(file[0], shipped_networks.description(digits, "cross_entropy", 2))


def test_a_damaged_file_is_refused(file, digits):
    file[0].write_bytes(file[0].read_bytes()[:-100])
    with pytest.raises(UserError, match="not a readable network file"):
        shipped_networks.load(file[0], shipped_networks.description(digits, "cross_entropy", 1))


def test_weights_of_another_shape_are_refused(tmp_path, digits):
    described = shipped_networks.description(digits, "cross_entropy", 1)
    small = networks.build("talk_cnn", classes=3, shape=(8, 8), seed=1)
    path = tmp_path / "small.safetensors"
    path.write_bytes(
        save(
            {name: value.contiguous() for name, value in small.state_dict().items()},
            metadata=described,
        )
    )
    with pytest.raises(UserError, match="weights do not fit"):
        shipped_networks.load(path, described)


def test_without_a_shipped_file_the_network_is_trained_on_the_training_rows(digits, monkeypatch):
    seen = []
    monkeypatch.setattr(
        training,
        "train",
        lambda network, points, labels, **settings: seen.append((len(points), settings)),
    )
    shipped_networks.network(digits, "smooth_l1", 3)
    rows, settings = seen[0]
    assert rows == 1797  # all of the dataset, although only a subset of 300 was asked for
    assert (
        settings["objective"],
        settings["seed"],
        settings["epochs"],
        settings["batch_size"],
    ) == ("smooth_l1", 3, 5, 64)


def test_another_network_file_is_another_key(tmp_path, monkeypatch):
    spec = Spec(embedding="cnn_regression")
    before = embedding_key(spec, "data"), scores_key(spec, "data"), embedding_key(Spec(), "data")
    monkeypatch.setattr(shipped_networks, "FOLDER", tmp_path)
    (tmp_path / "mnist-regression-1.safetensors").write_bytes(b"other")
    after = embedding_key(spec, "data"), scores_key(spec, "data"), embedding_key(Spec(), "data")
    assert after[0] != before[0] and after[1] != before[1] and after[2] == before[2]


def test_the_description_is_what_was_asked_for(digits):
    described = json.loads(shipped_networks.description(digits, "smooth_l1", 2)["network"])
    assert described["schedule"] == "linear"
    assert described == {
        **shipped_networks.RECIPE,
        "classes": 10,
        "shape": [8, 8],
        "dataset": "digits",
        "objective": "smooth_l1",
        "seed": 2,
    }


def test_the_talk_s_networks_keep_its_constant_rate(digits):
    assert (
        json.loads(shipped_networks.description(digits, "softmax_twice", 1)["network"])["schedule"]
        == "constant"
    )


def test_an_unknown_objective_names_the_known_ones():
    with pytest.raises(UserError, match="expected one of smooth_l1"):
        shipped_networks.file("mnist", "hinge", 1)
