"""Is this the hosted demo?"""

from __future__ import annotations

import os

YES = ("1", "true", "yes", "on")


def hosted() -> bool:
    """Do strangers share this machine? LEVERAGE_LAB_HOSTED=1 says so."""
    return os.environ.get("LEVERAGE_LAB_HOSTED", "").strip().lower() in YES
