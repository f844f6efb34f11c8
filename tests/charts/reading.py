"""What a chart's dictionary says: its tables, its layers, its colours."""

import numpy as np


def rows(chart) -> list[dict]:
    """The data that a chart brings along; the largest of several tables."""
    return max(chart.to_dict()["datasets"].values(), key=len)


def layers(chart, mark: str) -> list[dict]:
    """The layers of a chart that draw this mark."""
    return [layer for layer in chart.to_dict()["layer"] if layer["mark"]["type"] == mark]


def table_of(chart, layer: dict) -> list[dict]:
    """The data of one layer."""
    return chart.to_dict()["datasets"][layer["data"]["name"]]


def mixed(a: str, b: str, share: float) -> str:
    """The colour between two, on the straight line in sRGB."""
    parts = ((int(a[i : i + 2], 16), int(b[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round((1 - share) * x + share * y):02X}" for x, y in parts)


def contrast(a: str, b: str) -> float:
    """WCAG contrast of two colours."""

    def light(colour):
        share = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
        return float(
            np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
            @ [0.2126, 0.7152, 0.0722]
        )

    low, high = sorted((light(a), light(b)))
    return (high + 0.05) / (low + 0.05)
