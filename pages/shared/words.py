"""Numbers and sentences as the reader sees them: four digits at most, thousands separated."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence

import numpy as np

from core import datasets
from core.data import own
from core.spec import Spec, resolve

# Where a page first says "leverage", this is what it means.
LEVERAGE = (
    "Leverage ℓᵢ = xᵢᵀ(XᵀX)⁺xᵢ, from 0 to 1: how far a linear fit follows point i's own value. At 1"
    " the fit goes through it, whatever the other points say."
)
NOUNS = {
    "mnist": "digits",
    "digits": "digits",
    "fashion_mnist": "garments",
    "kmnist": "characters",
    "emnist_letters": "letters",
    "cifar10": "pictures",
    "svhn": "house numbers",
    "mnist_unbalanced": "digits",
    "mnist_redundant": "digits",
    "letter": "letters",
    "adult": "people",
}


def noun(dataset: str) -> str:
    """What the points of a dataset are called."""
    if own.is_own(dataset):
        return "images" if datasets.info(dataset).is_images else "rows"
    return NOUNS.get(dataset, "points")


SHORT = {
    "raw": "raw",
    "pca": "PCA",
    "projection": "projection",
    "random_relu": "random ReLU",
    "random_fourier": "random Fourier",
    "cnn_untrained": "untrained",
    "cnn_regression": "regression",
    "cnn_classification": "classification",
    "cnn_softmax_twice": "softmax twice",
}


def short(embedding: str) -> str:
    """An embedding's name where space is short."""
    if own.is_joined(embedding):
        return own.about(embedding).title
    return SHORT.get(embedding, embedding)


def ranking_name(spec: Spec, seeds: bool = True) -> str:
    """A ranking where space is short: "classification 2, leverage (ridge 0.1)"."""
    seed = f" {spec.seed}" if seeds and resolve(spec).embedder.seeded else ""
    draw = f" {spec.draw}" if seeds and spec.draw else ""
    knobs = ", ".join(
        f"{name} {value}" for name, value in (*spec.embedding_knobs, *spec.strategy_knobs)
    )
    return (
        f"{short(spec.embedding)}{seed},"
        f" {inside(resolve(spec).strategy.label)}{draw}{f' ({knobs})' if knobs else ''}"
    )


def number(value: float) -> str:
    """At most four significant digits: 713, 0.0169, 4.812e-05, 70,000."""
    if value == 0 or (float(value).is_integer() and abs(value) < 1e6):
        return f"{int(value):,}"
    if abs(value) >= 1e6 or abs(value) < 1e-3:
        return f"{value:.3e}"
    digits = max(0, 3 - int(np.floor(np.log10(abs(value)))))
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def inside(label: str) -> str:
    """A label inside a sentence: "Random ReLU features" -> "random ReLU features".

    Names such as "BALD" or "GraNd" stay.
    """
    first = label.partition(" ")[0]
    return label if first[1:] != first[1:].lower() else label[:1].lower() + label[1:]


def defined(text: str) -> str:
    """HTML in which the first "leverage" shows what it means: under the mouse, a finger, a key."""
    said = html.escape(LEVERAGE)
    term = f'<dfn tabindex="0" aria-description="{said}" data-said="{said}">\\1</dfn>'
    return re.sub(r"\b([Ll]everage)\b(?! Lab)", term, text, count=1)


def lacking(reasons: Mapping[str, str | None]) -> str:
    """Who is out, each reason told once: "BADGE and BAIT need probabilities; Density needs labels".

    reasons: by label, such as "needs labels"; None for who is in.
    """
    out: dict[str, list[str]] = {}
    for label, reason in reasons.items():
        if reason:
            out.setdefault(reason, []).append(label)
    return "; ".join(
        f"{', '.join(labels[:-1])} and {labels[-1]} {_of_several(reason)}"
        if labels[1:]
        else f"{labels[0]} {reason}"
        for reason, labels in out.items()
    )


def _of_several(reason: str) -> str:
    reason = re.sub("^needs ", "need ", re.sub("^was ", "were ", reason))
    return re.sub(r"\bits\b", "their", reason)


# What Streamlit's Markdown would read as more than itself, and where it would make a link of an
# address or a sign of a word.
_MARKS = re.compile(r"([\\`*\[\]{}<$~|&]|\b_|_\b|(?<!\w):(?=\w)|^[#>=+-])")
_WHOLE = re.compile(
    r"(?<=http)(?=s?://)|(?<=www)(?=\.)|(?<=@)(?=[-\w])|(?<=(?<!\w):)(?=[-+/\w]+:(?!\w))",
    re.IGNORECASE,
)
UNSEEN = "\u2060"  # word joiner, of no width: an escape does not keep Markdown from turning these


def plain(text: str) -> str:
    """A text from a file or a link, safe to stand in Markdown.

    Nothing in it is a link, a picture, a formula or a colour.
    """
    return _MARKS.sub(r"\\\1", _WHOLE.sub(UNSEEN, text))


def starless(text: str) -> str:
    """A text from a file, safe to stand in the answer, where *stars* make bold."""
    return text.replace("*", "\u2217")


def formula(text: str) -> str:
    """A docstring's plain formulas with raised and lowered letters, escaped.

    x_i^T becomes x<sub>i</sub><sup>T</sup>.
    """
    lowered = re.sub(
        r"(?<![A-Za-z0-9_])([A-Za-z])_([A-Za-z0-9])(?![A-Za-z0-9_])",
        r"\1<sub>\2</sub>",
        html.escape(text),
    )
    return re.sub(r"\^(T|\+|-?\d+)", r"<sup>\1</sup>", lowered)


def score_texts(scores: Sequence[float]) -> list[str]:
    """Scores of one gallery in one format, so that the eye can compare them; NaN: no score."""
    values = np.asarray(scores, float)
    if (absent := np.isnan(values)).any():
        texts = iter(score_texts(values[~absent]))
        return ["no score" if none else next(texts) for none in absent]
    largest = np.abs(values).max(initial=0)
    if 1 < largest < 1e5 and (values == np.rint(values)).all():  # counts
        return [f"{v:.0f}" for v in values]
    if largest == 0 or 1e-2 <= largest < 1e5:
        digits = 3 if largest < 100 else 1
        return [f"{v:.{digits}f}" for v in values]
    return [f"{v:.2e}" for v in values]


def bytes_text(count: float) -> str:
    """12 kB, 3.4 MB, 2.1 GB."""
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{number(round(count, 1))} {unit}"
        count /= 1000
    return f"{number(round(count, 1))} GB"


def time_text(seconds: float) -> str:
    """0.31 s, 2.4 s, 3 min 20 s."""
    if seconds < 60:
        return f"{seconds:.2f} s" if seconds < 1 else f"{seconds:.1f} s"
    return f"{int(seconds // 60)} min {int(seconds % 60)} s"
