"""How to read the Active page's pictures."""

from __future__ import annotations

from core.experiments.active.rounds import HELD_BACK
from pages.shared.experiments import verdict_box

READING = (
    "All strategies of a seed begin with the same random labels. In each round a fresh network is"
    " trained on what is labeled, the strategy looks at the rest of the pool through this network"
    " (its penultimate layer and its probabilities) and picks a batch; no strategy sees the label"
    " of a point of the pool that was not asked for: one that takes labels is given the network's"
    " predictions in their place, so that the true label of an influence or a utility (oracle) is"
    " the predicted one here.\n\nInfluence, FI-util, Shapley and goal-oriented utilities judge by"
    f" a validation set: up to {HELD_BACK} labeled points that are never in the pool and are not"
    " counted among the labels. BADGE, BAIT, CORESET and the uncertainties do without.\n\nA round"
    " that has not learned 99% of its labels after the steps that it may take is cut: its accuracy"
    " says more about the bound than about the strategy. It is drawn, and two strategies are"
    " compared in a seed at a number of labels only if neither was cut there.\n\nALBL"
    " draws one of two strategies, CORESET or least confidence, in each round. After it, two more"
    " networks tell how well the points that it asked for are predicted without their own labels;"
    " by this its weights move.\n\n*Learning curves*: every seed a dot, the mean over"
    f" seeds a line with its 95% interval. {verdict_box.READING}"
    "\n\n*Who beats whom*: for budgets M + 2^k B up to where"
    " random reaches 99% of its final accuracy, a paired t-test over the seeds (t > 2.776 for"
    " five); every setting shares 1 among its budgets. The BADGE paper counts on errors, with the"
    " sign turned; here as in the BAIT paper: on accuracies, so a high row beats others and a low"
    " column mean is good.\n\n*Errors*:"
    " at how many of these budgets a strategy's error is at most x times random's."
    "\n\n*Regression*: the network learns numbers by squared loss, the sum over them: a dataset's"
    " target in units of its standard deviation, else the one-hot label. A round has learned when"
    " the squared loss of what is labeled is down to 1% of what its mean leaves. Curves, verdicts"
    " and errors are of the loss on the test points, and less is better.\n\nThe BAIT paper's Figure"
    " 8 (MNIST, MLP of 128 and linear, batches of 10, 100 first labels, five seeds) finds BAIT as"
    " good as the rest or better, its Figure 9 BAIT only slightly slower than CORESET; it gives no"
    " pool, no number of rounds and no stopping rule for regression. Here are 10,000 digits, 50"
    " rounds and a rate of 0.001 where the paper has 0.0001; the linear model gets 100 passes, as"
    " 600 digits are hardly fitted to 99% by 784 weights an output. Seconds per batch stand under"
    " Batches."
)
