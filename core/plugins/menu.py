"""Every strategy and every embedding that can be chosen: the app's own, then the user's.

strategies()          all by name; the app's in the order of core/strategies/__init__.py
find(name)            one of them
rankers()             those that rank a whole dataset
embedders(dataset)    embeddings by name, see core/embeddings.py
find_embedder(name)   one of them
"""

from __future__ import annotations

from core import embeddings, strategy
from core.data.dataset_info import Info
from core.embeddings import Embedder
from core.plugins import loading
from core.strategy import INPUTS, MADE, WHOLE, Strategy, unsuited


def strategies() -> dict[str, Strategy]:
    """All strategies by name, in menu order; own ones come last."""
    loading.load()
    return strategy.registered()


def find(name: str | Strategy) -> Strategy:
    """The strategy of this name; a UserError that lists the names otherwise."""
    loading.load()
    return strategy.find(name)


def rankers(labeled: bool = True, probs: bool = False) -> dict[str, str | None]:
    """Every scorer, in menu order, and why it cannot rank a whole dataset, or None if it can.

    The reason reads "needs a labeled set". labeled: has the dataset labels? probs: did
    probabilities come with it?
    """
    found = {}
    for name, entry in strategies().items():
        if entry.kind == "scorer":
            absent = [INPUTS[needed] for needed in entry.needs if needed not in WHOLE + MADE]
            found[name] = (
                f"needs {' and '.join(absent)}" if absent else unsuited(entry, labeled, probs)
            )
    return found


def embedders(dataset: Info | None = None) -> dict[str, Embedder]:
    """All embeddings by name, in menu order; with a dataset those that suit it."""
    loading.load()
    return embeddings.embedders(dataset)


def find_embedder(name: str | Embedder) -> Embedder:
    """The embedding of this name; a UserError that lists the names otherwise."""
    loading.load()
    return embeddings.find(name)
