"""Alembic's entry. It runs on the connection it is handed, inside that connection's transaction."""

from alembic import context

from decisions.ledger.storage.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
