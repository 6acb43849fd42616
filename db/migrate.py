"""Bring a database to the newest version, and tell whether code and migrations agree."""

from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import SQLModel

import db.models.custom
import db.models.event
import db.models.history
import db.models.organization
import db.models.registry
import db.models.session  # noqa: F401  (imports register the tables)
from db.engine import APP_ROLE, OWNER_ROLE, SYSTEM_ROLE, async_url

_OLDEST = 17
"""The oldest PostgreSQL that knows JSON_SCALAR, by which reads tell texts (db/told.py)."""
_VERSION = text("SELECT current_setting('server_version'), current_setting('server_version_num')")
_ROLES = f"""
DO $$
DECLARE wanted text;
BEGIN
  FOREACH wanted IN ARRAY ARRAY['{OWNER_ROLE}', '{APP_ROLE}', '{SYSTEM_ROLE}'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
      BEGIN
        EXECUTE format('CREATE ROLE %I NOLOGIN NOSUPERUSER NOBYPASSRLS NOINHERIT', wanted);
      EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;  -- another database's migration made it meanwhile
      END;
    END IF;
    IF NOT pg_has_role(current_user, wanted, 'SET') THEN
      EXECUTE format('GRANT %I TO %I WITH INHERIT FALSE, SET TRUE', wanted, current_user);
    END IF;
  END LOOP;
  EXECUTE format('GRANT CREATE, CONNECT, TEMPORARY ON DATABASE %I TO {OWNER_ROLE}', current_database());
  EXECUTE format('GRANT CONNECT, TEMPORARY ON DATABASE %I TO {APP_ROLE}, {SYSTEM_ROLE}', current_database());
  GRANT USAGE, CREATE ON SCHEMA public TO {OWNER_ROLE};
  GRANT USAGE ON SCHEMA public TO {APP_ROLE}, {SYSTEM_ROLE};
END $$
"""
"""Needs a login with CREATEROLE that owns the database; or roles made and granted beforehand."""


class TooOld(Exception):
    """The server lacks what reads ask of it; the message says which one would do."""


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    if connection is not None:
        config.attributes["connection"] = connection
    return config


def head() -> str:
    """Give the newest revision that this code knows."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


async def migrate(url: str) -> str:
    """Make the roles, apply what is missing, and give the revision reached.

    Args:
        url: Postgres URL of a login that owns the database and may make roles (never a superuser's in production).

    Raises:
        TooOld: Nothing was touched.
    """
    engine = create_async_engine(async_url(url))
    try:
        async with engine.begin() as connection:
            version, number = (await connection.execute(_VERSION)).one()
            if int(number) < _OLDEST * 10_000:
                raise TooOld(f"Crosshead needs PostgreSQL {_OLDEST} or newer; this is {version}.")
            await connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('crosshead migrate'))"))
            await connection.exec_driver_sql(_ROLES)
        async with engine.connect() as connection:
            await connection.exec_driver_sql(f"SET ROLE {OWNER_ROLE}")
            await connection.commit()
            await connection.run_sync(lambda sync: command.upgrade(_config(sync), "head"))
            await connection.commit()
    finally:
        await engine.dispose()
    return head()


async def drift(url: str) -> list[Any]:
    """Give the differences between the models and a migrated database; none means fresh."""
    engine = create_async_engine(async_url(url))
    try:
        async with engine.connect() as connection:
            await connection.exec_driver_sql(f"SET ROLE {OWNER_ROLE}")
            return await connection.run_sync(
                lambda sync: compare_metadata(
                    MigrationContext.configure(sync, opts={"compare_type": True}), SQLModel.metadata
                )
            )
    finally:
        await engine.dispose()


async def revise(url: str, message: str) -> None:
    """Write a new migration from the difference between models and a migrated database."""
    engine = create_async_engine(async_url(url))
    try:
        async with engine.connect() as connection:
            await connection.exec_driver_sql(f"SET ROLE {OWNER_ROLE}")
            await connection.commit()
            await connection.run_sync(
                lambda sync: command.revision(_config(sync), message=message, autogenerate=True) and None
            )
    finally:
        await engine.dispose()
