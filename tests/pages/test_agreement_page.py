"""Does the Agreement page compare the rankings that its link names, say truly what they say, and
open the pair behind a cell?

It runs without a browser (AppTest); tests/tools/pages.py says how. What it shows is compared with
scipy, and its sentences with small matrices worked by hand.
"""

import io

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from core import agreement, datasets, embeddings, strategy
from core.agreement import Interval
from core.linalg import ties
from core.linalg.ties import settle
from core.plugins import menu
from core.runtime import cache
from core.spec import Spec, comparison_key, scores_key, talk_comparison
from core.strategies.leverage import leverage
from pages.parts.agreement import behind_a_cell, heatmap
from pages.parts.agreement import comparison as agreement_parts
from pages.shared import layout
from tests.tools import pages
from tests.tools.pages import (
    DIGITS,
    chart,
    choose_in,
    described,
    drawn,
    galleries,
    group,
    spec_of,
    texts,
    widget,
)

PAGE = "pages/agreement.py"
THREE = DIGITS | {"embeddings": "raw,pca,random_relu"}
NAMES = ["raw", "PCA", "random ReLU 1"]


visit = pages.visiting(PAGE)


def works(at) -> None:
    assert not at.exception, at.exception
    assert not at.error and chart(at, "heatmap")


def cells(at) -> pd.DataFrame:
    """One row per cell of the heatmap: row, column, a, b, value, picked, and what the tooltip
    says.
    """
    return drawn(chart(at, "heatmap"))[0]


def matrix(at) -> pd.DataFrame:
    """The heatmap's values by name."""
    return cells(at).pivot(index="a", columns="b", values="value")


def picked(at) -> set[frozenset[str]]:
    """The pairs that are framed."""
    return {frozenset((row.a, row.b)) for row in cells(at).itertuples() if row.picked}


@pytest.fixture(scope="module")
def rankings(digits) -> dict[str, np.ndarray]:
    """Leverage of the digits under the embeddings of THREE, by the name that the page gives them,
    rounding noise removed.
    """
    names = ("raw", "pca", "random_relu")
    return {
        title: settle(leverage(embeddings.embed(digits, name).embedding))
        for title, name in zip(NAMES, names, strict=True)
    }


def test_strategies_that_need_more_than_the_embedding_are_compared_and_what_was_made_is_said():
    at = visit(**DIGITS, n="300", embeddings="raw", strategies="leverage,forgetting,bald,fi_util")
    works(at)
    names = [
        f"raw, {menu.find(name).label}" for name in ("leverage", "forgetting", "bald", "fi_util")
    ]
    assert sorted(matrix(at).index) == sorted(names)
    said = " ".join(caption.value for caption in at.caption)
    assert all(words in said for words in ("Validation: 60 points", "8 linear heads", "15 passes"))


# ---- the first screen ----


def test_the_talks_figure_is_there_before_any_worker(asked):
    at = visit("app.py")
    at.switch_page(PAGE).run()
    works(at)
    assert asked == [], "the comparison was computed anew; run python -m core warm"
    table = cells(at)
    assert len(table) == 17**2 and list(dict.fromkeys(table["a"]))[:3] == [
        "raw",
        "random ReLU 1",
        "untrained 1",
    ]
    assert (
        at.title[0].value == "Do representations agree?"
        and "Most alike are <b>" in texts(at)
        and not at.warning
    )
    assert at.query_params == {} and "70,000 points" in at.caption[0].value + at.caption[1].value
    assert len(galleries(at)) == 2 and all(
        len(shown["ids"]) == behind_a_cell.BEHIND for shown in galleries(at)
    )


@pytest.fixture(scope="module")
def bundled():
    mnist = datasets.load("mnist")
    found = cache.get(comparison_key(talk_comparison(), mnist.fingerprint))
    assert found, "not bundled; run python -m core warm"
    return found


@pytest.mark.parametrize(("i", "j"), [(0, 1), (0, 12), (3, 16), (7, 11)])
def test_the_bundled_matrices_equal_scipy_on_the_bundled_scores(bundled, i, j):
    a, b = (bundled.arrays["scores"][place].astype(np.float64) for place in (i, j))
    expected = {
        "kendall": stats.kendalltau(a, b)[0],
        "weighted_kendall": stats.weightedtau(a, b)[0],
        "spearman": stats.spearmanr(a, b)[0],
    }
    best = [set(ties.order(scores)[:1000]) for scores in (a, b)]
    expected["overlap"] = len(best[0] & best[1]) / 1000
    for name, value in expected.items():  # float32 makes a few neighbours equal
        stored = bundled.arrays[name]
        assert (
            stored[i, j] == pytest.approx(value, abs=2e-3 if name == "overlap" else 2e-5)
            and stored[i, j] == stored[j, i]
        ), name


def test_the_bundled_scores_are_those_of_the_bundled_rankings(bundled):
    data = datasets.load("mnist")
    for place, spec in enumerate(talk_comparison().columns):
        alone = cache.get(scores_key(spec, data.fingerprint))
        if alone is not None:
            assert np.allclose(
                bundled.arrays["scores"][place], alone.arrays["scores"], rtol=1e-5, atol=1e-7
            ), spec.title()


# ---- what the heatmap shows ----


@pytest.mark.parametrize(
    ("measure", "truth"),
    [
        ("kendall", lambda a, b: stats.kendalltau(a, b)[0]),
        ("weighted_kendall", lambda a, b: stats.weightedtau(a, b)[0]),
        ("spearman", lambda a, b: stats.spearmanr(a, b)[0]),
        (
            "overlap",
            lambda a, b: len(set(ties.order(a)[:100]) & set(ties.order(b)[:100])) / 100,
        ),
    ],
)
def test_every_cell_is_the_measure_of_the_two_rankings_it_names(measure, truth, rankings):
    at = visit(**THREE, measure=measure, k="100")
    works(at)
    shown = matrix(at)
    assert set(shown.index) == set(NAMES)
    for a, x in rankings.items():
        for b, y in rankings.items():
            assert shown.loc[a, b] == pytest.approx(truth(x, y), abs=1e-9), (a, b)
    assert at.query_params == THREE | {"measure": measure, "k": "100"} or (
        measure == "kendall" and "measure" not in at.query_params
    )
    assert (measure == "overlap") == bool([w for w in at.selectbox if w.label == "k"])


def test_order_by_similarity_moves_names_and_values_together():
    query = DIGITS | {
        "embeddings": "raw,random_relu,pca,random_fourier",
        "reseed": "True",
        "seeds": "1,2",
    }
    plain, sorted_ = visit(**query), visit(**query, order="similarity")
    works(plain), works(sorted_)
    before, after = (list(dict.fromkeys(cells(at)["a"])) for at in (plain, sorted_))
    assert sorted(before) == sorted(after) and len(after) == 6
    assert described(chart(sorted_, "heatmap"))["layer"][0]["encoding"]["x"]["sort"] == after
    pd.testing.assert_frame_equal(
        matrix(plain).loc[after, after], matrix(sorted_).loc[after, after]
    )
    assert (cells(sorted_)["row"].to_numpy().reshape(6, 6) == np.arange(6)[:, None]).all()


def test_rankings_that_agree_stand_together():
    clusters = np.array([0, 1, 0, 1, 1, 0])
    alike = np.where(clusters[:, None] == clusters, 0.8, 0.1)
    np.fill_diagonal(alike, 1)
    order = heatmap.similarity_order(alike)
    assert (
        sorted(order) == list(range(6))
        and len(set(clusters[order][:3])) == len(set(clusters[order][3:])) == 1
    )


def test_tooltips_carry_chance_and_the_ceilings_of_both_rankings(digits):
    at = visit(**DIGITS, embeddings="raw,random_relu", reseed="True", seeds="1,2,3")
    works(at)
    row = cells(at).set_index(["a", "b"]).loc[("random ReLU 2", "raw")]
    null = agreement.permutation_null(len(digits), "kendall")
    shown = matrix(at)
    own = [shown.loc[f"random ReLU {i}", f"random ReLU {j}"] for i, j in ((1, 2), (1, 3), (2, 3))]
    assert row["by chance"] == f"{null.mean:.3f} [{null.low:.3f}, {null.high:.3f}]"
    assert (
        row["ceiling of the first"].startswith(f"{np.mean(own):.3f} [")
        and row["ceiling of the second"] == "one seed only"
    )
    tooltip = [
        field["field"]
        for field in described(chart(at, "heatmap"))["layer"][0]["encoding"]["tooltip"]
    ]
    assert tooltip == [
        "a",
        "b",
        "value",
        "by chance",
        "ceiling of the first",
        "ceiling of the second",
    ]


def test_the_ranks_of_the_embeddings_are_said(digits):
    at = visit(**THREE)
    low = [
        np.linalg.matrix_rank(embeddings.embed(digits, name).embedding)
        for name in ("raw", "pca", "random_relu")
    ]
    assert f"raw {low[0]}, PCA {low[1]}, random ReLU {low[2]}" in " ".join(
        caption.value for caption in at.caption
    )


# ---- sentences, by hand ----

FOUR = np.array([[1, 0.6, 0.2, 0.3], [0.6, 1, 0.4, 0.1], [0.2, 0.4, 1, 0.7], [0.3, 0.1, 0.7, 1]])


def test_the_sentence_names_the_best_and_the_least_pair():
    families = ["raw", "PCA", "untrained", "untrained"]
    ceilings = {"raw": None, "PCA": None, "untrained": Interval(0.7, 0.7, 0.7)}
    said = agreement_parts.sentence(FOUR, families, ceilings, "τ")
    # raw-PCA 0.6; raw-untrained (0.2 + 0.3)/2 = 0.25; PCA-untrained (0.4 + 0.1)/2 = 0.25; of equals
    # the first is named
    assert (
        said == "Most alike are *raw* and *PCA* (τ = 0.60), least *raw* and *untrained* (0.25). "
        "Even with itself, after another seed, a family agrees only so far: untrained 0.70."
    )


@pytest.mark.parametrize(
    ("families", "said"),
    [
        (
            ["raw", "PCA"],
            "*raw* and *PCA* agree at ρ = *0.60*; 1 would be the same order, 0 is unrelated.",
        ),
        (
            ["untrained", "untrained"],
            (
                "Only one family is chosen. With itself, after another seed, it agrees at ρ ="
                " *0.60* on average."
            ),
        ),
    ],
)
def test_the_sentence_of_two_rankings(families, said):
    assert agreement_parts.sentence(FOUR[:2, :2], families, {}, "ρ") == said


def test_seeds_share_a_family_and_strategies_do_not():
    specs = [
        Spec(embedding="random_relu", seed=2),
        Spec(embedding="random_relu", strategy="random"),
        Spec(),
    ]
    assert agreement_parts.groups(tuple(specs)) == [
        "random ReLU, Leverage",
        "random ReLU, Random",
        "raw, Leverage",
    ]
    assert agreement_parts.labels(tuple(specs)) == [
        "random ReLU 2, Leverage",
        "random ReLU 1, Random",
        "raw, Leverage",
    ]
    assert agreement_parts.labels(tuple(specs[:1])) == ["random ReLU 2"]


# ---- the pair behind a cell ----


def test_a_click_opens_the_pair_behind_the_cell_and_writes_the_link(rankings):
    at = visit(**THREE)
    choose_in(at, chart(at, "heatmap"), cell=[{"row": 2, "column": 1}])
    works(at)
    assert at.query_params == THREE | {"cell": "2-1"} and picked(at) == {
        frozenset(("random ReLU 1", "PCA"))
    }
    assert at.subheader[0].value == "Random ReLU 1 against PCA"
    relu, pca = rankings["random ReLU 1"], rankings["PCA"]
    ranks = stats.rankdata(relu) - stats.rankdata(pca)
    for shown, lead in zip(galleries(at), (ranks, -ranks), strict=True):
        assert (
            lead[shown["ids"]].tolist() == sorted(lead, reverse=True)[: len(shown["ids"])]
            and len(shown["ids"]) == 24
        )
    again = visit(**at.query_params)
    assert galleries(again) == galleries(at) and picked(again) == picked(at)


def test_the_plane_behind_a_cell_counts_every_point_where_its_ranks_lie(rankings, digits):
    at = visit(**THREE, cell="0-1")
    (plane,) = [element for element in at.get("vega_lite_chart") if "Density" in element.proto.alt]
    table = drawn(plane)[0]
    assert table["points"].sum() == len(digits)
    x, y = (100 * (stats.rankdata(rankings[name]) - 0.5) / len(digits) for name in ("raw", "PCA"))
    for row in table.nlargest(3, "points").itertuples():
        assert ((x >= row.a) & (x < row.a2) & (y >= row.b) & (y < row.b2)).sum() == row.points


def test_a_click_in_the_sorted_picture_names_the_rankings_that_stand_there():
    query = DIGITS | {"embeddings": "raw,random_relu,pca,random_fourier", "order": "similarity"}
    at = visit(**query)
    names = list(dict.fromkeys(cells(at)["a"]))
    i, j, *_ = (
        place
        for place, name in enumerate(("raw", "random ReLU 1", "PCA", "random Fourier 1"))
        if names[place] != name
    )
    choose_in(at, chart(at, "heatmap"), cell=[{"row": i, "column": j}])
    works(at)
    assert picked(at) == {frozenset((names[i], names[j]))}
    group(at, "Order").set_value("family").run()
    works(at)
    assert (
        picked(at) == {frozenset((names[i], names[j]))}
        and list(dict.fromkeys(cells(at)["a"])) != names
    )


def test_without_a_click_the_pair_that_agrees_least_is_open(rankings):
    at = visit(**THREE)
    shown = matrix(at)
    least = min(((shown.loc[a, b], a, b) for a in NAMES for b in NAMES), key=lambda found: found[0])
    assert picked(at) == {frozenset(least[1:])} and "cell" not in at.query_params


def test_a_cell_on_the_diagonal_says_where_to_look():
    at = visit(**THREE, cell="1-1")
    works(at)
    assert any(
        "Choose a cell off the diagonal" in info.value for info in at.info
    ) and not galleries(at)


def test_another_choice_of_rankings_forgets_the_cell():
    at = visit(**THREE, cell="0-2")
    group(at, "Embeddings").set_value(["raw", "random_relu"]).run()
    works(at)
    assert (
        "cell" not in at.query_params
        and picked(at) == {frozenset(("raw", "random ReLU 1"))}
        and not at.warning
    )


# ---- links and widgets ----


RESTORED = THREE | {
    "seeds": "2,4",
    "reseed": "True",
    "measure": "spearman",
    "order": "similarity",
    "cell": "3-1",
    "n": "500",
    "k": "50",
}


def test_a_link_restores_rankings_widgets_and_cell():
    at = visit(**RESTORED)
    works(at)
    assert (
        not at.warning
        and at.query_params == RESTORED
        and spec_of(at) == Spec().with_(dataset="digits", n=500)
    )
    assert group(at, "Embeddings").value == ["raw", "pca", "random_relu"] and group(
        at, "Seeds of the networks"
    ).value == ["2", "4"]
    assert group(at, "Measure").value == "spearman" and group(at, "Order").value == "similarity"
    assert set(cells(at)["a"]) == {"raw", "PCA", "random ReLU 2", "random ReLU 4"}
    assert picked(at) == {frozenset(("random ReLU 4", "PCA"))}


def test_every_widget_reaches_the_link():
    at = visit(**THREE)
    group(at, "Measure").set_value("overlap").run()
    widget(at.selectbox, "k").select(100).run()
    group(at, "Order").set_value("similarity").run()
    group(at, "Strategies").set_value(["leverage", "random"]).run()
    group(at, "Embeddings").set_value(["raw", "pca"]).run()
    works(at)
    expected = {
        "measure": "overlap",
        "k": "100",
        "order": "similarity",
        "strategies": "leverage,random",
        "embeddings": "raw,pca",
    }
    assert at.query_params == DIGITS | expected
    assert set(cells(at)["a"]) == {"raw, Leverage", "raw, Random", "PCA, Leverage", "PCA, Random"}


@pytest.mark.parametrize(
    "query",
    [
        {"embeddings": "raw"},
        {"embeddings": ""},
        {"embeddings": "raw,pca", "strategies": ""},
        {"embeddings": "cnn_untrained", "seeds": ""},
    ],
)
def test_fewer_than_two_rankings_say_what_to_choose(query):
    at = visit(**DIGITS, **query)
    assert not at.exception and not at.error and not at.get("vega_lite_chart")
    assert "Choose at least two rankings" in at.info[0].value
    group(at, "Embeddings").set_value(["raw", "pca"]).run()
    group(at, "Strategies").set_value(["leverage"]).run()
    works(at)


BAD = [
    ({"embeddings": "raw,pca,umap"}, "embeddings: found umap, expected some of raw"),
    ({"seeds": "1,9"}, "seeds: found 9, expected some of 1, 2, 3, 4, 5"),
    ({"strategies": "leverage,luck"}, "strategies: found luck, expected some of leverage"),
    ({"measure": "pearson"}, "measure: found 'pearson', expected one of kendall"),
    ({"order": "size"}, "order: found 'size', expected one of family"),
    ({"k": "none"}, "k: found 'none', expected a whole number"),
    ({"k": "0"}, "k: found 0"),
    ({"reseed": "maybe"}, "reseed: found 'maybe', expected true or false"),
    ({"cell": "raw-pca"}, "cell: found 'raw-pca', expected two numbers from 0 to 2"),
    ({"cell": "0-3"}, "cell: found '0-3', expected two numbers from 0 to 2"),
]


@pytest.mark.parametrize(
    ("query", "message"),
    BAD,
    ids=["&".join(query) + f"={value}" for query, _ in BAD for value in query.values()],
)
def test_a_bad_part_of_a_link_is_told_and_the_rest_is_used(query, message):
    at = visit(**(THREE | query))
    works(at)
    assert [warning.value.startswith("From the link: ") for warning in at.warning] == [
        True
    ] and message in at.warning[0].value
    assert set(cells(at)["a"]) >= {"raw", "PCA"}


def test_the_matrix_can_be_downloaded(monkeypatch):
    offered = []
    monkeypatch.setattr(layout, "downloads", lambda label, files: offered.extend(files))
    shown = matrix(visit(**THREE))
    ((label, content, name),) = offered
    assert label == "CSV, 3 x 3" and name == "digits-kendall.csv"
    table = pd.read_csv(io.BytesIO(content()), index_col=0)
    assert table.index.name == "kendall" and list(table.columns) == list(table.index) == NAMES
    assert np.allclose(table, shown.loc[NAMES, NAMES], atol=1e-15)


# ---- trouble ----


def test_the_talk_s_figure_is_one_click_away(held, asked):
    held()
    at = visit(**(THREE | {"measure": "spearman", "order": "similarity"}))
    widget(at.button, "The talk's figure").click().run()
    assert (
        not at.exception
        and "embeddings" not in at.query_params
        and "measure" not in at.query_params
    )
    chosen = group(at, "Embeddings").value
    assert [*chosen] == [*agreement_parts.TALK] and group(at, "Measure").value in (
        "kendall",
        ["kendall"],
    )


def test_while_it_is_compared_the_old_picture_stays_and_can_be_read(held, digits):
    at = visit(**THREE)
    before = cells(at)
    begun = held("agreement_of")
    widget(at.select_slider, "Points").set_value(500).run()
    works(at)
    assert begun and at.get("progress") and at.query_params["n"] == "500"
    pd.testing.assert_frame_equal(cells(at), before)
    assert f"{len(digits):,} points" in " ".join(caption.value for caption in at.caption), (
        "the picture's own points, not the wanted ones"
    )


def test_a_comparison_that_was_stopped_can_be_started_again(held):
    begun = held("agreement_of")
    at = visit(**THREE)
    assert not at.exception and at.get("progress") and not at.get("vega_lite_chart")
    widget(at.button, "Stop").click().run()
    assert begun[0].state == "cancelled" and "Stopped. Nothing was lost" in at.info[0].value
    widget(at.button, "Try again").click().run()
    assert len(begun) == 2 and at.get("progress")


def test_a_constant_ranking_is_a_sentence_not_a_traceback(monkeypatch):
    monkeypatch.setattr(strategy, "score", lambda name, embedded, **_: np.ones(len(embedded)))
    at = visit(**THREE)
    assert not at.exception and "is constant: it ranks nothing" in at.error[0].value
