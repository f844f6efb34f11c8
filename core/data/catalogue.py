"""The list of datasets: what is known of each before it is loaded, and which function reads it.

Conventions: rows of the training part first, then the test part. An image dataset's points are
uint8 (n, h, w) or (n, h, w, 3), a table's float32 (n, d). Adding a dataset: one entry here, one
reader in core/data/published_files.py (images) or core/data/tables.py.
"""

from __future__ import annotations

import gzip
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from core.data import published_files as published
from core.data import table_readers
from core.types import Ints, UserError

Read = Callable[[Path, tuple[int, int], tuple[int, ...]], tuple[np.ndarray, Ints]]
MNIST = (60_000, 10_000)
# training images of each digit below 5, and of each other one
RARE = 500
FREQUENT = 5_000
ONES_AND_SEVENS = (6_000, 1_000)  # of each of the two, in the training and in the test part


@dataclass(frozen=True)
class Info:
    """What is known of a dataset before it is loaded.

    n: all rows. train: the first rows, up to the published test part. shape: of one point, (d,) for
    a table. origin, licence: in words. read(folder, (training rows, test rows), shape) -> points,
    labels; None for the user's own. files() -> its published files; None if nothing has to be
    fetched. class_names: () if there are no labels. feature_names: of a table's columns. probs: did
    class probabilities come with the points?
    """

    name: str
    title: str
    n: int
    train: int
    shape: tuple[int, ...]
    class_names: tuple[str, ...]
    origin: str
    licence: str
    read: Read | None = None
    files: Callable[[], list[published.RawFile]] | None = None
    feature_names: tuple[str, ...] = ()
    probs: bool = False

    @property
    def classes(self) -> int:
        return len(self.class_names)

    @property
    def parts(self) -> tuple[int, int]:
        """Training rows, test rows."""
        return self.train, self.n - self.train

    @property
    def bundled(self) -> bool:
        """Comes with the program: always ready, nothing to fetch."""
        return self.files is None

    @property
    def is_images(self) -> bool:
        """Images; otherwise a table."""
        return len(self.shape) > 1

    @property
    def labeled(self) -> bool:
        """Are its classes known?"""
        return bool(self.class_names)

    @property
    def dtype(self) -> type[np.generic]:
        """Of the points."""
        return np.uint8 if self.is_images else np.float32


def _read_digits(_folder: Path, _parts: tuple[int, int], shape: tuple[int, ...]) -> published.Part:
    """scikit-learn's own file, read without scikit-learn: importing it takes 150 MB, half of what a
    web process may use.
    """
    found = importlib.util.find_spec("sklearn")
    if found is None or found.origin is None:
        raise UserError(
            "digits: scikit-learn, which brings this dataset, is not installed. Install what"
            " requirements.txt names."
        )
    path = Path(found.origin).parent / "datasets" / "data" / "digits.csv.gz"
    with published.reading(path), gzip.open(path) as stream:
        table = np.loadtxt(stream, delimiter=",")
    return np.rint(table[:, :-1] * 255 / 16).astype(np.uint8).reshape(-1, *shape), table[
        :, -1
    ].astype(np.int64)


def _read_unbalanced(
    folder: Path, _parts: tuple[int, int], shape: tuple[int, ...]
) -> published.Part:
    """500 of each of the digits 0 to 4 and 5,000 of each of 5 to 9, the first ones of the training
    part; the test part whole.
    """
    images, labels = published.read_idx_folder("mnist", folder, MNIST, shape)
    chosen = [
        np.flatnonzero(labels[: MNIST[0]] == c)[: RARE if c < 5 else FREQUENT] for c in range(10)
    ]
    rows = np.concatenate([np.sort(np.concatenate(chosen)), np.arange(MNIST[0], sum(MNIST))])
    return images[rows], labels[rows]


def _read_redundant(
    folder: Path, _parts: tuple[int, int], shape: tuple[int, ...]
) -> published.Part:
    """Three classes: 1, 7 and neither.

    Equally many ones and sevens, the first ones of each part; all other digits.
    """
    images, digits = published.read_idx_folder("mnist", folder, MNIST, shape)
    labels = np.select([digits == 1, digits == 7], [0, 1], 2)
    rows = []
    for part, most in zip(
        (slice(0, MNIST[0]), slice(MNIST[0], None)), ONES_AND_SEVENS, strict=True
    ):
        places = np.arange(len(labels))[part]
        rows += [
            np.sort(
                np.concatenate(
                    [places[labels[part] == c][: most if c < 2 else None] for c in range(3)]
                )
            )
        ]
    chosen = np.concatenate(rows)
    return images[chosen], labels[chosen]


_DIGITS = tuple("0123456789")
_LETTERS = tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_CLOTHES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
_KANA = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")
_THINGS = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
_MOVES = tuple(
    sorted(
        "draw zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen"
        " fifteen sixteen".split()
    )
)
_FIELDS = tuple(
    f"{piece} {line}"
    for piece in ("white king", "white rook", "black king")
    for line in ("file", "rank")
)
_CARDS = tuple(f"{what} {i}" for i in range(1, 6) for what in ("suit", "rank"))
_BANK = tuple(
    "age balance day duration campaign pdays previous admin blue-collar entrepreneur housemaid"
    " management retired self-employed services student technician unemployed job_unknown divorced"
    " married single primary secondary tertiary education_unknown default_no default_yes housing_no"
    " housing_yes loan_no loan_yes cellular telephone contact_unknown apr aug dec feb jan jul jun"
    " mar may nov oct sep failure other success outcome_unknown".replace("_", ":").split()
)
_FACES = tuple(
    "5_o_Clock_Shadow Arched_Eyebrows Attractive Bags_Under_Eyes Bald Bangs Big_Lips Big_Nose"
    " Black_Hair Blond_Hair Blurry Brown_Hair Bushy_Eyebrows Chubby Double_Chin Eyeglasses Goatee"
    " Gray_Hair Heavy_Makeup High_Cheekbones Male Mouth_Slightly_Open Mustache Narrow_Eyes No_Beard"
    " Oval_Face Pale_Skin Pointy_Nose Receding_Hairline Rosy_Cheeks Sideburns Straight_Hair"
    " Wavy_Hair Wearing_Earrings Wearing_Hat Wearing_Lipstick Wearing_Necklace Wearing_Necktie"
    " Young".split()
)
_MADE = "Simulated by this program"

# One paragraph per dataset reads better than one line per field.
ENTRIES = {
    entry.name: entry
    for entry in (
        Info(
            "mnist",
            "MNIST",
            70_000,
            60_000,
            (28, 28),
            _DIGITS,
            "LeCun, Cortes and Burges",
            "CC BY-SA 3.0",
            partial(published.read_idx_folder, "mnist"),
        ),
        Info(
            "digits",
            "Digits 8 x 8",
            1_797,
            1_797,
            (8, 8),
            _DIGITS,
            "Alpaydin and Kaynak (1998), UCI, as in scikit-learn",
            "CC BY 4.0",
            _read_digits,
        ),
        Info(
            "fashion_mnist",
            "Fashion-MNIST",
            70_000,
            60_000,
            (28, 28),
            _CLOTHES,
            "Xiao, Rasul and Vollgraf (2017)",
            "MIT",
            partial(published.read_idx_folder, "FashionMNIST/raw"),
            partial(published.idx_files, "FashionMNIST"),
        ),
        Info(
            "kmnist",
            "Kuzushiji-MNIST",
            70_000,
            60_000,
            (28, 28),
            _KANA,
            "Clanuwat et al. (2018)",
            "CC BY-SA 4.0",
            partial(published.read_idx_folder, "KMNIST/raw"),
            partial(published.idx_files, "KMNIST"),
        ),
        Info(
            "emnist_letters",
            "EMNIST letters",
            145_600,
            124_800,
            (28, 28),
            _LETTERS,
            "Cohen et al. (2017), NIST",
            "none stated",
            published.read_emnist_letters,
            published.emnist_files,
        ),
        Info(
            "cifar10",
            "CIFAR-10",
            60_000,
            50_000,
            (32, 32, 3),
            _THINGS,
            "Krizhevsky (2009)",
            "none stated",
            published.read_cifar,
            published.cifar_files,
        ),
        Info(
            "svhn",
            "SVHN",
            99_289,
            73_257,
            (32, 32, 3),
            _DIGITS,
            "Netzer et al. (2011)",
            "non-commercial use only",
            published.read_svhn,
            published.svhn_files,
        ),
        Info(
            "mnist_unbalanced",
            "Unbalanced MNIST",
            37_500,
            27_500,
            (28, 28),
            _DIGITS,
            "MNIST, classes as in the FI paper",
            "CC BY-SA 3.0",
            _read_unbalanced,
        ),
        Info(
            "mnist_redundant",
            "Redundant MNIST",
            68_830,
            58_993,
            (28, 28),
            ("1", "7", "neither"),
            "MNIST, classes as in the FI paper",
            "CC BY-SA 3.0",
            _read_redundant,
        ),
        Info(
            "letter",
            "Letter",
            20_000,
            15_000,
            (16,),
            _LETTERS,
            "Slate (1991), UCI",
            "CC BY 4.0",
            table_readers.read_letter,
            feature_names=table_readers.LETTER,
        ),
        Info(
            "adult",
            "Adult (sample)",
            9_200,
            5_000,
            (104,),
            ("at most 50K", "above 50K"),
            "Becker and Kohavi (1996), UCI",
            "CC BY 4.0",
            table_readers.read_adult,
            feature_names=table_readers.adult_columns(),
        ),
        Info(
            "synth2",
            "Synth2",
            600,
            540,
            (2,),
            ("0", "1"),
            _MADE,
            "MIT",
            partial(table_readers.read_simulated, "synth2"),
            feature_names=("x", "y"),
        ),
        Info(
            "two_gaussians",
            "Two Gaussians",
            600,
            400,
            (2,),
            ("0", "1"),
            _MADE,
            "MIT",
            partial(table_readers.read_simulated, "two_gaussians"),
            feature_names=("x", "y"),
        ),
        Info(
            "two_crescents",
            "Two crescents",
            600,
            400,
            (2,),
            ("0", "1"),
            _MADE,
            "MIT",
            partial(table_readers.read_simulated, "two_crescents"),
            feature_names=("x", "y"),
        ),
        Info(
            "openml_155",
            "OpenML 155 (poker hands)",
            50_000,
            40_000,
            (10,),
            tuple("0123456789"),
            "Cattral and Oppacher, OpenML 155, a sample",
            "as stated there",
            partial(table_readers.read_openml, 155),
            table_readers.no_files,
            _CARDS,
        ),
        Info(
            "openml_156",
            "OpenML 156 (random RBF)",
            50_000,
            40_000,
            (10,),
            tuple("12345"),
            "OpenML 156, a sample",
            "as stated there",
            partial(table_readers.read_openml, 156),
            table_readers.no_files,
            tuple(f"attribute {i}" for i in range(1, 11)),
        ),
        Info(
            "openml_184",
            "OpenML 184 (king and rook against king)",
            28_056,
            22_445,
            (6,),
            _MOVES,
            "Bain (1994), OpenML 184",
            "as stated there",
            partial(table_readers.read_openml, 184),
            table_readers.no_files,
            _FIELDS,
        ),
        Info(
            "bank",
            "Bank (sample)",
            9_200,
            5_000,
            (51,),
            ("no", "yes"),
            "Moro, Cortez and Rita (2014), OpenML 1461",
            "CC BY 4.0",
            table_readers.read_bank,
            table_readers.no_files,
            _BANK,
        ),
        Info(
            "celeba_attributes",
            "CelebA attributes (sample)",
            9_200,
            5_000,
            (39,),
            ("not smiling", "smiling"),
            "Liu et al. (2015)",
            "non-commercial research only",
            table_readers.read_celeba,
            table_readers.no_files,
            _FACES,
        ),
        Info(
            "jigsaw",
            "Jigsaw (sample)",
            9_200,
            5_000,
            (385,),
            ("harmless", "toxic"),
            "your own embeddings of the comments",
            "as stated there",
            table_readers.read_jigsaw,
            table_readers.no_files,
            tuple(f"dimension {i}" for i in range(1, 386)),
        ),
    )
}
