"""From what a file says to a draft: which rows stay, which classes they have, what they are called,
which are test rows.

Gaps (NaN, infinity, empty cells) are mended as the user chooses; by themselves columns that are
mostly empty are left out, then the rows with a gap, if that leaves most of them. Points without a
label stay, and so do the numbers of the rows in the file: they are the ids of a file that has none
once a row is left out. Everything else in doubt (ids that repeat, probabilities that do not sum to
1, a single class) is not used, and a fault says so. What contradicts itself (labels of the wrong
length, a thousand classes) is a fatal fault: the draft is sound without it, but the user has to
decide. Rows are counted from 0.
"""

from __future__ import annotations

import re

import numpy as np

from core.data.imports.draft import Choices, Draft, Fault, FoundRows
from core.data.imports.file_limits import Limits
from core.data.imports.gaps import left_out, without_gaps
from core.data.imports.wording import LONGEST_WORD, as_class, as_word, last_faults, some
from core.types import Bools, Floats, Ints, UserError

SUM_TOLERANCE = 1e-3
BLOCK = 8192
# float32 keeps a column if its rounding is a smaller part of its spread
LOST = 1e-4


def draft_of(
    found_rows: FoundRows, title: str, limits: Limits, choices: Choices, faults: list[Fault]
) -> Draft:
    """The draft of these rows. A UserError if none is left."""
    check_size(found_rows.points.shape, title, limits)
    found_rows, keep = without_gaps(found_rows, title, choices, faults)
    keep = _kept(found_rows, keep, faults)
    if not keep.any():
        raise UserError(f"{title}: every row is left out. {last_faults(faults)}")
    _note_precision(found_rows, faults)
    points = found_rows.points if keep.all() else found_rows.points[keep]
    labels, names = _classes(found_rows, keep, limits, faults)
    ids, refused = _ids(found_rows.ids, keep)
    faults += [refused] if refused else []
    target = _target(found_rows.target, keep, faults)
    return Draft(
        kind="images" if found_rows.points.ndim > 2 else "table",
        points=points,
        labels=labels,
        class_names=names,
        test=_test(found_rows.test, keep, faults),
        ids=_row_numbers(found_rows, keep) if ids is None else ids,
        probs=_probs(found_rows, keep, names, faults),
        feature_names=found_rows.feature_names,
        faults=tuple(faults),
        columns=found_rows.columns,
        sides=found_rows.sides,
        title=title,
        left_out=found_rows.lost + int((~keep).sum()),
        refused_ids=refused,
        target=target,
        roles=found_rows.roles,
        shown={name: values[keep] for name, values in found_rows.shown.items()},
        asks=found_rows.asks,
    )


def _row_numbers(found_rows: FoundRows, keep: Bools) -> np.ndarray | None:
    """The rows' numbers in the file as ids, where they are not 0, 1, 2, ... any more."""
    numbers = found_rows.numbers
    if numbers is None and (keep.all() or found_rows.lost):
        return None
    return (np.arange(len(keep)) if numbers is None else numbers)[keep].astype(str)


def _note_precision(found_rows: FoundRows, faults: list[Fault]) -> None:
    if found_rows.exact:
        faults.append(
            Fault(
                f"Columns whose differences float32 cannot tell apart: {some(found_rows.exact)}.",
                "The table is kept in double precision (float64).",
            )
        )


def check_size(shape: tuple[int, ...], title: str, limits: Limits) -> None:
    """A UserError if points of this shape are none, empty, or more than the limits allow."""
    rows = shape[0]
    columns = int(np.prod(shape[1:], dtype=object))
    if min(rows, columns) < 1:
        raise UserError(
            f"{title}: found {rows:,} rows of {columns:,} values, expected at least one of each."
            " Bring a file with data in it."
        )
    for found, most, what in (
        (rows, limits.rows, "rows"),
        (columns, limits.columns, "values per row"),
        (rows * columns, limits.values, "values"),
    ):
        if found > most:
            raise UserError(
                f"{title}: found {found:,} {what}, expected at most {most:,}. Bring fewer rows or"
                " columns, or smaller images."
            )


def float_type(values: np.ndarray) -> type[np.floating]:
    """float32, unless its rounding would be felt: more than a 10,000th of the values' spread."""
    finite = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    if values.dtype.kind == "b" or values.dtype.itemsize < 4 or not finite.size:
        return np.float32
    with np.errstate(over="ignore"):
        largest = np.float32(np.abs(finite).max())
        alike = finite.min() == finite.max()  # whose standard deviation may be a rounding error
        spread = 0.0 if alike else float(np.std(finite, dtype=np.float64))
    if not np.isfinite(largest) or not np.isfinite(spread) or spread == 0:
        return np.float32
    if float(np.spacing(largest)) <= LOST * spread:
        return np.float32
    same = np.array_equal(finite.astype(np.float32).astype(values.dtype), finite)
    return np.float32 if same else np.float64


def narrow(out: Floats, values: np.ndarray, large: Bools) -> None:
    """values (n,) or (n, d) into out, of float32 or float64; rows beyond float32 are marked as
    large, and what is beyond is no gap.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        beyond = np.isfinite(values) & ~np.isfinite(values.astype(np.float32))
        out[...] = np.where(beyond, 0, values)
    large |= beyond if values.ndim == 1 else beyond.any(axis=1)


def as_floats(values: np.ndarray) -> tuple[Floats, Bools, tuple[int, ...]]:
    """A matrix (n, d) of any real type as float32, or float64 where that loses differences; its
    large rows; the columns that need float64. In blocks, so that little else is held.
    """
    exact = (
        tuple(j for j in range(values.shape[1]) if float_type(values[:, j]) == np.float64)
        if values.dtype.itemsize >= 4 and values.dtype != np.float32
        else ()
    )
    out = np.empty(values.shape, np.float64 if exact else np.float32)
    large = np.zeros(len(values), bool)
    for start in range(0, len(values), BLOCK):
        rows = slice(start, start + BLOCK)
        narrow(out[rows], values[rows], large[rows])
    return out, large, exact


def encoded(values: np.ndarray) -> tuple[list[str], Ints]:
    """(words, code of each value) of an array of numbers or text."""
    unique, codes = np.unique(values, return_inverse=True)
    return [as_word(value) for value in unique.tolist()], codes.reshape(-1).astype(np.int64)


def has_fractions(values: np.ndarray) -> bool:
    """Is there a number that is not whole? Then these are measurements, and no classes."""
    return bool((values != np.floor(values))[~np.isnan(values)].any())


def _kept(found_rows: FoundRows, keep: Bools, faults: list[Fault]) -> Bools:
    n = len(found_rows.points)
    if found_rows.large is not None and found_rows.large.any():
        what = "with values beyond the range of float32"
        mend = "Fill or remove them in the file if they matter."
        faults.append(left_out(found_rows.large, what, mend))
        keep = keep & ~found_rows.large
    if found_rows.labels is not None:
        _note_blanks(found_rows.labels, faults)
    return keep & _has_target(found_rows.target, n, faults)


def _note_blanks(labels: tuple[list[str], Ints], faults: list[Fault]) -> None:
    words, codes = labels
    blank = np.array([text == "" for text in words], bool)[codes]
    if blank.all():
        faults.append(Fault("All labels are blank.", "The points count as unlabeled."))
    elif blank.any():
        rows = np.flatnonzero(blank)
        faults.append(
            Fault(
                f"Points without a label: {len(rows):,} of {len(codes):,}, the first being row"
                f" {rows[0]:,}.",
                "They stay, as points that have no label yet.",
            )
        )


def _has_target(target: np.ndarray | None, n: int, faults: list[Fault]) -> Bools:
    """Which rows have one; all of them, with a fatal fault, if none has."""
    everyone = np.ones(n, bool)
    if target is None:
        return everyone
    rows = target.reshape(n, -1)
    blank = np.isnan(rows).any(axis=1)
    infinite = np.isinf(rows).any(axis=1) & ~blank
    known = ~(blank | infinite)
    if not known.any():
        mend = "Choose another target, or none."
        faults.append(
            Fault(f"Target: found no finite number in any of {n:,} rows.", mend, fatal=True)
        )
        return everyone
    for flags, what in (
        (blank, "without a number as their target"),
        (infinite, "with an infinite target"),
    ):
        if flags.any():
            mend = "Mend them in the file, or choose no target to keep them all."
            faults.append(left_out(flags, what, mend))
    return known


def _target(target: np.ndarray | None, keep: Bools, faults: list[Fault]) -> Floats | None:
    """The targets of the rows that are kept, None if they tell nothing."""
    if target is None or not np.isfinite(target[keep]).all():
        return None
    kept = target[keep]
    if (np.ptp(kept, axis=0) == 0).any():
        what = f"All targets are the same: {some([float(np.ravel(kept)[0])])}."
        faults.append(Fault(what, "One value says nothing: the points have no target."))
        return None
    return kept


def target_of_words(
    words: list[str], codes: Ints, what: str, faults: list[Fault]
) -> np.ndarray | None:
    """float64 (n,), NaN for a blank; None with a fatal fault if a word is no number."""
    values = [_number(word) for word in words]
    wrong = np.array([value is None for value in values])
    if wrong[codes].any():
        found = [words[code] for code in dict.fromkeys(codes.tolist()) if wrong[code]]
        faults.append(
            Fault(
                f"{what}: found text in {int(wrong[codes].sum()):,} of {len(codes):,} rows, such as"
                f" {some(found)}, expected numbers.",
                "Choose another target or none, or write numbers in the file; what names classes"
                " can be the labels.",
                fatal=True,
            )
        )
        return None
    return np.array(values, np.float64)[codes]


def _number(word: str) -> float | None:
    try:
        return float(word or "nan")
    except ValueError:
        return None


def _classes(
    found_rows: FoundRows, keep: Bools, limits: Limits, faults: list[Fault]
) -> tuple[Ints, tuple[str, ...]]:
    """(labels of the rows that are kept, -1 where there is none; class names, () if no point has
    one)."""
    unknown = np.full(int(keep.sum()), -1, np.int64)
    if found_rows.labels is None:
        return unknown, ()
    words, codes = found_rows.labels
    codes = codes[keep]
    present = sorted({words[code] for code in np.unique(codes)} - {""})
    fault = _no_classes(present, len(codes), limits)
    faults += [fault] if fault else []
    if fault or not present:
        return unknown, ()
    numbers = all(re.fullmatch(r"-?\d{1,15}", text) for text in present)
    names = sorted(present, key=int if numbers else str)  # type: ignore[arg-type]  # numbers in the order of their size
    number = {name: i for i, name in enumerate(names)}
    return np.array([number.get(text, -1) for text in words])[codes], tuple(names)


def _no_classes(present: list[str], n: int, limits: Limits) -> Fault | None:
    """Why these different labels of n points are no classes."""
    if len(present) > limits.classes:
        return Fault(
            f"Found {len(present):,} different labels among {n:,} points, expected at most"
            f" {limits.classes:,} classes.",
            "This looks like a column of ids or of measurements: choose another label column, or"
            " none. Measurements can be the target of a regression.",
            fatal=True,
        )
    if any(len(text) > LONGEST_WORD for text in present):
        return Fault(
            f"Found a label longer than {LONGEST_WORD} characters.",
            "Choose another label column, or none.",
            fatal=True,
        )
    if len(present) == 1:
        return Fault(
            f"All labels are the same: {some(present)}.",
            "One class says nothing: the points count as unlabeled.",
        )
    return None


def _ids(ids: np.ndarray | None, keep: Bools) -> tuple[np.ndarray | None, Fault | None]:
    if ids is None:
        return None, None
    ids = ids[keep]
    mend = "The ids are not used. Make them unique to join other files by them."
    if (ids == "").any():
        return None, Fault(f"Rows without an id: {int((ids == '').sum()):,} of {len(ids):,}.", mend)
    unique, counts = np.unique(ids, return_counts=True)
    if len(unique) < len(ids):
        return None, Fault(
            f"Ids that occur more than once: {int((counts > 1).sum()):,}, such as"
            f" {some(unique[counts > 1], 1)}.",
            mend,
        )
    return ids, None


def id_array(words: list[str], codes: Ints, faults: list[Fault]) -> np.ndarray | None:
    """str (n,); None with a fatal fault if one is too long to be an id, before so many characters
    are kept for each row.
    """
    longest = max(map(len, words), default=0)
    if longest > LONGEST_WORD:
        mend = "Choose another id column, or none, or give shorter ids."
        faults.append(
            Fault(
                f"Found an id of {longest:,} characters, expected at most {LONGEST_WORD}.",
                mend,
                fatal=True,
            )
        )
        return None
    return np.array(words, dtype=str)[codes]


def _test(test: np.ndarray | None, keep: Bools, faults: list[Fault]) -> Bools:
    kept = np.zeros(int(keep.sum()), bool) if test is None else np.asarray(test, bool)[keep]
    if kept.all():
        faults.append(
            Fault(
                "All rows are test rows.",
                "Nothing would be left to choose from: they count as training rows.",
            )
        )
        return ~kept
    return kept


def _probs(
    found_rows: FoundRows, keep: Bools, names: tuple[str, ...], faults: list[Fault]
) -> Floats | None:
    if found_rows.probs is None:
        return None
    order, problem = _class_order(found_rows, names)
    if not problem:
        with np.errstate(over="ignore"):
            probs = np.asarray(found_rows.probs[:, order], np.float32)[keep]
        wrong = int((~_distributions(probs)).sum())
        if not wrong:
            return probs
        problem = f"{wrong:,} of {len(probs):,} rows that are not positive with sum 1"
    mend = "They are not used. Mend them in the file, or let a head be fitted."
    faults.append(Fault(f"Class probabilities: found {problem}.", mend))
    return None


def _class_order(found_rows: FoundRows, names: tuple[str, ...]) -> tuple[list[int], str]:
    """(column of the probabilities for each class, why there are none or "")."""
    columns = list(range(found_rows.probs.shape[1]))
    given = found_rows.prob_names
    if not names:
        return columns, ""
    if given:
        plain = [as_class(name) for name in given]
        if sorted(plain) != sorted(map(as_class, names)):
            return [], f"those of {some(given)}, expected those of {some(names)}"
        return [plain.index(as_class(name)) for name in names], ""
    if len(columns) != len(names):
        return [], f"{len(columns):,} columns, expected {len(names):,}, one for each class"
    return columns, ""


def _distributions(probs: Floats) -> Bools:
    return (probs >= 0).all(axis=1) & (
        np.abs(probs.sum(axis=1, dtype=np.float64) - 1) <= SUM_TOLERANCE
    )
