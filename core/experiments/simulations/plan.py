"""When does BAIT's weighing pay? Plans of the BAIT paper's simulations, a figure each: every
design, strategy and seed is a run.

    PRESETS["risk"]             Figure 3: Bayes risk of ridge regression on two designs with the
                                same covariance
    PRESETS["representations"]  Figures 2 and 4: linear classification on a learned and on a random
                                representation
    PRESETS["backward"]         Figure 1: picking 2k and dropping k against picking k, with an MLP
    plan.units()                the runs, core/experiments/simulations/run.py

A plan is canonical like a Spec: what plays no part in its figure is as in the preset, so that
Figure 3 is the same on every dataset.

The paper asks for 50 batches of 10 labels among 60,000 points (30,000 in Figures 2 and 4). The
presets ask for 30 among 2,000, so that all of them take about a quarter of an hour of one core; the
paper gives neither its seeds nor the number of first labels (here 100, as in the BADGE paper), and
its linear classifiers learn at a rate of 1e-4, ours at 1e-3 (core/experiments/active/rounds.py).

Source: Ash, Goel, Krishnamurthy, Kakade 2021, Gone Fishing, sections 4, 5 and 6.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from core import datasets, strategy
from core.experiments import plan as plans
from core.experiments.active.plan import MOST_UNITS, canonical_strategies, parse_strategy
from core.experiments.active.rounds import Setting, inputs_of, pool_of
from core.experiments.cost import Measurement
from core.experiments.simulations import designs as simulations
from core.experiments.simulations.designs import BUDGETS, halves
from core.experiments.simulations.run import DRAWN, Risk, Rounds, Source
from core.plugins import menu
from core.spec import Spec
from core.strategy import Knob
from core.types import Dataset, UserError

BAIT = "bait_regression:backward=False"
LOG_DET = "log_det"
FORWARD = "bait:backward=False"
UNWEIGHED = f"{FORWARD}:fisher=False"
DESIGNS = {
    "risk": simulations.DESIGNS,
    "representations": simulations.REPRESENTATIONS,
    "backward": ("network",),
}
DUELS = {
    "risk": (BAIT, LOG_DET),
    "representations": (FORWARD, UNWEIGHED),
    "backward": ("bait", FORWARD),
}
NETWORKS = {"representations": "linear", "backward": "mlp"}
FIRST = 100
BYTES = (
    8 * (9 * 128) ** 2 * 6
)  # of BAIT's matrices: nine contrasts of ten classes by 128 dimensions, float64
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
# what plays a part in the one kind of figure only
OF_RISK = ("ridge",)
OF_ROUNDS = ("batch", "rounds", "dataset", "n", "subset")


@dataclass(frozen=True)
class Simulations:
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

    def with_(self, **changes: Any) -> Simulations:
        """This plan with some parts changed, checked and canonical.

        A UserError if a part does not fit.
        """
        return _canonical(dataclasses.replace(self, **changes))

    @property
    def needs_data(self) -> bool:
        """Figure 3 draws its own points."""
        return self.figure != "risk"

    @property
    def designs(self) -> tuple[str, ...]:
        """What the strategies are compared on."""
        return DESIGNS[self.figure]

    @property
    def setting(self) -> Setting:
        """Of the rounds."""
        return Setting(NETWORKS[self.figure], self.batch, self.rounds, FIRST, pool=self.pool)

    @property
    def budgets(self) -> tuple[int, ...]:
        """Points picked, or labels known, where something is measured."""
        return (
            tuple(FIRST + self.batch * i for i in range(self.rounds + 1))
            if self.needs_data
            else BUDGETS
        )

    @property
    def duel(self) -> tuple[str, str]:
        """The two strategies that the figure is about, or what comes nearest to them in this
        plan.
        """
        wanted = DUELS[self.figure]
        first = wanted[0] if wanted[0] in self.strategies else self.strategies[0]
        others = [name for name in self.strategies if name != first] or [first]
        return first, wanted[1] if wanted[1] in others else others[-1]

    @property
    def measurement(self) -> Measurement:
        """How its cost is measured: not by training alone."""
        told = "each {:.2g} times as fast as the core on which these runs were timed"
        held = BYTES if self.needs_data else 0
        return Measurement(
            f"~rate core {held}",
            "core.experiments.cost:measure_core",
            (held,),
            "how fast this machine computes",
            told,
        )

    def to_query(self) -> dict[str, str]:
        """The link's parameters: what differs from the figure's preset."""
        texts = _texts(self)
        default = _texts(PRESETS[self.figure])
        return {
            name: text
            for name, text in texts.items()
            if text != default[name] or (name == "figure" and text != "risk")
        }

    def units(self) -> list[Risk | Rounds]:
        """Every run: the first seed of all first, the strategies of one design and seed side by
        side.
        """
        each = [
            (design, chosen, seed)
            for seed, design, chosen in product(
                range(1, self.seeds + 1), self.designs, self.strategies
            )
        ]
        if self.needs_data:
            return [
                Rounds(self.dataset, self.n, self.subset, *one[:2], self.setting, one[2])
                for one in each
            ]
        return [Risk(*one, self.pool, self.ridge) for one in each]

    def title(self) -> str:
        """For captions and manifests."""
        if not self.needs_data:
            return (
                f"Bayes risk on designs of {self.pool:,} points, ridge {self.ridge:g}, {self.seeds}"
                " seeds"
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


PRESETS = {
    "risk": Simulations(),
    "representations": Simulations(
        "representations", strategies=(FORWARD, UNWEIGHED, "random"), pool=2000, seeds=5
    ),
    "backward": Simulations("backward", strategies=("bait", FORWARD, "random"), pool=2000, seeds=5),
}


def from_query(query: Mapping[str, str]) -> tuple[Simulations, list[str]]:
    """The plan of a link, and one message for every part that could not be used (the rest is
    kept).
    """
    known = query.get("figure", "risk") in PRESETS
    plan = PRESETS[query.get("figure", "risk") if known else "risk"]
    problems = (
        []
        if known
        else [f"figure: found {query['figure']!r}, expected one of {', '.join(PRESETS)}."]
    )
    plan, more = plans.read(plan, [name for name in _texts(plan) if name != "figure"], query)
    return plan, problems + more


def source(plan: Simulations) -> Dataset | Source:
    """What the plan's runs are about: its dataset, or a name for points that are drawn."""
    return datasets.load(plan.dataset, n=plan.n, seed=plan.subset) if plan.needs_data else DRAWN


def absent(name: str, figure: str) -> str | None:
    """Why a strategy cannot take part in a figure, or None."""
    needs = menu.find(name).needs
    if figure == "risk":
        missing = [strategy.INPUTS[needed] for needed in needs if needed != "embedding"]
        return f"needs {' and '.join(missing)}, which a design does not have" if missing else None
    return inputs_of(needs, Setting())


def check(plan: Simulations, data: Dataset | Source) -> None:
    """A UserError if some run of the plan cannot begin on these points: what is known before any
    work.
    """
    for text in plan.strategies:
        name, knobs = parse_strategy(text)
        if reason := absent(name, plan.figure):
            raise UserError(f"{menu.find(name).label} {reason}. Leave it out of this experiment.")
        if plan.figure == "risk" and "ridge" in dict(knobs):
            raise UserError(
                f"Strategies: found {text!r}, but here the ridge is the prior's, the same for all."
                " Set it there."
            )
    if isinstance(data, Dataset):
        pool_of(
            halves(data, 1)[0] if plan.figure == "representations" else data, plan.setting, seed=1
        )


def _texts(plan: Simulations) -> dict[str, str]:
    plain = {
        name: str(getattr(plan, name)) for name in ("figure", "dataset", "n", "subset", *KNOBS)
    }
    return plain | {"strategies": " ".join(plan.strategies)}


def _canonical(plan: Simulations) -> Simulations:
    if plan.figure not in PRESETS:
        raise UserError(f"figure: found {plan.figure!r}, expected one of {', '.join(PRESETS)}.")
    values = {name: knob.parse(getattr(plan, name)) for name, knob in KNOBS.items()}
    strategies = canonical_strategies(plan.strategies)
    if (units := len(strategies) * len(plan.designs) * values["seeds"]) > MOST_UNITS:
        raise UserError(
            f"Found {units:,} runs, expected at most {MOST_UNITS:,}. Choose fewer strategies or"
            " seeds."
        )
    spec = Spec().with_(dataset=plan.dataset, n=plan.n, subset=plan.subset)
    values |= {
        "dataset": spec.dataset,
        "n": spec.n,
        "subset": spec.subset,
        "strategies": strategies,
    }
    idle = OF_RISK if plan.needs_data else OF_ROUNDS
    return dataclasses.replace(
        plan, **values | {name: getattr(PRESETS[plan.figure], name) for name in idle}
    )
