"""The user's own datasets, and embeddings of any dataset that were computed elsewhere.

    accept(data, title) -> "own_<16 hex digits>"
        names(), info(name), load(name), remove(name)
    join(dataset, title, embedding) -> "joined_<16 hex digits>"
        joined(dataset), about(name), embedding(name), remove(name)

Each is a folder of plain arrays with a card (the columns that are only shown lie in a Parquet
file), named by its content: what a Spec, a link or a cache key calls by that name never changes. On
a host with visitors what one of them brought carries their mark: it is listed for them alone, and
its name cannot be guessed. It carries the mark of their server too: another one on the same folder
leaves it alone for as long as that server runs.

Whose data these are, say in this order: `on_behalf(visitor, function)`, around what runs outside a
visit's own pages (a download that is made when asked for); `visitor`, set by hand; and the function
that the pages hand to `find_visitor_by`, which knows the visit of every run of a page, of its
callbacks and of its fragments.
"""

from __future__ import annotations

import functools
import itertools
import json
import os
import re
import shutil
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from core.data import catalogue, shown_columns
from core.data.dataset_info import Info
from core.hosting import policy
from core.runtime import folders, server_mark
from core.types import Dataset, Floats, UserError

Made = TypeVar("Made")
visitor: ContextVar[str] = ContextVar("leverage_lab_visitor", default="")
_visitor_of_this_run: Callable[[], str] = str  # nobody
ARRAYS = ("points", "labels", "test", "ids", "probs", "target")
SHOWN = "shown.parquet"
LONGEST_TITLE = 60
_NAME = re.compile(r"(own|joined)_[0-9a-f]{16}")
MEND = "Bring it in again on the Data page."


@dataclass(frozen=True)
class Joined:
    """An embedding that was computed elsewhere. dataset: whose points it describes.

    shape: (n, d).
    """

    name: str
    title: str
    dataset: str
    shape: tuple[int, int]


def find_visitor_by(function: Callable[[], str]) -> None:
    """From now on function() names the visitor of the run under way; "" without one."""
    global _visitor_of_this_run
    _visitor_of_this_run = function


def whose() -> str:
    """The visitor whose data are meant; "" at home and for what belongs to the host."""
    return visitor.get() or _visitor_of_this_run()


def on_behalf(who: str, function: Callable[[], Made]) -> Callable[[], Made]:
    """function, which finds this visitor's data wherever it is called."""

    def called() -> Made:
        before = visitor.set(who)
        try:
            return function()
        finally:
            visitor.reset(before)

    return called


def is_own(name: object) -> bool:
    """Is this the name of a dataset of the user's, whether it is there or not?"""
    return isinstance(name, str) and name.startswith("own_") and _NAME.fullmatch(name) is not None


def is_joined(name: object) -> bool:
    """Is this the name of a joined embedding, whether it is there or not?"""
    return (
        isinstance(name, str) and name.startswith("joined_") and _NAME.fullmatch(name) is not None
    )


def accept(data: Dataset, title: str) -> str:
    """Keep this dataset, and say under which name; the same content under the same title is the
    same dataset.

    A title that another dataset has gets a number: menus tell datasets apart by their titles.
    """
    called = b"" if data.ids is None else np.asarray(data.ids, dtype=str).tobytes()
    beside = shown_columns.as_bytes(data.shown)

    def name_of(title: str) -> str:
        texts = repr((title, data.class_names, data.feature_names, whose()))
        return f"own_{_digest(data.fingerprint.encode(), texts.encode(), called, *beside)}"

    taken = {info(name).title for name in names()} | {
        entry.title for entry in catalogue.ENTRIES.values()
    }
    name, title = _called(title, name_of, taken)
    arrays = {what: getattr(data, what) for what in ARRAYS if getattr(data, what) is not None}
    about = {
        "title": title,
        "shape": data.shape,
        "class_names": data.class_names,
        "feature_names": data.feature_names,
    }
    _store(
        name,
        arrays,
        about
        | {
            "n": len(data),
            "train": int((~data.test).sum()),
            "probs": data.probs is not None,
            "target": data.target is not None,
            "shown": list(data.shown),
            "exact": data.points.dtype == np.float64,
        },
        shown_columns.packed(data.shown),
    )
    return name


def join(dataset: Info, title: str, embedding: Floats, taken: Collection[str] = ()) -> str:
    """Keep this embedding (n, d) of all of the dataset's points, in their order, and say under
    which name.

    taken: what other embeddings are called; such a title, or that of another joined one, gets a
    number.
    """
    if embedding.shape[0] != dataset.n:
        raise UserError(
            f"Embedding: found {len(embedding):,} rows, expected {dataset.n:,}, one for every point"
            f" of {dataset.title}."
        )
    exact = embedding.dtype == np.float64
    array = np.ascontiguousarray(embedding, np.float64 if exact else np.float32)

    def name_of(title: str) -> str:
        texts = repr((title, dataset.name, array.shape, whose()))
        return f"joined_{_digest(array.data.cast('B'), texts.encode())}"

    name, title = _called(
        title, name_of, {*taken, *(one.title for one in joined(dataset.name).values())}
    )
    _store(
        name, {"embedding": array}, {"title": title, "dataset": dataset.name, "shape": array.shape}
    )
    return name


def names() -> tuple[str, ...]:
    """The user's own datasets, in the order of their titles."""
    cards = {home.name: card for home, card in _cards("own")}
    return tuple(sorted(cards, key=lambda name: (cards[name]["title"].lower(), name)))


def check_listed(dataset: str) -> None:
    """A UserError for an own dataset that is another visitor's."""
    if is_own(dataset) and dataset not in names():
        raise UserError(f"Dataset {dataset} is another person's. {MEND}")


def info(name: str) -> Info:
    """What is known of an own dataset before it is loaded. A UserError if it is not there."""
    card = _card(name)
    texts = {what: tuple(card[what]) for what in ("class_names", "feature_names")}
    return Info(
        name,
        card["title"],
        card["n"],
        card["train"],
        tuple(card["shape"]),
        origin="your own data",
        licence="yours",
        probs=card["probs"],
        # kept before datasets had any
        target=card.get("target", False),
        shown=tuple(card.get("shown", ())),
        exact=card.get("exact", False),
        **texts,
    )


def load(name: str) -> Dataset:
    """An own dataset, its arrays mapped from disk and read-only.

    A UserError if it is not there, or damaged.
    """
    about = info(name)
    arrays = {}
    for what in ARRAYS:
        if (_home(name) / f"{what}.npy").exists():
            arrays[what] = _mapped(name, what, about.n)
    return Dataset(
        name,
        class_names=about.class_names,
        feature_names=about.feature_names,
        title=about.title,
        shown=shown_columns.ShownColumns(_home(name) / SHOWN, about.shown),
        **arrays,
    )


def joined(dataset: str) -> dict[str, Joined]:
    """The joined embeddings of a dataset by name, in the order of their titles."""
    found = [about(home.name) for home, card in _cards("joined") if card["dataset"] == dataset]
    return {one.name: one for one in sorted(found, key=lambda one: (one.title.lower(), one.name))}


def about(name: str) -> Joined:
    """What a joined embedding is. A UserError if it is not there."""
    card = _card(name)
    return Joined(name, card["title"], card["dataset"], tuple(card["shape"]))


def embedding(name: str) -> Floats:
    """A joined embedding (n, d), mapped from disk and read-only."""
    return _mapped(name, "embedding", about(name).shape[0])


def remove(name: str) -> None:
    """Let go of an own dataset with its joined embeddings, or of one joined embedding.

    What others have open stays whole for them.
    """
    if is_own(name):
        for home, card in _cards("joined"):
            if card["dataset"] == name:
                _remove(home)
    _remove(_home(name))


def remove_all_of(who: str) -> None:
    """Let go of what this visitor brought: nobody else can come back to it."""
    _remove_visitors(lambda card: card["visitor"] == who)


def remove_what_ended_servers_left() -> None:
    """Let go of what visitors of servers brought that have ended, their visits with them."""
    _remove_visitors(lambda card: server_mark.has_ended(card.get("server", "")))
    server_mark.forget_ended()


def _remove_visitors(doomed: Callable[[dict[str, Any]], bool]) -> None:
    for kind in ("own", "joined"):
        for home, card in _cards(kind, everybody=True):
            if card["visitor"] and doomed(card):
                _remove(home)


def _digest(*contents: bytes | memoryview) -> str:
    digest = blake2b(digest_size=8)
    for content in contents:
        digest.update(len(content).to_bytes(8, "big"))
        digest.update(content)
    return digest.hexdigest()


def _clean(title: str) -> str:
    found = " ".join("".join(c if c.isprintable() else " " for c in title).split())[
        :LONGEST_TITLE
    ].strip()
    if not found:
        raise UserError("Name: found none, expected a few letters. Say what the data are called.")
    return found


def _called(title: str, name_of: Callable[[str], str], taken: Collection[str]) -> tuple[str, str]:
    """(name, title) of something new, or of the same if it is there: the title as it is, or the
    first number that sets it apart.
    """
    first = _clean(title)
    taken = {other.lower() for other in taken}
    titles = (
        first if number == 1 else f"{first[: LONGEST_TITLE - 4].rstrip()} {number}"
        for number in itertools.count(1)
    )
    return next(
        (name_of(title), title)
        for title in titles
        if title.lower() not in taken or _home(name_of(title)).exists()
    )


def _home(name: str) -> Path:
    if not (is_own(name) or is_joined(name)):
        raise UserError(
            f"Own data: found the name {name!r}, expected own_ or joined_ and 16 hex digits. {MEND}"
        )
    return folders.data_folder() / name.partition("_")[0] / name


def _store(
    name: str, arrays: dict[str, np.ndarray], card: dict[str, Any], shown: bytes = b""
) -> None:
    home = _home(name)
    if home.exists():
        return
    marks = {"visitor": whose(), "server": server_mark.mark() if whose() else ""}
    if policy.hosted():
        _check_room(len(shown) + sum(array.nbytes for array in arrays.values()))
    with folders.scratch_beside(folders.data_folder()) as scratch:
        fresh = scratch / name
        fresh.mkdir()
        for what, array in arrays.items():
            np.save(fresh / f"{what}.npy", array, allow_pickle=False)
        if shown:
            (fresh / SHOWN).write_bytes(shown)
        (fresh / "card.json").write_text(json.dumps(card | marks, indent=1), encoding="utf-8")
        home.parent.mkdir(exist_ok=True)
        try:
            os.rename(fresh, home)
        except OSError:
            if not home.exists():  # otherwise the same content, by another process
                raise


def _check_room(more: int) -> None:
    """A client may keep a few things, of so much; those of a network together, and all visitors, so
    much more.
    """
    client = whose()[: policy.CLIENT]
    network = _network(whose())
    brought = [
        (home, card["visitor"])
        for kind in ("own", "joined")
        for home, card in _cards(kind, everybody=True)
        if card["visitor"]
    ]
    mine = [home for home, who in brought if who[: policy.CLIENT] == client]
    if len(mine) >= policy.BOUNDS.own:
        most = policy.BOUNDS.own
        raise UserError(
            f"Found {len(mine)} things of yours here already, expected fewer than {most}. Remove"
            " one of them first."
        )
    if _size(mine) + more > policy.BOUNDS.client_own_mb * 1e6:
        raise UserError(
            f"Found more than {policy.BOUNDS.client_own_mb:,} MB of yours with this. Remove"
            " something first, or bring fewer points."
        )
    if _size(home for home, who in brought if _network(who) == network) + more > (
        policy.BOUNDS.address_own_mb * 1e6
    ):
        raise UserError(
            "There is no room for more from your network at the moment. Try again later, or bring"
            " fewer points."
        )
    if _size(home for home, _ in brought) + more > policy.BOUNDS.own_mb * 1e6:
        raise UserError(
            "There is no room for more at the moment: other visitors' data fill it. Try again"
            " later, or bring fewer points."
        )


def _network(visitor: str) -> str:
    return visitor[policy.CLIENT : policy.CLIENT + policy.NETWORK]


def _size(homes: Iterable[Path]) -> int:
    return sum(file.stat().st_size for home in homes for file in home.iterdir())


def _mapped(name: str, what: str, n: int) -> np.ndarray:
    try:
        array = np.load(_home(name) / f"{what}.npy", mmap_mode="r", allow_pickle=False).view(
            np.ndarray
        )
    except (
        Exception
    ) as error:  # a truncated or overwritten .npy fails in more ways than can be listed
        raise UserError(
            f"{_card(name)['title']}: its file {what}.npy cannot be read ({type(error).__name__})."
            f" {MEND}"
        ) from None
    if len(array) != n:
        raise UserError(
            f"{_card(name)['title']}: found {len(array):,} rows in {what}.npy, expected {n:,}."
            f" {MEND}"
        )
    return array


def _cards(kind: str, everybody: bool = False) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Every folder of this kind with its card: those of the present visitor, or of everybody."""
    place = folders.data_folder() / kind
    who = whose()
    for home in sorted(place.iterdir()) if place.is_dir() else ():
        if (
            _NAME.fullmatch(home.name)
            and (card := _read_card(home))
            and (everybody or card["visitor"] == who)
        ):
            yield home, card


def _card(name: str) -> dict[str, Any]:
    card = _read_card(_home(name))
    if card is None:
        what = "Dataset" if is_own(name) else "Embedding"
        raise UserError(
            f"{what} {name} is your own data or another person's, and is not on this machine, or"
            f" not any more. {MEND}"
        )
    return card


def _read_card(home: Path) -> dict[str, Any] | None:
    with suppress(OSError, ValueError, RecursionError):
        return _parsed(home / "card.json", (home / "card.json").stat().st_mtime_ns)
    return None


@functools.lru_cache(maxsize=256)
def _parsed(card: Path, _changed: int) -> dict[str, Any]:
    return json.loads(card.read_bytes())


def _remove(home: Path) -> None:
    """Renamed first, so that a reader finds it whole or not at all."""
    doomed = home.with_name(f".gone-{uuid.uuid4().hex}")
    with suppress(OSError):
        os.rename(home, doomed)
        shutil.rmtree(doomed, ignore_errors=True)
