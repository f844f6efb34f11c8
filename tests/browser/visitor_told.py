"""What visitor_app.py wants called at the end of a visit.

A module of its own, because the page is run anew each time.
"""

import os
from pathlib import Path

GRACE, LOOK = 1.5, 0.1


def told(owner: str) -> None:
    """One line for each visitor who has gone."""
    with Path(os.environ["VISIT_TOLD"]).open("a", encoding="utf-8") as file:
        file.write(f"{owner}\n")


def failing(owner: str) -> None:
    """One who stumbles must not keep the others from hearing of it."""
    raise RuntimeError(owner)
