"""How to read the Trim page's pictures."""

from __future__ import annotations

from core.experiments.trim.run import METHODS
from pages.shared.experiments import verdict_box

READING = (
    "Each seed draws its own training and validation points. A model is fitted on the training"
    " points; each method looks at it and ranks them; the first are removed, the model is fitted"
    " anew, and the test points, which no method has seen, are classified. Each seed also"
    f" draws what is planted and what random removes. {verdict_box.READING}\n\n"
    + "\n".join(f"- **{method.label}**: {method.says}" for method in METHODS.values())
    + "\n\n*Planted truth*: a known share of the training points is damaged before anything is"
    " fitted; validation and test points stay as they are. The area under the curve is the chance"
    " that a damaged point ranks above another one."
)
