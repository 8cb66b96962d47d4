"""What an event names, beside its id: so that what features do not know yet can be counted from the inbox."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    # Null throughout for what was taken before: nothing there says what it was about.
    for name in ("decision_id", "message_id", "offer_id"):
        op.add_column("inbox", sa.Column(name, sa.String(), nullable=True))
        if op.get_bind().dialect.name == "postgresql":
            op.alter_column("inbox", name, type_=sa.String(collation="C"))  # ordered by its bytes, as everywhere
    op.add_column("inbox", sa.Column("automated", sa.SmallInteger(), nullable=True))
