"""What is a ranking called in one word? As a column of a file, and on the command line.

    column_names    "raw_leverage", "cnn_classification_seed2_leverage_ridge0.1":
                    embedding, strategy, and what differs from the default
    parse_ranking   "raw:leverage", "cnn_classification:2:leverage:ridge=0.1", "random":
                    in the order of retraining's candidates

A name is made from its own Spec alone, so that it is the same in every file. It has no spaces.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from core.plugins import menu
from core.spec import Spec, resolve
from core.types import UserError

FORM = (
    "expected embedding:seed:strategy:draw, parts left out at will and settings behind their owner,"
    " such as raw:leverage:ridge=0.1"
)


def column_names(specs: Sequence[Spec]) -> list[str]:
    """One name for each ranking of the same points, all different.

    Two that would share a name carry 8 hex digits of their links.
    """
    names = [_name(spec) for spec in specs]
    shared = {name for name, times in Counter(names).items() if times > 1}
    return [
        f"{name}_{_digest(spec)}" if name in shared else name
        for name, spec in zip(names, specs, strict=True)
    ]


def parse_ranking(text: str, points: Spec) -> Spec:
    """The ranking of these points that a word of the command line names.

    A number behind the embedding is its seed, behind the strategy its draw. Without an embedding
    raw, without a strategy leverage. A UserError if a part is unknown or it ranks nothing.
    """
    parts = text.strip().split(":")
    at = next((place for place, part in enumerate(parts) if part in menu.strategies()), len(parts))
    seen = _side(text, parts[:at], "embedding", "seed")
    ranked = _side(text, parts[at:], "strategy", "draw")
    spec = Spec().with_(dataset=points.dataset, n=points.n, subset=points.subset, **seen, **ranked)
    chosen = resolve(spec).strategy
    reason = menu.rankers().get(chosen.name, "picks a batch and has no score per point")
    if reason:
        raise UserError(f"Ranking {text!r}: {chosen.label} {reason}. Choose another strategy.")
    return spec


def _name(spec: Spec) -> str:
    seed = [f"seed{spec.seed}"] * (spec.seed != 1)
    draw = [f"draw{spec.draw}"] * (spec.draw != 0)
    seen, ranked = (
        [f"{name}{_word(value)}" for name, value in knobs]
        for knobs in (spec.embedding_knobs, spec.strategy_knobs)
    )
    return "_".join([spec.embedding, *seed, *seen, spec.strategy, *ranked, *draw])


def _word(value: Any) -> str:
    """A setting's value without spaces: 0.1, 10 for 10.0, none."""
    return re.sub(r"[^\w.+-]+", "-", str(value).lower()).removesuffix(".0")


def _digest(spec: Spec) -> str:
    link = json.dumps(spec.to_query(), sort_keys=True)
    return hashlib.blake2b(link.encode(), digest_size=4).hexdigest()


def _side(text: str, parts: list[str], owner: str, number: str) -> dict[str, Any]:
    """The owner (an embedding or a strategy) with its number and settings, as changes of a Spec."""
    if not parts:
        return {}
    name, *rest = parts
    if owner == "embedding":
        _check_embedding(text, name)
    changes: dict[str, Any] = {owner: name, f"{owner}_knobs": ()}
    for part in rest:
        if "=" in part:
            setting, _, value = part.partition("=")
            changes[f"{owner}_knobs"] += ((setting, value),)
        elif part.isdecimal():
            changes[number] = part
        else:
            raise UserError(f"Ranking {text!r}: found {part!r}, {FORM}.")
    return changes


def _check_embedding(text: str, name: str) -> None:
    try:
        menu.find_embedder(name)
    except UserError:
        known = f"{', '.join(menu.embedders())}; {', '.join(menu.rankers())}"
        raise UserError(
            f"Ranking {text!r}: found {name!r}, {FORM}. Embeddings and strategies: {known}."
        ) from None
