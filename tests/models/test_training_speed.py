"""Is the precision and the number of threads that of the clearly fastest training, asked once, and
does asking leave the network and all generators alone?
"""

import numpy as np
import pytest
import torch

from core.models import evaluation, networks, training, training_speed
from core.models.training_speed import Question, Way, settled, way
from core.runtime.threads import threads
from core.types import UserError

CPU = torch.device("cpu")
RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (20, 8, 8), dtype=np.uint8)
LABELS = np.arange(20) % 3


@pytest.fixture(autouse=True)
def asked_anew(own_cache, monkeypatch):
    monkeypatch.setattr(training_speed, "_answers", {})
    monkeypatch.delenv(training_speed.VARIABLE)


def a_network(name="mlp", **options):
    return networks.build(name, classes=3, shape=(8, 8), seed=1, **options)


class Machine:
    """Stands in for a chip: how long a step takes there, by precision and threads."""

    def __init__(self, monkeypatch, **seconds):
        self.now, self.seconds, self.noise = 0.0, seconds, iter(())
        monkeypatch.setattr(training_speed, "training_step", self.step)

    def step(self, network, device, half):
        def stepped():
            name = f"{'bfloat16' if half else 'float32'}_{torch.get_num_threads()}"
            self.now += self.seconds[name] * next(self.noise, 1)

        return stepped

    def fastest(self, count):
        with threads(count):
            found = training_speed.fastest(a_network(), CPU, clock=lambda: self.now)
            assert torch.get_num_threads() == count
        return found


@pytest.mark.parametrize(
    "plain,half,wanted", [(1, 0.4, "bfloat16"), (1, 0.95, "float32"), (1, 1.5, "float32")]
)
def test_bfloat16_only_where_it_is_clearly_faster(monkeypatch, plain, half, wanted):
    """On two chips with avx512_bf16 the talk's network gained 2.2 and 0.96."""
    machine = Machine(monkeypatch, float32_1=plain / 100, bfloat16_1=half / 100)
    assert machine.fastest(1) == Way(wanted, 1)


@pytest.mark.parametrize("alone,wanted", [(0.5, 1), (0.95, 2), (2, 2)])
def test_one_thread_only_where_it_is_clearly_faster(monkeypatch, alone, wanted):
    machine = Machine(
        monkeypatch, float32_2=1.0, float32_1=alone, bfloat16_1=alone / 2, bfloat16_2=0.5
    )
    assert machine.fastest(2) == Way("bfloat16", wanted)


def test_a_disturbed_turn_does_not_decide(monkeypatch):
    machine = Machine(monkeypatch, float32_1=0.1, bfloat16_1=0.1)
    for place in range(12):  # of the steps
        machine.noise = iter([9 if i == place else 1 for i in range(12)])
        assert machine.fastest(1) == Way("float32", 1)


def test_what_only_emulates_bfloat16_is_out_at_once(monkeypatch):
    machine = Machine(monkeypatch, float32_1=1.0, bfloat16_1=100.0)
    assert machine.fastest(1) == Way("float32", 1) and machine.now == 202.0


def test_a_slow_network_is_tried_a_few_times_only():
    now = [0.0]
    steps = [lambda: now.__setitem__(0, now[0] + 2.0)] * 2
    assert training_speed.seconds_of(steps, lambda: now[0]) == [2.0, 2.0]
    assert now[0] == 2 * (2 + 2) * 2.0


def test_each_machine_and_network_is_measured_once(monkeypatch):
    measured = []
    monkeypatch.setattr(
        training_speed, "fastest", lambda *args: (measured.append(args), Way("bfloat16", 1))[1]
    )
    for _ in range(2):
        assert way("auto", a_network(), CPU) == Way("bfloat16", 1)
    training_speed._answers.clear()  # another process
    assert way("auto", a_network(), CPU) == Way("bfloat16", 1) and len(measured) == 1
    way("auto", a_network(hidden=7), CPU)
    assert len(measured) == 2
    monkeypatch.setattr(training_speed, "chip", lambda: "another")
    asked = Question("mlp", (8, 8), 3, 1, "cpu", 1)
    key = training_speed._key.__wrapped__
    other = key(asked)
    monkeypatch.setattr(training_speed, "chip", lambda: "one")
    assert other != key(asked)


def test_what_is_given_or_settled_is_not_measured(monkeypatch):
    monkeypatch.setattr(training_speed, "fastest", None)
    now = torch.get_num_threads()
    assert way("bfloat16", a_network(), CPU) == Way("bfloat16", now)
    with settled("float32"):
        assert way("auto", a_network(), CPU) == Way("float32", now)
        with settled("bfloat16"):
            assert way("auto", a_network(), CPU) == Way("bfloat16", now)
        assert way("auto", a_network(), CPU) == Way("float32", now)
        assert way("bfloat16", a_network(), CPU).precision == "bfloat16"


def test_measuring_leaves_no_trace():
    before = torch.get_rng_state()
    for name in ("mlp", "fi_cnn", "vgg11"):
        network = networks.build(name, classes=3, shape=(32, 32), seed=1)
        networks.seed_dropout(network, 1)
        values = torch.cat([value.flatten() for value in network.state_dict().values()])
        step = training_speed.training_step(network, CPU, half=False)
        losses = [step() for _ in range(2)]
        assert losses[0] != losses[1], "it trains the copy"
        after = torch.cat([value.flatten() for value in network.state_dict().values()])
        assert torch.equal(values, after) and not network.training
    assert torch.equal(before, torch.get_rng_state())


def test_the_environment_decides_before_any_measurement(monkeypatch):
    monkeypatch.setattr(training_speed, "fastest", None)
    now = torch.get_num_threads()
    monkeypatch.setenv(training_speed.VARIABLE, "bfloat16")
    assert way("auto", a_network(), CPU) == Way("bfloat16", now)
    with settled("float32"):
        assert way("auto", a_network(), CPU) == Way("float32", now)
    monkeypatch.setenv(training_speed.VARIABLE, "half")
    with pytest.raises(UserError, match="PRECISION: found 'half', expected float32 or bfloat16"):
        way("auto", a_network(), CPU)


def test_training_and_testing_do_as_settled():
    """In bfloat16 the numbers differ, by rounding."""
    trained = {}
    for precision in ("float32", "bfloat16"):
        with settled(precision):
            network = a_network()
            training.train(network, IMAGES, LABELS, epochs=1, seed=1)
            loss = evaluation.evaluate(network, IMAGES, LABELS, precision="auto").loss
        given = a_network()
        training.train(given, IMAGES, LABELS, epochs=1, seed=1, precision=precision)
        assert torch.equal(network.head.weight, given.head.weight)
        assert loss == evaluation.evaluate(given, IMAGES, LABELS, precision=precision).loss
        trained[precision] = loss
    assert trained["float32"] != trained["bfloat16"]
    assert trained["float32"] == pytest.approx(trained["bfloat16"], rel=0.05)


def test_a_worker_answers_for_one_thread(monkeypatch):
    seen = []
    monkeypatch.setattr(
        training_speed,
        "fastest",
        lambda *args: (seen.append(torch.get_num_threads()), Way("bfloat16", 1))[1],
    )
    assert training_speed.measure("mlp", 3, (8, 8)) == "bfloat16" and seen == [1]
