"""Run the migrations on the connection that ``opening`` hands over; there is no command line for them."""

from __future__ import annotations

from alembic import context

from koatsu.ems.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,  # the caller's transaction: a migration happens whole or not at all
)
with context.begin_transaction():
    context.run_migrations()
