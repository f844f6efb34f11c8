"""Do names that come with one's own data stand on the pages as they are written, and never as
Markdown or HTML?
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from core import datasets
from core.data import own
from pages.shared.words import UNSEEN, plain
from tests.tools.own_data import table
from tests.tools.pages import texts, visit

EVIL = "*b* [in](http://e.com) ![i](//e.com/x.png) $x$ :red[a] <b>t</b> `c` _u_"
ACTIVE = ("[in](", "![i](", " $x", " :red", " <b", " `c", " _u_", "http://")


pytestmark = pytest.mark.usefixtures("own_folder")


def written(at) -> list[str]:
    """Everything on the page that is read as Markdown and came with the data."""
    kinds = (at.markdown, at.caption, at.warning, at.error, at.info, at.subheader, at.title)
    bodies = [element.value for kind in kinds for element in kind]
    bodies += [option.content for group in at.button_group for option in group.proto.options]
    bodies += [
        block.proto.dialog.title
        for block in at._tree.children.values()
        for block in _dialogs(block)
    ]
    return [body for body in bodies if "e.com" in body or f"e{UNSEEN}" in body]


def _dialogs(block):
    for child in getattr(block, "children", {}).values():
        if getattr(child, "type", "") == "dialog":
            yield child
        yield from _dialogs(child)


def assert_inert(bodies):
    for body in bodies:
        assert not [mark for mark in ACTIVE if mark in body], body


def test_a_text_in_markdown_is_only_text():
    shown = plain(EVIL)
    assert_inert([shown])
    assert shown.replace("\\", "").replace(UNSEEN, "") == EVIL, "nothing is lost"
    assert (
        plain("www.e.com a@e.com HTTPS://e.com")
        == f"www{UNSEEN}.e.com a@{UNSEEN}e.com HTTP{UNSEEN}S://e.com"
    )
    assert plain(":smile: :material/home:") == f":{UNSEEN}smile: :{UNSEEN}material/home:"
    assert (
        plain("# a") == "\\# a"
        and plain("cnn_untrained (found: 3), 100%") == "cnn_untrained (found: 3), 100%"
    )
    assert plain("top:raw:1:leverage, tcp://host:8786") == "top:raw:1:leverage, tcp://host:8786", (
        "to be copied"
    )


@pytest.mark.parametrize("page", ["explore", "map", "agreement", "data", "data join"])
def test_class_names_and_titles_are_only_text(page):
    data = replace(table(60), class_names=(EVIL, "k", "l"))
    name = own.accept(data, EVIL)
    joined = own.join(datasets.info(name), EVIL, data.points[:, :3])
    page, _, show = page.partition(" ")
    how = (
        {"show": show}
        if show
        else (
            {"embeddings": f"raw,{joined}"}
            if page == "agreement"
            else {"embedding": joined, "point": "0"}
        )
    )
    at = visit(f"pages/{page}.py", dataset=name, **how)
    assert not at.exception and not at.error
    assert written(at)
    assert_inert(written(at))
    assert "<b>t</b>" not in texts(at)


def test_a_dataset_without_labels_is_named_as_it_is():
    at = visit("pages/retrain.py", dataset=own.accept(table(60, labeled=False), EVIL))
    assert written(at)
    assert_inert(written(at))


@pytest.mark.parametrize(
    "link",
    [{"dataset": EVIL}, {"strategy": EVIL}, {"classes": EVIL}, {"show": EVIL}, {"embedding": EVIL}],
)
def test_a_link_writes_no_markdown(link):
    at = visit("pages/explore.py", **{"dataset": "digits"} | link)
    assert not at.exception and len(written(at)) == 1
    assert_inert(written(at))


def test_stars_in_a_name_make_nothing_bold():
    own.accept(table(), "a*b*c")
    assert "a\u2217b\u2217c (40 rows)" in texts(visit("pages/data.py"))
