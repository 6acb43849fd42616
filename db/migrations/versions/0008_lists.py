"""Index what lists are filtered and ordered by, and keep custom fields as rows."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


_ORGANIZATION = "nullif(current_setting('crosshead.organization', true), '')::uuid"
_CONNECTION = "nullif(current_setting('crosshead.connection', true), '')::uuid"
_RECORDS = ("purchase_order", "work_order", "vendor", "item", "inventory_level")
_READ = (
    *_RECORDS,
    "purchase_order_line",
    "raw_item",
    "record_version",
    "connection",
    "connected_entity",
    "sync_run",
    "write_operation",
)
_WITH_CUSTOM_FIELDS = {
    "purchase_order": "PURCHASE_ORDER",
    "work_order": "WORK_ORDER",
    "item": "ITEM",
    "inventory_level": "INVENTORY_LEVEL",
}
_ORDINALS = {"purchase_order": "total_net", "inventory_level": "on_hand"}
# Values are cut one character behind the longest that filters know (db/models/custom.py).
_VALUES = """
INSERT INTO public.custom_value (organization_id, connection_id, entity, record_id, name, value)
SELECT r.organization_id, r.connection_id, {entity}, r.id, f.key, left(f.value #>> '{{}}', 201)
FROM {rows} r, jsonb_each(r.custom_fields) f
WHERE jsonb_typeof(f.value) IN ('string', 'number', 'boolean') AND length(f.key) <= 200
"""


def _keep_custom_fields() -> None:
    """Triggers, once a statement, so that no writer of records can forget the rows."""
    gone = "DELETE FROM public.custom_value v USING {rows} o WHERE v.connection_id = o.connection_id AND v.record_id = o.id"
    told = _VALUES.format(entity="TG_ARGV[0]", rows="{rows}")
    changed = (
        "(SELECT {own}.* FROM new_rows n JOIN old_rows o ON n.connection_id = o.connection_id AND n.id = o.id"
        " AND n.custom_fields <> o.custom_fields)"
    )
    bodies = {
        "insert": ["INSERT", told.replace("{rows}", "new_rows")],
        "update": [
            "UPDATE",
            gone.format(rows=changed.format(own="o")),
            told.replace("{rows}", changed.format(own="n")),
        ],
        "delete": ["DELETE", gone.format(rows="old_rows")],
    }
    referencing = {"insert": "NEW TABLE AS new_rows", "delete": "OLD TABLE AS old_rows"}
    for name, (event, *statements) in bodies.items():
        op.execute(
            f"CREATE FUNCTION custom_value_{name}() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN {'; '.join(statements)}; RETURN NULL; END $$"
        )
        tables = referencing.get(name, "OLD TABLE AS old_rows NEW TABLE AS new_rows")
        for table, entity in _WITH_CUSTOM_FIELDS.items():
            op.execute(
                f"CREATE TRIGGER custom_value_{name} AFTER {event} ON {table} REFERENCING {tables}"
                f" FOR EACH STATEMENT EXECUTE FUNCTION custom_value_{name}('{entity}')"
            )


def _fill_custom_fields() -> None:
    """Tell the custom fields of the records that are there; under FORCE the owner sees none of them."""
    for table, entity in _WITH_CUSTOM_FIELDS.items():
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        op.execute(_VALUES.format(entity=f"'{entity}'", rows=table))
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def _rows(connection: str) -> str:
    """Give the rows of the scope: of its connection, or of all of its organization's where it names none.

    The settings are read once a statement, and not once a row. The planner takes each half for true of every second
    row; spelled as in the first migration, for one in hundreds, and it sorted whole connections for a page of twenty.
    """
    return (
        f"coalesce(organization_id = (SELECT {_ORGANIZATION}), false)"
        f" AND coalesce({connection} = (SELECT {_CONNECTION}), true)"
    )


def _secure() -> None:
    for table in _READ:
        op.execute(f"ALTER POLICY app ON {table} USING ({_rows('id' if table == 'connection' else 'connection_id')})")
    op.execute(f"CREATE POLICY app ON custom_value TO crosshead_app USING ({_rows('connection_id')})")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON custom_value TO crosshead_app")
    op.execute("ALTER TABLE custom_value ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE custom_value FORCE ROW LEVEL SECURITY")


def upgrade() -> None:
    op.create_table(
        "custom_value",
        sa.Column("organization_id", sa.UUID(), nullable=False),
        sa.Column("connection_id", sa.UUID(), nullable=False),
        sa.Column("record_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(collation="C"), nullable=False),
        sa.Column("entity", sa.Text(collation="C"), nullable=False),
        sa.Column("value", sa.Text(collation="C"), nullable=False),
        sa.CheckConstraint(
            "entity IN ('PURCHASE_ORDER', 'WORK_ORDER', 'VENDOR', 'ITEM', 'INVENTORY_LEVEL', 'ASSET', 'LOCATION')",
            name="entity_known",
        ),
        sa.PrimaryKeyConstraint("connection_id", "record_id", "name"),
    )
    op.create_index(
        "custom_value_value", "custom_value", ["connection_id", "entity", "name", "value", "record_id"], unique=False
    )
    _fill_custom_fields()
    _keep_custom_fields()
    _secure()
    for table, name in _ORDINALS.items():
        most = 9 * 10**18
        told = (
            f"CASE WHEN {name} >= {most} / 10000 THEN {most} WHEN {name} <= -{most} / 10000 THEN -{most}"
            f" ELSE floor({name} * 10000)::bigint END"
        )
        op.add_column(
            table, sa.Column(f"{name}_ordinal", sa.BigInteger(), sa.Computed(told, persisted=True), nullable=True)
        )
        op.create_index(f"{table}_{name}", table, ["connection_id", f"{name}_ordinal", "id"], unique=False)
    for table in ("sync_run", "write_operation"):
        op.drop_index(f"{table}_recent", table_name=table)
    for table in (*_RECORDS, "sync_run", "write_operation"):
        across = sa.literal_column("nullif(organization_id, '00000000-0000-0000-0000-000000000000'::uuid)")
        op.create_index(f"{table}_organization", table, [across, "id"], unique=False)
    for table in _RECORDS:
        op.create_index(f"{table}_synced_at", table, ["connection_id", "synced_at", "id"], unique=False)
    op.create_index("connection_status", "connection", ["organization_id", "status", "id"], unique=False)
    op.create_index("sync_run_entity", "sync_run", ["connection_id", "entity", "id"], unique=False)
    op.create_index("sync_run_status", "sync_run", ["connection_id", "status", "id"], unique=False)
    op.create_index("write_operation_entity", "write_operation", ["connection_id", "entity", "id"], unique=False)
    op.create_index("write_operation_state", "write_operation", ["connection_id", "state", "id"], unique=False)


def downgrade() -> None:
    for table, state in {"write_operation": "state", "sync_run": "status"}.items():
        op.drop_index(f"{table}_{state}", table_name=table)
        op.drop_index(f"{table}_entity", table_name=table)
    op.drop_index("connection_status", table_name="connection")
    for table in _RECORDS:
        op.drop_index(f"{table}_synced_at", table_name=table)
    for table in (*_RECORDS, "sync_run", "write_operation"):
        op.drop_index(f"{table}_organization", table_name=table)
    for table in ("sync_run", "write_operation"):
        op.create_index(f"{table}_recent", table, ["organization_id", "id"], unique=False)
    for table, name in _ORDINALS.items():
        op.drop_index(f"{table}_{name}", table_name=table)
        op.drop_column(table, f"{name}_ordinal")
    for name in ("insert", "update", "delete"):
        op.execute(f"DROP FUNCTION custom_value_{name} CASCADE")
    op.drop_table("custom_value")
    for table in _READ:
        connection = "id" if table == "connection" else "connection_id"
        rows = f"organization_id = {_ORGANIZATION} AND ({_CONNECTION} IS NULL OR {connection} = {_CONNECTION})"
        op.execute(f"ALTER POLICY app ON {table} USING ({rows})")
