"""Are folders read as classes and parts, and do images of any kind and size come out as they
should?
"""

from __future__ import annotations

import io
import os
import stat
import struct
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from core.data.imports.archives import folder_members
from core.data.imports.draft import Choices
from core.data.imports.file_limits import HOSTED, LOCAL
from core.data.imports.images import image_bytes
from core.data.imports.images.decoding import target_side
from core.data.imports.images.layouts import layout
from core.data.imports.read_file import read
from core.types import UserError
from tests.tools.fuzzing import announcing, npy, png, zipped

GREY = np.arange(64, dtype=np.uint8).reshape(8, 8) * 3
COLOUR = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)


def said(draft) -> str:
    """All faults as one text."""
    return " ".join(map(str, draft.faults))


def file_of(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    """A PIL image as a file."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


# Folders.


@pytest.mark.parametrize(
    "paths, classes, test",
    [
        (["cats/1", "dogs/2"], ["cats", "dogs"], [0, 0]),
        (["data/cats/1", "data/dogs/2"], ["cats", "dogs"], [0, 0]),
        (["data/cats/young/1", "data/dogs/2"], ["cats", "dogs"], [0, 0]),
        (["train/a/1", "test/b/2"], ["a", "b"], [0, 1]),
        (["d/Train/a/1", "d/Valid/b/2", "d/train/b/3"], ["a", "b", "b"], [0, 1, 0]),
        (["training/1", "testing/2"], ["", ""], [0, 1]),
        (["train/a/1", "other/b/2"], ["train", "other"], [0, 0]),
        (["train/a/1", "train/b/2"], ["a", "b"], [0, 0]),
        (["test/a/1", "val/b/2"], ["a", "b"], [1, 1]),
        (["1", "2"], ["", ""], [0, 0]),
        (["only/1", "only/2"], ["", ""], [0, 0]),
        (["cats/1", "2"], ["cats", ""], [0, 0]),
    ],
)
def test_layout(paths, classes, test):
    found = layout([tuple(path.split("/")) for path in paths], [])
    assert found.classes == classes and found.test.tolist() == [bool(flag) for flag in test]
    assert found.kept.all()


def test_a_zip_of_folders():
    members = {
        "data/test/dogs/3.png": GREY,
        "data/train/dogs/2.png": GREY + 1,
        "data/train/cats/1.png": GREY + 2,
    }
    draft = read(zipped({path: png(image) for path, image in members.items()}), "pets.zip")
    assert draft.title == "pets" and draft.kind == "images" and draft.faults == ()
    assert draft.ids.tolist() == [
        "data/train/cats/1.png",
        "data/train/dogs/2.png",
        "data/test/dogs/3.png",
    ]
    np.testing.assert_array_equal(draft.points, np.stack([GREY + 2, GREY + 1, GREY]))
    assert (
        draft.class_names == ("cats", "dogs")
        and draft.labels.tolist() == [0, 1, 1]
        and draft.test.tolist() == [False, False, True]
    )


def test_images_without_folders_have_no_labels():
    draft = read(zipped({f"{i}.png": png(GREY) for i in range(3)}), "a.zip")
    assert (
        draft.class_names == ()
        and draft.labels.tolist() == [-1] * 3
        and "do not lie in folders of their class" in said(draft)
    )


def test_images_beside_the_folders_have_no_label():
    draft = read(zipped({"a/1.png": png(GREY), "b/2.png": png(GREY), "3.png": png(GREY)}), "a.zip")
    assert draft.labels.tolist() == [-1, 0, 1] and "in no class folder: 1, such as 3" in said(draft)


def test_validation_and_test_parts_are_both_test_rows():
    draft = read(
        zipped({f"{part}/{c}/1.png": png(GREY) for part in ("train", "val", "test") for c in "ab"}),
        "a.zip",
    )
    assert draft.test.tolist() == [False] * 2 + [
        True
    ] * 4 and "Parts named test, train, val." in said(draft)


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "pets"
    for path in ("a/1.png", "b/deep/2.png", "b/.hidden.png", "notes.txt", ".git/3.png"):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(png(GREY))
    (tmp_path / "secret.png").write_bytes(png(GREY))
    (root / "a/link.png").symlink_to(tmp_path / "secret.png")
    (root / "c").symlink_to(tmp_path)
    os.mkfifo(root / "a/pipe.png")
    return root


def test_a_folder_is_read_as_its_zip_but_links_are_not_followed(folder):
    draft = read(folder, folder.name)
    assert (
        draft.ids.tolist() == ["a/1.png", "b/deep/2.png"]
        and draft.class_names == ("a", "b")
        and draft.title == "pets"
    )
    assert "Symbolic links and special files: 2, such as a/link.png" in said(
        draft
    ) or "such as a/pipe.png" in said(draft)
    assert "hidden or not images: 4" in said(draft)


def test_a_folder_within_limits(folder, tmp_path):
    with pytest.raises(UserError, match="more than 1 images"):
        folder_members(folder, replace(LOCAL, files=1), [])
    with pytest.raises(UserError, match="bytes when unpacked"):
        folder_members(folder, replace(LOCAL, unpacked_bytes=100), [])
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="found no images"):
        read(tmp_path / "empty", "empty")


# What is left out of an archive.


def odd_zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in (
            "a/1.png",
            "b/./2.png",
            "../out.png",
            "/root.png",
            "C:\\disk.png",
            "a/../../b.png",
            "__MACOSX/a/._1.png",
            "Thumbs.db",
        ):
            archive.writestr(path, png(GREY))
        archive.writestr("b\\3.png", png(GREY))
        archive.writestr("b/2.png", png(GREY + 1))
        archive.writestr("inner.zip", zipped({"c/1.png": png(GREY)}))
        link = zipfile.ZipInfo("b/link.png")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("b/rare.png", png(GREY), zipfile.ZIP_BZIP2)
        archive.writestr("a/broken.png", png(GREY)[:50])
        archive.writestr("a/text.png", b"no image")
    return buffer.getvalue()


def test_what_is_left_out_is_counted_by_its_kind():
    draft = read(odd_zip(), "a.zip")
    assert draft.ids.tolist() == ["a/1.png", "b/2.png", "b/3.png"] and draft.left_out == 2
    np.testing.assert_array_equal(draft.points[1], GREY)  # the first of its name
    for expected in (
        "lead out of the archive: 4, such as ../out.png",
        "Symbolic links and special files: 1, such as b/link.png",
        "Archives inside: 1, such as inner.zip",
        "encrypted or packed by a rare method: 1, such as b/rare.png",
        "occur a second time: 1, such as b/2.png",
        "hidden or not images: 2, such as __MACOSX/a/._1.png",
    ):
        assert expected in said(draft)
    assert "cannot be read: 1, such as a/text.png" in said(
        draft
    ) and "cannot be read: 1, such as a/broken.png" in said(draft)


def test_a_directory_that_claims_less_is_not_believed():
    data = zipped({"a/1.png": png(GREY), "b/2.png": png(GREY)})
    at = data.rindex(b"PK\x01\x02") + 24  # the last member's unpacked size
    draft = read(data[:at] + struct.pack("<I", 20) + data[at + 4 :], "a.zip")
    assert draft.ids.tolist() == ["a/1.png"] and "cannot be read: 1, such as b/2.png" in said(draft)


# Values.


@pytest.mark.parametrize(
    "kind, suffix", [("PNG", "png"), ("BMP", "BMP"), ("WEBP", "webp"), ("JPEG", "jpeg")]
)
@pytest.mark.parametrize("image", [GREY, COLOUR])
def test_every_format(kind, suffix, image):
    options = (
        {"lossless": True}
        if kind == "WEBP"
        else {"quality": 100, "subsampling": 0}
        if kind == "JPEG"
        else {}
    )
    data = file_of(Image.fromarray(image), kind, **options)
    points = read(zipped({f"a/1.{suffix}": data, f"b/2.{suffix}": data}), "a.zip").points
    assert points.shape == (2, *image.shape)
    np.testing.assert_allclose(points[1].astype(int), image, atol=6 if kind == "JPEG" else 0)


def test_modes_become_eight_bits_grey_or_colour():
    wide = np.array([[0, 65535], [257, 257 * 100 + 128]], np.uint16)
    clear = np.zeros((2, 2, 4), np.uint8)
    clear[0, 0] = (10, 20, 30, 255)
    palette = Image.fromarray(COLOUR).quantize(16)
    assert image_bytes.plain(Image.fromarray(wide)).tolist() == [[0, 255], [1, 100]]
    assert image_bytes.plain(Image.fromarray(np.array([[True, False]]))).tolist() == [[255, 0]]
    assert image_bytes.plain(Image.fromarray(clear)).tolist() == [
        [[10, 20, 30], [255] * 3],
        [[255] * 3, [255] * 3],
    ]
    np.testing.assert_array_equal(image_bytes.plain(palette), np.asarray(palette.convert("RGB")))
    np.testing.assert_array_equal(
        image_bytes.plain(Image.fromarray(np.repeat(GREY[..., None], 3, axis=2))), GREY
    )
    assert image_bytes.plain(Image.new("CMYK", (2, 2))).tolist() == [[255, 255], [255, 255]]
    assert image_bytes.plain(Image.fromarray(np.full((2, 2), 7e9, np.float32))).tolist() == [
        [255, 255],
        [255, 255],
    ]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_cameras_orientation_is_applied(orientation):
    from PIL import ImageOps

    exif = Image.Exif()
    exif[image_bytes.ORIENTATION] = orientation
    image = Image.fromarray(GREY[:5])
    for data in (file_of(image, exif=exif), file_of(image, "JPEG", exif=exif, quality=100)):
        expected = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))))
        np.testing.assert_array_equal(image_bytes.decoded(data), expected)
        assert image_bytes.size_of(data, 100) == (expected.shape[::-1], False)


def test_the_first_frame_of_an_animation_is_taken():
    frames = [Image.fromarray(GREY), Image.fromarray(255 - GREY)]
    for kind, options in (("PNG", {}), ("WEBP", {"lossless": True})):
        data = file_of(frames[0], kind, save_all=True, append_images=frames[1:], **options)
        np.testing.assert_array_equal(image_bytes.decoded(data), GREY)


def test_one_image_in_colour_makes_all_of_them_so():
    draft = read(zipped({"a/1.png": png(GREY), "b/2.png": png(COLOUR)}), "a.zip")
    np.testing.assert_array_equal(
        draft.points, np.stack([np.repeat(GREY[..., None], 3, axis=2), COLOUR])
    )


# Sizes.


def test_a_fitted_image_keeps_its_aspect_and_its_ground():
    image = np.full((4, 8), 200, np.uint8)
    image[:, 3:5] = 40  # the corners are 200
    fitted = image_bytes.fitted(image, 16)
    assert fitted.shape == (16, 16) and (fitted[:4] == 200).all() and (fitted[12:] == 200).all()
    assert (fitted[4:12, 7:9] == 40).all() and (fitted[4:12, :4] == 200).all()
    np.testing.assert_array_equal(
        image_bytes.fitted(image, 4)[1:3], [[200, 120, 120, 200]] * 2
    )  # (1 200 + 3 200 + 3 40 + 1 40) / 8
    assert image_bytes.fitted(image, 4)[0].tolist() == [200] * 4
    assert image_bytes.fitted(GREY, 8) is GREY
    assert (
        image_bytes.fitted(np.full((1, 300, 3), 9, np.uint8), 8).tolist()
        == np.full((8, 8, 3), 9).tolist()
    )


@pytest.mark.parametrize(
    "sizes, colour, chosen, side",
    [
        ([(28, 28)] * 3, False, None, None),
        ([(128, 100)] * 3, False, None, None),
        ([(129, 100)] * 3, False, None, 64),
        ([(28, 28), (28, 29)], False, None, 64),
        ([(28, 28)] * 3, False, 16, 16),
    ],
)
def test_the_side_that_is_taken(sizes, colour, chosen, side):
    faults = []
    assert target_side(sizes, colour, LOCAL, chosen, faults) == side
    assert bool(faults) == (side == 64)


def test_the_side_within_limits():
    assert target_side([(64, 64)] * 10, False, HOSTED, None, []) is None
    assert (
        target_side([(64, 64)] * 4096, True, LOCAL, None, []) is None
    )  # 12,288 values, but the points' own Gram matrix is small
    assert (
        target_side([(64, 64)] * 4097, True, LOCAL, None, []) == 32
        and target_side([(64, 64)] * 4097, False, LOCAL, None, []) is None
    )
    assert target_side([(64, 64)] * 4097, True, LOCAL, 64, []) == 64
    assert (
        target_side([(64, 64)] * 10, True, HOSTED, None, []) == 32
    )  # 36 would be the most: 3 x 36 x 36 <= 4,096
    assert (
        target_side([(40, 40)] * 20_000, False, HOSTED, None, []) == 28
    )  # 31 would be the most: 20,000 x 31 x 31 <= 20,000,000
    for chosen in (1, 37, 2.5, True, "32"):
        with pytest.raises(UserError, match=r"Side: found .*, expected 2 to 36 pixels"):
            target_side([(64, 64)] * 10, True, HOSTED, chosen, [])
    with pytest.raises(UserError, match="at least 8"):
        target_side([(64, 64)] * 20_000, True, replace(HOSTED, values=10**6), None, [])


def test_images_of_different_sizes_are_fitted_and_told():
    draft = read(zipped({"a/1.png": png(GREY), "b/2.png": png(GREY[:4])}), "a.zip")
    assert (
        draft.points.shape == (2, 64, 64)
        and draft.sides == ((8, 4), (8, 8))
        and "8 x 4 to 8 x 8 pixels" in said(draft)
    )
    draft = read(
        zipped({"a/1.png": png(GREY), "b/2.png": png(GREY[:4])}), "a.zip", choices=Choices(side=10)
    )
    assert draft.points.shape == (2, 10, 10) and draft.faults == ()


def test_large_images_in_an_array_are_fitted_too():
    draft = read(npy(np.zeros((2, 200, 100), np.uint8)), "a.npy")
    assert draft.points.shape == (2, 64, 64) and "Images of 100 x 200 pixels." in said(draft)
    assert read(
        npy(np.zeros((2, 20, 10, 3), np.uint8)), "a.npy", choices=Choices(side=16)
    ).points.shape == (2, 16, 16)


def test_a_huge_header_is_refused_before_anything_is_decoded():
    image = png(GREY)
    huge = announcing(image, 30_000, 30_000)
    with pytest.raises(image_bytes.TooManyPixels):
        image_bytes.size_of(huge, 10**6)
    draft = read(
        zipped({"a/1.png": image, "a/2.png": huge, "b/3.png": image}), "a.zip", limits=HOSTED
    )
    assert (
        len(draft) == 2
        and draft.left_out == 1
        and "more than 25 million pixels: 1, such as a/2.png" in said(draft)
    )
