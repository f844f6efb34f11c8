"""Which columns that stand beside images play which part, as the user chooses.

label, id, target, split      one column each
shown only                    every other, to look at
left out                      what the user wants so
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np

from core.data.imports.draft import Choices, Fault, Role
from core.data.imports.wording import LONGEST_WORD, some
from core.types import UserError

SINGLE = ("label", "id", "target", "split")
SHOWN = 30  # columns that are kept beside the images


def chosen_parts(choices: Choices, columns: Collection[str], title: str) -> dict[str, str]:
    """{column: role} as the user chose them.

    A UserError for a column that is not there, a role that none can have, or two columns of a role
    that one has.
    """
    given = dict(choices.roles)
    for role, column in (("label", choices.label), ("id", choices.id), ("target", choices.target)):
        given |= {column: role} if column else {}
    for column, role in given.items():
        if column not in columns:
            found = f"{role.capitalize()} column: found {column!r}"
            if columns:
                mend = f"expected one of {some(columns, 10)}. Choose another one, or none."
                raise UserError(f"{found}, {mend}")
            raise UserError(
                f"{title}: {found[0].lower()}{found[1:]}, expected images with such a column beside"
                " them. Bring a table that names the images and has it, or an .npz with such an"
                " array."
            )
        if role in ("feature", "probability"):
            raise UserError(
                f"Role of column {column}: found {role!r} beside images, which are the features."
                " Choose another role."
            )
        if role in SINGLE and list(given.values()).count(role) > 1:
            raise UserError(
                f"Role {role}: found several columns, expected one. Give the others another role."
            )
    return given


def parts_of(
    columns: Iterable[str], found: dict[str, str | None], given: dict[str, str]
) -> tuple[Role, ...]:
    """The role of every column. found: {role: column}. given: {column: role} as the user chose."""
    by_column = {column: role for role, column in found.items() if column}
    roles = []
    for column in columns:
        role = by_column.get(column) or given.get(column, "shown only")
        why = "stands beside the images" if role == "shown only" else "its name or its values"
        roles.append(Role(column, role, "chosen" if column in given else why))
    return tuple(roles)


def shown_columns(
    roles: tuple[Role, ...], values: Mapping[str, Sequence[str]], faults: list[Fault]
) -> dict[str, np.ndarray]:
    """The columns that are shown only: numbers, where every word is one, else text."""
    names = [role.column for role in roles if role.role == "shown only"]
    if len(names) > SHOWN:
        what = f"Columns to show: {len(names):,}, of which {SHOWN} are kept."
        faults.append(Fault(what, f"Left out are {some(names[SHOWN:])}."))
    return {name: _shown(values[name]) for name in names[:SHOWN]}


def _shown(words: Sequence[str]) -> np.ndarray:
    try:
        return numbers_of(words, strict=True)
    except ValueError:
        return np.array([word[:LONGEST_WORD] for word in words], dtype=str)


def numbers_of(words: Sequence[str], *, strict: bool = False) -> np.ndarray:
    """float64 (n,), NaN for a blank and, unless strict, for what is no number."""
    values = np.full(len(words), np.nan)
    for i, word in enumerate(words):
        try:
            values[i] = float(word or "nan")
        except ValueError:
            if strict:
                raise
    return values
