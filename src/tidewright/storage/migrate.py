"""Bringing a database to the newest schema."""

from __future__ import annotations

import sqlalchemy as sa

from tidewright.domain.errors import ConfigError
from tidewright.storage.database import naming_errors
from tidewright.storage.schema import HEAD

_LOCK = 0x5477_5269_6465_0001


def current_revision(engine: sa.Engine) -> str | None:
    """Return the revision of a database, None when it has no tables of ours.

    Raises
    ------
    Transient
        If the database cannot be reached.
    """
    with naming_errors(engine), engine.connect() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()


def upgrade(engine: sa.Engine) -> None:
    """Apply the missing migrations, all or none of them.

    Raises
    ------
    ConfigError
        If a newer build wrote the database.
    Transient
        If the database cannot be reached.
    """
    if current_revision(engine) == HEAD:
        return
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", "tidewright.storage:migrations")
    config.set_main_option("path_separator", "os")
    try:
        with naming_errors(engine), engine.begin() as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except CommandError as error:
        raise ConfigError(
            f"database {engine.url.render_as_string()} was written by another build ({error}); "
            f"expected at most revision {HEAD}: use a newer build"
        ) from error
