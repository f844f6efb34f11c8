"""The experiments that come with the app finished.

The talk's second question, under its own protocol and fair ones, and the papers' experiments.
Computed on two CPU cores, so budgets end at 10,000 digits: 50,000, which the talk has too, would
take as long as all the others together. There a single seed of leverage and of random gave 0.990
and 0.989. `python -m core experiments` computes what is missing and packs all.
"""

from __future__ import annotations

from core import datasets
from core.experiments.active.plan import Active
from core.experiments.influence.plan import Queries, Utilities
from core.experiments.retrain.plan import Retraining
from core.experiments.sampling.plan import Sampling, usual_budgets
from core.experiments.sampling.rules import RULES
from core.experiments.simulations import plan as simulation_plan
from core.experiments.trim.plan import Trim
from core.spec import Spec

FAIR = Retraining()
TALK = FAIR.with_(protocol="talk")
RETRAININGS = (FAIR, TALK, FAIR.with_(network="lenet5"), TALK.with_(network="lenet5"))
# BAIT on 26 classes costs 9 times what it does on 10: here it only goes forward, in a smaller pool,
# with few rivals.
LETTER = Active(dataset="letter", strategies=("badge", "bait:backward=False", "random"), pool=5_000)
NAMED_ACTIVE = {"The first comparison": Active(), "Letter": LETTER.with_()}
ACTIVE = tuple(NAMED_ACTIVE.values())
# The BAIT paper's Figure 8 on MNIST, not computed: which strategy a regression on one-hot labels
# does best with. Its batches, first labels and seeds; it gives no pool, rounds or stopping rule.
# 600 digits are hard to fit to 99% in 784 pixels, so the linear model gets a number of passes.
FIGURE_8 = Active(
    task="regression",
    strategies=("bait_regression", "k_center", "random"),
    batch=10,
    rounds=50,
)
FIGURE_8_LINEAR = FIGURE_8.with_(network="linear", until="epochs")
SIMULATIONS = tuple(simulation_plan.PRESETS.values())
# The GORAL paper's letter, and its synth2: ten points of the central clusters, a tenth of the rest
# for validation.
LETTERS = Spec(dataset="letter")
SYNTH2 = Queries().with_(
    seen=Spec(dataset="synth2"), labeled=10, unlabeled=470, validation=53, rounds=24
)
INFLUENCE = (
    Utilities(),
    Utilities().with_(seen=LETTERS),
    SYNTH2,
    Queries(),
    Queries().with_(seen=LETTERS),
    Queries().with_(seen=LETTERS, goal="entropy"),
)
TRIM = Trim()
ADULT = TRIM.with_(
    dataset="adult",
    methods="fi iv random",
    model="raw",
    training=4_000,
    validation=1_000,
    planted="none",
    budgets=(10, 25, 50, 100, 200),
)
NAMED_TRIMS = {
    "The first comparison": TRIM,
    "Noise in place of flips": TRIM.with_(planted="noise"),
    "Adult, nothing planted": ADULT,
}
TRIMS = tuple(NAMED_TRIMS.values())
# Where leverage wins. The greedy designs take part where all their budgets are affordable.
GREEDY = [name for name, rule in RULES.items() if rule.greedy]
MNIST_LABELS = Sampling().with_(rules=[name for name in RULES if name not in GREEDY])
NAMED_SAMPLINGS = {
    f"MNIST, {named}": MNIST_LABELS.with_(seen=Spec().with_(embedding=embedding))
    for embedding, named in (
        ("raw", "raw pixels"),
        ("random_relu", "random ReLU features"),
        ("cnn_untrained", "untrained network"),
        ("cnn_classification", "network trained to classify"),
    )
}
NAMED_SAMPLINGS |= {
    named: Sampling().with_(
        seen=Spec(dataset=name),
        rules=list(RULES),
        budgets=usual_budgets(width, datasets.info(name).train),
        seeds=20,
    )
    for name, named, width in (
        ("letter", "Letter", 16),
        ("adult", "Adult", 104),
        ("runge", "Polynomials on a line", 13),
    )
}
SAMPLINGS = tuple(NAMED_SAMPLINGS.values())
# By kind, as in core/experiments/kinds.py.
BUNDLED = {
    "sampling": SAMPLINGS,
    "retrain": RETRAININGS,
    "active": ACTIVE,
    "influence": INFLUENCE,
    "trim": TRIMS,
    "simulations": SIMULATIONS,
}
