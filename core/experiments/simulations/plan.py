"""When does BAIT's weighing pay? Plans of the BAIT paper's simulations, a figure each.

    PRESETS["risk"]             Figure 3: Bayes risk of ridge regression on two designs with the
                                same covariance
    PRESETS["representations"]  Figures 2 and 4: linear classification on a learned and on a random
                                representation
    PRESETS["backward"]         Figure 1: picking 2k and dropping k against picking k, with an MLP
    plan.units()                a run per design, strategy and seed
                                (core/experiments/simulations/run.py)

What plays no part in its figure is as in the preset, so that Figure 3 is the same on every dataset.

The paper asks for 50 batches of 10 labels among 60,000 points (30,000 in Figures 2 and 4). The
presets ask for 30 among 2,000, so that all of them take about a quarter of an hour of one core; the
paper gives neither its seeds nor the number of first labels (here 100, as in the BADGE paper), and
its linear classifiers learn at a rate of 1e-4, ours at 1e-3 (core/experiments/active/rounds.py).

Source: Ash, Goel, Krishnamurthy, Kakade 2021, Gone Fishing, sections 4, 5 and 6.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from core import datasets, strategy
from core.experiments.active.rounds import RoundSettings, inputs_of, pool_of
from core.experiments.active.strategy_texts import parse_strategies, parse_strategy
from core.experiments.cost import OF_CORE, Measurement
from core.experiments.plan import Plan
from core.experiments.simulations import bayes_risk
from core.experiments.simulations.representations import REPRESENTATIONS, halves
from core.experiments.simulations.run import DRAWN, LabelingRun, NoDataset, RiskRun
from core.plugins import menu
from core.runtime import tasks
from core.strategy import Knob
from core.types import Dataset, UserError

BAIT = "bait_regression:backward=False"
LOG_DET = "log_det"
FORWARD = "bait:backward=False"
UNWEIGHED = f"{FORWARD}:fisher=False"
DESIGNS = {
    "risk": bayes_risk.DESIGNS,
    "representations": REPRESENTATIONS,
    "backward": ("network",),
}
DUELS = {
    "risk": (BAIT, LOG_DET),
    "representations": (FORWARD, UNWEIGHED),
    "backward": ("bait", FORWARD),
}
NETWORKS = {"representations": "linear", "backward": "mlp"}
FIRST = 100
KNOBS = {
    "pool": Knob(
        "Pool",
        "Random points that can be picked; in Figure 3 the points drawn.",
        200,
        60_000,
        name="pool",
        kind=int,
    ),
    "ridge": Knob(
        "Ridge λ",
        "Of the prior N(0, I / λ), which the strategies know.",
        1e-6,
        1e3,
        (1e-4, 1e-3, 1e-2, 1e-1, 1.0),
        "ridge",
        kind=float,
    ),
    "batch": Knob(
        "Batch size",
        "How many labels are asked for in each round.",
        1,
        1000,
        name="batch",
        kind=int,
    ),
    "rounds": Knob("Rounds", "How many batches are asked for.", 1, 100, name="rounds", kind=int),
    "seeds": Knob(
        "Seeds",
        "Each redraws the points, the first labels and the networks.",
        2,
        50,
        name="seeds",
        kind=int,
    ),
}
FIGURE = Knob("Figure", choices=tuple(DESIGNS), name="figure", kind=str, default="risk")
FIGURE_AND_KNOBS = {"figure": FIGURE, **KNOBS}
LISTS = {"strategies": parse_strategies}
# What plays a part in the one kind of figure only.
OF_RISK = ("ridge",)
OF_ROUNDS = ("batch", "rounds", "dataset", "n", "subset")


@dataclass(frozen=True)
class Simulations(Plan):
    """One figure: which strategies compete, in which setting, with how many seeds."""

    figure: str = "risk"
    dataset: str = "mnist"
    n: int | None = None
    subset: int = 0
    strategies: tuple[str, ...] = (BAIT, LOG_DET, "leverage", "random")
    pool: int = 1000
    ridge: float = 0.01
    batch: int = 10
    rounds: int = 30
    seeds: int = 10
    kind = "simulations"
    units_are = "runs"
    knobs = FIGURE_AND_KNOBS
    lists = LISTS
    fewer = "strategies or seeds"

    @property
    def needs_data(self) -> bool:
        """Figure 3 draws its own points."""
        return self.figure != "risk"

    @property
    def designs(self) -> tuple[str, ...]:
        """What the strategies are compared on."""
        return DESIGNS[self.figure]

    @property
    def setting(self) -> RoundSettings:
        """Of the rounds."""
        return RoundSettings(NETWORKS[self.figure], self.batch, self.rounds, FIRST, pool=self.pool)

    @property
    def budgets(self) -> tuple[int, ...]:
        """Points picked, or labels known, where something is measured."""
        if not self.needs_data:
            return bayes_risk.BUDGETS
        return tuple(FIRST + self.batch * i for i in range(self.rounds + 1))

    @property
    def duel(self) -> tuple[str, str]:
        """The two strategies that the figure is about, or the nearest to them in this plan."""
        wanted = DUELS[self.figure]
        first = wanted[0] if wanted[0] in self.strategies else self.strategies[0]
        others = [name for name in self.strategies if name != first] or [first]
        return first, wanted[1] if wanted[1] in others else others[-1]

    @property
    def trains(self) -> str | None:
        """The figure's network; Figure 3 has none."""
        return NETWORKS.get(self.figure)

    @property
    def measurement(self) -> Measurement:
        """How its cost is measured: on rounds and selections, in Figure 3 by inverting matrices.

        The representation is the last one, which takes no training.
        """
        if self.needs_data:
            arguments = (self.dataset, self.n, self.subset, self.designs[-1], self.strategies)
            return Measurement(
                f"~rate {self.kind} {(*arguments, self.setting)}",
                tasks.LABELING_SPEED,
                (*arguments, self.setting),
                "how fast this machine trains a round, and picks",
                "{:.2g} rounds of training per second each",
            )
        return OF_CORE

    def to_query(self) -> dict[str, str]:
        """The link's parameters: what differs from the figure's preset."""
        figure = {} if self.figure == FIGURE.default else {"figure": self.figure}
        return figure | super().to_query()

    def points(self) -> Dataset | NoDataset:
        """Its dataset, or a name for points that are drawn."""
        return super().points() if self.needs_data else DRAWN

    def units(self) -> list[RiskRun | LabelingRun]:
        """Every run: first seeds first, the strategies of one design and seed side by side."""
        seeds = range(1, self.seeds + 1)
        each = [
            (design, chosen, seed)
            for seed, design, chosen in product(seeds, self.designs, self.strategies)
        ]
        if self.needs_data:
            return [
                LabelingRun(self.dataset, self.n, self.subset, *one[:2], self.setting, one[2])
                for one in each
            ]
        return [RiskRun(*one, self.pool, self.ridge) for one in each]

    def title(self) -> str:
        """For captions and manifests."""
        if not self.needs_data:
            return (
                f"Bayes risk on designs of {self.pool:,} points, ridge {self.ridge:g},"
                f" {self.seeds} seeds"
            )
        what = (
            "learned and random representations"
            if self.figure == "representations"
            else "forward against forward-backward"
        )
        about = (
            f"batches of {self.batch:,} up to {self.budgets[-1]:,} labels from a pool of"
            f" {self.pool:,}, {self.seeds} seeds"
        )
        return f"{datasets.info(self.dataset).title}, {what}, {about}"

    def check(self, data: Dataset | NoDataset) -> None:
        """A UserError if some run cannot begin on these points: what is known before the work."""
        for text in self.strategies:
            name, knobs = parse_strategy(text)
            if reason := absent(name, self.figure):
                raise UserError(
                    f"{menu.find(name).label} {reason}. Leave it out of this experiment."
                )
            if self.figure == "risk" and "ridge" in dict(knobs):
                raise UserError(
                    f"Strategies: found {text!r}, but here the ridge is the prior's,"
                    " the same for all. Set it there."
                )
        if isinstance(data, Dataset):
            asked = halves(data, 1)[0] if self.figure == "representations" else data
            pool_of(asked, self.setting, seed=1)

    @classmethod
    def _begun(cls, query: Mapping[str, str]) -> tuple[Simulations, list[str]]:
        return PRESETS.get(query.get("figure", ""), PRESETS[FIGURE.default]), []

    def _first(self) -> Simulations:
        return PRESETS[self.figure]

    def _without_effect(self) -> dict[str, Any]:
        idle = OF_RISK if self.needs_data else OF_ROUNDS
        return {name: getattr(PRESETS[self.figure], name) for name in idle}


PRESETS = {
    "risk": Simulations(),
    "representations": Simulations(
        "representations", strategies=(FORWARD, UNWEIGHED, "random"), pool=2000, seeds=5
    ),
    "backward": Simulations("backward", strategies=("bait", FORWARD, "random"), pool=2000, seeds=5),
}


def absent(name: str, figure: str) -> str | None:
    """Why a strategy cannot take part in a figure, or None."""
    needs = menu.find(name).needs
    if figure == "risk":
        missing = [strategy.INPUTS[needed] for needed in needs if needed != "embedding"]
        return f"needs {' and '.join(missing)}, which a design does not have" if missing else None
    return inputs_of(needs, RoundSettings())
