"""May a visitor of the hosted demo have this computed? At home everything may be.

    check_task(task, arguments)          scores, maps, comparisons, replays: by their points,
                                         dimensions and strategies
    check_plan(plan, missing, seconds)   experiments: by their settings, and by the time they would
                                         take
    check_queue(own, address, everyone)  is there room for a computation among what is waiting?
    check_pace(seconds)                  has it been asked for slowly enough?
    check_experiments(everyone)          is there room for an experiment?

What is bundled or cached is never asked about here. Each raises a UserError that says what was
found, what is expected and how to mend it.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from core.hosting import estimates
from core.hosting.estimates import Estimate
from core.hosting.policy import BOUNDS, hosted
from core.runtime import tasks, worker
from core.spec import Comparison, Request, Spec, resolve
from core.strategy import MADE
from core.types import UserError

HOME = "or run the app on your own machine, where nothing is bounded (the README says how)"
# Their work is the embedding's size times its rank at most: seconds for all the digits.
QUICK = ("leverage", "class_leverage", "random")
LEAST_SECONDS = 30.0  # for whatever was begun
# Of an experiment: setting -> what it is called, its bound. Budgets are lists.
SETTINGS = {
    "seeds": ("seeds", BOUNDS.seeds),
    "rounds": ("rounds", BOUNDS.rounds),
    "steps": ("steps of a round's training", BOUNDS.steps),
    "pool": ("points in the pool", BOUNDS.pool),
    "unlabeled": ("unlabeled points", BOUNDS.pool),
    "training": ("training points", BOUNDS.pool),
    "validation": ("validation points", BOUNDS.pool),
    "labeled": ("labeled points", BOUNDS.pool),
}


def check_task(task: str, arguments: tuple[Any, ...]) -> dict[str, Any]:
    """A UserError if a visitor may not have this task done with these arguments.

    Else how `jobs.submit` is to have it done: in which room, and for how long at most.
    """
    if not hosted():
        return {}
    if task == tasks.FETCH_DATASET:
        raise UserError(
            "On the hosted demo datasets are not downloaded. Its host can add this one: python -m"
            f" core fetch {arguments[0]}."
        )
    for argument in arguments:
        if isinstance(argument, Comparison):
            _check_comparison(argument)
        elif isinstance(argument, Spec) and task == tasks.MAP:
            _at_most("points to be drawn on a map", resolve(argument).rows, BOUNDS.mapped)
        elif isinstance(argument, Spec):
            _check_scores(resolve(argument))
        elif setting := getattr(argument, "setting", None):
            _check_settings(setting)
    found = estimates.of(task, arguments)
    _check_estimate(found)
    most = max(LEAST_SECONDS, BOUNDS.patience * found.seconds)
    if found.heavy:  # whatever ends its worker will do so again, and keeps others waiting
        return {"room": worker.HEAVY, "seconds": most, "lives": 1}
    return {"room": worker.LIGHT, "seconds": most}


def _check_estimate(found: Estimate) -> None:
    for what, much, most in (
        ("seconds of one core", found.seconds, BOUNDS.seconds),
        ("megabytes of memory", found.megabytes, BOUNDS.work_mb),
    ):
        if much > most:
            raise UserError(
                f"Found about {much:,.0f} {what}, as estimated; on the hosted demo a question may"
                f" take {most:,.0f}. Choose fewer points or dimensions, {HOME}."
            )


def check_queue(own: int, address: int, everyone: int) -> None:
    """A UserError if this client, its address or all together have too many computations
    waiting.
    """
    if own >= BOUNDS.jobs:
        raise UserError(
            f"Found {own} computations of yours under way, expected fewer than {BOUNDS.jobs}. Stop"
            " one, or wait for their end."
        )
    for where, found, most in (
        ("from your network", address, BOUNDS.address_jobs),
        ("on this server", everyone, BOUNDS.queue),
    ):
        if found >= most:
            raise UserError(
                f"Found {found} computations waiting {where}, expected fewer than {most}. Try again"
                " in a minute."
            )


def check_pace(seconds: float) -> None:
    """A UserError if more was asked within a minute than may be; seconds: until it may be again."""
    if seconds:
        raise UserError(
            f"Found more than {BOUNDS.questions} new questions of yours within a minute, or than"
            f" {BOUNDS.address_questions} from your network. Try again in {math.ceil(seconds)}"
            " seconds."
        )


def check_plan(plan: Any, missing: list, seconds: float | None) -> None:
    """A UserError if a visitor may not start this experiment.

    missing: its unfinished units; seconds: their predicted time, if known.
    """
    if not hosted() or not missing:
        return
    _check_settings(plan)
    # In other plans budgets follow from the rounds.
    if "budgets" in {field.name for field in dataclasses.fields(plan)}:
        _at_most("budgets", len(plan.budgets), BOUNDS.budgets)
        _at_most("points in the largest budget", max(plan.budgets), BOUNDS.pool)
    _at_most(plan.units_are, len(missing), BOUNDS.units)
    if seconds is not None and seconds > 60 * BOUNDS.minutes:
        found = f"about {math.ceil(seconds / 60):,} minutes of work"
        raise UserError(
            f"Found {found}; on the hosted demo an experiment may take {BOUNDS.minutes:g}."
            f" Choose a smaller one, {HOME}."
        )


def check_experiments(everyone: int) -> None:
    """A UserError if as many experiments wait or run as may.

    One each: core/experiments/runner.py sees to that everywhere.
    """
    if hosted() and everyone >= BOUNDS.experiments:
        raise UserError(
            f"Found {everyone} experiments waiting on this server, expected fewer than"
            f" {BOUNDS.experiments}. Try again later."
        )


def _check_settings(setting: Any) -> None:
    for name, (what, most) in SETTINGS.items():
        _at_most(what, getattr(setting, name, None) or 0, most)


def _check_scores(request: Request) -> None:
    _at_most("points to be scored", request.rows, BOUNDS.rows)
    values = request.rows * _columns(request)
    _at_most("values to be scored (points times dimensions)", values, BOUNDS.values)
    chosen = request.strategy
    if chosen.name not in QUICK:
        most = BOUNDS.studied if set(MADE) & set(chosen.accepts) else BOUNDS.fitted
        _at_most(f"points (strategy: {chosen.label})", request.rows, most)


def _check_comparison(comparison: Comparison) -> None:
    requests = [resolve(column) for column in comparison.columns]
    for request in requests:
        _check_scores(request)
    compared = requests[0].rows * len(requests)
    _at_most("scores in one comparison (points times rankings)", compared, BOUNDS.compared)


def _columns(request: Request) -> int:
    """Of the points or of their embedding, whichever is wider."""
    return max(math.prod(request.about.shape), request.width)


def _at_most(what: str, found: int, most: int) -> None:
    if found > most:
        raise UserError(
            f"Found {found:,} {what}; on the hosted demo there may be {most:,}."
            f" Choose fewer, {HOME}."
        )
