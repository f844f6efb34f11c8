"""Does the one training loop train what it says, the same every time, undisturbed, and stop when
told?
"""

import threading

import numpy as np
import pytest
import torch

from core.models import evaluation, networks, recipe, training
from core.types import UserError

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (50, 8, 8), dtype=np.uint8)
LABELS = RNG.integers(0, 3, 50)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def a_network(name="mlp", seed=1, **options):
    return networks.build(
        name,
        classes=3,
        shape=(8, 8),
        seed=seed,
        **({"hidden": 5} if name == "mlp" else {}),
        **options,
    )


def a_training(network, seed=3, **settings):
    return training.train(
        network,
        IMAGES,
        LABELS,
        **{"seed": seed, "epochs": 2, "batch_size": 16, "precision": "float32", **settings},
    )


def values(network):
    return torch.cat([p.detach().flatten() for p in network.parameters()])


def naive(network, orders, objective, weights=None, learning_rate=1e-3, falling=False):
    """The same training as a plain loop, from formulas. orders: the rows of each step."""
    x, y = torch.tensor(IMAGES), torch.tensor(LABELS)
    w = torch.ones(len(x)) if weights is None else torch.tensor(weights)
    adam = torch.optim.Adam(network.parameters(), lr=learning_rate)
    losses = []
    for step, rows in enumerate(orders):
        adam.param_groups[0]["lr"] = learning_rate * (1 - step / len(orders) if falling else 1)
        z, one_hot = network(x[rows]), torch.eye(3)[y[rows]]
        if objective == "smooth_l1":
            gap = (z - one_hot).abs()
            each = torch.where(gap < 1, gap**2 / 2, gap - 0.5).sum(1) / 3
        else:
            z = (
                torch.exp(z) / torch.exp(z).sum(1, keepdim=True)
                if objective == "softmax_twice"
                else z
            )
            each = torch.log(torch.exp(z).sum(1)) - (z * one_hot).sum(1)
        value = (w[rows] * each).sum() / len(rows)
        adam.zero_grad()
        value.backward()
        adam.step()
        losses.append(value.item())
    return losses


@pytest.mark.parametrize("objective", ["cross_entropy", "smooth_l1", "softmax_twice"])
@pytest.mark.parametrize("weighted", [False, True])
def test_each_objective_is_its_formula_step_by_step(objective, weighted):
    weights = RNG.random(50).astype(np.float32) * 2 if weighted else None
    seen, ours, plain = [], a_network(), a_network()
    a_training(
        ours,
        objective=objective,
        weights=weights,
        order="as_given",
        progress=lambda *step: seen.append(step),
    )
    batches = [torch.arange(50)[i : i + 16] for i in range(0, 50, 16)] * 2
    losses = naive(plain, batches, objective, weights)
    assert [(step, steps) for step, steps, _ in seen] == [(i + 1, 8) for i in range(8)]
    np.testing.assert_allclose([loss for *_, loss in seen], losses, rtol=1e-5)
    torch.testing.assert_close(values(ours), values(plain), rtol=1e-4, atol=1e-5)


def test_the_linear_schedule_lets_the_rate_fall_to_zero():
    ours, plain = a_network(), a_network()
    a_training(ours, order="as_given", schedule="linear")
    naive(
        plain,
        [torch.arange(50)[i : i + 16] for i in range(0, 50, 16)] * 2,
        "cross_entropy",
        falling=True,
    )
    torch.testing.assert_close(values(ours), values(plain), rtol=1e-4, atol=1e-5)
    a_training(constant := a_network(), order="as_given")
    assert not torch.allclose(values(constant), values(ours), rtol=1e-3)


def test_the_record_holds_the_mean_loss_of_each_pass():
    seen = []
    record = a_training(a_network(), progress=lambda *step: seen.append(step[2]))
    sizes = np.array([16, 16, 16, 2])
    np.testing.assert_allclose(
        record.losses, (np.array(seen).reshape(2, 4) * sizes).sum(1) / 50, rtol=1e-5
    )
    assert record.steps == 8 and not record.stopped and len(record.seconds) == 2
    assert record.samples_per_second == pytest.approx(100 / sum(record.seconds))


def test_every_pass_sees_every_point_once_in_an_order_of_its_own(monkeypatch):
    seen = []
    monkeypatch.setitem(
        recipe.OBJECTIVES, "cross_entropy", lambda z, y: (seen.append(y.tolist()), z.sum(1))[1]
    )
    training.train(
        a_network("linear"),
        np.zeros((50, 8, 8), np.uint8),
        np.arange(50) % 3,
        epochs=2,
        batch_size=50,
        seed=1,
    )
    rows = [np.sort(labels) for labels in seen]
    assert (
        np.array_equal(rows[0], rows[1])
        and np.array_equal(rows[0], np.sort(np.arange(50) % 3))
        and seen[0] != seen[1]
    )
    assert seen[0] != (np.arange(50) % 3).tolist()


def test_one_seed_one_result_and_the_global_generator_rests():
    before = torch.get_rng_state()
    one, same, other = a_network(), a_network(), a_network()
    for network, seed in ((one, 3), (same, 3), (other, 4)):
        a_training(network, seed)
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(values(one), values(same)) and not torch.equal(values(one), values(other))


def test_two_trainings_at_once_are_those_done_alone():
    alone, together = ([a_network("fi_cnn", seed) for seed in range(4)] for _ in range(2))
    for seed, network in enumerate(alone):
        a_training(network, seed)
    threads = [threading.Thread(target=a_training, args=pair[::-1]) for pair in enumerate(together)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(torch.equal(values(a), values(b)) for a, b in zip(alone, together, strict=True))
    assert not torch.equal(values(alone[0]), values(alone[1]))


def test_dropout_draws_anew_at_every_step_and_by_seed():
    losses = {}
    for seed, name in ((3, "once"), (3, "again"), (4, "other")):
        seen = losses.setdefault(name, [])
        a_training(
            a_network("fi_cnn"),
            seed,
            order="as_given",
            learning_rate=1e-30,
            batch_size=50,
            progress=lambda *s, seen=seen: seen.append(s[2]),
        )
    assert (
        losses["once"] == losses["again"]
        and losses["once"] != losses["other"]
        and losses["once"][0] != losses["once"][1]
    )


def test_steps_go_through_the_points_as_often_as_they_take():
    seen, by_steps, by_epochs = [], a_network(), a_network()
    record = a_training(
        by_steps,
        epochs=None,
        steps=10,
        on_epoch=lambda epoch, network: seen.append((epoch, network.training)),
    )
    assert (
        record.steps == 10
        and len(record.losses) == 3
        and seen == [(1, False), (2, False), (3, False)]
    )
    a_training(by_epochs, epochs=2)
    a_training(by_steps := a_network(), epochs=None, steps=8)
    assert torch.equal(values(by_steps), values(by_epochs))


def test_an_evaluation_after_each_pass_changes_nothing():
    looked, plain = (
        networks.build("convmixer", classes=3, shape=(8, 8), seed=1, dim=4, depth=1)
        for _ in range(2)
    )
    accuracies = []
    a_training(
        looked,
        on_epoch=lambda _, network: accuracies.append(
            evaluation.evaluate(network, IMAGES, LABELS).accuracy
        ),
    )
    a_training(plain)
    assert len(accuracies) == 2 and all(
        torch.equal(p, q)
        for p, q in zip(looked.state_dict().values(), plain.state_dict().values(), strict=True)
    )


def test_stop_ends_the_training_after_that_step():
    seen, network = [], a_network()
    record = a_training(
        network,
        stop=lambda: len(seen) == 3,
        progress=lambda step, *_: seen.append(step),
        on_epoch=lambda *_: seen.append("epoch"),
    )
    assert (
        seen == [1, 2, 3]
        and record.stopped
        and record.steps == 3
        and len(record.losses) == 1
        and not network.training
    )
    a_training(three := a_network(), epochs=None, steps=3)
    assert torch.equal(values(network), values(three))


@pytest.mark.parametrize("name", ["mlp", "talk_cnn", "linear"])
def test_networks_trained_as_a_stack_are_those_trained_alone(name):
    subsets, seeds, events = [np.arange(40), np.arange(10, 50), np.arange(20)], [5, 6, 7], []
    alone, stacked = ([a_network(name, seed) for seed in (1, 2, 3)] for _ in range(2))
    how = {"epochs": 2, "batch_size": 16, "precision": "float32", "weights": RNG.random(50)}
    losses = [
        training.train(
            n, IMAGES[s], LABELS[s], seed=seed, **{**how, "weights": how["weights"][s]}
        ).losses
        for n, s, seed in zip(alone, subsets, seeds, strict=True)
    ]
    records = training.train_many(
        stacked,
        IMAGES,
        LABELS,
        seeds=seeds,
        subsets=subsets,
        stacked=True,
        **how,
        progress=lambda *step: events.append(step[:2]),
        on_epoch=lambda which, epoch, network: events.append((which, epoch, network)),
    )
    np.testing.assert_allclose([r.losses for r in records], losses, rtol=1e-5)
    for one, other in zip(alone, stacked, strict=True):
        torch.testing.assert_close(values(one), values(other), rtol=1e-3, atol=2e-4)
    assert [e for e in events if len(e) == 2] == [
        (i, 16) for i in (2, 4, 6, 8, 10, 12, 13, 14, 15, 16)
    ]
    assert [e for e in events if len(e) == 3] == [
        (i, e, stacked[i]) for group in ((0, 1), (2,)) for e in (1, 2) for i in group
    ]


def test_batch_normalisation_is_stacked_too_and_dropout_is_not():
    alone, stacked = (
        [
            networks.build("convmixer", classes=3, shape=(8, 8), seed=s, dim=4, depth=1)
            for s in (1, 2)
        ]
        for _ in range(2)
    )
    for network, seed in zip(alone, (5, 6), strict=True):
        a_training(network, seed, epochs=None, steps=1)
    training.train_many(
        stacked,
        IMAGES,
        LABELS,
        seeds=[5, 6],
        steps=1,
        batch_size=16,
        precision="float32",
        stacked=True,
    )
    for one, other in zip(alone, stacked, strict=True):
        torch.testing.assert_close(
            dict(one.named_buffers()), dict(other.named_buffers()), rtol=1e-4, atol=1e-5
        )
    dropping = [a_network("fi_cnn", seed) for seed in (1, 2)]
    training.train_many(
        dropping,
        IMAGES,
        LABELS,
        seeds=[5, 6],
        epochs=1,
        batch_size=16,
        precision="float32",
        stacked=True,
    )
    a_training(own := a_network("fi_cnn", 2), 6, epochs=1)
    assert torch.equal(values(own), values(dropping[1]))


def test_stop_ends_the_networks_that_follow_before_they_start():
    members = [a_network(seed=seed) for seed in (1, 2)]
    untouched = values(members[1])
    first, second = training.train_many(
        members, IMAGES, LABELS, seeds=[1, 2], epochs=1, stop=lambda: True
    )
    assert (
        first.steps == 1
        and second.steps == 0
        and second.stopped
        and torch.equal(values(members[1]), untouched)
    )


@pytest.mark.parametrize("precision", ["float32", "bfloat16", "auto"])
@pytest.mark.parametrize("objective", list(recipe.OBJECTIVES))
def test_a_learnable_toy_is_learned(precision, objective):
    labels = np.arange(240) % 3
    points = np.random.default_rng(1).integers(0, 60, (240, 8, 8), dtype=np.uint8)
    for c in range(3):
        points[labels == c, :, 2 * c : 2 * c + 3] += 150
    network = networks.build("talk_cnn", classes=3, shape=(8, 8), seed=1)
    training.train(
        network,
        points[:180],
        labels[:180],
        epochs=8,
        batch_size=20,
        seed=1,
        precision=precision,
        objective=objective,
    )
    assert evaluation.evaluate(network, points[180:], labels[180:]).accuracy == 1
    assert all(p.dtype == torch.float32 for p in network.parameters())


def test_embeddings_probabilities_and_evaluations_by_hand():
    network = a_network()
    labels = np.where(LABELS == 2, 1, LABELS)
    with torch.no_grad():
        outputs, embedding = (
            network(torch.tensor(IMAGES)).double(),
            network.embed(torch.tensor(IMAGES)),
        )
    ours = evaluation.embed(network, IMAGES, chunk=7)
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, embedding, atol=1e-6)
    probs = (outputs.exp() / outputs.exp().sum(1, keepdim=True)).numpy()
    np.testing.assert_allclose(evaluation.probabilities(network, IMAGES), probs, atol=1e-6)
    found, right = evaluation.evaluate(network, IMAGES, labels), probs.argmax(1) == labels
    assert found.accuracy == pytest.approx(right.mean()) and found.loss == pytest.approx(
        -np.log(probs[np.arange(50), labels]).mean(), rel=1e-5
    )
    np.testing.assert_allclose(
        found.per_class, [right[labels == 0].mean(), right[labels == 1].mean(), np.nan]
    )


def test_read_only_points_and_tables_are_taken():
    table = RNG.standard_normal((30, 4)).astype(np.float32)
    table.flags.writeable = False
    labels = (table[:, 0] > 0).astype(np.int64)
    network = networks.build("linear", classes=2, shape=(4,), seed=1)
    training.train(network, table, labels, epochs=60, learning_rate=0.05, seed=1)
    assert evaluation.evaluate(network, table, labels).accuracy > 0.95


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"epochs": None}, "exactly one"),
        ({"steps": 3}, "exactly one"),
        ({"epochs": 0}, "at least 1"),
        ({"batch_size": 1.5}, "whole number"),
        ({"learning_rate": float("nan")}, "above 0"),
        ({"objective": "hinge"}, "expected one of cross_entropy"),
        ({"order": "random"}, "expected one of shuffle, as_given"),
        ({"precision": "half"}, "expected one of auto"),
        ({"weights": np.ones(3)}, "50 finite numbers"),
        ({"weights": np.full(50, np.nan)}, "finite"),
        ({"learning_rate": 1e38}, "Lower learning_rate"),
    ],
)
def test_bad_settings_are_refused(settings, says):
    with pytest.raises(UserError, match=says):
        a_training(a_network(), **settings)


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        (LABELS[:9], "one label per point"),
        (LABELS - 1, "Leave unlabeled points out"),
        (LABELS + 1, "0 to 2"),
        (LABELS * 1.0, "whole numbers"),
    ],
)
def test_bad_labels_are_refused(labels, says):
    with pytest.raises(UserError, match=says):
        training.train(a_network(), IMAGES, labels, epochs=1, seed=1)
    with pytest.raises(UserError, match=says):
        evaluation.evaluate(a_network(), IMAGES, labels)


def test_bad_stacks_and_subsets_are_refused():
    pair = [a_network(), a_network()]
    with pytest.raises(UserError, match="one seed"):
        training.train_many(pair, IMAGES, LABELS, seeds=[1], epochs=1)
    with pytest.raises(UserError, match="at least one row"):
        training.train_many(pair, IMAGES, LABELS, seeds=[1, 2], subsets=[[0], [50]], epochs=1)
    with pytest.raises(UserError, match="one architecture"):
        training.train_many(
            [pair[0], a_network("linear")], IMAGES, LABELS, seeds=[1, 2], epochs=1, stacked=True
        )
