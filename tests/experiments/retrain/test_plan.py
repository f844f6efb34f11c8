"""Is a plan canonical, are its parts checked, and does each of its trainings use what the plan
says?
"""

import dataclasses
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import datasets, pipeline, strategy
from core.data import splits
from core.experiments import presets, store
from core.experiments.plan import compute
from core.experiments.retrain import plan as retrain
from core.experiments.retrain import run, selections
from core.experiments.retrain.plan import (
    BUDGETS,
    KNOBS,
    NETWORKS,
    RANDOM,
    Candidate,
    Retraining,
    Training,
    parse_candidate,
)
from core.experiments.store import plan_key
from core.linalg import ties
from core.plugins import menu
from core.runtime import cache
from core.strategies.leverage import leverage
from core.types import Dataset, UserError

SMALL = Retraining().with_(
    dataset="digits",
    n=300,
    network="mlp",
    epochs=2,
    seeds=2,
    budgets="20 40",
    candidates="top random",
)


pytestmark = pytest.mark.usefixtures("own_cache")


# candidates


@pytest.mark.parametrize(
    ("text", "canonical", "fields"),
    [
        ("random", "random", ("random", "raw", 0, "leverage")),
        ("random_balanced:pca:3", "random_balanced", ("random_balanced", "raw", 0, "leverage")),
        ("top", "top:raw", ("top", "raw", 0, "leverage")),
        (" top:raw:4 ", "top:raw", ("top", "raw", 0, "leverage")),  # raw pixels draw nothing
        (
            "bottom:cnn_regression",
            "bottom:cnn_regression",
            ("bottom", "cnn_regression", 0, "leverage"),
        ),
        (
            "bottom:cnn_regression:each",
            "bottom:cnn_regression",
            ("bottom", "cnn_regression", 0, "leverage"),
        ),
        (
            "bottom:cnn_regression:1",
            "bottom:cnn_regression:1",
            ("bottom", "cnn_regression", 1, "leverage"),
        ),
        (
            "middle:cnn_regression:2",
            "middle:cnn_regression:2",
            ("middle", "cnn_regression", 2, "leverage"),
        ),
        (
            "proportional:raw:1:random",
            "proportional:raw:each:random",
            ("proportional", "raw", 0, "random"),
        ),
        ("top:projection:2:leverage", "top:projection:2", ("top", "projection", 2, "leverage")),
    ],
)
def test_candidates_have_one_text(text, canonical, fields):
    found = parse_candidate(text)
    assert (str(found), dataclasses.astuple(found)) == (canonical, fields) and parse_candidate(
        str(found)
    ) == found
    assert found.scored == selections.find(fields[0]).scored


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("best", "Selection rule: found 'best', expected one of top, bottom"),
        ("", "Selection rule: found ''"),
        ("top:cnn", "Embedding: found 'cnn'"),
        ("top:projection:many", "seed: found 'many', expected a whole number"),
        ("top:projection:-1", "seed: found -1"),
        ("top:raw:1:luck", "Strategy: found 'luck'"),
        (
            "top:raw:1:leverage:more",
            (
                "found 'top:raw:1:leverage:more', expected rule:embedding:seed:strategy, such as"
                " top:raw"
            ),
        ),
    ],
)
def test_bad_candidates_are_refused(text, message):
    with pytest.raises(UserError) as told:
        parse_candidate(text)
    assert message in str(told.value)


def test_a_strategy_that_picks_batches_gives_nothing_to_rank_by(monkeypatch):
    picker = dataclasses.replace(
        menu.find("leverage"), name="picker", label="Picker", kind="selector"
    )
    monkeypatch.setitem(strategy._registry, "picker", picker)
    with pytest.raises(UserError, match="Picker picks batches and gives no scores to rank by"):
        parse_candidate("top:raw:1:picker")


def test_a_learned_embedding_follows_the_trainings_seed_unless_one_is_named():
    plan = Retraining().with_(
        candidates="top:cnn_regression top:projection:2 top", seeds=3, budgets="1000"
    )
    seen = {
        str(candidate): [
            unit.scores_spec.seed for unit in plan.units() if unit.candidate == candidate
        ]
        for candidate in plan.candidates[:3]
    }
    assert seen["top:cnn_regression"] == [1, 2, 3]
    assert seen["top:projection:2"] == [2, 2, 2]
    keys = {unit.key("points") for unit in plan.units() if unit.scores_spec.embedding == "raw"}
    assert len(keys) == 2 * 3, "raw pixels and random draw nothing, and each seed is a training"
    said = plan.varied()
    assert "the network or random features that rank the points" in said
    assert said.endswith("The same in every seed: random projection, seed 2.")
    assert "rank the points" in Retraining().varied()
    assert "rank the points" not in Retraining().with_(candidates="top").varied()


def test_the_talks_protocol_ranks_by_textbook_qr_where_leverage_is_asked_for():
    candidates = "top top:cnn_regression:2 top:raw:each:typicality random"
    fair = Retraining().with_(candidates=candidates, seeds=2, budgets="1000")
    talk = fair.with_(protocol="talk")
    strategies = [unit.scores_spec.strategy for unit in talk.units()[:4]]
    assert strategies[:3] == ["textbook_qr", "textbook_qr", "typicality"]
    assert [unit.scores_spec.strategy for unit in fair.units()[:3]] == ["leverage"] * 2 + [
        "typicality"
    ]
    assert talk.varied().endswith("Leverage comes from textbook QR, artefacts included.")
    assert "textbook" not in fair.varied()
    assert "textbook" not in talk.with_(candidates="random").varied()


# plans


def test_random_always_runs():
    for candidates in (
        "top",
        "",
        "random",
        "top random top",
        "random random",
        (),
        (parse_candidate("top"),),
    ):
        plan = Retraining().with_(candidates=candidates)
        assert plan.candidates.count(RANDOM) == 1 and plan.candidates[-1] == RANDOM
        assert (
            sum(each.candidate == RANDOM for each in plan.units()) == len(plan.budgets) * plan.seeds
        )
    assert Retraining.from_query({"candidates": "bottom:raw"})[0].candidates == (
        parse_candidate("bottom"),
        RANDOM,
    )
    for preset in presets.RETRAININGS:
        assert RANDOM in preset.candidates


CANDIDATES = st.sampled_from(
    [
        "top",
        "top:raw:3",
        "bottom:raw",
        "middle:cnn_regression:2",
        "random",
        "random_balanced",
        "proportional:pca",
    ]
)


@st.composite
def plans(draw):
    changes = {
        "dataset": draw(st.sampled_from(["mnist", "digits", "cifar10"])),
        "n": draw(st.none() | st.integers(1, 1797)),
        "subset": draw(st.integers(0, 9)),
        "candidates": " ".join(draw(st.lists(CANDIDATES, max_size=6))),
        "budgets": tuple(draw(st.lists(st.integers(1, 50_000), min_size=1, max_size=6))),
        "network": draw(st.sampled_from(list(NETWORKS))),
        "protocol": draw(st.sampled_from(list(run.PROTOCOLS))),
        "seeds": draw(st.integers(2, 30)),
        "epochs": draw(st.integers(1, 200)),
        "steps": draw(st.integers(10, 100_000)),
    }
    return Retraining().with_(**changes)


@given(plans())
def test_a_plan_survives_its_link(plan):
    query = plan.to_query()
    assert Retraining.from_query(query) == (plan, []) and all(
        isinstance(text, str) for text in query.values()
    )
    assert plan.with_() == plan and hash(Retraining.from_query(query)[0]) == hash(plan)
    units = plan.units()
    assert (
        len(units)
        == len(set(units))
        == len(plan.candidates) * len(plan.budgets) * plan.seeds
        <= Retraining.most_units
    )


@pytest.mark.parametrize("preset", presets.RETRAININGS)
def test_presets_are_canonical_and_have_links(preset):
    assert preset.with_() == preset and Retraining.from_query(preset.to_query()) == (preset, [])


def test_plans_that_mean_the_same_are_equal():
    plan = Retraining().with_(
        budgets="5000 1,000 10000 1000",
        candidates="top:raw:7 top:cnn_regression random top:cnn_classification:each top",
    )
    assert plan == Retraining() and plan.to_query() == {} and plan.budgets == BUDGETS
    assert Retraining().with_(steps=77) == Retraining()  # equal epochs know no number of steps
    assert Retraining().with_(protocol="steps", epochs=77) == Retraining().with_(protocol="steps")
    assert Retraining().with_(dataset="digits", n=1797, subset=3) == Retraining().with_(
        dataset="digits"
    )
    loose = Retraining().with_(candidates=(Candidate("top", "raw", 9), Candidate("random", "pca")))
    assert loose.candidates == (parse_candidate("top"), RANDOM)


def test_parts_may_be_texts_or_values():
    texts = {
        "n": "300",
        "subset": "1",
        "budgets": "20 40",
        "seeds": "3",
        "epochs": "2",
        "candidates": "top:raw random",
    }
    values = {
        "n": 300,
        "subset": 1,
        "budgets": (40, 20),
        "seeds": 3,
        "epochs": 2,
        "candidates": (parse_candidate("top"), RANDOM),
    }
    assert Retraining(dataset="digits").with_(**texts) == Retraining(dataset="digits").with_(
        **values
    )


BAD = {
    "dataset": ("mnits", "Dataset: found 'mnits', expected one of mnist"),
    "n": ("0", "n: found 0, expected a number from 1 to 70000"),
    "candidates": ("top best", "Selection rule: found 'best'"),
    "budgets": ("10 many", "budget: found 'many', expected a whole number of at least 1"),
    "network": ("transformer", "network: found 'transformer', expected one of talk_cnn, lenet5"),
    "protocol": ("fast", "protocol: found 'fast', expected one of epochs, steps, talk"),
    "seeds": ("1", "seeds: found 1, expected a number from 2 to 50"),
    "epochs": ("0", "epochs: found 0, expected a number from 1 to 200"),
    "steps": ("9", "steps: found 9, expected a number from 10 to 100000"),
}


@pytest.mark.parametrize("name", BAD)
def test_each_bad_part_of_a_link_is_told_and_the_rest_is_kept(name):
    text, message = BAD[name]
    good = {"seeds": "3", "budgets": "100 200", "protocol": "talk"}
    plan, problems = Retraining.from_query(good | {name: text})
    assert len(problems) == 1 and problems[0].startswith(message)
    assert (
        plan == Retraining.from_query({key: value for key, value in good.items() if key != name})[0]
    )


def test_all_bad_parts_are_told_at_once():
    plan, problems = Retraining.from_query(
        {name: text for name, (text, _) in BAD.items()} | {"colour": "red"}
    )
    assert plan == Retraining() and len(problems) == len(BAD)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"budgets": ""},
            "Budgets: found 0, expected 1 to 12 numbers of points such as 1000 5000 10000.",
        ),
        ({"budgets": tuple(range(1, 14))}, "Budgets: found 13, expected 1 to 12"),
        ({"budgets": "0 5"}, "budget: found 0, expected a number of at least 1"),
        ({"budgets": "5.5"}, "budget: found '5.5', expected a whole number"),
        ({"budgets": "5,6"}, "budget: found '5,6', expected a whole number"),  # not 56
        ({"budgets": "1000,5000"}, "budget: found '1000,5000', expected a whole number"),
        (
            {"candidates": " ".join(f"top:projection:{seed}" for seed in range(12))},
            "Selections: found 12 beside random, expected at most",
        ),
        (
            {"seeds": 50, "budgets": "1 2 3 4 5 6 7 8 9 10 11"},
            "Found 2,200 trainings, expected at most 2,000. Choose fewer selections",
        ),
        ({"candidates": (Candidate("best"),)}, "Selection rule: found 'best'"),
    ],
)
def test_limits_of_a_plan(changes, message):
    with pytest.raises(UserError) as told:
        Retraining().with_(**changes)
    assert message in str(told.value)


def test_the_largest_plans_are_allowed():
    most = Retraining().with_(
        candidates=" ".join(f"top:projection:{seed}" for seed in range(11)),
        budgets=tuple(range(1, 13)),
        seeds=13,
    )
    assert len(most.candidates) == 12 and len(most.units()) == 12 * 12 * 13 <= Retraining.most_units


def test_the_title_says_what_is_trained_and_how():
    assert Retraining().title() == "MNIST, talk_cnn, equal epochs (15 epochs), 5 seeds"
    assert (
        SMALL.with_(protocol="steps", steps=2000).title()
        == "Digits 8 x 8, mlp, equal steps (2,000 steps), 2 seeds"
    )


# trainings


def test_the_first_seed_of_everything_comes_first():
    order = [(each.seed, each.budget, str(each.candidate)) for each in SMALL.units()]
    expected = [
        (seed, budget, name)
        for seed in (1, 2)
        for budget in (20, 40)
        for name in ("top:raw", "random")
    ]
    assert order == expected and {each.length for each in SMALL.units()} == {2}
    steps = SMALL.with_(protocol="steps", steps=30).units()
    assert {each.length for each in steps} == {30} and {each.samples for each in steps} == {30 * 64}
    assert [each.samples for each in SMALL.units()[::2]] == [40, 80, 40, 80]


def test_a_training_has_a_key_of_its_own_for_all_that_decides_it():
    one = SMALL.units()[0]
    changes = {"budget": 21, "network": "linear", "protocol": "talk", "length": 3, "seed": 9}
    keys = [
        one.key("data"),
        *(dataclasses.replace(one, **{name: value}).key("data") for name, value in changes.items()),
    ]
    candidates = (
        "bottom",
        "top:projection:1",
        "top:projection:2",
        "top:raw:1:random",
        "random",
        "random_balanced",
        "proportional",
    )
    keys += [
        dataclasses.replace(one, candidate=parse_candidate(text)).key("data") for text in candidates
    ]
    keys.append(one.key("other data"))
    assert len(set(keys)) == len(keys) and one.key("data") == keys[0]
    elsewhere = dataclasses.replace(
        one, n=200, subset=4
    )  # the fingerprint says which points these are
    assert elsewhere.key("data") == keys[0]


def test_a_change_of_the_code_changes_the_keys(monkeypatch):
    top, random = SMALL.units()[:2]
    before = [one.key("data") for one in (top, random)], plan_key(SMALL, "data")
    monkeypatch.setattr(retrain, "score_code", lambda spec: "changed")
    assert top.key("data") != before[0][0] and random.key("data") == before[0][1]
    monkeypatch.setattr(
        retrain, "code_version", lambda module: {"core.experiments.retrain.run": "changed"}[module]
    )
    store._keys.cache_clear()
    assert random.key("data") != before[0][1] and plan_key(SMALL, "data") != before[1]
    assert cache.bundled_key(random.key("data")) == cache.bundled_key(before[0][1])


def test_the_key_hears_of_every_module_that_trains():
    from core.runtime.code_version import reached

    assert {
        f"core.{name}"
        for name in (
            "experiments.retrain.run",
            "experiments.retrain.selections",
            "models.training",
            "models.recipe",
            "models.stacked_networks",
            "models.evaluation",
            "models.training_data",
            "models.networks",
        )
    } <= reached("core.experiments.retrain.run")


def test_a_training_is_the_unit_with_the_pools_own_scores():
    data = datasets.load("digits", n=300)
    pool, test = splits.split(data)
    own = leverage(data.points[pool].reshape(len(pool), -1).astype(np.float32) / 255)
    for one in SMALL.units()[:2]:
        scores = own if one.candidate.scored else None
        rule = one.candidate.rule
        by_hand, _ = run.train(
            data, scores, rule=rule, budget=20, network="mlp", protocol="epochs", length=2, seed=1
        )
        entry = compute(one)
        assert all(np.array_equal(entry.arrays[name], by_hand[name]) for name in by_hand) and set(
            entry.arrays
        ) == set(by_hand)
        assert not set(entry.arrays["chosen"]) & set(test) and entry.facts["samples"] == 40
        assert entry.key == one.key(data.fingerprint) and cache.get(entry.key) is not None
    top = compute(SMALL.units()[0]).arrays["chosen"]
    assert top.tolist() == pool[ties.order(own)[:20]].tolist()
    everywhere = pipeline.scores(SMALL.units()[0].scores_spec).arrays["scores"][pool]
    assert not np.allclose(everywhere, own)  # the test points took no part


def test_embeddings_stay_fixed_and_random_selections_change_with_the_seed():
    plan = SMALL.with_(candidates="top:random_relu:3 proportional random_balanced", seeds=3)
    chosen = {
        (each.candidate.rule, each.seed): set(compute(each).arrays["chosen"])
        for each in plan.units()
        if each.budget == 20
    }
    assert chosen["top", 1] == chosen["top", 2] == chosen["top", 3]
    for rule in ("random", "random_balanced", "proportional"):
        assert len({frozenset(chosen[rule, seed]) for seed in (1, 2, 3)}) == 3
    other = SMALL.with_(candidates="top:random_relu:4").units()[0]
    assert set(compute(other).arrays["chosen"]) != chosen["top", 1]


def test_a_finished_training_is_not_done_again(monkeypatch):
    runs, original = Counter(), run.train
    monkeypatch.setattr(run, "train", lambda *a, **k: runs.update([k["seed"]]) or original(*a, **k))
    one = SMALL.units()[0]
    first, second = compute(one), compute(one)
    assert (
        runs == {1: 1}
        and first.key == second.key
        and np.array_equal(first.arrays["accuracy"], second.arrays["accuracy"])
    )


def test_the_scores_are_computed_once_for_all_trainings(monkeypatch):
    calls, original = [], pipeline.scores_of
    monkeypatch.setattr(pipeline, "scores_of", lambda *a: calls.append(a) or original(*a))
    spec = SMALL.units()[0].scores_spec
    first = retrain.pool_scores(spec)
    retrain._pool_scores.cache_clear()  # as in another process, or after a restart
    assert np.array_equal(first, retrain.pool_scores(spec)) and len(calls) == 1


# what is known before any work


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"budgets": "20 241"},
            "Budget k: found 241, but 240 points can be picked. Choose k between 0 and 240.",
        ),
        (
            {"candidates": "random_balanced", "budgets": "9 20"},
            "Random of each class: found a budget of 9 for 10 classes",
        ),
    ],
)
def test_plans_that_cannot_begin_are_told(changes, message):
    data = datasets.load("digits", n=300)
    SMALL.check(data)
    SMALL.with_(budgets="240", candidates="top_balanced random_balanced").check(data)
    with pytest.raises(UserError) as told:
        SMALL.with_(**changes).check(data)
    assert message in str(told.value)


def test_a_class_without_points_is_told_before_any_work():
    labels = np.arange(40) % 9  # class 9 has a name and no points
    data = Dataset(
        "own", np.zeros((40, 8, 8), np.uint8), labels, tuple("0123456789"), np.arange(40) >= 30
    )
    SMALL.with_(budgets="20").check(data)
    with pytest.raises(UserError, match="Top of each class: class 9 has no point in the pool"):
        SMALL.with_(budgets="20", candidates="top_balanced").check(data)


def test_units_are_small_and_plain():
    """They travel to the worker; a knob of a plan has its range."""
    one = SMALL.units()[0]
    assert one == Training(
        "digits", 300, 0, parse_candidate("top"), 20, "mlp", "epochs", 2, 1
    ) and hash(one)
    assert {knob.low for knob in KNOBS.values()} == {None, 2, 1, 10}
