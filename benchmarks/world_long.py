"""Does what Kairos is worth last? The worlds of `kairos bench world`, played for 180 days.

Yardstick: as there; what comes after day 60 is played out instead of reckoned by the planning oracle's values.
"""

from __future__ import annotations

import sys

from benchmarks.world.__main__ import main

DAYS = 180

if __name__ == "__main__":
    sys.exit(main(DAYS, "world-long"))
