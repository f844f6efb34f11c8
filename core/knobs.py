"""Knobs: the numbers and choices that a strategy or an embedding takes, read from a function's
signature.

def leverage(embedding, *, ridge: Annotated[float, Knob("Ridge", "Adds to every eigenvalue.",
low=0.0)] = 0.0): ...

knobs_of(leverage)["ridge"].parse("0.1")      from a widget, a link or a command line, checked
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any

import numpy as np

from core.types import UserError


@dataclass(frozen=True)
class Knob:
    """One number or choice that a strategy or an embedding takes.

    choices: the steps of its slider or menu, in order. low, high: the range a typed value may have.
    """

    label: str
    help: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple = ()
    name: str = ""
    default: Any = None
    kind: type = float
    optional: bool = False

    def parse(self, text: Any) -> Any:
        """A value from a link, a command line or a widget, checked; a UserError if it does not
        fit.
        """
        if self.optional and text in (None, "", "none", "None"):
            return None
        if self.kind is bool:
            if str(text).lower() in ("true", "1"):
                return True
            if str(text).lower() in ("false", "0"):
                return False
            raise UserError(f"{self.name}: found {text!r}, expected true or false.")
        if self.kind is str:
            if self.choices and text not in self.choices:
                raise UserError(
                    f"{self.name}: found {text!r}, expected one of"
                    f" {', '.join(map(str, self.choices))}."
                )
            return str(text)
        try:
            value: Any = float(text)
            if self.kind is int and not value.is_integer():
                raise ValueError
            value = self.kind(value)
        except (TypeError, ValueError, OverflowError):
            raise UserError(
                f"{self.name}: found {text!r}, expected"
                f" {'a whole number' if self.kind is int else 'a number'}{self._range()}."
            ) from None
        if (
            not -np.inf < value < np.inf
            or (self.low is not None and value < self.low)
            or (self.high is not None and value > self.high)
        ):
            raise UserError(f"{self.name}: found {text}, expected a number{self._range()}.")
        return value

    def _range(self) -> str:
        if self.low is not None and self.high is not None:
            return f" from {self.low:g} to {self.high:g}"
        if self.low is not None:
            return f" of at least {self.low:g}"
        return f" of at most {self.high:g}" if self.high is not None else ""


def knobs_of(function: Callable, skip: tuple[str, ...] = ("k", "rng")) -> dict[str, Knob]:
    """The keyword-only parameters of a function as knobs, with what their annotations say."""
    hints = typing.get_type_hints(function, include_extras=True)
    parameters = inspect.signature(function).parameters.values()
    return {
        p.name: _knob(p, hints.get(p.name))
        for p in parameters
        if p.kind is p.KEYWORD_ONLY and p.name not in skip
    }


def parse_knobs(knobs: Mapping[str, Knob], values: Mapping[str, Any], owner: str) -> dict[str, Any]:
    """Every knob's value, defaults filled in; a UserError for an unknown name or a value out of
    range.
    """
    unknown = set(values) - set(knobs)
    if unknown:
        raise UserError(
            f"{owner} has no setting {', '.join(sorted(unknown))}; it has"
            f" {', '.join(knobs) or 'none'}."
        )
    return {
        name: knob.parse(values[name]) if name in values else knob.default
        for name, knob in knobs.items()
    }


def _knob(parameter: inspect.Parameter, hint: Any) -> Knob:
    annotated = typing.get_args(hint) if typing.get_origin(hint) is typing.Annotated else (hint,)
    described = next(
        (extra for extra in annotated[1:] if isinstance(extra, Knob)), Knob(parameter.name)
    )
    kinds = typing.get_args(annotated[0]) or (annotated[0],)
    kind = next((k for k in kinds if k in (int, float, str, bool)), type(parameter.default))
    return replace(
        described,
        name=parameter.name,
        default=parameter.default,
        kind=kind,
        optional=type(None) in kinds,
    )


# The two knobs that every method on a Hessian has.
Damping = Annotated[
    float,
    Knob(
        "Damping",
        "Added to the Hessian's diagonal, the intercepts' part too: makes a singular Hessian"
        " regular and all influences smaller.",
        low=0.0,
        high=1e6,
        choices=(0.0, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1),
    ),
]
Hessian = Annotated[
    str,
    Knob(
        "Hessian",
        "'exact', or 'kfac': its Kronecker factors, which need less memory and are exact only under"
        " equal probabilities.",
        choices=("exact", "kfac"),
    ),
]
