"""The tables, once, in types that every database has.

Moments are integers: microseconds since 1970 UTC. No driver adapts them, no zone hides in them, and Feast, which
changes sqlite3's datetime adapters for the whole process, cannot touch them. Booleans are 0 and 1, JSON is text.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData()

# SQLite numbers rows by itself only where the type is exactly INTEGER.
Serial = BigInteger().with_variant(Integer, "sqlite")
_Number = BigInteger().with_variant(Integer, "sqlite")

_RESERVED = text("state = 'reserved'")
_NAMED = text("message_id IS NOT NULL")
_WAITING = text("drained = 0")

decision = Table(
    "decision",
    metadata,
    Column("decision_id", String, primary_key=True),
    Column("request_id", String, nullable=False, unique=True),
    Column("body_hash", String, nullable=False),
    Column("customer_id", String, nullable=False),
    Column("action", String, nullable=False),
    Column("state", String, nullable=False),
    Column("purpose", String, nullable=False),
    Column("campaign_id", String),
    Column("offer_id", String),
    Column("category", String),
    Column("channel", String),
    Column("send_at", BigInteger),
    Column("send_at_local", String),
    Column("expires_at", BigInteger),
    Column("decided_at", BigInteger, nullable=False),
    Column("confirmed_at", BigInteger),
    Column("ended_at", BigInteger),
    Column("propensity", Float, nullable=False),
    Column("propensity_exact", SmallInteger, nullable=False),
    Column("held_back", SmallInteger, nullable=False),
    Column("policy_version", String, nullable=False),
    Column("experiments", Text, nullable=False),
    Index("decision_by_customer", "customer_id", "decided_at"),
    Index("decision_by_moment", "decided_at"),
)
"""What was decided, in columns that are searched; the whole of it is in ``record``."""

record = Table(
    "record",
    metadata,
    Column("decision_id", String, primary_key=True),
    Column("body", LargeBinary, nullable=False),
    Column("frozen", LargeBinary, nullable=False),
)
"""``body`` is the decision as JSON, ``frozen`` the inputs it was made from, as the caller froze them (P6)."""

pressure = Table(
    "pressure",
    metadata,
    Column("pressure_id", Serial, primary_key=True),
    Column("customer_id", String, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("channel", String, nullable=False),
    Column("purpose", String, nullable=False),
    Column("category", String),
    Column("offer_id", String),
    Column("campaign_id", String),
    Column("decision_id", String, unique=True),
    Column("message_id", String),
    Column("state", String, nullable=False),
    Column("expires_at", BigInteger),
    Column("responded", SmallInteger),
    Column("after_audit", BigInteger, nullable=False),
    Column("value", Float),
    Column("guessed", SmallInteger),
    Column("told_at", BigInteger),
    Column("told_by", String),
    Index("pressure_by_customer", "customer_id", "at"),
    Index(
        "pressure_by_message",
        "customer_id",
        "message_id",
        unique=True,
        sqlite_where=_NAMED,
        postgresql_where=_NAMED,
    ),
    Index("pressure_lapsing", "expires_at", sqlite_where=_RESERVED, postgresql_where=_RESERVED),
)
"""Every message that counts, once: ``reserved``, ``confirmed`` or ``sent``. A freed place is a deleted row.

``responded`` is null while nothing is known, 0 once the message is known to have arrived, 1 after a reaction;
``guessed`` is 1 where a reaction that names no message is taken to be about this one, the latest of its campaign.
``told_at`` is when the first of its ``sent`` reports says that it went. Of a message nobody here decided, channel,
purpose, category, offer and campaign are those of one report, ``told_by``, and ``told_at`` is that one's moment.
``after_audit`` is the last audit entry before the row: what was decided later knew of it. ``value`` is what a
reserved message was expected to be worth: a better one may displace it.
"""

consent = Table(
    "consent",
    metadata,
    Column("consent_id", Serial, primary_key=True),
    Column("customer_id", String, nullable=False),
    Column("channel", String, nullable=False),
    Column("purpose", String, nullable=False),
    Column("status", String, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("source", String, nullable=False),
    Column("evidence", Text),
    Column("after_audit", BigInteger, nullable=False),
    UniqueConstraint("customer_id", "channel", "purpose", "at", "status", "source", name="consent_once"),
)
"""The append-only journal. Nothing derived from it is stored: the current state is read off it."""

customer = Table(
    "customer",
    metadata,
    Column("customer_id", String, primary_key=True),
    Column("body", Text, nullable=False),
    Column("contacts", Text, nullable=False),
    Column("preference", Text),
)
"""``body`` is the contract without contacts; ``contacts`` what is declared and learned of each channel."""

exposure = Table(
    "exposure",
    metadata,
    Column("customer_id", String, primary_key=True),
    Column("offer_id", String, primary_key=True),
    Column("last_converted", BigInteger),
    Column("held_back_until", BigInteger),
)

withheld = Table(
    "withheld",
    metadata,
    Column("decision_id", String, primary_key=True),
    Column("customer_id", String, nullable=False),
    Column("at", BigInteger, nullable=False),
    Index("withheld_by_customer", "customer_id", "at"),
)
"""When messages would have gone that were withheld at random. No place and no pressure: caps do not count them."""

inbox = Table(
    "inbox",
    metadata,
    Column("event_id", String, primary_key=True),
    Column("customer_id", String, nullable=False),
    Column("type", String, nullable=False),
    Column("channel", String),
    Column("occurred_at", BigInteger, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("body", Text),
    Column("drained", SmallInteger, nullable=False),
    Column("digest", BigInteger),
    Column("decision_id", String),
    Column("message_id", String),
    Column("offer_id", String),
    Column("automated", SmallInteger),
    Index("inbox_by_customer", "customer_id", "occurred_at"),
    Index("inbox_waiting", "received_at", sqlite_where=_WAITING, postgresql_where=_WAITING),
)
"""Every event ever taken, so that a second arrival is known. ``body`` stays until the lake has it.

``digest`` is of what the event says: a second arrival that says something else is told from one that repeats it.
What it names stays beside it, so that messages can be counted that features do not know yet; ``automated`` is null
where an event was taken before that was kept.
"""

passed = Table(
    "passed",
    metadata,
    Column("id_digest", _Number, primary_key=True, autoincrement=False),
    Column("digest", BigInteger, nullable=False),
)
"""Imported events that bear on no decision, so that a second arrival of any is known: numbers that name nobody.

Both are keyed digests, of the id and of what the event says but for its properties.
"""

outbox = Table(
    "outbox",
    metadata,
    Column("decision_id", String, primary_key=True),
    Column("customer_id", String, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("leased_until", BigInteger, nullable=False),
    Index("outbox_due", "due_at"),
    Index("outbox_by_customer", "customer_id", "due_at"),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", Serial, primary_key=True),
    Column("customer_id", String, nullable=False),
    Column("decision_id", String),
    Column("what", String, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("detail", Text),
    Column("actor", String),
    Index("audit_by_customer", "customer_id", "seq"),
    # Without it SQLite reuses the number of an erased last row, and `seq` would no longer order what happened.
    sqlite_autoincrement=True,
)
"""Every change, in the order it happened: the ledger's logical clock. ``at`` is what the caller's clock said.

``actor`` names the key that asked for it, null where Kairos acted by itself; an empty ``customer_id`` is a change
of the installation.
"""

version = Table(
    "version",
    metadata,
    Column("kind", String, primary_key=True),
    Column("version", String, primary_key=True),
    Column("content", LargeBinary, nullable=False),
)
"""Policies and catalogues by the hash of their content, each stored once."""

tombstone = Table(
    "tombstone",
    metadata,
    Column("digest", String, primary_key=True),
    Column("at", BigInteger, nullable=False),
)
"""Keyed digests of erased customers: enough to refuse a late event, not enough to name anybody."""

reaction = Table(
    "reaction",
    metadata,
    Column("customer_id", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("responded", SmallInteger),
    Column("at", BigInteger, nullable=False),
)
"""What came before the ``sent`` it is about, under the decision or message id it named; gone once that arrives.

``responded`` as in ``pressure``. ``at`` is when it came.
"""

alias = Table(
    "alias",
    metadata,
    Column("customer_id", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("pressure_id", BigInteger, primary_key=True),
)
"""What a message is called besides the ``decision_id`` and ``message_id`` of its row, as in ``reaction``.

A ``sent`` that names a decision and a message says that they are one. A decision unknown here is a name like any
other. Where one message was told of two decisions, both rows go by all the names.
"""

open_event = Table(
    "open_event",
    metadata,
    Column("customer_id", String, primary_key=True),
    Column("event_id", String, primary_key=True),
    Column("type", String, nullable=False),
    Column("occurred_at", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Column("about", Text),
    Column("at", BigInteger, nullable=False),
)
"""Events whose meaning hangs on what else is told, in whichever order: it is drawn anew whenever that changes.

``body`` is what of the event it is drawn from; ``about`` the channel and purpose of each message it was last found
to be about, which stays when those messages are forgotten. ``at`` is when it came.
"""

allowance = Table(
    "allowance",
    metadata,
    Column("day", String, primary_key=True),
    Column("channel", String, primary_key=True),
    Column("taken", Integer, nullable=False),
)
"""How many places of a UTC day's shared budget are spent or leased to workers."""

lease = Table(
    "lease",
    metadata,
    Column("lease_id", String, primary_key=True),
    Column("day", String, nullable=False),
    Column("channel", String, nullable=False),
    Column("places", Integer, nullable=False),
    Column("used", Integer, nullable=False),
    Column("until", BigInteger, nullable=False),
    Index("lease_of_day", "day", "channel", "until"),
)
"""A block of a day's places lent to one worker until a moment; what it did not use then goes back."""

api_key = Table(
    "api_key",
    metadata,
    Column("key_id", String, primary_key=True),
    Column("digest", String, nullable=False, unique=True),
    Column("role", String, nullable=False),
    Column("label", String, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("revoked_at", BigInteger),
    Column("replaced_by", String),
)
"""Keys of the API: never the key itself, only a digest that it can be recognised by."""

pending_erasure = Table(
    "pending_erasure",
    metadata,
    Column("erasure_id", String, primary_key=True),
    Column("customer_id", String),
    Column("asked_at", BigInteger, nullable=False),
)
"""Customers whom the ledger has forgotten and the slower stores not yet. ``erasure_id`` is the tombstone's digest;
``customer_id`` goes with the last of those stores, and the row once the ledger's freed pages are rewritten.
"""
