"""What it takes that the order of arrival never matters: who told of a message, its names, what is still open."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("pressure", sa.Column("guessed", sa.SmallInteger(), nullable=True))
    op.add_column("pressure", sa.Column("told_at", sa.BigInteger(), nullable=True))
    op.add_column("pressure", sa.Column("told_by", sa.String(), nullable=True))
    op.add_column("inbox", sa.Column("digest", sa.BigInteger(), nullable=True))
    op.create_table(
        "alias",
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("pressure_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "name", "pressure_id"),
    )
    op.create_table(
        "open_event",
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("event_id", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("occurred_at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "event_id"),
    )
    op.create_table(
        "passed",
        sa.Column(
            "id_digest", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("digest", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id_digest"),
    )
    if op.get_bind().dialect.name == "postgresql":
        _compare_bytes()
    _keep_who_told()
    _keep_machines()
    _keep_moments()


def _compare_bytes() -> None:
    """Order the new words by their bytes too."""
    words = {
        "pressure": ("told_by",),
        "alias": ("customer_id", "name"),
        "open_event": ("customer_id", "event_id", "type"),
    }
    for table, names in words.items():
        for name in names:
            op.alter_column(table, name, type_=sa.String(collation="C"))


def _keep_who_told() -> None:
    """Who told of the messages known by now is not: nothing that is told later changes what they are."""
    op.execute("UPDATE pressure SET told_at = at WHERE state = 'sent'")
    op.execute("UPDATE pressure SET told_by = '' WHERE state = 'sent' AND decision_id IS NULL")


def _keep_machines() -> None:
    """A machine's open that waits for its message waits as an open event now."""
    found = op.get_bind().execute(sa.text("SELECT customer_id, name, at FROM reaction WHERE proxied = 1"))
    rows = [
        {
            "customer_id": customer_id,
            "event_id": name,
            "type": "opened",
            "occurred_at": at,
            "body": json.dumps({"automated": True, "names": [name]}),
            "at": at,
        }
        for customer_id, name, at in found
    ]
    if rows:
        table = sa.table("open_event", *(sa.column(name) for name in rows[0]))
        op.get_bind().execute(sa.insert(table), rows)
    op.execute("DELETE FROM reaction WHERE responded IS NULL")
    op.drop_column("reaction", "proxied")


def _keep_moments() -> None:
    """What was learned of a channel becomes the moments it was learned at, as far as the inbox still knows them.

    A bounce of unknown moment counts as the oldest: it stands until something newer is heard of the channel.
    """
    bind = op.get_bind()
    heard = _heard(bind)
    stored = bind.execute(sa.text("SELECT customer_id, contacts FROM customer WHERE contacts <> '{}'")).all()
    rows = [
        {"who": customer_id, "contacts": json.dumps(contacts)}
        for customer_id, old in stored
        if (contacts := _dated(json.loads(old), heard.get(customer_id, {}))) != json.loads(old)
    ]
    if rows:
        bind.execute(sa.text("UPDATE customer SET contacts = :contacts WHERE customer_id = :who"), rows)


def _heard(bind: sa.Connection) -> dict[str, dict[str, dict[str, int]]]:
    """Return by customer and channel the latest bounce and the latest sign of life."""
    heard: dict[str, dict[str, dict[str, int]]] = {}
    found = bind.execute(
        sa.text(
            "SELECT customer_id, channel, CASE type WHEN 'bounced' THEN 'soft' ELSE 'alive' END AS what,"
            " max(occurred_at) FROM inbox"
            " WHERE channel IS NOT NULL AND type IN ('bounced', 'delivered', 'opened', 'clicked')"
            " GROUP BY 1, 2, 3"
        )
    )
    for customer_id, channel, what, at in found:
        heard.setdefault(customer_id, {}).setdefault(channel, {})[what] = at
    return heard


def _dated(
    contacts: dict[str, dict[str, object]], heard: dict[str, dict[str, int]]
) -> dict[str, dict[str, object]]:
    return {channel: _of_channel(known, heard.get(channel, {})) for channel, known in contacts.items()}


def _of_channel(known: dict[str, object], moments: dict[str, int]) -> dict[str, object]:
    new: dict[str, object] = {name: known[name] for name in ("declared", "proxied") if name in known}
    learned = known.get("learned")
    if learned:
        new["hard" if learned == "hard_bounced" else "soft"] = moments.get("soft", 0)
    if "alive" in moments and (not learned or "soft" in moments):
        new["alive"] = moments["alive"]
    return new
