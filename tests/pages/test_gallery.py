"""Does the gallery's Python side pack what it is given, and refuse what does not fit together?

What the browser makes of it is tested in tests/browser/test_gallery.py.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.types import UserError
from pages.components.gallery import _pack, _shrink, gallery


def test_the_block_of_bytes_is_length_header_pixels():
    images = np.arange(2 * 3 * 5 * 3, dtype=np.uint8).reshape(2, 3, 5, 3)[:, ::-1]
    block = _pack(images, {"alt": "Zwölf"})
    length = int.from_bytes(block[:4], "little")
    assert json.loads(block[4 : 4 + length]) == {"alt": "Zwölf", "h": 3, "w": 5, "channels": 3}
    assert block[4 + length :] == images.tobytes()


def test_shrinking_takes_the_mean_of_blocks():
    image = np.zeros((1, 5, 4), np.uint8)
    image[0, :2, 2:] = [[10, 20], [30, 41]]
    image[0, 4] = 255
    assert _shrink(image, 3).tolist() == [[[0, 25], [0, 0]]], (
        "101/4 rounds to 25; the fifth row is cut off"
    )
    assert _shrink(image, 5) is image
    assert (
        _shrink(np.full((2, 9, 2, 3), 7, np.uint8), 3).tolist() == np.full((2, 3, 1, 3), 7).tolist()
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"images": np.zeros((2, 4, 4))},
            "found float64 images of shape (2, 4, 4), expected uint8",
        ),
        ({"images": np.zeros((2, 16), np.uint8)}, "found uint8 images of shape (2, 16), expected"),
        ({"images": np.zeros((2, 4, 4, 4), np.uint8)}, "expected uint8 (m, h, w) or (m, h, w, 3)"),
        ({"images": np.zeros((0, 4, 4), np.uint8)}, "expected at least one"),
        ({"captions": ["7"]}, "found 1 captions for 2 images"),
        ({"scores": []}, "found 0 scores for 2 images"),
        ({"ids": [1, 2, 3]}, "found 3 ids for 2 images"),
        ({"ranks": [1]}, "found 1 ranks for 2 images"),
        ({"marks": ["artefact"]}, "found 1 marks for 2 images"),
        ({"size": 4}, "expected 8 to 512"),
        ({"max_rows": 0}, "expected at least 1"),
    ],
)
def test_what_does_not_fit_together_is_refused(change, message):
    good = {
        "images": np.zeros((2, 4, 4), np.uint8),
        "captions": ["7", "1"],
        "scores": ["0.9", "0.8"],
        "ids": [1, 2],
    }
    with pytest.raises(UserError) as refused:
        gallery(**{**good, **change}, key="refused", alt="Nothing.")
    assert message in str(refused.value)


def test_it_runs_where_there_is_no_browser():
    page = AppTest.from_file(str(Path(__file__).parents[1] / "browser" / "gallery_app.py")).run()
    assert not page.exception
    assert page.text[0].value == "clicked None, 0 in all"
