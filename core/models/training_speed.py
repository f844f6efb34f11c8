"""How does this network train fastest on this machine: in which precision, with how many threads?

    way(precision, network, device) -> Way(precision, threads)     "auto": as measured
    with settled("bfloat16"): ...                                  or as settled for what is inside

In bfloat16 the arithmetic has eight bits of mantissa; weights stay float32. No flag of a chip says
whether it is faster: of two that report avx512_bf16, the talk's network trained 2.2 times as fast
in bfloat16 on one and 0.96 times on the other; and small networks lose on either. Nor are two
threads always faster than one. So both are measured, in short trainings on random points that take
turns, once for each machine and network; the answer is kept in the cache. The default, float32 and
as many threads as the caller has, gives way only to what is clearly faster.
"""

from __future__ import annotations

import copy
import functools
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from core.models.networks import Dropout, Network, build, own_generator, seed_dropout
from core.models.recipe import device_named
from core.runtime import cache
from core.runtime.code_version import code_version
from core.runtime.machine import chip
from core.runtime.threads import one_thread, threads
from core.types import UserError

VARIABLE = "LEVERAGE_LAB_PRECISION"
CLEARLY = 1.1  # so many times as fast
HOPELESS = 3.0  # times as slow, as bfloat16 is on a chip that only emulates it
BATCH = 64
TURNS = 4
STEPS = 20  # at most, in one turn
TURN_SECONDS = 0.1
SECONDS = 3.0  # after which there are two turns at least and no more
_settled = threading.local()
_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class Way:
    """precision: "float32" or "bfloat16". threads: of this training, on a CPU."""

    precision: str
    threads: int


@dataclass(frozen=True)
class Question:
    """What an answer holds for, beside the machine: networks of this many weights, trained so."""

    network: str
    shape: tuple[int, ...]
    classes: int
    weights: int
    device: str
    threads: int


@contextmanager
def settled(precision: str) -> Iterator[None]:
    """Inside, "auto" means this precision in this thread, with the threads that there are."""
    before = getattr(_settled, "precision", None)
    _settled.precision = precision
    try:
        yield
    finally:
        _settled.precision = before


def way(precision: str, network: Network, device: torch.device) -> Way:
    """How to train this network there. precision: as in `Recipe`."""
    if precision == "auto":
        precision = getattr(_settled, "precision", None) or wanted() or "auto"
    now = torch.get_num_threads()
    if precision != "auto":
        return Way(precision, now)
    weights = sum(parameter.numel() for parameter in network.parameters())
    asked = Question(
        network.name,
        network.inputs.shape,
        network.head.out_features,
        weights,
        device.type if device.type == "cpu" else torch.cuda.get_device_name(device),
        now if device.type == "cpu" else 1,
    )
    with _one_at_a_time:
        return _known(asked) or _keep(asked, fastest(network, device))


def wanted() -> str | None:
    """The precision that the environment asks for, in place of what would be measured."""
    found = os.environ.get(VARIABLE) or None
    if found not in (None, "float32", "bfloat16"):
        raise UserError(f"{VARIABLE}: found {found!r}, expected float32 or bfloat16.")
    return found


def measure(network: str, classes: int, shape: tuple[int, ...]) -> str:
    """In a worker: the precision in which one thread trains this architecture fastest there."""
    built = build(network, classes=classes, shape=shape, seed=0)
    with one_thread():
        return way("auto", built, device_named(None)).precision


def fastest(
    network: Network, device: torch.device, clock: Callable[[], float] = time.perf_counter
) -> Way:
    """Measured now. The network itself is left as it is."""
    now = torch.get_num_threads()
    count = now
    if device.type == "cpu" and now > 1:
        step = training_step(network, device, half=False)
        alone, together = (_with_threads(step, n) for n in (1, now))
        count = 1 if clearly_faster(alone, together, clock) else now
    if device.type == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False):
        return Way("float32", count)
    half, plain = (
        _with_threads(training_step(network, device, half), count) for half in (True, False)
    )
    return Way("bfloat16" if clearly_faster(half, plain, clock) else "float32", count)


def clearly_faster(
    new: Callable[[], Any], default: Callable[[], Any], clock: Callable[[], float]
) -> bool:
    """Is this step to take the default's place? One that is slow from the first is out at once."""
    tried = []
    for step in (new, default):
        step()
        before = clock()
        step()
        tried.append(clock() - before)
    if tried[0] > HOPELESS * tried[1]:
        return False
    ours, theirs = seconds_of((new, default), clock)
    return theirs > CLEARLY * ours


def seconds_of(steps: Sequence[Callable[[], Any]], clock: Callable[[], float]) -> list[float]:
    """Seconds of each step, its best turn of several: they take turns, so that all are disturbed
    alike.
    """
    for step in steps:
        step()
    started = clock()
    for step in steps:
        step()
    longest = max((clock() - started) / len(steps), 1e-9)
    repeats = int(min(STEPS, max(1, TURN_SECONDS / longest)))
    best = [float("inf")] * len(steps)
    for turn in range(TURNS):
        for i, step in enumerate(steps):
            before = clock()
            for _ in range(repeats):
                step()
            best[i] = min(best[i], (clock() - before) / repeats)
        if turn and clock() - started > SECONDS:
            break
    return best


def training_step(
    network: Network,
    device: torch.device,
    half: bool,
    layout: torch.memory_format = torch.channels_last,
) -> Callable[[], float]:
    """One step of Adam on a copy of the network, on random points; it gives the loss."""
    own = {
        id(layer.generator): torch.Generator(device)
        for layer in network.modules()
        if isinstance(layer, Dropout) and layer.generator is not None
    }
    copied = copy.deepcopy(network, own).to(device, memory_format=layout).train()
    seed_dropout(copied, 0)
    points, labels = _random_points(copied, device)
    adam = torch.optim.Adam(copied.parameters(), fused=True)

    def step() -> float:
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=half):
            outputs = copied(points).float()
        loss = F.cross_entropy(outputs, labels)
        adam.zero_grad()
        loss.backward()
        adam.step()
        return loss.item()

    return step


def _random_points(network: Network, device: torch.device) -> tuple[Tensor, Tensor]:
    draws = own_generator(0, 3)
    shape = (BATCH, *network.inputs.shape)
    table = len(shape) == 2
    points = (
        torch.randn(shape, generator=draws)
        if table
        else torch.randint(0, 256, shape, generator=draws, dtype=torch.uint8)
    )
    labels = torch.randint(0, network.head.out_features, (BATCH,), generator=draws)
    return points.to(device), labels.to(device)


def _with_threads(step: Callable[[], Any], count: int) -> Callable[[], Any]:
    def stepped() -> Any:
        with threads(count):
            return step()

    return stepped


@functools.cache
def _key(asked: Question) -> str:
    machine = {"chip": chip(), "set": torch.backends.cpu.get_cpu_capability()}
    fields = asdict(asked) | machine | {"torch": torch.__version__}
    code = code_version("core.models.training_speed")
    return cache.key("training_speed", fields, code=code, data="")


_answers: dict[str, Way] = {}


def _known(asked: Question) -> Way | None:
    key = _key(asked)
    if key not in _answers and (found := cache.get(key)):
        _answers[key] = Way(**found.facts)
    return _answers.get(key)


def _keep(asked: Question, found: Way) -> Way:
    _answers[_key(asked)] = found
    cache.put(_key(asked), {}, asdict(found), describe=asdict(asked))
    return found
