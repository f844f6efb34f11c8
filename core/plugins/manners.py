"""Does a strategy explain itself to the screen? Nothing stops working without it.

A manner is a function of a strategy that returns what could be better, None if it is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from core.plugins.contract_inputs import returned
from core.strategy import Strategy


def scores_are_float64(entry: Strategy) -> str | None:
    """With fewer digits more points share a score."""
    if entry.kind != "scorer":
        return None
    found = np.asarray(returned(entry)).dtype
    if found == np.float64:
        return None
    return f"found {found} scores, expected float64: with fewer digits more points share a score."


def knobs_explain_themselves(entry: Any) -> str | None:
    """Label, help and range stand in the annotation."""
    for name, knob in entry.knobs.items():
        explained = knob.name == name and knob.label and knob.label != name and len(knob.help) > 10
        if not explained:
            return (
                f"knob {name} has no words of its own. Annotate it: {name}: Annotated[float,"
                ' Knob("Label", "What it does.")].'
            )
    return None


def docstring_tells_formula_shapes_and_direction(entry: Strategy) -> str | None:
    """Its first paragraph stands in the lesson."""
    text = entry.function.__doc__ or ""
    if len(entry.summary) <= 20:
        return "its docstring begins with no sentence. Say in one what it computes."
    if not any(sign in text for sign in "=^[∑|"):
        return "its docstring has no formula."
    if "(n" not in text:
        return "its docstring gives no shapes, such as (n, d)."
    if ("igher" if entry.kind == "scorer" else "gain") not in text:
        return "its docstring does not say that higher scores are picked first, or what a gain is."
    return None


MANNERS: list[Callable[[Any], str | None]] = [
    scores_are_float64,
    knobs_explain_themselves,
    docstring_tells_formula_shapes_and_direction,
]
