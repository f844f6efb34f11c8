"""What the Active page calls what it measures."""

from __future__ import annotations

from core.experiments.active.plan import Active


def measure(plan: Active) -> str:
    """Within a sentence: what is measured on the test points."""
    return "test loss" if plan.task == "regression" else "test accuracy"


def vectors(plan: Active) -> str:
    """What stands for a point where batches are compared."""
    return "embeddings" if plan.task == "regression" else "gradient embeddings"


def learned(plan: Active) -> str:
    """What a round is trained for, where it is not a number of passes."""
    if plan.task == "regression":
        return "99% of the variance of their targets was explained"
    return "99% of their labels were right"
