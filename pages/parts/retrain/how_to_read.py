"""How to read the Retrain page's pictures."""

from __future__ import annotations

from pages.shared.experiments import verdict_box

READING = (
    "Small dots are seeds, large ones their means; each seed redraws random selections, the"
    " network's first weights and the order of its batches, and ranks by a network of its own"
    " unless the selection names one (*regression 1*: network 1 in every seed)."
    f" {verdict_box.READING}\n\nThe points are selected among the training"
    " points, and their scores are computed among these alone. The network's own leverage uses"
    " features that were trained on *all* labels: it asks whether scores at the end of training"
    " name the points that would have been enough from the start.\n\nIntermediate accuracies are"
    " measured on 2,000 fixed test points, the last ones on all of them. If a class was never"
    " selected, its accuracy is 0: see *By class*."
)
