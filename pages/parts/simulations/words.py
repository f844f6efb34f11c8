"""What the Simulations page calls its figures, designs and strategies."""

from __future__ import annotations

from core.experiments.simulations.plan import BAIT, FORWARD, UNWEIGHED
from pages.shared.experiments import line_styles

FIGURES = {
    "risk": "Two designs (Figure 3)",
    "representations": "Two representations (Figures 2, 4)",
    "backward": "Taking points back (Figure 1)",
}
DESIGNS = {  # in a sentence; and above a panel
    "gaussian": ("on the Gaussian design", "Gaussian design"),
    "orthonormal": ("on the orthonormal design", "Orthonormal design"),
    "learned": ("on the learned representation", "Learned representation"),
    "random": ("on the random representation", "Random representation"),
    "network": ("with an MLP", "MLP"),
}
NAMES = {
    ("risk", BAIT): "BAIT",
    ("representations", FORWARD): "BAIT",
    ("representations", UNWEIGHED): "BAIT without F",
    ("backward", "bait"): "Forward-backward",
    ("backward", FORWARD): "Forward only",
}


def called(figure: str, text: str) -> str:
    """A strategy's name in this figure."""
    return NAMES.get((figure, text)) or line_styles.strategy_name(text)
