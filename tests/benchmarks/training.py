"""How fast is training? One run, printed: `python -m tests.benchmarks.training`.

The talk's network, LeNet-5 and an MLP, by core.models.training; by the usual loop, a DataLoader of
batch 64 over float32 tensors, shuffled, Adam, ReLU before max-pooling, default threads; and the
floor: forward and backward of our layers on one batch that stays where it is, with nothing around
them. All start from the same weights and take turns epoch by epoch on the same MNIST digits; the
first two are asked for the same test digits. Precision and threads are what is measured here
(core/models/training_speed.py), printed for each network.

Then what a machine with several cores does best: two trainings of one thread side by side against
one after the other with all threads, and convolutions with channels last against contiguous ones.

Wanted: never slower than the usual loop, at equal test accuracy; at least 2.5 times as fast for the
talk's network where bfloat16 gains. Run it on a quiet machine. A quick look:
`python -m tests.benchmarks.training --digits 2000 --seeds 2`.
"""

from __future__ import annotations

import argparse
import copy
import os
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from core.datasets import load
from core.models import evaluation, networks, training, training_speed
from core.runtime.machine import chip
from core.runtime.threads import threads

DIGITS = 12_000
EPOCHS = 2
BATCH = 64
NETWORKS = ("talk_cnn", "lenet5", "mlp")
CPU = torch.device("cpu")


def usual_network(network: networks.Network) -> nn.Sequential:
    """The same layers with the same weights, ReLU before max-pooling, contiguous."""
    layers = [copy.deepcopy(layer) for layer in (*network.body, network.head)]
    for i in [i for i, layer in enumerate(layers) if isinstance(layer, nn.MaxPool2d)]:
        layers[i], layers[i + 1] = layers[i + 1], layers[i]
    return nn.Sequential(*layers)


def usual_epoch(network: nn.Module, loader: DataLoader, adam: torch.optim.Optimizer) -> float:
    """Seconds of one pass of the usual loop."""
    started = time.perf_counter()
    for x, y in loader:
        adam.zero_grad()
        F.cross_entropy(network(x), y).backward()
        adam.step()
    return time.perf_counter() - started


def floor_epoch(network: networks.Network, found: training_speed.Way, n: int) -> float:
    """Seconds of the layers alone, forward and backward, for n digits in batches of 64."""
    layers = nn.Sequential(*network.body, network.head).to(memory_format=torch.channels_last)
    x = torch.randn(BATCH, 1, *network.inputs.shape).to(memory_format=torch.channels_last)
    half = found.precision == "bfloat16"
    with threads(found.threads):
        started = time.perf_counter()
        for _ in range(-(-n // BATCH)):
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=half):
                outputs = layers(x)
            outputs.float().sum().backward()
        return time.perf_counter() - started


def accuracy(network: nn.Module, images: torch.Tensor, labels: torch.Tensor) -> float:
    """Share of right answers of a plain network."""
    with torch.inference_mode():
        guesses = torch.cat([network(chunk).argmax(1) for chunk in images.split(500)])
    return (guesses == labels).double().mean().item()


def race(name: str, seed: int, n: int) -> tuple[tuple[float, ...], tuple[float, float]]:
    """In turns: samples per second of ours, the usual loop and the floor; test accuracy of two."""
    digits = load("mnist")
    train, test = np.flatnonzero(~digits.test)[:n], np.flatnonzero(digits.test)[:n]
    points, labels = torch.tensor(digits.points), torch.tensor(digits.labels)
    images = (points[:, None] / 255 - 0.1307) / 0.3081
    ours = networks.build(name, classes=10, shape=digits.shape, seed=seed)
    bare = networks.build(name, classes=10, shape=digits.shape, seed=seed).train()
    found = training_speed.way("auto", ours, CPU)
    usual, draw = usual_network(ours), torch.Generator().manual_seed(seed)
    loader = DataLoader(
        TensorDataset(images[train], labels[train]),
        batch_size=BATCH,
        shuffle=True,
        generator=draw,
    )
    adam = torch.optim.Adam(usual.parameters())
    before = torch.get_num_threads()
    seconds = []

    def turns(*_: object) -> None:
        with threads(before):
            seconds.append((usual_epoch(usual, loader, adam), floor_epoch(bare, found, n)))

    record = training.train(
        ours, points[train], labels[train], epochs=EPOCHS, seed=seed, on_epoch=turns
    )
    right = (
        evaluation.evaluate(ours, points[test], labels[test]).accuracy,
        accuracy(usual, images[test], labels[test]),
    )
    slow, bound = np.sum(seconds, axis=0)
    return (record.samples_per_second, EPOCHS * n / slow, EPOCHS * n / bound), right


def compare(name: str, n: int, seeds: int) -> None:
    """Print one row: the rates over all seeds, the mean accuracies, and the standard error of the
    accuracies' difference.
    """
    each = [race(name, seed, n) for seed in range(1, seeds + 1)]
    rates, right = (np.array(part) for part in zip(*each, strict=True))
    ours, usual, bound = 1 / (1 / rates).mean(axis=0)
    gap = right[:, 0] - right[:, 1]
    built = networks.build(name, classes=10, shape=(28, 28), seed=0)
    found = training_speed.way("auto", built, CPU)
    print(
        f"{name:10}{found.precision:>10}{found.threads:9}{ours:11,.0f}{usual:11,.0f}{bound:11,.0f}"
        f"{ours / usual:8.2f}x{ours / bound:8.2f}x"
        f"{right[:, 0].mean():9.2%}{right[:, 1].mean():9.2%}{gap.mean():+10.2%} ±"
        f" {gap.std(ddof=1) / len(gap) ** 0.5:.2%}"
    )


def together(name: str, n: int) -> None:
    """Print samples per second of all cores: trainings of one thread side by side, and one that
    has all threads.
    """
    digits = load("mnist")
    rows = np.flatnonzero(~digits.test)[:n]
    points, labels = digits.points[rows], digits.labels[rows]
    cores = torch.get_num_threads()

    def once(count: int) -> None:
        fresh = networks.build(name, classes=10, shape=digits.shape, seed=1)
        with threads(count), training_speed.settled("float32"):
            training.train(fresh, points, labels, seed=1, epochs=EPOCHS)

    seconds = []
    for count, beside in ((cores, 1), (1, cores)):
        with ThreadPoolExecutor(beside) as pool:
            once(count)
            started = time.perf_counter()
            list(pool.map(once, [count] * beside))
            seconds.append((time.perf_counter() - started) / beside)
    one, side = (EPOCHS * n / took for took in seconds)
    print(f"{name:10}{one:20,.0f}{side:20,.0f}{side / one:10.2f}x")


def layouts(name: str) -> None:
    """Print steps of training per second with contiguous and with channels-last memory."""
    network = networks.build(name, classes=10, shape=(28, 28), seed=1)
    found = training_speed.way("auto", network, CPU)
    formats = (torch.contiguous_format, torch.channels_last)
    half = found.precision == "bfloat16"
    steps = [training_speed.training_step(network, CPU, half, layout) for layout in formats]
    with threads(found.threads):
        plain, last = training_speed.seconds_of(steps, time.perf_counter)
    print(f"{name:10}{BATCH / plain:20,.0f}{BATCH / last:20,.0f}{plain / last:10.2f}x")


def main() -> None:
    """Print the comparisons."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--digits", type=int, default=DIGITS)
    parser.add_argument("--seeds", type=int, default=4)
    n, seeds = vars(parser.parse_args()).values()
    print(
        f"{chip()}, {torch.get_num_threads()} threads, load {os.getloadavg()[0]:.1f},"
        f" torch {torch.__version__} ({torch.backends.cpu.get_cpu_capability()})"
    )
    print(
        f"{n:,} digits, {EPOCHS} epochs of batch {BATCH}, {seeds} seeds, samples per second;"
        f" accuracy on {min(n, 10_000):,} test digits\n"
    )
    print(
        f"{'network':10}{'precision':>10}{'threads':>9}{'ours':>11}{'usual':>11}{'floor':>11}"
        f"{'to usual':>9}{'to floor':>9}{'ours':>9}{'usual':>9}{'difference':>18}"
    )
    for name in NETWORKS:
        compare(name, n, seeds)
    print(f"\n{'network':10}{'one, all threads':>20}{'side by side':>20}{'ratio':>11}")
    for name in NETWORKS:
        together(name, n)
    print(f"\n{'network':10}{'contiguous':>20}{'channels last':>20}{'ratio':>11}")
    for name in NETWORKS[:2]:
        layouts(name)


if __name__ == "__main__":
    main()
