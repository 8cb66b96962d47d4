"""Looking back: one decision, a customer's timeline, all decisions as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import BindParameter, bindparam, func, literal_column, null, select

from decisions.ledger.storage import schema
from decisions.ledger.storage.codec import decision_from_json, moment
from decisions.ledger.storage.errors import UnknownDecision
from decisions.ledger.storage.session import Among, listed
from decisions.ledger.verdicts import Moment

if TYPE_CHECKING:
    from collections.abc import Collection

    import pyarrow as pa

    from decisions.ledger.storage.session import Session
    from decisions.records import Decision

_decision, _record, _version = schema.decision.c, schema.record.c, schema.version.c
_KEY: BindParameter[Any] = bindparam("key")
_WHO: BindParameter[Any] = bindparam("who")

_BODY = (
    select(_record.body, _decision.state)
    .join_from(schema.record, schema.decision, _record.decision_id == _decision.decision_id)
    .where(_record.decision_id == _KEY)
)
_FROZEN = select(_record.frozen).where(_record.decision_id == _KEY)
_OWNERS = select(_decision.decision_id, _decision.customer_id).where(Among(_decision.decision_id, "ids"))
_CONTENT = select(_version.content).where(_version.kind == bindparam("of_kind"), _version.version == _KEY)
_NEWEST = select(func.max(_version.version)).where(_version.kind == bindparam("of_kind"))

COLUMNS = (
    "decision_id",
    "request_id",
    "customer_id",
    "action",
    "state",
    "purpose",
    "campaign_id",
    "offer_id",
    "category",
    "channel",
    "send_at",
    "expires_at",
    "decided_at",
    "confirmed_at",
    "ended_at",
    "propensity",
    "propensity_exact",
    "held_back",
    "policy_version",
    "experiments",
)
_MOMENTS = frozenset({"send_at", "expires_at", "decided_at", "confirmed_at", "ended_at"})
_TRUTHS = frozenset({"propensity_exact", "held_back"})
_TABLE = (
    select(*(_decision[name] for name in COLUMNS))
    .where(_decision.decided_at >= bindparam("since"), _decision.decided_at < bindparam("until"))
    .order_by(_decision.decided_at, _decision.decision_id)
)

_TOLD_OTHERWISE = ("reserved", "held", "consent_granted", "consent_withdrawn")
"""Changes of which another line of the timeline tells."""

_nothing = null()
_audit, _pressure, _consent, _inbox = schema.audit.c, schema.pressure.c, schema.consent.c, schema.inbox.c
# Of one moment the order is fixed as well, whatever order a database keeps its rows in.
_TIMELINE = (
    select(
        _decision.decided_at,
        literal_column("'decision'"),
        _decision.action,
        _decision.decision_id,
        _decision.channel,
        _decision.offer_id,
        _decision.state,
    )
    .where(_decision.customer_id == _WHO)
    .order_by(_decision.decision_id),
    select(
        _audit.at, literal_column("'change'"), _audit.what, _audit.decision_id, _nothing, _nothing, _audit.detail
    )
    .where(_audit.customer_id == _WHO, _audit.what.not_in(literal_column(f"'{each}'") for each in _TOLD_OTHERWISE))
    .order_by(_audit.seq),
    select(
        _pressure.at,
        literal_column("'message'"),
        _pressure.state,
        _pressure.decision_id,
        _pressure.channel,
        _pressure.offer_id,
        _pressure.purpose,
    )
    .where(_pressure.customer_id == _WHO)
    .order_by(_pressure.pressure_id),
    select(
        _consent.at,
        literal_column("'consent'"),
        _consent.status,
        _nothing,
        _consent.channel,
        _nothing,
        _consent.purpose,
    )
    .where(_consent.customer_id == _WHO)
    .order_by(_consent.status, _consent.consent_id),
    select(
        _inbox.occurred_at, literal_column("'event'"), _inbox.type, _nothing, _inbox.channel, _nothing, _nothing
    )
    .where(_inbox.customer_id == _WHO)
    .order_by(_inbox.event_id),
)


def owners(session: Session, decision_ids: Collection[str]) -> dict[str, str]:
    """Return whose each of the decisions is, which never changes. Who asks for none of ours is not in it."""
    return {row[0]: row[1] for row in session.rows(_OWNERS, ids=listed(decision_ids))}


def decision(session: Session, decision_id: str) -> Decision:
    """Return the decision in its present state."""
    row = session.row(_BODY, key=decision_id)
    if row is None:
        raise UnknownDecision(decision_id)
    return decision_from_json(row[0], row[1])


def frozen(session: Session, decision_id: str) -> bytes:
    """Return the inputs the decision was made from, byte for byte as they were frozen."""
    row = session.row(_FROZEN, key=decision_id)
    if row is None:
        raise UnknownDecision(decision_id)
    return bytes(row[0])


def content(session: Session, kind: str, version: str) -> bytes | None:
    """Return what a policy or catalogue version said, or None for one that was never kept."""
    row = session.row(_CONTENT, of_kind=kind, key=version)
    return bytes(row[0]) if row else None


def newest(session: Session, kind: str) -> str | None:
    """Return the last version of its kind, by name, or None where none was ever kept."""
    row = session.row(_NEWEST, of_kind=kind)
    return row[0] if row else None


def timeline(session: Session, customer_id: str) -> tuple[Moment, ...]:
    """Return everything that happened with a customer, oldest first."""
    rows = [row for statement in _TIMELINE for row in session.rows(statement, who=customer_id)]
    return tuple(
        Moment(
            at=moment(at), kind=kind, what=what, decision_id=key, channel=channel, offer_id=offer, detail=detail
        )
        for at, kind, what, key, channel, offer, detail in sorted(rows, key=lambda row: row[0])
    )


def decisions_table(session: Session, since: int, until: int) -> pa.Table:
    """Return decisions made in ``since ≤ decided_at < until`` as columns."""
    import pyarrow as pa  # noqa: PLC0415  # only analyses speak in columns

    rows = session.rows(_TABLE, since=since, until=until)
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(COLUMNS)
    return pa.table(
        {name: pa.array(values, _type(name)) for name, values in zip(COLUMNS, _cast(columns), strict=True)}
    )


def _type(name: str) -> Any:
    import pyarrow as pa  # noqa: PLC0415  # as above

    if name in _MOMENTS:
        return pa.timestamp("us", "UTC")
    if name in _TRUTHS:
        return pa.bool_()
    return pa.float64() if name == "propensity" else pa.string()


def _cast(columns: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Booleans are stored as 0 and 1."""
    return [
        tuple(map(bool, values)) if name in _TRUTHS else values
        for name, values in zip(COLUMNS, columns, strict=True)
    ]
