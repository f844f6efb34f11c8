"""Does the Data page say what is in a file before it keeps it, keep what is asked for, and give
every fault with its mend?
"""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
import streamlit as st

from core import datasets, pipeline
from core.data import own
from core.linalg import ties
from core.spec import Spec, first_look
from pages.parts.data import import_file
from pages.shared.serving import known_hosts
from tests.tools.own_data import npz_of, parquet_of, table, zip_of
from tests.tools.pages import explore_works, galleries, group, spec_of, texts, visit, widget

PAGE = "pages/data.py"


@pytest.fixture(autouse=True)
def _at_home(own_folder, monkeypatch):
    monkeypatch.delenv("LEVERAGE_LAB_HOSTED", raising=False)
    pipeline.dataset.cache_clear()


def upload(at, name, content, label="Drop a file"):
    (found,) = [w for w in at.file_uploader if w.label.startswith(label)]
    return found.upload(name, content).run()


def press(at, label):
    (found,) = [b for b in at.button if b.label == label]
    return found.click().run()


def said(at):
    return " ".join(
        message.value.replace("\\", "")
        for kind in (at.error, at.warning, at.info)
        for message in kind
    )


GOOD = {
    "zip": ("pets.zip", zip_of(), "images", (24, (10, 10), ("cat", "dog"))),
    "npz": ("small.npz", npz_of(), "images", (30, (8, 8), ("0", "1"))),
    "parquet": ("rows.parquet", parquet_of(), "rows", (30, (2,), ("a", "b"))),
}


@pytest.mark.parametrize("kind", GOOD)
def test_a_good_file_is_shown_then_kept_then_explored(kind):
    name, content, noun, (n, shape, classes) = GOOD[kind]
    at = upload(visit(PAGE), name, content)
    assert not at.exception and not at.error and own.names() == ()  # looked at, not kept
    assert f"<dt>{noun}</dt><dd>{n}</dd>" in texts(at) and f"<dd>{len(classes)}</dd>" in texts(at)
    press(at, "Keep it")
    (kept,) = own.names()
    about = datasets.info(kept)
    assert (about.n, about.shape, about.class_names) == (
        n,
        shape,
        classes,
    ) and about.title == name.split(".")[0]
    assert (
        not at.exception
        and spec_of(at) == first_look(about).spec
        and "One dataset of yours is here" in texts(at)
    )
    at = visit("pages/explore.py", dataset=kept, s__ridge="1.0")
    if noun == "images":
        explore_works(at)
    else:
        assert not at.exception and not at.error and len(at.dataframe[0].value) == n


def test_a_press_is_not_lost_to_a_run_that_is_interrupted(monkeypatch):
    """As it is where another widget speaks while the page reads the file once more."""
    at = upload(visit(PAGE), *GOOD["npz"][:2])
    preview, interrupt = import_file.preview, [st.rerun]

    def interrupted(draft):
        if interrupt:
            interrupt.pop()()
        return preview(draft)

    monkeypatch.setattr(import_file, "preview", interrupted)
    press(at, "Keep it")
    assert interrupt == [] and len(own.names()) == 1 and not at.exception


FAULTY = {
    "a zip without images": (
        "pets.zip",
        zip_of(each=0, broken=True),
        "none of the images can be read",
    ),
    "python objects in an npz": ("small.npz", npz_of(pickled=True), "objects are not read"),
    "labels of another length": (
        "small.npz",
        npz_of(images=np.zeros((5, 4, 4), np.uint8), labels=np.zeros(4, int)),
        "expected shape (5,)",
    ),
    "a table of words": ("rows.parquet", parquet_of(x=["u"] * 30, y=["v"] * 30), "numbers"),
    "no archive": ("pets.zip", b"PK\x03\x04 and then nothing of sense", "damaged"),
    "nothing": ("rows.csv", b"", "empty"),
}


@pytest.mark.parametrize("kind", FAULTY)
def test_a_faulty_file_says_what_is_wrong_and_nothing_is_kept(kind, tmp_path):
    name, content, sentence = FAULTY[kind]
    at = upload(visit(PAGE), name, content)
    assert not at.exception and sentence in said(at), said(at)
    assert own.names() == () and not [
        b for b in at.button if b.label == "Keep it" and not b.disabled
    ]
    assert not (tmp_path / "data").exists()
    upload(at, *GOOD["npz"][:2])  # the page goes on
    assert (
        not at.exception
        and not at.error
        and [b for b in at.button if b.label == "Keep it" and not b.disabled]
    )


def test_what_cannot_be_used_is_left_out_and_said():
    at = upload(visit(PAGE), "pets.zip", zip_of(broken=True))
    assert not at.error and "broken.png" in said(at) and "outside.png" in said(at)
    press(at, "Keep it")
    assert datasets.info(own.names()[0]).n == 24


def test_the_user_chooses_the_columns_of_labels_and_ids():
    at = upload(visit(PAGE), "rows.parquet", parquet_of(kind=list("uvw" * 10)))
    widget(at.selectbox, "Labels").select("kind").run()
    assert not at.exception and "<dd>3</dd>" in texts(at)
    widget(at.selectbox, "Labels").select("").run()
    assert not at.exception and "no labels" in texts(at)
    press(at, "Keep it")
    assert not datasets.info(own.names()[0]).labeled


def test_the_user_names_a_target():
    rents = np.linspace(700, 1500, 30)
    at = upload(visit(PAGE), "rows.parquet", parquet_of(rent=rents, word=list("uvw" * 10)))
    assert "<dt>target</dt>" not in texts(at)
    widget(at.selectbox, "Target").select("word").run()
    assert "Target column word: found text in 30 of 30 rows, such as u, v, w" in said(at)
    assert [b for b in at.button if b.label == "Keep it" and b.disabled]
    widget(at.selectbox, "Target").select("rent").run()
    assert not at.exception and not at.error
    assert "<dt>target</dt><dd>700 to 1500</dd>" in texts(at)
    press(at, "Keep it")
    (name,) = own.names()
    assert datasets.info(name).target and "2 classes, a target" in " ".join(
        element.value for element in at.markdown
    )
    assert datasets.load(name).target.tolist() == pytest.approx(rents.tolist())


def test_rows_without_a_target_are_said():
    rents = np.where(np.arange(30) % 10, 700.0, np.nan) + np.arange(30)
    at = upload(visit(PAGE), "rows.parquet", parquet_of(rent=rents))
    widget(at.selectbox, "Target").select("rent").run()
    assert "Rows without a number as their target: 3 of 30, the first being 0, 10, 20" in said(at)
    assert "<dt>left out</dt><dd>3</dd>" in texts(at)


def test_the_user_chooses_the_size_of_the_images():
    at = upload(
        visit(PAGE),
        "small.npz",
        npz_of(images=np.random.default_rng(0).integers(0, 255, (20, 40, 50, 3)).astype(np.uint8)),
    )
    widget(at.selectbox, "Pixels a side").select(28).run()
    assert not at.exception and "28 x 28 x 3" in texts(at)
    press(at, "Keep it")
    assert datasets.load(own.names()[0]).points.shape == (20, 28, 28, 3)


def test_a_title_of_markup_is_only_text():
    at = upload(visit(PAGE), "small.npz", npz_of())
    widget(at.text_input, "Name").input("<b>[x](javascript:alert(1))</b> *y*").run()
    press(at, "Keep it")
    assert not at.exception and "&lt;b&gt;" in texts(at)
    assert any(r"\[x\](javascript:alert(1))" in m.value for m in at.markdown)


def test_removing_asks_once_more_and_takes_the_dataset_out_of_the_choice():
    kept = own.accept(table(), "Mine")
    at = visit(PAGE, dataset=kept)
    press(at, "Remove it")
    assert not at.exception and own.names() == () and spec_of(at) == Spec()


def test_an_empty_page_names_the_next_action_and_offers_an_example():
    at = visit(PAGE)
    assert "Nothing of yours is here yet. Drop a file" in texts(at)
    example = upload(at, "digits.zip", import_file._example())
    assert (
        not example.exception
        and not example.error
        and "<dd>200</dd>" in texts(example)
        and "<dd>10</dd>" in texts(example)
    )


def test_a_path_on_this_machine(tmp_path, monkeypatch):
    monkeypatch.setattr(known_hosts, "asked_by_name", lambda: True)
    place = tmp_path / "rows.parquet"
    place.write_bytes(parquet_of())
    at = visit(PAGE)
    widget(at.text_input, "Or the path of a folder or file on this machine").input(str(place)).run()
    assert not at.exception and not at.error and "<dd>30</dd>" in texts(at)
    widget(at.text_input, "Or the path of a folder or file on this machine").input(
        str(tmp_path / "none")
    ).run()
    assert not at.exception and "found nothing at" in at.error[0].value


def test_an_embedding_joins_by_id_and_is_compared():
    kept = own.accept(table(ids=np.array([f"p{i}" for i in range(40)])), "Mine")
    numbers = np.random.default_rng(1).standard_normal(40)
    frame = pd.DataFrame(
        {
            "id": [f"p{i}" for i in range(39, -1, -1)],
            "u": numbers[::-1],
            "v": 1.0 - numbers[::-1] ** 2,
        }
    )
    content = io.BytesIO()
    frame.to_parquet(content)
    at = upload(
        visit(PAGE, dataset=kept, show="join"),
        "dino.parquet",
        content.getvalue(),
        "An embedding of the 40 rows of Mine",
    )
    assert not at.exception and not at.error and "<dt>dimensions</dt><dd>2</dd>" in texts(at)
    press(at, "Join it")
    (joined,) = own.joined(kept)
    assert not at.exception and spec_of(at) == Spec(dataset=kept, embedding=joined)
    np.testing.assert_allclose(
        own.embedding(joined)[:, 0], numbers, rtol=1e-6
    )  # in the dataset's order
    compared = visit(
        "pages/agreement.py", dataset=kept, embeddings=f"raw,{joined}", strategies="leverage"
    )
    assert not compared.exception and not compared.error and "dino" in texts(compared)
    at = visit(PAGE, dataset=kept, show="join")
    press(at, "Remove it")
    assert not at.exception and own.joined(kept) == {}


def test_an_embedding_of_other_points_is_refused():
    kept = own.accept(table(ids=np.array([f"p{i}" for i in range(40)])), "Mine")
    at = upload(
        visit(PAGE, dataset=kept, show="join"), "dino.parquet", parquet_of(), "An embedding"
    )
    assert (
        not at.exception and "10 of 40 ids missing" in at.error[0].value and own.joined(kept) == {}
    )


def test_scores_taken_out_come_back_the_same(monkeypatch):
    from core.exports import score_table
    from pages.shared import cached

    kept = own.accept(table(), "Mine")
    spec = Spec(dataset=kept, strategy="typicality")
    first, second = (
        pipeline.scores(spec),
        pipeline.scores(Spec(dataset=kept).with_(strategy_knobs=(("ridge", "1.0"),))),
    )
    at = visit(PAGE, dataset=kept, show="out")
    assert (
        not at.exception
        and widget(at.multiselect, "Rankings").value
        and len(widget(at.multiselect, "Rankings").value) == 2
    )
    data = cached.dataset(kept, None, 0)
    columns = [score_table.Column(spec, first.arrays["scores"], first.facts)]
    columns += [
        score_table.Column(
            Spec(dataset=kept).with_(strategy_knobs=(("ridge", 1.0),)),
            second.arrays["scores"],
            second.facts,
        )
    ]
    manifest = score_table.manifest(data, columns)
    for kind in ("parquet", "csv"):
        content = score_table.encode(score_table.table(data, columns), kind, manifest)
        at = upload(visit(PAGE, show="back"), f"mine.{kind}", content, "A file of scores")
        if kind == "csv":
            assert "Choose its manifest too" in at.info[0].value
            upload(at, "mine.manifest.json", manifest.encode(), "Its manifest")
        assert not at.exception and not at.error, said(at)
        assert "<b>2 rankings</b>" in texts(at) and "<b>2</b> the same as computed here" in texts(
            at
        )
        assert at.dataframe[1].value["row"].tolist() == ties.order(first.arrays["scores"]).tolist()
    assert not galleries(at) and group(at, "Task").value == "back"


def test_a_hosted_page_has_no_paths_and_its_data_belong_to_the_visitor(monkeypatch):
    monkeypatch.setenv("LEVERAGE_LAB_HOSTED", "1")
    at = visit(PAGE)
    assert not [
        w for w in at.text_input if "path" in w.label.lower()
    ] and "goes when your visit ends" in texts(at)
    upload(at, "small.npz", npz_of())
    press(at, "Keep it")
    assert not at.exception and spec_of(at).dataset.startswith("own_") and own.names() == ()
    mine = spec_of(at).dataset
    assert "One dataset of yours is here" in texts(at) and datasets.info(mine).n == 30
    other = visit(PAGE)
    assert "Nothing of yours is here yet" in texts(other)
    assert mine not in widget(other.selectbox, "Dataset").options
    other = visit(PAGE, dataset=mine)
    assert spec_of(other) == Spec() and "another person's" in said(other)


def test_columns_are_shown_with_their_roles_and_given_others():
    at = upload(visit(PAGE), "rows.parquet", parquet_of(town=list("uvw" * 10), code=range(30)))
    roles = next(frame.value for frame in at.dataframe if "taken for" in frame.value)
    taken = dict(zip(roles["column"], roles["taken for"], strict=True))
    assert (
        taken["town"] == "shown only" and taken["code"] == "shown only" and taken["x"] == "feature"
    )
    widget(at.selectbox, "Take column").select("code").run()
    widget(at.selectbox, "for").select("feature").run()
    assert not at.exception and "<dt>features</dt><dd>3</dd>" in texts(at)
    widget(at.selectbox, "Take column").select("town").run()
    widget(at.selectbox, "for").select("label").run()
    assert "Role label: found label and town" not in said(at) and "<dd>3</dd>" in texts(at)
    press(at, "All as found")
    assert "<dt>features</dt><dd>2</dd>" in texts(at)
    press(at, "Keep it")
    kept = own.names()[0]
    assert datasets.info(kept).shown == ("town", "code")
    at = visit("pages/explore.py", dataset=kept, point="3")
    beside = next(frame.value for frame in at.dataframe if "of this point" in frame.value)
    assert dict(zip(beside["column"], beside["of this point"], strict=True))["town"] == "u"


def test_gaps_are_the_users_to_mend():
    x = np.where(np.arange(30) % 3, 1.5, np.nan) + np.arange(30)
    at = upload(visit(PAGE), "rows.parquet", parquet_of(x=x))
    assert "Rows with empty cells: 10 of 30, the first being 0, 3, 6, in x (10)" in said(at)
    widget(at.selectbox, "Gaps").select("median").run()
    assert not at.exception and "Gaps filled by the median" in said(at)
    press(at, "Keep it")
    assert datasets.info(own.names()[0]).n == 30


def test_a_gap_that_costs_a_point_can_be_filled_where_an_embedding_is_joined():
    kept = own.accept(table(), "Mine")
    rows = "".join(f"{i},{i / 7},{'' if i == 3 else i / 9}\n" for i in range(40))
    content = f"id,x,z\n{rows}".encode()
    at = upload(visit(PAGE, dataset=kept, show="join"), "dino.csv", content, "An embedding")
    assert "1 of 40 ids missing, such as 3" in at.error[0].value
    widget(at.selectbox, "Gaps").select("median").run()
    press(at, "Join it")
    assert len(own.joined(kept)) == 1


def test_rows_without_names_join_in_their_order_once_that_is_confirmed():
    kept = own.accept(table(), "Mine")
    content = npz_of(features=np.random.default_rng(0).standard_normal((40, 3)))
    at = upload(visit(PAGE, dataset=kept, show="join"), "dino.npz", content, "An embedding")
    assert "Nothing in the file names its rows." in said(at)
    assert [b for b in at.button if b.label == "Join it" and b.disabled]
    at.checkbox[0].check().run()
    press(at, "Join it")
    assert len(own.joined(kept)) == 1


@pytest.mark.parametrize(
    ("rents", "told"),
    [
        (np.array(["700", "cheap"] * 15), "found text in 15 of 30 rows, such as cheap"),
        (np.full(30, np.nan), "Target: found no finite number in any of 30 rows."),
        (np.where(np.arange(30) < 2, np.inf, 1.0 * np.arange(30)), "infinite target: 2 of 30, the"),
    ],
)
def test_a_target_that_is_none_is_told_and_another_choice_keeps_the_file(rents, told):
    at = upload(visit(PAGE), "rows.parquet", parquet_of(rent=rents))
    widget(at.selectbox, "Target").select("rent").run()
    assert told in said(at)
    keep = widget(at.button, "Keep it")
    assert keep.disabled == ("infinite" not in told) and not own.names()
    widget(at.selectbox, "Target").select("").run()
    assert told not in said(at) and not widget(at.button, "Keep it").disabled
    press(at, "Keep it")
    (name,) = own.names()
    assert datasets.load(name).target is None
