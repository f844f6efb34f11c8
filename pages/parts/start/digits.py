"""The first page's first picture: the digits of highest leverage, from what comes with the app."""

from __future__ import annotations

import streamlit as st

from core.runtime import cache
from core.runtime.cache import Entry
from core.spec import Spec, scores_key
from core.types import Dataset
from pages.parts.start import ways_in
from pages.shared import cached, contents, layout
from pages.shared.points import show
from pages.shared.words import noun, score_texts

FIRST = Spec()  # leverage of all MNIST digits under raw pixels
SHOWN = 30
ROWS = 3


def gallery_of_the_highest() -> None:
    """The digits, one sentence on them; a click on one opens it on Explore."""
    data = cached.dataset(FIRST.dataset, FIRST.n, FIRST.subset)
    entry = cache.get(scores_key(FIRST, data.fingerprint))
    if entry is None:
        ways_in.not_yet()
        return
    ranking = cached.ranking_of(entry)
    points = ranking.order[:SHOWN]
    clicked = show(
        data,
        points,
        score_texts(ranking.scores[points]),
        ranks=ranking.rank[points].tolist(),
        alt=f"The {noun(FIRST.dataset)} of highest leverage under raw pixels",
        max_rows=ROWS,
        key="start gallery",
    )
    layout.under_picture(sentence(data, entry))
    if clicked is not None:
        st.switch_page(contents.PAGES["explore"].file, query_params={"point": str(clicked)})


def sentence(data: Dataset, entry: Entry) -> str:
    """How many are nearly alone in a direction."""
    alone = int((entry.arrays["scores"] > 0.99).sum())
    return (
        f"*{alone} of {len(data):,}* {noun(data.name)} have a leverage above 0.99: each is nearly"
        " alone in one direction of the raw pixels."
    )
