"""Do the pages run, alone and through app.py, and does the Explore page meet trouble with a
sentence?

The pages run without a browser (AppTest); tests/tools/pages.py says how. What a page of its own
shows stands in the tests named after it.
"""

import numpy as np
import pytest

from core import datasets, pipeline
from core.experiments import kinds
from core.runtime import cache
from core.spec import Spec, scores_key
from core.types import Dataset, UserError
from pages.shared import cached
from tests.tools import pages
from tests.tools.pages import DIGITS, PAGES, explore_works, galleries, spec_of, texts, widget

digits, order = pages.digits, pages.order
EXPLORE = "pages/explore.py"
START = "pages/start.py"  # has no link of its own: see test_start_page.py


visit = pages.visiting(EXPLORE)


# ---- every page ----


def test_there_are_pages():
    assert EXPLORE in PAGES


@pytest.mark.parametrize("page", PAGES)
def test_a_page_runs_alone_before_anything_is_computed(page, held):
    held()
    at = visit(page, **DIGITS)
    assert not at.exception and at.title[0].value.endswith("?") and not at.warning and not at.error


@pytest.mark.parametrize("page", PAGES)
def test_a_page_runs_through_the_app(page, held):
    held()
    at = visit("app.py", **DIGITS)
    assert not at.exception
    at.switch_page(page).run()
    assert not at.exception and at.title[0].value.endswith("?") and not at.error


@pytest.mark.parametrize("page", [page for page in PAGES if page != START])
def test_a_link_that_means_nothing_is_told_on_every_page(page, held):
    held()
    at = visit(page, dataset="digits", embedding="no such", n="nan", strategy="")
    assert not at.exception and len(at.warning) >= 3 and at.title


# ---- the first screen ----


def test_explores_first_screen_is_there_before_any_worker(asked):
    at = visit()
    explore_works(at)
    assert asked == [], "the first screen was computed anew; run python -m core warm"
    assert (
        at.title[0].value == "Which digits matter?"
        and "of 70,000</b> digits have a leverage above 0.99" in texts(at)
    )
    assert (
        "<dt>rank</dt><dd>713</dd>" in texts(at)
        and "<dt>sum of scores</dt><dd>713.0</dd>" in texts(at)
        and "cached" in texts(at)
    )
    assert "<b>43 artefacts</b>" in texts(at) and "<b>784.0</b>" in texts(at)
    first = galleries(at)[0]
    assert len(first["ids"]) == 120 and first["ranks"] == list(range(1, 121)) and not at.warning
    assert at.query_params == {}


# ---- trouble ----


def small_kmnist(name, n=None, seed=0):
    images = np.random.default_rng(0).integers(0, 256, (80, 28, 28), dtype=np.uint8)
    return Dataset(
        "kmnist",
        images,
        np.arange(80) % 10,
        datasets.info("kmnist").class_names,
        np.arange(80) > 60,
    )


def test_a_dataset_that_is_not_here_can_be_fetched(monkeypatch, tmp_path):
    def offline(name):
        raise UserError(
            "Kuzushiji-MNIST could not be downloaded. Connect to the internet, or put these files"
            " there."
        )

    monkeypatch.setenv("LEVERAGE_LAB_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(pipeline, "fetch_dataset", offline)
    cached.forget_datasets()
    at = visit(dataset="kmnist", embedding="pca")
    assert (
        not at.exception
        and "Kuzushiji-MNIST (70,000 points" in at.info[0].value
        and at.title[0].value == "Which characters matter?"
    )
    widget(at.button, "Download Kuzushiji-MNIST").click().run()
    assert not at.exception and "put these files there" in at.error[0].value
    monkeypatch.setattr(
        pipeline,
        "fetch_dataset",
        lambda name: monkeypatch.setattr(datasets, "is_ready", lambda name: True),
    )
    monkeypatch.setattr(datasets, "load", small_kmnist)
    pipeline.dataset.cache_clear()
    widget(at.button, "Download Kuzushiji-MNIST").click().run()
    explore_works(at)
    assert "80" in texts(at) and spec_of(at).embedding == "pca", "what was chosen is still chosen"
    cached.forget_datasets()
    pipeline.dataset.cache_clear()


def test_while_it_is_computed_the_progress_is_shown_and_can_be_stopped(held):
    begun = held("scores")
    at = visit(**DIGITS)
    assert not at.exception and len(begun) == 1 and not galleries(at)
    (bar,) = at.get("progress")
    assert (bar.proto.value, bar.proto.text.split(" ·")[0]) == (25, "counting")
    widget(at.button, "Stop").click().run()
    assert (
        not at.exception
        and begun[0].state == "cancelled"
        and "Stopped. Nothing was lost" in at.info[0].value
    )
    widget(at.button, "Try again").click().run()
    assert len(begun) == 2 and at.get("progress")


def test_the_previous_picture_stays_while_the_next_is_computed(held, order):
    at = visit(**DIGITS)
    begun = held("scores")
    widget(at.select_slider, "Ridge λ").set_value(10.0).run()
    assert (
        not at.exception
        and at.get("progress")
        and begun
        and galleries(at)[0]["ids"] == order[:120].tolist()
    )
    assert at.query_params["s.ridge"] == "10.0", "the link is for what is wanted"
    begun[0]._finish("done", value=pipeline.scores(spec_of(at)))
    at.run()
    explore_works(at)
    assert (
        not at.get("progress")
        and "<dt>computed in</dt>" in texts(at)
        and galleries(at)[0]["ids"] != order[:120].tolist()
    )


@pytest.mark.parametrize(
    ("task", "query"), [("textbook_scores", {}), ("dossier", {"point": "5", "embedding": "pca"})]
)
def test_a_part_that_was_stopped_or_failed_leaves_the_rest_of_the_page(task, query, held, order):
    begun = held(task)
    at = visit(**DIGITS, **query, seconds=pages.SECONDS)
    explore_works(at)
    assert at.get("progress") and begun[0].key
    for end in ("cancelled", "failed"):
        begun[-1]._finish(end, error="No memory.")
        at.run()
        assert not at.exception and galleries(at) and not at.get("progress")
        assert (end == "failed") == any("No memory." in error.value for error in at.error)
        widget(at.button, "Try again").click().run()
        assert at.get("progress")


def test_one_job_that_two_parts_of_the_page_wait_for_is_shown_in_both(held):
    begun = held("scores", of="leverage")
    at = visit(**DIGITS, strategy="random")
    explore_works(at)
    assert len(at.get("progress")) == 1, "the exhibit waits for the exact scores"
    widget(at.selectbox, "Strategy").select("leverage").run()
    explore_works(at)
    assert len(at.get("progress")) == 2 and len({job.key for job in begun}) == 1


def test_a_cache_that_cannot_be_written_costs_a_note_and_nothing_else(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LEVERAGE_LAB_CACHE", str(tmp_path / "file" / "cache"))
    at = visit(**DIGITS, embedding="pca")
    explore_works(at)
    assert (
        len(at.warning) == 1
        and "could not be stored" in at.warning[0].value
        and "LEVERAGE_LAB_CACHE" in at.warning[0].value
    )
    widget(at.selectbox, "Strategy").select("random").run()
    explore_works(at)
    explore_works(visit(**DIGITS, point="5"))


def test_a_damaged_cache_file_is_told_and_computed_again(digits, order):
    visit(**DIGITS)
    key = scores_key(spec := Spec().with_(dataset="digits"), digits.fingerprint)
    file = cache.folder() / "scores" / f"{key}.entry"
    content = bytearray(file.read_bytes())
    content[-3] ^= 1
    file.unlink()
    file.write_bytes(content)
    at = visit(**DIGITS)
    explore_works(at)
    assert any(
        "was damaged" in warning.value and "computed again" in warning.value
        for warning in at.warning
    )
    assert (
        galleries(at)[0]["ids"] == order[:120].tolist()
        and cache.get(key) is not None
        and spec_of(at) == spec
    )


def test_a_bad_size_bound_of_the_cache_is_a_sentence_not_a_traceback(monkeypatch):
    monkeypatch.setenv("LEVERAGE_LAB_CACHE_GB", "lots")
    at = visit(**DIGITS)
    assert not at.exception and any(
        "LEVERAGE_LAB_CACHE_GB: found 'lots'" in error.value for error in at.error
    )


def test_a_dataset_that_cannot_be_read_is_a_sentence_not_a_traceback(monkeypatch):
    def unreadable(name, n=None, seed=0):
        raise UserError("digits.csv.gz: found nothing readable.")

    monkeypatch.setattr(datasets, "load", unreadable)
    cached.forget_datasets()
    at = visit(**DIGITS)
    assert not at.exception and [error.value for error in at.error] == [
        "digits.csv.gz: found nothing readable."
    ]


@pytest.mark.parametrize("kind", kinds.KINDS)
def test_the_first_experiment_of_every_page_comes_finished(kind, asked):
    """From what is bundled alone: the cache is empty."""
    at = visit(f"pages/{kind}.py")
    assert not at.exception and not at.error
    assert not [info.value for info in at.info if "computed yet" in info.value]
    assert not [button for button in at.button if button.label in ("Start", "Go on")]
    assert "class='answer'" in texts(at).replace('"', "'")
