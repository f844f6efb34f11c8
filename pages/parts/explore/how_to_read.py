"""What the scores of a strategy mean, in one folded paragraph."""

from __future__ import annotations

import streamlit as st

from core.plugins import menu
from pages.shared.words import formula

INK = ("mnist", "digits")  # where specks were seen to have the highest leverage
READING = {
    "leverage": (
        "A leverage of 1 means: without this point one direction of the data would vanish. A"
        " leverage of 0 means: the other points say everything about where this one lies. The"
        " scores add up to the rank, so the average is rank / n.\n\nHigh leverage marks what is"
        " *unusual*, not what is useful.\n\n$$\\ell_i = x_i^\\top (X^\\top X)^{+} x_i$$"
    ),
    "textbook_qr": (
        "A warning, not a ranking to use: the squared row norms of Q from a QR without pivoting."
        " Where every column counts they are leverage. For a column that is zero, row j of the"
        " dataset gets up to a full unit because the column has the number j, whatever stands"
        " there. The exhibit below marks these artefacts."
    ),
    "forgetting": (
        "A point is forgotten when a network in training had it right after one pass over the data"
        " and wrong after the next; the score counts how often. Points that were never right come"
        " first. What is learned once and stays is easy; what is forgotten again and again is"
        " unusual, ambiguous or mislabeled."
    ),
    "bald": (
        "Several classifiers answer for every point. BALD is high where each is sure of its own"
        " answer and the answers differ: more labels there would settle it. Where all are unsure in"
        " the same way it is low, since no label would help.\n\n$$H\\Big(\\frac1M\\sum_m p_m\\Big)"
        " - \\frac1M\\sum_m H(p_m)$$"
    ),
    "influence_value": (
        "How much the mean loss of the points that judge it would rise if this point were not in"
        " the training set. High: it helps, and no other point says the same. Near zero: the others"
        " would do without it."
        " Lowest: the loss would fall without it, and mislabeled points are often among these."
    ),
    "fi_util": (
        "How much the loss of the points that judge it hangs on where exactly this training point"
        " lies: the change of the loss when the point is shifted a little, measured by what the"
        " shift does to the point's own probabilities. The highest are to be trimmed."
    ),
    "random": (
        "Random scores are the yardstick: whatever a strategy shows, ask whether a random order"
        " would have shown it too."
    ),
}


def show(chosen: str, dataset: str, embedding: str) -> None:
    """One folded paragraph: of the strategy's own, or what its docstring says first."""
    with st.expander("How to read this"):
        if chosen in READING:
            st.markdown(READING[chosen])
            if chosen == "leverage" and embedding == "raw" and dataset in INK:
                st.markdown(
                    "Under raw pixels it finds digits with a speck where no other digit has ink."
                )
        else:
            st.html(
                f"<p>{formula(menu.find(chosen).summary)}</p><p>Higher scores are picked first.</p>"
            )
