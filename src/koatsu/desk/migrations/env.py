"""Run the migrations on the connection that the database hands over; there is no command line for them."""

from __future__ import annotations

from alembic import context

from koatsu.desk.schema import VERSION_TABLE, metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    transactional_ddl=True,  # the caller's transaction: a migration happens whole or not at all
)
with context.begin_transaction():
    context.run_migrations()
