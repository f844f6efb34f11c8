"""Does the Map page draw every point where its map has it, in colours that mean what they say, and
show what lies in a box?

It runs without a browser (AppTest); tests/tools/pages.py says how. Most tests plant a made-up map
in the cache, so that what lies where is known; one lets the page compute a real one. The dossier's
strip of percentiles is tested here too.
"""

import io

import numpy as np
import pandas as pd
import pytest

from core import datasets, embeddings
from core.agreement import percentiles
from core.linalg import ties
from core.runtime import cache, tasks
from core.spec import Spec, map_key
from core.strategies.leverage import leverage
from pages.parts.map import groups
from pages.parts.map import linked_maps as map_parts
from pages.shared import cached, layout
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

PAGE = "pages/map.py"
BOX = "-1.5,1.5,-1.5,1.5"  # around class 0 of the made-up map, and nothing else


visit = pages.visiting(PAGE)


@pytest.fixture(scope="module")
def scores(digits) -> np.ndarray:
    return leverage(embeddings.embed(digits, "raw").embedding)


@pytest.fixture(scope="module")
def places(digits) -> np.ndarray:
    """A made-up map: class c within 1 of (4 * (c % 5), 4 * (c // 5))."""
    centres = 4.0 * np.column_stack([digits.labels % 5, digits.labels // 5])
    return (centres + np.random.default_rng(0).uniform(-0.7, 0.7, (len(digits), 2))).astype(
        np.float32
    )


@pytest.fixture
def planted(digits, places):
    """The made-up map as the one of raw pixels, and under PCA the same turned, mirrored, shrunk and
    moved.
    """
    turned = (places @ np.array([[0.6, -0.8], [-0.8, -0.6]]) / 3 + [50, -20]).astype(np.float32)
    for name, coordinates in (("raw", places), ("pca", turned)):
        key = map_key(Spec().with_(dataset="digits", embedding=name), digits.fingerprint)
        cache.put(key, {"coordinates": coordinates}, {"trustworthiness": 0.9, "seconds": 1.0})
    return turned


def dots(at, side: int = 0) -> pd.DataFrame:
    """One row per point of a map: x, y, inner, value."""
    return drawn(at.get("vega_lite_chart")[side])[0]


def works(at, maps: int = 1) -> None:
    assert not at.exception, at.exception
    assert not at.error and len(at.get("vega_lite_chart")) == maps


# ---- the first screen ----


def test_the_map_of_all_70000_digits_is_there_before_any_worker(asked):
    at = visit("app.py")
    at.switch_page(PAGE).run()
    works(at)
    assert asked == [], "the map was computed anew; run python -m core warm"
    assert (
        len(dots(at)) == 70_000
        and dots(at)["inner"].all()
        and dots(at)["value"].between(0, 100).all()
    )
    assert (
        at.title[0].value == "Where do they lie?"
        and "Under <b>raw pixels</b>, the 1,000 digits of highest leverage" in texts(at)
    )
    assert (
        "Drag a box on the map to see its digits" in at.info[0].value
        and at.query_params == {}
        and not at.warning
    )


@pytest.mark.parametrize("name", ["cnn_untrained", "cnn_regression", "cnn_classification"])
def test_the_maps_of_the_networks_come_with_the_app(name, asked):
    at = visit(beside=name)
    works(at, maps=2)
    assert asked == []
    first, second = dots(at), dots(at, 1)
    assert len(second) == 70_000 and not np.allclose(first[["x", "y"]], second[["x", "y"]])


def test_a_map_is_computed_when_it_is_not_there(asked):
    at = visit(**DIGITS, n="300")
    works(at)
    assert asked.count(tasks.MAP) == 1 and len(dots(at)) == 300
    data = datasets.load("digits", n=300)
    x = dots(at)[["x", "y"]].to_numpy()
    distances = np.linalg.norm(x[:, None] - x[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    assert (data.labels[distances.argmin(axis=1)] == data.labels).mean() > 0.8, (
        "neighbours are mostly of the same class"
    )
    visit(**DIGITS, n="300")
    assert asked.count(tasks.MAP) == 1, "the second visit finds it in the cache"


# ---- what is drawn ----


def test_every_point_stands_at_its_place_in_the_colour_of_its_percentile(planted, places, scores):
    at = visit(**DIGITS)
    works(at)
    assert np.allclose(dots(at)[["x", "y"]], places) and np.allclose(
        dots(at)["value"], 100 * percentiles(scores), atol=1e-4
    )
    assert "trustworthiness 0.900" in " ".join(m.value for m in at.markdown)


def test_classes_are_named_at_their_middle_and_in_the_legend(planted, digits, places):
    at = visit(**DIGITS, colour="class")
    works(at)
    assert np.array_equal(dots(at)["value"], digits.labels)
    (names,) = [table for table in drawn(chart(at, "map")) if "name" in table]
    assert list(names["name"]) == list("0123456789")
    assert np.allclose(
        names[["x", "y"]], [np.median(places[digits.labels == c], axis=0) for c in range(10)]
    )
    assert all(f"</i>{name}</span>" in texts(at) for name in "0123456789")


def test_a_selection_of_everything_says_nothing_of_where_the_highest_lie(planted):
    at = visit(**DIGITS, colour="selection", k="5000")
    works(at)
    assert "the selection holds <b>all 1,797 digits</b>: choose a smaller k" in texts(at)


def test_only_the_chosen_groups_are_in_sight(planted, digits):
    at = visit(**DIGITS, colour="class", only="2,5,77")
    works(at)
    assert dots(at)["inner"].tolist() == np.isin(digits.labels, (2, 5)).tolist()
    assert widget(at.multiselect, "Only").value == [2, 5]
    widget(at.multiselect, "Only").set_value([7]).run()
    assert dots(at)["inner"].tolist() == (digits.labels == 7).tolist()
    assert at.query_params["only"] == "7"
    widget(at.multiselect, "Only").set_value([]).run()
    assert dots(at)["inner"].all() and "only" not in at.query_params


def test_the_selection_is_the_k_highest(planted, scores):
    at = visit(**DIGITS, colour="selection", k="100")
    works(at)
    assert set(np.flatnonzero(dots(at)["value"])) == set(ties.order(scores)[:100])
    assert "the 100 digits of highest score" in texts(at)


def test_disagreement_is_the_difference_of_percentiles_with_the_other_sign_beside(
    planted, digits, scores
):
    at = visit(**DIGITS, colour="disagreement", beside="pca")
    works(at, maps=2)
    other = leverage(embeddings.embed(digits, "pca").embedding)
    difference = 100 * (percentiles(scores) - percentiles(other))
    assert np.allclose(dots(at)["value"], difference, atol=1e-3) and np.allclose(
        dots(at, 1)["value"], -difference, atol=1e-3
    )


def test_the_second_map_is_turned_onto_the_first(planted, places):
    at = visit(**DIGITS, beside="pca")
    works(at, maps=2)
    assert not np.allclose(planted, places, atol=1) and np.allclose(
        dots(at, 1)[["x", "y"]], places, atol=1e-3
    )


def test_a_strategy_with_a_validation_set_colours_the_map_and_says_who_judges(planted):
    at = visit(**DIGITS, strategy="influence_value")
    works(at)
    said = [
        caption.value
        for caption in at.caption
        if caption.value.startswith("Validation: 359 points")
    ]
    assert len(said) == 1 and "Influence, helpful first" in widget(at.selectbox, "Strategy").options


# ---- the sentence ----


def test_neighbours_of_chosen_points_are_counted_by_hand():
    corners = np.array([[0, 0], [0, 0], [0, 0], [1, 1], [1, 1]], float)
    # two of the three at the left corner: each sees one chosen among two others; at the right one
    # of two: none among one
    assert map_parts.local_share(corners, np.array([1, 1, 0, 1, 0], bool)) == pytest.approx(
        (0.5 + 0.5 + 0) / 3
    )


@pytest.mark.parametrize(("gathered", "said"), [(True, "gather"), (False, "are scattered")])
def test_the_sentence_tells_gathered_from_scattered(
    gathered, said, planted, places, digits, monkeypatch
):
    rng = np.random.default_rng(1)
    values = -np.linalg.norm(places, axis=1) if gathered else rng.random(len(digits))
    monkeypatch.setattr(
        "core.strategy.score", lambda name, embedded, **_: values.astype(np.float64)
    )
    cached.ranking.clear()  # it is kept by the key of the true scores
    at = visit(**DIGITS, k="100")
    cached.ranking.clear()
    works(at)
    assert (
        f"<b>{said}</b>" in texts(at)
        and ("Class 0 is over-represented: 100% of them" in texts(at)) == gathered
    )


# ---- the box ----


def test_a_brush_shows_the_points_inside_writes_the_link_and_greys_the_rest(
    planted, digits, scores
):
    at = visit(**DIGITS)
    choose_in(at, chart(at, "map"), box={"x": [1.5, -1.5], "y": [-1.5, 1.5]})
    works(at)
    zeros = np.flatnonzero(digits.labels == 0)
    assert at.query_params == DIGITS | {"box": BOX} and len(dots(at)) == len(digits), (
        "greyed, not hidden"
    )
    assert np.array_equal(np.flatnonzero(dots(at)["inner"]), zeros)
    (shown,) = galleries(at)
    assert shown["ids"] == sorted(zeros, key=lambda i: -scores[i])[: map_parts.SHOWN] and set(
        shown["captions"]
    ) == {"0"}
    assert f"{len(zeros)} digits in the box" in at.subheader[0].value
    again = visit(**at.query_params)
    assert galleries(again) == galleries(at) and dots(again).equals(dots(at))


def test_the_box_is_drawn_as_a_frame(planted):
    (frame,) = [
        table for table in drawn(chart(visit(**DIGITS, box=BOX), "map")) if "shown" in table
    ]
    assert frame.loc[0, ["x", "x2", "y", "y2", "shown"]].tolist() == [-1.5, 1.5, -1.5, 1.5, 1]
    (frame,) = [table for table in drawn(chart(visit(**DIGITS), "map")) if "shown" in table]
    assert frame["shown"].tolist() == [0]


def test_the_box_of_the_first_map_greys_the_second_too(planted, digits):
    at = visit(**DIGITS, box=BOX, beside="pca")
    works(at, maps=2)
    assert np.array_equal(dots(at, 1)["inner"], digits.labels == 0)


def test_the_box_can_be_cleared(planted):
    at = visit(**DIGITS, box=BOX)
    widget(at.button, "Clear the box").click().run()
    works(at)
    assert "box" not in at.query_params and dots(at)["inner"].all() and not galleries(at)


def test_another_map_forgets_the_box(planted):
    at = visit(**DIGITS, box=BOX)
    group(at, "Colour by").set_value("class").run()
    assert at.query_params["box"] == BOX, "the same map in other colours keeps it"
    widget(at.selectbox, "Embedding").select("pca").run()
    works(at)
    assert "box" not in at.query_params and dots(at)["inner"].all() and not at.warning


def test_an_empty_box_says_what_to_do(planted):
    at = visit(**DIGITS, box="100,101,100,101")
    works(at)
    assert (
        "The box is empty. Drag it over some points." in [info.value for info in at.info]
        and not dots(at)["inner"].any()
    )


def test_the_points_in_the_box_can_be_downloaded(planted, places, digits, scores, monkeypatch):
    offered = []
    monkeypatch.setattr(layout, "downloads", lambda label, files: offered.extend(files))
    visit(**DIGITS, box=BOX)
    ((label, content, name),) = offered
    rows = pd.read_csv(io.BytesIO(content()))
    zeros = np.flatnonzero(digits.labels == 0)
    assert (label, name) == (f"CSV, {len(zeros)} rows", "box.csv") and rows[
        "index"
    ].tolist() == sorted(zeros, key=lambda i: -scores[i])
    assert np.allclose(rows[["projection_x", "projection_y"]], places[rows["index"]])
    assert np.allclose(rows["score_raw_leverage"], scores[rows["index"]])


# ---- links and widgets ----


RESTORED = DIGITS | {
    "beside": "pca",
    "colour": "selection",
    "k": "50",
    "box": BOX,
    "strategy": "random",
    "draw": "3",
}


def test_a_link_restores_maps_colour_and_box(planted, digits):
    at = visit(**RESTORED)
    works(at, maps=2)
    assert (
        at.query_params == RESTORED
        and not at.warning
        and spec_of(at).strategy == "random"
        and spec_of(at).draw == 3
    )
    assert group(at, "Colour by").value == "selection"
    assert [widget(at.selectbox, label).value for label in ("Strategy", "Beside it")] == [
        "random",
        "pca",
    ]
    drawn_scores = np.random.default_rng(3).random(len(digits))
    assert set(np.flatnonzero(dots(at)["value"])) == set(np.argsort(-drawn_scores)[:50])


def test_every_widget_reaches_the_link(planted):
    at = visit(**DIGITS)
    widget(at.selectbox, "Beside it").select("pca").run()
    group(at, "Colour by").set_value("disagreement").run()
    assert at.query_params == DIGITS | {"beside": "pca", "colour": "disagreement"}
    group(at, "Colour by").set_value("selection").run()
    widget(at.select_slider, "k").set_value(500).run()
    widget(at.selectbox, "Strategy").select("random").run()
    works(at, maps=2)
    assert at.query_params == DIGITS | {
        "beside": "pca",
        "colour": "selection",
        "k": "500",
        "strategy": "random",
    }


BAD = [
    ({"embedding": "umap"}, "Embedding: found 'umap', expected one of raw"),
    ({"strategy": "luck"}, "Strategy: found 'luck', expected one of leverage"),
    ({"seed": "first", "embedding": "projection"}, "seed: found 'first', expected a whole number"),
    ({"colour": "taste"}, "colour: found 'taste', expected one of score, class"),
    ({"beside": "tsne"}, "beside: found 'tsne', expected one of"),
    ({"k": "nan"}, "k: found 'nan', expected a whole number"),
    ({"box": "1,2,3"}, "box: found '1,2,3', expected four numbers"),
    ({"box": "0,1,0,inf"}, "box: found '0,1,0,inf', expected four numbers"),
    ({"box": "a,b,c,d"}, "box: found 'a,b,c,d', expected four numbers"),
]


@pytest.mark.parametrize(
    ("query", "message"),
    BAD,
    ids=["&".join(f"{n}={v}" for n, v in query.items()) for query, _ in BAD],
)
def test_a_bad_part_of_a_link_is_told_and_the_rest_is_used(query, message, planted, held):
    held("map_of")
    at = visit(**(DIGITS | query))
    assert not at.exception and not at.error and (at.get("vega_lite_chart") or at.get("progress"))
    assert [warning.value.startswith("From the link: ") for warning in at.warning] == [
        True
    ] and message in at.warning[0].value


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"colour": "disagreement"}, "needs a second map"),
        ({"beside": "raw"}, "the first one already"),
    ],
)
def test_what_cannot_be_shown_is_said(query, said, planted):
    at = visit(**DIGITS, **query)
    works(at)
    assert any(said in info.value for info in at.info)
    group(at, "Colour by").set_value("class").run()
    assert not any(said in info.value for info in at.info), "said once"


def test_too_few_points_for_a_map_are_a_sentence_not_a_traceback():
    at = visit(**DIGITS, n="5")
    assert not at.exception and "Map: found 5 points, expected at least 10" in at.error[0].value


def test_while_a_map_is_computed_the_progress_is_shown_and_can_be_stopped(held):
    begun = held("map_of")
    at = visit(**DIGITS)
    (bar,) = at.get("progress")
    assert (
        not at.exception
        and (bar.proto.value, bar.proto.text.split(" ·")[0]) == (25, "counting")
        and at.title
    )
    widget(at.button, "Stop").click().run()
    assert begun[0].state == "cancelled" and "Stopped. Nothing was lost" in at.info[0].value


# ---- the dossier's strip ----


def test_the_strip_has_one_dot_per_ranking_at_the_percentile_counted_by_hand(digits, scores):
    point, agreed = 7, {"embeddings": "raw,random_relu", "reseed": "True", "seeds": "1,2"}
    visit(
        "pages/agreement.py", **DIGITS, **agreed
    )  # three rankings, of which two are of one family
    visit("pages/explore.py", **DIGITS, embedding="pca")
    visit("pages/explore.py", **DIGITS, n="500")  # of other points: it has no place in the strip
    at = visit("pages/explore.py", **DIGITS, point=str(point))
    table = drawn(at.get("vega_lite_chart")[-1])[0]
    expected = {
        ("raw, leverage", 1): scores,
        ("PCA, leverage", 1): leverage(embeddings.embed(digits, "pca").embedding),
    }
    for seed in (1, 2):
        expected["random ReLU, leverage", seed] = leverage(
            embeddings.embed(digits, "random_relu", seed=seed).embedding
        )
    assert sorted(zip(table["ranking"], table["seed"], strict=True)) == sorted(expected)
    for row in table.itertuples():
        truth = expected[row.ranking, row.seed]
        lower, equal = (truth < truth[point]).sum(), (truth == truth[point]).sum() - 1
        assert row.percentile == pytest.approx(
            100 * (lower + equal / 2) / (len(truth) - 1), abs=1e-6
        ), row.ranking
        assert (
            row.score == pytest.approx(truth[point], rel=1e-6)
            and row.rank == (truth > truth[point]).sum() + 1
        )
    colours = described(at.get("vega_lite_chart")[-1])["layer"][1]["encoding"]["color"]
    assert colours["field"] == "family" and set(table["family"]) == {"raw", "random"}
    assert "Percentile under 4 rankings" in at.get("vega_lite_chart")[-1].proto.alt


def test_a_column_beside_the_points_colours_them():
    words = np.array([f"w{i}" for i in range(12) for _ in range(12 - i)])
    colour = groups.column_colour("town", words)
    assert colour.names == (*[f"w{i}" for i in range(9)], "the rest") and not colour.is_choice
    assert colour.values[0] == 0 and colour.values[-1] == 9
    numbers = groups.column_colour("rent", np.array([3.0, 1.0, np.nan, 2.0]))
    assert numbers.names == () and numbers.values[:2].tolist() == [100, 0]
    assert np.isnan(numbers.values[2])
