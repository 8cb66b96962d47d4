"""A decision again, from its record alone (P6), whatever has changed since.

The record is H as compressed JSON, with the id of the keys. By default it holds policy and catalogue whole; where
a store keeps each version once (:func:`freeze_policy`, :func:`freeze_catalogue`), the record
can hold versions only.
"""

from __future__ import annotations

import zlib
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import orjson
from pydantic import TypeAdapter

from decisions.arms import assignments_by_position
from decisions.canonical import canonical
from decisions.catalogue import Catalogue
from decisions.decide import decide
from decisions.history import history_of
from decisions.policy import Policy
from decisions.records import Ask, Assignment, BudgetState, CustomerState, Scores
from features.contracts.words import STORED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from decisions.records import Decision, Keys

Document = TypeVar("Document", Policy, Catalogue)

_LEVEL = 1  # a record is mostly digits: level 6 takes twice as long and makes it a twentieth shorter
_ASK = TypeAdapter(Ask)
_STATE = TypeAdapter(CustomerState)
_ARMS = TypeAdapter(tuple[Assignment, ...] | None)
_MOMENT = TypeAdapter(datetime | None)


def freeze(  # noqa: PLR0913 - everything a decision depends on, by name
    ask: Ask,
    *,
    policy: Policy,
    catalogue: Catalogue,
    scores: Scores,
    state: CustomerState,
    now: datetime,
    keys_id: str,
    budgets: BudgetState = BudgetState(),  # noqa: B008 - frozen
    whole: bool = True,
    history: Mapping[str, Any] | None = None,
    arms: tuple[Assignment, ...] | None = None,
) -> bytes:
    """Return the record of a decision: what :func:`~decisions.decide.decide` was given, but the keys.

    ``keys_id`` names the keys without telling them. Without ``whole``, policy and catalogue are named by version.
    ``history`` is what :func:`~decisions.history.history_of` makes of the same values, where that is there
    already. ``arms`` are those the decision was made under: by default those that policy and keys give.
    """
    record = history or history_of(
        ask, policy=policy, catalogue=catalogue, scores=scores, state=state, now=now, budgets=budgets
    )
    contents = {policy.version: policy, catalogue.version: catalogue} if whole else {}
    return zlib.compress(canonical({**record, "arms": arms, "keys_id": keys_id, "contents": contents}), _LEVEL)


def freeze_policy(policy: Policy) -> bytes:
    """Return the content of ``policy``, to be kept under its ``version``."""
    return zlib.compress(canonical(policy), _LEVEL)


def freeze_catalogue(catalogue: Catalogue) -> bytes:
    """Return the content of ``catalogue``, to be kept under its ``version``."""
    return zlib.compress(canonical(catalogue), _LEVEL)


def keys_of(record: bytes) -> str:
    """Return the id of the keys with which the decision was drawn."""
    return str(orjson.loads(zlib.decompress(record))["keys_id"])


def versions_of(record: bytes) -> dict[str, str]:
    """Return the versions of ``policy`` and ``catalogue`` that the decision was made under."""
    raw = orjson.loads(zlib.decompress(record))
    return {"policy": raw["policy"], "catalogue": raw["catalogue"]}


def replay(
    record: bytes, keys: Keys, *, contents: Mapping[str, bytes] | None = None, scores: Scores | None = None
) -> Decision:
    """Return the decision that ``record`` led to, equal to the original in every field.

    ``contents`` maps versions to what :func:`freeze_policy` and :func:`freeze_catalogue` gave; a whole record
    needs none. With other ``scores`` it is the decision that would have been made on those, all else as it was;
    what eligibility read of the recorded ones stays.

    Raises:
        KeyError: where the record names a version that it does not hold and ``contents`` has not.
    """
    raw = orjson.loads(zlib.decompress(record))
    known = raw["contents"] | {
        version: orjson.loads(zlib.decompress(content)) for version, content in (contents or {}).items()
    }
    ask = _ASK.validate_python(raw["ask"], context=STORED)
    policy = _recorded(Policy, known, raw["policy"])
    recorded = _scores(raw["scores"])
    return decide(
        ask,
        policy=policy,
        catalogue=_recorded(Catalogue, known, raw["catalogue"]),
        scores=recorded if scores is None else replace(scores, attributes=recorded.attributes),
        state=_STATE.validate_python(raw["state"], context=STORED),
        now=datetime.fromisoformat(raw["now"]),
        keys=keys,
        budgets=BudgetState(prices=raw["budgets"]["prices"], exhausted=frozenset(raw["budgets"]["exhausted"])),
        arms=_ARMS.validate_python(raw["arms"])
        if "arms" in raw
        else assignments_by_position(ask.customer_id, policy, keys),
    )


def _recorded(kind: type[Document], known: Mapping[str, Any], version: str) -> Document:
    """Read a document under the version it was recorded by: keys that came since have their defaults, no say."""
    document = kind.model_validate(known[version], context=STORED)
    document.__dict__["version"] = version  # where the cached property would keep it
    return document


def _scores(raw: dict[str, Any]) -> Scores:
    """Read scores by hand: whole numbers stay whole, so that the hash of H stays the same."""
    tables = ("multiplier", "hazard", "response_loss", "hourly", "cadence", "evidence")
    arrays = {name: {key: tuple(row) for key, row in raw.get(name, {}).items()} for name in tables}
    as_of = _MOMENT.validate_python(raw["features_as_of"])
    return Scores(**{**raw, **arrays, "notes": tuple(raw["notes"]), "features_as_of": as_of})
