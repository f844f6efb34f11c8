"""Are the architectures those of their sources, drawn as PyTorch draws them, and clear about what
they cannot take?
"""

import threading

import pytest
import torch
from torch import nn

from core.models import networks
from core.types import UserError

DIGIT, COLOUR, TABLE = (28, 28), (32, 32, 3), (20,)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def a_batch(shape, n=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    if len(shape) == 1:
        return torch.randn(n, *shape, generator=generator)
    return torch.randint(0, 256, (n, *shape), dtype=torch.uint8, generator=generator)


def a_network(name, shape, seed=1, **options):
    return networks.build(name, classes=7, shape=shape, seed=seed, **options)


def multiply_adds(network, shape):
    """Counted at every linear and convolution layer while one point goes through."""
    counts = []

    def count(layer, _, output):
        outputs = output.numel() if isinstance(layer, nn.Conv2d) else layer.out_features
        counts.append(outputs * layer.weight[0].numel())

    hooks = [
        m.register_forward_hook(count)
        for m in network.modules()
        if isinstance(m, nn.Conv2d | nn.Linear)
    ]
    network(a_batch(shape, n=1))
    for hook in hooks:
        hook.remove()
    return sum(counts)


@pytest.mark.parametrize(
    ("name", "shape", "width", "parameters"),
    [
        ("talk_cnn", DIGIT, 200, 320 + 18_496 + 627_400 + 200 * 7 + 7),
        ("lenet5", DIGIT, 84, 156 + 2_416 + 48_120 + 10_164 + 84 * 7 + 7),
        ("mlp", DIGIT, 128, 100_480 + 128 * 7 + 7),
        ("mlp", TABLE, 128, 2_688 + 128 * 7 + 7),
        ("linear", COLOUR, 3072, 3072 * 7 + 7),
        ("fi_cnn", DIGIT, 256, 320 + 18_496 + 803_072 + 256 * 7 + 7),
        ("resnet18", (8, 8), 512, 11_167_680 + 512 * 7 + 7),
        ("vgg11", COLOUR, 512, 9_225_984 + 512 * 7 + 7),
        ("convmixer", (20, 10), 256, 588_032 + 1_536 + 256 * 7 + 7),
    ],
)
def test_outputs_embeddings_and_parameters(name, shape, width, parameters):
    network, x = a_network(name, shape), a_batch(shape)
    with torch.no_grad():
        embedding = network.embed(x)
        assert embedding.shape == (3, width) and not network.training
        torch.testing.assert_close(
            network(x), embedding @ network.head.weight.T + network.head.bias
        )
    assert network(x).shape == (3, 7) and sum(p.numel() for p in network.parameters()) == parameters


def test_the_costs_are_the_published_ones():
    ten = {"classes": 10, "shape": DIGIT, "seed": 1}
    assert multiply_adds(networks.build("talk_cnn", **ten), DIGIT) == 4_467_664
    assert multiply_adds(networks.build("lenet5", **ten), DIGIT) == 416_520


def test_the_talks_network_is_the_plain_one_written_out():
    network, x = a_network("talk_cnn", DIGIT), a_batch(DIGIT)
    first, second, hidden = (
        layer for layer in network.body if isinstance(layer, nn.Conv2d | nn.Linear)
    )
    plain = nn.Sequential(
        first,
        nn.ReLU(),
        nn.MaxPool2d(2),
        second,
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        hidden,
        nn.ReLU(),
    )
    torch.testing.assert_close(network.embed(x), plain((x[:, None] / 255 - 0.1307) / 0.3081))


def test_weights_are_pytorchs_own_draws_for_the_seed():
    with torch.random.fork_rng():
        torch.manual_seed(5)
        theirs = [
            nn.Conv2d(1, 32, 3),
            nn.Conv2d(32, 64, 3),
            nn.Linear(3136, 200),
            nn.Linear(200, 7),
        ]
    expected = [p for layer in theirs for p in layer.parameters()]
    for ours, own in zip(a_network("talk_cnn", DIGIT, seed=5).parameters(), expected, strict=True):
        assert torch.equal(ours, own)


@pytest.mark.parametrize("name", ["talk_cnn", "resnet18", "vgg11", "convmixer"])
def test_a_seed_means_one_network_and_the_global_generator_rests(name):
    before = torch.get_rng_state()
    one, same, other = (a_network(name, DIGIT, seed).state_dict() for seed in (1, 1, 2))
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(one[k], same[k]) and one[k].isfinite().all() for k in one)
    assert not torch.equal(one["head.weight"], other["head.weight"])


def test_networks_built_in_two_threads_are_those_built_alone():
    built = {}
    threads = [
        threading.Thread(target=lambda s=s: built.update({s: a_network("lenet5", DIGIT, s)}))
        for s in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed, network in built.items():
        assert all(
            torch.equal(p, q)
            for p, q in zip(
                network.parameters(), a_network("lenet5", DIGIT, seed).parameters(), strict=True
            )
        )


def test_images_are_normalised_per_channel_and_framed_with_black():
    inputs = networks.Inputs((4, 6, 3), (0.1, 0.2, 0.3), (1.0, 2.0, 4.0), smallest=6)
    x = a_batch((4, 6, 3), n=2)
    y = inputs(x)
    assert y.shape == (2, 3, 6, 6)
    for c in range(3):
        torch.testing.assert_close(
            y[:, c, 1:5], (x[..., c].float() / 255 - (0.1, 0.2, 0.3)[c]) / (1.0, 2.0, 4.0)[c]
        )
        assert y[:, c, [0, 5]].allclose(torch.tensor(-(0.1, 0.2, 0.3)[c] / (1.0, 2.0, 4.0)[c]))


def test_tables_are_normalised_per_feature():
    network = a_network("linear", (2,), mean=[1.0, 2.0], std=[2.0, 4.0])
    torch.testing.assert_close(
        network.embed(torch.tensor([[3.0, 10.0]], dtype=torch.float64)), torch.tensor([[1.0, 2.0]])
    )


def test_dropout_keeps_the_mean_and_rests_when_asked_to_predict():
    layer = networks.Dropout(0.25)
    layer.generator = torch.Generator().manual_seed(0)
    x = torch.ones(100_000)
    y = layer.train()(x)
    assert y.unique().tolist() == [0, pytest.approx(4 / 3)] and y.mean().item() == pytest.approx(
        1, abs=0.01
    )
    assert torch.equal(layer.eval()(x), x)


@pytest.mark.parametrize(
    ("name", "shape", "options", "says"),
    [
        ("alexnet", DIGIT, {}, "found 'alexnet', expected one of talk_cnn"),
        ("mlp", DIGIT, {"hiden": 3}, "no option hiden; it has mean, std, hidden"),
        ("linear", DIGIT, {"classes": 1}, "found 1 classes"),
        ("linear", DIGIT, {"seed": -1}, "seed"),
        ("resnet18", TABLE, {}, "needs images"),
        ("lenet5", (8, 8), {}, "at least 12 pixels a side, found 8"),
        ("mlp", (8, 8, 4), {}, "expected"),
        ("mlp", DIGIT, {"std": 0.0}, "above 0"),
        ("mlp", DIGIT, {"mean": (0.1, 0.2)}, "one finite number or 1"),
        ("fi_cnn", DIGIT, {"dropout": 1.0}, "dropout"),
    ],
)
def test_what_a_network_cannot_take_is_said(name, shape, options, says):
    with pytest.raises(UserError, match=says):
        networks.build(name, **{"classes": 7, "shape": shape, "seed": 1, **options})


def test_points_of_another_shape_or_kind_are_refused():
    network = a_network("linear", DIGIT)
    with pytest.raises(UserError, match=r"\(28, 28\), found \(8, 8\)"):
        network(a_batch((8, 8)))
    with pytest.raises(UserError, match="expected uint8"):
        network(a_batch(DIGIT).float())
