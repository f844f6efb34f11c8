"""Do the pages work on feature tables: rows where images show as images, no network that needs
images, the same questions answered?
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import streamlit as st

from core import datasets, embeddings, strategy
from core.data import unusual_features
from core.linalg import ties
from core.models import networks
from core.models.network_names import FOR_TABLES
from core.spec import Spec, from_query
from core.types import UserError
from pages.shared import points
from tests.tools import pages
from tests.tools.pages import galleries, spec_of, texts, visit, widget

SMALL = {"dataset": "letter", "n": "400"}


def rows(at):
    """The tables on the page."""
    return [element.value for element in at.dataframe]


def test_unusual_features_by_hand():
    table = np.array([[0.0, 1, 5], [0, 1, 5], [0, 1, 5], [4, 1, 7]])
    # Column means 1, 1, 5.5; deviations sqrt(3), 0, sqrt(3)/2: (4 - 1) / sqrt(3) = 1.7, (7 - 5.5) /
    # 0.866 = 1.7, a constant column 0.
    np.testing.assert_allclose(
        unusual_features.deviations(table, np.array([3]))[0], [3**0.5, 0, 3**0.5], rtol=1e-12
    )
    assert unusual_features.unusual(table, np.array([3]), ["a", "b", "c"], 2) == [
        "a 4 (+1.7 sd), c 7 (+1.7 sd)"
    ]
    assert unusual_features.unusual(table, np.array([0]), ["a", "b", "c"], 1) == ["a 0 (−0.6 sd)"]


def test_explore_shows_rows_in_the_rankings_order(asked):
    at = visit("pages/explore.py", **SMALL)
    assert not at.exception and not galleries(at)
    table, textbook, exact = rows(at)
    assert len(textbook) == len(exact) == 60 and "mark" in textbook
    data = datasets.load("letter", n=400)
    leverage = strategy.score("leverage", embeddings.embed(data, "raw"))
    best = ties.order(leverage)
    assert table["row"].tolist() == data.index[best[: len(table)]].tolist()
    assert table["class"].tolist() == [data.class_names[c] for c in data.labels[best[: len(table)]]]
    assert table["rank"].tolist() == list(range(1, len(table) + 1))
    assert table["width"].tolist() == data.points[best[: len(table)], 2].tolist()
    assert "raw features" in texts(at) and "letters" in texts(at)


@pytest.mark.parametrize("page", [page for page in pages.PAGES if page != "pages/lesson.py"])
def test_every_page_opens_on_a_table(page):
    at = visit(page, **SMALL)
    assert not at.exception, page
    assert not at.error, [error.value for error in at.error]
    if page in ("pages/retrain.py", "pages/active.py"):
        assert set(widget(at.selectbox, "Network").options) == {"MLP", "Linear"}, (
            "others see images"
        )


def test_no_embedding_that_needs_images_is_offered():
    at = visit("pages/explore.py", **SMALL)
    offered = widget(at.selectbox, "Embedding").options
    assert "Raw features" in offered and "Raw pixels" not in offered
    assert not {
        entry.label for entry in embeddings.embedders().values() if entry.images_only
    } & set(offered)


def test_a_table_chosen_under_a_network_is_seen_through_its_features():
    at = visit("pages/explore.py", dataset="digits", embedding="cnn_untrained")
    widget(at.selectbox, "Dataset").select("two_gaussians").run()
    assert not at.exception and spec_of(at) == Spec(dataset="two_gaussians")


def test_a_link_to_a_network_on_a_table_says_what_to_choose():
    spec, (problem,) = from_query({"dataset": "letter", "embedding": "cnn_untrained"})
    assert spec == Spec(dataset="letter")
    assert "Untrained network needs images; Letter is a table" in problem
    with pytest.raises(UserError, match="needs images"):
        Spec(embedding="cnn_untrained").with_(dataset="letter")


def test_the_networks_for_tables_are_those_that_can_be_built():
    assert FOR_TABLES == networks._FOR_TABLES
    for name in FOR_TABLES:
        networks.build(name, classes=3, shape=(4,), seed=1)


def test_a_wide_table_shows_its_unusual_features_only(asked):
    at = visit("pages/explore.py", dataset="adult", n="300")
    assert not at.exception
    table, textbook, exact = rows(at)
    assert len(textbook) == len(exact) == 60 and "mark" in textbook
    assert list(table.columns) == ["rank", "class", "score", "most unusual features", "row"]
    assert all(text.count("sd") == 3 for text in table["most unusual features"])


def test_a_feature_may_be_called_like_a_column_beside_it(monkeypatch):
    data, shown = (
        replace(datasets.load("two_gaussians", n=300), feature_names=("score", "rank")),
        [],
    )
    monkeypatch.setattr(st, "session_state", {})
    monkeypatch.setattr(
        st, "dataframe", lambda frame, **_: shown.append(frame) or {"selection": {"rows": []}}
    )
    points.show(data, np.array([4, 2]), ["9.1", "8.2"], ranks=[1, 2], key="k", alt="rows")
    (frame,) = shown
    assert list(frame["rank"]) == [1, 2] and list(frame["score"]) == ["9.1", "8.2"]
    np.testing.assert_array_equal(frame[["feature score", "feature rank"]], data.points[[4, 2]])


def test_an_unknown_class_is_a_question_mark():
    data = datasets.load("letter", n=30)
    object.__setattr__(data, "labels", np.where(np.arange(30) == 2, -1, data.labels))
    assert points.captions_of(data, np.array([2, 3])) == ["?", data.class_names[data.labels[3]]]


def test_a_selected_row_counts_as_a_click_once_whatever_the_table_shows_then(monkeypatch):
    data, chosen = datasets.load("letter", n=200), []
    monkeypatch.setattr(st, "session_state", {})
    monkeypatch.setattr(st, "dataframe", lambda *_, **__: {"selection": {"rows": list(chosen)}})

    def shown(order):
        return points.show(data, np.array(order), key="k", alt="rows")

    assert shown([10, 11, 12, 13]) is None
    chosen[:] = [2]
    assert shown([10, 11, 12, 13]) == 12
    assert shown([10, 11, 12, 13]) is None
    assert shown([50, 51, 52]) is None, "another ranking, the same row still marked"
    chosen[:] = [1]
    assert shown([50, 51, 52]) == 51
    chosen[:] = [7]
    assert shown([50, 51, 52]) is None, "a row that is no longer there"


def test_a_features_name_keeps_its_hyphens():
    table = np.array([[0.0], [0], [0], [4]])
    assert unusual_features.unusual(table, np.array([0]), ["job: Exec-managerial"]) == [
        "job: Exec-managerial 0 (−0.6 sd)"
    ]
