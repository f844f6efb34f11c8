"""The lesson's story, chapter by chapter. Links name chapters; old links number them."""

from __future__ import annotations

from pages.parts.lesson import (
    chapters_digits,
    chapters_family,
    chapters_labels,
    chapters_regression,
    chapters_representations,
    chapters_take_away,
    chapters_usefulness,
)
from pages.parts.lesson.chapter_frame import Chapter

CHAPTERS = (
    Chapter(
        "labels",
        "Labels cost",
        "Which labels would you buy?",
        chapters_labels.labels_lead,
        chapters_labels.labels,
        None,
        "Let the room place ten labels; Next buys them, Next again shows the curve.",
    ),
    Chapter(
        "lever",
        chapters_regression.LINE,
        "Which point holds the line?",
        chapters_regression.line_lead,
        chapters_regression.line,
        chapters_regression.line_home,
        "Lift the far point, then a near one: who is followed?",
        asks=("line",),
    ),
    Chapter(
        "regressors",
        "Two regressors",
        "What is far, in two directions?",
        chapters_regression.ellipse_lead,
        chapters_regression.ellipse,
        chapters_regression.ellipse_home,
        "Along the cloud nothing happens; across it the bars collapse into one.",
    ),
    Chapter(
        "digits",
        chapters_digits.PLANE,
        "Which digit sticks out?",
        chapters_digits.plane_lead,
        chapters_digits.plane,
        chapters_digits.plane_home,
        "Let the room vote for a digit before you show the framed ones.",
        asks=("plane",),
    ),
    Chapter(
        "directions",
        chapters_digits.DIRECTIONS,
        "Who owns a direction?",
        chapters_digits.directions_lead,
        chapters_digits.directions,
        chapters_digits.directions_home,
        "First the sum, then how QR fooled us: point at a dashed frame.",
        asks=("ledger",),
        steps=(chapters_digits.TEXTBOOK,),
    ),
    Chapter(
        "network",
        chapters_representations.NETWORK,
        "Does a digit keep its place?",
        chapters_representations.representation_lead,
        chapters_representations.representation,
        chapters_representations.representation_home,
        "Logarithm and network do the same job: after the map, others are far.",
        asks=("traveller",),
    ),
    Chapter(
        "agreement",
        chapters_representations.AGREEMENT,
        "Do they agree?",
        chapters_representations.agreement_lead,
        chapters_representations.agree,
        chapters_representations.agreement_home,
        "The talk's first question: read the diagonal first, it is the ceiling.",
        asks=("tau",),
    ),
    Chapter(
        "useful",
        chapters_usefulness.NAME,
        chapters_usefulness.QUESTION,
        chapters_usefulness.help_lead,
        chapters_usefulness.helps,
        None,
        "The talk's second question: predict, play, then the talk's own protocol.",
        asks=("help",),
        steps=(chapters_usefulness.UNDER_TALK,),
    ),
    Chapter(
        "beyond",
        "Beyond leverage",
        "What else can a strategy look at?",
        chapters_family.family_lead,
        chapters_family.family,
        chapters_family.family_home,
        "Left to right: where it lies, what the model doubts, what the label says.",
    ),
    Chapter(
        "takeaway",
        "What we take away",
        "What do we take away?",
        chapters_take_away.take_away_lead,
        chapters_take_away.take_away,
        None,
        "Leave the code on the screen: they go on with their own eyes.",
    ),
)
SLUGS = tuple(chapter.slug for chapter in CHAPTERS)
OLD_NUMBERS = dict(
    zip(
        "123456789",
        (
            "lever",
            "regressors",
            "digits",
            "directions",
            "network",
            "agreement",
            "useful",
            "beyond",
            "takeaway",
        ),
        strict=True,
    )
)
