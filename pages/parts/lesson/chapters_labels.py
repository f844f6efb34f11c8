"""The lesson's beginning: labels cost, and some tell more than others."""

from __future__ import annotations

from pages.components import label_line
from pages.parts.lesson import chapter_frame
from pages.parts.lesson.material import Material


def labels_lead(material: Material) -> str:
    """What is to be done."""
    return (
        "Points are free, *labels cost*. Choose your places, then see who would have chosen better."
    )


def labels(material: Material, talk: bool) -> None:
    """Ten labels on a line: one's own places, equally spaced, random, by leverage."""
    height = round(310 * chapter_frame.scale(talk)) if talk else None
    label_line.draw(key="lesson labels", height=height)
