"""May a visitor of the hosted demo hurt it, or read of its insides?

Bounds, refusals, and what is left of a message.
"""

import os
import re
import threading

import numpy as np
import pytest

from core import pipeline
from core.experiments import presets, runner, store
from core.experiments.active.plan import Active
from core.experiments.retrain import plan as retrain
from core.experiments.retrain.plan import Retraining
from core.hosting import limits, policy
from core.hosting.policy import BOUNDS
from core.plugins import menu
from core.runtime import cache, jobs, tasks, worker
from core.spec import Comparison, Spec, scores_key
from core.types import UserError
from pages.shared import cached, visitor
from pages.shared.serving.allowances import Allowance
from tests.tools import job_desk, pages
from tests.tools.pages import widget

asked, held = pages.asked, pages.held
INSIDES = re.compile(
    r"(?<![\w:/.])/(?:tmp|var|usr|opt|etc|root|srv|[\w.-]+/[\w.-]+)|LEVERAGE_LAB|\b\w*Error\b|Traceback"
)


@pytest.fixture
def hosted(monkeypatch):
    monkeypatch.setenv("LEVERAGE_LAB_HOSTED", "1")
    monkeypatch.setattr(runner, "_queue", runner._Queue())


def seen(at) -> str:
    """All that stands on the page."""
    kinds = (at.error, at.warning, at.info, at.markdown, at.caption, at.title, at.exception)
    return "\n".join(
        [
            pages.texts(at),
            *(str(element.value) for kind in kinds for element in kind),
            *(b.label for b in at.button),
        ]
    )


def test_the_quick_strategies_are_there():
    assert set(limits.QUICK) <= set(menu.rankers())


# the switch


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1", True), ("true", True), (" YES ", True), ("0", False), ("", False), ("no", False)],
)
def test_one_variable_says_so(text, expected, monkeypatch):
    monkeypatch.setenv("LEVERAGE_LAB_HOSTED", text)
    assert policy.hosted() is expected
    monkeypatch.delenv("LEVERAGE_LAB_HOSTED")
    assert policy.hosted() is False


# what is said

INTERNAL = [
    "The result could not be stored in /srv/someone/cache (No space left on device).",
    "Data folder C:\\data: found that it cannot be used.",
    "Set LEVERAGE_LAB_DATA to another folder.",
    "The computation stopped with KeyError: 'x'.",
    "Scheduler: found no answer at tcp://10.0.0.1:8786 within 5 seconds.",
    "Scheduler: found no answer at tls://host:8786 within 5 seconds.",
    "found '../secrets'",
    "[Errno 13] Permission denied",
]
HARMLESS = [
    "Budget k: found 90,000, but 60,000 points can be picked. Choose k between 0 and 60,000.",
    "Scores add up to the rank, so the average is rank / n, here 1/2.",
    "See https://example.org/leverage for more.",
    "Ridge: found 'x', expected a number.",
    "Candidates: found 'top/raw', expected rule:embedding.",
]


@pytest.mark.parametrize("message", INTERNAL)
def test_a_visitor_reads_a_number_in_place_of_the_insides(message, hosted, caplog):
    said = policy.said(message)
    number = re.fullmatch(
        rf"{re.escape(policy.BROKEN)} Its host finds the details in the log under the number"
        r" ([0-9a-f]{8})\.",
        said,
    )[1]
    assert f"{number}: {message}" in caplog.text and not INSIDES.search(said)
    assert policy.said(message) == said and caplog.text.count(message) == 1, (
        "a page that is drawn again logs nothing new"
    )


@pytest.mark.parametrize("message", HARMLESS)
def test_what_a_visitor_can_mend_is_said_as_it_is(message, hosted):
    assert policy.said(message) == message


@pytest.mark.parametrize("message", INTERNAL + HARMLESS)
def test_at_home_everything_is_said(message):
    assert policy.said(message) == policy.hidden(message) == message


# the bounds

MNIST = Spec()
REFUSED = [
    (tasks.MAP, MNIST, "70,000 points to be drawn on a map"),
    (
        tasks.SCORES,
        MNIST.with_(n=2001, strategy="influence_value"),
        "2,001 points (strategy: Influence, helpful first)",
    ),
    (
        tasks.SCORES,
        MNIST.with_(strategy="typicality"),
        "70,000 points (strategy: Typicality)",
    ),
    (
        tasks.SCORES,
        MNIST.with_(n=10_001, strategy="entropy"),
        "10,001 points (strategy: Entropy)",
    ),
    (
        tasks.SCORES,
        MNIST.with_(embedding="random_relu", embedding_knobs=(("k", "16384"),)),
        "1,146,880,000 values to be scored",
    ),
    (tasks.SCORES, Spec().with_(dataset="cifar10"), "184,320,000 values"),
    (
        tasks.AGREEMENT,
        Comparison(
            tuple(
                MNIST.with_(embedding="pca", embedding_knobs=(("k", str(k)),)) for k in range(1, 20)
            )
        ),
        "1,330,000 scores in one comparison",
    ),
    (
        tasks.REPLAY,
        Active().with_(pool=50_000).units()[0],
        "50,000 points in the pool",
    ),
    (tasks.FETCH_DATASET, "cifar10", "python -m core fetch cifar10"),
]
ALLOWED = [
    (tasks.SCORES, MNIST.with_(strategy_knobs=(("ridge", "0.1"),))),
    (tasks.SCORES, MNIST.with_(strategy="class_leverage")),
    (tasks.SCORES, MNIST.with_(n=10_000, strategy="entropy")),
    (tasks.SCORES, MNIST.with_(n=2000, strategy="influence_value")),
    (tasks.MAP, MNIST.with_(n=10_000)),
    (tasks.SCORES, Spec().with_(dataset="cifar10", n=5000)),
    (tasks.AGREEMENT, Comparison((MNIST, MNIST.with_(embedding="pca")), 500)),
    (tasks.REPLAY, Active().units()[0]),
]


@pytest.mark.parametrize(("task", "argument", "why"), REFUSED)
def test_a_question_too_large_is_refused_with_the_number_and_a_mend(
    task, argument, why, hosted, monkeypatch
):
    with pytest.raises(UserError, match=re.escape(why)) as refusal:
        limits.check_task(task, (argument, 0))
    assert "hosted demo" in str(refusal.value) and not INSIDES.search(str(refusal.value))
    assert task.endswith("fetch_dataset") or "on your own machine" in str(refusal.value)
    monkeypatch.delenv("LEVERAGE_LAB_HOSTED")
    limits.check_task(task, (argument, 0))


@pytest.mark.parametrize(("task", "argument"), ALLOWED)
def test_what_an_audience_tries_is_allowed(task, argument, hosted):
    limits.check_task(task, (argument, 0))


PLAN = Retraining().with_(
    dataset="digits", network="linear", budgets="50 100", candidates="random", seeds=2
)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"seeds": BOUNDS.seeds + 1}, f"{BOUNDS.seeds + 1} seeds"),
        (
            {"budgets": " ".join(map(str, range(10, 10 * (BOUNDS.budgets + 2), 10)))},
            f"{BOUNDS.budgets + 1} budgets",
        ),
        ({"dataset": "mnist", "budgets": "100 50000"}, "50,000 points in the largest budget"),
        (
            {
                "seeds": 20,
                "budgets": "10 20 30 40 50",
                "candidates": "top:raw bottom:raw top:pca random",
            },
            "400 trainings",
        ),
    ],
)
def test_an_experiment_too_large_is_refused(changes, why, hosted):
    plan = PLAN.with_(**changes)
    with pytest.raises(UserError, match=re.escape(why)):
        limits.check_plan(plan, plan.units(), 1.0)
    limits.check_plan(plan, [], 1.0)  # all of it is finished: nothing would be computed


def test_an_experiment_may_keep_the_machine_busy_for_some_minutes(hosted, monkeypatch):
    limits.check_plan(PLAN, PLAN.units(), 60 * BOUNDS.minutes)
    with pytest.raises(UserError, match=f"about {BOUNDS.minutes + 1:g} minutes of work"):
        limits.check_plan(PLAN, PLAN.units(), 60 * BOUNDS.minutes + 1)
    monkeypatch.delenv("LEVERAGE_LAB_HOSTED")
    limits.check_plan(PLAN.with_(seeds=50), PLAN.units(), 1e9)


def test_every_experiment_that_comes_finished_could_be_varied(hosted):
    """A visitor who changes one setting of what they see is not refused for what they did not
    change.
    """
    for plans in presets.BUNDLED.values():
        for plan in plans:
            if (
                len(plan.units()) <= BOUNDS.units
                and max(getattr(plan, "budgets", (0,))) <= BOUNDS.pool
            ):
                limits.check_plan(plan, plan.units(), None)


def test_the_queues_are_bounded(hosted, monkeypatch):
    limits.check_queue(BOUNDS.jobs - 1, BOUNDS.address_jobs - 1, BOUNDS.queue - 1)
    limits.check_experiments(BOUNDS.experiments - 1)
    for own, address, everyone, why in (
        (BOUNDS.jobs, 0, 0, "of yours under way"),
        (0, BOUNDS.address_jobs, 0, "waiting from your network"),
        (0, 0, BOUNDS.queue, "waiting on this server"),
    ):
        with pytest.raises(UserError, match=why):
            limits.check_queue(own, address, everyone)
    with pytest.raises(UserError, match="experiments waiting on this server"):
        limits.check_experiments(BOUNDS.experiments)
    monkeypatch.delenv("LEVERAGE_LAB_HOSTED")
    limits.check_experiments(10_000)


# on the pages


def test_a_link_cannot_ask_for_what_the_widgets_would_not_give(hosted, asked):
    at = pages.visit("pages/explore.py", strategy="influence_value")
    assert (
        not at.exception
        and asked == []
        and "70,000 points (strategy: Influence, helpful first)" in at.error[0].value
    )
    assert not [b for b in at.button if b.label == "Try again"], (
        "the same question would be refused again"
    )
    widget(at.select_slider, "Points").set_value(1000).run()
    assert not at.error and tasks.SCORES in asked


def test_bundled_results_are_shown_without_a_question(hosted, asked):
    for page in (
        "explore",
        "agreement",
        "map",
        "retrain",
        "active",
        "influence",
        "trim",
        "simulations",
        "lesson",
    ):
        at = pages.visit(f"pages/{page}.py")
        assert not at.exception and not at.error, page
        assert asked == [], page


def test_the_worker_waits_until_somebody_asks_for_work(hosted, monkeypatch):
    timers = []
    monkeypatch.setattr(threading, "Timer", lambda *details: timers.append(details))
    cached.prepare_server.clear()
    pages.visit("pages/explore.py")
    assert timers == []
    monkeypatch.delenv("LEVERAGE_LAB_HOSTED")
    cached.prepare_server.clear()
    with pytest.raises(AttributeError, match="daemon"):
        cached.prepare_server()
    assert len(timers) == 1
    monkeypatch.undo()
    cached.prepare_server.clear()


def test_visitors_download_nothing(hosted, asked, monkeypatch, tmp_path):
    monkeypatch.setenv("LEVERAGE_LAB_DATA", str(tmp_path / "nothing" / "here"))
    for page in ("explore", "agreement", "map", "retrain"):
        at = pages.visit(f"pages/{page}.py", dataset="kmnist")
        assert not at.exception and asked == [] and "python -m core fetch kmnist" in seen(at)
        assert not [
            b for b in at.button if b.label.startswith("Download K")
        ] and not INSIDES.search(seen(at))


def failing(*_):
    raise KeyError(os.getcwd())


def test_a_worker_that_stumbles_says_a_number(hosted, monkeypatch, caplog):
    monkeypatch.setattr(jobs, "submit", lambda task, *args, key, **how: stumbled(key, task, args))
    at = pages.visit("pages/explore.py", **pages.DIGITS)
    assert (
        not at.exception
        and "The computation stopped unexpectedly." in at.error[0].value
        and not INSIDES.search(seen(at))
    )
    assert (
        re.search(r"number ([0-9a-f]{8})", at.error[0].value)[1] in caplog.text
        and "KeyError" in caplog.text
    )


def stumbled(key, task, args):
    from core.runtime.job import explain

    job = job_desk.put(jobs.Job(key, task, args))
    try:
        failing()
    except KeyError as error:
        job._finish("failed", error=explain(error, key, error.__traceback__))
    return job


@pytest.mark.parametrize("place", ["a file", "no folder of ours"])
def test_a_disk_that_refuses_is_told_without_its_name(place, hosted, monkeypatch, tmp_path):
    (tmp_path / "taken").write_text("not a folder")
    monkeypatch.setenv(
        "LEVERAGE_LAB_CACHE",
        str(tmp_path / "taken" / "cache") if place == "a file" else "/proc/cache",
    )
    at = pages.visit("pages/explore.py", **pages.DIGITS)
    assert not at.exception and pages.galleries(at) and "could not keep it" in at.warning[0].value
    assert not INSIDES.search(seen(at)) and str(tmp_path) not in seen(at)


def test_a_wrong_setting_of_the_host_is_not_a_visitors_business(hosted, monkeypatch):
    monkeypatch.setenv("LEVERAGE_LAB_CACHE_GB", "plenty")
    at = pages.visit("pages/explore.py")
    assert not at.exception and policy.BROKEN in at.error[0].value and not INSIDES.search(seen(at))


# experiments

PAGE = "pages/retrain.py"
LINK = {
    "dataset": "digits",
    "network": "linear",
    "budgets": "50 100",
    "candidates": "random",
    "seeds": "2",
    "epochs": "2",
}


@pytest.fixture
def measured(monkeypatch):
    """A measurement that is at hand: so many samples per second."""

    def measured(rate):
        key = PLAN.measurement.key
        job = job_desk.put(jobs.Job(key, tasks.NETWORK_SPEED, ()))
        rates = {"trained": rate, "tested": rate, "begun": rate}
        found = {"rate": rate, "rates": rates, "memory": 3e8, "weights": 650.0}
        job._finish("done", value=found)

    monkeypatch.setattr(jobs, "slots", lambda: 1)
    return measured


def test_an_experiment_beyond_the_bounds_cannot_be_started(hosted, measured):
    measured(1.0)
    at = pages.visit(PAGE, **LINK)
    assert (
        not at.exception
        and "on the hosted demo an experiment may take 10" in seen(at)
        and widget(at.button, "Start").disabled
    )
    key = store.plan_key(
        retrain.Retraining.from_query(LINK)[0], cached.dataset("digits", None, 0).fingerprint
    )
    at = pages.visit(PAGE, **LINK, job=key)
    assert not at.exception and runner.unfinished() == [], (
        "a link with its job starts nothing either"
    )


def test_an_experiment_begins_when_it_is_known_how_long_it_takes(hosted, measured, held):
    begun = held(None)
    key = store.plan_key(
        retrain.Retraining.from_query(LINK)[0], cached.dataset("digits", None, 0).fingerprint
    )
    at = pages.visit(PAGE, **LINK, job=key)
    assert (
        not at.exception
        and "Measuring" in seen(at)
        and runner.unfinished() == []
        and [job.task for job in begun] == [tasks.NETWORK_SPEED]
    )
    rates = {"trained": 1e6, "tested": 1e6, "begun": 1e6}
    found = {"rate": 1e6, "rates": rates, "memory": 3e8, "weights": 650.0}
    begun[0]._finish("done", value=found)
    at.run()
    assert [one.key for one in runner.unfinished()] == [key]
    runner.cancel(key, None)


def test_past_experiments_are_ones_own(hosted, measured):
    measured(1e6)
    one = pages.visit(PAGE, **LINK)
    widget(one.button, "Start").click().run()
    (running,) = runner._queue.sweeps.values()
    while not running.finished:
        pass
    one.run()
    other = pages.visit(PAGE, **LINK)
    listed = [[b for b in at.button if (b.key or "").startswith("history")] for at in (one, other)]
    assert len(listed[0]) == 1 and listed[1] == [] and "None yet on these points" in seen(other)


def test_past_experiments_of_the_app_are_everybodys(hosted, measured, monkeypatch):
    record = {
        "kind": "retrain",
        "plan": PLAN.to_query(),
        "title": "bundled",
        "started": 1.0,
        "data": cached.dataset("digits", None, 0).fingerprint,
    }
    key = cache.bundled_key(runner.history_key(store.plan_key(PLAN, record["data"])))
    cache.put(key, {}, record)
    measured(1e6)
    at = pages.visit(PAGE, **LINK)
    assert [b.label.split("  ")[0] for b in at.button if (b.key or "").startswith("history")] == [
        "bundled"
    ]


# turns


def test_at_home_a_question_stays_when_the_next_is_asked(held):
    begun = held("scores")
    at = pages.visit("pages/explore.py", **pages.DIGITS)
    for ridge in (1.0, 10.0):
        widget(at.select_slider, "Ridge λ").set_value(ridge).run()
    assert [job.state for job in begun] == ["running"] * 3


def test_on_the_hosted_demo_a_newer_question_takes_the_place_of_an_older_one(hosted, held):
    begun = held("scores")
    at = pages.visit("pages/explore.py", **pages.DIGITS)
    for ridge in (1.0, 10.0):
        widget(at.select_slider, "Ridge λ").set_value(ridge).run()
    assert [job.state for job in begun] == [
        "cancelled",
        "running",
        "running",
    ], "the last but one goes with the next run"
    at.run()
    assert [job.state for job in begun] == ["cancelled", "cancelled", "running"] and at.get(
        "progress"
    )
    assert jobs.find(begun[0].key) is None, (
        "whoever asks for it next is not told that it was stopped"
    )


def test_what_another_visitor_waits_for_goes_on(hosted, held):
    begun = held("scores")
    one, two = (pages.visit("pages/explore.py", **pages.DIGITS) for _ in range(2))
    assert len(begun) == 1 and len(begun[0].owners) == 2
    widget(one.button, "Stop").click().run()
    assert (
        begun[0].state == "running"
        and "Stopped. Nothing was lost" in one.info[0].value
        and not one.get("progress")
    )
    two.run()
    assert two.get("progress") and len(begun[0].owners) == 1
    widget(one.button, "Try again").click().run()
    assert one.get("progress") and len(begun[0].owners) == 2 and len(begun) == 1
    for at in (one, two):
        widget(at.button, "Stop").click().run()
    assert begun[0].state == "cancelled"


def test_a_visitor_has_a_bounded_number_of_questions(hosted, held, monkeypatch):
    begun = held("scores")
    monkeypatch.setattr(
        visitor, "_let_go_of_older", lambda run: None
    )  # one who asks faster than the page lets go
    at = pages.visit("pages/explore.py", **pages.DIGITS)
    for ridge in (0.001, 0.01, 0.1, 1.0, 10.0, 100.0, 1000.0):
        at.query_params["s.ridge"] = str(ridge)
        at.run()
    assert (
        len(begun) == BOUNDS.jobs
        and f"Found {BOUNDS.jobs} computations of yours under way" in at.error[0].value
    )


def test_a_job_that_waits_says_behind_how_many(hosted, held):
    begun = held("scores")
    at = pages.visit("pages/explore.py", **pages.DIGITS)
    for number in range(2):
        owners = {str(number) * policy.CLIENT}
        job_desk.put(jobs.Job(f"other{number}", "a:b", (), state="queued", owners=owners))
    begun[0].state, begun[0]._queue = "queued", jobs._cluster
    assert at.run().get("progress")[0].proto.text.startswith("Waiting for its turn")
    jobs._cluster.jobs[begun[0].key] = jobs._cluster.jobs.pop(begun[0].key)
    assert at.run().get("progress")[0].proto.text.startswith("Waiting, 2 before this one")


@pytest.fixture
def desk(monkeypatch):
    """desk(rooms): a hosted queue without workers, and the keys that were sent to them."""

    def desk(rooms=False):
        sent = []

        class Client:
            status = "running"

            def subscribe_topic(self, *_):
                pass

            def nthreads(self):
                return {"worker": 3}

            def submit(self, function, task, *args, key, **how):
                sent.append(key.rpartition("-")[0])
                return Future()

        class Future:
            def add_done_callback(self, _):
                pass

            def cancel(self):
                pass

        monkeypatch.undo()  # jobs are truly submitted
        monkeypatch.setenv("LEVERAGE_LAB_HOSTED", "1")
        cluster = jobs._Cluster()
        cluster.client, cluster.rooms = Client(), rooms
        monkeypatch.setattr(worker, "processors", lambda: 1)
        monkeypatch.setattr(jobs, "_cluster", cluster)
        return sent

    return desk


def test_one_visitor_has_one_computation_at_a_time(desk):
    sent = desk()
    made = {name: jobs.submit("a:b", key=name, owner=name[0]) for name in ("a1", "a2", "a3", "b1")}
    free = jobs.submit("a:b", key="free")
    assert sent == ["a1", "b1", "free"] and made["a2"].state == "queued" and free.owners == set()
    jobs.let_go("a3", "a")
    made["a1"]._finish("done", value=1)
    assert (
        sent[3:] == ["a2"] and made["a3"].state == "cancelled" and jobs.wanted("a") == [made["a2"]]
    )
    jobs.join("b1", "a")
    jobs.let_go("b1", "b")
    assert made["b1"].state == "queued" and made["b1"].owners == {"a"}


def test_clients_are_served_in_turn_whatever_their_tabs_and_questions(desk):
    """Two tabs of one client, twelve hex digits in common, ask first and the most."""
    sent = desk(rooms=True)
    many = [f"{'a' * 12}{tab}" for tab in (0, 1)]
    made = {}
    for i in range(4):
        made[f"a{i}"] = jobs.submit("a:b", key=f"a{i}", owner=many[i % 2], room=worker.HEAVY)
    for name in ("b0", "c0", "b1"):
        made[name] = jobs.submit("a:b", key=name, owner=name[0] * 12, room=worker.HEAVY)
    made["unit"] = jobs.submit("a:b", key="unit", room=worker.HEAVY)
    assert [made[name].position for name in ("b0", "c0", "unit", "a1")] == [0, 1, 2, 3]
    while not made[sent[-1]].finished:
        made[sent[-1]]._finish("done")
    assert sent == ["a0", "b0", "c0", "unit", "a1", "b1", "a2", "a3"]


def test_what_was_let_go_while_the_worker_started_is_not_sent(desk):
    sent = desk()
    job = jobs.Job("gone", "a:b", ())
    job._finish("cancelled")
    jobs._cluster._send(job)
    assert job.state == "cancelled" and sent == []


def test_what_is_heavy_holds_up_nothing_that_is_light(desk):
    sent = desk(rooms=True)
    for name in ("h1", "h2", "l1", "l2", "l3"):
        room = worker.HEAVY if name[0] == "h" else worker.LIGHT
        jobs.submit("a:b", key=name, owner=name, room=room)
    assert sent == ["h1", "l1", "l2"], "one heavy one, and as many light ones as there are threads"


def test_a_visitor_asks_so_much_within_a_minute(hosted, held, monkeypatch):
    begun = held("scores")
    monkeypatch.setattr(visitor, "_asked", [Allowance(1, per_second=0.01) for _ in range(2)])
    at = pages.visit("pages/explore.py", **pages.DIGITS)
    assert len(begun) == 1 and not at.error
    at.query_params["s.ridge"] = "0.1"
    at.run()
    assert len(begun) == 1 and "Try again in 100 seconds." in at.error[0].value


def test_what_a_tab_that_is_gone_waited_for_leaves_the_queue_before_its_visit_ends(
    hosted, monkeypatch
):
    monkeypatch.setattr(visitor, "LOOK", 0.02)
    monkeypatch.setattr(visitor, "GRACE", 1.0)
    monkeypatch.setattr(visitor, "here", lambda owner: False)
    owner, guests = "a" * 32, visitor._Guests()
    jobs_of = {
        state: job_desk.put(jobs.Job(state, "a:b", (), state=state, owners={owner}))
        for state in ("queued", "running")
    }
    guests.left(owner)
    assert jobs_of["queued"].wait(10) and jobs_of["queued"].state == "cancelled"
    assert jobs_of["running"].state == "running" and owner in guests.away
    guests.thread.join(10)


def test_a_dossier_tells_of_what_its_visitor_has_seen(hosted, monkeypatch):
    """And of what is bundled; at home of everything that is kept."""
    mine, theirs = (
        Spec().with_(dataset="digits", embedding="pca", seed=1, strategy=name)
        for name in ("leverage", "entropy")
    )
    entries = {spec: pipeline.scores(spec) for spec in (mine, theirs)}
    fingerprint = pipeline.dataset("digits", None, 0).fingerprint
    session = {}
    monkeypatch.setattr(cached.st, "session_state", session)
    cached._saw(entries[mine])
    told = {spec for spec, _ in cached.every_scores(fingerprint)}
    assert mine in told and theirs not in told
    monkeypatch.delenv("LEVERAGE_LAB_HOSTED")
    assert {mine, theirs} <= {spec for spec, _ in cached.every_scores(fingerprint)}


def test_results_are_as_at_home(hosted, digits=None):
    spec = Spec().with_(dataset="digits")
    entry = pipeline.scores(spec)
    assert entry.key == scores_key(spec, pipeline.dataset("digits", None, 0).fingerprint)
    assert np.isclose(entry.arrays["scores"].sum(), entry.facts["rank"])
