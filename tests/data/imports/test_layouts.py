"""Do folders mean classes, parts and masks as their owners mean them?"""

from __future__ import annotations

import io
import struct
import unicodedata
import zipfile
import zlib

import numpy as np
import pytest

from core.data.imports.archives import open_zip, zip_members
from core.data.imports.draft import Choices
from core.data.imports.file_limits import LOCAL
from core.data.imports.images.folders import coded_as_it_is, found_images, path_ids
from core.data.imports.images.layouts import layout, note_strays, part_of
from core.data.imports.read_file import read
from tests.tools.fuzzing import png, zipped

GREY = np.arange(64, dtype=np.uint8).reshape(8, 8) * 3


def said(faults) -> str:
    """All faults as one text."""
    return " ".join(map(str, faults))


def laid_out(*paths: str) -> tuple[dict[str, str], str]:
    """({path: class, with T before it for a test row, or "aside"}, what is said)."""
    faults = []
    parts = [tuple(path.split("/")) for path in paths]
    found = layout(parts, faults)
    note_strays(parts, found, found.classes, faults)
    rows = zip(paths, found.classes, found.test, found.kept, strict=True)
    return {
        path: ("T " * bool(test) + name).strip() if kept else "aside"
        for path, name, test, kept in rows
    }, said(faults)


def tree(*paths: str) -> bytes:
    """A zip of different images under these paths."""
    return zipped({path: png((GREY + i).astype(np.uint8)) for i, path in enumerate(paths)})


def raw_zip(names: list[bytes]) -> bytes:
    """A zip whose names are these bytes, not marked as UTF-8."""
    marks = [f"{i:0{len(name)}}" for i, name in enumerate(names)]
    data = tree(*marks)
    for mark, name in zip(marks, names, strict=True):
        data = data.replace(mark.encode(), name)
    return data


# Parts.


@pytest.mark.parametrize(
    "name, part",
    [
        ("train", "train"),
        ("Training_Set", "train"),
        ("seg_train", "train"),
        ("train2017", "train"),
        ("trainval", "train"),
        ("TrainImages", "train"),
        ("asl-alphabet train", "train"),
        ("test_set", "test"),
        ("testset", "test"),
        ("val", "test"),
        ("dev", "test"),
        ("valid2", "test"),
        ("unlabeled", "unlabeled"),
        ("train_test_split", ""),
        ("latest", ""),
        ("trained", ""),
        ("valley", ""),
        ("device", ""),
    ],
)
def test_a_part_is_a_word_among_the_pieces_of_a_name(name, part):
    assert part_of(name) == part


@pytest.mark.parametrize(
    "train, test",
    [
        ("training_set", "test_set"),
        ("seg_train/seg_train", "seg_test/seg_test"),
        ("train", "dev"),
        ("Train", "Holdout"),
        ("images/train2017", "images/val2017"),
        ("my_training_pictures", "final_test"),
        ("train/images", "test/images"),
    ],
)
@pytest.mark.parametrize("above", ["", "data/"])
def test_parts_of_any_name_and_depth(train, test, above):
    paths = [f"{above}{part}/{c}/{i}.png" for part in (train, test) for c in "ab" for i in "12"]
    found, _ = laid_out(*paths)
    assert list(found.values()) == ["a", "a", "b", "b", "T a", "T a", "T b", "T b"]


def test_parts_below_the_classes():
    found, told = laid_out("cats/train/1", "cats/test/2", "dogs/train/3", "dogs/test/4")
    assert list(found.values()) == ["cats", "T cats", "dogs", "T dogs"] and told == ""


def test_a_class_called_train_beside_parts():
    found, _ = laid_out("train/car/1", "train/train/2", "test/car/3", "test/train/4")
    assert list(found.values()) == ["car", "train", "T car", "T train"]
    found, _ = laid_out("car/train/1", "car/test/2", "train/train/3", "train/test/4")
    assert list(found.values()) == ["car", "T car", "train", "T train"]


@pytest.mark.parametrize(
    "classes",
    [("freight_train", "steam_train"), ("bullet_train", "test_tube", "car"), ("valid", "invalid")],
)
def test_names_that_only_speak_of_parts_are_classes(classes):
    found, _ = laid_out(*[f"{name}/1" for name in classes])
    assert list(found.values()) == [*classes]


def test_a_class_called_test_is_told_and_the_mends_work():
    found, told = laid_out("cats/1", "dogs/2", "test/3")
    assert list(found.values()) == ["cats", "dogs", "test"]
    assert "into a folder called train" in told
    found, _ = laid_out("train/cats/1", "train/dogs/2", "test/3")
    assert list(found.values()) == ["cats", "dogs", "T"]
    found, told = laid_out("train/a/1", "train/b/1", "other/b/2")
    assert list(found.values()) == ["train", "train", "other"]
    assert "call the other part test" in told
    found, _ = laid_out("train/a/1", "train/b/1", "test/b/2")
    assert list(found.values()) == ["a", "b", "T b"]


def test_parts_without_classes():
    found, told = laid_out("coco/train2017/1.jpg", "coco/val2017/2.jpg")
    assert list(found.values()) == ["", "T"] and "Parts named train2017, val2017." in told
    assert list(laid_out("images/train/1", "images/val/2")[0].values()) == ["", "T"]


def test_tiny_imagenet():
    found, told = laid_out("t/train/n1/images/1", "t/train/n2/images/2", "t/val/images/3")
    assert list(found.values()) == ["n1", "n2", "T"]
    assert "in no class folder: 1, such as t/val/images/3" in told


def test_an_unlabeled_part_has_no_labels():
    found, told = laid_out("train/a/1", "train/b/2", "test/a/3", "unlabeled/x/4")
    assert list(found.values()) == ["a", "b", "T a", ""] and "unlabeled ones have no labels" in told
    found, told = laid_out("cats/1", "dogs/2", "unlabeled/3")
    assert list(found.values()) == ["cats", "dogs", ""] and "called unlabeled: 1." in told
    found, _ = laid_out("labeled/cats/1", "labeled/dogs/2", "unlabeled/3")
    assert list(found.values()) == ["cats", "dogs", ""]
    found, _ = laid_out("seg_train/seg_train/a/1", "seg_test/seg_test/a/2", "seg_pred/seg_pred/3")
    assert list(found.values()) == ["a", "T a", ""]


def test_a_rule_that_applies_in_part_is_applied_in_part():
    found, told = laid_out("train/a/1", "train/b/2", "test/a/3", "a/4", "extra/5", "6")
    assert list(found.values()) == ["a", "b", "T a", "a", "", ""]
    assert "in no part: 3, such as a/4" in told and "in no class folder: 2, such as extra/5" in told


@pytest.mark.parametrize("stray", ["logo.png", "pets/cover.png"])
def test_one_image_above_the_folders_does_not_spoil_them(stray):
    found, told = laid_out("pets/cats/1", "pets/cats/2", "pets/dogs/3", stray)
    assert list(found.values()) == ["cats", "cats", "dogs", ""]
    assert f"in no class folder: 1, such as {stray}." in told


def test_strays_and_test_images_are_rows_without_a_label():
    archive = open_zip(tree("train/a/1.png", "train/b/2.png", "val/3.png"), "a", LOCAL)
    members = zip_members(archive, "a", LOCAL, [])
    faults = []
    found = found_images(*members, "a", LOCAL, Choices(), faults, lambda done, text: None)
    assert "in no class folder: 1, such as val/3.png" in said(faults)
    words, codes = found.labels
    assert [words[code] for code in codes] == ["a", "b", ""]
    assert found.test.tolist() == [False, False, True]
    assert found.ids.tolist() == ["train/a/1.png", "train/b/2.png", "val/3.png"]


# Masks.


def test_mvtec():
    parts = ("train/good/0", "train/good/1", "test/good/0", "test/broken/0")
    one = [f"bottle/{part}.png" for part in parts]
    found, told = laid_out(*one, "bottle/ground_truth/broken/0_mask.png")
    assert list(found.values()) == ["good", "good", "T good", "T broken", "aside"]
    assert "among the images: 1, such as bottle/ground_truth/broken/0_mask.png." in told
    two = [f"mvtec/{thing}/{part}.png" for thing in ("bottle", "cable") for part in parts]
    found, told = laid_out(*two)
    assert list(found.values()) == ["good", "good", "T good", "T broken"] * 2
    assert "Folders above the parts: bottle, cable." in told


def test_masks_beside_images_are_set_aside_until_they_are_renamed():
    assert [*laid_out("d/images/1", "d/masks/1")[0].values()] == ["", "aside"]
    assert [*laid_out("Images/bad/1", "Images/good/2", "Masks/bad/1")[0].values()] == [
        "bad",
        "good",
        "aside",
    ]
    assert [*laid_out("train/1", "train_masks/1", "test/2")[0].values()] == ["", "aside", "T"]
    found, told = laid_out("x/b (1).png", "x/b (1)_mask.png", "y/b (2).png", "y/b (2)_mask_1.png")
    assert [*found.values()] == ["x", "aside", "y", "aside"] and "Rename them" in told
    assert [*laid_out("d/images/1", "d/drawings/1")[0].values()] == ["images", "drawings"]


@pytest.mark.parametrize(
    "classes", [("with_mask", "without_mask"), ("mask", "no_mask"), ("gt", "sedan")]
)
def test_classes_that_are_called_like_masks_stay(classes):
    found, told = laid_out(*[f"{name}/1" for name in classes])
    assert list(found.values()) == [*classes] and told == ""


# Names.


def test_blanks_stay_and_nothing_collides():
    words, codes = coded_as_it_is(["a b", "a  b", "a\x01", "a\x02", "a b"])
    assert words == ["a b", "a  b", "a?", "a? (2)"] and codes.tolist() == [0, 1, 2, 3, 0]
    draft = read(tree("a b/1.png", "a  b/1.png"), "a.zip")
    assert draft.class_names == ("a  b", "a b")
    assert draft.ids.tolist() == ["a  b/1.png", "a b/1.png"] and draft.faults == ()


def test_long_paths_leave_out_what_they_share_or_are_shortened():
    deep = "/".join(["a folder with a long name"] * 9)
    draft = read(tree(f"{deep}/cat/1.png", f"{deep}/dog/2.png"), "a.zip")
    assert draft.ids.tolist() == ["cat/1.png", "dog/2.png"] and not draft.fatal
    assert "Paths of more than 200 characters: 2" in said(draft.faults)
    faults = []
    ids = path_ids([f"a/{'x' * 300}{i}.png" for i in range(9)], faults)
    assert len({*ids}) == 9 and max(map(len, ids)) <= 200 and "shortened" in said(faults)
    draft = read(tree(*[f"{c * 250}/{i}.png" for c in "ab" for i in "12"]), "a.zip")
    assert [len(name) for name in draft.class_names] == [174, 174] and not draft.fatal


@pytest.mark.parametrize(
    "name, encoding, told",
    [
        ("Müller", "utf-8", False),
        ("Mu\u0308ller", "utf-8", False),
        ("猫", "utf-8", False),
        ("Müller", "cp437", True),
        ("Müller", "cp1252", True),
        ("Straße", "cp437", True),
    ],
)
def test_names_that_are_not_marked_as_utf8(name, encoding, told):
    names = [f"{name}/{i}.png".encode(encoding) for i in range(2)]
    draft = read(raw_zip([*names, b"dog/1.png"]), "a.zip")
    assert set(draft.class_names) == {unicodedata.normalize("NFC", name), "dog"}
    assert f"{name}/0.png" in draft.ids.tolist()
    assert ("Names that are not UTF-8: 2" in said(draft.faults)) == told


def test_one_class_of_composed_and_decomposed_letters():
    names = [unicodedata.normalize(form, "Müller") for form in ("NFC", "NFD")]
    draft = read(tree(*[f"{name}/{i}.png" for i, name in enumerate(names)], "dog/1.png"), "a.zip")
    assert set(draft.class_names) == {"Müller", "dog"} and len(set(draft.ids)) == 3


# Values that all images share.


def png16(values: np.ndarray) -> bytes:
    """Colours of 16 bits, which PIL does not write."""
    height, width = values.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    out = b"\x89PNG\r\n\x1a\n"
    for kind, data in ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")):
        out += struct.pack(">I", len(data)) + kind + data
        out += struct.pack(">I", zlib.crc32(kind + data))
    return out


@pytest.mark.parametrize("top", [255, 1023, 4095, 16383, 65535])
def test_sixteen_bits_are_scaled_by_what_all_images_use(top):
    low = np.linspace(0, top // 3, 64).reshape(8, 8).astype(np.uint16)
    high = np.linspace(0, top - 1, 64).reshape(8, 8).astype(np.uint16)
    draft = read(zipped({"a/1.png": png(low), "b/2.png": png(high)}), "a.zip")
    expected = np.rint(np.stack([low, high]).astype(float) * 255 / top)
    np.testing.assert_array_equal(draft.points, expected)
    assert ("Images of 16 bits whose largest value is" in said(draft.faults)) == (top < 65535)


def test_colours_of_twelve_bits_are_told_and_the_mend_works():
    values = np.random.default_rng(0).integers(0, 4096, (8, 8, 3))
    draft = read(zipped({"a/1.png": png16(values), "b/1.png": png16(values)}), "a.zip")
    assert "nearly black: 2" in said(draft.faults) and "image // 16" in said(draft.faults)
    mended = png((values // 16).astype(np.uint8))
    draft = read(zipped({"a/1.png": mended, "b/1.png": mended}), "a.zip")
    assert draft.points.max() > 200 and "black" not in said(draft.faults)


@pytest.mark.parametrize("ink, ground", [(255, 0), (0, 255), (200, 0), (60, 255)])
def test_transparent_images_lie_on_the_ground_that_shows_them(ink, ground):
    image = np.zeros((8, 8, 4), np.uint8)
    image[..., :3] = ink
    image[2:5, 2:5, 3] = 255
    draft = read(zipped({f"{c}/1.png": png(image) for c in "ab"}), "a.zip")
    assert draft.points[0, 3, 3] == ink and draft.points[0, 0, 0] == ground
    assert f"over {'white' if ground else 'black'}" in said(draft.faults)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("images.npy", _npy(np.stack([image, image])))
    stack = read(buffer.getvalue(), "a.npz")
    np.testing.assert_array_equal(stack.points, draft.points)
    assert "Images with transparent pixels: 2." in said(stack.faults)


def test_an_opaque_alpha_channel_is_no_transparency():
    image = np.full((8, 8, 4), 255, np.uint8)
    image[..., :3] = GREY[..., None]
    draft = read(zipped({f"{c}/1.png": png(image) for c in "ab"}), "a.zip")
    np.testing.assert_array_equal(draft.points[0], GREY)
    assert draft.faults == ()


def _npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def test_folders_in_folders_are_told_and_the_mend_works():
    paths = [f"data/{s}/{c}/{i}.png" for s in ("day", "night") for c in "ab" for i in range(2)]
    draft = read(zipped({path: png(GREY) for path in paths}), "a.zip")
    assert draft.class_names == ("day", "night")
    told = " ".join(map(str, draft.faults))
    assert "Folders in folders: a, b in day, night. The outer ones are the classes." in told
    turned = [f"data/{c}/{s}/{i}.png" for s in ("day", "night") for c in "ab" for i in range(2)]
    assert read(zipped({path: png(GREY) for path in turned}), "a.zip").class_names == ("a", "b")


def test_several_folders_in_one_class_are_told():
    found, told = laid_out("animal/cat/1.png", "animal/dog/1.png", "plant/fern/1.png")
    assert {*found.values()} == {"animal", "plant"}
    assert "Folders in folders: cat, dog, fern in animal, plant. The outer ones are" in told
    assert laid_out("cat/in/1.png", "dog/out/1.png", "cat/2.png")[1] == ""


@pytest.mark.parametrize("name", ["HAM10000_images_part_{}", "batch{}", "part-{}"])
def test_folders_that_only_count_the_parts_of_a_download_are_no_classes(name):
    found, told = laid_out(f"{name.format(1)}/1.png", f"{name.format(2)}/2.png")
    assert {*found.values()} == {""} and "Folders that only count:" in told
    found, told = laid_out("part_a/1.png", "part_b/2.png")
    assert len({*found.values()}) == 2 and "only count" not in told
    assert len({*laid_out("3/1.png", "8/2.png")[0].values()}) == 2


def test_classes_in_the_names_of_files_are_told_with_a_mend_that_works():
    names = [f"train/{c}.{i}.png" for c in ("cat", "dog") for i in range(2)]
    told = said(read(tree(*names), "a.zip").faults)
    assert "Their names begin with cat, dog." in told and "file_name and label" in told
    table = "file_name,label\n" + "".join(f"{n},{n.split('/')[1][:3]}\n" for n in names)
    files = {name: png(GREY) for name in names} | {"labels.csv": table.encode()}
    assert read(zipped(files), "a.zip").class_names == ("cat", "dog")
    assert "begin with" not in said(read(tree("u/img1.png", "u/img2.png"), "a.zip").faults)


def test_images_of_other_kinds_are_called_so_and_those_without_an_ending_are_read():
    files = {f"{c}/{i}": png(GREY) for c in "ab" for i in range(2)}
    files |= {"c/1.tif": b"II*\0", "c/2.HEIC": b"", "README": b"Nothing to see"}
    draft = read(zipped(files), "a.zip")
    assert draft.class_names == ("a", "b") and len(draft) == 4
    told = said(draft.faults)
    assert "Images of a kind that is not read: 2, such as c/1.tif." in told
    assert "Save them as PNG or JPEG." in told and "not images: 1, such as README." in told


def test_images_without_an_ending_in_a_folder(tmp_path):
    for name in ("a/1", "a/2", "b/1", "b/2"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(png(GREY))
    assert read(tmp_path, "a").class_names == ("a", "b")
