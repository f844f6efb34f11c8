"""Does the lesson say what the bundled results say, ask before it reveals, and keep what was
predicted?

It runs without a browser (AppTest); tests/tools/pages.py says how. Its numbers are computed here
anew, from the bundle or by definition.
"""

import csv
import html
import io
import re

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core import datasets, lesson, strategy
from core.experiments import presets, store
from core.experiments.retrain.run import PROTOCOLS
from core.linalg import ties
from core.plugins import menu
from core.runtime import cache
from core.spec import Spec, comparison_key, plane_key, scores_key, talk_comparison
from core.types import UserError
from pages.components.digit_plane import digit_plane
from pages.parts.lesson import (
    chapter_frame,
    chapters_regression,
    chapters_representations,
    chapters_usefulness,
    quiz,
    small_pictures,
)
from pages.parts.lesson import material as lesson_material
from pages.parts.lesson.material import material
from pages.shared.words import formula
from tests.tools import pages, qr_reading
from tests.tools.pages import ROOT, galleries, texts, widget

PAGE, CHAPTERS = "pages/lesson.py", range(1, 10)
ANYWAY = "Show without predicting"


def open_chapter(chapter=1, app=False, **query):
    """A chapter; through the app if it is to lead to the last one, which links to the other
    pages.
    """
    at = AppTest.from_file(
        str(ROOT / ("app.py" if app or chapter == 9 else PAGE)), default_timeout=6000
    )
    if app or chapter == 9:
        at.run().switch_page(PAGE)
    at.query_params.clear()
    for name, value in {"chapter": str(chapter), **query}.items():
        at.query_params[name] = value
    at.run()
    assert not at.exception, at.exception
    return at


def words(at) -> str:
    """All that can be read on the page, without markup."""
    written = texts(at) + " ".join(
        element.value for kind in (at.markdown, at.caption, at.subheader) for element in kind
    )
    return html.unescape(re.sub(r"<style>.*?</style>|<[^>]+>", "", written, flags=re.S)).replace(
        "*", ""
    )


def press(at, label: str):
    widget(at.button, label).click().run()
    assert not at.exception, at.exception
    return at


def labels(at) -> list[str]:
    return [button.label for button in at.button]


@pytest.fixture(scope="module")
def mnist():
    return datasets.load("mnist")


@pytest.fixture(scope="module")
def scores(mnist):
    return cache.get(scores_key(Spec(), mnist.fingerprint)).arrays["scores"]


@pytest.fixture(scope="module")
def talk(mnist):
    """The talk's 17 rankings and their Kendall matrix."""
    return cache.get(comparison_key(talk_comparison(), mnist.fingerprint))


# ---- every chapter ----


@pytest.mark.parametrize("chapter", CHAPTERS)
@pytest.mark.parametrize("talk", ["0", "1"])
def test_a_chapter_is_there_without_any_worker(chapter, talk, asked):
    at = open_chapter(chapter, talk=talk)
    assert asked == [] and at.title[0].value.endswith("?") and f"{chapter} of 9 ·" in words(at)
    assert not at.error and not at.warning and ("QR code of" in texts(at)) == (talk == "1")
    assert at.query_params.get("chapter", ["1"])[0] in (str(chapter), chapter)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_sends_little_to_a_phone(chapter):
    """Pictures and words of one chapter, without the app itself: under 200 kB."""
    at = open_chapter(chapter)
    size = sum(
        element.proto.ByteSize()
        for kind in ("html", "bidi_component", "markdown", "button")
        for element in at.get(kind)
    )
    assert 0 < size < 200_000


def test_the_chapters_follow_one_another():
    at = open_chapter(app=True)
    names = []
    for _ in range(8):
        names.append(at.title[0].value)
        press(at, next(label for label in labels(at) if label.startswith("Next: ")))
    assert len(set(names)) == 8 and at.title[0].value == "What do we take away?"
    press(at, "Back")
    assert at.title[0].value == "What else can a strategy look at?"
    press(press(at, "Next: What we take away"), "Start again")
    assert at.title[0].value == names[0] and widget(at.button, "Back").disabled


def test_any_chapter_can_be_chosen():
    at = open_chapter(2)
    pages.group(at, "Chapter").set_value(7).run()
    assert at.title[0].value == "Do they help?" and at.query_params["chapter"] == "7"


@pytest.mark.parametrize("chapter", ["0", "10", "two"])
def test_a_chapter_that_is_not_there_is_told(chapter):
    at = open_chapter(chapter)
    assert (
        "chapter: found" in at.warning[0].value
        and at.title[0].value == "Which point holds the line?"
    )


def test_talk_mode_is_entered_and_left():
    at = press(open_chapter(4), "Talk mode")
    assert (
        at.query_params["talk"] == "1"
        and "QR code of" in texts(at)
        and pages.group_labels(at) == ["Show"]
    )
    press(at, "Leave talk mode")
    assert (
        "talk" not in at.query_params
        and "QR code of" not in texts(at)
        and at.title[0].value == "Who owns a direction?"
    )


def test_without_its_results_the_page_says_what_to_run(monkeypatch):
    lesson_material.material.clear()
    monkeypatch.setattr(lesson_material.cache, "get", lambda key: None)
    at = open_chapter()
    assert (
        at.title[0].value == "Which point holds the line?"
        and "python -m core warm --only scores" in at.error[0].value
    )
    lesson_material.material.clear()


def test_a_question_is_answered_once():
    at = open_chapter(4)
    press(at, "784, one per pixel")
    assert "Not quite. You predicted: 784, one per pixel. Measured: 713.0" in words(at)
    assert not {"1, as probabilities do", "Less than 784", ANYWAY} & set(labels(at))
    assert "Not quite" in words(at.run())


# ---- what the chapters say ----


def test_the_lifted_point_keeps_its_leverage():
    """By hand: mean 4, squares 9 + 4 + 1 + 0 + 36 = 50, so the point at 10 has 1/5 + 36/50 =
    0.92.
    """
    truth, measured = chapters_regression.lifted()
    assert truth == "leverage" and "stays 0.92" in measured and "follows by 0.92" in measured
    x, y = chapters_regression.POINTS.T
    before, after = (
        values[4] - np.polyval(np.polyfit(x, values, 1), 10.0)
        for values in (y, y + [0, 0, 0, 0, 1])
    )
    assert f"from {before:.2f} to {after:.2f}".replace(
        "-", "−"
    ) in measured and after - before == pytest.approx(1 - 0.92)
    at = press(open_chapter(1), "Its leverage")
    assert "Right. You predicted: Its leverage." in words(at) and measured in words(at)


def test_the_plane_shows_its_points_and_frames_the_highest(mnist):
    (_, spec), *_ = lesson.results()
    plane = cache.get(plane_key(spec, mnist.fingerprint)).arrays
    at = open_chapter(3)
    assert f"{len(plane['points'])} of 70,000 digits" in words(at)
    shown = galleries(at)[0]
    assert (
        shown["ids"] == sorted(plane["points"].tolist())
        and shown["badges"] == {}
        and shown["ellipses"] == []
    )
    best = plane["points"][np.argsort(-plane["scores"])]
    shown = galleries(press(at, ANYWAY))[0]
    assert (
        shown["badges"] == {str(best[0]): "1", str(best[1]): "2", str(best[2]): "3"}
        and len(shown["ellipses"]) == 3
    )
    assert f"{plane['scores'].max() * 70_000 / 2:.1f} times the mean" in words(at)
    x = plane["coordinates"][np.argmax(plane["scores"])]
    a, b = shown["ellipses"][-1]
    assert (x[0] / a) ** 2 + (x[1] / b) ** 2 == pytest.approx(1, rel=1e-3), (
        "the last ellipse goes through the highest"
    )


@pytest.mark.parametrize("place", [0, 2, 20])
def test_a_tapped_digit_is_a_prediction(place, mnist):
    (_, spec), *_ = lesson.results()
    plane = cache.get(plane_key(spec, mnist.fingerprint)).arrays
    point = int(plane["points"][np.argsort(-plane["scores"])[place]])
    at = open_chapter(3)
    at.session_state["picks"] = {"plane": point}
    press(at.run(), "I predict the framed one")
    assert ("Right." if place < 3 else "Not quite.") in words(
        at
    ) and f"yours has rank {place + 1} of" in words(at)


def test_the_ledger_adds_up(scores, mnist):
    at = open_chapter(4)
    assert f"{(scores > 0.99).sum()} of 70,000 digits" in words(
        at
    ) and "pixels that no digit uses" not in words(at)
    press(at, "Less than 784")
    dead = int((mnist.points.reshape(70_000, -1) == 0).all(axis=0).sum())
    figures = re.findall(r"<dt[^>]*>([^<]+)</dt>", texts(at))
    assert figures == ["784", f"− {dead}", f"− {784 - dead - 713}", "713"] and "Right." in words(at)
    assert scores.sum() == pytest.approx(713)


def test_the_ends_and_the_artefacts_of_the_textbook(scores):
    at = open_chapter(4)
    assert (
        galleries(at)[0]["ids"] == ties.order(scores)[:60].tolist()
        and galleries(at)[0]["marks"] is None
    )
    control = pages.group(at, "Show")
    control.set_value("bottom").run()
    assert scores[galleries(at)[0]["ids"]].max() <= np.sort(scores)[59]
    pages.group(at, "Show").set_value("textbook").run()
    marks = galleries(at)[0]["marks"]
    assert (
        marks.count("artefact") == 43
        and "43 artefacts" in words(at)
        and "sum to 784, not 713" in words(at)
    )


def test_the_last_point_of_a_power_law_loses_its_leverage_on_log_axes():
    x = chapters_representations.POWERS

    def last(x):
        return 1 / len(x) + (x[-1] - x.mean()) ** 2 / ((x - x.mean()) ** 2).sum()

    text = words(open_chapter(5))
    assert f"leverage {last(x):.2f}" in text and f"The same point: {last(np.log(x)):.2f}" in text


def test_the_travellers_are_high_under_raw_pixels_and_part_under_the_classifiers(talk, scores):
    four, columns = chapters_representations.travellers(material()), talk_comparison().columns
    trained = [i for i, spec in enumerate(columns) if spec.embedding == "cnn_classification"]
    place = np.mean(
        [[(column < column[p]).mean() for p in four] for column in talk.arrays["scores"][trained]],
        axis=0,
    )
    assert all((scores > scores[p]).sum() < 700 for p in four)
    outcomes = [chapters_representations.outcome(p) for p in place]
    assert outcomes.count("stays") == 2 and outcomes.count("falls") == 2
    for point, where, outcome in zip(four.tolist(), place, outcomes, strict=True):
        at = open_chapter(5)
        at.session_state["picks"] = {"traveller": point}
        press(at.run(), chapters_representations.PLACES[outcome])
        assert "Right." in words(at) and f"percentile {100 * where:.1f}" in words(at)
        dots = re.findall(r'aria-label="(\w[\w ]*): percentile ([\d, ]+)"', texts(at))
        assert [name for name, _ in dots] == [
            "raw",
            "random ReLU",
            "untrained",
            "regression",
            "classification",
        ]
        assert [len(shares.split(",")) for _, shares in dots] == [1, 1, 5, 5, 5]


@pytest.mark.parametrize(
    ("place", "outcome"),
    [(1.0, "stays"), (0.9, "stays"), (0.89, "between"), (0.5, "between"), (0.49, "falls")],
)
def test_where_a_digit_goes(place, outcome):
    assert chapters_representations.outcome(place) == outcome


def test_the_table_holds_the_means_and_the_ceilings(talk):
    kendall = talk.arrays["kendall"]
    at = open_chapter(6)
    assert "0.67" not in words(at), "nothing is told before the prediction"
    low, high = talk.facts["nulls"]["kendall"][1:]
    assert f"±{max(-low, high):.3f}" in words(at)
    press(at, "0.5, half way")
    tau, own = kendall[0, 12:].mean(), kendall[12:, 12:][np.triu_indices(5, 1)].mean()
    assert (
        "Right." in words(at)
        and f"τ = {tau:.2f}" in words(at)
        and f"classification {own:.2f}" in words(at)
    )
    cells = re.findall(r'title="([^"]+): ([\d.–−]+)"', texts(at))
    assert (
        len(cells) == 25
        and ("raw and classification", f"{tau:.2f}") in cells
        and ("classification and classification", f"{own:.2f}") in cells
    )
    assert ("raw and raw", "–") in cells, "one ranking has no twin"


def test_the_selection_of_outliers_is_what_is_said(scores, mnist):
    at = open_chapter(7)
    train = np.flatnonzero(~mnist.test)
    top = train[ties.order(scores[train])[:1000]]
    shares = np.bincount(mnist.labels[top], minlength=10) / 1000
    assert (
        f"{shares.max():.0%} of them of class {shares.argmax()}, {shares.min():.0%} of class"
        f" {shares.argmin()}" in words(at)
    )
    highest, chance = galleries(at)
    assert highest["ids"] == top[:40].tolist() and not mnist.test[chance["ids"]].any()


def test_the_replayed_curves_and_their_sentence_are_the_bundled_trainings(mnist):
    frame, _ = chapters_usefulness.curves()
    for protocol, plan in (("epochs", presets.FAIR), ("talk", presets.TALK)):
        found = store.outcomes(plan, mnist.fingerprint)
        top = [
            outcome["accuracy"]
            for unit, outcome in found.items()
            if str(unit.candidate) == "top:raw" and unit.budget == 1000
        ]
        chance = [
            outcome["accuracy"]
            for unit, outcome in found.items()
            if str(unit.candidate) == "random" and unit.budget == 1000
        ]
        drawn = frame[
            (frame["protocol"] == PROTOCOLS[protocol]) & (frame["name"] == "Top, raw")
        ].set_index("epoch")["accuracy"]
        assert len(top) == 5 and drawn.index.tolist() == list(range(1, 16))
        assert drawn.to_numpy() == pytest.approx(np.mean(top, axis=0))
        gap = 100 * np.mean([t[-1] - r[-1] for t, r in zip(top, chance, strict=True)])
        said = {
            "epochs": f"That is {-gap:.1f} points worse than random (",
            "talk": f"That is unclear against random (−{-gap:.1f}, ",
        }[protocol]
        reached = f"reach an accuracy of **{np.mean(top, axis=0)[-1]:.0%}**. {said}"
        assert reached in chapters_usefulness.fair_and_not()
    at = open_chapter(7)
    assert any("Under the talk's protocol" in markdown.value for markdown in at.markdown)
    (replayed,) = at.get("vega_lite_chart")
    assert len(pages.drawn(replayed)[0]) == len(frame) == 2 * 4 * 15


def test_the_family_is_the_registry():
    at = open_chapter(8)
    names = re.findall(r"<h3>([^<]+)</h3>", texts(at))
    assert [html.unescape(name) for name in names] == [
        entry.label for entry in menu.strategies().values()
    ]
    pictures = texts(at).count('<img class="digits"')
    assert pictures == sum(one.missing is None for one in lesson_material.favourites()) >= 2
    assert (
        "sees features" in words(at)
        and "sees nothing" in words(at)
        and "x<sub>i</sub><sup>T</sup>" in texts(at)
    )


def test_a_new_strategy_appears_by_itself(monkeypatch):
    monkeypatch.setattr(strategy, "_registry", dict(menu.strategies()))

    @strategy.selector("Fresh", nested=True)
    def fresh(embedding, probs, labels, labeled=None, *, k):
        """sum_i x_i^T x_j, a formula. Higher = picked first."""

    lesson_material.favourites.clear()
    text = words(open_chapter(8))
    assert (
        "Fresh" in text
        and "sees features and uncertainty and labels and what is labeled already" in text
    )
    assert (
        "No favourites: it has not been asked yet: python -m core warm --only favourites_of" in text
    )
    lesson_material.favourites.clear()


def test_every_input_of_a_strategy_has_a_word():
    assert set(chapters_usefulness.SEES) == set(strategy.INPUTS)


def test_what_we_take_away_repeats_what_was_measured(scores, talk):
    text = words(open_chapter(9))
    assert (
        f"{(scores > 0.99).sum()} of 70,000" in text
        and f"τ = {talk.arrays['kendall'][0, 12:].mean():.2f}" in text
    )
    assert "You have not predicted anything yet" in text


def test_predictions_are_summed_up_taken_home_and_forgotten():
    at = open_chapter(1, app=True)
    press(at, "Its leverage")
    for chapter, option in ((4, "Less than 784"), (6, "0.9, nearly the same order")):
        pages.group(at, "Chapter").set_value(chapter).run()
        press(at, option)
    pages.group(at, "Chapter").set_value(9).run()
    assert "You predicted 2 of 3" in words(at)
    rows = list(csv.DictReader(io.StringIO(table_of(at))))
    assert [row["chapter"] for row in rows] == ["1", "4", "6"] and [
        row["right"] for row in rows
    ] == ["True", "True", "False"]
    assert rows[2]["predicted"] == "0.9, nearly the same order" and rows[2]["measured"].startswith(
        "τ = "
    )
    press(at, "Forget them")
    assert "You have not predicted anything yet" in words(at)


def table_of(at) -> str:
    return quiz.as_csv(at.session_state["predictions"].values())


def test_the_links_lead_on_with_the_same_settings():
    at = open_chapter(9, dataset="digits", embedding="pca")
    links = [element.proto for element in at.get("page_link")]
    assert [link.page for link in links] == ["", "agreement", "map", "retrain"]
    assert all(
        "embedding=pca" in link.query_string and "dataset=digits" in link.query_string
        for link in links
    )


# ---- its pictures ----


def test_a_tapped_picture_that_does_not_fit_together_is_refused():
    with pytest.raises(UserError, match=r"3 names and 2 ids"):
        digit_plane(
            np.zeros((2, 4, 4), np.uint8),
            np.zeros((2, 2)),
            ["a", "b", "c"],
            [1, 2],
            key="k",
            alt="",
            size=1.0,
        )


@pytest.mark.parametrize(
    ("value", "colour"), [(1.0, "#D55E00"), (-1.0, "#0072B2"), (0.0, "#FFFFFF"), (0.5, "#EAAE80")]
)
def test_the_colour_of_a_correlation(value, colour):
    assert small_pictures.mixed(value) == colour


def test_formulas_are_raised_and_lowered_and_escaped():
    assert (
        formula("l_i = x_i^T (X^T X)^+ x_i < 1")
        == "l<sub>i</sub> = x<sub>i</sub><sup>T</sup> (X<sup>T</sup> X)<sup>+</sup> x<sub>i</sub>"
        " &lt; 1"
    )
    assert formula("low_rank of a_name, 10^-3") == "low_rank of a_name, 10<sup>-3</sup>"


@pytest.mark.parametrize("dark", [True, False])
def test_a_row_of_digits_is_ink_on_the_pages_own_ground(dark):
    import base64

    from PIL import Image

    images = np.zeros((2, 3, 3), np.uint8)
    images[1, 1, 2] = 200
    encoded = re.search(r"base64,([^\"]+)", small_pictures.digits_row(images, 'a "b"', dark))[1]
    pixels = np.array(Image.open(io.BytesIO(base64.b64decode(encoded))))
    assert pixels.shape == (3, 10, 2) and (pixels[..., 0] == (255 if dark else 0)).all()
    assert np.argwhere(pixels[..., 1]).tolist() == [[1, 9]] and pixels[1, 9, 1] == 200


def test_the_area_of_a_disc_is_its_share():
    import base64

    picture = small_pictures.points_on_axes(
        np.array([0.0, 1.0]), np.array([0.0, 1.0]), np.array([0.25, 1.0]), "two points", False
    )
    drawing = base64.b64decode(re.search(r"base64,([^\"]+)", picture)[1]).decode()
    (x0, y0, small), (x1, y1, large) = (
        [float(n) for n in disc]
        for disc in re.findall(r'cx="([\d.]+)" cy="([\d.]+)" r="([\d.]+)"', drawing)
    )
    assert x0 < x1 and y0 > y1 and large == pytest.approx(2 * small, rel=0.25), (
        "higher is drawn higher; four times the leverage"
    )


LINKS = [
    "http://127.0.0.1:8501/lesson",
    "http://127.0.0.1:8501/lesson?chapter=3",
    "https://lab.example.org/a/lesson?chapter=9&dataset=digits",
]


@pytest.mark.parametrize(
    "link", [*LINKS, LINKS[2] + "&embedding=random_relu&e.k=200&strategy=leverage&s.ridge=0.1"]
)
def test_the_code_says_the_link(link):
    drawn = chapter_frame.qr(link)
    assert html.escape(link) in drawn, "for those who do not see it"
    assert qr_reading.read(qr_reading.modules(drawn)) == link


def test_the_reader_of_codes_sees_a_changed_module():
    matrix = qr_reading.modules(chapter_frame.qr(LINKS[1]))
    matrix[-1, -2] ^= True
    assert read_or_none(matrix) != LINKS[1]


def read_or_none(matrix):
    try:
        return qr_reading.read(matrix)
    except (AssertionError, UnicodeDecodeError):
        return None
