"""Rounds of active learning on small digits: what is labeled when, by whom, and what is recorded of
it.
"""

import dataclasses

import numpy as np
import pytest

from core import datasets, strategy
from core.data.splits import split
from core.experiments.active import round_training, rounds
from core.experiments.active.rounds import RoundSettings, batch_diversity, pool_of, run
from core.models import ensembles
from core.plugins import menu
from core.types import UserError

QUICK = RoundSettings(network="linear", batch=20, rounds=2, start=30, until="epochs", epochs=2)


@pytest.fixture(scope="module")
def digits():
    return datasets.load("digits")


@pytest.fixture
def registry(monkeypatch):
    """Strategies of a test's own."""
    monkeypatch.setattr(strategy, "_registry", dict(menu.strategies()))


def test_labels_grow_by_a_batch_and_no_point_is_asked_for_twice(digits):
    arrays, facts = run(digits, "random", {}, QUICK, seed=1)
    assert arrays["labels"].tolist() == [30, 50, 70] and arrays["epochs"].tolist() == [2, 2, 2]
    picks = arrays["picks"].ravel()
    assert arrays["picks"].shape == (2, 20) and len(set(picks)) == 40
    pool, back, test = pool_of(digits, QUICK, 1)
    assert (
        set(picks) <= set(pool)
        and not set(pool) & (set(test) | set(back))
        and facts["strategy"] == "random"
    )
    assert (
        all(len(arrays[name]) == 3 for name in ("accuracy", "loss")) and len(arrays["seconds"]) == 2
    )


def test_one_seed_gives_one_run_and_another_seed_another(digits):
    first, again, other = (run(digits, "random", {}, QUICK, seed)[0] for seed in (1, 1, 2))
    for name in ("accuracy", "loss", "picks", "log_det"):
        assert np.array_equal(first[name], again[name])
    assert not np.array_equal(first["picks"], other["picks"])


def test_all_strategies_of_a_seed_begin_with_the_same_labels(digits):
    first, second = (run(digits, name, {}, QUICK, seed=3)[0] for name in ("random", "leverage"))
    assert (
        first["accuracy"][0] == second["accuracy"][0]
        and first["accuracy"][1] != second["accuracy"][1]
    )


def test_a_strategy_sees_the_trained_network_and_never_a_label(digits, registry):
    seen = []

    @strategy.selector("Spy", nested=True)
    def spy(embedding, probs, labeled=None, *, k):
        """Keeps what it is given."""
        seen.append((embedding.shape, probs.sum(axis=1), labeled.sum()))
        rows = np.flatnonzero(~labeled)[:k]
        return rows, np.zeros(k)

    setting = dataclasses.replace(QUICK, network="mlp", pool=300)
    arrays, _ = run(digits, "spy", {}, setting, seed=1)
    pool, _, _ = pool_of(digits, setting, 1)
    assert [shape for shape, *_ in seen] == [(300, 128)] * 2 and [count for *_, count in seen] == [
        30,
        50,
    ]
    assert seen[0][1] == pytest.approx(1)
    labeled = np.random.default_rng([1, 1]).permutation(300)[:30]
    unlabeled = np.setdiff1d(np.arange(300), labeled)
    assert arrays["picks"][0].tolist() == pool[unlabeled[:20]].tolist()


def test_training_ends_when_enough_points_are_right_or_at_the_cap(digits):
    setting = dataclasses.replace(QUICK, network="mlp", until="accuracy", rounds=1)
    arrays, _ = run(digits, "random", {}, setting, seed=1)
    assert (arrays["epochs"] > 2).all() and (arrays["steps"] < 1000).all()
    assert arrays["reached"].tolist() == [True, True]
    capped, _ = run(digits, "random", {}, dataclasses.replace(setting, steps=3), seed=1)
    assert capped["steps"].tolist() == [3, 3] and capped["reached"].tolist() == [False, False]


def test_the_cap_is_on_steps_whatever_the_labels_in_a_pass(digits):
    """20 labels get one step a pass, 84 get two: passes would end the first rounds early."""
    setting = dataclasses.replace(QUICK, network="mlp", until="accuracy", steps=4, rounds=1)
    setting = dataclasses.replace(setting, start=20, batch=64)
    arrays, _ = run(digits, "random", {}, setting, seed=1)
    assert arrays["epochs"].tolist() == [4, 2] and arrays["steps"].tolist() == [4, 4]


def test_twenty_labels_are_learned_by_default():
    """In 100 passes, one step each, letter's are not (see round_training)."""
    setting = RoundSettings(start=20, batch=1, rounds=0)
    arrays, _ = run(datasets.load("letter", n=2_000), "random", {}, setting, seed=2)
    assert arrays["reached"].all() and 30 < arrays["steps"][0] < 1_000


def test_a_number_of_passes_says_too_whether_the_labels_were_learned(digits):
    short, _ = run(digits, "random", {}, QUICK, seed=1)
    assert not short["reached"].any()
    longer = dataclasses.replace(QUICK, network="mlp", epochs=150)
    assert run(digits, "random", {}, longer, seed=1)[0]["reached"].all()


def test_a_round_of_which_one_network_was_cut_has_not_got_there(digits, monkeypatch):
    train = round_training.train
    given = []

    def cutting(network, points, labels, rule, **how):
        given.append(rule)
        if len(given) == 3:  # the second of the opinions of the first round
            rule = dataclasses.replace(rule, steps=1)
        return train(network, points, labels, rule, **how)

    monkeypatch.setattr(round_training, "train", cutting)
    setting = dataclasses.replace(QUICK, network="mlp", until="accuracy", rounds=1, pool=200)
    arrays, _ = run(digits, "bald", {}, setting, seed=1)
    assert len(given) == rounds.MEMBERS + 1 and arrays["reached"].tolist() == [False, True]


def test_the_last_pass_before_the_end_is_the_first_that_is_enough(digits, monkeypatch):
    from core.models import evaluation

    heard, evaluate = [], evaluation.evaluate

    def listening(network, points, labels, **how):
        found = evaluate(network, points, labels, **how)
        heard.append((len(points), found.accuracy))
        return found

    monkeypatch.setattr(evaluation, "evaluate", listening)
    setting = dataclasses.replace(QUICK, network="mlp", until="accuracy", rounds=1)
    arrays, _ = run(digits, "random", {}, setting, seed=1)
    own = [accuracy for size, accuracy in heard if size == 30]
    enough = round_training.ENOUGH
    assert len(own) == arrays["epochs"][0] and own[-1] >= enough > max(own[:-1])


def test_what_a_round_does_not_have_is_named():
    assert rounds.inputs_of(("embedding", "probs"), QUICK) is None and "record" in rounds.inputs_of(
        ("labels", "record"), QUICK
    )


def test_diversity_equals_the_gradients_written_out():
    rng = np.random.default_rng(0)
    h, probs = rng.normal(size=(6, 4)), rng.dirichlet(np.ones(3), 6)
    q = probs - np.eye(3)[probs.argmax(axis=1)]
    gradients = np.einsum("ic,id->icd", q, h).reshape(6, -1)
    log_det, norm = batch_diversity(h, probs)
    assert log_det == pytest.approx(np.linalg.slogdet(gradients @ gradients.T)[1], rel=1e-6)
    assert norm == pytest.approx(np.linalg.norm(gradients, axis=1).mean())
    twice, _ = batch_diversity(h[[0, 0]], probs[[0, 0]])
    assert np.isfinite(twice) and twice < batch_diversity(h[[0, 1]], probs[[0, 1]])[0]
    mean = np.diag(gradients[[0, 0]] @ gradients[[0, 0]].T).mean()
    by_hand = np.log(2 * mean + 1e-9 * mean) + np.log(1e-9 * mean)  # the floor is all that is left
    assert twice == pytest.approx(by_hand, abs=1e-5)
    assert all(
        np.isfinite(batch_diversity(h, np.eye(3)[[0, 1, 2, 0, 1, 2]]))
    )  # certain of every point: gradients are 0


def test_too_many_labels_are_told_before_the_work(digits):
    with pytest.raises(UserError, match="found a pool of 1,295 points, but 100,030 labels"):
        run(digits, "random", {}, dataclasses.replace(QUICK, batch=1000, rounds=100), seed=1)
    train, _ = split(digits)
    assert len(pool_of(digits, QUICK, 1)[0]) == len(train) - len(train) // 10


# ---- what strategies are given ----


def test_labels_are_the_known_ones_and_predictions_elsewhere(digits, registry):
    seen = []

    @strategy.selector("Spy", nested=True)
    def spy(embedding, probs, labels, labeled=None, *, k):
        """Keeps what it is given."""
        seen.append((labels, labeled, probs.argmax(axis=1)))
        return np.flatnonzero(~labeled)[:k], np.zeros(k)

    run(digits, "spy", {}, QUICK, seed=1)
    true = digits.labels[pool_of(digits, QUICK, 1)[0]]
    for labels, labeled, predicted in seen:
        assert np.array_equal(labels[labeled], true[labeled]) and np.array_equal(
            labels[~labeled], predicted[~labeled]
        )
        assert (predicted != true).any(), "otherwise the two could not be told apart"


FEW = dataclasses.replace(QUICK, network="mlp", pool=300, rounds=1, start=60, epochs=5)


@pytest.mark.parametrize(
    "name", [name for name, s in menu.strategies().items() if not rounds.inputs_of(s.needs, FEW)]
)
def test_every_strategy_that_a_round_can_feed_picks_a_batch(name, digits):
    knobs = {"data_shapley": {"orders": 1, "tolerance": 0.1}}.get(name, {})
    changed = {
        "leave_one_out": {"pool": 120, "epochs": 60},  # several points in each class
        "data_shapley": {"pool": 80, "start": 40},
    }.get(name, {})  # retrainings for each point
    arrays, _ = run(digits, name, knobs, dataclasses.replace(FEW, **changed), seed=1)
    assert len(set(arrays["picks"].ravel())) == arrays["picks"].size


def test_only_a_record_is_not_to_be_had_in_a_round():
    absent = [name for name, s in menu.strategies().items() if rounds.inputs_of(s.needs, QUICK)]
    assert absent == ["forgetting"]


def test_opinions_come_from_dropout_where_there_is_some_and_from_an_ensemble_elsewhere(
    digits, registry
):
    seen = {}

    @strategy.selector("Spy", nested=True)
    def spy(embedding, member_probs, labeled=None, *, k):
        """Keeps what it is given."""
        seen["probs"] = member_probs
        return np.flatnonzero(~labeled)[:k], np.zeros(k)

    for network, count in (("fi_cnn", ensembles.PASSES), ("mlp", rounds.MEMBERS)):
        setting = dataclasses.replace(QUICK, network=network, pool=200, rounds=1)
        run(digits, "spy", {}, setting, seed=1)
        assert seen["probs"].shape == (count, 200, 10) and seen["probs"].sum(
            axis=2
        ) == pytest.approx(1, abs=1e-5)
        first = seen["probs"]
        assert np.abs(first[0] - first[1]).max() > 0.01
        run(digits, "spy", {}, setting, seed=1)
        assert np.array_equal(first, seen["probs"]), "one seed, one run"


# ---- ALBL ----

ALBL = dataclasses.replace(QUICK, network="mlp", pool=300, rounds=3, epochs=8)


def test_albl_remembers_its_rewards_from_round_to_round(digits):
    arrays, _ = run(digits, "albl", {}, ALBL, seed=1)
    assert arrays["log_weights"].shape == (3, 2) and arrays["log_weights"][0].tolist() == [0, 0]
    assert (
        np.isnan(arrays["reward"][0])
        and ((arrays["reward"][1:] > 0.1) & (arrays["reward"][1:] <= 1)).all()
    )
    steps = np.diff(arrays["log_weights"], axis=0)
    assert (steps > 0).all(), "the bound's bonus is for every arm"
    drawn = arrays["arm"][:-1]
    assert (steps[np.arange(2), drawn] > steps[np.arange(2), 1 - drawn]).all(), (
        "the reward is for the arm that was drawn"
    )


def test_albl_learns_from_predictions_that_did_not_see_the_label(digits, monkeypatch):
    trained, asked, fit, unseen = [], [], rounds._Loop.fit, rounds._Loop.unseen

    def listening(self, *stream, without=()):
        trained.append((stream, np.setdiff1d(self.rows, without)))
        return fit(self, *stream, without=without)

    def checked(self, rows):
        before = len(trained)
        right = unseen(self, rows)
        folds = [used for _, used in trained[before:]]
        left_out = [np.setdiff1d(self.rows, used) for used in folds]
        assert len(folds) == rounds.FOLDS and sorted(np.concatenate(left_out)) == sorted(rows), (
            "each is left out exactly once"
        )
        assert len({stream for stream, _ in trained}) == len(trained), (
            "and no network is trained twice"
        )
        asked.append(rows)
        return right

    monkeypatch.setattr(rounds._Loop, "fit", listening)
    monkeypatch.setattr(rounds._Loop, "unseen", checked)
    arrays, _ = run(digits, "albl", {}, ALBL, seed=2)
    assert [rows.tolist() for rows in asked] == [
        arrays["picks"][:1].ravel().tolist(),
        arrays["picks"][:2].ravel().tolist(),
    ]


def test_a_replayed_round_of_albl_draws_the_same_batch(digits):
    arrays, _ = run(digits, "albl", {}, ALBL, seed=1)
    for number in range(3):
        loop = rounds.at(digits, "albl", {}, ALBL, 1, number, arrays)
        assert (
            loop.pool[loop.choose(number, *loop.look())].tolist()
            == arrays["picks"][number].tolist()
        )


def test_other_strategies_have_no_arms(digits):
    arrays, _ = run(digits, "random", {}, QUICK, seed=1)
    assert (
        arrays["log_weights"].shape == (2, 0)
        and arrays["arm"].tolist() == [-1, -1]
        and np.isnan(arrays["reward"]).all()
    )


def test_first_labels_without_a_class_still_give_a_head():
    """Letter has 26 classes: a hundred random labels often miss one."""
    data = datasets.load("letter", n=2_000)
    loop = rounds._Loop(
        data,
        "fi_active",
        {},
        RoundSettings(network="linear", start=40, batch=2, rounds=1, epochs=2, until="epochs"),
        1,
        lambda *_: None,
    )
    loop.train(0)
    assert len(np.unique(data.labels[loop.rows])) < 26
    head = loop._head()
    assert np.isfinite(head.weights).all() and (head.intercepts == 0).all()
    loop.pick(0)
    assert len(loop.record["picks"][0]) == 2
