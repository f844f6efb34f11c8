"""Does every page open on data of one's own, with labels and without, and say what it cannot do?"""

from __future__ import annotations

import re

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core import datasets, embeddings, pipeline
from core.data import own
from core.experiments import runner
from core.experiments.retrain.plan import Retraining
from core.plugins import menu
from core.runtime import cache
from core.spec import Comparison, Spec
from pages.shared import cached
from tests.tools import pages
from tests.tools.own_data import images, table
from tests.tools.pages import explore_works, galleries, group_labels, spec_of, visit, widget

LEARNING = ("retrain", "active", "trim", "influence")
KINDS = {
    "images": images(600),
    "table": table(120),
    "images without labels": images(600, labeled=False),
}
KINDS["table without labels"] = table(120, labeled=False)


pytestmark = pytest.mark.usefixtures("own_folder")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("page", [page for page in pages.PAGES if page != "pages/lesson.py"])
def test_every_page_opens(page, kind):
    name = own.accept(KINDS[kind], "Mine")
    at = visit(page, dataset=name)
    assert not at.exception, page
    assert not at.error, [error.value for error in at.error]
    if page.split("/")[1][:-3] in LEARNING and not KINDS[kind].labeled:
        (said,) = [info.value for info in at.info if "no labels" in info.value]
        assert said.startswith("Mine has no labels, and this page trains on them.")


@pytest.mark.parametrize(
    "given", [images(60, labeled=False), table(60, labeled=False)], ids=["images", "table"]
)
def test_what_needs_labels_is_not_offered_and_the_reason_is_said(given):
    name = own.accept(given, "Mine")
    at = visit("pages/explore.py", dataset=name)
    offered = widget(at.selectbox, "Strategy").options
    assert {"Leverage", "Typicality", "Random"} <= set(offered) and not {
        "Entropy",
        "Influence value",
        "EL2N",
        "BALD",
    } & set(offered)
    lacking = widget(at.selectbox, "Strategy").help
    assert re.search(r"Entropy, [^;]* need labels", lacking)
    labels = {entry.label for entry in embeddings.embedders(datasets.info(name)).values()}
    assert (
        "Network trained to classify" not in labels
        and ("Untrained network" in labels) == given.is_images
    )
    out = widget(at.selectbox, "Embedding").help
    said = "need labels to train their network" if given.is_images else "need images"
    assert re.search(rf"Network trained to classify [^;]*{said}", out)
    assert "Classes" not in group_labels(at) and "over-represented" not in " ".join(
        m.value for m in at.markdown
    )


@pytest.mark.parametrize(
    "name_of", [name for name, reason in menu.rankers(labeled=False).items() if not reason]
)
def test_every_strategy_that_is_offered_without_labels_works(name_of):
    name = own.accept(images(60, labeled=False), "Mine")
    at = visit("pages/explore.py", dataset=name, strategy=name_of)
    explore_works(at)
    assert galleries(at)[0]["captions"] == [""] * 60


def test_a_point_without_a_label_has_a_dossier():
    name = own.accept(images(60, labeled=False), "Mine")
    at = visit("pages/explore.py", dataset=name, point="5")
    assert not at.exception and not at.error


def test_choosing_data_without_labels_takes_what_they_cannot_have_out_of_the_choice():
    name = own.accept(images(60, labeled=False), "Mine")
    at = visit("pages/explore.py", dataset="digits", embedding="cnn_untrained", strategy="entropy")
    widget(at.selectbox, "Dataset").select(name).run()
    assert not at.exception and spec_of(at) == Spec(dataset=name, embedding="cnn_untrained")


def test_a_dataset_that_is_removed_elsewhere_leaves_a_page_that_says_so():
    name = own.accept(table(60), "Mine")
    at = AppTest.from_file(str(pages.ROOT / "pages/explore.py"), default_timeout=pages.SECONDS)
    at.session_state["spec"], at.session_state["page"], at.session_state["link"] = (
        Spec().with_(dataset=name),
        "explore",
        {},
    )
    at.session_state["problems"] = []
    own.remove(name)
    at.run()
    assert not at.exception and spec_of(at).dataset == "mnist"
    assert any("not on this machine, or not any more" in warning.value for warning in at.warning)


@pytest.mark.parametrize(
    ("n", "said"),
    [(17, "found 14 points, expected at least 15"), (18, "Shown are 10 to train on, 5 for")],
)
def test_trimming_few_points_says_what_can_be_done(n, said):
    at = visit("pages/trim.py", dataset=own.accept(table(n, d=2, classes=2), "Mine"))
    assert not at.exception and said in " ".join(element.value for element in (*at.error, *at.info))
    assert bool(at.error) == ("expected at least" in said)


@pytest.mark.parametrize("n", [10, 23])
def test_few_points_are_compared(n):
    at = visit("pages/agreement.py", dataset=own.accept(table(n, d=3), "Mine"))
    assert not at.exception and not at.error and any("High under" in m.value for m in at.markdown)


def test_what_a_visitor_has_joined_nobody_else_reads_of():
    rng = np.random.default_rng(0)
    own.visitor.set("first")
    joined = own.join(datasets.info("digits"), "Secret project", rng.standard_normal((1797, 3)))
    scored, compared = (
        Spec(dataset="digits", embedding=joined),
        Spec(dataset="digits", embedding=joined, strategy="typicality"),
    )
    pipeline.scores(scored)
    pipeline.agreement_of(Comparison((Spec(dataset="digits"), compared)))
    fingerprint = datasets.load("digits").fingerprint
    mine = {spec for spec, _ in cached.every_scores(fingerprint)}
    own.visitor.set("second")
    theirs = {spec for spec, _ in cached.every_scores(fingerprint)}
    own.visitor.set("")
    assert {scored, compared} <= mine and mine - theirs == {scored, compared}


def test_an_experiment_on_data_that_are_gone_is_not_offered_as_one_on_others():
    def offered(name):
        return [button.label for button in visit("pages/retrain.py", dataset=name).button]

    first = own.accept(table(60), "First")
    plan = Retraining().with_(
        dataset=first, network="linear", candidates="random", budgets="10", seeds=2
    )
    record = {
        "plan": plan.to_query(),
        "title": plan.title(),
        "kind": plan.kind,
        "data": datasets.load(first).fingerprint,
        "started": 1.0,
    }
    cache.put(runner.history_key(f"run-{'0' * 24}"), {}, record)
    assert any(label.startswith("First") for label in offered(first))
    own.remove(first)
    assert not any(label.startswith("First") for label in offered(own.accept(table(60), "Second")))


def test_class_names_with_commas_filter():
    from dataclasses import replace

    name = own.accept(replace(images(60), class_names=("left, far", "100%")), "Mine")
    at = visit("pages/explore.py", dataset=name, classes="left%2C far")
    explore_works(at)
    shown = np.array(galleries(at)[0]["ids"])
    assert len(shown) == 30 and (shown % 2 == 0).all() and not at.warning
