"""Run by alembic: applies the steps on the connection that the caller handed over."""

from alembic import context

from tidewright.storage.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite can roll schema changes back too, once the driver's own transactions are off.
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
