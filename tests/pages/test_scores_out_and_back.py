"""Do scores leave with all that was computed, and does a file that comes back stand beside it as
what it is: a file's?

Both run without a browser on the Data page, which shows them under "Take scores out" and "Read
scores back".
"""

import io
import json
import re

import numpy as np
import pandas as pd
import pytest

from core import agreement, datasets, pipeline
from core.exports.reading_back import read_back
from core.exports.score_table import Column, Projection, encode, manifest, table
from core.linalg import ties
from core.runtime import cache, result_folders
from core.spec import Comparison, Spec, map_key
from pages.parts.data import read_scores_back, take_scores_out
from pages.shared import layout
from tests.tools import pages
from tests.tools.pages import galleries, texts, widget

POINTS = Spec().with_(dataset="digits", n=100)
SPECS = [
    POINTS,
    POINTS.with_(embedding="projection", seed=2),
    POINTS.with_(strategy="random", draw=4),
]
LINK = {"dataset": "digits", "n": "100"}


@pytest.fixture
def data():
    return datasets.load("digits", n=100)


@pytest.fixture
def offered(monkeypatch):
    """What the download button offers, by its file name."""
    found = {}
    monkeypatch.setattr(
        layout,
        "downloads",
        lambda label, files: found.update({name: content for _, content, name in files}),
    )
    return found


@pytest.fixture
def computed():
    """Three rankings of 100 digits in the cache."""
    return [pipeline.scores(spec).arrays["scores"] for spec in SPECS]


def take_out(**query):
    """The page that offers what was computed."""
    return pages.visit("pages/data.py", **(LINK | {"show": "out"} | query))


def hand_in(*files: tuple[str, bytes]):
    """The page that reads a file back, after these were chosen on it."""
    at = pages.visit("pages/data.py", **LINK, show="back")
    for name, content in files:
        at.file_uploader[-1].upload(name, content).run()
    return at


def onward(at) -> str:
    """Where the link to Explore leads, on a page that runs alone."""
    (link,) = [
        text
        for markdown in at.markdown
        for text in re.findall(r"\]\(/explore\?(.*)\)", markdown.value)
    ]
    return link


def exported(data, scores, specs=SPECS, **more) -> tuple[str, bytes]:
    columns = [Column(spec, values) for spec, values in zip(specs, scores, strict=True)]
    return "scores.parquet", encode(
        table(data, columns, **more), "parquet", manifest(data, columns, **more)
    )


def fine(at) -> None:
    assert not at.exception and not at.error, (at.exception, at.error)


def said(messages) -> str:
    """What messages say; texts of files stand in them with what Markdown would read as markup
    escaped.
    """
    return " ".join(message.value for message in messages).replace("\\", "")


# ---- out ----


def test_before_anything_is_computed_the_next_action_is_named():
    at = take_out()
    fine(at)
    assert at.info[0].value.startswith("Open Explore")
    assert onward(at) == "dataset=digits&n=100" and not at.multiselect


def test_everything_that_was_computed_is_taken_out(computed, offered):
    at = take_out()
    fine(at)
    chosen = widget(at.multiselect, "Rankings")
    names = ["raw_leverage", "raw_random_draw4", "projection_seed2_leverage"]
    assert chosen.value == names and set(offered) == {
        f"digits-scores.{end}" for end in ("csv", "parquet", "manifest.json")
    }
    assert chosen.options == ["raw, leverage", "raw, random 4", "projection 2, leverage"]
    assert (
        "3 rankings of 100 digits, without a map: that of raw has not been drawn yet"
        in at.caption[0].value
    )
    for kind in ("csv", "parquet"):
        beside = offered["digits-scores.manifest.json"]().encode() if kind == "csv" else None
        found = read_back(offered[f"digits-scores.{kind}"](), f"a.{kind}", beside)
        assert (
            {column.spec for column in found.columns} == set(SPECS)
            and found.faults == ()
            and found.projection is None
        )
        for column in found.columns:
            assert (
                np.array_equal(column.scores, computed[SPECS.index(column.spec)])
                and column.facts["n"] == 100
            )


def test_a_choice_and_the_map_at_hand_are_taken_out(computed, offered, data):
    places = np.random.default_rng(0).random((100, 2)).astype(np.float32)
    cache.put(map_key(POINTS, data.fingerprint), {"coordinates": places}, {"trustworthiness": 0.9})
    at = take_out()
    widget(at.multiselect, "Rankings").set_value(["raw_random_draw4"]).run()
    assert "1 ranking of 100 digits, with the map of raw." in at.caption[0].value
    frame = pd.read_parquet(io.BytesIO(offered["digits-scores.parquet"]()))
    assert list(frame)[4:] == [
        "score_raw_random_draw4",
        "rank_raw_random_draw4",
        "projection_x",
        "projection_y",
    ]
    assert np.array_equal(frame[["projection_x", "projection_y"]], places)
    said = json.loads(offered["digits-scores.manifest.json"]())
    assert said["projection"]["title"] == "UMAP of Raw pixels" and said["projection"]["facts"] == {
        "trustworthiness": 0.9
    }
    widget(at.multiselect, "Rankings").set_value([]).run()
    assert [info.value for info in at.info] == ["Choose at least one ranking to write."]


def test_of_other_points_nothing_is_taken_out(computed):
    assert "No ranking of these 200 digits (Digits 8 x 8) is computed yet." in texts(
        take_out(n="200")
    )


def test_rankings_kept_only_for_a_comparison_are_taken_out_as_they_were_kept(offered, data):
    """A stored comparison keeps single precision: the file says no more than is known."""
    specs = SPECS[:2]
    kept = pipeline.agreement_of(Comparison(tuple(specs), 10)).arrays["scores"]
    for folder in (cache.folder() / "scores").iterdir():
        result_folders.remove(folder)
    take_out()
    frame = pd.read_parquet(io.BytesIO(offered["digits-scores.parquet"]()))
    assert frame["score_raw_leverage"].dtype == np.float32 and np.array_equal(
        frame["score_raw_leverage"], kept[0]
    )
    again = read_back(offered["digits-scores.parquet"](), "a.parquet")
    scores = pipeline.scores(POINTS).arrays["scores"]
    assert read_scores_back.verdict(again.columns[0].scores, scores).startswith(
        "Same but for rounding"
    )


def test_equal_points_of_another_name_share_their_results_under_the_name_that_is_open(
    computed, data
):
    found = take_scores_out.at_hand(POINTS.with_(dataset="mnist", n=100), data)
    assert {spec.dataset for spec in found} == {"mnist"} and len(found) == 3


def test_more_rankings_than_one_file_takes(computed, monkeypatch):
    monkeypatch.setattr(take_scores_out, "MOST", 2)
    at = take_out()
    fine(at)
    assert len(widget(at.multiselect, "Rankings").value) == 2


# ---- what a file says beside the app ----


def test_verdicts_by_hand():
    scores = np.array([0.1, 0.5, -2.0])
    assert read_scores_back.verdict(scores, None) == "Not computed here yet"
    assert read_scores_back.verdict(scores, scores.copy()) == "Same as computed here"
    assert (
        read_scores_back.verdict(scores + [0, 0.01, 0.005], scores)
        == "Differs by up to 0.01 at 2 points"
    )
    assert (
        read_scores_back.verdict(scores + [0, 1e-12, 0], scores)
        == "Same but for rounding (by up to 1.000e-12)"
    )
    assert read_scores_back.verdict(scores + [0, 1e-7, 0], scores).startswith("Differs")
    assert read_scores_back.verdict(scores.astype(np.float32), scores).startswith(
        "Same but for rounding"
    )
    assert (
        read_scores_back.verdict(np.zeros(3), np.array([0.0, 1.0, 0.0]))
        == "Differs by up to 1 at 1 point"
    )


def test_a_round_trip_shows_the_same_scores_spec_and_picture(computed, data):
    at = hand_in(exported(data, computed))
    fine(at)
    assert (
        "<b>3 rankings</b> of 100 digits (Digits 8 x 8); <b>3</b> the same as computed here"
        in texts(at)
    )
    assert (
        at.dataframe[0].value["beside what this app computes"].tolist()
        == ["Same as computed here"] * 3
    )
    (picture,) = galleries(at)
    order = ties.order(computed[0])[:60]
    assert picture["ids"] == order.tolist() and picture["ranks"] == list(range(1, 61))
    assert onward(at) == "dataset=digits&n=100"
    widget(at.selectbox, "Ranking of the file").set_value(1).run()
    order = ties.order(computed[1])[:60]
    assert galleries(at)[0]["ids"] == order.tolist()
    assert onward(at) == "dataset=digits&n=100&embedding=projection&seed=2"


def test_the_picture_is_of_the_files_scores_not_of_the_apps(computed, data):
    theirs = [-computed[0], computed[1] + np.where(np.arange(100) < 12, 0.01, 0.0), computed[2]]
    before = dict(cache.entries("scores"))
    at = hand_in(exported(data, theirs))
    fine(at)
    said = at.dataframe[0].value["beside what this app computes"].tolist()
    assert said[0].startswith("Differs by up to ") and said[0].endswith(" at 100 points")
    assert said[1] == "Differs by up to 0.01 at 12 points" and said[2] == "Same as computed here"
    assert galleries(at)[0]["ids"] == np.argsort(computed[0], kind="stable")[:60].tolist()
    assert dict(cache.entries("scores")) == before, "a file never becomes a result of the app"
    assert np.array_equal(pipeline.scores(POINTS).arrays["scores"], computed[0])


def test_what_is_not_computed_here_is_shown_all_the_same(data, asked):
    at = hand_in(exported(data, [np.arange(100.0)], SPECS[:1]))
    fine(at)
    assert (
        at.dataframe[0].value["beside what this app computes"].tolist() == ["Not computed here yet"]
        and asked == []
    )
    assert galleries(at)[0]["ids"] == list(range(99, 39, -1))


def test_an_edited_file_is_told(computed, data):
    columns = [Column(spec, values) for spec, values in zip(SPECS, computed, strict=True)]
    frame = table(data, columns)
    frame.loc[3, "score_raw_leverage"] = 7.0
    at = hand_in(
        ("scores.csv", encode(frame, "csv")),
        ("scores.manifest.json", manifest(data, columns).encode()),
    )
    fine(at)
    assert "ranks do not follow from the scores: the file was edited" in said(at.warning)
    assert galleries(at)[0]["ids"][0] == 3


def bare() -> bytes:
    """A Parquet file as pandas writes it."""
    buffer = io.BytesIO()
    pd.DataFrame({"index": [1]}).to_parquet(buffer)
    return buffer.getvalue()


TROUBLES = {
    "nothing readable": (("scores.parquet", b"PAR1"), "scores.parquet: found a damaged file"),
    "pandas dropped its manifest": (
        ("scores.parquet", bare()),
        "scores.parquet: found no manifest in it",
    ),
}


@pytest.mark.parametrize("what", TROUBLES)
def test_trouble_is_a_sentence(what):
    file, message = TROUBLES[what]
    at = hand_in(file)
    assert not at.exception and message in said(at.error) and not galleries(at)


def test_a_file_of_other_points_is_told(computed):
    other = datasets.load("digits", n=100, seed=1)
    at = hand_in(exported(other, computed[:1], SPECS[:1]))
    assert "its points are not the ones here" in said(at.error) and not galleries(at)


def test_a_file_of_another_dataset_opens_that_dataset(computed):
    whole = datasets.load("digits")
    spec = Spec().with_(dataset="digits")
    at = hand_in(exported(whole, [np.arange(1797.0)], [spec]))
    fine(at)
    assert galleries(at)[0]["ids"][0] == 1796 and "of 1,797 digits" in texts(at)


def test_the_map_of_a_file_comes_back_coloured_by_the_files_scores(computed, data):
    places = Projection(SPECS[1], np.random.default_rng(1).random((100, 2)).astype(np.float32))
    at = hand_in(exported(data, computed, projection=places))
    fine(at)
    dots = pages.drawn(at.get("vega_lite_chart")[0])[0]
    assert np.array_equal(dots[["x", "y"]].to_numpy(np.float32), places.coordinates)
    assert np.allclose(dots["value"], 100 * agreement.percentiles(computed[0]), atol=1e-4)
    assert "UMAP of projection 2" in " ".join(markdown.value for markdown in at.markdown)
    assert not hand_in(exported(data, computed)).get("vega_lite_chart")
