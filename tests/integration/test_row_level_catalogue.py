"""What the catalogue of a migrated database says about who may see what."""

import re
from collections.abc import AsyncIterator
from enum import StrEnum
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from db.engine import APP_ROLE, OWNER_ROLE, SYSTEM_ROLE, make_engine
from db.models import columns as c
from db.models.base import ConnectionRow
from db.models.registry import ENTITIES
from tests.fixtures.everything import UNSCOPED, Everything, models, scoped_tables

RECORDS = [*(spec.table for spec in ENTITIES), *(child.table for spec in ENTITIES for child in spec.children)]
CLOSED_TO_SYSTEM = [
    *(str(table.__tablename__) for table in RECORDS),
    "raw_item",
    "quarantined_item",
    "record_version",
    "sync_seen",
    "vanished_item",
    "event",
    "connection_secret",
    "credit_entry",
]
ENUMS = [
    pytest.param(table, name, plain, id=f"{table}.{name}")
    for table, of in sorted(models().items())
    for name, info in of.model_fields.items()
    if isinstance(plain := c.plain_type(info.annotation), type) and issubclass(plain, StrEnum)
]


@pytest.fixture
async def catalogue(untouched: Everything) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(
        untouched.behind.url.set(drivername="postgresql").render_as_string(hide_password=False)
    )
    yield connection
    await connection.close()


async def test_every_table_with_rows_of_an_organization_is_under_forced_row_level_security(
    catalogue: asyncpg.Connection,
) -> None:
    rows = await catalogue.fetch(
        """
        SELECT c.relname AS name, c.relrowsecurity AS enabled, c.relforcerowsecurity AS forced,
               EXISTS (SELECT FROM pg_policies p WHERE p.tablename = c.relname AND p.roles = ARRAY[$1::name]
                       AND p.permissive = 'PERMISSIVE' AND p.cmd = 'ALL') AS policed
        FROM pg_class c WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
        """,
        APP_ROLE,
    )

    open_tables = {row["name"] for row in rows if not (row["enabled"] and row["forced"] and row["policed"])}

    assert open_tables == {*UNSCOPED, "alembic_version"}
    assert {row["name"] for row in rows} - open_tables == {table.name for table in scoped_tables()}


async def test_no_column_that_names_an_owner_stands_in_an_open_table(catalogue: asyncpg.Connection) -> None:
    rows = await catalogue.fetch(
        """
        SELECT c.relname || '.' || a.attname AS name FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        WHERE a.attname IN ('organization_id', 'connection_id') AND c.relkind IN ('r', 'p', 'v', 'm')
          AND c.relnamespace = 'public'::regnamespace AND NOT (c.relrowsecurity AND c.relforcerowsecurity)
        """
    )

    assert [row["name"] for row in rows] == []


async def test_every_policy_of_the_application_asks_for_the_organization_and_the_connection(
    catalogue: asyncpg.Connection,
) -> None:
    rows = await catalogue.fetch("SELECT tablename, qual, with_check FROM pg_policies WHERE policyname = 'app'")
    organization = "NULLIF(current_setting('crosshead.organization'::text, true), ''::text))::uuid"
    connection = "NULLIF(current_setting('crosshead.connection'::text, true), ''::text))::uuid"

    assert [r["tablename"] for r in rows if organization not in r["qual"]] == []
    assert [r["tablename"] for r in rows if connection not in r["qual"]] == ["organization"]
    assert {r["with_check"] for r in rows} == {None}, "what may be seen and what may be stored are one condition"


async def test_where_a_null_would_pass_for_any_connection_there_is_none(catalogue: asyncpg.Connection) -> None:
    """Policies that take an unknown comparison for true, because no connection is set, need connections that are."""
    rows = await catalogue.fetch(
        """
        SELECT p.tablename, a.attnotnull AS known FROM pg_policies p
        JOIN pg_attribute a ON a.attrelid = p.tablename::regclass
         AND a.attname = CASE p.tablename WHEN 'connection' THEN 'id' ELSE 'connection_id' END
        WHERE p.policyname = 'app' AND p.qual LIKE '%COALESCE((connection_id =%'
        """
    )

    assert {row["known"] for row in rows} == {True}
    assert "purchase_order" in {row["tablename"] for row in rows}


async def test_no_role_passes_row_level_security_by(catalogue: asyncpg.Connection, untouched_url: str) -> None:
    login = re.search(r"//([^:]+):", untouched_url)
    assert login is not None
    roles = [login[1], OWNER_ROLE, APP_ROLE, SYSTEM_ROLE]

    rows = await catalogue.fetch(
        "SELECT rolname, rolsuper, rolbypassrls, rolcanlogin FROM pg_roles WHERE rolname = ANY($1)", roles
    )

    assert {row["rolname"]: tuple(row)[1:] for row in rows} == {
        login[1]: (False, False, True),
        OWNER_ROLE: (False, False, False),
        APP_ROLE: (False, False, False),
        SYSTEM_ROLE: (False, False, False),
    }


async def test_the_three_roles_own_and_inherit_nothing_of_each_other(catalogue: asyncpg.Connection) -> None:
    owners = await catalogue.fetch(
        "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'",
    )
    member = await catalogue.fetch(
        "SELECT a, b FROM unnest($1::text[]) a, unnest($1::text[]) b WHERE a <> b AND pg_has_role(a, b, 'MEMBER')",
        [OWNER_ROLE, APP_ROLE, SYSTEM_ROLE],
    )

    assert [row["tableowner"] for row in owners] == [OWNER_ROLE]
    assert [tuple(row) for row in member] == []


async def test_the_login_sees_no_table_before_it_takes_a_role(untouched_url: str) -> None:
    engine = make_engine(untouched_url, role=None, pool_size=1, application="tests")
    async with engine.connect() as connection:
        for table in scoped_tables():
            with pytest.raises(ProgrammingError, match=f"permission denied for table {table.name}"):
                await connection.execute(text(f"SELECT 1 FROM {table.name}"))
            await connection.rollback()
    await engine.dispose()


async def test_the_application_without_a_scope_sees_no_row_of_any_table(untouched: Everything) -> None:
    async with untouched.database.app.connect() as connection:
        seen = {
            table.name: (await connection.execute(text(f"SELECT count(*) FROM {table.name}"))).scalar()
            for table in scoped_tables()
        }

    assert seen == {table.name: 0 for table in scoped_tables()}


async def test_the_owner_sees_no_row_of_any_table(untouched: Everything, untouched_url: str) -> None:
    engine = make_engine(untouched_url, role=OWNER_ROLE, pool_size=1, application="tests")
    async with engine.connect() as connection:
        seen = {
            table.name: (await connection.execute(text(f"SELECT count(*) FROM {table.name}"))).scalar()
            for table in scoped_tables()
        }
    await engine.dispose()

    assert seen == {table.name: 0 for table in scoped_tables()}
    assert all(len(rows) >= 2 for rows in (await untouched.everything()).values())


@pytest.mark.parametrize("table", CLOSED_TO_SYSTEM)
async def test_the_system_role_is_kept_out_of_records_items_events_and_secrets(
    table: str, untouched: Everything
) -> None:
    async with untouched.database.system() as session:
        with pytest.raises(ProgrammingError, match=f"permission denied for table {table}"):
            await session.execute(text(f"SELECT count(*) FROM {table}"))


async def test_the_system_role_may_do_exactly_what_it_is_granted(catalogue: asyncpg.Connection) -> None:
    tables = await catalogue.fetch(
        """
        SELECT c.relname AS name, array_agg(p ORDER BY p) AS rights
        FROM pg_class c, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) p
        WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
          AND has_table_privilege($1, c.oid, p)
        GROUP BY c.relname
        """,
        SYSTEM_ROLE,
    )
    columns = await catalogue.fetch(
        """
        SELECT c.relname AS name, p AS right, array_agg(a.attname::text ORDER BY a.attname) AS columns
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0,
             unnest(ARRAY['SELECT', 'INSERT', 'UPDATE']) p
        WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
          AND has_column_privilege($1, c.oid, a.attnum, p) AND NOT has_table_privilege($1, c.oid, p)
        GROUP BY c.relname, p
        """,
        SYSTEM_ROLE,
    )

    assert {row["name"]: row["rights"] for row in tables} == {
        "alembic_version": ["SELECT"],
        "api_token": ["SELECT"],
        "audit_entry": ["DELETE"],
        "call_budget": ["SELECT", "UPDATE"],
        "connect_session": ["DELETE"],
        "connected_entity": ["SELECT", "UPDATE"],
        "connection_capability": ["DELETE", "INSERT", "SELECT", "UPDATE"],
        "connection_error": ["DELETE"],
        "event_counter": ["SELECT"],
        "issue": ["DELETE"],
        "request_log": ["DELETE", "INSERT"],
        "sync_run": ["INSERT", "SELECT", "UPDATE"],
        "system": ["DELETE", "INSERT", "SELECT", "UPDATE"],
        "system_entity": ["DELETE", "INSERT", "SELECT", "UPDATE"],
        "webhook_attempt": ["DELETE", "INSERT"],
        "webhook_delivery": ["DELETE", "SELECT", "UPDATE"],
        "webhook_endpoint": ["SELECT"],
    }
    assert {(row["name"], row["right"]): row["columns"] for row in columns} == {
        ("api_token", "UPDATE"): ["last_used_at"],
        ("audit_entry", "SELECT"): ["id"],
        ("connect_session", "SELECT"): ["code_expires_at", "expires_at", "id", "organization_id"],
        ("connection", "SELECT"): [
            "data_deletion_requested_at",
            "disconnected_at",
            "id",
            "organization_id",
            "status",
            "status_reason",
            "system_slug",
        ],
        ("connection_error", "SELECT"): ["connection_id", "id", "occurred_at"],
        ("connection_health", "SELECT"): [
            "breaker",
            "connection_id",
            "last_success_at",
            "organization_id",
            "paused_until",
            "probe_at",
            "probed_at",
            "reason",
        ],
        ("connection_health", "UPDATE"): ["probe_at", "probed_at"],
        ("event_relay", "SELECT"): ["organization_id", "relayed_sequence", "stream_id"],
        ("issue", "SELECT"): ["connection_id", "id", "resolved_at"],
        ("organization", "SELECT"): ["id", "name"],
        ("request_log", "SELECT"): ["id"],
        ("webhook_attempt", "SELECT"): ["delivery_id", "id"],
        ("webhook_endpoint", "UPDATE"): ["failing_since", "last_failure_at", "last_success_at"],
        ("write_operation", "SELECT"): [
            "connection_id",
            "created_at",
            "fence",
            "id",
            "lease_expires_at",
            "lease_owner",
            "next_attempt_at",
            "organization_id",
            "sent_at",
            "settled_at",
            "state",
            "woken_at",
        ],
        ("write_operation", "UPDATE"): ["fence", "lease_expires_at", "lease_owner", "woken_at"],
    }


@pytest.mark.parametrize(("table", "column", "vocabulary"), ENUMS)
async def test_the_database_holds_a_choice_to_the_same_words_as_the_code(
    catalogue: asyncpg.Connection, table: str, column: str, vocabulary: type[StrEnum]
) -> None:
    checks = await catalogue.fetch(
        "SELECT pg_get_constraintdef(oid) AS told FROM pg_constraint"
        " WHERE contype = 'c' AND conrelid = $1::regclass AND conname = $2",
        table,
        f"{column}_known",
    )

    told: list[Any] = [re.findall(r"'([A-Z_]+)'::text", row["told"]) for row in checks]
    assert told == [[value.value for value in vocabulary]]


async def test_the_key_of_every_table_of_connections_begins_with_the_connection(catalogue: asyncpg.Connection) -> None:
    """A table can be partitioned by connection only if every unique key of it holds the connection."""
    tables = [name for name, of in models().items() if issubclass(of, ConnectionRow)]
    rows = await catalogue.fetch(
        """
        SELECT c.relname AS name, i.indisprimary AS main, pg_get_indexdef(i.indexrelid, 1, true) AS first,
               EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = ANY(i.indkey)
                       AND a.attname = 'connection_id') AS held
        FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid WHERE i.indisunique AND c.relname = ANY($1)
        """,
        tables,
    )

    assert {row["name"] for row in rows if row["main"] and row["first"] == "connection_id"} == set(tables)
    assert [row["name"] for row in rows if not row["held"]] == []
    assert {str(table.__tablename__) for table in RECORDS} <= set(tables)
