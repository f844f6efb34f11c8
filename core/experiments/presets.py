"""The experiments that come with the app finished: the talk's second question, under its own protocol and under fair ones.

On a CPU not every budget of the talk is within reach for every network: 50,000 digits are shipped for the talk's network under the talk's
protocol, where a published figure asks for them. `python -m core retrain --shipped` computes what is missing and packs everything.
"""

from __future__ import annotations

from core.experiments.retrain import Retraining

FAIR = Retraining()
STEPS = FAIR.with_(protocol="steps")
TALK = FAIR.with_(protocol="talk")
TALK_ALL = TALK.with_(candidates="top top:cnn_regression random", budgets=(50_000,), seeds=3)
SHIPPED = (
    FAIR,
    TALK,
    FAIR.with_(network="lenet5"),
    TALK.with_(network="lenet5"),
    TALK_ALL,
    STEPS,
    STEPS.with_(network="lenet5"),
)
