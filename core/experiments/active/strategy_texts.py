"""Strategies with their knobs as texts: "bait", "bait:ridge=0.1", "badge:first=uniform"."""

from __future__ import annotations

from typing import Any

from core.experiments.plan import words
from core.plugins import menu
from core.strategy import parse_knobs
from core.types import UserError

RANDOM = "random"
MOST_STRATEGIES = 12


def parse_strategy(text: str) -> tuple[str, tuple[tuple[str, Any], ...]]:
    """("bait", (("ridge", 0.1),)) of "bait:ridge=0.1", checked; without knobs at their default."""
    name, *settings = text.strip().split(":")
    chosen = menu.find(name)
    if any("=" not in setting for setting in settings):
        raise UserError(
            f"Strategy: found {text!r}, expected a name and settings such as bait:ridge=0.1."
        )
    values = parse_knobs(
        chosen.knobs, dict(setting.split("=", 1) for setting in settings), chosen.label
    )
    return name, tuple(
        (knob, value) for knob, value in values.items() if value != chosen.knobs[knob].default
    )


def parse_strategies(given: str | tuple[str, ...]) -> tuple[str, ...]:
    """Strategies with their knobs, checked: each once, without knobs at default, random last.

    A UserError for too many.
    """
    parsed = [parse_strategy(text) for text in words(given)]
    each = dict.fromkeys(
        ":".join([name, *(f"{knob}={value}" for knob, value in knobs)]) for name, knobs in parsed
    )
    each.pop(RANDOM, None)
    if len(each) >= MOST_STRATEGIES:
        raise UserError(
            f"Strategies: found {len(each)} beside random,"
            f" expected at most {MOST_STRATEGIES - 1}. Leave some out."
        )
    return (*each, RANDOM)
