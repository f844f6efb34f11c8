"""The page that test_gallery.py opens: one gallery of made-up images, chosen by ?show=, and what it
returned.

grey: 60 images, id = 100 + position, marks on every seventh. colour: 12 images, red left half, blue
right half. many: 1,000 images of 28 x 28. words: long class names. wide: 9 images of 10 x 40. few:
3 images without score or rank. big: 300 x 200. ?drop=1 offers a checkbox that drops the first two
images, ?hide=1 one that takes the gallery away; ?selected= is the id framed at the start, ?rows=
the most rows.
"""

import sys
from pathlib import Path

import numpy as np
import streamlit as st

sys.path.insert(0, str(Path(__file__).parents[2]))

from pages.components.gallery import gallery

SHAPES = {
    "grey": (60, 28, 28),
    "colour": (12, 32, 32, 3),
    "many": (1000, 28, 28),
    "words": (30, 28, 28),
}
SHAPES |= {"wide": (9, 10, 40), "few": (3, 8, 8), "big": (24, 300, 200)}


def draw_rings(shape: tuple[int, ...]) -> np.ndarray:
    """Grey: a ring of full ink around the middle, its radius growing with the position.

    Colour: two flat halves.
    """
    m, h, w = shape[:3]
    images = np.zeros(shape, np.uint8)
    if len(shape) == 4:
        images[:, :, : w // 2] = (200, 30, 40)
        images[:, :, w // 2 :] = (20, 60, 220)
        return images
    y, x = np.mgrid[:h, :w]
    distance = np.hypot((y - (h - 1) / 2) / h, (x - (w - 1) / 2) / w)
    radius = 0.15 + 0.2 * np.arange(m) / m
    return np.where(np.abs(distance - radius[:, None, None]) < 0.06, 255, 0).astype(np.uint8)


st.set_page_config(layout="wide")
show = st.query_params.get("show", "grey")
images = draw_rings(SHAPES[show])
m = len(images)
names = (
    ["Automobile and truck", "T-shirt/top", "Ankle boot"] if show == "words" else list("0123456789")
)
start = 2 if "drop" in st.query_params and st.checkbox("Drop") else 0
if "hide" in st.query_params and st.checkbox("Hide"):
    st.stop()
form = {"words": "{:.4f}", "few": ""}.get(show, "{:.3f}")
scores = [form.format(1 - i / 1500) for i in range(start, m)]
clicked = gallery(
    images[start:],
    [names[i % len(names)] for i in range(start, m)],
    scores,
    [100 + i for i in range(start, m)],
    key="gallery",
    ranks=None if show == "few" else list(range(1 + start, 1 + m)),
    marks=["artefact" if i % 7 == 1 else "" for i in range(start, m)] if show == "grey" else None,
    alt="Made-up rings in the order of their score.",
    selected=int(st.query_params.get("selected", 103)),
    max_rows=int(st.query_params["rows"]) if "rows" in st.query_params else None,
)
st.session_state.clicks = st.session_state.get("clicks", 0) + (clicked is not None)
st.text(f"clicked {clicked}, {st.session_state.clicks} in all")
