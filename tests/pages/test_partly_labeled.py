"""Does every page open on a dataset whose labels are incomplete, and say what that means?"""

from __future__ import annotations

import pytest

from core.data import own
from tests.tools import pages
from tests.tools.pages import explore_works, texts, visit
from tests.tools.partly_labeled import CASES, made

pytestmark = pytest.mark.usefixtures("own_folder")
SOME = [case for case in CASES if case != "training part without labels"]


@pytest.mark.parametrize("case", ["partly, with a test part", "a class in the test part only"])
@pytest.mark.parametrize("page", [page for page in pages.PAGES if page != "pages/lesson.py"])
def test_every_page_opens(page, case):
    at = visit(page, dataset=own.accept(made("images", case, 120), "Mine"))
    assert not at.exception, page
    assert not at.error, [error.value for error in at.error]


@pytest.mark.parametrize("kind", ["table", "images"])
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("strategy", ["class_leverage", "entropy", "influence_value"])
def test_explore_ranks_or_says_what_is_missing(kind, case, strategy):
    at = visit("pages/explore.py", dataset=own.accept(made(kind, case), "Mine"), strategy=strategy)
    assert not at.exception
    if case != "training part without labels" or strategy == "class_leverage":
        explore_works(at)
    else:
        assert "labeled training points" in texts(at) or "no label among" in at.error[0].value
