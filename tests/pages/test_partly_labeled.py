"""Does every page open on a dataset whose labels are incomplete, and say what that means?"""

from __future__ import annotations

import numpy as np
import pytest

from core.data import own
from core.linalg import ties
from pages.parts.explore import gallery_points
from pages.shared import cached
from tests.tools import pages
from tests.tools.pages import explore_works, galleries, texts, visit
from tests.tools.partly_labeled import made

pytestmark = pytest.mark.usefixtures("own_folder")
LEARNING = ("retrain", "active", "trim", "influence")
PARTLY = "partly, with a test part"
LOST = "a class in the test part only"


@pytest.mark.parametrize("case", [PARTLY, LOST])
@pytest.mark.parametrize("page", [page for page in pages.PAGES if page != "pages/lesson.py"])
def test_every_page_opens(page, case):
    at = visit(page, dataset=own.accept(made("images", case, 240), "Mine"))
    assert not at.exception, page
    assert not at.error, [error.value for error in at.error]
    if page.split("/")[1][:-3] in LEARNING:
        said = " ".join(caption.value for caption in at.caption)
        wanted = {
            PARTLY: "60 of 240 points have no label yet: only labeled ones are used.",
            LOST: "so nothing here can learn it: 4 points of it are left out.",
        }
        assert wanted[case] in said


@pytest.mark.parametrize("show", ["top", "bottom", "around"])
def test_points_without_a_score_stand_last_and_not_among_the_lowest(show):
    name = own.accept(made("images", PARTLY), "Mine")
    at = visit("pages/explore.py", dataset=name, strategy="class_leverage", show=show)
    explore_works(at)
    shown = galleries(at)[0]
    assert len(shown["ids"]) == (30 if show == "top" else 22)
    assert ("?" in shown["captions"]) == ("no score" in shown["scores"]) == (show == "top")
    if show == "top":
        assert shown["scores"][22:] == ["no score"] * 8
    assert "without a label" in texts(at) and "without a score" in texts(at)


def test_the_points_without_a_label_can_be_looked_at_alone():
    name = own.accept(made("images", PARTLY), "Mine")
    at = visit("pages/explore.py", dataset=name, strategy="entropy", classes="no label")
    explore_works(at)
    assert sorted(galleries(at)[0]["ids"]) == list(range(1, 30, 4))
    assert any("None of these 8 images has a label" in m.value for m in at.markdown)


def test_a_dossier_does_not_give_a_point_without_a_label_the_last_class():
    name = own.accept(made("images", PARTLY), "Mine")
    at = visit("pages/explore.py", dataset=name, strategy="el2n", point="1")
    assert not at.exception and not at.error
    assert [metric.value for metric in at.metric] == ["no score"]


def test_a_class_that_no_head_can_learn_is_named_on_explore():
    name = own.accept(made("table", LOST), "Mine")
    at = visit("pages/explore.py", dataset=name, strategy="entropy")
    assert not at.exception and not at.error
    assert "Class cat has no training point: no head can learn it." in [
        caption.value for caption in at.caption
    ]
    assert "classes not learned" in texts(at)


def test_a_score_range_leaves_out_what_has_no_score():
    values, absent = ties.last(np.array([0.1, np.nan, 0.9]))
    ranking = cached.Ranking(values, ties.order(values), ties.ranks(values), ~absent)
    view = {"classes": "", "low": None, "high": 0.5, "count": 9, "show": "top"}
    chosen = gallery_points.chosen_points(ranking, np.array([0, -1, 1]), view, ["a", "b"], 0)
    assert chosen.tolist() == [0]
