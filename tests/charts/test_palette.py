"""Do colours mean the same everywhere, and can they be seen on both grounds?"""

import numpy as np
import pytest

from core import embeddings
from core.charts import palette
from core.charts.palette import BOTTOM, CHANCE, FAMILIES, TOP, family_colour
from core.charts.scores import class_shares
from tests.charts.reading import contrast


@pytest.mark.parametrize(("dark", "paper"), [(False, "#FFFFFF"), (True, "#101418")])
def test_axis_texts_and_family_colours_can_be_seen_on_their_ground(dark, paper):
    config = class_shares(("a", "b"), np.ones(2) / 2, np.ones(2) / 2, dark).to_dict()["config"][
        "axis"
    ]
    assert (
        contrast(config["labelColor"], paper) >= 4.5
        and contrast(config["titleColor"], paper) >= 4.5
    )
    assert all(contrast(family_colour(family, dark), paper) >= 1.9 for family in FAMILIES)
    assert contrast(family_colour("raw", dark), paper) >= 4.5


def test_every_embedding_has_the_colour_of_its_family():
    assert {entry.family for entry in embeddings.embedders().values()} <= set(FAMILIES)
    colours = [*FAMILIES.values(), TOP, BOTTOM, CHANCE]
    assert len(set(colours)) == len(colours) and TOP == "#D55E00"


@pytest.mark.parametrize(("dark", "paper"), [(False, "#FFFFFF"), (True, "#101418")])
def test_dots_can_be_seen_on_their_ground(dark, paper):
    darkest = palette.score_colours(dark)[0]
    assert contrast(darkest, paper) >= 2 and contrast(palette.chosen_colours(dark)[0], paper) >= 1.5
    assert len(set(palette.score_colours(dark))) == len(palette.score_colours(dark))
