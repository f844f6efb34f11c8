"""How fast is training? One run, printed: `python -m tests.benchmarks.training`.

The talk's network and LeNet-5, by core.models.training and by the usual loop: a DataLoader of batch
64 over float32 tensors, shuffled, Adam, ReLU before max-pooling, default threads. Both start from
the same weights, take turns epoch by epoch on the same MNIST digits, and are asked for the same
test digits. Wanted: at least 2.5 times the usual loop's samples per second for the talk's network
on two CPU cores, at equal test accuracy. Run it on a quiet machine.
"""

from __future__ import annotations

import copy
import os
import platform
import time

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from core.datasets import load
from core.models import evaluation, networks, training

TRAIN, EPOCHS, SEEDS, WANTED = 12_000, 2, (1, 2, 3, 4), {"talk_cnn": 2.5}


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
        nn.functional.cross_entropy(network(x), y).backward()
        adam.step()
    return time.perf_counter() - started


def accuracy(network: nn.Module, images: torch.Tensor, labels: torch.Tensor) -> float:
    """Share of right answers of a plain network."""
    with torch.inference_mode():
        guesses = torch.cat([network(chunk).argmax(1) for chunk in images.split(500)])
    return (guesses == labels).double().mean().item()


def race(name: str, seed: int) -> tuple[tuple[float, float], tuple[float, float]]:
    """Train both ways in turns: samples per second and test accuracy, ours and the usual loop's."""
    digits = load("mnist")
    train, test = np.flatnonzero(~digits.test)[:TRAIN], np.flatnonzero(digits.test)
    points, labels = torch.tensor(digits.points), torch.tensor(digits.labels)
    images = (points[:, None] / 255 - 0.1307) / 0.3081
    ours = networks.build(name, classes=10, shape=digits.shape, seed=seed)
    usual, draw = usual_network(ours), torch.Generator().manual_seed(seed)
    loader = DataLoader(
        TensorDataset(images[train], labels[train]), batch_size=64, shuffle=True, generator=draw
    )
    adam, seconds = torch.optim.Adam(usual.parameters()), []
    turn = {
        "epochs": EPOCHS,
        "seed": seed,
        "on_epoch": lambda *_: seconds.append(usual_epoch(usual, loader, adam)),
    }
    record = training.train(ours, points[train], labels[train], **turn)
    right = (
        evaluation.evaluate(ours, points[test], labels[test]).accuracy,
        accuracy(usual, images[test], labels[test]),
    )
    return (record.samples_per_second, EPOCHS * TRAIN / sum(seconds)), right


def compare(name: str) -> None:
    """Print one row: the rates over all seeds, the mean accuracies, and the standard error of the
    accuracies' difference.
    """
    rates, right = (
        np.array(part) for part in zip(*(race(name, seed) for seed in SEEDS), strict=True)
    )
    rate, gap = 1 / (1 / rates).mean(axis=0), right[:, 0] - right[:, 1]
    wanted = f"wanted {WANTED[name]}" if name in WANTED else ""
    accuracies = (
        f"{right[:, 0].mean():10.2%}{right[:, 1].mean():10.2%}{gap.mean():+11.2%} ±"
        f" {gap.std(ddof=1) / len(gap) ** 0.5:.2%}"
    )
    print(
        f"{name:10}{rate[0]:12,.0f}{rate[1]:12,.0f}{rate[0] / rate[1]:8.2f}x"
        f" {wanted:12}{accuracies}"
    )


def main() -> None:
    """Print the comparison."""
    print(
        f"{platform.machine()}, {torch.get_num_threads()} threads, load {os.getloadavg()[0]:.1f},"
        f" torch {torch.__version__}"
    )
    print(
        f"{TRAIN:,} digits, {EPOCHS} epochs of batch 64, {len(SEEDS)} seeds; accuracy on 10,000"
        " test digits"
    )
    print(
        f"{'network':10}{'ours, /s':>12}{'usual, /s':>12}{'ratio':>9}"
        f" {'':12}{'ours':>10}{'usual':>10}{'difference':>19}"
    )
    for name in ("talk_cnn", "lenet5"):
        compare(name)


if __name__ == "__main__":
    main()
