"""Which colour means what? The same on every page, safe for the colour-blind (Okabe and Ito 2008;
cividis: Nunez, Anderton, Renslow 2018).

    FAMILIES               embedding families
    TOP, BOTTOM, CHANCE    selections
    CORRELATION            over [-1, 1]
    CLASSES                groups without an order
    score_colours          over percentiles

Which colour a strategy or a selection has: pages/shared/experiments/line_styles.py.

Colours are "#RRGGBB". In the dark theme those that would vanish are lightened.
"""

from __future__ import annotations

FAMILIES = {
    "raw": "#4D4D4D",
    "random": "#E69F00",
    "untrained": "#CC79A7",
    "regression": "#009E73",
    "classification": "#0072B2",
    "joined": "#882255",  # computed elsewhere
}
ON_DARK = {"raw": "#B8B8B8", "joined": "#CC6699"}
TOP = "#D55E00"
BOTTOM = "#56B4E9"
CHANCE = "#8C8C8C"
CORRELATION = ("#0072B2", "#FFFFFF", TOP)

# Okabe and Ito's eight, and two more that stay apart from them.
CLASSES = (
    "#E69F00",
    "#56B4E9",
    "#009E73",
    "#F0E442",
    "#0072B2",
    "#D55E00",
    "#CC79A7",
    "#8C8C8C",
    "#882255",
    "#44AA99",
)
CIVIDIS = (
    "#002051",
    "#0D346B",
    "#31476E",
    "#555B6E",
    "#727071",
    "#898577",
    "#A19B78",
    "#C0B26F",
    "#E2CB5C",
    "#FDEA45",
)


def family_colour(family: str, dark: bool) -> str:
    """The colour of an embedding family in the current theme."""
    return ON_DARK.get(family, FAMILIES[family]) if dark else FAMILIES[family]


def class_colour(place: int) -> str:
    """The colour of the class at this place; after ten they come round again, so that names must
    stand beside them.
    """
    return CLASSES[place % len(CLASSES)]


def unlabeled_colour(dark: bool) -> str:
    """Of points that are outside what is looked at, have no label or no score."""
    return "#39424C" if dark else "#DDE1E5"


def score_colours(dark: bool) -> list[str]:
    """From the lowest percentile to the highest: cividis; in the dark theme without its darkest,
    which would sink into the ground.
    """
    return ["#3B5480", *CIVIDIS[3:]] if dark else list(CIVIDIS)


def difference_colours(dark: bool) -> list[str]:
    """From lower through alike to higher: blue, a tone near the ground, vermilion."""
    return [CORRELATION[0], "#6B747D" if dark else "#EDEFF1", TOP]


def chosen_colours(dark: bool) -> list[str]:
    """The points left out, and the points chosen."""
    return ["#5B6672" if dark else "#C4CAD0", TOP]
