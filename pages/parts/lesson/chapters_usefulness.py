"""The talk's last question: do the scores at the end of training say which points to train on?"""

from __future__ import annotations

import streamlit as st

from core.experiments import presets, store
from core.experiments.retrain import outcomes
from core.experiments.retrain.outcomes import Grid
from core.experiments.retrain.plan import RANDOM, Candidate
from core.experiments.statistics import BETTER, EQUAL, MARGIN, UNCLEAR, WORSE
from core.experiments.verdicts import POINTS, Versus, sentence
from core.models.network_names import NETWORKS
from core.types import UserError
from pages.components.curves import Axis, Curve, Panel, curves
from pages.parts.lesson import chapter_frame, quiz
from pages.parts.lesson.material import Material
from pages.shared import cached, layout, state
from pages.shared.experiments import line_styles
from pages.shared.words import short

NAME = "Do they help?"
QUESTION = "Do scores at the end of training say which digits were worth training on?"
UNDER_TALK = "protocol"  # the step in which a talk shows its own protocol
BUDGET = 1000
TRAINED = Candidate("top", "cnn_classification")  # ranked at the end of a training
RAW = Candidate("top", "raw")
NETWORKS_SHOWN = ("talk_cnn", "lenet5")
PROTOCOLS = {"epochs": "Shuffled", "talk": "As in the talk"}
OPTIONS = {
    BETTER: "Higher",
    EQUAL: f"Equal, within {POINTS.one(MARGIN)}",
    WORSE: "Lower",
}
ANSWERS = {
    BETTER: "*Yes*: what they rank highest teaches more than random digits do.",
    EQUAL: "*No matter*: what they rank highest teaches as much as random digits do.",
    WORSE: "*No*: what they rank highest teaches less than random digits do.",
    UNCLEAR: "*It stays unclear*: five trainings differ too much for a verdict.",
}
EPOCHS = Axis("epoch", 1, 15, (1, 5, 10, 15))
ACCURACY = Axis(
    "accuracy on the test digits", 0.0, 1.0, (0.0, 0.25, 0.5, 0.75, 1.0), form="percent"
)


@st.cache_resource(show_spinner=False)
def grids() -> dict[tuple[str, str], Grid]:
    """The bundled trainings of both networks under both protocols, by (protocol, network).

    A UserError if they are not bundled.
    """
    found = {}
    data = cached.dataset("mnist", None, 0)
    for plan in presets.RETRAININGS:
        grid = outcomes.grid(plan, store.outcomes(plan, data.fingerprint), len(data.class_names))
        if grid.finished < len(plan.units()):
            raise UserError(
                "Lesson: found no finished retraining among the bundled results."
                " Run python -m core experiments."
            )
        found[plan.protocol, plan.network] = grid
    return found


@st.cache_resource(show_spinner=False)
def verdicts(protocol: str) -> dict[str, dict[Candidate, Versus]]:
    """What each network's selections gave against random ones, as Retrain says it: all share one
    level.
    """
    both = [grids()[protocol, network] for network in NETWORKS_SHOWN]
    found = outcomes.versus_of(both, RANDOM, MARGIN)
    return dict(zip(NETWORKS_SHOWN, found, strict=True))


def verdict(network: str, protocol: str, who: Candidate) -> Versus:
    """What BUDGET digits of a selection gave."""
    place = grids()[protocol, network].plan.budgets.index(BUDGET)
    return verdicts(protocol)[network][who].at(place)._replace(places=[""])


def _clause(network: str, protocol: str, who: Candidate) -> str:
    """ "*14 points worse* than random (4.7 to 23.7)"."""
    said = sentence("", "random", verdict(network, protocol, who), POINTS, MARGIN)
    return said.removeprefix(" is ").removesuffix(".")


def shown_protocol() -> str:
    """The protocol whose curves are shown."""
    default = "talk" if quiz.revealed(UNDER_TALK) else "epochs"
    return st.session_state.get(_key(), None) or default


def _key() -> str:
    return state.key(f"lesson protocol {quiz.revealed(UNDER_TALK)}")


def help_lead(material: Material) -> str:
    """What is done; once it has been predicted, the answer."""
    if not quiz.revealed("help"):
        return (
            "Five networks are trained and score all digits. From the *1,000 that each ranks"
            " highest* a new network learns from scratch."
        )
    found = {_outcome(network, shown_protocol()) for network in NETWORKS_SHOWN}
    return ANSWERS[found.pop()] if len(found) == 1 else "*It depends on the network.*"


def _outcome(network: str, protocol: str) -> str:
    return verdict(network, protocol, TRAINED).outcomes[0].outcome


def helps(material: Material, talk: bool) -> None:
    """A prediction, then the curves of both networks."""
    if not quiz.revealed("help"):
        _predict()
    else:
        _which_protocol()
    curves(
        _panels(shown_protocol(), quiz.revealed("help"), layout.dark()),
        key=state.key("lesson curves"),
        x=EPOCHS,
        height=round(260 * chapter_frame.scale(talk)) if talk else None,
        play=quiz.revealed("help"),
    )


def _predict() -> None:
    question = (
        f"Against {BUDGET:,} random digits, how accurate will it be? The random ones are drawn."
    )
    truth = _outcome(NETWORKS_SHOWN[0], "epochs")
    measured = _clause(NETWORKS_SHOWN[0], "epochs", TRAINED).replace("*", "")
    quiz.ask_across("help", NAME, question, OPTIONS, truth, measured)


def _which_protocol() -> None:
    """Shuffled batches or the talk's order: it changes the picture and its sentences."""
    choice, told = st.columns([2, 3], vertical_alignment="center")
    with choice:
        st.segmented_control(
            "Protocol",
            list(PROTOCOLS),
            format_func=PROTOCOLS.get,
            default=shown_protocol(),
            required=True,
            key=_key(),
            label_visibility="collapsed",
        )
    with told:
        if shown_protocol() == "talk":
            st.caption(
                "Ranked by textbook QR, never shuffled, softmax applied twice: outliers first, and"
                " a class once lost hardly comes back."
            )
        elif made := quiz.predictions().get("help"):
            st.caption(
                f"{'Right' if made.right else 'Not quite'}: you predicted “{made.predicted}”."
            )


@st.cache_resource(show_spinner=False, max_entries=8)
def _panels(protocol: str, whole: bool, dark: bool) -> tuple[Panel, ...]:
    """One per network; before the prediction with random's curve alone."""
    return tuple(_panel(network, protocol, whole, dark) for network in NETWORKS_SHOWN)


def _panel(network: str, protocol: str, whole: bool, dark: bool) -> Panel:
    grid = grids()[protocol, network]
    means = grid.curve[:, grid.plan.budgets.index(BUDGET)].mean(axis=1)
    lines = line_styles.selection_lines(grid.plan, dark)
    epochs = tuple(float(epoch) for epoch in range(1, means.shape[1] + 1))
    drawn = tuple(
        Curve(_called(who), line.colour, tuple(line.dash), epochs, tuple(map(float, mean)))
        for who, line, mean in zip(grid.plan.candidates, lines, means, strict=True)
        if whole or who == RANDOM
    )
    said = _said(network, protocol) if whole else ""
    ends = ", ".join(f"{one.name} {one.y[-1]:.0%}" for one in drawn)
    alt = f"Accuracy epoch by epoch, at the end: {ends}"
    return Panel(NETWORKS[network], said, drawn, ACCURACY, alt)


def _called(who: Candidate) -> str:
    return short(who.embedding) if who.scored else "random"


def _said(network: str, protocol: str) -> str:
    """One sentence for a network."""
    trained, raw = (_clause(network, protocol, who) for who in (TRAINED, RAW))
    return f"Top by the classifier: {trained}; by raw pixels: {raw}."
