"""Do links that were copied before the rooms were rearranged still open the same view?

old_links.json was written by the pages of that day: what each link left in the address once the
page had read it, the page's question, and what it said about parts that it could not use. Changed
since, on purpose: a regression leaves out strategies that need classes; Retrain asks another
question, and without a network in the link it shows two; the lesson's chapters have names, a link
that numbers one leads to the chapter it meant, and the lesson begins with a new one.
"""

import json
from pathlib import Path

import pytest

from tests.tools import pages

LINKS = json.loads(Path(__file__).with_name("old_links.json").read_text("utf-8"))


@pytest.mark.parametrize("old", LINKS, ids=[f"{old['page']}?{old['query']}" for old in LINKS])
def test_an_old_link_opens_the_same_view(old, held):
    held()
    at = pages.follow(f"pages/{old['page']}.py", old["query"])
    assert not at.exception
    assert (at.session_state["link"], at.title[0].value) == (old["link"], old["title"])
    told = [problem.partition(", expected")[0] for problem in at.session_state["problems"]]
    assert sorted(told) == sorted(old["problems"])
