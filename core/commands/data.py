"""Datasets on this machine: the published ones, and people's own.

python -m core fetch cifar10
    downloads a dataset, so that it is ready: for a host, whose visitors cannot
python -m core bring birds.zip --title Birds
    looks at a file or a folder and keeps it as a dataset of your own
python -m core bring rents.csv --target rent
    the same, with a column of numbers that a regression is to learn
python -m core join mnist dino.parquet --title DINO
    keeps an embedding that was computed elsewhere, joined by id
python -m core own [--remove NAME]
    lists them, or lets go of one
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from core import datasets
from core.commands import writing
from core.data import imports, own
from core.data.imports.draft import GAPS, ROLES, Choices, Draft, Fault, Role
from core.types import UserError


def add(commands) -> None:
    """Put these commands into the parser."""
    fetching = commands.add_parser("fetch", help="download a dataset and prepare it")
    fetching.add_argument("dataset", help=f"one of {', '.join(datasets.names())}")
    fetching.set_defaults(run=fetch)
    bringing = commands.add_parser(
        "bring",
        help="keep a dataset of your own: a zip or folder of images, .npz, .npy, Parquet or CSV",
    )
    bringing.add_argument("file")
    bringing.add_argument("--title", help="what to call it; the file's name by default")
    bringing.add_argument("--side", type=int, help="bring images to this many pixels a side")
    bringing.add_argument("--label", help="the column of the labels; - for none")
    bringing.add_argument("--id", help="the column of the ids; - for none")
    bringing.add_argument(
        "--target", help="the column of numbers, or the array, that a regression is to learn"
    )
    bringing.add_argument(
        "--role",
        action="append",
        default=[],
        metavar="COLUMN=ROLE",
        help=f"what a column is taken for: {', '.join(ROLES)}; may be repeated",
    )
    bringing.add_argument(
        "--header", choices=("yes", "no"), help="does the first line of a text name the columns?"
    )
    bringing.add_argument(
        "--gaps",
        choices=GAPS,
        help="where numbers are missing: leave out the rows or the columns, or fill by the median",
    )
    bringing.add_argument(
        "--marks-are-classes",
        action="store_true",
        help="labels such as -1, NA or ? are classes; else they mean that there is none yet",
    )
    bringing.add_argument("--look", action="store_true", help="only say what is in it")
    bringing.set_defaults(run=bring)
    joined = commands.add_parser(
        "join", help="keep an embedding of a dataset that was computed elsewhere"
    )
    joined.add_argument("dataset", help="a dataset's name; see `python -m core own` for your own")
    joined.add_argument(
        "file",
        help=(
            ".npy, .npz, Parquet or CSV with a row for every point,"
            " with their ids or in their order"
        ),
    )
    joined.add_argument("--title", help="what to call it; the file's name by default")
    joined.add_argument("--id", help="the column of the ids; - for none")
    joined.add_argument("--gaps", choices=GAPS, help="where numbers are missing; as for bring")
    joined.add_argument(
        "--in-order",
        action="store_true",
        help="say that the rows are in the order of the points, where no column names them",
    )
    joined.set_defaults(run=join)
    listing = commands.add_parser("own", help="list your own datasets and joined embeddings")
    listing.add_argument("--remove", metavar="NAME", help="let go of one of them, for good")
    listing.set_defaults(run=show)


def fetch(options: argparse.Namespace) -> None:
    """Make a dataset ready on this machine."""
    told = ""

    def say(fraction: float | None, text: str) -> None:
        nonlocal told
        if (line := text.partition(", ")[0]) != told:  # not every megabyte
            told = line
            writing.say(line)

    datasets.fetch(options.dataset, say)
    about = datasets.info(options.dataset)
    where = "come with the app" if about.bundled else f"are ready in {datasets.data_folder()}"
    print(f"{about.title}: {about.n:,} points {where}")


def bring(options: argparse.Namespace) -> None:
    """Say what is in a file, and keep it."""
    choices = Choices(
        options.side,
        _column(options.label),
        _column(options.id),
        _column(options.target),
        roles=tuple(map(_role, options.role)),
        header={"yes": True, "no": False, None: None}[options.header],
        gaps=options.gaps,
        marks_are_classes=options.marks_are_classes,
    )
    draft = _read(options.file, choices)
    about = imports.preview(draft)
    if options.look:
        _list_roles(draft.roles)
    _tell(about.faults)
    print(
        f"{draft.title}: {about.rows:,} {'images' if draft.kind == 'images' else 'rows'} of"
        f" {' x '.join(map(str, about.shape))}"
    )
    if about.classes:
        print("classes: " + ", ".join(f"{name} {count:,}" for name, count in about.classes))
    if about.test_rows:
        print(f"test rows: {about.test_rows:,}")
    if about.target:
        print(f"target: {about.target[0]:.4g} to {about.target[1]:.4g}")
    if not options.look:
        name = own.accept(draft.dataset(), options.title or draft.title)
        print(f"kept as {name}: python -m core score --dataset {name} --out scores.parquet")


def join(options: argparse.Namespace) -> None:
    """Keep an embedding that was computed elsewhere."""
    data = datasets.load(options.dataset)
    draft = _read(options.file, Choices(id=_column(options.id), gaps=options.gaps))
    embedding, faults = imports.join(imports.ids_of(data), draft)
    _tell(faults)
    if (doubt := [fault for fault in faults if fault.confirm]) and not options.in_order:
        raise UserError(
            f"Nothing was kept. {doubt[0].confirm}: if that is so, say it with --in-order; else"
            " name the points in a column."
        )
    name = own.join(datasets.info(data.name), options.title or draft.title, embedding)
    print(
        f"kept as {name}:"
        f" python -m core score --dataset {data.name} --embedding {name} --out scores.parquet"
    )


def show(options: argparse.Namespace) -> None:
    """List what is kept."""
    if options.remove:
        own.info(options.remove) if own.is_own(options.remove) else own.about(options.remove)
        own.remove(options.remove)
    for name in datasets.names():
        if own.is_own(name):
            about = own.info(name)
            print(
                f"{name}  {about.title}, {about.n:,} points of {' x '.join(map(str, about.shape))}"
            )
        for embedding in own.joined(name).values():
            print(
                f"{embedding.name}  {embedding.title}, {embedding.shape[1]:,} dimensions, of"
                f" {datasets.info(name).title}"
            )


def _read(file: str, choices: Choices) -> Draft:
    place = Path(file).expanduser()
    if not place.exists():
        raise UserError(
            f"{place}: found nothing there, expected a file or a folder. Check its name."
        )
    return imports.read(place, place.name, choices=choices)


def _tell(faults: tuple[Fault, ...]) -> None:
    for fault in faults:
        print(f"{fault.what} {fault.mend}", file=sys.stderr)
    if any(fault.fatal for fault in faults):
        raise UserError("Nothing was kept. Mend what is said above, and try again.")


def _role(text: str) -> tuple[str, str]:
    column, _, role = text.rpartition("=")
    if not column:
        raise UserError(f"--role: found {text!r}, expected COLUMN=ROLE, such as age=feature.")
    return column, role.strip()


def _list_roles(roles: tuple[Role, ...], most: int = 40) -> None:
    """What each column is taken for, features last."""
    order = sorted(roles, key=lambda role: role.role == "feature")
    width = max((len(role.column) for role in order[:most]), default=0)
    for role in order[:most]:
        print(f"  {role.column:<{width}}  {role.role}: {role.why}")
    if len(order) > most:
        print(f"  and {len(order) - most:,} more features")


def _column(text: str | None) -> str | None:
    return "" if text == "-" else text
