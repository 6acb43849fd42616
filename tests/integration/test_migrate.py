"""`crosshead migrate` on servers of other versions than the one that the tests run on."""

import asyncio
import base64

import asyncpg
from typer.testing import CliRunner

from crosshead.cli import app
from db.migrate import head, migrate

PRETENDED = """
    CREATE SCHEMA pretended;
    CREATE FUNCTION pretended.current_setting(name text) RETURNS text LANGUAGE sql AS $$
      SELECT CASE name WHEN 'server_version_num' THEN '{number}' WHEN 'server_version' THEN '{version}'
                       ELSE pg_catalog.current_setting(name) END
    $$;
    GRANT USAGE ON SCHEMA pretended TO PUBLIC;
    ALTER DATABASE {database} SET search_path = pretended, pg_catalog, public;
"""
"""The server says of itself that it is another, to whoever asks by `current_setting`: no old one is at hand."""


async def pretends(superuser: str, *, number: str, version: str) -> None:
    behind = await asyncpg.connect(superuser)
    database = await behind.fetchval("SELECT current_database()")
    await behind.execute(PRETENDED.format(number=number, version=version, database=database))
    await behind.close()


async def test_a_server_too_old_is_refused_with_its_version(database_url: str, superuser: str) -> None:
    """Off: the look at `server_version_num` in db/migrate.py `migrate`."""
    await pretends(superuser, number="160014", version="16.14 (Debian 16.14-1)")

    environment = {
        "CROSSHEAD_DATABASE_URL": database_url,
        "CROSSHEAD_REDIS_URL": "redis://127.0.0.1:1",
        "CROSSHEAD_MASTER_KEYS": "k1:" + base64.b64encode(bytes(32)).decode(),
    }

    ended = await asyncio.to_thread(CliRunner().invoke, app, ["migrate"], env=environment)

    told = "Crosshead needs PostgreSQL 17 or newer; this is 16.14 (Debian 16.14-1)."
    assert (ended.exit_code, ended.stdout, ended.stderr) == (1, "", told + "\n")


async def test_the_oldest_server_that_will_do_is_taken(database_url: str, superuser: str) -> None:
    await pretends(superuser, number="170000", version="17.0")

    assert await migrate(database_url) == head()
