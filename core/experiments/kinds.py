"""Which experiments are there? KINDS: the name of a kind's page -> the class of its plans."""

from __future__ import annotations

from core.experiments.active.plan import Active
from core.experiments.influence.plan import Influence
from core.experiments.plan import Plan
from core.experiments.retrain.plan import Retraining
from core.experiments.sampling.plan import Sampling
from core.experiments.simulations.plan import Simulations
from core.experiments.trim.plan import Trim

KINDS: dict[str, type[Plan]] = {
    kind.kind: kind for kind in (Sampling, Retraining, Active, Influence, Trim, Simulations)
}
