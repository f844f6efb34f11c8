"""Is one training what its settings say: its selection, its order, its length, its objective, its
moments of testing?
"""

import threading
from itertools import chain

import numpy as np
import pytest
import threadpoolctl
import torch

from core import datasets
from core.data import splits
from core.experiments.retrain import run, selections
from core.models import evaluation, networks, training
from core.runtime import threads
from core.types import Dataset, UserError

DATA = datasets.load("digits", n=500)
POOL, TEST = splits.split(DATA)
SCORES = np.random.default_rng(5).permutation(len(POOL)) + 1.0
USUAL = {
    "rule": "random",
    "budget": 150,
    "network": "mlp",
    "protocol": "epochs",
    "length": 2,
    "seed": 1,
}


def a_training(scores=SCORES, data=DATA, **settings):
    return run.train(data, scores, **{**USUAL, **settings})


def same(one, other):
    return all(np.array_equal(one[name], other[name], equal_nan=True) for name in one)


@pytest.fixture
def watched(monkeypatch):
    """What the training loop was given: its recipe, the weights it began with, and each step's rows
    of the pool and loss.
    """
    seen = {"rows": [], "losses": [], "starts": []}

    def step(self, batch, rate, original=training._Run.step):
        seen["recipe"] = self.recipe
        if self.steps == 0:
            seen["starts"].append(self.networks[0].head.weight.tolist())
        seen["rows"].append(batch[0].tolist())
        losses = original(self, batch, rate)
        seen["losses"].append(losses.item())
        return losses

    monkeypatch.setattr(training._Run, "step", step)
    return seen


def spied(monkeypatch, module, name):
    """Every call of a function: its arguments and what it returned."""
    calls, original = [], getattr(module, name)

    def call(*args, **named):
        calls.append((args, original(*args, **named)))
        return calls[-1][1]

    monkeypatch.setattr(module, name, call)
    return calls


def passes(rows, budget=150):
    """The rows of each pass, from those of each step."""
    flat = [*chain(*rows)]
    return [flat[i : i + budget] for i in range(0, len(flat), budget)]


def selected(rule="random", budget=150, seed=1):
    return run.select(DATA, POOL, SCORES, rule, budget, seed)[0].tolist()


# protocols


def test_equal_epochs_goes_through_every_selection_equally_often(watched):
    for budget, length in ((150, 3), (40, 3), (64, 2)):
        watched["rows"].clear()
        arrays, facts = a_training(budget=budget, length=length)
        each = passes(watched["rows"], budget)
        assert len(each) == length and all(
            sorted(one) == sorted(selected(budget=budget)) for one in each
        )
        assert (
            facts["steps"] == length * -(-budget // 64) == arrays["step"][-1]
            and arrays["epoch"][-1] == length
        )
        assert each[0] != each[1] and each[0] != selected(budget=budget)  # a new order each time
    assert watched["recipe"].objective == "cross_entropy" and watched["recipe"].order == "shuffle"


def test_equal_steps_takes_as_many_at_every_budget(watched):
    for budget, epochs in ((150, 4), (40, 10), (400, 2)):
        watched["rows"].clear()
        arrays, facts = a_training(budget=budget, length=10, protocol="steps")
        assert (
            facts["steps"] == len(watched["rows"]) == arrays["step"][-1] == 10
            and arrays["epoch"][-1] == epochs
        )
        whole = [one for one in passes(watched["rows"], budget) if len(one) == budget]
        assert whole and all(sorted(one) == sorted(selected(budget=budget)) for one in whole)
    assert watched["recipe"].objective == "cross_entropy" and watched["recipe"].order == "shuffle"


@pytest.mark.parametrize("rule", ["top", "random"])
def test_as_in_the_talk_keeps_the_order_and_takes_softmax_twice(watched, rule):
    _, facts = a_training(rule=rule, protocol="talk", length=2)
    order = selected(rule)
    assert passes(watched["rows"]) == [order, order] and facts["steps"] == 6
    if rule == "top":
        assert order == np.argsort(-SCORES)[:150].tolist()
    fresh = networks.build("mlp", classes=10, shape=DATA.shape, seed=1)
    rows = POOL[order[:64]]
    with torch.no_grad():
        z, labels = fresh(torch.tensor(DATA.points[rows])).double(), torch.tensor(DATA.labels[rows])
    once = torch.exp(z) / torch.exp(z).sum(1, keepdim=True)
    twice = torch.exp(once) / torch.exp(once).sum(1, keepdim=True)
    assert watched["losses"][0] == pytest.approx(
        -twice[range(64), labels].log().mean().item(), rel=1e-5
    )
    a_training(rule=rule, protocol="epochs", length=1)
    assert watched["losses"][6] < 10 and watched["losses"][6] != pytest.approx(
        watched["losses"][0], rel=1e-3
    )


def test_weights_multiply_the_losses_of_what_was_drawn(watched):
    a_training(rule="proportional_weighted", protocol="talk", length=1, budget=64)
    rows = watched["rows"][0]
    fresh = networks.build("mlp", classes=10, shape=DATA.shape, seed=1)
    with torch.no_grad():
        outputs = fresh(torch.tensor(DATA.points[POOL[rows]])).softmax(-1)
        each = torch.nn.functional.cross_entropy(
            outputs, torch.tensor(DATA.labels[POOL[rows]]), reduction="none"
        )
    by_hand = (each.double().numpy() * SCORES.sum() / SCORES[rows] / len(POOL)).mean()
    assert watched["losses"][0] == pytest.approx(by_hand, rel=1e-5) and by_hand != pytest.approx(
        each.mean().item(), rel=0.01
    )
    a_training(rule="proportional", protocol="talk", length=1, budget=64)
    assert watched["rows"][-1] == rows and watched["losses"][-1] == pytest.approx(
        each.mean().item(), rel=1e-5
    )


# seeds


def test_one_seed_gives_one_result_bit_for_bit():
    first, again = a_training()[0], a_training()[0]
    assert same(first, again) and same(again, a_training()[0]) and first["loss"].dtype == np.float64


def test_two_trainings_at_once_are_those_done_alone():
    """In threads of their own, as in a worker; fi_cnn draws random numbers while it trains."""
    settings = [
        {"seed": seed, "network": network}
        for seed, network in ((1, "fi_cnn"), (2, "mlp"), (3, "fi_cnn"), (4, "mlp"))
    ]
    alone, together = [a_training(**each)[0] for each in settings], [None] * len(settings)

    def one(place):
        together[place] = a_training(**settings[place])[0]

    threads = [threading.Thread(target=one, args=(place,)) for place in range(len(settings))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(same(a, b) for a, b in zip(alone, together, strict=True)) and not same(
        alone[0], alone[2]
    )


def test_each_seed_redraws_selection_weights_and_batches(watched):
    orders = []
    for rule, seed in (("random", 1), ("random", 2), ("top", 1), ("top", 2)):
        watched["rows"].clear()
        a_training(rule=rule, seed=seed, length=1)
        orders.append([*chain(*watched["rows"])])
    assert sorted(orders[0]) != sorted(orders[1])  # random selections differ from seed to seed
    assert (
        sorted(orders[2]) == sorted(orders[3]) and orders[2] != orders[3]
    )  # the top ones stay; batches are drawn anew
    starts = watched["starts"]
    assert (
        starts[0] == starts[2] != starts[1] == starts[3]
    )  # one seed, one initial network, whatever was selected


def test_what_is_selected_depends_on_neither_network_nor_length():
    chosen = [
        a_training(network=network, length=length)[0]["chosen"]
        for network, length in (("mlp", 1), ("linear", 3), ("fi_cnn", 1))
    ]
    assert (
        all(np.array_equal(chosen[0], each) for each in chosen)
        and chosen[0].tolist() == POOL[selected()][: run.SHOWN].tolist()
    )


def test_the_callers_threads_and_generator_are_left_alone():
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        inside = []
        a_training(progress=lambda *_: inside.append(torch.get_num_threads()))
        assert (
            set(inside) == {1}
            and torch.get_num_threads() == 2
            and torch.equal(state, torch.get_rng_state())
        )
        with pytest.raises(UserError, match="unknown"):
            a_training(progress=lambda *_: (_ for _ in ()).throw(UserError("unknown")))
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)


# what comes out


def test_the_outcome_is_that_of_the_final_network(monkeypatch):
    built = spied(monkeypatch, networks, "build")
    arrays, facts = a_training(rule="top", length=4)
    outputs = built[0][1](torch.tensor(DATA.points[TEST])).detach()
    guesses, labels = outputs.argmax(1).numpy(), DATA.labels[TEST]
    assert arrays["accuracy"][-1] == (guesses == labels).mean()
    assert arrays["per_class"].tolist() == [(guesses[labels == c] == c).mean() for c in range(10)]
    assert arrays["loss"] == pytest.approx(
        -outputs.double().log_softmax(-1)[range(len(labels)), labels].mean().item(), rel=1e-6
    )
    best = POOL[np.argsort(-SCORES)]
    assert arrays["chosen"].tolist() == best[: run.SHOWN].tolist()
    assert (
        arrays["classes"].tolist() == np.bincount(DATA.labels[best[:150]], minlength=10).tolist()
        and arrays["classes"].sum() == 150
    )
    assert facts["seconds"] > 0 and facts["samples_per_second"] == pytest.approx(
        600 / facts["seconds"]
    )


@pytest.mark.parametrize(
    ("settings", "epochs", "steps"),
    [
        ({"length": 1}, [1], [3]),
        ({"length": 4}, [1, 2, 3, 4], [3, 6, 9, 12]),
        ({"length": 30}, list(range(2, 31, 2)), list(range(6, 91, 6))),
        ({"length": 5, "protocol": "steps"}, [1, 2], [3, 5]),
        ({"length": 10, "protocol": "steps", "budget": 9}, list(range(1, 11)), list(range(1, 11))),
        ({"length": 2, "budget": 1}, [1, 2], [1, 2]),
    ],
)
def test_checkpoints_are_spread_over_the_passes_and_the_last_is_the_end(settings, epochs, steps):
    arrays = a_training(**settings, network="linear")[0]
    assert (
        arrays["epoch"].tolist() == epochs
        and arrays["step"].tolist() == steps
        and len(arrays["accuracy"]) == len(epochs)
    )
    assert len(epochs) <= run.CHECKPOINTS


def test_checkpoints_look_at_a_fixed_sample_and_the_last_one_at_all(monkeypatch):
    monkeypatch.setattr(run, "CURVE_POINTS", 40)
    calls = spied(monkeypatch, evaluation, "evaluate")
    a_training(length=3)
    labels = [arguments[2] for arguments, _ in calls]
    assert [len(each) for each in labels] == [40, 40, len(TEST)] and np.array_equal(
        labels[0], labels[1]
    )
    assert set(np.bincount(labels[0])) <= {3, 4, 5}  # every class has its share


def test_progress_is_told_after_every_step():
    told = []
    a_training(progress=lambda step, steps, loss: told.append((step, steps, np.isfinite(loss))))
    assert told == [(step, 6, True) for step in range(1, 7)]


def test_a_training_learns():
    data = datasets.load("digits")
    accuracy = a_training(None, data, budget=1000, length=15)[0]["accuracy"]
    assert accuracy[-1] > 0.9 and accuracy[-1] > accuracy[0] + 0.1


# pool and test points


def test_a_fifth_of_each_class_is_held_out_where_nothing_is_published():
    assert len(TEST) == 100 and sorted([*POOL, *TEST]) == list(range(500)) and not DATA.test.any()
    shares = np.bincount(DATA.labels[TEST]) / np.bincount(DATA.labels)
    assert np.allclose(shares, 0.2, atol=0.02) and all(
        np.array_equal(a, b) for a, b in zip(splits.split(DATA), (POOL, TEST), strict=True)
    )


def points(labels, test):
    labels = np.array(labels)
    return Dataset(
        "own", np.zeros((len(labels), 8, 8), np.uint8), labels, ("a", "b"), np.array(test, bool)
    )


def test_published_parts_are_kept_and_points_without_a_label_are_in_neither():
    pool, test = splits.split(points([0, -1, 1, 0, -1, 1], [0, 0, 0, 1, 1, 1]))
    assert pool.tolist() == [0, 2] and test.tolist() == [3, 5]


@pytest.mark.parametrize(
    ("labels", "test", "found"),
    [
        ([0, 1], [1, 1], "0 labeled training points and 2"),
        ([0, 1, 0], [0] * 3, "3 labeled training points and 0"),
        ([-1], [0], "0 label"),
    ],
)
def test_too_few_points_are_told(labels, test, found):
    with pytest.raises(
        UserError,
        match=f"own: found {found}.*expected some of each. (Choose|Label some)",
    ):
        splits.split(points(labels, test))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"protocol": "fast"}, "Protocol: found 'fast', expected one of epochs, steps, talk"),
        ({"rule": "best"}, "Selection rule: found 'best'"),
        (
            {"rule": "top", "scores": None},
            "Top: found no scores. This rule ranks the points: give it a strategy.",
        ),
        ({"budget": 401}, "Budget k: found 401, but 400 points can be picked"),
        ({"rule": "random_balanced", "budget": 5}, "found a budget of 5 for 10 classes"),
        ({"network": "lenet5"}, "lenet5 needs images of at least 12 pixels a side, found 8"),
        ({"network": "transformer"}, "Network: found 'transformer'"),
        ({"length": 0}, "epochs: found 0, expected a whole number of at least 1"),
        ({"budget": 0}, "Budget: found 0 points, expected at least 1 to train on."),
    ],
)
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(UserError) as told:
        a_training(settings.pop("scores", SCORES), **settings)
    assert message in str(told.value)


def test_rules_without_scores_ignore_them():
    assert same(a_training()[0], a_training(None)[0]) and not selections.find("random").scored


def _threads() -> set[int]:
    """How many threads NumPy's matrix products may use."""
    return {
        library["num_threads"]
        for library in threadpoolctl.threadpool_info()
        if library["user_api"] == "blas"
    }


def test_matrix_products_use_one_thread_until_the_last_unit_ends():
    with threadpoolctl.threadpool_limits(limits=2, user_api="blas"):
        first, second = threads.one_thread(), threads.one_thread()
        first.__enter__()
        second.__enter__()
        assert _threads() == {1}
        first.__exit__(None, None, None)
        assert _threads() == {1}, "the second is still at it"
        second.__exit__(None, None, None)
        assert _threads() == {2}
