"""An own strategy in a real server with a real worker, and a bad file beside it."""

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import LONG, looks, troubles

EXAMPLE = Path(__file__).parents[1] / "own" / "my_scorer.py"


@pytest.fixture(scope="module")
def address(serve, tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    (folder / "half_done.py").write_text(
        "from core.strategy import scorer\n\n\n@scorer('Half')\ndef half(embedding, pixels): ...\n"
    )
    files = os.pathsep.join([str(EXAMPLE), str(folder / "half_done.py")])
    return serve(env={"LEVERAGE_LAB_PLUGINS": files, "LEVERAGE_LAB_CACHE": str(folder / "cache")})


def test_it_is_computed_and_shown_and_the_bad_file_is_named(open_page, address):
    page = open_page(f"{address}/explore?dataset=digits&strategy=mean_distance&s.power=2.0")
    expect(page.get_by_text("half_done.py, line 4: half: unknown inputs")).to_be_visible()
    expect(page.get_by_text("The other strategies work.")).to_be_visible()
    expect(
        page.get_by_role("listbox", name=re.compile("digits by distance to the mean")).first
    ).to_be_visible(timeout=LONG)
    for look in looks(page):
        look("a strategy of one's own")
    assert troubles(page) == []
