"""The Influence page without a browser: what it offers, what it says, what it shows of finished
experiments.
"""

import numpy as np
import pytest
from scipy import stats

from core import datasets
from core.experiments import presets, store
from core.experiments.influence.outcomes import correlations, foreseen, left_out, steps_outside
from core.experiments.influence.plan import STRATEGIES, Influence
from core.experiments.plan import compute
from core.linalg import ties
from core.runtime import jobs
from core.strategies.goal import GOALS, OVER
from pages.parts.influence.query_rounds import border
from tests.tools import pages
from tests.tools.intervals import wilson
from tests.tools.pages import choose_in, described, drawn, galleries, group, means, texts, widget

PAGE = "pages/influence.py"
LINK = {"dataset": "digits", "labeled": "40", "pool": "30", "validation": "60", "seeds": "3"}
ROUNDS = {
    "study": "queries",
    "dataset": "synth2",
    "labeled": "10",
    "unlabeled": "100",
    "validation": "30",
    "seeds": "3",
    "rounds": "3",
}


pytestmark = pytest.mark.usefixtures("nothing_under_way")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A cache with both experiments finished."""
    folder = tmp_path_factory.mktemp("finished")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEVERAGE_LAB_CACHE", str(folder))
        for link in (LINK, ROUNDS):
            for unit in Influence.from_query(link)[0].units():
                compute(unit)
    return folder


@pytest.fixture
def finished(folder, monkeypatch):
    monkeypatch.setenv("LEVERAGE_LAB_CACHE", str(folder))
    store.forget()


def outcomes(link):
    plan = Influence.from_query(link)[0]
    data = datasets.load(link["dataset"])
    found = store.outcomes(plan, data.fingerprint)
    return plan, data, [found[unit] for unit in plan.units()]


visit = pages.visiting(PAGE, LINK)
visit_rounds = pages.visiting(PAGE, ROUNDS)
visit_first = pages.visiting(PAGE)


def test_before_the_start_the_page_says_what_it_would_cost():
    at = visit()
    assert at.title[0].value == "What would happen without this point, or with it?"
    assert any(
        "3 seeds to do" in element.value and "retrained heads per second" in element.value
        for element in at.markdown
    )
    assert widget(at.button, "Start") and "Nothing of this experiment" in at.info[0].value


def test_the_sentence_is_the_correlation_over_the_seeds(finished):
    at = visit()
    _, data, found = outcomes(LINK)
    each = correlations([foreseen(one, data.labels[one["pool"]], "dev") for one in found])
    for step in ("newton", "linear"):
        z = np.arctanh(each[step][0])
        low, high = np.tanh(stats.t.interval(0.95, 2, loc=z.mean(), scale=stats.sem(z)))
        said = f"{np.tanh(z.mean()):.3f} ({low:.3f} to {high:.3f})"
        assert said.replace("-", "−") in texts(at)


def test_two_seeds_give_a_correlation_without_an_interval(finished):
    at = visit(seeds="2")
    _, data, found = outcomes(LINK | {"seeds": "2"})
    each = correlations([foreseen(one, data.labels[one["pool"]], "dev") for one in found])
    mean = np.tanh(np.arctanh(each["newton"][0]).mean())
    assert f"<b>{mean:.3f}</b> with the truth" in texts(at)
    assert "Intervals need 3 finished seeds." in texts(at)


@pytest.mark.parametrize("show", ["batches", "without"])
def test_the_sentence_is_of_the_picture_that_was_just_chosen(finished, show):
    """And not of the one before: after a click as after a link."""
    at = visit()
    group(at, "Show").set_value(show).run()
    what = {"batches": "the gain of ten more points", "without": "the loss of one labeled point"}
    assert what[show] in texts(at) and texts(at) == texts(visit(show=show))
    said = " ".join(element.value for element in at.caption)
    assert "unknown label chosen above" in said and "no part" in said


def test_newton_steps_outside_their_range_are_counted_in_the_sentence(finished):
    weak = {"l2": "0.0001", "seeds": "2", "pool": "10"}
    plan = Influence.from_query(LINK | weak)[0]
    for unit in plan.units():
        compute(unit)
    _, data, found = outcomes(LINK | weak)
    counts = [steps_outside(one, data.labels[one["pool"]], "min", False) for one in found]
    beyond, steps = np.sum(counts, axis=0)
    assert beyond > 20 and steps == 200
    said = texts(visit(over="min", **weak))
    assert f"though <b>{beyond} of its 200 steps</b> are outside their range" in said
    assert "are outside their range" not in texts(visit(over="min"))


def test_the_scatter_is_the_pool_of_the_seed_shown(finished):
    for seed in (1, 2):
        at = visit(seed_shown=str(seed))
        _, data, found = outcomes(LINK)
        values = foreseen(found[seed - 1], data.labels[found[seed - 1]["pool"]], "dev")
        charts = at.get("vega_lite_chart")
        for chart, step in zip(charts, ("linear", "newton"), strict=True):
            frame = drawn(chart)[0]
            assert frame["row"].tolist() == found[seed - 1]["pool"].tolist()
            assert frame[step].to_numpy() == pytest.approx(values[step]) and frame[
                "retrained"
            ].to_numpy() == pytest.approx(values["retrained"])


def test_as_predicted_the_first_order_is_one_constant_and_the_page_says_so(finished):
    at = visit(over="predicted")
    first = drawn(at.get("vega_lite_chart")[0])[0]
    assert (
        np.ptp(first["linear"]) == 0
        and "Remark 1" in texts(at)
        and any("It cannot rank" in one.value for one in at.caption)
    )
    warmer = visit(over="predicted", temperature="2.0")
    assert np.ptp(
        drawn(warmer.get("vega_lite_chart")[0])[0]["linear"]
    ) > 0 and "Remark 1" not in texts(warmer)


def test_a_clicked_dot_shows_its_point(finished):
    at = visit()
    _, _, found = outcomes(LINK)
    row = int(found[0]["pool"][4])
    choose_in(at, at.get("vega_lite_chart")[1], picked=[{"row": row}])
    assert not at.exception and at.query_params["point"] == str(row)
    assert galleries(at)[0]["ids"] == [row]


@pytest.mark.parametrize("goal", GOALS)
@pytest.mark.parametrize("show", ["scatter", "spread", "points", "batches", "without"])
def test_every_picture_of_every_goal_is_drawn(finished, show, goal):
    at = visit(show=show, goal=goal, over="min")
    assert not at.error and not at.warning and (at.get("vega_lite_chart") or galleries(at))


def test_the_spread_has_every_meaning_of_the_label(finished):
    at = visit(show="spread", over="predicted")
    assert all(
        name in described(at.get("vega_lite_chart")[0])["alt"]
        for name in ("True label", "Worst label", "As predicted")
    )
    bars = drawn(at.get("vega_lite_chart")[0])[0]
    assert bars.groupby("label")["points"].sum().tolist() == [30] * len(OVER)


def test_best_and_worst_are_the_ends_of_the_retrained_utilities(finished):
    at = visit(show="points", over="max")
    _, data, found = outcomes(LINK)
    values = foreseen(found[0], data.labels[found[0]["pool"]], "dev", "max")["retrained"]
    best, worst = galleries(at)
    order = found[0]["pool"][ties.order(values)]
    assert best["ids"] == order[:15].tolist() and worst["ids"] == order[::-1][:15].tolist()


def test_points_left_out_are_the_labeled_ones(finished):
    at = visit(show="without")
    _, _, found = outcomes(LINK)
    assert drawn(at.get("vega_lite_chart")[0])[0]["retrained"].to_numpy() == pytest.approx(
        left_out(found[0])["retrained"]
    )
    assert set(galleries(at)[0]["ids"]) <= set(found[0]["labeled"].tolist())


def test_rounds_show_accuracy_and_goal_side_by_side(finished):
    at = visit_rounds()
    plan, _, found = outcomes(ROUNDS)
    accuracy, goal = at.get("vega_lite_chart")
    frame = means(accuracy)
    oracle = frame[frame["name"] == "GORAL, true label"]
    mean = np.mean(
        [
            one["accuracy"]
            for one, unit in zip(found, plan.units(), strict=True)
            if unit.strategy == "oracle"
        ],
        axis=0,
    )
    assert oracle["labels"].tolist() == [10, 20, 30, 40]
    assert oracle["mean"].to_numpy() == pytest.approx(mean)
    every = np.array(
        [
            one["accuracy"]
            for one, unit in zip(found, plan.units(), strict=True)
            if unit.strategy == "oracle"
        ]
    )
    ends = np.array([wilson(every[:, i]) for i in range(1, 4)])
    assert oracle[["low", "high"]].to_numpy()[1:] == pytest.approx(ends)
    assert described(goal)["alt"].startswith("Goal at 40 labels: GORAL, true label ")
    last = {
        unit: one["goals"][-1, GOALS.index(plan.goal)]
        for one, unit in zip(found, plan.units(), strict=True)
    }
    goals = np.array(
        [[value for unit, value in last.items() if unit.strategy == name] for name in STRATEGIES]
    )
    goals = goals[:-1] - goals[-1]
    p = stats.ttest_1samp(goals, 0, axis=1).pvalue
    place = list(np.argsort(p)).index(0)
    refused = [bool(one > 0.025 / (5 - i)) for i, one in enumerate(np.sort(p))]
    place = min(place, refused.index(True)) if True in refused else place
    low, high = stats.t.interval(
        1 - 0.025 / (5 - place), 2, loc=goals[0].mean(), scale=stats.sem(goals[0])
    )
    words = texts(at) + " ".join(element.value for element in at.markdown)
    start = words.index("The goal of GORAL with true labels is")
    told = words[start : words.index(")", start)]
    if low > 0 or high < 0:
        near, far = sorted((abs(low), abs(high)))
        assert told.endswith(f"({near:.3g} to {far:.3g}")
    else:
        assert "**unclear** against random's" in told
    assert "10 comparisons over 3 seeds share one level" in " ".join(
        element.value for element in at.caption
    )


def test_snapshots_show_what_was_asked_for_up_to_the_round(finished):
    at = visit_rounds(follow="snapshots", round="2")
    charts = at.get("vega_lite_chart")
    assert len(charts) == 6
    for chart in charts:
        frame = drawn(chart)[0]
        assert (
            (frame["asked"] == 0).sum() == 10
            and (frame["asked"] > 0).sum() == 20
            and frame["asked"].isna().sum() == 80
        )
    assert any("distracting" in str(table.to_dict()) for table in drawn(charts[0]))


def test_snapshots_of_images_say_what_they_need(finished):
    plan = Influence.from_query(ROUNDS | {"dataset": "digits", "labeled": "20"})[0]
    for unit in plan.units()[:6]:
        compute(unit)
    at = visit_rounds(dataset="digits", labeled="20", follow="snapshots")
    assert "Snapshots need points in the plane" in at.info[0].value


def test_the_border_is_where_both_classes_are_equally_probable():
    head = np.array([[1.0, -2.0, 0.5], [0.0, 1.0, -1.0]])
    ends = border(head, [-1, 1, -1, 1])
    logits = np.column_stack([ends, np.ones(2)]) @ head.T
    assert logits[:, 0] == pytest.approx(logits[:, 1]) and np.linalg.norm(ends[1] - ends[0]) > 20
    assert (
        border(np.zeros((2, 3)), [-1, 1, -1, 1]) is None
        and border(np.zeros((3, 3)), [-1, 1, -1, 1]) is None
    )


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"l2": "0"}, "l2: found 0. So few points can be separated"),
        ({"labeled": "12"}, "found 12 for 10 classes, expected at least 20"),
        ({"goal": "glory"}, "goal: found 'glory'"),
        ({"over": "median"}, "over: found 'median'"),
        ({"temperature": "0"}, "temperature: found 0"),
        (
            {"labeled": "2000"},
            (
                "1,438 training points; shown are the settings that fit: labeled 359, validation"
                " 60, pool 30."
            ),
        ),
        (
            {"study": "queries", "unlabeled": "100", "rounds": "11"},
            "11 batches of 10 ask for 110 labels, but there are 100",
        ),
        ({"n": "30"}, "training points, but 40 labeled"),
    ],
)
def test_bad_links_are_told_without_a_traceback(query, said):
    at = visit(**query)
    assert any(said in element.value for element in (*at.warning, *at.error, *at.info))


def test_a_small_dataset_gets_settings_that_fit():
    at = visit_first(dataset="synth2")
    assert (
        not at.error
        and "This dataset has 540 training points" in at.info[0].value
        and widget(at.button, "Start")
    )
    rounds = visit_first(dataset="synth2", study="queries")
    assert not rounds.error and widget(rounds.button, "Start")


def test_the_papers_example_is_one_press_away():
    at = visit()
    widget(at.button, "The paper's synth2").click().run()
    assert not at.exception and at.session_state["spec"].dataset == "synth2"
    assert (
        Influence.from_query({name: at.query_params[name] for name in at.query_params})[0]
        == presets.SYNTH2
    )


def test_the_speed_is_measured_on_these_points():
    visit()
    (key,) = [key for key in jobs._cluster.jobs if key.startswith("~rate")]
    assert "digits" in key and jobs.find(key).result()["rate"] > 0


def test_the_files_hold_every_number(finished):
    from pages.parts.influence import files as influence_files

    plan, data, found = outcomes(LINK)
    table = influence_files._utility_rows(dict(zip(plan.units(), found, strict=True)), data)
    assert len(table) == 3 * len(GOALS) * 30 * 10
    row = table[(table["seed"] == 2) & (table["goal"] == "fisher") & (table["label"] == 7)].iloc[4]
    assert (
        row["newton"] == found[1]["newton"][2, 4, 7]
        and row["true"] == data.labels[found[1]["pool"][4]]
    )
    plan, data, found = outcomes(ROUNDS)
    table = influence_files._query_rows(dict(zip(plan.units(), found, strict=True)), data)
    assert len(table) == 18 * 4 * 4 and set(table["metric"]) == {"accuracy", *GOALS}
    figures = influence_files._figures(plan, data, dict(zip(plan.units(), found, strict=True)), {})
    assert set(figures) == {"test accuracy", "goal"} and all(
        chart().to_dict() for chart in figures.values()
    )
    plan, data, found = outcomes(LINK)
    view = {"goal": "dev", "over": "oracle", "temperature": 1.0, "seed_shown": 1}
    figures = influence_files._figures(
        plan, data, dict(zip(plan.units(), found, strict=True)), view
    )
    assert set(figures) == {"first order", "newton step"} and all(
        chart().to_dict() for chart in figures.values()
    )
