"""Where a page of experiments says what came out: the sentences, what they compare with, and how
far apart two may lie and still be called equal.

    view, box = verdict_box.controls(view, "retrain", {"random": "Random", "top:raw": "Top, raw"})
    box.show(said, note)        said: the sentences, the first one large; note: how they are meant
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import streamlit as st

from core.experiments.statistics import FEWEST, MARGIN
from core.strategy import Knob
from pages.shared import layout, pickers
from pages.shared.state import View
from pages.shared.words import plain

BESIDE = 3  # sentences in sight
RANDOM = "random"
MARGIN_KNOB = Knob(
    "Equal within, points",
    name="margin",
    kind=float,
    low=0.0,
    high=50.0,
    default=100 * MARGIN,
    help=(
        "Two that surely lie closer than this are called equal. A point is a hundredth of accuracy"
        " or of a loss, or a per cent where ratios are compared."
    ),
)
KNOBS = {
    "margin": MARGIN_KNOB,
    "against": Knob("Compared with", name="against", kind=str, default=RANDOM),
}
# Of how to read a page: what its sentences mean.
READING = (
    "Sentences compare seed by seed. *Better* or *worse*: the interval leaves out 0. *Equal*: it"
    " lies within the margin chosen under Compare differently. *Unclear*: it does neither; more"
    f" seeds would tell. All comparisons of the page share one level of 95% (Holm); with fewer than"
    f" {FEWEST} seeds there is no verdict. Bands in the pictures are 95% intervals of each mean"
    " alone."
)
NO_VERDICT = f"No verdict yet: it needs {FEWEST} finished seeds of what is compared."


class Box(NamedTuple):
    """The places of the sentences and of the note under them."""

    sentences: Any
    note: Any

    def show(self, said: Sequence[str], note: str = "") -> None:
        """The first sentence large, the others below, many of them folded; *stars* make bold."""
        with self.sentences:
            if said:
                layout.answer(said[0])
            shown = [
                "  \n".join(sentence.replace("*", "**") for sentence in some)
                for some in (said[1:BESIDE], said[BESIDE:])
            ]
            if shown[0]:
                st.markdown(shown[0])
            if shown[1]:
                with st.expander("The other comparisons"):
                    st.markdown(shown[1])
        if note:
            self.note.caption(note)


def controls(view: View, page: str, competitors: Mapping[str, str]) -> tuple[View, Box]:
    """The margin and, where there is a choice, whom the others are compared with.

    competitors: name -> what it is called; empty where the page compares two that are fixed.
    """
    sentences = st.container()
    note = st.container()
    return compare_differently(view, page, competitors), Box(sentences, note)


def compare_differently(view: View, page: str, competitors: Mapping[str, str]) -> View:
    """The button behind which both are chosen, where it is called."""
    if competitors and view["against"] not in {*competitors, RANDOM}:
        st.info(
            plain(
                f"Compared with: found {view['against']!r}, which does not compete here."
                " Random is taken instead."
            )
        )
    with st.popover("Compare differently", type="tertiary"):
        if competitors:
            rival = view["against"] if view["against"] in competitors else RANDOM
            view["against"] = pickers.dropdown("Compared with", competitors, rival, page)
        view["margin"] = pickers.knob_widget(MARGIN_KNOB, view["margin"], f"{page} margin")
    return view
