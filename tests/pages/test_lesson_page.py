"""Does the lesson say what the bundled results say, ask before it reveals, and keep what was
predicted?

It runs without a browser (AppTest); tests/tools/pages.py says how. Its numbers are computed here
anew, from the bundle or by definition.
"""

import csv
import html
import io
import json
import re

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core import datasets, lesson, strategy
from core.experiments import presets, store
from core.experiments.retrain import outcomes
from core.experiments.retrain.plan import RANDOM
from core.experiments.sampling import outcomes as sampling_outcomes
from core.experiments.statistics import BETTER, EQUAL, MARGIN, WORSE
from core.linalg import ties
from core.models import networks
from core.plugins import menu
from core.runtime import cache
from core.spec import Spec, comparison_key, plane_key, scores_key, talk_comparison
from core.types import UserError
from pages.components import lever
from pages.components.digit_plane import digit_plane
from pages.parts.lesson import (
    audience,
    chapter_frame,
    chapters_family,
    chapters_regression,
    chapters_representations,
    chapters_sampling,
    chapters_usefulness,
    feature_map,
    quiz,
    small_pictures,
)
from pages.parts.lesson import material as lesson_material
from pages.parts.lesson.chapters import CHAPTERS, OLD_NUMBERS, SLUGS
from pages.parts.lesson.material import material
from pages.shared.words import formula
from tests.tools import pages, qr_reading
from tests.tools.pages import ROOT, galleries, texts, widget

PAGE = "pages/lesson.py"
LAST = SLUGS[-1]
ANYWAY = "Show without predicting"


def open_chapter(chapter=SLUGS[0], app=False, **query):
    """A chapter; through the app if it is to lead to the last one, which links to the other
    pages.
    """
    app = app or chapter == LAST
    at = AppTest.from_file(str(ROOT / ("app.py" if app else PAGE)), default_timeout=6000)
    if app:
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


@pytest.mark.parametrize("chapter", SLUGS)
@pytest.mark.parametrize("talk", ["0", "1"])
def test_a_chapter_is_there_without_any_worker(chapter, talk, asked, public):
    at = open_chapter(chapter, talk=talk)
    assert asked == [] and at.title[0].value.endswith("?")
    assert f"{SLUGS.index(chapter) + 1} of {len(SLUGS)} ·" in words(at)
    assert not at.error and not at.warning and ("QR code of" in texts(at)) == (talk == "1")
    assert at.query_params.get("chapter", [SLUGS[0]])[0] in (chapter, chapter[0])


@pytest.mark.parametrize("chapter", SLUGS)
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
    for _ in SLUGS[1:]:
        names.append(at.title[0].value)
        press(at, next(label for label in labels(at) if label.startswith("Next: ")))
    assert len(set(names)) == len(SLUGS) - 1 and at.title[0].value == "What do we take away?"
    press(at, "Back")
    assert at.title[0].value == CHAPTERS[-2].question
    press(press(at, "Next: What we take away"), "Start again")
    assert at.title[0].value == names[0] and widget(at.button, "Back").disabled


def test_any_chapter_can_be_chosen():
    at = open_chapter("regressors")
    choose(at, "agreement")
    assert at.title[0].value == "Do they agree?" and at.query_params["chapter"] == "agreement"


def choose(at, slug):
    widget(at.selectbox, "Chapter").set_value(slug).run()
    assert not at.exception, at.exception


@pytest.mark.parametrize(("number", "slug"), OLD_NUMBERS.items())
def test_an_old_number_leads_to_the_chapter_it_meant(number, slug):
    questions = {one.slug: one.question for one in CHAPTERS}
    assert open_chapter(number).title[0].value == questions[slug]


@pytest.mark.parametrize("chapter", ["0", "10", "two"])
def test_a_chapter_that_is_not_there_is_told(chapter):
    at = open_chapter(chapter)
    assert "chapter: found" in at.warning[0].value and at.title[0].value == CHAPTERS[0].question


def test_talk_mode_is_entered_and_left(public):
    at = press(open_chapter("directions"), "Talk mode")
    assert at.query_params["talk"] == "1" and "QR code of" in texts(at)
    assert pages.group_labels(at) == ["Show"] and not at.selectbox
    press(at, "Leave talk mode")
    assert (
        "talk" not in at.query_params
        and "QR code of" not in texts(at)
        and at.title[0].value == "Who owns a direction?"
    )


def test_in_a_talk_next_shows_what_waits_and_then_goes_on():
    at = open_chapter("directions", talk="1")
    for label, told in (
        ("Show the answer", "713.0, the rank"),
        ("Show more", "43 of its top 60"),
    ):
        assert told not in words(at) or label == "Show more"
        press(at, label)
        assert told in words(at) and at.title[0].value == "Who owns a direction?"
    assert galleries(at)[0]["marks"].count("artefact") == 43
    press(at, "Next: A network is a feature map")
    press(at, "Show the answer")
    assert "percentile" in words(at), "a digit is chosen for a room that tapped none"


def test_a_talk_waits_for_all_that_its_chapters_ask():
    for chapter in CHAPTERS:
        at = open_chapter(chapter.slug, talk="1")
        for _ in (*chapter.asks, *chapter.steps):
            press(at, next(label for label in labels(at) if label.startswith("Show ")))
        assert not [label for label in labels(at) if label.startswith("Show ")]
        assert ("Take home" in words(at)) == (chapter.home is not None)


def test_the_sentence_to_take_home_waits_for_the_answer():
    for chapter in CHAPTERS:
        at = open_chapter(chapter.slug)
        told = chapter.home is not None and not chapter.asks
        assert ("Take home" in words(at)) == told, chapter.slug


def test_the_speakers_line_is_on_the_speakers_screen_alone():
    def note(at):
        (keys,) = [e for e in at.get("bidi_component") if '"note"' in e.proto.json]
        return json.loads(keys.proto.json)["note"]

    assert note(open_chapter("digits", talk="1", notes="1")) == CHAPTERS[SLUGS.index("digits")].note
    assert note(open_chapter("digits", talk="1")) == note(open_chapter("digits", notes="1")) == ""


def test_without_its_results_the_page_says_what_to_run(monkeypatch):
    lesson_material.material.clear()
    monkeypatch.setattr(lesson_material.cache, "get", lambda key: None)
    at = open_chapter()
    assert (
        at.title[0].value == CHAPTERS[0].question
        and "python -m core warm --only scores" in at.error[0].value
    )
    lesson_material.material.clear()


def test_a_question_is_answered_once():
    at = open_chapter("directions")
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
    assert (
        truth == "leverage" and "stays 0.92" in measured and "by 0.92 the line follows" in measured
    )
    x, y = chapters_regression.POINTS.T
    before, after = (
        values[4] - np.polyval(np.polyfit(x, values, 1), 10.0)
        for values in (y, y + [0, 0, 0, 0, 1])
    )
    assert f"from {before:.2f} to {after:.2f}".replace(
        "-", "−"
    ) in measured and after - before == pytest.approx(1 - 0.92)
    at = press(open_chapter("lever"), "Its leverage")
    assert "Right. You predicted: Its leverage." in words(at) and measured in words(at)


def test_the_plane_shows_its_points_and_frames_the_highest(mnist):
    (_, spec), *_ = lesson.results()
    plane = cache.get(plane_key(spec, mnist.fingerprint)).arrays
    at = open_chapter("digits")
    assert f"leverage of these {len(plane['points'])}." in words(at)
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
    at = open_chapter("digits")
    at.session_state["picks"] = {"plane": point}
    press(at.run(), "I predict the framed one")
    assert ("Right." if place < 3 else "Not quite.") in words(
        at
    ) and f"yours has rank {place + 1} of" in words(at)


def test_the_ledger_adds_up(scores, mnist):
    at = open_chapter("directions")
    assert f"{(scores > 0.99).sum()} of 70,000 digits" in words(
        at
    ) and "pixels that no digit uses" not in words(at)
    press(at, "Less than 784")
    dead = int((mnist.points.reshape(70_000, -1) == 0).all(axis=0).sum())
    figures = re.findall(r"<dt[^>]*>([^<]+)</dt>", texts(at))
    assert figures == ["784", f"− {dead}", f"− {784 - dead - 713}", "713"] and "Right." in words(at)
    assert scores.sum() == pytest.approx(713)


def test_the_ends_and_the_artefacts_of_the_textbook(scores):
    at = open_chapter("directions")
    assert (
        galleries(at)[0]["ids"] == ties.order(scores)[:60].tolist()
        and galleries(at)[0]["marks"] is None
    )
    control = pages.group(at, "Show")
    control.set_value("bottom").run()
    assert scores[galleries(at)[0]["ids"]].max() <= np.sort(scores)[59]
    pages.group(at, "Show").set_value("textbook").run()
    marks = galleries(at)[0]["marks"]
    assert marks.count("artefact") == 43
    said = words(press(at, "Less than 784"))
    assert "the rank, 713. Textbook QR gives 784: 43 of its top 60 are artefacts" in said


def test_the_last_point_of_a_power_law_loses_its_leverage_on_log_axes():
    x = feature_map.POWERS

    def last(x):
        return 1 / len(x) + (x[-1] - x.mean()) ** 2 / ((x - x.mean()) ** 2).sum()

    text = words(open_chapter("network"))
    assert f"leverage {last(x):.2f}" in text and f"the same: {last(np.log(x)):.2f}" in text


def test_what_comes_out_of_the_network_is_what_is_said():
    assert networks.talk_cnn((28, 28))[1] == chapters_representations.FEATURES
    assert "784 pixels" in words(open_chapter("network"))


def test_to_write_a_point_takes_its_leverage_of_itself():
    x = np.array(lever.ELLIPSE)
    far = x[-1] - x.mean(axis=0)
    squares = (x - x.mean(axis=0)).T @ (x - x.mean(axis=0))
    own = 1 / len(x) + far @ np.linalg.solve(squares, far)
    assert f"To write point 12 takes {own:.2f} of itself" in words(open_chapter("regressors"))


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
        at = open_chapter("network")
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
    at = open_chapter("agreement")
    assert "0.67" not in words(at), "nothing is told before the prediction"
    low, high = talk.facts["nulls"]["kendall"][1:]
    assert f"±{max(-low, high):.3f}" in words(at)
    press(at, "0.5, half way")
    tau, own = kendall[0, 12:].mean(), kendall[12:, 12:][np.triu_indices(5, 1)].mean()
    assert (
        "Right." in words(at)
        and f"τ = {tau:.2f}" in words(at)
        and f"from another random start, at {own:.2f}" in words(at)
    )
    cells = re.findall(r'title="([^"]+): ([\d.–−]+)"', texts(at))
    assert (
        len(cells) == 25
        and ("raw and classification", f"{tau:.2f}") in cells
        and ("classification and classification", f"{own:.2f}") in cells
    )
    assert ("raw and raw", "–") in cells, "one ranking has no twin"


def curves_of(at) -> dict:
    """What the curves' component was given."""
    (found,) = [e for e in at.get("bidi_component") if '"panels"' in e.proto.json]
    return json.loads(found.proto.json)


@pytest.mark.parametrize("protocol", ["epochs", "talk"])
def test_the_curves_and_their_sentences_are_the_bundled_trainings(protocol, mnist):
    at = press(open_chapter("useful"), ANYWAY)
    if protocol == "talk":
        pages.group(at, "Protocol").set_value("talk").run()
    given = curves_of(at)
    plans = [plan for plan in presets.RETRAININGS if plan.protocol == protocol]
    assert given["play"] and [panel["title"] for panel in given["panels"]] == [
        "The talk's network",
        "LeNet-5",
    ]
    grids = [outcomes.grid(one, store.outcomes(one, mnist.fingerprint), 10) for one in plans]
    verdicts = outcomes.versus_of(grids, RANDOM, MARGIN)
    for plan, panel, verdict in zip(plans, given["panels"], verdicts, strict=True):
        found = store.outcomes(plan, mnist.fingerprint)
        for curve, candidate in zip(panel["curves"], plan.candidates, strict=True):
            seeds = [
                outcome["accuracy"]
                for unit, outcome in found.items()
                if unit.candidate == candidate and unit.budget == 1000
            ]
            assert len(seeds) == 5 and curve["y"] == pytest.approx(np.mean(seeds, axis=0))
            assert curve["x"] == list(range(1, 16))
        first = verdict[chapters_usefulness.TRAINED].outcomes[0]
        low, high = sorted((abs(100 * first.low), abs(100 * first.high)))
        assert f"{low:.1f}" in panel["sentence"] and f"{high:.1f}" in panel["sentence"]
        assert (first.outcome in panel["sentence"]) and "raw pixels" in panel["sentence"]
    if protocol == "epochs":
        assert "No: what they rank highest teaches less" in words(at)
    else:
        assert "It stays unclear" in words(at)


def test_a_prediction_comes_before_the_curves():
    at = open_chapter("useful")
    given = curves_of(at)
    assert not given["play"] and not at.button_group
    assert [[c["name"] for c in panel["curves"]] for panel in given["panels"]] == [["random"]] * 2
    assert list(chapters_usefulness.OPTIONS) == [BETTER, EQUAL, WORSE]
    press(at, "Lower")
    (made,) = at.session_state["predictions"].values()
    assert made.right and "Right: you predicted “Lower”" in words(at)
    assert [len(panel["curves"]) for panel in curves_of(at)["panels"]] == [4, 4]


def test_the_sampling_chapter_says_what_the_bundled_fits_say(mnist):
    plan = presets.MNIST_LABELS
    found = sampling_outcomes.bought_of(plan, store.outcomes(plan, mnist.fingerprint))
    place = plan.budgets.index(chapters_sampling.BUDGET)
    rows = [plan.rules.index(rule) for rule in ("uniform", "top", "leverage")]
    typical = np.exp(np.log(found.ratio[rows, place]).mean(axis=-1))
    at = press(open_chapter("sampling"), "Drawn by leverage")
    (made,) = at.session_state["predictions"].values()
    assert made.right == (typical.argmin() == 2)
    assert "Drawn by leverage" in words(at) and all(
        f"{one:.3g} times" in words(at) for one in typical
    )
    loss, share = curves_of(at)["panels"]
    assert loss["y"]["log"] and not share["y"]["log"] and not curves_of(at)["play"]
    names = ["by leverage", "at random", "the top"]
    assert [curve["name"] for curve in loss["curves"]] == names
    accuracy = found.accuracy[rows, :].mean(axis=-1)
    assert share["curves"][1]["y"] == pytest.approx(accuracy[0])
    assert share["curves"][1]["x"] == list(plan.budgets)
    settled = {
        what: sampling_outcomes.versus(found, "uniform", what, MARGIN)
        for what in ("ratio", "accuracy")
    }
    assert settled["ratio"]["leverage"].outcomes[place].outcome == BETTER
    assert settled["accuracy"]["top"].outcomes[place].outcome == WORSE
    assert "Leverage is for drawing, not for taking the top" in words(at)
    assert f"the top {accuracy[1, place]:.0%}" in words(at)


def test_an_unsettled_sampling_claims_nothing(monkeypatch):
    monkeypatch.setattr(chapters_sampling, "BUDGET", 5_000)
    said = chapters_sampling.sampling_home(material())
    assert "not for taking the top" not in said and "1.17 times" in said


def test_the_family_is_the_registry():
    at = open_chapter("beyond")
    names = re.findall(r"<h3>([^<]+)</h3>", texts(at))
    assert sorted(map(html.unescape, names)) == sorted(
        entry.label for entry in menu.strategies().values()
    )
    assert set(chapters_family.CARDS) <= set(menu.strategies())
    pictures = texts(at).count('<img class="digits"')
    assert pictures == sum(one.missing is None for one in lesson_material.favourites()) >= 6
    assert "sees uncertainty" in words(at) and "sees nothing" in words(at)
    assert sum("$$" in markdown.value for markdown in at.markdown) == len(chapters_family.CARDS)


def test_a_talk_shows_six_large_cards():
    at = open_chapter("beyond", talk="1")
    assert len(re.findall(r"<h3>", texts(at))) == 6 and texts(at).count('class="digits"') == 6


def test_a_new_strategy_appears_by_itself(monkeypatch):
    monkeypatch.setattr(strategy, "_registry", dict(menu.strategies()))

    @strategy.selector("Fresh", nested=True)
    def fresh(embedding, probs, labels, labeled=None, *, k):
        """sum_i x_i^T x_j, a formula. Higher = picked first."""

    lesson_material.favourites.clear()
    text = words(open_chapter("beyond"))
    assert (
        "Fresh" in text
        and "sees features and uncertainty and labels and what is labeled already" in text
    )
    assert (
        "No favourites: it has not been asked yet: python -m core warm --only favourites_of" in text
    )
    lesson_material.favourites.clear()


def test_every_input_of_a_strategy_has_a_word():
    assert set(chapters_family.SEES) == set(strategy.INPUTS)


def test_what_we_take_away_repeats_what_was_measured(scores, talk):
    text = words(open_chapter(LAST))
    assert (
        f"{(scores > 0.99).sum()} of 70,000" in text
        and f"τ = {talk.arrays['kendall'][0, 12:].mean():.2f}" in text
    )
    assert "You have not predicted anything yet" in text


def test_predictions_are_summed_up_taken_home_and_forgotten():
    at = open_chapter("lever", app=True)
    press(at, "Its leverage")
    for chapter, option in (
        ("directions", "Less than 784"),
        ("agreement", "0.9, nearly the same order"),
    ):
        choose(at, chapter)
        press(at, option)
    choose(at, LAST)
    assert "You predicted 2 of 3" in words(at)
    rows = list(csv.DictReader(io.StringIO(table_of(at))))
    assert [row["chapter"] for row in rows] == ["A line and a lever", "784 directions", "Agreement"]
    assert [row["right"] for row in rows] == ["True", "True", "False"]
    assert rows[2]["predicted"] == "0.9, nearly the same order" and rows[2]["measured"].startswith(
        "τ = "
    )
    press(at, "Forget them")
    assert "You have not predicted anything yet" in words(at)


def table_of(at) -> str:
    return quiz.as_csv(at.session_state["predictions"].values())


def test_the_links_lead_on_with_the_same_settings():
    at = open_chapter(LAST, dataset="digits", embedding="pca")
    links = [element.proto for element in at.get("page_link")]
    assert [link.page for link in links] == ["explore", "agreement", "map", "retrain", "sampling"]
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


def test_the_area_of_a_disc_is_its_leverage():
    import base64

    drawn = feature_map.picture(np.zeros((28, 28), np.uint8), 200, False)
    plain = base64.b64decode(re.findall(r"svg\+xml;base64,([^\"]+)", drawn)[0]).decode()
    discs = [
        [float(n) for n in disc]
        for disc in re.findall(r'cx="([\d.]+)" cy="([\d.]+)" r="([\d.]+)"', plain)
    ]
    x = feature_map.POWERS
    share = 1 / len(x) + (x - x.mean()) ** 2 / ((x - x.mean()) ** 2).sum()
    assert [r for _, _, r in discs] == pytest.approx(2 + 9 * np.sqrt(share), abs=0.06)
    assert discs[0][1] < discs[-1][1], "a power law falls"


LINKS = [
    "http://127.0.0.1:8501/lesson",
    "http://127.0.0.1:8501/lesson?chapter=digits",
    "https://lab.example.org/a/lesson?chapter=takeaway&dataset=digits",
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


# ---- the audience's address ----


@pytest.fixture
def public(monkeypatch):
    monkeypatch.setenv("LEVERAGE_LAB_PUBLIC_URL", "https://lab.example.org")


HERE = "http://127.0.0.1:8501/lesson?talk=1"


@pytest.mark.parametrize(
    ("own", "public", "listens", "network", "expected"),
    [
        (HERE, "https://lab.example.org/ other", "127.0.0.1", None, "https://lab.example.org"),
        (HERE, "lab.example.org", "127.0.0.1", "10.0.0.7", "https://lab.example.org"),
        ("https://a.b/x/lesson?talk=1", "", "127.0.0.1", None, "https://a.b/x"),
        ("http://10.0.0.7:8501/lesson", "", "", "10.0.0.9", "http://10.0.0.7:8501"),
        (HERE, "", "0.0.0.0", "10.0.0.7", "http://10.0.0.7:8501"),
        (HERE, "", "", "10.0.0.7", "http://10.0.0.7:8501"),
        ("http://localhost:8501/lesson", "", "10.0.0.8", "10.0.0.7", "http://10.0.0.8:8501"),
        ("http://[::1]:8501/lesson", "", "::", "fd00::7", "http://[fd00::7]:8501"),
        (HERE, "", "127.0.0.1", "10.0.0.7", None),
        (HERE, "", "localhost", "10.0.0.7", None),
        (HERE, "", "0.0.0.0", None, None),
        (HERE, "", "0.0.0.0", "127.0.1.1", None),
        ("", "", "0.0.0.0", "10.0.0.7", None),
    ],
)
def test_the_address_is_one_that_others_can_open(own, public, listens, network, expected):
    found = audience.reachable(own, "lesson", public=public, listens=listens, network=network)
    assert found == (expected and f"{expected}/lesson")


def test_a_slide_shows_the_address_in_letters_or_how_to_get_one(monkeypatch, public):
    text = texts(open_chapter("digits", talk="1"))
    assert ">https://lab.example.org/lesson?chapter=digits<" in text
    assert "QR code of https://lab.example.org/lesson?chapter=digits" in text
    monkeypatch.delenv("LEVERAGE_LAB_PUBLIC_URL")
    monkeypatch.setattr(audience, "reachable", lambda *_, **__: None)
    text = texts(open_chapter("digits", talk="1"))
    assert "streamlit run app.py --server.address 0.0.0.0" in text and "QR code" not in text
