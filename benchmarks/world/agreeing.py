"""Whether the whole product is worth what its value model is by itself, in the same worlds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.world.units import Record


def agreed(records: Sequence[Record]) -> dict[str, Any] | None:
    """Return both, means over families (each counting alike), and ``share``: the product's of its value model's.

    None where the product did not play; ``share`` is None where the value model earns nothing.
    """
    if not records:
        return None
    by_family = {
        family: {
            name: float(np.mean([record[name] for record in records if record["family"] == family]))
            for name in ("value", "arena_value", "sent", "arena_sent")
        }
        for family in dict.fromkeys(record["family"] for record in records)
    }
    value, by_itself = (
        float(np.mean([row[name] for row in by_family.values()])) for name in ("value", "arena_value")
    )
    return {
        "value": value,
        "arena_value": by_itself,
        "share": value / by_itself if by_itself > 0 else None,
        "seeds": sorted({record["seed"] for record in records}),
        "by_family": by_family,
    }
