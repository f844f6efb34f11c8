"""Are the user's own datasets and embeddings kept whole, named by their content, and shown to their
visitor alone?
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from core import datasets, embeddings, pipeline
from core.data import own, shown_columns
from core.hosting import policy
from core.runtime import folders
from core.spec import Spec, from_query
from core.strategies.leverage import leverage
from core.types import UserError
from tests.tools.hosted_server import ROOT
from tests.tools.own_data import images, table


@pytest.fixture(autouse=True)
def _own_folder(own_cache, tmp_path, monkeypatch):
    monkeypatch.setenv("LEVERAGE_LAB_DATA", str(tmp_path / "data"))
    pipeline.dataset.cache_clear()


def same(found, given):
    assert found.fingerprint == given.fingerprint
    for what in ("points", "labels", "test", "index", "ids", "probs", "target"):
        np.testing.assert_array_equal(getattr(found, what), getattr(given, what))
    assert (found.class_names, found.feature_names) == (given.class_names, given.feature_names)
    assert found.points.dtype == given.points.dtype and list(found.shown) == list(given.shown)
    for name, values in given.shown.items():
        np.testing.assert_array_equal(found.shown[name], values)


@pytest.mark.parametrize(
    "given",
    [
        table(),
        table(labeled=False),
        images(),
        images(labeled=False),
        table(labeled=False, target=np.linspace(1950, 2013, 40)),
        table(shown={"town": np.array(["Ulm", "", "Kiel", "é"] * 10), "rent": np.arange(40.0)}),
        replace(table(), points=table().points + 1.7e9),
        table(
            ids=np.array([f"é{i}" for i in range(40)]), probs=np.full((40, 3), 1 / 3, np.float32)
        ),
    ],
    ids=[
        "table",
        "no labels",
        "images",
        "images, no labels",
        "a target",
        "columns beside",
        "double",
        "ids and probabilities",
    ],
)
def test_what_is_accepted_comes_back(given):
    name = own.accept(given, "  My \n data ")
    about = datasets.info(name)
    assert (
        own.is_own(name)
        and own.names() == (name,)
        and name in datasets.names()
        and datasets.is_ready(name)
    )
    assert (about.title, about.n, about.shape, about.labeled) == (
        "My data",
        40,
        given.shape,
        given.labeled,
    )
    assert (
        about.is_images == given.is_images
        and about.probs == (given.probs is not None)
        and about.target == (given.target is not None)
        and about.parts == (40, 0)
    )
    same(datasets.load(name), given)
    part = datasets.load(name, n=10, seed=3)
    np.testing.assert_array_equal(part.points, given.points[part.index])
    assert (
        len(part) == 10
        and not part.points.flags.writeable
        and not datasets.load(name).points.flags.writeable
    )
    if given.ids is not None:
        np.testing.assert_array_equal(part.ids, given.ids[part.index])
        np.testing.assert_array_equal(part.probs, given.probs[part.index])


def test_the_name_is_the_content():
    given = table()
    name = own.accept(given, "A")
    assert own.accept(given, "A") == name and len(own.names()) == 1
    others = [
        own.accept(given, "B"),
        own.accept(table(seed=1), "A"),
        own.accept(replace(given, class_names=("x", "y", "z")), "A"),
        own.accept(replace(given, ids=np.arange(40).astype(str)), "A"),
    ]
    assert len({name, *others}) == 5 and [datasets.info(n).title for n in own.names()] == [
        "A",
        "A 2",
        "A 3",
        "A 4",
        "B",
    ]


def test_menus_tell_things_apart_by_their_titles():
    given = [own.accept(table(seed=seed), "Mnist") for seed in (0, 1, 1, 0)]
    assert given[2:] == given[1::-1] and [datasets.info(name).title for name in given[:2]] == [
        "Mnist 2",
        "Mnist 3",
    ]
    arrays = [np.full((40, 2), value, np.float32) for value in (1, 2, 2)]
    first, second, again = (
        own.join(datasets.info(given[0]), "raw", array, ["raw", "PCA"]) for array in arrays
    )
    assert (
        again == second
        and [one.title for one in own.joined(given[0]).values()] == ["raw 2", "raw 3"]
        and first != second
    )
    assert own.about(own.join(datasets.info(given[1]), "raw", arrays[0])).title == "raw", (
        "of another dataset"
    )
    long = [datasets.info(own.accept(table(seed=seed), "x" * 60)).title for seed in (2, 3)]
    assert long == ["x" * 60, "x" * 56 + " 2"]


def test_what_is_removed_is_gone_with_what_was_joined_to_it():
    name = own.accept(table(), "A")
    other = own.accept(table(seed=1), "B")
    mine, theirs = (
        own.join(datasets.info(n), "E", np.ones((40, 2), np.float32)) for n in (name, other)
    )
    opened = datasets.load(name)
    own.remove(name)
    assert (
        own.names() == (other,) and list(own.joined(other)) == [theirs] and opened.points.sum() != 0
    )
    for gone in (
        lambda: datasets.load(name),
        lambda: own.embedding(mine),
        lambda: Spec().with_(dataset=name),
    ):
        with pytest.raises(
            UserError, match=r"not on this machine, or not any more\. Bring it in again"
        ):
            gone()
    spec, (problem,) = from_query({"dataset": name, "n": "10"})
    assert spec.dataset == "mnist" and "Bring it in again" in problem


def test_a_visitors_data_are_listed_for_them_alone_and_end_together():
    everyones = own.accept(table(), "A")
    own.visitor.set("first")
    try:
        mine = own.accept(table(), "A")
        joined = own.join(datasets.info("digits"), "E", np.ones((1797, 2), np.float32))
        assert (
            mine != everyones and own.names() == (mine,) and list(own.joined("digits")) == [joined]
        )
        own.visitor.set("second")
        assert own.names() == () and own.joined("digits") == {} and own.accept(table(), "A") != mine
        same(own.load(mine), table())  # the worker, which has no visitor, finds it by its name
    finally:
        own.visitor.set("")
    for who in ("first", "second"):
        own.remove_all_of(who)
    assert own.names() == (everyones,) and not datasets.exists(mine) and own.joined("digits") == {}


def test_visitors_end_one_by_one():
    for who in ("first", "second"):
        own.visitor.set(who)
        own.accept(table(), "A")
    own.remove_all_of("first")
    assert len(own.names()) == 1
    own.visitor.set("first")
    assert own.names() == ()
    own.visitor.set("")


OTHER_SERVER = """
import numpy as np
from core.data import own
from tests.tools.own_data import table
own.visitor.set("theirs")
print(own.accept(table(), "A"), flush=True)
input()
"""


def test_a_server_that_starts_removes_what_ended_ones_left_and_nothing_of_one_that_runs():
    everyones = own.accept(table(), "A")
    own.visitor.set("mine")
    mine = own.accept(table(), "A")
    own.visitor.set("")
    other = subprocess.Popen(
        [sys.executable, "-c", OTHER_SERVER],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    theirs = other.stdout.readline().strip()
    own.remove_what_ended_servers_left()
    assert all(map(datasets.exists, (everyones, mine, theirs)))
    other.kill()
    other.communicate()
    own.remove_what_ended_servers_left()
    assert datasets.exists(everyones) and datasets.exists(mine) and not datasets.exists(theirs)


CUT = """
import os, signal
import numpy as np
from core.data import own
from tests.tools.own_data import table

def cut(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

np.save = cut
own.accept(table(), "A")
"""


def test_an_upload_cut_by_a_kill_leaves_nothing_that_counts_and_its_rest_goes_after_a_day():
    cut = subprocess.run(
        [sys.executable, "-c", CUT], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert cut.returncode == -signal.SIGKILL
    (left,) = folders.data_folder().glob(".partial-*")
    assert own.names() == ()
    name = own.accept(table(), "A")
    assert left.exists() and own.names() == (name,)  # it could be another one at work
    os.utime(left, (0, 0))
    own.accept(table(), "B")
    assert not left.exists() and len(own.names()) == 2 and datasets.exists(name)


def test_what_was_kept_before_servers_had_marks_is_removed_at_a_start():
    own.visitor.set("earlier")
    name = own.accept(table(), "A")
    own.visitor.set("")
    card = own._home(name) / "card.json"
    about = json.loads(card.read_text())
    del about["server"]
    card.write_text(json.dumps(about, indent=3))
    own.remove_what_ended_servers_left()
    assert not datasets.exists(name)


def test_on_behalf_of_a_visitor_their_data_are_found_and_afterwards_nobodys():
    own.visitor.set("first")
    mine = own.accept(table(), "A")
    find = own.on_behalf(own.whose(), own.names)
    own.visitor.set("")
    assert find() == (mine,) and own.names() == ()


def test_visitors_may_keep_so_much(monkeypatch):
    monkeypatch.setenv("LEVERAGE_LAB_HOSTED", "1")
    own.visitor.set("first")
    for seed in range(policy.BOUNDS.own):
        own.accept(table(seed=seed), "A")
    assert own.accept(table(seed=0), "A") in own.names()  # the same again is nothing new
    with pytest.raises(
        UserError, match=r"Found 4 things of yours here already, expected fewer than 4\. Remove one"
    ):
        own.accept(table(seed=9), "A")
    own.visitor.set("second")
    monkeypatch.setattr(policy, "BOUNDS", replace(policy.BOUNDS, own_mb=0))
    with pytest.raises(UserError, match="no room for more at the moment"):
        own.accept(table(), "A")
    assert own.names() == ()
    own.visitor.set("")


def test_one_network_does_not_fill_the_host(monkeypatch):
    """Cookies are free: whoever takes many from one address shares that address's room."""
    monkeypatch.setenv("LEVERAGE_LAB_HOSTED", "1")
    room = 3 * 5_000 / 1e6
    monkeypatch.setattr(policy, "BOUNDS", replace(policy.BOUNDS, address_own_mb=room))
    here, elsewhere = "a" * policy.NETWORK, "b" * policy.NETWORK
    with pytest.raises(UserError, match="no room for more from your network"):
        for number in range(20):
            own.visitor.set(f"{number:012x}{here}first")
            own.accept(table(seed=number), "A")
    assert number > 1
    own.visitor.set(f"{99:012x}{elsewhere}first")
    assert own.accept(table(seed=99), "A") in own.names()
    own.visitor.set("")


@pytest.mark.parametrize(
    "name",
    [
        "own_",
        "own_xyz",
        "own_../../../etc/passwd",
        "own_0123456789abcdef/..",
        "joined_0123",
        "",
        None,
        3,
    ],
)
def test_a_name_that_is_none_never_reaches_the_disk(name):
    assert not own.is_own(name) and not own.is_joined(name)
    with pytest.raises(UserError):
        own.load(name)
    with pytest.raises(UserError):
        own.remove(name)


def test_a_network_needs_images_that_are_large_enough():
    from core.models import networks

    assert networks._LEAST_SIDE["talk_cnn"] == embeddings.LEAST_SIDE
    name = own.accept(images(side=12), "A")
    least, small = (replace(images(), points=images().points[:, :side, :12]) for side in (4, 3))
    assert all(
        "cnn_untrained" in embeddings.embedders(datasets.info(n))
        for n in (name, own.accept(least, "B"))
    )
    about = datasets.info(own.accept(small, "C"))
    assert "cnn_untrained" not in embeddings.embedders(about)
    with pytest.raises(
        UserError, match=r"needs images of at least 4 pixels a side; C holds images of 3 x 12\."
    ):
        Spec(embedding="cnn_untrained").with_(dataset=about.name)


def test_a_title_must_be_there():
    for title in ("", "  \n", "\x00\x07"):
        with pytest.raises(UserError, match="Name: found none"):
            own.accept(table(), title)
    assert datasets.info(own.accept(table(), "x" * 200)).title == "x" * own.LONGEST_TITLE


def test_damaged_files_say_what_to_do(tmp_path):
    name = own.accept(table(), "A")
    home = tmp_path / "data" / "own" / name
    (home / "points.npy").write_bytes(b"no array")
    with pytest.raises(
        UserError, match=r"A: its file points.npy cannot be read .* Bring it in again"
    ):
        datasets.load(name)
    np.save(home / "points.npy", np.ones((3, 2), np.float32))
    with pytest.raises(UserError, match=r"A: found 3 rows in points\.npy, expected 40"):
        datasets.load(name)
    (home / "card.json").write_text("{")
    assert own.names() == () and not datasets.exists(name)


def test_a_joined_embedding_is_an_embedding_of_its_dataset_alone():
    rng = np.random.default_rng(0)
    given = rng.standard_normal((1797, 6)).astype(np.float32)
    name = own.join(datasets.info("digits"), "Six numbers", given)
    assert own.is_joined(name) and embeddings.find(name).label == "Six numbers"
    assert name in embeddings.embedders(
        datasets.info("digits")
    ) and name not in embeddings.embedders(datasets.info("mnist"))
    part = datasets.load("digits", n=100)
    np.testing.assert_array_equal(embeddings.embed(part, name).embedding, given[part.index])
    spec = Spec(dataset="digits", embedding=name)
    assert (
        from_query(spec.to_query()) == (spec, [])
        and spec.title() == "Digits 8 x 8, Six numbers, Leverage"
    )
    entry = pipeline.scores(spec)
    np.testing.assert_allclose(
        entry.arrays["scores"].sum(), 6, rtol=1e-9
    )  # leverage sums to the rank
    with pytest.raises(UserError, match="was computed for other points than those of MNIST"):
        Spec(dataset="mnist").with_(embedding=name)
    with pytest.raises(UserError, match=r"found 3 rows, expected 1,797"):
        own.join(datasets.info("digits"), "E", given[:3])


def test_probabilities_that_came_along_are_used():
    rng = np.random.default_rng(0)
    probs = rng.dirichlet(np.ones(3), 40).astype(np.float32)
    name = own.accept(table(labeled=False, probs=probs), "A")
    entry = pipeline.scores(Spec(dataset=name, strategy="entropy"))
    p = probs.astype(np.float64)
    np.testing.assert_allclose(entry.arrays["scores"], -(p * np.log(p)).sum(axis=1), rtol=1e-5)
    assert entry.facts["made_of"] == "The probabilities are those that came with the points."
    without = own.accept(table(labeled=False), "A")
    assert pipeline.scores(Spec(dataset=without)).arrays["scores"].sum() == pytest.approx(5)
    with pytest.raises(UserError, match="Entropy needs labels, which A 2 does not have"):
        Spec(dataset=without).with_(strategy="entropy")


@pytest.mark.parametrize("strategy", ["influence_value", "el2n", "bald", "class_leverage"])
def test_what_learns_from_labels_works_on_own_labels(strategy):
    name = own.accept(table(n=120), "A")
    values = pipeline.scores(Spec(dataset=name, strategy=strategy)).arrays["scores"]
    assert values.shape == (120,) and np.isfinite(values).all() and values.std() > 0


def test_columns_beside_the_points_follow_a_subset_and_name_the_dataset():
    town = np.array([f"town {i}" for i in range(40)])
    name = own.accept(table(shown={"town": town}), "A")
    part = datasets.load(name, n=12)
    assert part.shown["town"].tolist() == town[part.index].tolist() and len(part.shown) == 1
    few = shown_columns.part_of(part.shown, np.array([5, 2]))
    assert few["town"].tolist() == town[part.index[[5, 2]]].tolist()
    assert datasets.info(name).shown == ("town",)
    with pytest.raises(KeyError):
        part.shown["street"]
    assert own.accept(table(shown={"town": town[::-1]}), "A") != name
    assert own.accept(table(shown={"town": town}), "A") == name


def test_a_table_in_double_precision_is_scored_as_such():
    time = 1.7e9 + np.arange(40.0) ** 1.5
    given = replace(table(), points=np.column_stack([table().points.astype(float), time]))
    given = replace(given, feature_names=(*given.feature_names, "time"))
    name = own.accept(given, "A")
    scores = pipeline.scores(Spec(dataset=name)).arrays["scores"]
    q, _ = np.linalg.qr(given.points / np.linalg.norm(given.points, axis=0))
    np.testing.assert_allclose(scores, (q**2).sum(axis=1), rtol=1e-9)
    centred = given.points - given.points.mean(axis=0)
    q, _ = np.linalg.qr(centred / np.linalg.norm(centred, axis=0))
    found = embeddings.embed(datasets.load(name), "pca", k=6).embedding
    np.testing.assert_allclose(leverage(found), (q**2).sum(axis=1), rtol=1e-6)
    sizes = np.linalg.norm(found, axis=0)
    np.testing.assert_allclose(sizes, np.linalg.svd(centred, compute_uv=False), rtol=1e-6)


def test_nothing_that_may_run_code_is_stored(tmp_path):
    name = own.accept(table(ids=np.array([f"p{i}" for i in range(40)])), "A")
    home = tmp_path / "data" / "own" / name
    assert {file.name for file in home.iterdir()} == {
        "points.npy",
        "labels.npy",
        "test.npy",
        "ids.npy",
        "card.json",
    }
    for file in home.glob("*.npy"):
        np.load(file, allow_pickle=False)
    assert json.loads((home / "card.json").read_text())["title"] == "A"
    assert [path.name for path in (tmp_path / "data").iterdir()] == [
        "own"
    ]  # no scratch folder is left
