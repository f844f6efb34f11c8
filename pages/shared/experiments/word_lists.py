"""Lists in a page's view, such as budgets: sifted, so that one wrong word costs nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import streamlit as st

from core.types import UserError
from pages.shared import state
from pages.shared.words import plain


def text_of(plan: Any, name: str) -> str:
    """A plan's list as the text that a link uses."""
    return " ".join(map(str, getattr(plan, name)))


def readable(first: Any, names: Iterable[str], view: dict[str, Any]) -> dict[str, Any]:
    """The view without words that mean nothing in these lists.

    A link's are told, and the others are used. first: the page's first plan.
    """
    for name in names:
        view[name], wrong = sifted(first, name, view[name])
        state.problems().extend(wrong)
    return view


def sifted(first: Any, name: str, text: str) -> tuple[str, list[str]]:
    """The words of a list that can be used, and one message for each of the others.

    The first plan's words if there are none.
    """
    kept = []
    wrong = []
    for word in text.replace(",", "").split():
        try:
            first.with_(**{name: word})
            kept.append(word)
        except UserError as error:
            wrong.append(str(error))
    return " ".join(kept) or text_of(first, name), wrong


def budgets(first: Any, chosen: str, offered: Iterable[int], key: str, help: str) -> str:
    """The menu of budgets, into which any number can be typed."""
    now = chosen.split()
    options = sorted({*now, *map(str, offered)}, key=lambda text: (len(text), text))
    how = {
        "key": state.key(key),
        "help": help,
        "accept_new_options": True,
        "format_func": _thousands,
    }
    kept, wrong = sifted(first, "budgets", " ".join(st.multiselect("Budgets", options, now, **how)))
    for problem in wrong:
        st.warning(f"{plain(problem[:1].upper() + problem[1:])} It is left out.")
    return kept


def _thousands(text: str) -> str:
    return f"{int(text):,}" if text.isdigit() else text
