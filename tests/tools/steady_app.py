"""The hosted app on a machine whose speed is what the test says: what an experiment would take is
predicted from it, not from what this machine happens to do.
"""

from dataclasses import replace
from typing import Any

from core.experiments import cost
from core.experiments.retrain.plan import TEST_SHARE
from pages.shared.server import app as app

RATE = 100_000.0  # samples per second
RATES = {"trained": RATE, "tested": RATE / TEST_SHARE, "ranked": RATE, "begun": 1e6}


def measured(*_) -> dict[str, Any]:
    """In the worker, in place of a trial training."""
    return {"rate": RATE, "rates": RATES, "memory": 300e6, "weights": 10_000.0}


def _steady(*network, of_network=cost.of_network):
    return replace(of_network(*network), task="tests.tools.steady_app:measured")


cost.of_network = _steady
