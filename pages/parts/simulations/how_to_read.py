"""What the BAIT paper shows, and how to read the Simulations page's pictures."""

from __future__ import annotations

from pages.shared.experiments import verdict_box

PAPER = {
    "risk": (
        "In the paper's Figure 3, BAIT and log-det perform almost identically on the Gaussian"
        " design, and BAIT's risk is far lower on the orthonormal one. The paper says neither how"
        " many points it draws nor which λ it takes: 1,000 and 0.01 are ours. The points here are"
        " drawn anew for each seed; the dataset in the sidebar plays no part."
    ),
    "representations": (
        "In the paper's Figures 2 and 4 the differences are small on the learned representation; on"
        " the random one BAIT is above all others by a large margin, most of all early, and without"
        " F it is no better than they are. There: 50 batches of 10 from 30,000 digits. Here, so"
        " that a run takes seconds: 30 batches from 2,000, unless you change it."
    ),
    "backward": (
        "The paper finds in its Figure 1 that taking points back sometimes helps. There: 50 batches"
        " of 10 from 60,000 digits."
        " Here, so that a run takes seconds: 30 batches from 2,000, unless you change it."
    ),
}
_COMMON = "Lines are means over the seeds, bands their 95% intervals. " + verdict_box.READING
READING = {
    "risk": (
        "Points in 100 dimensions whose variances fall like 1/i². *Gaussian*: normal in every"
        " direction. *Orthonormal*: each point is one of the axes, the i-th with probability"
        " proportional to 1/i². Both have the same covariance. A batch of points is picked, each is"
        " labeled with noise, and a ridge regression with the right prior is fitted: the Bayes risk"
        " is its expected error over all points, which needs no labels to compute.\n\nBAIT makes"
        " exactly this small: tr(M⁻¹F), where F says how much each direction matters in the whole"
        " dataset. Log-det makes the batch's volume large and cannot use F: on the axes it takes"
        " one after the other, however rare they are. Leverage, the top k, loves the rarest"
        " axes.\n\n" + _COMMON
    ),
    "representations": (
        "An MLP is trained on one half of the training points; the other half is seen through its"
        " hidden layer (*learned*) or through a random projection of the same 128 dimensions"
        " (*random*). On these fixed numbers a linear classifier is trained, round by round, on 100"
        " random labels and what the strategy asks for. *Without F* BAIT minimises tr(M⁻¹) in place"
        " of tr(M⁻¹F): all directions count alike, whether the dataset uses them or not. Both pick"
        " forward only, as in the paper.\n\n" + _COMMON
    ),
    "backward": (
        "A fresh MLP is trained in every round on all that is labeled. *Forward only* puts in the k"
        " points that help most, one by one; *forward-backward* puts in 2k and then drops the k"
        " whose loss hurts least. The objective is not submodular, so an early pick can turn out to"
        " be superfluous.\n\n" + _COMMON
    ),
}
