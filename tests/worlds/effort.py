"""How hard to look: the suite tries a fixed few, `make soak` many times as many."""

from __future__ import annotations

import os

SOAKING = os.environ.get("KAIROS_HYPOTHESIS") == "soak"


def effort(steady: int, *, times: int = 10) -> int:
    """So many cases in the suite, ``times`` as many under soak."""
    return steady * times if SOAKING else steady
