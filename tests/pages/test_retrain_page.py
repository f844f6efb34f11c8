"""Does the Retrain page show exactly what its trainings say, cost before work, and lose nothing
when sessions, servers or links go wrong?

It runs without a browser (AppTest); tests/tools/pages.py says how. Outcomes are known numbers put
into the cache, or trainings of a linear network on the 8 x 8 digits. What the page says is compared
with scipy, pandas and the numbers put in.
"""

import dataclasses
import io
import json
import struct
import time

import numpy as np
import pandas as pd
import pytest
import streamlit as st

from core import datasets
from core.data.splits import split
from core.experiments import cost, runner, store
from core.experiments.retrain import outcomes
from core.experiments.retrain import plan as retrain
from core.experiments.retrain.plan import RANDOM, Retraining
from core.experiments.retrain.run import CHECKPOINTS
from core.experiments.store import plan_key
from core.runtime import cache, jobs, tasks, worker
from pages.shared import layout
from pages.shared import visitor as visits
from pages.shared.experiments import line_styles
from tests.tools import pages
from tests.tools.intervals import difference, wilson
from tests.tools.pages import described, drawn, galleries, group, means, texts, widget

SUBMIT = jobs.submit
PAGE = "pages/retrain.py"
LINK = {"dataset": "digits", "network": "linear", "epochs": "2", "seeds": "3", "budgets": "50 200"}
LINK |= {"candidates": "top:raw bottom:raw random"}
PLAN = retrain.Retraining.from_query(LINK)[0]
NAMES = ["Top, raw", "Bottom, raw", "Random"]
SHOWS = ("budget", "training", "difference", "classes", "points")
MEASURED = {
    "rate": 20_000.0,
    "rates": {"trained": 20_000.0, "tested": 60_000.0, "begun": 100.0, "ranked": 100.0},
    "memory": 300 * 2**20,
    "weights": 650.0,
}


@pytest.fixture(autouse=True)
def fresh(asked, monkeypatch):
    """A server that has just started: nothing remembered, nothing under way, the machine's speed
    known; what is under way ends with it.
    """
    restart(monkeypatch)
    yield
    for key in list(runner._queue.sweeps):
        runner.cancel(key, None)


def restart(monkeypatch):
    """Forget all that a server's process holds; what is on the disk stays."""
    for key in list(runner._queue.sweeps):
        runner.cancel(key, None)
    store.forget()
    st.cache_resource.clear()
    monkeypatch.setattr(runner, "_queue", runner._Queue())
    monkeypatch.setattr(jobs._cluster, "jobs", {})
    pages.done("~rate digits linear", dict(MEASURED))


@pytest.fixture
def trainings(monkeypatch):
    """Trainings that begin and end only when the test says so, beside tasks that are done on the
    spot; a list of their jobs.
    """
    begun, usual = [], jobs.submit

    def submit(name, *args, key, **how):
        if name != retrain.Training.task:
            return usual(name, *args, key=key, **how)
        job = jobs._cluster.jobs[key] = jobs.Job(
            key, name, args, state="running", progress=(0.5, "Step 1 of 2")
        )
        begun.append(job)
        return job

    monkeypatch.setattr(jobs, "submit", submit)
    monkeypatch.setattr(jobs, "slots", lambda: 2)
    return begun


visit = pages.visiting(PAGE, LINK)


def works(at) -> None:
    assert not at.exception, at.exception
    assert not at.error, at.error


def outcome(accuracy, seed=0, classes=10):
    """A training that ended with this accuracy."""
    rng = np.random.default_rng(seed)
    curve = np.append(rng.uniform(0.1, 0.9, 3), accuracy)
    places = {"epoch": np.arange(1, 5), "step": np.arange(1, 5) * 10}
    counts = rng.integers(1, 9, classes)
    chosen = rng.permutation(500)[:24]
    return places | {
        "accuracy": curve,
        "loss": np.float64(1),
        "per_class": rng.uniform(0, 1, classes),
        "classes": counts,
        "chosen": chosen,
    }


def known(
    data, plan=PLAN, accuracy=None, finished=lambda unit: True, change=lambda arrays, unit: arrays
):
    """Puts outcomes into the cache, accuracy (candidates, budgets, seeds); returns it, NaN where
    nothing was put.
    """
    shape = (len(plan.candidates), len(plan.budgets), plan.seeds)
    given = (
        np.random.default_rng(7).uniform(0.2, 0.9, shape)
        if accuracy is None
        else np.array(accuracy, float)
    )
    put = np.full(shape, np.nan)
    for number, unit in enumerate(plan.units()):
        place = (
            plan.candidates.index(unit.candidate),
            plan.budgets.index(unit.budget),
            unit.seed - 1,
        )
        if finished(unit):
            put[place] = given[place]
            cache.put(unit.key(data.fingerprint), change(outcome(given[place], number), unit), {})
    return put


def picture(at, begins: str):
    """The one chart whose text for those who do not see it begins so."""
    (found,) = [
        element for element in at.get("vega_lite_chart") if element.proto.alt.startswith(begins)
    ]
    return found


def headings(at) -> str:
    return " ".join(element.value for element in at.markdown)


def said(at) -> str:
    """Everything on the page that is a sentence."""
    elements = (*at.markdown, *at.caption, *at.info, *at.warning, *at.error)
    return " ".join(
        [
            texts(at),
            *(element.value for element in elements),
            *(bar.proto.text for bar in at.get("progress")),
        ]
    )


def ended(key, seconds=240):
    """Waits for the end of a sweep."""
    end = time.monotonic() + seconds
    while not runner.find(key).finished:
        assert time.monotonic() < end, "the experiment stands still"
        time.sleep(0.02)
    return runner.find(key)


def until(true, seconds=240):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.02)


# ---- the verdict ----


def test_the_sentences_are_paired_tests_on_the_trainings_at_one_level(digits):
    """Four statements of three seeds, p by hand: 0.0004, 0.013, 1, 1: Holm rejects two."""
    accuracy = np.empty((3, 2, 3))
    accuracy[2] = [[0.80, 0.82, 0.78], [0.90, 0.91, 0.92]]
    accuracy[0] = accuracy[2] - [[0.30, 0.31, 0.32], [0.00, -0.01, 0.01]]
    accuracy[1] = accuracy[2] + [[0.001, -0.002, 0.001], [0.05, 0.06, 0.04]]
    known(digits, accuracy=accuracy)
    at = visit()
    works(at)
    differences = accuracy[:2] - accuracy[2]
    low, high = (-100 * end for end in difference(differences[0, 0], 1, of=4))
    wide = 100 * difference(differences[0, 1], 3, of=4)[1]
    assert (
        f"Top, raw is <b>31 points worse</b> than random at 50 ({high:.1f} to {low:.1f});"
        f" <b>unclear</b> against random at 200 (0.0, −{wide:.1f} to +{wide:.1f})." in texts(at)
    )
    low, high = (100 * end for end in difference(differences[1, 1], 2, of=4))
    near = 100 * difference(differences[1, 0], 3, of=4)[1]
    assert (
        f"Bottom, raw is **5.0 points better** than random at 200 ({low:.1f} to {high:.1f});"
        f" **equal within 1 point** to random at 50 (0.0, −{near:.1f} to +{near:.1f})."
        in headings(at)
    )
    assert "4 comparisons over 3 seeds share one level" in said(at)


def test_another_margin_and_another_rival_are_kept_in_the_link(digits):
    accuracy = np.full((3, 2, 3), 0.5)
    accuracy[0] += [[0.021, 0.019, 0.020], [0.3, 0.31, 0.32]]
    known(digits, accuracy=accuracy)
    at = visit()
    assert "at 50 (" in texts(at) and "equal" not in texts(at)
    widget(at.number_input, "Equal within, points").set_value(5.0).run()
    works(at)
    assert at.query_params["margin"] == "5" or at.query_params["margin"] == "5.0"
    assert "<b>equal within 5 points</b> to random at 50 (+2.0" in texts(at)
    widget(at.selectbox, "Compared with").set_value("top:raw").run()
    works(at)
    assert at.query_params["against"] == "top:raw"
    assert "Bottom, raw is <b>31 points worse</b> than top, raw at 200" in texts(at)
    assert "Random is **31 points worse** than top, raw at 200" in headings(at)
    at = visit(show="difference", against="top:raw")
    table = means(picture(at, "Points of accuracy"))
    assert set(table["name"]) == {"Bottom, raw", "Random"}
    assert table["mean"].tolist() == pytest.approx([-2, -31] * 2)


def test_a_rival_that_does_not_compete_is_told_and_shows_its_letters_as_they_are(digits):
    known(digits, accuracy=np.full((3, 2, 3), 0.5))
    at = visit(against="best *of* all")
    works(at)
    (told,) = [element.value for element in at.info if "does not compete" in element.value]
    assert r"best \*of\* all" in told and told.endswith("Random is taken instead.")
    assert not [one for one in visit().info if "does not compete" in one.value]


def test_trainings_that_lose_a_class_are_told(digits):
    def collapse(arrays, unit):
        lost = str(unit.candidate) == "top:raw" and unit.budget == 50 and unit.seed == 2
        each = arrays["per_class"] + 0.01
        return arrays | {"per_class": np.where(np.arange(10) < 2, 0, each) if lost else each}

    known(digits, change=collapse)
    assert (
        "Collapsed trainings. Top, raw at 50: 1 of 3 seeds never recognises up to 2 classes."
        in headings(visit())
    )


def test_the_area_is_the_trapezoid_over_log_budgets(digits):
    accuracy = known(digits)
    at = visit()
    (caption,) = [c.value for c in at.caption if "area under each curve" in c.value]
    for i, name in enumerate(NAMES):
        areas = accuracy[i].mean(axis=0)  # two budgets: the mean of both, on any axis
        low, high = wilson(areas)
        assert f"{name} {areas.mean():.1%} [{low:.1%}, {high:.1%}]" in caption


def test_one_seed_of_a_selection_gives_no_verdict(digits):
    known(digits, finished=lambda unit: unit.seed == 1)
    at = visit()
    works(at)
    assert "Top, raw against random: no verdict at 50 with 1 seed, 3 are needed (" in texts(at)
    assert "6 of 18 trainings so far" in headings(at) and "comparisons over" not in said(at)


def test_a_verdict_on_one_selection_is_not_taken_for_another(digits):
    known(digits, finished=lambda unit: unit.seed == 1 or str(unit.candidate) != "top:raw")
    at = visit()
    assert "Bottom, raw is" in headings(at) and "Top, raw is" not in said(at)
    assert "Top, raw against random: no verdict at 50 with 1 seed" in texts(at)


def test_seeds_of_random_alone_are_no_verdict(digits):
    known(digits, finished=lambda unit: unit.candidate == RANDOM)
    assert "No verdict yet" in texts(visit())


def test_many_sentences_stand_folded_below_the_first(digits):
    link = {
        "candidates": (
            "top bottom middle top_balanced proportional proportional_weighted random_balanced"
            " random"
        )
    }
    plan = retrain.Retraining.from_query(LINK | link)[0]
    known(digits, plan)
    at = visit(**link)
    works(at)
    (more,) = [e for e in at.expander if e.label == "The other comparisons"]
    folded = " ".join(element.value for element in more.markdown)
    assert all(
        name in folded
        for name in ("Bottom, raw", "Middle band, raw", "Drawn by score, weighted, raw")
    )
    assert "Top, raw is" not in folded and "Top, raw is" in texts(at)


# ---- the pictures ----


def test_by_budget_shows_the_grid(digits):
    accuracy = known(digits)
    at = visit()
    table = means(picture(at, "Mean test accuracy")).set_index(["name", "budget"])
    assert len(table) == 6
    for i, name in enumerate(NAMES):
        for j, budget in enumerate(PLAN.budgets):
            seeds = accuracy[i, j]
            assert table.loc[(name, budget), ["mean", "low", "high"]].tolist() == pytest.approx(
                [seeds.mean(), *wilson(seeds)]
            )
    alt = described(picture(at, "Mean test accuracy"))["alt"]
    assert f"Top, raw: {accuracy[0, 0].mean():.1%} at 50, {accuracy[0, 1].mean():.1%} at 200" in alt


def test_during_training_shows_every_seed_at_its_checkpoints(digits):
    accuracy = known(digits)
    at = visit(show="training", focus="200")
    works(at)
    tables = drawn(picture(at, "Mean test accuracy"))
    (seeds,), (means,) = ([t for t in tables if column in t] for column in ("seed", "low"))
    seeds = seeds.set_index(["name", "seed", "at"])["mean"]
    for number, unit in enumerate(PLAN.units()):
        if unit.budget == 200:
            place = PLAN.candidates.index(unit.candidate)
            curve = outcome(accuracy[place, 1, unit.seed - 1], number)["accuracy"]
            assert [
                seeds[(NAMES[place], unit.seed, epoch)] for epoch in (1, 2, 3, 4)
            ] == pytest.approx(curve.tolist())
    last = means[means["at"] == 4].set_index("name")["mean"]
    assert [last[name] for name in NAMES] == pytest.approx(accuracy[:, 1].mean(axis=-1).tolist())


def test_the_difference_shows_pairs_of_seeds(digits):
    """With differences whose p-values stand in a known order: smaller at each step."""
    accuracy = np.full((3, 2, 3), 0.5)
    accuracy[:2] += np.array([0.2, 0.05, 0.01, 0.002]).reshape(2, 2, 1) + [0, 0.001, -0.001]
    known(digits, accuracy=accuracy)
    at = visit(show="difference")
    works(at)
    table = means(picture(at, "Points of accuracy")).set_index(["name", "budget"])
    assert set(table.index.get_level_values("name")) == set(NAMES[:2])
    for i, name in enumerate(NAMES[:2]):
        for j, budget in enumerate(("50", "200")):
            d = accuracy[i, j] - accuracy[2, j]
            rank = min(2 * i + j + 1, 4)
            expected = 100 * np.array([d.mean(), *difference(d, rank, of=4)])
            assert table.loc[(name, budget), ["mean", "low", "high"]].tolist() == pytest.approx(
                expected.tolist()
            )


def test_by_class_shows_what_was_selected_and_learned(digits):
    known(
        digits,
        change=lambda arrays, unit: (
            arrays | {"classes": arrays["classes"] * (np.arange(10) != 3)} if unit.seed else arrays
        ),
    )
    at = visit(show="classes", focus="50")
    works(at)
    each = [
        [
            outcome(0, n)
            for n, unit in enumerate(PLAN.units())
            if (unit.candidate, unit.budget) == (c, 50)
        ]
        for c in PLAN.candidates
    ]
    for share in (True, False):
        table = drawn(picture(at, "Share selected" if share else "Accuracy per class"))[0]
        table = table.pivot(index="name", columns="class", values="value").loc[NAMES]
        if share:
            counts = np.array(
                [
                    np.mean([o["classes"] * (np.arange(10) != 3) for o in some], axis=0)
                    for some in each
                ]
            )
            expected = counts / counts.sum(axis=1, keepdims=True)
        else:
            expected = np.array([np.mean([o["per_class"] for o in some], axis=0) for some in each])
        assert table.to_numpy() == pytest.approx(expected)
    assert "With a class left out entirely: Top, raw; Bottom, raw; Random." in said(at)


def test_what_was_selected_shows_the_first_points(digits):
    known(digits)
    at = visit(show="points", focus="200")
    works(at)
    units = PLAN.units()
    firsts = [
        next(n for n, unit in enumerate(units) if (unit.candidate, unit.budget) == (c, 200))
        for c in PLAN.candidates
    ]
    assert [shown["ids"] for shown in galleries(at)] == [
        outcome(0, n)["chosen"].tolist() for n in firsts
    ]
    assert galleries(at)[0]["captions"] == [
        digits.class_names[c] for c in digits.labels[galleries(at)[0]["ids"]]
    ]
    assert "**Random**: the first of 200 points drawn by seed 1" in headings(at)


@pytest.mark.parametrize("show", SHOWS)
@pytest.mark.parametrize(
    ("protocol", "name"),
    [
        ({}, "equal epochs (2 epochs)"),
        ({"protocol": "steps", "steps": "40"}, "equal steps (40 steps of 64)"),
        ({"protocol": "talk"}, "as in the talk (2 epochs)"),
    ],
)
def test_every_picture_names_its_protocol_and_length(show, protocol, name, digits):
    known(digits, retrain.Retraining.from_query(LINK | protocol)[0])
    at = visit(show=show, **protocol)
    works(at)
    assert name in headings(
        at
    ) and f"all {18 if show in ('budget', 'difference') else 9} trainings" in headings(at)
    assert ("50 points" in headings(at)) == (show in ("training", "classes", "points"))


def test_random_is_grey_and_dashed_and_families_have_their_colours(digits):
    link = {"candidates": "top:raw top:random_relu random"}
    known(digits, retrain.Retraining.from_query(LINK | link)[0])
    layer = next(
        x
        for x in described(picture(visit(**link), "Mean test accuracy"))["layer"]
        if "strokeDash" in x["encoding"]
    )
    colours, dashes = (
        dict(
            zip(
                layer["encoding"][c]["scale"]["domain"],
                layer["encoding"][c]["scale"]["range"],
                strict=True,
            )
        )
        for c in ("color", "strokeDash")
    )
    assert colours == {"Top, raw": "#4D4D4D", "Top, random ReLU": "#E69F00", "Random": "#8C8C8C"}
    assert dashes["Random"] == [5, 4] and dashes["Top, raw"] == [1, 0]


# ---- unfinished ----


def test_what_is_not_finished_is_left_out_and_said(digits):
    accuracy = known(
        digits,
        finished=lambda unit: (
            unit.seed == 1 or (unit.seed == 2 and unit.budget == 50 and unit.candidate == RANDOM)
        ),
    )
    at = visit()
    works(at)
    assert "7 of 18 trainings so far" in headings(
        at
    ) and "7 of its 18 trainings are finished" in headings(at)
    table = means(picture(at, "Mean test accuracy")).set_index(["name", "budget"])["mean"]
    assert (
        table[("Random", 50)] == pytest.approx(np.nanmean(accuracy[2, 0]))
        and table[("Top, raw", 50)] == accuracy[0, 0, 0]
    )


@pytest.mark.parametrize("show", ["training", "classes", "points"])
def test_a_budget_without_a_training_says_so(show, digits):
    known(digits, finished=lambda unit: unit.budget == 200)
    at = visit(show=show)
    works(at)
    assert (
        "No training on 50 points is finished yet." in said(at)
        and not galleries(at)
        and not at.get("vega_lite_chart")
    )
    group(at, "Budget").set_value(200).run()
    works(at)
    assert galleries(at) or at.get("vega_lite_chart")
    assert at.query_params["focus"] == "200"


@pytest.mark.parametrize("show", SHOWS)
def test_nothing_finished_names_the_next_action(show):
    at = visit(show=show)
    works(at)
    assert "Start it above, or open a finished one under Past experiments." in said(
        at
    ) and not at.get("vega_lite_chart")


@pytest.mark.parametrize("show", SHOWS)
def test_random_alone_is_an_experiment_too(show, digits):
    known(digits, retrain.Retraining.from_query(LINK | {"candidates": "random"})[0])
    at = visit(show=show, candidates="random")
    works(at)
    assert ("Only random competes." in said(at)) == (show == "difference")


# ---- random, always ----


@pytest.mark.parametrize("candidates", ["top bottom", "random", "bottom random top"])
def test_random_competes_whatever_is_chosen(candidates, digits):
    plan = retrain.Retraining.from_query(LINK | {"candidates": candidates})[0]
    known(digits, plan)
    at = visit(candidates=candidates)
    works(at)
    menu = widget(at.multiselect, "Selections, beside random")
    assert str(RANDOM) not in menu.options and "Random" not in menu.options
    menu.set_value([]).run()
    assert (
        not at.exception
        and at.query_params["candidates"] == "random"
        and f"{len(PLAN.budgets) * 3} trainings" in said(at)
    )


# ---- cost before the button ----


def test_the_cost_is_said_before_the_button(digits, monkeypatch):
    monkeypatch.setattr(jobs, "slots", lambda: 2)
    known(digits, finished=lambda unit: unit.seed == 1)
    at = visit()
    missing = [unit for unit in PLAN.units() if unit.seed > 1]
    seconds = cost.predict(missing, MEASURED, 2)
    assert f"about **{max(1, round(seconds))} s** and 300 MB of memory" in headings(at)
    assert "6 of its 18 trainings are finished. 12 trainings to do, 2 at a time" in headings(at)
    assert "20,000 samples per second each, just measured" in headings(at)
    assert widget(at.button, "Go on") and not [b for b in at.button if b.label == "Start"]


def test_an_hour_is_said_as_an_hour(monkeypatch):
    slow = {"rates": MEASURED["rates"] | {"trained": 0.1}, "weights": 2**20}
    pages.done("~rate digits linear", MEASURED | slow)
    monkeypatch.setattr(jobs, "slots", lambda: 2)
    at = visit()
    hours = cost.predict(PLAN.units(), MEASURED | slow, 2) / 3600
    assert hours > 1.5 and f"about **{hours:.1f} h** and {300 + 2 * 16} MB of memory" in headings(
        at
    )


def test_a_finished_experiment_costs_nothing(digits, asked):
    known(digits)
    at = visit()
    assert (
        "to do" not in headings(at)
        and not [b for b in at.button if b.label in ("Start", "Go on")]
        and asked == []
    )
    assert "all 18 trainings" in headings(at) and not at.get("progress")


def test_without_a_measurement_the_page_says_that_it_is_measuring(held):
    jobs.forget("~rate digits linear")
    held()
    at = visit()
    works(at)
    assert "18 trainings to do. Measuring how fast this machine trains this network" in headings(
        at
    ) and widget(at.button, "Start")


def test_the_measurement_is_one_of_this_network(asked):
    jobs.forget("~rate digits linear")
    at = visit()
    works(at)
    assert asked == [tasks.NETWORK_SPEED] and "samples per second each, just measured" in headings(
        at
    )


# ---- under way ----


def started(at):
    widget(at.button, "Start").click().run()
    return plan_key(PLAN, datasets.load("digits").fingerprint)


def test_start_shows_the_progress_and_carries_the_job_in_the_link(trainings, digits):
    at = visit()
    key = started(at)
    works(at)
    assert at.query_params["job"] == key and runner.find(key).plan == PLAN
    (bar,) = at.get("progress")
    assert "0 of 18 trainings" in bar.proto.text or "Waiting" in bar.proto.text
    until(lambda: len(trainings) == 2)
    entry = cache.put(trainings[0].key, outcome(0.5), {})
    trainings[0]._finish("done", value=entry)
    until(lambda: runner.find(key).done == 1)
    at.run()
    works(at)
    assert "1 of 18 trainings" in at.get("progress")[
        0
    ].proto.text and "1 of 18 trainings so far" in headings(at)
    runner.find(key).started -= 100
    at.run()
    assert (
        "so far · about" in at.get("progress")[0].proto.text
        and "left" in at.get("progress")[0].proto.text
    )


def test_stop_ends_it_at_once_and_what_is_finished_stays(trainings, digits):
    at = visit()
    key = started(at)
    until(lambda: len(trainings) == 2)
    trainings[0]._finish("done", value=cache.put(trainings[0].key, outcome(0.5), {}))
    until(lambda: runner.find(key).done == 1)
    at.run()
    widget(at.button, "Stop").click().run()
    works(at)
    assert runner.find(key).state == "cancelled" and all(job.finished for job in trainings)
    begun = len(trainings)
    assert (
        "Stopped. 1 of 18 trainings is finished and stays." in said(at)
        and "job" not in at.query_params
        and not at.get("progress")
    )
    widget(at.button, "Go on").click().run()
    works(at)
    until(lambda: len(trainings) == begun + 2)
    assert (
        trainings[0].key not in {job.key for job in trainings[begun:]}
        and at.query_params["job"] == key
    )


def test_a_failed_training_is_a_sentence_and_can_be_tried_again(trainings, digits):
    at = visit()
    key = started(at)
    until(lambda: trainings)
    trainings[0]._finish("failed", error="Drawing by score: found scores from -1 to 1.")
    until(lambda: runner.find(key).finished)
    at.run()
    assert (
        not at.exception
        and "Drawing by score: found scores" in at.error[0].value
        and widget(at.button, "Start")
    )
    widget(at.button, "Start").click().run()
    assert not at.error and at.get("progress")


def test_the_same_experiment_in_two_sessions_runs_once(trainings, digits):
    one, two = visit(), visit()
    key = started(one)
    started(two)
    finished = 0
    while not runner.find(key).finished:
        until(lambda done=finished: len(trainings) > done or runner.find(key).finished)
        for job in trainings[finished:]:
            job._finish("done", value=cache.put(job.key, outcome(0.5), {}))
            finished += 1
    assert (
        runner.find(key).state == "done"
        and len(trainings) == len({job.key for job in trainings}) == 18
    )
    for at in (one, two):
        at.run()
        works(at)
        assert "all 18 trainings" in headings(at) and at.query_params["job"] == key


def test_stop_in_one_session_leaves_it_to_the_other(trainings):
    one, two = visit(), visit()
    key = started(one)
    two.query_params["job"] = key
    two.run()
    assert two.get("progress") and widget(two.button, "Stop")
    widget(one.button, "Stop").click().run()
    works(one)
    assert runner.find(
        key
    ).state != "cancelled" and "Another session waits for this experiment, so it goes on." in said(
        one
    )
    assert not [b for b in one.button if b.label == "Stop"] and "job" not in one.query_params
    one.run()
    assert "Another session" in said(one), "a rerun does not join again"
    widget(one.button, "Join").click().run()
    assert widget(one.button, "Stop") and one.query_params["job"] == key
    widget(two.button, "Stop").click().run()
    widget(one.button, "Stop").click().run()
    assert runner.find(key).state == "cancelled"


def test_after_a_reload_stop_stops(trainings, monkeypatch):
    before = visit()
    key = started(before)
    (owner,) = runner.find(key).owners
    monkeypatch.setattr(visits, "here", lambda name: name != owner)
    after = visit(job=key)
    works(after)
    assert after.get("progress") and len(runner.find(key).owners) == 2
    widget(after.button, "Stop").click().run()
    assert runner.find(key).state == "cancelled"


def test_the_second_experiment_waits_its_turn(trainings):
    one, two = visit(), visit(epochs="3")
    started(one)
    until(lambda: len(trainings) == 2)
    widget(two.button, "Start").click().run()
    works(two)
    assert "Waiting: 1 experiment before this one" in two.get("progress")[0].proto.text


def test_one_experiment_at_a_time_in_a_session(trainings):
    at = visit()
    key = started(at)
    group(at, "Protocol").set_value("talk").run()
    works(at)
    assert (
        "is still running. Stop it first, or wait for its end" in said(at)
        and widget(at.button, "Start").disabled
    )
    assert "equal epochs (2 epochs)" in said(at), "it is named"
    assert len(runner._queue.sweeps) == 1 and "job" not in at.query_params
    widget(at.button, "Show it").click().run()
    works(at)
    assert (
        at.get("progress")
        and at.query_params["job"] == key
        and group(at, "Protocol").value == "epochs"
    )
    widget(at.button, "Stop").click().run()
    group(at, "Protocol").set_value("talk").run()
    assert not widget(at.button, "Start").disabled


# ---- after the server's end ----


def rows_of(plan, data):
    """The run's rows but for nothing: every number counts."""
    return pd.DataFrame(outcomes.tidy_columns(plan, store.outcomes(plan, data.fingerprint)))


def test_a_restarted_server_goes_on_from_what_is_finished(asked, digits, monkeypatch, tmp_path):
    at = visit()
    key = started(at)
    ended(key)
    undisturbed = rows_of(PLAN, digits)
    monkeypatch.setenv("LEVERAGE_LAB_CACHE", str(tmp_path / "another"))
    restart(monkeypatch)
    usual, handed_out = jobs.submit, []

    def submit(name, *args, key, **how):
        if name != retrain.Training.task:  # the question in which precision to train
            return usual(name, *args, key=key, **how)
        handed_out.append(key)
        if len(handed_out) > 7:  # the server dies: nothing more comes back
            job = jobs._cluster.jobs[key] = jobs.Job(key, name, args, state="running")
            return job
        return usual(name, *args, key=key, **how)

    monkeypatch.setattr(jobs, "submit", submit)
    at = visit()
    assert started(at) == key
    until(lambda: runner.find(key).done == 7)
    link, first = dict(at.query_params), handed_out[:7]
    restart(monkeypatch)
    again = []

    def submit_again(name, *args, key, **how):
        if name == retrain.Training.task:
            again.append(key)
        return usual(name, *args, key=key, **how)

    monkeypatch.setattr(jobs, "submit", submit_again)
    at = pages.visit(PAGE, **link)
    works(at)
    assert ended(key).state == "done"
    assert not set(first) & set(again) and len(first) + len(again) == 18
    at.run()
    works(at)
    assert at.query_params["job"] == key and "all 18 trainings" in headings(at)
    pd.testing.assert_frame_equal(rows_of(PLAN, digits), undisturbed)


def test_a_job_of_other_settings_is_told_and_not_started(digits):
    at = visit(job="retrain-0123456789abcdef01234567")
    works(at)
    assert (
        "From the link: job: found an experiment with other settings" in at.warning[0].value
        and not runner._queue.sweeps
    )
    at.run()
    assert (
        "From the link: job" in at.warning[0].value
        and "job" not in at.query_params
        and widget(at.button, "Start")
    )


def test_a_change_of_settings_says_nothing_about_jobs(trainings):
    at = visit()
    started(at)
    widget(at.selectbox, "Network").set_value("mlp").run()
    assert not at.exception and not at.warning


# ---- past experiments ----


def test_past_experiments_are_listed_and_opened(asked, digits):
    at = visit()
    assert "None yet on these points." in said(at)
    ended(started(at))
    at = visit(epochs="3", show="difference")
    (past,) = [b for b in at.button if "equal epochs (2 epochs), 3 seeds" in b.label]
    assert (
        "Digits 8 x 8, linear" in past.label
        and past.label.endswith("finished")
        and " of " not in past.label
    )
    past.click().run()
    works(at)
    assert (
        at.query_params["epochs"] == "2"
        and "all 18 trainings" in headings(at)
        and at.query_params["show"] == "difference"
    )
    assert (
        at.query_params["candidates"] == LINK["candidates"]
        and at.query_params["budgets"] == "50 200"
    )


def test_an_unfinished_experiment_of_the_past_says_how_far_it_is(trainings, digits):
    at = visit()
    key = started(at)
    until(lambda: trainings)
    cache.put(trainings[0].key, outcome(0.4), {})
    runner.cancel(key, None)
    at = visit(epochs="3")
    (past,) = [b for b in at.button if "equal epochs (2 epochs)" in b.label]
    assert past.label.endswith("1 of 18 finished")


def test_experiments_on_other_points_are_not_listed(trainings):
    started(visit())
    assert "None yet on these points." in said(visit(n="500"))


# ---- downloads ----


@pytest.fixture
def offered(monkeypatch):
    found = {}
    monkeypatch.setattr(
        layout,
        "downloads",
        lambda label, files: found.update({name: content for _, content, name in files}),
    )
    return found


def test_the_tables_hold_every_training(offered, digits):
    accuracy = known(digits)
    works(visit())
    csv, parquet = (
        pd.read_csv(io.BytesIO(offered["retraining-digits-linear-epochs.csv"]())),
        pd.read_parquet(io.BytesIO(offered["retraining-digits-linear-epochs.parquet"]())),
    )
    pd.testing.assert_frame_equal(csv, parquet, check_dtype=False, rtol=1e-15)
    assert list(csv) == ["strategy", "seed", "budget", "epoch", "step", "metric", "value"]
    last = csv[(csv["metric"] == "accuracy") & (csv["epoch"] == 4)].set_index(
        ["strategy", "budget", "seed"]
    )["value"]
    for i, candidate in enumerate(("top:raw", "bottom:raw", "random")):
        for j, budget in enumerate(PLAN.budgets):
            assert [last[(candidate, budget, seed)] for seed in (1, 2, 3)] == accuracy[
                i, j
            ].tolist()
    assert len(csv) == 18 * (4 + 1 + 10) and set(csv["metric"]) >= {
        "accuracy",
        "loss",
        "accuracy of class 9",
    }


def test_the_figure_is_drawn_by_the_worker(offered, digits, asked):
    known(digits)
    works(visit())
    svg, png = (offered[f"retraining-digits-linear-epochs.{kind}"]() for kind in ("svg", "png"))
    assert asked == [tasks.FIGURE] * 2
    assert all(
        text in svg.decode()
        for text in ("Top, raw", "Bottom, raw", "Random", "accuracy on the test points")
    )
    assert png.startswith(b"\x89PNG") and struct.unpack(">II", png[16:24])[0] > 2 * 760


def test_the_manifest_says_how_it_was_computed(offered, digits):
    known(digits, finished=lambda unit: unit.seed == 1)
    works(visit())
    found = json.loads(offered["retraining-digits-linear-epochs.json"]())
    assert retrain.Retraining.from_query(found["plan"]) == (PLAN, []) and found["trainings"] == 6
    assert (
        found["data"]["fingerprint"] == digits.fingerprint
        and found["title"] == PLAN.title()
        and "torch" in found["versions"]
    )


def test_nothing_finished_offers_no_empty_table(offered):
    works(visit())
    assert list(offered) == ["retraining-digits-linear-epochs.json"]


# ---- links and input ----

BAD = [
    ({"candidates": "best:raw top random"}, "Selection rule: found 'best', expected one of top"),
    ({"candidates": "top:umap top"}, "found 'umap'"),
    (
        {"candidates": "top:raw:1:leverage:9 top"},
        "Selection: found 'top:raw:1:leverage:9', expected rule:embedding:seed:strategy",
    ),
    ({"budgets": "50 many 200"}, "Budget: found 'many', expected a whole number"),
    ({"budgets": "0 50"}, "Budget: found 0"),
    ({"network": "transformer"}, "network: found 'transformer', expected one of both, talk_cnn"),
    ({"protocol": "fair"}, "protocol: found 'fair', expected one of epochs"),
    ({"seeds": "1"}, "seeds: found 1"),
    ({"epochs": "many"}, "epochs: found 'many', expected a whole number"),
    ({"show": "loss"}, "show: found 'loss', expected one of budget"),
    ({"focus": "-1"}, "focus: found -1"),
]


@pytest.mark.parametrize(
    ("query", "message"),
    BAD,
    ids=["&".join(f"{k}={v}" for k, v in query.items()) for query, _ in BAD],
)
def test_a_bad_part_of_a_link_is_told_and_the_rest_is_used(query, message):
    pages.done("~rate digits talk_cnn", dict(MEASURED))
    at = visit(**query)
    works(at)
    (told,) = at.warning
    assert told.value.startswith("From the link: ") and message.lower() in told.value.lower()
    if "network" not in query:
        assert widget(at.selectbox, "Network").value == "linear"
    if "budgets" in query:
        assert set(at.query_params["budgets"].split()) <= {"50", "200"}
    if "candidates" in query:
        assert at.query_params["candidates"].split()[0] == "top"
    at.run()
    assert message.lower() in at.warning[0].value.lower(), "it stays until another link comes"


def test_a_typed_budget_that_is_no_number_is_told_beside_the_menu():
    at = visit()
    widget(at.multiselect, "Budgets").set_value(["50", "200", "lots"]).run()
    works(at)
    assert (
        "Budget: found 'lots'" in at.warning[0].value and "From the link" not in at.warning[0].value
    )
    assert at.query_params["budgets"] == "50 200" and "18 trainings to do" in headings(at)


def test_a_typed_budget_is_one_more():
    at = visit()
    widget(at.multiselect, "Budgets").set_value(["50", "200", "120"]).run()
    works(at)
    assert at.query_params["budgets"] == "50 200 120" and "27 trainings to do" in headings(at)


def test_budgets_above_the_pool_are_left_out_and_said(digits):
    at = visit(budgets="50 1000 2000 5000")
    works(at)
    assert (
        f"Budgets: 2,000, 5,000 left out, because only {len(split(digits)[0]):,} points can be"
        " selected." in said(at)
    )
    assert "18 trainings to do" in headings(at)


def test_no_budget_within_the_pool_shows_shares_of_it(digits):
    pool = len(split(digits)[0])
    at = visit(budgets="2000")
    works(at)
    assert f"Shown instead: {pool // 20:,}, {pool // 5:,}, {pool // 2:,}." in said(
        at
    ) and "27 trainings to do" in headings(at)


@pytest.mark.parametrize("rule", ["top_balanced", "random_balanced"])
def test_fewer_points_than_classes_are_said_before_any_work(rule, asked):
    at = visit(candidates=f"{rule} random", budgets="5 50")
    assert (
        not at.exception
        and "found a budget of 5 for 10 classes. Give at least one point per class."
        in at.error[0].value
    )
    assert (
        at.query_params["candidates"] == f"{rule} random"
        and at.query_params["budgets"] == "5 50"
        and asked == []
    )
    widget(at.multiselect, "Budgets").set_value(["50"]).run()
    works(at)
    assert widget(at.button, "Start")


def test_too_many_trainings_are_said_and_nothing_is_lost():
    at = visit(
        seeds="50",
        budgets="50 100 150 200 250 300 350 400 450 500",
        candidates="top bottom middle proportional",
    )
    assert (
        not at.exception and "Found 2,500 trainings, expected at most 2,000." in at.error[0].value
    )
    widget(at.number_input, "Seeds").set_value(2).run()
    works(at)
    assert "100 trainings to do" in headings(at) and at.query_params["seeds"] == "2"


def test_another_protocol_asks_for_its_length_at_once():
    at = visit()
    assert widget(at.number_input, "Epochs").value == 2
    group(at, "Protocol").set_value("steps").run()
    works(at)
    assert widget(at.number_input, "Steps").value == 1_000 and not [
        w for w in at.number_input if w.label == "Epochs"
    ]
    widget(at.number_input, "Steps").set_value(40).run()
    assert at.query_params["steps"] == "40" and at.query_params["protocol"] == "steps"
    group(at, "Protocol").set_value("epochs").run()
    assert widget(at.number_input, "Epochs").value == 2


def test_a_link_restores_everything():
    wanted = LINK | {"protocol": "talk", "show": "classes", "focus": "200", "n": "1000"}
    wanted |= {"candidates": "top:pca bottom:random_relu:3 random"}
    at = pages.visit(PAGE, **wanted)
    works(at)
    assert at.query_params == wanted and not at.warning
    assert (
        group(at, "Protocol").value == "talk" and widget(at.selectbox, "Network").value == "linear"
    )
    shown = widget(at.multiselect, "Selections, beside random").value
    assert (
        shown == ["top:pca", "bottom:random_relu:3"]
        and line_styles.selection_name(shown[1]) == "Bottom, random ReLU 3"
    )


def test_the_presets_are_one_click_away(held):
    held()
    at = visit()
    widget(at.button, "The talk's protocol").click().run()
    assert not at.exception and at.query_params == {"protocol": "talk"}
    widget(at.button, "The fair one").click().run()
    assert not at.exception and at.query_params == {} and not at.warning


def test_a_scheduler_that_does_not_answer_is_a_sentence(monkeypatch):
    monkeypatch.setenv("LEVERAGE_LAB_SCHEDULER", "tcp://127.0.0.1:1")
    monkeypatch.setattr(jobs, "submit", SUBMIT)
    monkeypatch.setattr(jobs, "_cluster", jobs._Cluster())
    monkeypatch.setattr(worker, "CONNECT_SECONDS", 1)
    at = visit()
    until(lambda: jobs.find("~rate digits linear").finished)
    at.run()
    assert (
        not at.exception and "Scheduler: found no answer at tcp://127.0.0.1:1" in at.error[0].value
    )
    assert (
        "18 trainings to do" in headings(at)
        and widget(at.button, "Try again")
        and widget(at.multiselect, "Budgets")
    )
    key = started(at)
    until(lambda: runner.find(key).finished)
    at.run()
    assert (
        not at.exception
        and sum("Scheduler: found no answer" in error.value for error in at.error) == 2
    )
    assert {name: at.query_params[name] for name in LINK if name != "candidates"} == {
        n: v for n, v in LINK.items() if n != "candidates"
    }


def test_the_checkpoints_of_a_known_outcome_fit_the_grid():
    assert (
        len(outcome(0.5)["accuracy"]) <= CHECKPOINTS
        and dataclasses.is_dataclass(PLAN)
        and isinstance(PLAN, Retraining)
    )
