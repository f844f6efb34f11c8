"""A plan of one seed, seeds that are missing, a budget at which every seed collapsed: does each
page say in words what cannot be said, and still show all that is there?

A target that is text, or has blanks, is read in tests/data/imports/test_target.py and shown in
tests/pages/test_data_page.py.
"""

import numpy as np
import pytest

from core.experiments import store
from core.experiments.active import speed
from core.experiments.active.plan import Active
from core.experiments.influence.plan import Influence
from core.experiments.plan import compute
from core.experiments.retrain.plan import Retraining
from core.experiments.simulations import run as simulation_run
from core.experiments.simulations.plan import Simulations
from core.experiments.trim import plan as trim
from core.experiments.trim.plan import Trim
from tests.tools import pages
from tests.tools.pages import described, drawn, texts

RATES = {"rate": 1000.0, "rates": {}, "memory": 5e8, "weights": 1e5}
PLANS = {
    "retrain": (
        Retraining,
        {"dataset": "digits", "n": "400", "network": "linear", "candidates": "top:raw random"}
        | {"budgets": "50 100", "epochs": "2", "seeds": "3"},
    ),
    "active": (
        Active,
        {"dataset": "digits", "network": "linear", "pool": "200", "batch": "10", "rounds": "2"}
        | {"start": "20", "until": "epochs", "epochs": "2", "seeds": "3"}
        | {"strategies": "entropy random"},
    ),
    "trim": (
        Trim,
        {"dataset": "digits", "n": "400", "training": "150", "validation": "80", "model": "raw"}
        | {"budgets": "5 20", "methods": "loss random", "seeds": "3"},
    ),
    "simulations": (Simulations, {"pool": "200", "seeds": "3"}),
    "influence": (
        Influence,
        {"dataset": "digits", "labeled": "40", "pool": "20", "validation": "40", "seeds": "3"},
    ),
}
COMPARING = [name for name in PLANS if name != "influence"]


@pytest.fixture(autouse=True)
def _measured(monkeypatch, nothing_under_way):
    for module in (speed, trim, simulation_run):
        monkeypatch.setattr(module, "measure", lambda *arguments: RATES | {"rates": _Any()})


class _Any(dict):
    def __missing__(self, key):
        return 1000.0


def rival(unit) -> bool:
    """Is it what all others are compared with?"""
    names = (getattr(unit, part, "") for part in ("candidate", "strategy", "method"))
    return "random" in map(str, names)


def some_finished(name: str, finished, change=lambda arrays, unit: arrays):
    """The plan, with those of its units computed for which `finished` is true."""
    kind, link = PLANS[name]
    plan, problems = kind.from_query(link)
    assert problems == []
    fingerprint = plan.points().fingerprint
    for unit in plan.units():
        if finished(unit):
            store.remember(unit.key(fingerprint), change(dict(compute(unit).arrays), unit))
    return plan


def visit(name: str, **changes):
    """The page on its plan's link: it did not fail."""
    at = pages.visit(f"pages/{name}.py", **(PLANS[name][1] | changes))
    assert not at.exception, at.exception
    return at


def said(at) -> str:
    """Whatever is told in words."""
    every = (at.markdown, at.caption, at.info, at.warning, at.error)
    return " ".join([texts(at), *(one.value for kind in every for one in kind)])


VERDICTS = ("better</b>", "worse</b>", "lower</b>", "higher</b>", "<b>equal", "<b>unclear")


def judges(at) -> bool:
    """Is anything called better, worse, equal or unclear?"""
    return any(word in texts(at) for word in VERDICTS)


@pytest.mark.parametrize("name", PLANS)
def test_a_plan_of_one_seed_is_told_and_the_rest_of_the_link_is_used(name):
    at = visit(name, seeds="1")
    words = said(at)
    if "eeds: found" in words:
        assert "expected" in words
    else:
        assert kind_of(name, seeds="1").seeds == 1
    kept = {"pool": "200"} if name == "simulations" else {"dataset": "digits"}
    assert kept.items() <= dict(at.query_params).items()
    assert not judges(at)


def kind_of(name: str, **changes):
    """The plan of a link, whatever is wrong with it."""
    kind, link = PLANS[name]
    return kind.from_query(link | changes)[0]


@pytest.mark.parametrize("name", PLANS)
def test_one_seed_of_three_gives_values_and_no_verdict(name):
    some_finished(name, lambda unit: unit.seed == 1)
    at = visit(name)
    assert not at.error and not judges(at), texts(at)
    assert at.get("vega_lite_chart"), "what is finished is drawn"
    words = said(at).lower()
    assert "with 1 seed" in words or "no verdict" in words or "intervals need 3" in words


@pytest.mark.parametrize("name", COMPARING)
def test_a_competitor_without_any_seed_is_not_judged_and_the_other_is_drawn(name):
    some_finished(name, rival)
    at = visit(name)
    assert not at.error and not judges(at)
    assert "No verdict yet" in texts(at)
    first = at.get("vega_lite_chart")[0]
    assert "Random" in described(first)["alt"]
    table = next(one for one in drawn(first) if "mean" in one)
    assert set(table["name"]) == {"Random"} and np.isfinite(table["mean"]).all()


@pytest.mark.parametrize("name", PLANS)
def test_all_seeds_missing_name_the_next_action(name):
    at = visit(name)
    assert not at.error and not judges(at) and not at.get("vega_lite_chart")
    assert "Nothing of this" in said(at)


def test_a_budget_at_which_every_seed_collapsed_is_told_and_stays_in_the_picture():
    def collapse(arrays, unit):
        if str(unit.candidate) != "top:raw" or unit.budget != 50:
            return arrays | {"per_class": np.full(10, 0.5)}
        one_class = np.where(np.arange(10) == 3, 1.0, 0.0)
        curve = np.append(arrays["accuracy"][:-1], 0.1)
        return arrays | {"per_class": one_class, "accuracy": curve}

    some_finished("retrain", lambda unit: True, collapse)
    at = visit("retrain")
    assert "Top, raw at 50: 3 of 3 seeds never recognise up to 9 classes." in said(at)
    assert "Top, raw is" in texts(at), "and is compared all the same"
    table = next(one for one in drawn(at.get("vega_lite_chart")[0]) if "low" in one)
    (row,) = table[(table["name"] == "Top, raw") & (table["budget"] == 50)].to_dict("records")
    assert row["mean"] == pytest.approx(0.1) and 0 <= row["low"] <= 0.1 <= row["high"] <= 1
