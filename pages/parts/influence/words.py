"""The Influence page's words: names of its settings, what they mean, how to read its pictures."""

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
        "Sharpens (below 1) or evens out (above 1) the predicted probabilities. At 1 the first"
        " order is constant."
    ),
}
READING = {
    "utilities": (
        "A linear head is fitted to the labeled points. For every point of a pool it is fitted"
        " again with that point added, under every label it could have: that is the truth. Two"
        " predictions need no fit.\n\n*First order* is the paper's: the slope of the goal times the"
        " influence function, (1/n) ∇τ · H⁻¹ · the point's gradient.\n\n*Newton step* is ours: the"
        " other points enter by their curvature, the added one keeps its own loss, and the length"
        " of the step is the one at which the loss is least. The goal is evaluated there.\n\nDots"
        " on the dashed line were foreseen exactly. Colour is the rank by the true label's"
        " retrained utility, so that a point can be found again when the unknown label is taken for"
        " something else. Pearson's r measures the straight line, Spearman's the order alone;"
        " intervals are 95% over the seeds, each with points of its own.\n\n*Without one*: what a"
        " labeled point is worth is how much the validation loss rises when it is left"
        " out.\n\nSource: Xu and Kazantsev 2019, Figures 2 to 4; Koh and Liang 2017."
    ),
    "queries": (
        "All strategies of a seed begin with the same labeled points and head. In each round every"
        " strategy asks for a batch of points from its pool, and the head is fitted anew. GORAL"
        " asks for the points of highest first-order utility; *true label* knows the labels"
        " beforehand, which nobody does: it is the ceiling of what its goal can give.\n\nThe left"
        " picture is what counts, accuracy on the test points; the right one is what GORAL works"
        " for, its goal. Where the goal rises and the accuracy does not, the goal is to blame."
        " Bands are one standard error to each side.\n\nOn synth2 the first labels come from the"
        " central clusters, which suggest an almost horizontal border; the definitive clusters"
        " contradict it, and the distracting ones teach nothing.\n\nSource: Xu and Kazantsev 2019,"
        " Figures 1, 5, 6 and 8. Ours keeps l2 beside the mean loss; the paper's falls as labels"
        " come in."
    ),
}
