"""Does the pattern of the talk's Kendall taus come out? One run, printed: `python -m
tests.benchmarks.talk_taus`.

Leverage of the 70,000 digits under raw pixels, random ReLU features and five networks of each kind.
The talk trained its classifiers by feeding softmax outputs to a loss that applies softmax again;
both losses are shown. Each figure is the range over the pairs of rankings that it covers. The five
softmax-twice networks are trained on the way (about two minutes).
"""

from __future__ import annotations

import numpy as np

from core import pipeline
from core.spec import Comparison, Spec, talk_comparison

PUBLISHED = {
    ("raw", "random_relu"): "0.67",
    ("cnn_untrained", "cnn_untrained"): "0.39-0.48",
    ("cnn_regression", "cnn_regression"): "0.38-0.45",
    ("cnn_classification", "cnn_classification"): "0.65-0.74",
    ("raw", "cnn_classification"): "0.44-0.49",
    ("raw", "cnn_regression"): "0.17-0.24",
    ("raw", "cnn_untrained"): "0.44-0.54",
    ("cnn_untrained", "cnn_classification"): "0.41-0.51",
    ("cnn_regression", "cnn_classification"): "0.29-0.43",
}


def spans(comparison: Comparison) -> tuple[dict[tuple[str, str], str], dict[str, str]]:
    """(range of tau for each pair of families, range of the rank of each family)."""
    entry = pipeline.agreement_of(comparison)
    families = [spec.embedding for spec in comparison.columns]
    values: dict[tuple[str, str], list[float]] = {}
    for i, j in zip(*np.triu_indices(len(families), 1), strict=True):
        values.setdefault((families[i], families[j]), []).append(entry.arrays["kendall"][i, j])
    ranks: dict[str, list[int]] = {}
    for family, rank in zip(families, entry.facts["ranks"], strict=True):
        ranks.setdefault(family, []).append(rank)
    return {pair: _span(found, ".2f") for pair, found in values.items()}, {
        family: _span(found, "d") for family, found in ranks.items()
    }


def twice() -> Comparison:
    """The same figure with classifiers trained by the talk's loss."""
    return Comparison(tuple(_swapped(spec) for spec in talk_comparison().columns))


def main() -> None:
    """Print the published ranges beside ours."""
    (right, ranks), (slip, slip_ranks) = spans(talk_comparison()), spans(twice())
    print(f"{'pair of rankings':42} {'published':>10} {'softmax twice':>14} {'right loss':>11}")
    for (a, b), published in PUBLISHED.items():
        other = tuple(
            "cnn_softmax_twice" if name == "cnn_classification" else name for name in (a, b)
        )
        print(f"{f'{a} - {b}':42} {published:>10} {slip[other]:>14} {right[a, b]:>11}")
    print("ranks:", ", ".join(f"{family} {span}" for family, span in (slip_ranks | ranks).items()))


def _swapped(spec: Spec) -> Spec:
    return (
        Spec(embedding="cnn_softmax_twice", seed=spec.seed)
        if spec.embedding == "cnn_classification"
        else spec
    )


def _span(values: list, form: str) -> str:
    low, high = format(min(values), form), format(max(values), form)
    return low if low == high else f"{low}-{high}"


if __name__ == "__main__":
    main()
