"""The list of datasets: what is known of each before it is loaded, and which function reads it.

Adding a dataset: one entry here, one reader in core/data/published_images.py or
core/data/published_tables.py, and its files in core/data/published_files.py if they are downloaded.
"""

from __future__ import annotations

from functools import partial

from core.data import published_files, published_images, published_tables
from core.data.dataset_info import Info

BY_READER = ()  # no files of ours: the reader fetches them, or tells the user where to put them

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


def _simulated(name: str, title: str, *, train: int) -> Info:
    """600 points of two classes in the plane."""
    return Info(
        name=name,
        title=title,
        n=600,
        train=train,
        shape=(2,),
        class_names=("0", "1"),
        origin="Simulated by this program",
        licence="MIT",
        read=partial(published_tables.read_simulated, name),
        feature_names=("x", "y"),
    )


ENTRIES = {
    entry.name: entry
    for entry in (
        Info(
            name="mnist",
            title="MNIST",
            n=70_000,
            train=60_000,
            shape=(28, 28),
            class_names=_DIGITS,
            origin="LeCun, Cortes and Burges",
            licence="CC BY-SA 3.0",
            read=partial(published_images.read_idx_folder, "mnist"),
        ),
        Info(
            name="digits",
            title="Digits 8 x 8",
            n=1_797,
            train=1_797,
            shape=(8, 8),
            class_names=_DIGITS,
            origin="Alpaydin and Kaynak (1998), UCI, as in scikit-learn",
            licence="CC BY 4.0",
            read=published_images.read_digits,
        ),
        Info(
            name="fashion_mnist",
            title="Fashion-MNIST",
            n=70_000,
            train=60_000,
            shape=(28, 28),
            class_names=_CLOTHES,
            origin="Xiao, Rasul and Vollgraf (2017)",
            licence="MIT",
            read=partial(published_images.read_idx_folder, "FashionMNIST/raw"),
            files=published_files.FASHION_MNIST,
        ),
        Info(
            name="kmnist",
            title="Kuzushiji-MNIST",
            n=70_000,
            train=60_000,
            shape=(28, 28),
            class_names=_KANA,
            origin="Clanuwat et al. (2018)",
            licence="CC BY-SA 4.0",
            read=partial(published_images.read_idx_folder, "KMNIST/raw"),
            files=published_files.KMNIST,
        ),
        Info(
            name="emnist_letters",
            title="EMNIST letters",
            n=145_600,
            train=124_800,
            shape=(28, 28),
            class_names=_LETTERS,
            origin="Cohen et al. (2017), NIST",
            licence="none stated",
            read=published_images.read_emnist_letters,
            files=published_files.EMNIST,
        ),
        Info(
            name="cifar10",
            title="CIFAR-10",
            n=60_000,
            train=50_000,
            shape=(32, 32, 3),
            class_names=_THINGS,
            origin="Krizhevsky (2009)",
            licence="none stated",
            read=published_images.read_cifar,
            files=published_files.CIFAR10,
        ),
        Info(
            name="svhn",
            title="SVHN",
            n=99_289,
            train=73_257,
            shape=(32, 32, 3),
            class_names=_DIGITS,
            origin="Netzer et al. (2011)",
            licence="non-commercial use only",
            read=published_images.read_svhn,
            files=published_files.SVHN,
        ),
        Info(
            name="mnist_unbalanced",
            title="Unbalanced MNIST",
            n=37_500,
            train=27_500,
            shape=(28, 28),
            class_names=_DIGITS,
            origin="MNIST, classes as in the FI paper",
            licence="CC BY-SA 3.0",
            read=published_images.read_mnist_unbalanced,
        ),
        Info(
            name="mnist_redundant",
            title="Redundant MNIST",
            n=68_830,
            train=58_993,
            shape=(28, 28),
            class_names=("1", "7", "neither"),
            origin="MNIST, classes as in the FI paper",
            licence="CC BY-SA 3.0",
            read=published_images.read_mnist_redundant,
        ),
        Info(
            name="letter",
            title="Letter",
            n=20_000,
            train=15_000,
            shape=(16,),
            class_names=_LETTERS,
            origin="Slate (1991), UCI",
            licence="CC BY 4.0",
            read=published_tables.read_letter,
            feature_names=published_tables.LETTER,
        ),
        Info(
            name="adult",
            title="Adult (sample)",
            n=9_200,
            train=5_000,
            shape=(104,),
            class_names=("at most 50K", "above 50K"),
            origin="Becker and Kohavi (1996), UCI",
            licence="CC BY 4.0",
            read=published_tables.read_adult,
            feature_names=published_tables.adult_columns(),
        ),
        _simulated("synth2", "Synth2", train=540),
        _simulated("two_gaussians", "Two Gaussians", train=400),
        _simulated("two_crescents", "Two crescents", train=400),
        Info(
            name="runge",
            title="Runge's curve",
            n=2_500,
            train=2_000,
            shape=(13,),
            class_names=(),
            origin="Simulated by this program",
            licence="MIT",
            read=partial(published_tables.read_simulated, "runge"),
            feature_names=tuple(f"P{degree}(x)" for degree in range(13)),
            target=True,
        ),
        Info(
            name="openml_155",
            title="OpenML 155 (poker hands)",
            n=50_000,
            train=40_000,
            shape=(10,),
            class_names=tuple("0123456789"),
            origin="Cattral and Oppacher, OpenML 155, a sample",
            licence="as stated there",
            read=partial(published_tables.read_openml, 155),
            files=BY_READER,
            feature_names=_CARDS,
        ),
        Info(
            name="openml_156",
            title="OpenML 156 (random RBF)",
            n=50_000,
            train=40_000,
            shape=(10,),
            class_names=tuple("12345"),
            origin="OpenML 156, a sample",
            licence="as stated there",
            read=partial(published_tables.read_openml, 156),
            files=BY_READER,
            feature_names=tuple(f"attribute {i}" for i in range(1, 11)),
        ),
        Info(
            name="openml_184",
            title="OpenML 184 (king and rook against king)",
            n=28_056,
            train=22_445,
            shape=(6,),
            class_names=_MOVES,
            origin="Bain (1994), OpenML 184",
            licence="as stated there",
            read=partial(published_tables.read_openml, 184),
            files=BY_READER,
            feature_names=_FIELDS,
        ),
        Info(
            name="bank",
            title="Bank (sample)",
            n=9_200,
            train=5_000,
            shape=(51,),
            class_names=("no", "yes"),
            origin="Moro, Cortez and Rita (2014), OpenML 1461",
            licence="CC BY 4.0",
            read=published_tables.read_bank,
            files=BY_READER,
            feature_names=_BANK,
        ),
        Info(
            name="celeba_attributes",
            title="CelebA attributes (sample)",
            n=9_200,
            train=5_000,
            shape=(39,),
            class_names=("not smiling", "smiling"),
            origin="Liu et al. (2015)",
            licence="non-commercial research only",
            read=published_tables.read_celeba,
            files=BY_READER,
            feature_names=_FACES,
        ),
        Info(
            name="jigsaw",
            title="Jigsaw (sample)",
            n=9_200,
            train=5_000,
            shape=(385,),
            class_names=("harmless", "toxic"),
            origin="your own embeddings of the comments",
            licence="as stated there",
            read=published_tables.read_jigsaw,
            files=BY_READER,
            feature_names=tuple(f"dimension {i}" for i in range(1, 386)),
        ),
    )
}
