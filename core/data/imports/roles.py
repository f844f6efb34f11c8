"""Which column of a table plays which part? Told from what the columns hold, by their names where
two readings fit, and always as the user chooses.

    target       numbers that a regression learns: chosen, or a `y` or `target` with many values
    label        label, labels, class, target, y, species, category: words or few whole numbers
    split        words such as train and test, or truth under a name such as is_test
    probability  prob_<class>, or columns named after the classes whose rows sum to 1
    id           id, *_id, file, path, index, ..., pandas' index, or the row numbers
    feature      one column of lists under a usual name, else every other column of numbers
    shown only   text, dates, lists; row numbers beside an id; what repeats the label
    left out     what is none of this

Each column has one role and a reason, which the preview shows. Names are compared without regard to
case.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from core.data.imports.columns import NO_LABEL, Column
from core.data.imports.draft import Choices, Fault, Role, chosen
from core.data.imports.wording import as_word, some
from core.types import Bools, Ints, UserError

LABELS = ("label", "labels", "class", "classes", "target", "y")
LABEL_WORDS = ("species", "category", "variety", "class_name", "class_label", "label_name")
IDS = ("id", "ids", "uid", "uuid")
ID_ENDS = ("id", "ids", "uid", "uuid", "guid", "key", "name", "path", "file", "filename", "image")
ID_ENDS += ("filepath", "index", "url", "uri")
ROW_NUMBERS = re.compile(
    r"unnamed 1|unnamed: 0(\.\d+)?|__index_level_\d+__|index|level_0|row|row_?number", re.I
)
COUNTED = frozenset("time timestamp date day week month year age step epoch rank order".split())
LISTS = ("embedding", "embeddings", "features", "vector", "vectors", "hidden_state")
SPLITS = ("split", "subset", "partition", "part", "fold")
TRAIN = ("train", "training", "trn")
TEST = ("test", "testing", "val", "valid", "validation", "dev", "eval")
EXPORTED = re.compile(r"(score|rank)_.+|projection_[xy]")
FEW_ROWS = 8  # in fewer, whole numbers in a row may well be measured
MANY = 100  # different numbers in a `y` are no classes any more
FRACTIONS = (
    "Choose a column of classes, or none. Values that are measured are no classes; a regression can"
    " learn them: choose the column as the target."
)


@dataclass(eq=False)
class Assignment:
    """What is settled so far. columns: in the order of the file. index: pandas' own index columns.

    labels: the words and codes of the label column.
    """

    columns: dict[str, Column]
    choices: Choices
    faults: list[Fault]
    index: tuple[str, ...] = ()
    roles: dict[str, Role] = field(default_factory=dict)

    @property
    def free(self) -> list[Column]:
        """The columns without a role."""
        return [column for name, column in self.columns.items() if name not in self.roles]

    def named(self, role: str) -> list[str]:
        """The columns of this role, in the order of the file."""
        return [name for name in self.columns if self._is(name, role)]

    def one(self, role: str) -> Column | None:
        """The column of a role that one column has."""
        return next((self.columns[name] for name in self.named(role)), None)

    def settle(self, column: Column | str, role: str, why: str) -> None:
        name = column if isinstance(column, str) else column.name
        self.roles[name] = Role(name, role, why)

    def _is(self, name: str, role: str) -> bool:
        return name in self.roles and self.roles[name].role == role


def assign(
    columns: Sequence[Column], choices: Choices, faults: list[Fault], index: tuple[str, ...] = ()
) -> Assignment:
    """The role of every column. A UserError for a choice that cannot be."""
    found = Assignment({column.name: column for column in columns}, choices, faults, index)
    steps: tuple[Callable[[Assignment], None], ...] = (
        _choose,
        _find_exported,
        _find_label,
        _find_target,
        _find_split,
        _find_probabilities,
        _find_id,
        _find_repeated_labels,
        _find_lists,
        _settle_rest,
    )
    for step in steps:
        step(found)
    return found


def _choose(found: Assignment) -> None:
    """What the user says."""
    given = dict(found.choices.roles)
    for name in given:
        if name not in found.columns:
            raise UserError(
                f"Role of a column: found {name!r}, expected one of {some(found.columns, 10)}."
            )
    flat = [name for name, column in found.columns.items() if column.is_flat]
    for role, choice in (
        ("target", found.choices.target),
        ("label", found.choices.label),
        ("id", found.choices.id),
    ):
        left = [name for name in flat if name not in found.roles]
        if choice and (name := chosen(left, choice, (), f"{role.capitalize()} column")):
            found.settle(name, role, "chosen")
    for name, role in given.items():
        if name not in found.roles:
            _check_single(found, name, role)
            found.settle(name, role, "chosen")
    _check_label(found)


def _check_single(found: Assignment, name: str, role: str) -> None:
    if role in ("label", "id", "target", "split") and (other := found.one(role)):
        raise UserError(
            f"Role {role}: found {other.name} and {name}, expected one column. Give one of them"
            " another role."
        )


def _check_label(found: Assignment) -> None:
    """Measurements that were chosen as the label are a matter for the user."""
    label = found.one("label")
    if label is not None and _has_fractions(label):
        found.faults.append(
            Fault(
                f"Label column {some([label.name])}: found fractions, expected classes.",
                FRACTIONS,
                fatal=True,
            )
        )
        found.settle(label, "left out", "fractions are no classes")


def _find_exported(found: Assignment) -> None:
    """Scores and ranks that were taken out of this app are no features of the points."""
    names = {column.name for column in found.free}
    scores = {name.removeprefix("score_") for name in names if name.startswith("score_")}
    ranks = {name.removeprefix("rank_") for name in names if name.startswith("rank_")}
    if not scores or scores != ranks:
        return
    own = [name for name in names if EXPORTED.fullmatch(name)]
    for name in own:
        found.settle(name, "shown only", "written by this app")
    found.faults.append(
        Fault(
            f"Columns that this app wrote: {some(sorted(own))}.",
            "They are shown, and are no features. Read scores back compares them.",
        )
    )


def _find_label(found: Assignment) -> None:
    """By its name, if what it holds can be classes."""
    if found.choices.label is not None or found.one("label"):
        return
    by_name = {column.name.lower(): column for column in reversed(found.free) if column.is_flat}
    for name in (*LABELS, *LABEL_WORDS):
        column = by_name.get(name)
        if column is None or (name in LABEL_WORDS and not column.is_text):
            continue
        if name in ("y", "target") and not _are_classes(column):
            continue
        found.settle(column, "label", f"its name is {column.name}")
        _check_label(found)
        return
    _find_word_without_name(found)


def _find_word_without_name(found: Assignment) -> None:
    """In a table without a header: the first or the last column, if it holds words that repeat."""
    if not all(re.fullmatch(r"column \d+", name) for name in found.columns):
        return
    ends = list(found.columns.values())
    words = [column for column in found.free if column.is_text and not column.is_unique]
    word = next((column for column in (ends[-1], ends[0]) if column in words), None)
    if word is not None and len(words) == 1:
        found.settle(word, "label", "the only words of a table without names")
        found.faults.append(
            Fault(f"{word.name.capitalize()} holds words that repeat.", "They are the labels.")
        )


def _find_target(found: Assignment) -> None:
    """A y or a target that is no label is what a regression learns; beside x, y is a coordinate."""
    if found.choices.target is not None or found.one("target"):
        return
    by_name = {column.name.lower(): column for column in found.free if column.is_number}
    column = by_name.get("target") or by_name.get("y")
    if column is None or _repeats(column, found.one("label")):
        return
    if column.name.lower() == "y" and "x" in by_name:
        if found.choices.label is None:
            held = "fractions" if _has_fractions(column) else "many whole numbers"
            found.faults.append(
                Fault(
                    f"Column y: found {held}, which are no classes.",
                    "It is taken as a feature beside x. Choose it as the target for a regression.",
                )
            )
        return
    if found.choices.label is not None and not found.choices.label:
        return
    found.settle(column, "target", "numbers with many values")
    found.faults.append(
        Fault(
            f"Column {column.name}: found numbers with many values, which are no classes.",
            "They are the target of a regression, and no feature.",
        )
    )


def _are_classes(column: Column) -> bool:
    """Words, or whole numbers that are few enough: of 0, 1, 2, ... at most half as many as rows, of
    others a quarter.
    """
    if not column.is_number:
        return True
    numbers = column.numbers()
    numbers = numbers[np.isfinite(numbers)]
    if (numbers != np.floor(numbers)).any() or not len(numbers):
        return False
    values = np.unique(numbers)
    values = values[values >= 0] if len(values) > 2 else values
    count = len(values)
    in_a_row = values[0] in (0, 1) and values[-1] - values[0] == count - 1
    return count <= 2 or (count <= MANY and count <= len(numbers) / (2 if in_a_row else 4))


def _has_fractions(column: Column) -> bool:
    if not column.is_number:
        return False
    numbers = column.numbers()
    return bool((numbers != np.floor(numbers))[np.isfinite(numbers)].any())


def _find_split(found: Assignment) -> None:
    """Words of parts whatever the column's name, or truth under a name that says of what."""
    if found.one("split"):
        return
    for column in found.free:
        if not column.is_text:
            continue
        words = {word.lower() for word in column.distinct}
        parts = words <= {*TRAIN, *TEST} and bool(words & {*TRAIN})
        if column.name.lower() == "split" or (parts and bool(words & {*TEST})):
            found.settle(column, "split", "its words name parts")
            break
    else:
        _find_truths(found)
    for column in found.free:
        if column.name.lower() in SPLITS and column.is_number:
            found.settle(column, "shown only", "its numbers do not say which part is for testing")
            found.faults.append(
                Fault(
                    f"Column {column.name}: found numbers, expected words such as train and test.",
                    "It is shown, and is no feature. Write words, or give it another role.",
                )
            )


def _find_truths(found: Assignment) -> None:
    for column in found.free:
        if column.is_number and is_truth(column) and truth_of(column.name) is not None:
            if found.one("split"):
                found.settle(column, "shown only", "another column says the parts")
            else:
                found.settle(column, "split", "its truth values say which rows are for testing")


def truth_of(name: str) -> bool | None:
    """Does a true value under this name mean a test row? None if the name does not say."""
    words = [word for word in re.split(r"[^a-z]+", name.lower()) if word not in ("", "is", "in")]
    if len(words) != 1:
        return None
    if words[0] in (*TEST, "istest", "holdout"):
        return True
    return False if words[0] in (*TRAIN, "istrain") else None


def is_truth(column: Column) -> bool:
    """Nothing but 0 and 1, or true and false."""
    return bool(np.isin(column.numbers(), (0, 1)).all())


def _find_probabilities(found: Assignment) -> None:
    """Columns that say how likely each class is."""
    label = found.one("label")
    classes = {as_class(word) for word in label.distinct} - {""} if label else set()
    numbers = [column for column in found.free if column.is_number]
    for prefix in ("prob_", "proba_", "probability_", "p_", ""):
        named = {
            as_class(column.name[len(prefix) :]): column
            for column in numbers
            if column.name.lower().startswith(prefix)
        }
        if not prefix:
            named = {name: column for name, column in named.items() if name in classes}
        if not named or (prefix in ("p_", "") and not _fit_classes(named, classes, prefix)):
            continue
        for column in named.values():
            found.settle(column, "probability", f"of class {column.name[len(prefix) :]}")
        return


def _fit_classes(named: dict[str, Column], classes: set[str], prefix: str) -> bool:
    if classes and set(named) != classes:
        return False
    sums = sum(column.numbers() for column in named.values())
    near = bool((np.abs(sums - 1) <= 1e-3).all()) and len(named) > 1
    return near or (bool(classes) and prefix == "p_")


def as_class(text: str) -> str:
    """A class as it is compared: 001 and 1 are the same."""
    return as_word(int(text)) if re.fullmatch(r"\d{1,15}", text) else text


def _find_id(found: Assignment) -> None:
    """The column that names the rows; others that do are shown only."""
    likely = sorted(_id_candidates(found), key=lambda column: _id_place(column, found))
    if found.choices.id is None and not found.one("id"):
        unique = next((column for column in likely if column.is_unique), None)
        strict = next((column for column in likely if column.name.lower() in IDS), None)
        if (strict is not None and unique is None) or (strict is unique and unique is not None):
            found.settle(strict, "id", f"its name is {strict.name}")
        elif unique is not None:
            found.settle(unique, "id", _why_id(unique, found))
    if found.choices.id == "":
        likely = [column for column in likely if _is_row_number(column, found)]
    for column in likely:
        if column.name not in found.roles and (column.is_unique or _is_row_number(column, found)):
            _set_aside(found, column)


def _set_aside(found: Assignment, column: Column) -> None:
    other = found.one("id")
    own = "pandas' index" if column.name in found.index else "row numbers"
    why = f"names the rows, as {other.name} does" if other and column.is_unique else own
    found.settle(column, "shown only", why)
    found.faults.append(
        Fault(
            f"Column {some([column.name])}: {why}.",
            "It is shown, and is no feature. Give it another role if it is measured.",
        )
    )


def _why_id(column: Column, found: Assignment) -> str:
    if column.name in found.index:
        return "pandas' index"
    return "row numbers" if column.counts_rows else "its name, and a different value in each row"


def _id_candidates(found: Assignment) -> list[Column]:
    return [
        column
        for column in found.free
        if column.is_flat and (_sounds_like_id(column) or _is_row_number(column, found))
    ]


def _sounds_like_id(column: Column) -> bool:
    """id, sample_id, PassengerId, file name: the last word of the name says so."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", column.name)
    words = re.split(r"[^a-z0-9]+", spaced.lower().strip())
    return words[-1] in ID_ENDS and not _has_fractions(column)


def _is_row_number(column: Column, found: Assignment) -> bool:
    """pandas' index, a nameless column of whole numbers, or 0, 1, 2, ... of any name that does not
    speak of something counted.
    """
    if column.name in found.index:
        return True
    if ROW_NUMBERS.fullmatch(column.name):
        return column.is_whole or column.is_text
    words = set(re.split(r"[^a-z]+", column.name.lower()))
    spoken = len(column.name) == 1 or words & COUNTED or re.fullmatch(r"column \d+", column.name)
    return len(column) >= FEW_ROWS and not spoken and column.counts_rows


def _id_place(column: Column, found: Assignment) -> int:
    """Which of several candidates is the id: a name before pandas' index, that before a count."""
    if column.name.lower() in IDS:
        return 0
    if column.name in found.index:
        return 2 + bool(ROW_NUMBERS.fullmatch(column.name))
    return 1 if _sounds_like_id(column) and column.name.lower() != "index" else 3


def _find_repeated_labels(found: Assignment) -> None:
    """A copy or a function of the label is no feature: it would tell the answer."""
    label = found.one("label")
    if label is None:
        return
    told = []
    for column in found.free:
        if (column.is_number or column.is_text) and _repeats(column, label):
            found.settle(column, "shown only", f"repeats what {label.name} says")
            told.append(column.name)
    if told:
        found.faults.append(
            Fault(
                f"Columns that repeat the label {label.name}: {some(told)}.",
                "They are shown, and are no features: they would tell the answer. Give them another"
                " role if they are measured.",
            )
        )


def _repeats(column: Column, label: Column | None) -> bool:
    """Has the column one value for each class, and not the same for all?

    In few rows that happens by chance: then its name has to speak of a label, too.
    """
    if label is None or not column.is_flat:
        return False
    _, classes = label.coded
    present, first, counts = np.unique(classes, return_index=True, return_counts=True)
    values = column.numbers() if column.is_number else column.coded[1]
    if len(present) < 2 or not _same_within(values, classes, present, first):
        return False
    kinds = len(np.unique(values[first]))
    speaks = re.search(r"label|class|target|categor|species|^y$", column.name.lower())
    if kinds == len(present):
        return bool(speaks and counts.max() > 1) or (counts.min() >= 3 and len(values) >= 12)
    return kinds > 1 and bool(speaks or len(values) >= 20 * len(present))


def _same_within(values: np.ndarray, classes: Ints, present: Ints, first: Ints) -> bool:
    of_class = np.zeros(int(present.max()) + 1, np.int64)
    of_class[present] = first
    head = slice(0, 256)
    if (values[head] != values[of_class[classes[head]]]).any():
        return False
    return bool((values == values[of_class[classes]]).all())


def _find_lists(found: Assignment) -> None:
    """One column of lists holds the features if it is chosen, if its name says so, or if there are
    no numbers.
    """
    picked = [found.columns[name] for name in found.named("feature")]
    lists = [column for column in picked if column.is_list]
    if len(lists) > 1 or (lists and len(picked) > 1):
        raise UserError(
            f"Features: found {some(column.name for column in picked)}, expected columns of numbers"
            " or one column of lists. Give the others another role."
        )
    numbers = [column for column in found.free if column.is_number]
    vector = lists[0] if lists else None if picked else _usual_lists(found, bool(numbers))
    if vector is None:
        return
    if not lists:
        found.settle(vector, "feature", "a list of numbers in every row")
    if numbers:
        what = (
            f"Columns beside the lists of {some([vector.name])}: {some(c.name for c in numbers)}."
        )
        found.faults.append(Fault(what, "They are shown: the lists are the features."))
    for column in numbers:
        found.settle(column, "shown only", f"the lists of {vector.name} are the features")


def _usual_lists(found: Assignment, numbers: bool) -> Column | None:
    lists = [column for column in found.free if column.is_list]
    usual = {column.name.lower(): column for column in reversed(lists)}
    named = next((usual[name] for name in LISTS if name in usual), None)
    return named or (lists[0] if lists and not numbers else None)


def _settle_rest(found: Assignment) -> None:
    """Numbers are features; what can be shown is shown."""
    others = []
    for column in found.free:
        if column.is_number:
            found.settle(column, "feature", "numbers")
            continue
        others.append(column.name)
        shown = column.is_flat or column.is_list
        found.settle(
            column,
            "shown only" if shown else "left out",
            "lists beside numbers"
            if column.is_list
            else ("no numbers" if shown else "values of several parts"),
        )
    if others:
        found.faults.append(
            Fault(
                f"Columns that are not numbers: {some(others)}.",
                "They are shown beside the points, and are no features. One can be chosen as the"
                " label.",
            )
        )


def test_rows(column: Column, faults: list[Fault]) -> Bools | None:
    """Which rows a split column sets aside for testing; None, with a fault, if it does not say."""
    if column.is_number:
        truth = truth_of(column.name)
        if truth is None or not is_truth(column):
            found = "numbers" if truth is None else some(column.distinct)
            _note_split(column, found, faults)
            return None
        return (column.numbers() == 1) == truth
    words, codes = column.coded
    lower = [word.lower() for word in words]
    used = {lower[code] for code in np.unique(codes)}
    if not used <= {*TRAIN, *TEST}:
        _note_split(column, some(word or "a blank" for word in sorted(used)), faults)
        return None
    return np.array([word in TEST for word in lower])[codes]


def _note_split(column: Column, found: str, faults: list[Fault]) -> None:
    faults.append(
        Fault(
            f"Column {column.name}: found {found}, expected train and test.",
            "It is not used: all are training rows.",
        )
    )


def without_minus_one(
    words: list[str], codes: Ints, minus_one_is_a_class: bool, faults: list[Fault]
) -> tuple[list[str], Ints]:
    """Labels with "" for what says that there is none yet; a -1 among them is told."""
    gone = no_label(words, minus_one_is_a_class)
    if "-1" in {word for word, lost in zip(words, gone, strict=True) if lost}:
        rows = int((codes == words.index("-1")).sum())
        faults.append(
            Fault(
                f"Labels: found -1 in {rows:,} of {len(codes):,} rows, beside classes from 0 on.",
                "It is read as: no label yet. It can be chosen as a class.",
            )
        )
    return ["" if lost else word for word, lost in zip(words, gone, strict=True)], codes


def no_label(words: Sequence[str], minus_one_is_a_class: bool) -> Bools:
    """Which of the words of a label column stand for "no label yet": blanks, nan, none, and -1
    among other whole numbers from 0 on.
    """
    blank = np.array([word.lower() in NO_LABEL for word in words], bool)
    others = {word for word, gone in zip(words, blank, strict=True) if not gone} - {"-1"}
    counted = bool(others) and others != {"1"} and all(word.isdigit() for word in others)
    if counted and not minus_one_is_a_class:
        blank |= np.array([word == "-1" for word in words], bool)
    return blank
