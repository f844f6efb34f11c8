"""Do embeddings from elsewhere reach the right points?"""

import numpy as np
import pytest

from core.data.imports.draft import Choices
from core.data.imports.join_by_id import ids_of, join, rows_of
from core.data.imports.read_file import read
from core.types import Dataset, UserError
from tests.tools.fuzzing import csv, npy, npz, parquet

IDS = np.array(["c", "a", "b"])


def test_rows_follow_the_points():
    draft = read(
        parquet({"id": ["a", "b", "c"], "embedding": [[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]]}),
        "t.parquet",
    )
    embedding, faults = join(IDS, draft)
    assert (
        embedding.tolist() == [[3, 30], [1, 10], [2, 20]]
        and embedding.dtype == np.float32
        and faults == ()
    )


def test_any_permutation_of_the_file_gives_the_same():
    rng = np.random.default_rng(0)
    ids = rng.permutation(100).astype(str)
    values = rng.normal(size=(100, 4)).astype(np.float32)
    order = rng.permutation(100)
    embedding, _ = join(ids, read(npz(x=values[order], ids=ids[order]), "a.npz"))
    np.testing.assert_array_equal(embedding, values)


def test_rows_of_no_point_are_left_out():
    draft = read(csv({"id": ["z", "a", "b", "c", "y"], "x": [9, 1, 2, 3, 9]}), "t.csv")
    embedding, faults = join(IDS, draft)
    assert embedding.tolist() == [[3], [1], [2]] and "belong to no point: 2." in str(faults[-1])


def test_missing_points_are_named():
    with pytest.raises(
        UserError,
        match=(
            r"t: found 2 of 3 ids missing, such as c and 1 more, expected every point\. .*id column"
        ),
    ):
        join(IDS, read(csv({"id": ["a", "z"], "x": [1, 2]}), "t.csv"))
    with pytest.raises(
        UserError, match=r"1 of 3 ids missing, such as b, .* empty cells: 1 of 3, .* in x \(1\)"
    ):
        join(IDS, read(csv({"id": ["a", "b", "c"], "x": [1, "nan", 2]}), "t.csv"))


def test_ids_that_repeat_join_nothing():
    with pytest.raises(UserError, match=r"more than once: 1, such as a.* Make them unique"):
        join(IDS, read(csv({"id": ["a", "a", "c"], "x": [1, 2, 3]}), "t.csv"))


def test_without_ids_as_many_rows_are_joined_in_order():
    embedding, faults = join(IDS, read(npy(np.eye(3)), "a.npy"))
    np.testing.assert_array_equal(embedding, np.eye(3))
    assert "Nothing in the file names its rows" in str(faults[-1]) and faults[-1].confirm
    with pytest.raises(
        UserError, match=r"found 4 rows without ids, expected 3, one for each point"
    ):
        join(IDS, read(npy(np.eye(4)), "a.npy"))
    with pytest.raises(
        UserError,
        match=r"1 of 4 ids missing, such as 3, .* NaN or infinity: 1 of 4, .*--gaps median",
    ):
        join(
            np.arange(4).astype(str),
            read(npy(np.vstack([np.eye(3), np.full((1, 3), np.nan)])), "a.npy"),
        )


def test_only_sound_tables_are_joined():
    with pytest.raises(UserError, match="found images, expected a table"):
        join(IDS, read(npy(np.zeros((3, 4, 4), np.uint8)), "a.npy"))
    with pytest.raises(UserError, match="Array labels: found"):
        join(IDS, read(npz(x=np.eye(3), labels=np.arange(2)), "a.npz"))


def test_a_dataset_without_ids_is_called_by_its_rows():
    plain = Dataset("own", np.eye(3, dtype=np.float32), np.full(3, -1), (), np.zeros(3, bool))
    assert ids_of(plain).tolist() == ["0", "1", "2"]
    named = Dataset("own", plain.points, plain.labels, (), plain.test, ids=IDS)
    assert ids_of(named) is IDS
    embedding, _ = join(ids_of(plain), read(csv({"id": [2, 0, 1], "x": [2, 0, 1]}), "t.csv"))
    assert embedding.tolist() == [[0], [1], [2]]


def test_a_measurement_that_counts_is_no_id_of_row_numbers():
    plain = np.arange(12).astype(str)
    x = np.column_stack([np.arange(12)[::-1], np.linspace(0, 1, 12)])
    embedding, faults = join(plain, read(npz(x=x), "a.npz"))
    assert embedding.tolist() == x.astype(np.float32).tolist() and faults[-1].confirm
    named = np.array([str(7 * i) for i in range(12)])
    table = csv({"at": [7.0 * i for i in range(11, -1, -1)], "u": range(12), "v": [0.5] * 12})
    embedding, faults = join(named, read(table, "t.csv"))
    assert "Column at holds the ids." in str(faults[-1])
    assert embedding[:, 0].tolist() == list(range(11, -1, -1))


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("/media/disk/pets/cat/{}.png", "pets/cat/{}.png"),
        ("cat\\{}.png", "pets/cat/{}.png"),
        ("./cat/{}.png", "cat/{}.png"),
        ("cafe\u0301/{}", "caf\u00e9/{}"),
        ("10{}.0", "10{}"),
    ],
)
def test_ids_that_differ_in_their_dress_only(theirs, ours):
    order = np.random.default_rng(0).permutation(9).tolist()
    value = [i / 4 for i in order]
    content = csv({"where": [theirs.format(i) for i in order], "u": value, "v": [0.5] * 9})
    embedding, faults = join(np.array([ours.format(i) for i in range(9)]), read(content, "t.csv"))
    assert (4 * embedding[:, 0]).tolist() == list(range(9))
    assert not any(fault.confirm for fault in faults)


def test_two_rows_of_one_name_are_in_doubt():
    assert rows_of(["a/1.png"], ["./a/1.png", "a\\1.png"]) is None
    assert rows_of(["a/1.png"], ["./a/1.png", "a\\2.png"]).tolist() == [0]


def test_a_dataset_that_lacks_rows_takes_those_of_its_numbers():
    kept = np.array(["0", "2", "3"])
    embedding, faults = join(kept, read(npy(np.eye(4)), "a.npy"))
    assert embedding.tolist() == np.eye(4)[[0, 2, 3]].tolist()
    assert faults[-1].confirm and "by their numbers in the file" in str(faults[-1])
    with pytest.raises(UserError, match="found 5 rows without ids, expected 3"):
        join(kept, read(npy(np.eye(5)), "a.npy"))


def test_ids_that_would_become_one_are_in_doubt():
    content = csv({"where": ["a/1.png", "./a/1.png"], "u": [1, 2]})
    with pytest.raises(UserError, match=r"rows without ids|missing|the same once"):
        join(np.array(["a/1.png", "b/1.png", "c"]), read(content, "t.csv"))


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("IMG_{}.JPG", "img_{}.jpg"),
        ("{}", "{}.png"),
        ("scan_{}.tif", "scan_{}.png"),
        ("00{}", "{}"),
    ],
)
def test_ids_that_differ_in_case_endings_or_zeros_are_joined_and_told(theirs, ours):
    order = np.random.default_rng(0).permutation(np.arange(1, 10)).tolist()
    columns = {"name": [theirs.format(i) for i in order], "u": [i / 4 for i in order]}
    wanted = np.array([ours.format(i) for i in range(1, 10)])
    embedding, faults = join(wanted, read(csv(columns), "t.csv"))
    assert (4 * embedding[:, 0]).tolist() == list(range(1, 10))
    assert "but for case, endings of files or zeros" in " ".join(map(str, faults))
    assert not any(fault.confirm for fault in faults)


def test_ids_that_only_case_tells_apart_are_not_taken_for_one_another():
    draft = read(csv({"name": ["A.png", "a.png"], "u": [1, 2]}), "t.csv")
    assert join(np.array(["a.png", "A.png"]), draft)[0].tolist() == [[2], [1]]
    assert rows_of(["a.jpg"], ["A.png", "a.png"], loose=True) is None


@pytest.mark.parametrize(
    "name", ["index", "sample", "idx", "img", "point", "row", "level_0", "orig", "pos"]
)
def test_two_columns_that_name_the_points_in_different_orders_are_asked_about(name):
    rows = [(2, 2.5, 9.1), (0, 0.5, 9.2), (3, 3.5, 9.3), (1, 1.5, 9.4)]
    text = f",{name},e0,e1\n" + "".join(f"{i},{r[0]},{r[1]},{r[2]}\n" for i, r in enumerate(rows))
    wanted = np.arange(4).astype(str)
    counter = "unnamed 1"
    with pytest.raises(UserError, match=r"could name the points, .* disagree.*--id 'unnamed 1'"):
        join(wanted, read(text.encode(), "t.csv"))
    for chosen, first in ((name, [0.5, 1.5, 2.5, 3.5]), (counter, [2.5, 0.5, 3.5, 1.5])):
        draft = read(text.encode(), "t.csv", choices=Choices(id=chosen))
        embedding, faults = join(wanted, draft)
        at = draft.feature_names.index("e0")
        assert embedding[:, at].tolist() == first and not any(f.confirm for f in faults)


def test_two_columns_that_name_the_points_alike_are_no_doubt():
    text = b",index,e0\n0,0,.5\n1,1,1.5\n2,2,2.5\n"
    assert join(np.arange(3).astype(str), read(text, "t.csv"))[0][:, 0].tolist() == [0.5, 1.5, 2.5]


@pytest.mark.parametrize("name", ["id", "image_id", "sample_idx", "original_index", "number"])
def test_what_only_counts_the_rows_of_the_file_does_not_speak_against_a_named_id(name):
    text = f",{name},e0\n0,2,2.5\n1,0,.5\n2,3,3.5\n3,1,1.5\n"
    embedding, _ = join(np.arange(4).astype(str), read(text.encode(), "t.csv"))
    assert embedding[:, 0].tolist() == [0.5, 1.5, 2.5, 3.5]


@pytest.mark.parametrize("gaps", ["median", "columns"])
def test_a_gap_that_costs_a_point_is_named_and_can_be_filled(gaps):
    text = b"id,e0,e1\na,1.5,2\nb,2.5,\nc,0.5,1\n"
    with pytest.raises(UserError, match=r"empty cells: 1 of 3, .* in e1 .*--gaps median"):
        join(IDS, read(text, "t.csv"))
    embedding, _ = join(IDS, read(text, "t.csv", choices=Choices(gaps=gaps)))
    assert embedding[:, 0].tolist() == [0.5, 1.5, 2.5]
