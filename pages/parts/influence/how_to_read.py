"""How to read the Influence page's pictures, by study."""

from __future__ import annotations

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
        " intervals are 95% over three seeds or more, each with points of its own.\n\n*Batches of"
        " ten* take every point's true label. *Without one*: what a labeled point is worth is how"
        " much the validation loss rises when it is left out, whatever the goal."
        "\n\nSource: Xu and Kazantsev 2019, Figures 2 to 4; Koh and Liang 2017."
    ),
    "queries": (
        "All strategies of a seed begin with the same labeled points and head. In each round every"
        " strategy asks for a batch of points from its pool, and the head is fitted anew. GORAL"
        " asks for the points of highest first-order utility; *true label* knows the labels"
        " beforehand, which nobody does: it is the ceiling of what its goal can give.\n\nThe left"
        " picture is what counts, accuracy on the test points; the right one is what GORAL works"
        " for, its goal. Where the goal rises and the accuracy does not, the goal is to blame."
        " Dots are seeds, lines their means, bands 95% intervals at each number of labels. What"
        " varies from seed to seed: the labeled, pool and validation points, and what random"
        " draws; test points and l2 stay. Sentences compare seed by seed, accuracies by their mean"
        " over all rounds, goals by their last value; all statements share one level of 95%"
        " (Holm), and *equal* means that the interval lies within the margin chosen under Compare"
        " differently; goals have no margin.\n\nOn synth2 the first labels come from the"
        " central clusters, which suggest an almost horizontal border; the definitive clusters"
        " contradict it, and the distracting ones teach nothing.\n\nSource: Xu and Kazantsev 2019,"
        " Figures 1, 5, 6 and 8."
        " Ours keeps l2 beside the mean loss; the paper's falls as labels come in."
    ),
}
