"""Does a page say in which precision its networks were trained, and that two were mixed?"""

import numpy as np
import pytest

from core.experiments import plan as plans
from core.experiments import precision, store
from core.experiments.influence.plan import Utilities
from core.experiments.retrain.plan import Retraining
from core.experiments.simulations.plan import PRESETS
from core.experiments.trim.plan import Trim
from core.runtime import cache

PLAN = Retraining().with_(
    dataset="digits", n=300, network="mlp", epochs=1, seeds=2, budgets="64", candidates="random"
)
DATA = PLAN.points().fingerprint
pytestmark = pytest.mark.usefixtures("own_cache")


def finished(unit, kind):
    facts = {} if kind is None else {"precision": kind}
    cache.put(unit.key(DATA), {"accuracy": np.zeros(1)}, facts)


def test_all_in_one_is_a_plain_sentence():
    assert precision.note(PLAN, DATA) == "" and precision.recorded(PLAN, DATA) is None
    for unit in PLAN.units():
        finished(unit, "bfloat16")
    assert precision.note(PLAN, DATA) == "Trained in bfloat16."
    assert precision.recorded(PLAN, DATA) == "bfloat16"


def test_what_was_not_recorded_is_said_and_a_mixture_is_no_secret():
    one, two = PLAN.units()
    finished(one, None)
    assert precision.note(PLAN, DATA) == "Trained in a precision that was not recorded."
    assert precision.recorded(PLAN, DATA) is None
    finished(two, "float32")
    told = precision.note(PLAN, DATA)
    assert "unlike precision" in told and "1 trainings in float32" in told
    assert "1 trainings in a precision that was not recorded" in told
    assert precision.recorded(PLAN, DATA) == "float32"


def test_a_pack_keeps_it(monkeypatch, tmp_path):
    one, two = PLAN.units()
    finished(one, "bfloat16")
    finished(two, None)
    arrays, facts = store.pack(PLAN, DATA)
    assert facts["precision"] == ["bfloat16", None]
    monkeypatch.setattr(cache, "BUNDLED", tmp_path / "bundled")
    cache.bundle(store.bundle_key(PLAN, DATA), arrays, facts)
    monkeypatch.setenv("LEVERAGE_LAB_CACHE", str(tmp_path / "empty"))
    store.forget()
    assert store.precisions(PLAN, DATA) == {"bfloat16": 1, None: 1}


def test_workers_with_unlike_chips_take_float32():
    assert precision.agreed(["bfloat16", "bfloat16"]) == "bfloat16"
    assert precision.agreed(["bfloat16", "float32"]) == precision.agreed(["bfloat16", None])
    assert precision.agreed([None]) == precision.agreed([]) == "float32"


def test_a_unit_keeps_the_precision_it_was_given():
    one, two = PLAN.units()
    assert plans.compute(one, "bfloat16").facts["precision"] == "bfloat16"
    assert "precision" not in plans.compute(two).facts
    assert store.precisions(PLAN, DATA) == {"bfloat16": 1, None: 1}


def test_plans_say_which_network_they_train():
    assert PLAN.trains == "mlp" and precision.question(PLAN) == ("mlp", 10, (8, 8))
    assert [PRESETS[name].trains for name in PRESETS] == [None, "linear", "mlp"]
    assert Trim().trains is None and Trim().with_(model="lenet5").trains == "lenet5"
    assert Utilities().trains is None
    assert precision.note(Utilities(), "") == ""
