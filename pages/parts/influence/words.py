"""The Influence page's words: what its settings are called, and what they mean."""

STUDY_NAMES = {"utilities": "One point", "queries": "Round after round"}
SHOWN = {
    "scatter": "Predicted and retrained",
    "spread": "Spread",
    "points": "Best and worst",
    "batches": "Batches of ten",
    "without": "Without one",
}
FOLLOWED = {"curves": "Learning curves and goals", "snapshots": "Snapshots"}
STEPS = {"linear": "First order", "newton": "Newton step"}
GOAL_NAMES = {"dev": "Validation", "entropy": "Certainty", "fisher": "Fisher information"}
UNITS = {
    "dev": "change of the mean validation log-likelihood",
    "entropy": "change of minus the pool's mean entropy",
    "fisher": "change of minus the pool's Fisher information",
}
LEVELS = {
    "dev": "mean validation log-likelihood",
    "entropy": "minus the pool's mean entropy",
    "fisher": "minus the pool's Fisher information",
}
OVER_NAMES = {
    "oracle": "True label",
    "min": "Worst label",
    "max": "Best label",
    "uniform": "Even mean",
    "predicted": "As predicted",
}
STRATEGIES = {
    "oracle": "GORAL, true label",
    "max": "GORAL, best label",
    "uniform": "GORAL, even mean",
    "min": "GORAL, worst label",
    "entropy": "Entropy",
    "random": "Random",
}
IN_TEXT = {  # in a sentence
    "oracle": "GORAL with true labels",
    "max": "GORAL with best labels",
    "uniform": "GORAL with even means",
    "min": "GORAL with worst labels",
    "entropy": "Entropy",
    "random": "Random",
}
MEANINGS = {
    "goal": (
        "What a point should raise. Validation: mean log p of the validation points' labels."
        " Certainty: minus the entropy of the predictions on the pool. Fisher information: minus"
        " its trace over the pool."
    ),
    "over": (
        "A pool point's label is not known. Take the true one, the worst or best for the goal, the"
        " mean over all labels evenly, or as the head predicts them."
    ),
    "temperature": (
        "Sharpens (below 1) or evens out (above 1) the predicted probabilities."
        " At 1 the first order is constant."
    ),
}
