"""How is a network trained? The only training loop of the project.

    record = train(network, points, labels, epochs=5, seed=1)

What it is told is in core/models/recipe.py, what a trained network answers in
core/models/evaluation.py.

Conventions: points and labels as the dataset stores them; they lie on the device as they are (uint8
images) and are gathered by index, batch by batch. Adam. Every training draws from generators of its
own, so that trainings in several threads never disturb each other, and one seed gives one result on
one machine with one number of threads. A loss is a mean over the points of a batch.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from core.models.networks import Network, draws, own_generator, seed_dropout
from core.models.recipe import OBJECTIVES, Recipe, device_named
from core.models.stacked_networks import as_one_function
from core.models.training_data import rows_of, tensors
from core.models.training_speed import way
from core.runtime.threads import threads
from core.types import Floats, Ints, UserError


@dataclass(frozen=True)
class Record:
    """What happened in a training.

    losses, seconds: mean loss and seconds of each pass (the last may be cut short); the time of
    on_epoch is not in it.
    """

    losses: tuple[float, ...] = ()
    seconds: tuple[float, ...] = ()
    samples_per_second: float = 0.0
    steps: int = 0
    stopped: bool = True


def train(
    network: Network,
    points,
    labels,
    *,
    seed: int,
    on_epoch: Callable[[int, Network], None] | None = None,
    **settings,
) -> Record:
    """Train the network in place, by Adam; it ends in eval mode on the device it was trained on.

    settings: the fields of `Recipe` and the device, weights, stop and progress of `train_many`.
    on_epoch(epoch, network): after every pass, epoch from 1.
    """
    every = None if on_epoch is None else lambda _, epoch, trained: on_epoch(epoch, trained)
    return train_many([network], points, labels, seeds=[seed], on_epoch=every, **settings)[0]


def train_many(
    networks: Sequence[Network],
    points: np.ndarray | Tensor,
    labels: Ints | Tensor,
    *,
    seeds: Sequence[int],
    subsets: Sequence[Ints] | None = None,
    stacked: bool | None = None,
    device: str | None = None,
    weights: Floats | None = None,
    stop: Callable[[], bool] | None = None,
    progress: Callable[[int, int, float], None] | None = None,
    on_epoch: Callable[[int, int, Network], None] | None = None,
    **recipe,
) -> list[Record]:
    """Train networks of one architecture in place; up to rounding the same as `train` on each.

    subsets: for each network the rows of points it sees (in this order if order="as_given"); by
    default all. stacked: train networks with equally many rows together, as batched matrix
    products; by default on a GPU only (two CPU cores are busy with one). Networks with dropout are
    trained one by one: each draws from its own generator. device: by default the GPU if there is
    one. weights: (n,), of each point's loss; a batch still divides by its size. stop(): asked after
    every step and every pass; True ends all. progress(step, steps, loss): after every step, counted
    over all networks; it reads the loss, which a GPU must be waited for. on_epoch(which, epoch,
    network): after every pass, network in eval mode. Raises UserError for data that do not fit the
    networks and for a loss that is not finite.
    """
    if (
        not networks
        or len(seeds) != len(networks)
        or (subsets is not None and len(subsets) != len(networks))
    ):
        raise UserError(
            f"train_many: found {len(networks)} networks and {len(seeds)} seeds. Give each network"
            " one seed and one subset."
        )
    how = Recipe(**recipe)
    data = tensors(device_named(device), points, labels, networks[0].head.out_features, weights)
    if data[1].is_floating_point() and how.objective != "squared":
        raise UserError(
            f"objective: found {how.objective!r} for a target of numbers, expected 'squared'."
        )
    rows = [
        rows_of(subset, len(data[0]))
        for subset in ([None] * len(networks) if subsets is None else subsets)
    ]
    together = (data[0].is_cuda if stacked is None else stacked) and not draws(networks[0])
    sizes = [len(own) if together else i for i, own in enumerate(rows)]
    hooks = _Hooks(stop, progress, on_epoch, sum(how.total_steps(len(own)) for own in rows))
    records = {}
    for size in dict.fromkeys(sizes):
        group = [i for i, own in enumerate(sizes) if own == size and not hooks.stopped]
        run = _Run(
            [networks[i] for i in group],
            [rows[i] for i in group],
            [seeds[i] for i in group],
            group,
            data,
            how,
            hooks,
        )
        records |= dict(zip(group, run.run() if group else [], strict=True))
    return [records.get(i, Record()) for i in range(len(networks))]


@dataclass
class _Hooks:
    stop: Callable | None
    progress: Callable | None
    on_epoch: Callable | None
    steps: int
    done: int = 0
    stopped: bool = False

    def after_step(self, losses: Tensor) -> None:
        self.done += len(losses)
        if self.progress:
            self.progress(self.done, self.steps, losses.mean().item())
        self.ask()

    def ask(self) -> None:
        self.stopped = bool(self.stop and self.stop())


@dataclass
class _Run:
    """One training of one network, or of a stack of networks that see equally many rows."""

    networks: list[Network]
    rows: list[Tensor]
    seeds: list[int]
    which: list[int]
    data: tuple[Tensor, Tensor, Tensor]
    recipe: Recipe
    hooks: _Hooks
    steps: int = 0
    seen: int = 0
    losses: list[Tensor] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def run(self) -> list[Record]:
        """As this network trains fastest, unless the recipe says how."""
        chosen = way(self.recipe.precision, self.networks[0], self.data[0].device)
        self.half = chosen.precision == "bfloat16"
        with threads(chosen.threads), _tiny_as_zero():
            return self.passes()

    def passes(self) -> list[Record]:
        """All of them."""
        device = self.data[0].device
        total = self.recipe.total_steps(len(self.rows[0]))
        orders = [own_generator(seed, 1) for seed in self.seeds]
        for network, seed in zip(self.networks, self.seeds, strict=True):
            network.to(device, memory_format=torch.channels_last)
            seed_dropout(network, seed)
        parameters, self.model, write_back = as_one_function(self.networks)
        self.adam = torch.optim.Adam(parameters, lr=self.recipe.learning_rate, fused=True)
        while self.steps < total and not self.hooks.stopped:
            drawn = [
                rows[torch.randperm(len(rows), generator=g)]
                for rows, g in zip(self.rows, orders, strict=True)
            ]
            self.one_pass(
                torch.stack(drawn if self.recipe.order == "shuffle" else self.rows).to(device),
                total,
            )
            write_back()
            for which, network in zip(self.which, self.networks, strict=True):
                network.eval()
                if self.hooks.on_epoch and not self.hooks.stopped:
                    self.hooks.on_epoch(which, len(self.losses), network)
            self.hooks.ask()
        ending = (
            tuple(self.seconds),
            self.seen * len(self.networks) / sum(self.seconds),
            self.steps,
            self.hooks.stopped,
        )
        return [Record(tuple(own), *ending) for own in torch.stack(self.losses, 1).tolist()]

    def one_pass(self, order: Tensor, total: int) -> None:
        """Every row once, or until the steps are used up.

        order: rows of points (m, n), one line per network.
        """
        started = time.perf_counter()
        summed = torch.zeros(len(order), device=order.device)
        seen = 0
        nn.ModuleList(self.networks).train()
        for batch in order.split(self.recipe.batch_size, dim=1):
            losses = self.step(
                batch, 1.0 if self.recipe.schedule == "constant" else 1.0 - self.steps / total
            )
            summed = summed + losses * batch.shape[1]
            seen = seen + batch.shape[1]
            self.steps = self.steps + 1
            self.hooks.after_step(losses)
            if self.hooks.stopped or self.steps == total:
                break
        self.losses.append((summed / seen).cpu())
        self.seconds = [*self.seconds, time.perf_counter() - started]
        self.seen = self.seen + seen
        if not self.losses[-1].isfinite().all():
            raise UserError(
                "Training diverged: the loss is not finite. Lower learning_rate, now"
                f" {self.recipe.learning_rate:g}."
            )

    def step(self, batch: Tensor, rate: float) -> Tensor:
        """One step of Adam on each network's batch of rows (m, b).

        Returns the mean weighted losses (m,) before it.
        """
        points, labels, weights = self.data
        with torch.autocast(batch.device.type, dtype=torch.bfloat16, enabled=self.half):
            outputs = self.model(points[batch]).float()
        each = OBJECTIVES[self.recipe.objective](outputs.flatten(0, 1), labels[batch].flatten(0, 1))
        losses = (each.view(batch.shape) * weights[batch]).mean(1)
        self.adam.zero_grad()
        losses.sum().backward()
        self.adam.param_groups[0]["lr"] = rate * self.recipe.learning_rate
        self.adam.step()
        return losses.detach()


@contextmanager
def _tiny_as_zero() -> Iterator[None]:
    """Numbers below 1e-38 count as zero in this thread.

    They mean nothing here, and on an AVX-512 CPU they cost a tenth of the time.
    """
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)
