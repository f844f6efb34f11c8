"""Predict, then reveal: one tap is a prediction, and what was measured appears with it.

Predictions live in this browser's session alone and can be taken home as a table.
"""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass

import streamlit as st

from pages.shared import state

COLUMNS = ("chapter", "question", "predicted", "measured", "right")


@dataclass(frozen=True)
class Prediction:
    """What was asked in which chapter, what was predicted and measured, and whether they agree."""

    chapter: str
    question: str
    predicted: str
    measured: str
    right: bool


def predictions() -> dict[str, Prediction]:
    """This session's predictions by name, in the order in which they were made."""
    return dict(st.session_state.get("predictions", {}))


def revealed(name: str) -> bool:
    """Has it been predicted, or shown without a prediction?"""
    return name in predictions() or name in st.session_state.get("shown at once", set())


def predict(name: str, prediction: Prediction) -> None:
    """For callbacks: keep the first prediction of this name."""
    st.session_state.setdefault("predictions", {}).setdefault(name, prediction)


def show(name: str) -> None:
    """For callbacks: reveal this name without a prediction."""
    st.session_state.setdefault("shown at once", set()).add(name)


def pick(name: str, point: int) -> None:
    """Keep the point that was tapped in the picture of this name."""
    st.session_state.setdefault("picks", {})[name] = point


def picked(name: str) -> int | None:
    """The point that was tapped last in the picture of this name."""
    return st.session_state.get("picks", {}).get(name)


def start_over() -> None:
    """For callbacks: forget all predictions and picks."""
    for kept in ("predictions", "shown at once", "picks"):
        st.session_state.pop(kept, None)


def ask(
    name: str, chapter: str, question: str, options: Mapping[str, str], truth: str, measured: str
) -> bool:
    """The question with one button per option until it is answered, then the verdict.

    Returns whether it has been revealed. options: name -> what the button says. truth: the name of
    the right one. measured: the answer in words, computed.
    """
    st.markdown(f"**{question}**")
    if revealed(name):
        verdict(name, measured)
        return True
    for option, text in options.items():
        made = Prediction(chapter, question, text, measured, option == truth)
        st.button(
            text,
            on_click=predict,
            args=(name, made),
            key=state.key(f"predict {name} {option}"),
            width="stretch",
        )
    show_at_once(name)
    return False


def ask_across(
    name: str, chapter: str, question: str, options: Mapping[str, str], truth: str, measured: str
) -> bool:
    """The same with the buttons side by side, above a picture as wide as the page."""
    if revealed(name):
        verdict(name, measured)
        return True
    st.markdown(f"**{question}**")
    for place, (option, text) in zip(st.columns(len(options)), options.items(), strict=True):
        made = Prediction(chapter, question, text, measured, option == truth)
        place.button(
            text,
            on_click=predict,
            args=(name, made),
            key=state.key(f"predict {name} {option}"),
            width="stretch",
        )
    show_at_once(name)
    return False


def show_at_once(name: str) -> None:
    """A quiet button that reveals without a prediction."""
    st.button(
        "Show without predicting",
        type="tertiary",
        on_click=show,
        args=(name,),
        key=state.key(f"show {name}"),
    )


def verdict(name: str, measured: str) -> None:
    """What was predicted, whether that was right, and what was measured."""
    made = predictions().get(name)
    if made is None:
        told = ""
    elif made.right:
        told = f"<b>Right.</b> You predicted: {html.escape(made.predicted)}."
    else:
        told = f"<b>Not quite.</b> You predicted: {html.escape(made.predicted)}."
    kind = "" if made is None else "right" if made.right else "wrong"
    st.html(
        f'<p class="verdict {kind}" role="status">{told} <b>Measured:</b>'
        f" {html.escape(measured)}</p>"
    )


def as_csv(predictions: Iterable[Prediction]) -> str:
    """Predictions as a table."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    writer.writerows(astuple(made) for made in predictions)
    return buffer.getvalue()
