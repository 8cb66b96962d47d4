"""The layers of the policy's experiments as the ledger remembers them: who was taken in stays."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import orjson

from decisions.documents import DocumentError
from decisions.layers import PARTS, Held, LayerError, check_moves, placed, remembered

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from decisions.layers import Parts
    from decisions.ledger import Ledger
    from decisions.policy import Policy

KIND = "layers"
_TRIES = 20  # of workers that start at the same moment, one after the other comes through


def settled(policy: Policy, ledger: Ledger, *, now: datetime) -> Policy:
    """Return ``policy`` with the places that its experiments have, and let the ledger remember them.

    Raises:
        DocumentError: where a change would move customers who need not move.
    """
    for _ in range(_TRIES):
        newest = ledger.newest(KIND)
        before = _read(ledger.content(KIND, newest) if newest else None)
        taken = placed(policy.experiments, before)
        try:
            check_moves(policy.experiments, taken, before)
        except LayerError as error:
            raise DocumentError(f"policy: {error}") from error
        after = remembered(policy.experiments, taken, before)
        if after == before or _kept(ledger, after, number=int(newest or 0) + 1, now=now):
            return _with_places(policy, taken)
    raise DocumentError(
        "policy: its layers could not be settled: other workers changed them all the time; try again"
    )


def _kept(ledger: Ledger, after: Mapping[str, Held], *, number: int, now: datetime) -> bool:
    """Write it down as number so and so; false where another worker was faster, with other content."""
    version, content = f"{number:09d}", _written(after)
    ledger.keep(KIND, version, content, now=now)
    return ledger.content(KIND, version) == content


def _written(held: Mapping[str, Held]) -> bytes:
    return orjson.dumps({name: asdict(one) for name, one in held.items()}, option=orjson.OPT_SORT_KEYS)


def _read(content: bytes | None) -> dict[str, Held]:
    raw: dict[str, Any] = orjson.loads(content) if content else {}
    return {name: Held(**{**one, "parts": tuple(map(tuple, one["parts"]))}) for name, one in raw.items()}


def _with_places(policy: Policy, taken: Mapping[str, Parts]) -> Policy:
    """Write places into the policy where they are other than names and shares alone say."""
    if placed(policy.experiments) == taken:
        return policy
    experiments = [
        each.model_dump() | {"places": [(a / PARTS, b / PARTS) for a, b in taken[each.experiment_id]]}
        for each in policy.experiments
    ]
    return type(policy).model_validate(policy.model_dump() | {"experiments": experiments})
