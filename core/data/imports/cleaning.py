"""From what a file says to a draft: which rows stay, which classes they have, what they are called,
which are test rows.

Rows with NaN, infinity or values beyond float32 are left out, and rows without a label or a target
where others have one. Everything else in doubt (ids that repeat, probabilities that do not sum to
1, a single class) is not used, and a fault says so. What contradicts itself (labels of the wrong
length, a thousand classes) is a fatal fault: the draft is sound without it, but the user has to
decide.
"""

from __future__ import annotations

import re

import numpy as np

from core.data.imports.draft import Draft, Fault, FoundRows
from core.data.imports.file_limits import Limits
from core.data.imports.wording import LONGEST_WORD, last_faults, one_line, some
from core.types import Bools, Floats, Ints, UserError

SUM_TOLERANCE = 1e-3
BLOCK = 8192
TRAIN = ("train", "training")
TEST = ("test", "testing", "val", "valid", "validation")


def draft_of(found_rows: FoundRows, title: str, limits: Limits, faults: list[Fault]) -> Draft:
    """The draft of these rows. A UserError if none is left."""
    check_size(found_rows.points.shape, title, limits)
    keep = _kept(found_rows, faults)
    if not keep.any():
        raise UserError(f"{title}: every row is left out. {last_faults(faults)}")
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
        ids=ids,
        probs=_probs(found_rows, keep, names, faults),
        feature_names=found_rows.feature_names,
        faults=tuple(faults),
        columns=found_rows.columns,
        sides=found_rows.sides,
        title=title,
        left_out=found_rows.lost + int((~keep).sum()),
        refused_ids=refused,
        target=target,
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


def narrow(out: Floats, values: np.ndarray, broken: Bools, large: Bools) -> None:
    """values (n,) or (n, d) into out as float32; rows with NaN or infinity are marked as broken,
    those beyond float32 as large.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        out[...] = values
    finite = np.isfinite(values)
    each = (lambda flags: flags) if values.ndim == 1 else (lambda flags: flags.any(axis=1))
    broken |= each(~finite)
    large |= each(finite & ~np.isfinite(out))


def as_float32(values: np.ndarray) -> tuple[Floats, Bools, Bools]:
    """A matrix (n, d) of any real type as float32, with its broken and its large rows; in blocks,
    so that little else is held.
    """
    out = np.empty(values.shape, np.float32)
    broken = np.zeros(len(values), bool)
    large = np.zeros(len(values), bool)
    for start in range(0, len(values), BLOCK):
        rows = slice(start, start + BLOCK)
        narrow(out[rows], values[rows], broken[rows], large[rows])
    return out, broken, large


def split_of(words: list[str], codes: Ints) -> Bools | None:
    """True for test and validation rows; None if a word is neither of these nor of training."""
    lower = [text.lower() for text in words]
    return (
        np.array([text in TEST for text in lower])[codes] if set(lower) <= {*TRAIN, *TEST} else None
    )


def encoded(values: np.ndarray) -> tuple[list[str], Ints]:
    """(words, code of each value) of an array of numbers or text."""
    unique, codes = np.unique(values, return_inverse=True)
    return [as_word(value) for value in unique.tolist()], codes.reshape(-1).astype(np.int64)


def coded(texts: list[str]) -> tuple[list[str], Ints]:
    """(words, code of each text), however long they are."""
    number: dict[str, int] = {}
    codes = np.array([number.setdefault(one_line(text), len(number)) for text in texts], np.int64)
    return list(number), codes


def has_fractions(values: np.ndarray) -> bool:
    """Is there a number that is not whole? Then these are measurements, and no classes."""
    return bool((values != np.floor(values))[~np.isnan(values)].any())


def as_word(value: object) -> str:
    """A label or an id as text: 3.0 is "3"; NaN and nothing are blank."""
    if value is None or value != value:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, bytes):
        return one_line(value.decode(errors="replace"))
    return one_line(str(value))


def _kept(found_rows: FoundRows, faults: list[Fault]) -> Bools:
    n = len(found_rows.points)
    keep = np.ones(n, bool)
    for flags, what in (
        (found_rows.broken, "NaN or infinity"),
        (found_rows.large, "values beyond the range of float32"),
    ):
        if flags is not None and flags.any():
            faults.append(
                _left_out(flags, f"with {what}", "Fill or remove them in the file if they matter.")
            )
            keep &= ~flags
    if found_rows.labels is not None:
        blank = np.array([text == "" for text in found_rows.labels[0]])[found_rows.labels[1]]
        if blank.all():
            faults.append(Fault("All labels are blank.", "The points count as unlabeled."))
        elif blank.any():
            faults.append(
                _left_out(
                    blank,
                    "without a label",
                    "Label them, or choose no label column to keep them all as unlabeled.",
                )
            )
            keep &= ~blank
    return keep & _has_target(found_rows.target, n, faults)


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
            faults.append(_left_out(flags, what, mend))
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


def _left_out(flags: Bools, what: str, mend: str) -> Fault:
    rows = np.flatnonzero(flags)
    shown = some([f"{row + 1:,}" for row in rows[:3]])
    return Fault(
        f"Rows {what}: {len(rows):,} of {len(flags):,}, the first being {shown}.",
        f"They are left out. {mend}",
    )


def _classes(
    found_rows: FoundRows, keep: Bools, limits: Limits, faults: list[Fault]
) -> tuple[Ints, tuple[str, ...]]:
    """(labels of the rows that are kept, class names); -1 and () where there are no classes."""
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
        if sorted(given) != sorted(names):
            return [], f"those of {some(given)}, expected those of {some(names)}"
        return [given.index(name) for name in names], ""
    if len(columns) != len(names):
        return [], f"{len(columns):,} columns, expected {len(names):,}, one for each class"
    return columns, ""


def _distributions(probs: Floats) -> Bools:
    return (probs >= 0).all(axis=1) & (
        np.abs(probs.sum(axis=1, dtype=np.float64) - 1) <= SUM_TOLERANCE
    )


def sums_to_one(probs: np.ndarray) -> bool:
    """Is every row (of at least two columns) a distribution?"""
    return probs.ndim == 2 and probs.shape[1] > 1 and bool(_distributions(probs).all())
