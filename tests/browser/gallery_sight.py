"""What a test can see of the gallery on a page: where its images lie, their pixels, and how they
contrast.

Pixels are cut out of the canvas where the listbox says that an image lies, so each is tested
against the other.
"""

import base64
import json

import numpy as np
from playwright.sync_api import Page

CUT_OUT = """(canvas, [left, top, width, height]) => {
  const all = canvas.getBoundingClientRect();
  const cut = [left - all.left, top - all.top, width, height].map(
    (v) => Math.round(v * devicePixelRatio));
  const bytes = canvas.getContext("2d").getImageData(...cut).data;
  let text = "";
  for (let i = 0; i < bytes.length; i += 32768)
    text += String.fromCharCode(...bytes.subarray(i, i + 32768));
  return [cut[3], cut[2], btoa(text)];
}"""


def region(page: Page, left: float, top: float, width: float, height: float) -> np.ndarray:
    """The canvas's pixels (height, width, 4) in a rectangle of the window given in CSS pixels."""
    height, width, values = page.locator(".gallery canvas").evaluate(
        CUT_OUT, [left, top, width, height]
    )
    return np.frombuffer(base64.b64decode(values), np.uint8).astype(int).reshape(height, width, 4)


def cell(page: Page, item: int) -> np.ndarray:
    """The pixels (height, width, 4) of one image and its captions, read from the canvas."""
    left, top, right, bottom = places(page)[item]
    return region(page, left, top, right - left, bottom - top)


def image(page: Page, item: int) -> np.ndarray:
    """The colours (side, side, 3) within the frame."""
    whole = cell(page, item)
    side = whole.shape[1]
    inside = whole[4 : side - 4, 4 : side - 4]
    assert (inside[..., 3] == 255).all(), f"image {item} is not painted"
    return inside[..., :3]


def places(page: Page) -> np.ndarray:
    """left, top, right, bottom of every option in CSS pixels, (m, 4)."""
    script = """all => JSON.stringify(
        all.map((o) => o.getBoundingClientRect()).map((r) => [r.left, r.top, r.right, r.bottom])
    )"""  # one text: Playwright takes numbers apart one by one
    return np.array(json.loads(page.get_by_role("option").evaluate_all(script)))


def columns(page: Page) -> int:
    top = places(page)[:, 1]
    return int((np.abs(top - top[0]) < 1).sum())


def active(page: Page) -> int:
    """Position of the option that the listbox names as the active one."""
    return int(
        page.get_by_role("listbox").get_attribute("aria-activedescendant").removeprefix("item-")
    )


def luminance(colours: np.ndarray) -> np.ndarray:
    """WCAG relative luminance of sRGB bytes (..., 3)."""
    share = np.asarray(colours) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def contrast(a: np.ndarray, b: np.ndarray) -> float:
    low, high = sorted((float(luminance(a)), float(luminance(b))))
    return (high + 0.05) / (low + 0.05)
