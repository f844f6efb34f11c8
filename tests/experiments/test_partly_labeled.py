"""Do experiments use the labeled points and the classes that can be learned, and say so?"""

from __future__ import annotations

import numpy as np
import pytest

from core import datasets
from core.data import own, splits
from core.data.learnable import learnable, told
from core.experiments.active.plan import Active
from core.experiments.influence.plan import Queries, Utilities
from core.experiments.plan import compute
from core.experiments.retrain.plan import Retraining
from core.experiments.trim.plan import Trim
from core.spec import Spec
from tests.tools.own_data import table
from tests.tools.partly_labeled import made

pytestmark = [pytest.mark.usefixtures("own_folder"), pytest.mark.usefixtures("own_cache")]
FIRST = {"labeled": 10, "validation": 10, "seeds": 2}


def plans(name):
    seen = Spec().with_(dataset=name)
    few = {"dataset": name, "seeds": 1}
    return {
        "retrain": Retraining().with_(
            **few | {"seeds": 2},
            network="linear",
            budgets="10",
            epochs=1,
            candidates="random_balanced top:raw:influence_value bottom:raw:class_leverage random",
        ),
        "active": Active().with_(
            **few | {"seeds": 2},
            network="linear",
            start=8,
            batch=4,
            rounds=1,
            until="epochs",
            epochs=2,
            strategies="entropy class_balanced_random influence_value random",
        ),
        "trim": Trim().with_(**few | {"seeds": 2}, training=40, validation=10, budgets="2 4"),
        "utilities": Utilities().with_(seen=seen, pool=10, **FIRST),
        "queries": Queries().with_(seen=seen, unlabeled=15, batch=2, rounds=1, **FIRST),
    }


@pytest.mark.parametrize("kind", ["retrain", "active", "trim", "utilities", "queries"])
@pytest.mark.parametrize(
    "case", ["partly", "a class in the test part only", "a class once", "test part without labels"]
)
def test_an_experiment_runs_on_what_is_labeled(kind, case):
    name = own.accept(made("table", case, 120), "Mine")
    plan = plans(name)[kind]
    data = plan.points()
    plan.check(data)
    whole = datasets.load(name)
    for unit in plan.units()[:3]:
        arrays = compute(unit).arrays
        for what in ("chosen", "picks", "pool", "labeled"):
            if what in arrays:
                assert (whole.labels[arrays[what].ravel()] >= 0).all()
        assert np.isfinite(arrays.get("accuracy", 0)).all()


def test_complete_labels_leave_the_dataset_as_it_is():
    data = table(60)
    assert learnable(data) is data and told(data) == []
    assert learnable(table(60, labeled=False)).class_names == ()


def test_a_class_that_cannot_be_learned_is_left_out_and_named():
    data = made("table", "a class in the test part only")
    seen = learnable(data)
    assert seen.class_names == ("ant", "bee") and (seen.labels[data.labels == 2] == -1).all()
    assert (seen.labels[data.labels < 2] == data.labels[data.labels < 2]).all()
    pool, test = splits.split(seen)
    assert len(test) == 3 and len(pool) == 23
    assert told(data) == [
        "Class cat has no training point, so nothing here can learn it: 4 points of it are left"
        " out."
    ]


def test_how_many_points_have_no_label_is_said():
    data = made("table", "partly")
    assert told(data)[0] == "8 of 30 points have no label yet: only labeled ones are used."
    lonely = made("table", "a class once")
    assert learnable(lonely).class_names == lonely.class_names
    assert learnable(lonely, 2).class_names == ("ant", "bee")
    assert "fewer than 5 training points" in told(lonely)[0]
    assert "Class cat has fewer than 2 training points" in told(lonely, 2)[0]
