"""The words for what `statistics.compare` found: one sentence for each competitor.

    sentence("Top, raw", "random", versus, POINTS)

    "Top, raw is *31 points worse* than random at 1,000 (28.0 to 34.0); equal within 1 point at
    5,000 (+0.2, 0.1 to 0.3); unclear at 10,000 (+5.0, −1.0 to +11.0)."

    levels(outcomes, margin, POINTS)   how to read the intervals, said once beside them

Stars stand around what matters most. The outcome is named by `compare` alone: no other place says
"better", "equal" or "unclear" of an experiment.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from core.experiments.statistics import BETTER, EQUAL, FEWEST, LEVEL, UNCLEAR, WORSE, Comparison
from core.types import Floats


class Scale(NamedTuple):
    """How differences (positive = better) are written.

    text: the size of one, without its sign; unit: what follows it; short: the size inside brackets,
    where all have the same digits; turned: is what was measured lower where the difference is
    positive, as a loss is? factor: are they logarithms of how many times as large it is?
    """

    text: Callable[[float], str]
    unit: str
    better: str = "better"
    worse: str = "worse"
    short: Callable[[float], str] | None = None
    turned: bool = False
    factor: bool = False

    def alike(self, differences: Sequence[float]) -> Callable[[float], str]:
        """How sizes that stand in one bracket are written: with equally many decimals. Where they
        are losses, the largest has three digits, and no decimal is there for nothing.
        """
        largest = max((abs(one) for one in differences if np.isfinite(one)), default=0.0)
        if self.text is not _loss or largest == 0:
            return self.short or self.text
        decimals = max(0, 2 - int(np.floor(np.log10(largest))))
        while decimals and all(f"{one:.{decimals}f}".endswith("0") for one in differences):
            decimals -= 1
        return lambda difference: f"{abs(difference):,.{decimals}f}"

    def signed(self, difference: float, write: Callable[[float], str] | None = None) -> str:
        """ "+1.2", "−1.2" or "0.0": by how much what was measured is above the rival's."""
        if self.factor:
            return f"×{_times(np.exp(-difference))}"
        size = (write or self.short or self.text)(difference)
        if float(size.replace(",", "")) == 0:
            return size
        return f"{'−' if (difference < 0) != self.turned else '+'}{size}"

    def one(self, amount: float) -> str:
        """An amount with its unit: "1 point", "2 points"."""
        if self.factor:
            return f"{100 * amount:.3g}%"
        said = f"{amount:.3g}" if self is LOSS else f"{100 * amount:.3g}"
        return f"{said}{self.unit.removesuffix('s') if said == '1' else self.unit}"


class Versus(NamedTuple):
    """A competitor against another at some places ("at 1,000"; "" for the only one).

    differences (t, s): what was compared, positive = better; outcomes: `compare` of them, taken
    together with all other statements beside it.
    """

    places: Sequence[str]
    differences: Floats
    outcomes: Sequence[Comparison]

    def at(self, i: int) -> Versus:
        """One place alone."""
        only = slice(i, i + 1)
        return Versus(self.places[only], self.differences[only], self.outcomes[only])


def _points(difference: float) -> str:
    size = abs(100 * difference)
    return f"{size:.0f}" if size >= 9.5 else f"{size:.1f}"


def _tenths(difference: float) -> str:
    return f"{abs(100 * difference):.1f}"


def _loss(difference: float) -> str:
    return f"{abs(difference):.3g}"


def _factor(difference: float) -> str:
    return f"a factor {_times(np.exp(abs(difference)))}"


def _times(factor: float) -> str:
    if factor >= 1e6:
        return "over a million"
    return f"{factor:,.0f}" if factor >= 1000 else f"{factor:.3g}"


def _percent(difference: float) -> str:
    return f"{abs(100 * np.expm1(-difference)):.0f}"


POINTS = Scale(_points, " points", short=_tenths)
LOSS = Scale(_loss, "", "lower", "higher", turned=True)
GOAL = Scale(_loss, "", "higher", "lower")
# Of log(rival) - log(first): in per cent where these are near, as a factor where they may be far.
FACTOR = Scale(
    _factor,
    "",
    "lower",
    "higher",
    short=lambda difference: _times(np.exp(abs(difference))),
    turned=True,
    factor=True,
)
RATIO = Scale(_percent, "%", "lower", "higher", turned=True)


def sentence(
    name: str, against: str, versus: Versus, scale: Scale, margin: float, *, over: str = ""
) -> str:
    """What was found of one competitor: worse, better, equal and unclear places, in this order.

    over: what the differences are means of, " over all rounds". Places with fewer than three seeds
    get no verdict: their values are listed.
    """
    said = [
        part
        for part in (
            _apart(WORSE, against, versus, scale, over),
            _apart(BETTER, against, versus, scale, over),
            _near(EQUAL, f"equal within {scale.one(margin)}", against, versus, scale, over),
            _near(UNCLEAR, "unclear", against, versus, scale, over),
        )
        if part
    ]
    few = _few(versus, scale)
    if not said:
        return f"{name} against {against}: {few}." if few else ""
    return f"{name} is {'; '.join(said + [few] * bool(few))}."


def _apart(outcome: str, against: str, versus: Versus, scale: Scale, over: str) -> str:
    """ "*31 points worse* than random at 1,000 (28.0 to 34.0), 0.8 at 5,000 (0.6 to 1.0)"."""
    there = _where(versus, outcome)
    if not there:
        return ""
    word = scale.better if outcome == BETTER else scale.worse
    first = max(there, key=lambda i: abs(versus.outcomes[i].mean))
    size = scale.text(versus.outcomes[first].mean)
    said = f"*{size}{_plural(size, scale)} {word}* than {against}{over}"
    said += f"{_at(versus, first)} ({_interval(versus, first, scale)})"
    for i in there:
        if i != first:
            size = scale.text(versus.outcomes[i].mean)
            said += f", {size}{_at(versus, i)} ({_interval(versus, i, scale)})"
    return said


def _near(outcome: str, words: str, against: str, versus: Versus, scale: Scale, over: str) -> str:
    """ "equal within 1 point to random at 5,000 (+0.2, +0.1 to +0.3)"."""
    there = [i for i in _where(versus, outcome) if np.isfinite(versus.outcomes[i].low)]
    if not there:
        return ""
    each = [f"{_at(versus, i).strip()} ({_bracket(versus, i, scale)})".strip() for i in there]
    joined = "against" if outcome == UNCLEAR else "to"
    return f"*{words}* {joined} {against}{over} {_listed(each)}"


def _few(versus: Versus, scale: Scale) -> str:
    """ "no verdict at 100 with 2 of at least 3 seeds (+9.0 and +11.0 points)"."""
    said = []
    for i, found in enumerate(versus.outcomes):
        if 0 < found.seeds < FEWEST:
            values = versus.differences[i][np.isfinite(versus.differences[i])]
            seeds = f"{found.seeds} seed{'s' if found.seeds > 1 else ''}"
            listed = _listed([scale.signed(value) for value in values])
            said.append(
                f"no verdict{_at(versus, i)} with {seeds}, {FEWEST} are needed ({listed}"
                f"{scale.unit})"
            )
    return "; ".join(said)


def levels(outcomes: Sequence[Comparison], margin: float, scale: Scale) -> str:
    """How the intervals beside it are meant. Empty if there are none."""
    finished = [found.seeds for found in outcomes if np.isfinite(found.low)]
    if not finished:
        return ""
    low = min(finished)
    high = max(finished)
    seeds = f"{low}" if low == high else f"{low} to {high}"
    equal = f"Equal: within {scale.one(margin)}."
    if len(outcomes) == 1:
        return f"{LEVEL:.0%} interval over {seeds} seeds. {equal}"
    return (
        f"{len(outcomes)} comparisons over {seeds} seeds share one level: the chance that any is"
        f" called better or worse without a difference is at most {1 - LEVEL:.0%} (Holm), and each"
        f" has its interval at the level at which it is tested. {equal}"
    )


def _where(versus: Versus, outcome: str) -> list[int]:
    return [i for i, found in enumerate(versus.outcomes) if found.outcome == outcome]


def _at(versus: Versus, i: int) -> str:
    return f" {versus.places[i]}" if versus.places[i] else ""


def _bracket(versus: Versus, i: int, scale: Scale) -> str:
    """ "+0.2, +0.1 to +0.3"."""
    found = versus.outcomes[i]
    write = scale.alike((found.mean, found.low, found.high))
    ends = (found.high, found.low) if scale.turned else (found.low, found.high)
    low, high = (scale.signed(end, write) for end in ends)
    return f"{scale.signed(found.mean, write)}, {low} to {high}"


def _interval(versus: Versus, i: int, scale: Scale) -> str:
    """ "0.1 to 0.3"."""
    found = versus.outcomes[i]
    near, far = sorted((found.low, found.high), key=abs)
    write = scale.alike((near, far))
    if scale.factor and write(near) == write(far):  # both over a million
        return write(near)
    return f"{write(near)} to {write(far)}"


def _plural(size: str, scale: Scale) -> str:
    return scale.unit.removesuffix("s") if size == "1" else scale.unit


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
