"""Alembic runs this file; the connection, already in a transaction, comes from feature_repo.platform.database."""

from alembic import context

from feature_repo.platform.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
context.run_migrations()
