"""How rules that choose labels to buy are called and drawn, and how a loss is said, wherever they
are shown.
"""

from __future__ import annotations

from core.charts.common import Line
from core.charts.palette import CHANCE, TOP
from core.experiments.sampling.rules import RULES

# Rule -> colour and dash: what has weights and what has none share a colour.
STYLES = {
    "uniform": (CHANCE, (5, 4)),
    "leverage": ("#0072B2", (1, 0)),
    "unweighted": ("#0072B2", (2, 3)),
    "coins": ("#009E73", (8, 4)),
    "pivotal": ("#009E73", (1, 0)),
    "ridge": ("#CC79A7", (8, 3, 2, 3)),
    "volume": ("#882255", (12, 3)),
    "top": (TOP, (1, 0)),
    "a_optimal": ("#E69F00", (1, 0)),
    "d_optimal": ("#E69F00", (2, 3)),
}
# In the middle of a sentence.
IN_TEXT = {
    "uniform": "a uniform draw",
    "leverage": "drawing by leverage",
    "unweighted": "drawing by leverage without weights",
    "coins": "leverage coins",
    "pivotal": "pivotal sampling",
    "ridge": "drawing by ridge leverage",
    "volume": "volume sampling",
    "top": "the top by leverage",
    "a_optimal": "the greedy A-optimal design",
    "d_optimal": "the greedy D-optimal design",
}
MILLION = 1e6


def rule_name(rule: str) -> str:
    """Its label."""
    return RULES[rule].label


def rule_line(rule: str) -> Line:
    """How a rule is drawn, on every picture of the page."""
    return Line(rule_name(rule), *STYLES[rule])


def capital(text: str) -> str:
    """The same at the beginning of a sentence."""
    return text[:1].upper() + text[1:]


def loss_text(ratio: float) -> str:
    """ "16% above the least possible", "98 times the least possible"."""
    if ratio > MILLION:
        return "over a million times the least possible"
    if ratio < 1.995:
        return f"{100 * (ratio - 1):.2g}% above the least possible"
    return (
        f"{ratio:,.3g} times the least possible"
        if ratio < 1000
        else f"{ratio:,.0f} times the least possible"
    )
