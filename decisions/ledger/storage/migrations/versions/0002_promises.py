"""What the promises need: the worth of a place, who asked, budgets by lease, keys, early reactions, erasures."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("pressure", sa.Column("value", sa.Float(), nullable=True))
    op.add_column("audit", sa.Column("actor", sa.String(), nullable=True))
    op.create_index("outbox_by_customer", "outbox", ["customer_id", "due_at"], unique=False)
    op.create_table(
        "reaction",
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("responded", sa.SmallInteger(), nullable=True),
        sa.Column("proxied", sa.SmallInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "name"),
    )
    op.create_table(
        "allowance",
        sa.Column("day", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", "channel"),
    )
    op.create_table(
        "lease",
        sa.Column("lease_id", sa.String(), nullable=False),
        sa.Column("day", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("places", sa.Integer(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("lease_id"),
    )
    op.create_index("lease_of_day", "lease", ["day", "channel", "until"], unique=False)
    op.create_table(
        "api_key",
        sa.Column("key_id", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("replaced_by", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("key_id"),
        sa.UniqueConstraint("digest"),
    )
    op.create_table(
        "pending_erasure",
        sa.Column("erasure_id", sa.String(), nullable=False),
        sa.Column("customer_id", sa.String(), nullable=True),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("erasure_id"),
    )
    if op.get_bind().dialect.name == "postgresql":
        _compare_bytes()


def _compare_bytes() -> None:
    """Order words by their bytes, as SQLite does and whatever the database's language is.

    Ranges of ids then mean the same everywhere, and no upgrade of the system's collations can break an index.
    """
    inspector = sa.inspect(op.get_bind())
    for table in sorted(set(inspector.get_table_names()) - {"alembic_version"}):
        words = [each["name"] for each in inspector.get_columns(table) if isinstance(each["type"], sa.VARCHAR)]
        for word in words:
            op.alter_column(table, word, type_=sa.String(collation="C"))
