"""The lesson's digits as points: two directions first, then all 784."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core import lesson
from core.charts.palette import CHANCE, TOP
from core.linalg import ties
from pages.components.digit_plane import digit_plane
from pages.components.gallery import gallery
from pages.parts.lesson import chapter_frame, quiz, small_pictures
from pages.parts.lesson.material import Material
from pages.parts.lesson.quiz import Prediction
from pages.shared import state
from pages.shared.words import number, score_texts

PLANE = "Digits are points"
DIRECTIONS = "784 directions"
TEXTBOOK = "textbook"  # the step in which a talk shows how QR fooled us
NAMED = 3
SHOWN = {"top": "Highest", "bottom": "Lowest", TEXTBOOK: "How QR fooled us"}
IMAGES = 60


def plane_lead(material: Material) -> str:
    """Every digit is a point."""
    return (
        f"*{material.data.d} pixels, {material.data.d} coordinates*: every digit is a point. Tap"
        f" the one with the highest leverage of these {len(material.plane.arrays['points'])}."
    )


def plane(material: Material, talk: bool) -> None:
    """Digits where the two principal directions put them."""
    entry = material.plane
    labels = material.data.labels
    order = np.argsort(entry.arrays["points"])  # not the highest first: that is asked for
    points, scores, coordinates = (
        entry.arrays[name][order] for name in ("points", "scores", "coordinates")
    )
    words, picture = st.columns([2, 3], gap="large")
    shown = quiz.revealed("plane")
    best = points[ties.order(scores)[:NAMED]]
    with picture:
        picked = digit_plane(
            material.data.points[points],
            coordinates,
            [f"digit {material.data.class_names[labels[p]]}" for p in points],
            points.tolist(),
            key=state.key("lesson plane"),
            alt=f"{len(points)} digits in the plane of their two principal directions",
            size=lesson.GAP * float(np.ptp(coordinates[:, 0])),
            selected=quiz.picked("plane"),
            badges=dict(zip(best.tolist(), ("1", "2", "3"), strict=True)) if shown else None,
            ellipses=(
                [
                    lesson.half_axes(entry.facts["spreads"], len(material.data), level)
                    for level in levels(scores)
                ]
                if shown
                else ()
            ),
        )
    if picked is not None:
        quiz.pick("plane", picked)
        st.rerun()
    with words:
        _which_sticks_out(points, scores, best.tolist(), len(material.data))


def levels(scores: np.ndarray) -> list[float]:
    """The leverages whose ellipses are drawn: a ninth, four ninths and all of the highest.

    So they lie at equal distances.
    """
    return [float(scores.max()) * (part / 3) ** 2 for part in (1, 2, 3)]


def _which_sticks_out(points: np.ndarray, scores: np.ndarray, best: list[int], n: int) -> None:
    picked = quiz.picked("plane")
    ranks = ties.ranks(scores)
    if quiz.revealed("plane"):
        made = quiz.predictions().get("plane")
        yours = f"yours has {made.measured}; " if made else ""
        times = f"{float(scores.max()) * n / 2:.1f}"
        quiz.verdict("plane", f"{yours}the first of the framed ones has {times} times the mean.")
        st.markdown(
            "Along a dashed line the leverage is the same: distance from the average digit, in the"
            " shape of the cloud."
        )
        return
    st.markdown(
        "**Which digit sticks out?** They stand where their two principal directions put"
        " them; the average digit is in the middle."
    )
    if picked is None:
        quiz.show_at_once("plane")
        return
    rank = int(ranks[points == picked][0])
    made = Prediction(
        PLANE,
        "Which of these digits has the highest leverage?",
        f"number {picked:,}",
        f"rank {rank} of {len(points)}",
        picked in best,
    )
    st.button(
        "I predict the framed one",
        type="primary",
        on_click=quiz.predict,
        args=("plane", made),
        width="stretch",
    )


def plane_home(material: Material) -> str:
    """No label was needed."""
    return "No label was needed: leverage sees *where* a digit lies, not what it is."


def owners(material: Material) -> int:
    """How many digits are nearly alone in a direction: leverage above 0.99 under raw pixels."""
    return int((material.raw.arrays["scores"] > 0.99).sum())


def directions_lead(material: Material) -> str:
    """Those that are nearly alone."""
    half = number(float(np.median(material.raw.arrays["scores"])))
    return (
        f"All {material.data.d} directions at once: *{owners(material)} of"
        f" {len(material.data):,}* digits have a leverage above 0.99, each nearly alone in one"
        f" direction; half stay below {half}."
    )


def directions(material: Material, talk: bool) -> None:
    """The highest, and what all scores add up to."""
    data = material.data
    facts = material.raw.facts
    words, picture = st.columns([2, 3], gap="large")
    with words:
        less = facts["rank"] < facts["d"]
        known = quiz.ask(
            "ledger",
            DIRECTIONS,
            f"What do the {len(data):,} scores add up to?",
            {
                "one": "1, as probabilities do",
                "pixels": f"{facts['d']}, one per pixel",
                "less": f"Less than {facts['d']}",
            },
            truth="less" if less else "pixels",
            measured=f"{facts['sum']:,.1f}, the rank: the directions that the digits span.",
        )
        if known:
            _ledger(facts)
    with picture:
        _ends(material, talk)


def _ledger(facts: dict) -> None:
    tied = facts["d"] - facts["dead"] - facts["rank"]
    pieces = [
        (facts["rank"], "directions, the sum of all leverage", TOP),
        (facts["dead"], "pixels that no digit uses", CHANCE),
    ]
    st.html(
        small_pictures.STYLE
        + small_pictures.ledger([*pieces, (tied, "pixels that the others determine", "#BDBDBD")])
    )


def _ends(material: Material, talk: bool) -> None:
    """The highest, the lowest, or what the textbook takes for the highest."""
    show = st.segmented_control(
        "Show",
        list(SHOWN),
        format_func=SHOWN.get,
        default=TEXTBOOK if quiz.revealed(TEXTBOOK) else "top",
        required=True,
        key=state.key(f"lesson ends {quiz.revealed(TEXTBOOK)}"),
        label_visibility="collapsed",
    )
    if show == TEXTBOOK:
        values, points = textbook_top(material)
        marks = [
            "artefact" if point in material.textbook.arrays["artefacts"] else "" for point in points
        ]
    else:
        order = material.ranking.order
        values = material.raw.arrays["scores"]
        marks = None
        points = (order if show == "top" else order[::-1])[:IMAGES]
    clicked = gallery(
        material.data.points[points],
        [material.data.class_names[c] for c in material.data.labels[points]],
        score_texts(values[points]),
        points.tolist(),
        marks=marks,
        alt=f"{SHOWN[show]}: digits by leverage under raw pixels",
        selected=quiz.picked("digit"),
        max_rows=(2 if marks else 3) if talk else 4,
        size=round(56 * chapter_frame.scale(talk)),
        key=state.key(f"lesson gallery {show}"),
    )
    if clicked is not None:
        quiz.pick("digit", clicked)
        st.rerun()
    _told(material, points)


def textbook_top(material: Material) -> tuple[np.ndarray, np.ndarray]:
    """(scores (n,), the first points) by QR without pivoting."""
    values = material.textbook.arrays["scores"]
    return values, ties.order(values)[:IMAGES]


def directions_home(material: Material) -> str:
    """The rank, and what code that does not pivot makes of it."""
    _, points = textbook_top(material)
    artefacts = int(np.isin(points, material.textbook.arrays["artefacts"]).sum())
    wrong = number(material.textbook.facts["sum"])
    return (
        f"All leverage adds up to the rank, *{material.raw.facts['rank']}*. Textbook QR gives"
        f" {wrong}: *{artefacts} of its top {IMAGES}* are artefacts of pixels that add no"
        " direction."
    )


def _told(material: Material, points: np.ndarray) -> None:
    told = quiz.picked("digit")
    ranking = material.ranking
    if told is None or told not in points:
        st.caption(
            "Look for specks: ink where no other digit has any. Tap a digit for its numbers."
        )
        return
    name = material.data.class_names[material.data.labels[told]]
    score = number(float(ranking.scores[told]))
    st.caption(
        f"Number {told:,}, class {name}: true leverage {score}, rank {ranking.rank[told]:,} of"
        f" {len(material.data):,}."
    )
