"""How to read the Sampling page's pictures."""

from __future__ import annotations

from core.experiments.sampling.rules import RULES
from pages.shared.experiments import verdict_box

READING = (
    "All rows are known, labels cost. A rule chooses rows, their labels are bought, and a linear"
    " fit (least squares, no intercept, one-hot labels) is made from those alone, in the"
    " coordinates that whiten all rows. Its loss is then measured on *all* training rows and"
    " divided by the least possible, which the fit to all labels has. Marks are geometric means"
    " over draws, small dots single draws.\n\n"
    "The dotted line is the shape of the guarantee for drawing by leverage, k = d log d + d / ε"
    " with both constants 1: with so many labels the loss is at most 1 + ε times the least. d is"
    " the rank. It speaks of the loss: an accuracy may rank the rules otherwise, and the rows of"
    " highest leverage, taken without a draw, have no such guarantee.\n\n"
    f"{verdict_box.READING} Losses are compared by their logarithm.\n\n"
    + "\n".join(f"- **{rule.label}**: {rule.says}" for rule in RULES.values())
    + "\n\nSources: Drineas, Mahoney, Muthukrishnan 2006; Shimizu, Cheng, Musco, Weare 2024"
    " (pivotal); Dereziński, Warmuth 2018 (volume). Pivotal sampling gains most in few dimensions;"
    " in many, most of what can be had is not drawing a row twice."
)
