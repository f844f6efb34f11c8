"""Does the Explore page show the points it names, restore its links, and do what its widgets say?

It runs without a browser (AppTest); tests/tools/pages.py says how.
"""

import numpy as np
import pytest
from streamlit.typing import VegaLiteState

from core import datasets, embeddings
from core.linalg.whitening import whiten
from core.spec import Spec, first_look
from core.strategies.leverage import leverage
from pages.parts.explore.answer import fact_row
from tests.tools import pages
from tests.tools.pages import DIGITS, explore_works, galleries, group, spec_of, texts, widget

visit = pages.visiting("pages/explore.py")


# ---- what the gallery shows ----


def test_the_highest_stand_first_with_rank_class_and_score(digits, order):
    shown = galleries(visit(**DIGITS))[0]
    assert shown["ids"] == order[:120].tolist() and shown["ranks"] == list(range(1, 121))
    assert (
        shown["captions"] == [str(label) for label in digits.labels[order[:120]]]
        and shown["alt"] == "Highest: 120 digits by leverage"
    )
    scores = leverage(embeddings.embed(digits, "raw").embedding)[order[:120]]
    assert np.allclose(np.array(shown["scores"], float), scores, atol=6e-4)


VIEWS = {
    "lowest": ({"show": "bottom"}, lambda order, labels: order[::-1][:120]),
    "fewer": ({"count": "60"}, lambda order, labels: order[:60]),
    "a count of one's own": ({"count": "7"}, lambda order, labels: order[:7]),
    "two classes": (
        {"classes": "3,8"},
        lambda order, labels: order[np.isin(labels[order], [3, 8])][:120],
    ),
    "in the middle": ({"show": "around"}, lambda order, labels: order[898 - 60 : 898 + 60]),
    "at the top end": ({"show": "around", "percentile": "100"}, lambda order, labels: order[:120]),
    "at the low end": ({"show": "around", "percentile": "0"}, lambda order, labels: order[-120:]),
}


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_shows_the_points_it_names(name, digits, order):
    query, expected = VIEWS[name]
    at = visit(**DIGITS, **query)
    explore_works(at)
    assert galleries(at)[0]["ids"] == expected(order, digits.labels).tolist()
    assert at.query_params == DIGITS | query, "the link says the same as before"


def test_random_points_are_the_same_each_time_and_not_the_top(order):
    shown = [galleries(visit(**DIGITS, show="random"))[0]["ids"] for _ in range(2)]
    assert (
        shown[0] == shown[1]
        and len(set(shown[0])) == 120
        and len(set(shown[0]) & set(order[:120])) < 40
    )


def test_a_score_range_keeps_the_points_inside(digits, order):
    scores = leverage(embeddings.embed(digits, "raw").embedding)
    at = visit(**DIGITS, low="0.03", high="0.035", count="1000")
    explore_works(at)
    assert galleries(at)[0]["ids"] == [i for i in order if 0.03 <= scores[i] <= 0.035] and any(
        "Kept" in m.value for m in at.markdown
    )
    widget(at.button, "Show all scores").click().run()
    assert len(galleries(at)[0]["ids"]) == 1000 and at.query_params == DIGITS | {"count": "1000"}


@pytest.mark.parametrize("query", [{"low": "0.9"}, {"high": "0.02"}])
def test_half_a_score_range_in_a_link_is_open_on_the_other_side(query, digits):
    at = visit(**DIGITS, **query, count="1000")
    explore_works(at)
    scores = leverage(embeddings.embed(digits, "raw").embedding)[galleries(at)[0]["ids"]]
    assert scores.min() >= 0.9 if "low" in query else scores.max() <= 0.02


def test_a_brush_on_the_histogram_narrows_the_gallery(digits):
    at = visit(**DIGITS)
    (chart,) = [e for e in at.get("vega_lite_chart") if (e.key or "").startswith("histogram")]
    at.session_state[chart.key] = VegaLiteState({"selection": {"range": {"from": [0.05, 0.06]}}})
    at.run()
    explore_works(at)
    scores = leverage(embeddings.embed(digits, "raw").embedding)
    assert 0 < len(galleries(at)[0]["ids"]) == min(120, ((scores >= 0.05) & (scores <= 0.06)).sum())
    assert (float(at.query_params["low"]), float(at.query_params["high"])) == (0.05, 0.06)


EMPTY = [
    {"low": "2", "high": "3"},
    {"low": "0.5", "high": "0.4"},
    {"classes": "0", "low": "0.9", "high": "0.99"},
]


@pytest.mark.parametrize("query", EMPTY)
def test_nothing_to_show_says_what_to_do(query):
    at = visit(**DIGITS, **query)
    assert not at.exception and any(
        "Widen the score range or clear the class filter" in info.value for info in at.info
    )
    assert widget(at.button, "Show all scores") and group(at, "Classes")
    widget(at.button, "Show all scores").click().run()
    explore_works(at)


# ---- the dossier and the exhibit ----


def test_a_point_in_the_link_opens_its_dossier(digits, order):
    point = int(order[0])
    visit(**DIGITS, strategy="random")  # another result in the cache
    at = visit(**DIGITS, point=str(point))
    explore_works(at)
    x = embeddings.embed(digits, "raw").embedding.astype(np.float64)
    distances = np.linalg.norm(x - x[point], axis=1)
    neighbours = galleries(at)[-2]
    assert neighbours["alt"] == "Nearest neighbours" and np.allclose(
        np.sort(distances)[1:13], distances[neighbours["ids"]]
    )
    assert float(at.metric[0].value) == pytest.approx(
        leverage(x.astype(np.float32))[point], abs=1e-3
    )
    assert (
        any("Rank **1** of 1,797" in m.value for m in at.markdown)
        and galleries(at)[0]["selected"] == point
    )
    assert "Percentile under 2 rankings" in str(at.get("vega_lite_chart")[-1].proto)
    assert len(galleries(at)[-1]["ids"]) == 6, "the directions that carry it, as images"


def test_the_dossier_of_another_embedding_names_shares_instead_of_images():
    at = visit(**DIGITS, embedding="projection", e__k="20", point="3")
    explore_works(at)
    assert (
        len(at.dataframe) == 1
        and at.dataframe[0].value["share of its leverage, %"].is_monotonic_decreasing
    )


def test_the_facts_show_the_gap_and_say_a_close_call():
    x = np.vander(np.linspace(0, 1, 400), 13, increasing=True)
    for table, said in (
        (x, "none, full rank: the rank was a close call"),
        (x[:, :4], "none, full rank"),
    ):
        found = whiten(table)
        facts = {"n": 400, "d": table.shape[1], "rank": found.rank, "gap": None, "sum": 1.0}
        facts |= {"condition": found.condition, "dead": 0, "device": "CPU", "seconds": 1.0}
        rows = {
            name: value for name, value, _ in fact_row("Leverage", facts, leverage(table), True)
        }
        assert rows["gap"] == said and rows["rank"] == str(table.shape[1])


def test_the_exhibit_stands_beside_the_exact_ranking(order):
    at = visit(**DIGITS)
    textbook, exact = galleries(at)[-2:]
    assert (
        exact["ids"] == order[:60].tolist()
        and 0 in textbook["ids"]
        and textbook["marks"][textbook["ids"].index(0)] == "artefact"
    )
    assert "<b>64.0</b>, and the rank is <b>61</b>" in texts(at)
    elsewhere = visit(**DIGITS, embedding="pca")
    explore_works(elsewhere)
    textbook, exact = galleries(elsewhere)[-2:]
    assert textbook["ids"] == exact["ids"] and not any(textbook["marks"])
    assert "is right under principal components: no artefacts among its top 60" in texts(elsewhere)


@pytest.mark.parametrize("n", ["1", "9", "60", "64"])
def test_very_few_points_are_still_shown(n):
    at = visit(**DIGITS, n=n, point="0")
    explore_works(at)
    assert sorted(galleries(at)[0]["ids"]) == list(range(int(n)))


# ---- links ----


RESTORED = {
    "n": "500",
    "subset": "3",
    "embedding": "projection",
    "e.k": "33",
    "seed": "8",
    "strategy": "leverage",
    "s.ridge": "0.5",
    "s.rank": "7",
    "show": "around",
    "percentile": "95",
    "classes": "1,7",
    "count": "77",
    "low": "1e-06",
    "high": "0.5",
    "point": "12",
}


def test_a_link_restores_spec_widgets_and_view():
    at = visit(
        **DIGITS,
        **{name: value for name, value in RESTORED.items() if "." not in name},
        e__k="33",
        s__ridge="0.5",
        s__rank="7",
    )
    explore_works(at)
    knobs = {"embedding_knobs": (("k", 33),), "strategy_knobs": (("ridge", 0.5), ("rank", 7))}
    assert (
        spec_of(at)
        == Spec().with_(dataset="digits", n=500, subset=3, embedding="projection", seed=8, **knobs)
        and not at.warning
    )
    values = [
        widget(at.selectbox, label).value for label in ("Dataset", "Embedding", "Strategy", "Shown")
    ]
    assert values == ["digits", "projection", "leverage", 77]
    sliders = ("Points", "Dimensions k", "Ridge λ", "Directions", "Percentile")
    assert [widget(at.select_slider, label).value for label in sliders] == [500, 33, 0.5, 7, 95]
    assert (
        widget(at.number_input, "Seed").value == 8
        and group(at, "Show").value == "around"
        and group(at, "Classes").value == ["1", "7"]
    )
    assert at.query_params == DIGITS | {
        name: value for name, value in RESTORED.items() if name != "strategy"
    }
    again = visit(**{name.replace(".", "__"): value for name, value in at.query_params.items()})
    assert (
        galleries(again) == galleries(at)
        and texts(again).split("device")[0] == texts(at).split("device")[0]
    )


BAD = [
    ({"dataset": "mnits", "n": "500"}, "Dataset: found 'mnits', expected one of mnist"),
    ({"embedding": "umap"}, "Embedding: found 'umap', expected one of raw"),
    ({"strategy": "luck"}, "Strategy: found 'luck', expected one of leverage"),
    ({"n": "1798"}, "n: found 1798, expected a number from 1 to 1797"),
    ({"n": "nan"}, "n: found 'nan', expected a whole number"),
    ({"n": "many"}, "n: found 'many', expected a whole number"),
    ({"n": "9" * 40}, "expected a number from 1 to 1797"),
    ({"seed": "nan", "embedding": "projection"}, "seed: found 'nan'"),
    ({"s.ridge": "nan"}, "ridge: found nan, expected a number from 0 to 1e+12"),
    ({"s.ridge": "a lot"}, "ridge: found 'a lot', expected a number"),
    ({"s.power": "2"}, "Leverage has no setting power; it has ridge, rank"),
    ({"e.k": "3"}, "Raw pixels has no setting k; it has none"),
    ({"show": "best"}, "show: found 'best', expected one of top, bottom, around, random"),
    ({"count": "0"}, "count: found 0, expected a number from 1 to 1000"),
    ({"count": "1e9"}, "expected a number from 1 to 1000"),
    ({"percentile": "101"}, "percentile: found 101"),
    ({"low": "nan"}, "low: found nan, expected a number"),
    ({"high": "inf"}, "high: found inf, expected a number"),
    ({"point": "seven"}, "point: found 'seven', expected a whole number"),
    ({"point": "-1"}, "point: found -1, expected a number of at least 0"),
    (
        {"point": "1797"},
        "point 1,797 is not in this dataset of 1,797. Choose a point in the gallery",
    ),
    ({"point": "9" * 40}, "is not in this dataset of 1,797"),
]


@pytest.mark.parametrize(
    ("query", "message"),
    BAD,
    ids=["&".join(f"{n}={v[:9]}" for n, v in query.items()) for query, _ in BAD],
)
def test_a_bad_part_of_a_link_is_told_and_the_page_works(query, message):
    at = visit(
        **({} if "dataset" in query else DIGITS),
        **{name.replace(".", "__"): value for name, value in query.items()},
    )
    explore_works(at)
    assert [w.value.startswith("From the link: ") for w in at.warning] == [
        True
    ] and message in at.warning[0].value
    assert spec_of(at).dataset == ("mnist" if "dataset" in query else "digits"), (
        "the rest of the link is kept"
    )


def test_a_class_that_is_not_there_is_told_and_left_out():
    at = visit(**DIGITS, classes="1,seven")
    explore_works(at)
    assert [w.value for w in at.warning] == [
        "Classes: found seven, expected some of 0, 1, 2, 3, 4, 5, 6, 7, 8, 9. They are left out."
    ]
    assert set(galleries(at)[0]["captions"]) == {"1"} and at.query_params["classes"] == "1"


def test_an_impossible_setting_says_so_and_gives_a_way_on():
    at = visit(**DIGITS, embedding="pca", e__k="100")
    assert (
        not at.exception
        and "Dimensions k: found 100, but there are 64 principal components" in at.error[0].value
    )
    widget(at.button, "Try again").click().run()
    assert not at.exception and len(at.error) == 1
    widget(at.select_slider, "Dimensions k").set_value(20).run()
    explore_works(at)
    assert spec_of(at).embedding_knobs == (("k", 20),)


# ---- widgets ----


def test_every_widget_of_the_spec_reaches_it_and_the_link():
    at = visit(**DIGITS, n="500")
    steps = [
        (lambda: widget(at.selectbox, "Strategy").select("random"), {"strategy": "random"}),
        (lambda: widget(at.number_input, "Seed").set_value(4), {"draw": "4"}),
        (
            lambda: widget(at.selectbox, "Strategy").select("leverage"),
            {"strategy": None, "draw": None},
        ),
        (lambda: widget(at.select_slider, "Ridge λ").set_value(10.0), {"s.ridge": "10.0"}),
        (lambda: widget(at.select_slider, "Directions").set_value(20), {"s.rank": "20"}),
        (
            lambda: widget(at.selectbox, "Embedding").select("projection"),
            {"embedding": "projection"},
        ),
        (lambda: widget(at.number_input, "Seed").set_value(9), {"seed": "9"}),
        (lambda: widget(at.select_slider, "Dimensions k").set_value(50), {"e.k": "50"}),
        (lambda: widget(at.select_slider, "Points").set_value(1000), {"n": "1000"}),
        (lambda: widget(at.select_slider, "Points").set_value(1797), {"n": None}),
        (
            lambda: widget(at.selectbox, "Embedding").select("raw"),
            {"embedding": None, "e.k": None, "seed": None},
        ),
    ]
    link = DIGITS | {"n": "500"}
    for step, changed in steps:
        step().run()
        link = {name: value for name, value in (link | changed).items() if value is not None}
        explore_works(at)
        assert at.query_params == link == spec_of(at).to_query(), changed


def test_every_widget_of_the_view_reaches_the_link():
    at = visit(**DIGITS)
    group(at, "Show").set_value("around").run()
    widget(at.select_slider, "Percentile").set_value(75).run()
    widget(at.selectbox, "Shown").select(60).run()
    group(at, "Classes").set_value(["2", "5"]).run()
    explore_works(at)
    assert at.query_params == DIGITS | {
        "show": "around",
        "percentile": "75",
        "count": "60",
        "classes": "2,5",
    }
    assert len(galleries(at)[0]["ids"]) == 60 and set(galleries(at)[0]["captions"]) == {"2", "5"}


def test_another_dataset_starts_with_all_its_points():
    at = visit("app.py", **DIGITS, n="500")
    widget(at.selectbox, "Dataset").select("fashion_mnist").run()
    assert (
        not at.exception
        and spec_of(at) == Spec().with_(dataset="fashion_mnist")
        and at.title[0].value == "Which garments matter?"
    )
    widget(at.selectbox, "Dataset").select("digits").run()
    explore_works(at)
    assert spec_of(at).dataset == "digits"


# ---- strategies that need more than the embedding ----


MADE = {
    "forgetting": "The record: 15 passes of a small network (MLP) over all 300 points.",
    "bald": (
        "The opinions: 8 linear heads, each fitted to a bootstrap sample of the 300 training"
        " points."
    ),
    "influence_value": (
        "60 points, a fifth of each class, judge the other 240, which are the training set"
    ),
    "fi_util": "No point judges itself.",
}


@pytest.mark.parametrize("name", MADE)
def test_what_a_strategy_needs_is_made_and_said(name):
    at = visit(**DIGITS, n="300", strategy=name)
    explore_works(at)
    assert MADE[name] in " ".join(caption.value for caption in at.caption)
    ranks = galleries(at)[0]["ranks"]
    scores = np.array(galleries(at)[0]["scores"], float)
    assert ranks == list(range(1, 121)) and (np.diff(scores) <= 0).all() and scores[0] > scores[-1]


def test_leverage_needs_nothing_to_be_said():
    assert not any("judge" in caption.value for caption in visit(**DIGITS).caption)


def test_only_what_needs_a_labeled_set_is_not_here():
    menu = widget(visit(**DIGITS).selectbox, "Strategy")
    assert {"BALD", "Forgetting", "FI-util", "KNN-Shapley", "Data Shapley"} <= set(
        menu.options
    ) and "FI-active" not in menu.options
    assert "Not here: FI-active and FI-active, subsampled need a labeled set." in menu.help


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"strategy": "data_shapley"}, "Data Shapley: found 1,438 points"),
        ({"strategy": "fi_util", "n": "3"}, "found 3 labeled training points and 0 labeled"),
    ],
)
def test_what_cannot_be_made_is_said_with_the_mend(query, said):
    at = visit(**DIGITS, **query)
    assert not at.exception and said in at.error[0].value and widget(at.selectbox, "Strategy")


def test_a_strategy_that_takes_long_can_be_stopped_and_one_sees_how_far_it_is(held):
    held("scores", of="fi_util")
    at = visit(**DIGITS, n="300", strategy="fi_util")
    assert (
        not at.exception
        and "counting" in str(at.get("progress")[0].proto)
        and widget(at.button, "Stop")
    )


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("fi_util", "where exactly this training point lies"),
        ("entropy", "Entropy of the predicted"),
    ],
)
def test_every_strategy_says_how_to_read_it(name, words):
    at = visit(**DIGITS, n="300", strategy=name)
    assert words in texts(at) + " ".join(element.value for element in at.markdown)


# ---- fewer points than dimensions ----


def told(at) -> str:
    """What the page says in words, links with their addresses."""
    return " ".join([texts(at), *(part.value for part in (*at.caption, *at.markdown))])


def test_where_every_leverage_is_1_it_says_so_and_shows_the_way():
    at = visit(dataset="mnist", n="120")
    explore_works(at)
    said = told(at)
    assert "the rank equals the number of digits, 120, so <b>every leverage is 1</b>" in said
    assert "It equals n, so every leverage is 1" in said
    assert (
        "[See it under fewer dimensions: principal components]"
        "(/explore?n=120&embedding=pca&e.k=10)" in said
    )


def test_what_opens_on_components_says_why_and_shows_the_way_back():
    look = first_look(datasets.info("mnist"), n=120)
    at = visit(**look.spec.to_query())
    explore_works(at)
    said = told(at)
    assert look.why in said and "every leverage is 1</b>" not in said
    assert "[Raw pixels](/explore?n=120)" in said


def test_where_there_are_points_enough_nothing_is_said():
    said = told(visit(**DIGITS))
    assert "every leverage" not in said and "This opens on" not in said
