"""Does it matter to a network in which units a user's own table is written? It must not."""

from dataclasses import replace

import numpy as np
import pytest

from core import datasets
from core.data import own
from core.experiments.active.plan import Active
from core.experiments.plan import compute
from core.experiments.retrain.plan import Retraining
from core.experiments.trim.plan import Trim
from core.models.own_columns import scaling
from tests.tools.own_data import table

OTHER_UNITS = (np.array([1e-3, 1, 1e4, 10, 1]), np.array([0.5, 1950, 0, -40, 3]))
PLANS = {
    "regression": (
        Active,
        {"network": "linear", "task": "regression", "strategies": "k_center bait_regression"},
        {"until": "epochs", "epochs": "20", "rounds": "2", "batch": "5", "start": "20"},
    ),
    "active": (
        Active,
        {"network": "mlp", "strategies": "badge"},
        {"until": "epochs", "epochs": "5", "rounds": "2", "batch": "5", "start": "20"},
    ),
    "retrain": (
        Retraining,
        {"network": "mlp", "candidates": "random"},
        {"budgets": "40 60", "epochs": "5"},
    ),
    "trim": (
        Trim,
        {"model": "mlp", "methods": "loss", "training": "60", "validation": "20"},
        {"budgets": "5 20", "epochs": "3"},
    ),
}


@pytest.fixture
def in_two_units(tmp_path, monkeypatch):
    """The names of one table and of the same in other units."""
    monkeypatch.setenv("LEVERAGE_LAB_DATA", str(tmp_path / "data"))
    data = table(150)
    data = replace(data, target=data.points.sum(axis=1).astype(float))
    factor, offset = OTHER_UNITS
    moved = replace(data, points=(data.points * factor + offset).astype(np.float32))
    return own.accept(data, "One"), own.accept(moved, "Other")


@pytest.mark.parametrize("name", PLANS)
def test_a_network_learns_the_same_in_any_units(name, in_two_units, own_cache):
    kind, *parts = PLANS[name]
    found = []
    for dataset in in_two_units:
        query = {"dataset": dataset, "seeds": "2"} | parts[0] | parts[1]
        plan, problems = kind.from_query(query)
        assert problems == []
        found.append(compute(plan.units()[0]).arrays)
    measure = "loss" if name == "regression" else "accuracy"
    first, second = (np.asarray(one[measure], float) for one in found)
    assert second == pytest.approx(first, rel=1e-2, abs=0.03)
    if name == "regression":
        assert first[-1] < 2 and second[-1] < 2, "in units of the target's variance"


def test_only_tables_of_the_users_are_scaled(in_two_units):
    points = datasets.load(in_two_units[1]).points
    found = scaling(in_two_units[1], points)
    scaled = (points - found["mean"]) / found["std"]
    assert scaled.mean(axis=0) == pytest.approx(np.zeros(5), abs=1e-4)
    assert scaled.std(axis=0) == pytest.approx(np.ones(5), rel=1e-3)
    constant = np.column_stack([points, np.full(len(points), 7.0)])
    assert scaling(in_two_units[1], constant)["std"][-1] == 1
    assert scaling("letter", points) == {}, "published tables come as the papers have them"
    assert scaling(in_two_units[1], np.zeros((3, 8, 8), np.uint8)) == {}
