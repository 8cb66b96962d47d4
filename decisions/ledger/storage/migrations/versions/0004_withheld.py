"""When messages would have gone that were withheld at random."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "withheld",
        sa.Column("decision_id", sa.String(), nullable=False),
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("decision_id"),
    )
    op.create_index("withheld_by_customer", "withheld", ["customer_id", "at"], unique=False)
    if op.get_bind().dialect.name == "postgresql":
        for word in ("decision_id", "customer_id"):  # ordered by their bytes, as everywhere
            op.alter_column("withheld", word, type_=sa.String(collation="C"))
