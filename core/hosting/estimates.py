"""How long would a question take, and how much memory? Told from its Spec, before anybody begins.

    of(task, arguments)     Estimate(seconds, megabytes, heavy)

n points, d dimensions, c classes: how each method's work grows, and the measured seconds and bytes
of a unit of it on one core (`python -m tests.benchmarks.estimates` prints them beside what it
measures). Right within a factor of BOUNDS.patience is enough: what takes longer is stopped.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from core.models import shipped_networks
from core.runtime import tasks
from core.spec import Comparison, Request, Spec, resolve
from core.strategy import MADE


class Estimate(NamedTuple):
    """seconds on one core; megabytes beside the program's; heavy: not to be among what is quick."""

    seconds: float
    megabytes: float
    heavy: bool


class Size(NamedTuple):
    """n points of d dimensions in c classes, v of them in the validation set; the knobs by name."""

    n: int
    d: int
    c: int
    v: int
    knobs: dict[str, Any]


HEAVY_SECONDS, HEAVY_MB = 4.0, 300
VALIDATED = 2_000  # points of a validation set at most
CLASSES = 10  # where a dataset's are not known
OTHERS = Estimate(5.0, 200, False)  # tasks about one point, one picture, one plan's look


def _fit(s: Size) -> float:
    """Seconds of fitting a softmax head."""
    return 0.1 + 8e-8 * s.n * s.d * s.c


def _whitening(s: Size) -> float:
    """Seconds of the Gram matrix and its eigenvectors, which every result tells of."""
    return 0.1 + 6e-11 * s.n * s.d * s.d + 2.5e-10 * s.d**3


def _nothing_more(s: Size) -> tuple[float, float]:
    return 0.0, 24 * s.d * s.d


def _class_leverage(s: Size) -> tuple[float, float]:
    return s.c * _whitening(s._replace(n=s.n // s.c)), 24 * s.d * s.d


def _fisher(s: Size) -> tuple[float, float]:
    p = min(s.c * s.d, 20_000)
    return _fit(s) + 2.7e-11 * p**3 + 7.5e-11 * s.n * p * p, 21 * p * p


def _neighbours(s: Size) -> tuple[float, float]:
    return 2.0 + 4e-10 * s.n * s.n * s.d, 2e8


def _record(s: Size) -> tuple[float, float]:
    return 4.0 + 2e-6 * s.n * s.d, 7e8


def _influence(s: Size) -> tuple[float, float]:
    return 0.5 + 6 * _fit(s), 1e8 + 16 * s.n * s.d


def _point_by_point(s: Size) -> tuple[float, float]:
    """A step in all weights for each point."""
    return 6 * _fit(s) + 8e-9 * s.n * s.n * s.d * s.c, 3e8


def _leave_one_out(s: Size) -> tuple[float, float]:
    """A head for each point, begun where the last one ended."""
    return _fit(s) + 8e-8 * s.n * s.n * s.d * s.c, 3e8


def _knn_shapley(s: Size) -> tuple[float, float]:
    return 1.0 + 1e-9 * s.n * s.v * s.d + 1e-7 * s.n * s.v, 24 * s.n * s.v


def _data_shapley(s: Size) -> tuple[float, float]:
    heads = s.knobs.get("orders", 10) * s.n
    return 1.0 + heads * (2e-4 + 1e-8 * (s.n + s.v) * s.d * s.c), 3e8


GROWTH: dict[str, Callable[[Size], tuple[float, float]]] = {
    "leverage": _nothing_more,
    "class_leverage": _class_leverage,
    "textbook_qr": lambda s: (2 * _whitening(s), 16 * s.n * s.d),
    "random": _nothing_more,
    "fisher_leverage": _fisher,
    "bald": lambda s: (6 * _fit(s), 8 * s.n * s.c * 10),
    "typicality": _neighbours,
    "neighbour_distance": _neighbours,
    "forgetting": _record,
    "influence_value": _influence,
    "influence_harm": _influence,
    "gradient_product": _influence,
    "newton_influence": _point_by_point,
    "leave_one_out": _leave_one_out,
    "fi_util": _point_by_point,
    "fi_active": _point_by_point,
    "fi_active_forest": _point_by_point,
    "goal_utility": _point_by_point,
    "knn_shapley": _knn_shapley,
    "data_shapley": _data_shapley,
}
TORCH = 4.0  # seconds until a worker has it, at its first network
TRAINED = 2_000  # points a second, of the talk's network on one core


def of(task: str, arguments: tuple[Any, ...]) -> Estimate:
    """What a task would take with these arguments."""
    for argument in arguments:
        if isinstance(argument, Comparison):
            parts = [_scores(resolve(column)) for column in argument.columns]
            ranked = sum(part.seconds for part in parts) + 1e-6 * len(parts) ** 2 * parts[0].n
            return _estimate(ranked, max(part.bytes for part in parts))
        if isinstance(argument, Spec):
            request = resolve(argument)
            if task == tasks.MAP:
                return _estimate(*_map(size_of(request)), always=True)
            if task in (tasks.SCORES, tasks.TEXTBOOK_SCORES):
                found = _scores(request)
                return _estimate(
                    found.seconds, found.bytes, always="validation" in request.strategy.accepts
                )
    return OTHERS


class _Work(NamedTuple):
    seconds: float
    bytes: float
    n: int


def _scores(request: Request) -> _Work:
    s = size_of(request)
    grow = GROWTH.get(request.strategy.name, lambda s: (_fit(s), 8 * s.n * s.c))
    seconds, more = grow(s)
    if set(MADE) & set(request.strategy.accepts) and request.strategy.name not in GROWTH:
        seconds, more = _point_by_point(s)
    return _Work(seconds + _whitening(s) + _embedding(request, s), more + 12 * s.n * s.d, s.n)


def size_of(request: Request) -> Size:
    """The size of a question."""
    about = request.about
    knobs = {name: k.default for name, k in request.strategy.knobs.items()} | dict(
        request.spec.strategy_knobs
    )
    n = request.rows
    classes = len(getattr(about, "class_names", ())) or CLASSES
    return Size(n, request.width, classes, min(VALIDATED, n // 5 + 1), knobs)


def _embedding(request: Request, s: Size) -> float:
    """Seconds of the points' embedding; a network that is not bundled is trained first."""
    pixels = max(1, math.prod(request.about.shape))
    objective = request.embedder.objective
    seconds = 0.0 if request.embedder.name == "raw" else 5e-11 * s.n * s.d * pixels
    seconds += TORCH if objective or request.embedder.name == "cnn_untrained" else 0.0
    if (
        objective
        and not shipped_networks.file(request.spec.dataset, objective, request.spec.seed).exists()
    ):
        trained = request.about.train
        return seconds + 1.0 + shipped_networks.RECIPE["epochs"] * trained / TRAINED
    return seconds


def _map(s: Size) -> tuple[float, float]:
    return 10.0 + 2e-3 * s.n + (4e-10 * s.n * s.n * s.d if s.n < 4_096 else 2e-6 * s.n * s.d), 4e8


def _estimate(seconds: float, size: float, always: bool = False) -> Estimate:
    megabytes = size / 1e6
    return Estimate(seconds, megabytes, always or seconds > HEAVY_SECONDS or megabytes > HEAVY_MB)
