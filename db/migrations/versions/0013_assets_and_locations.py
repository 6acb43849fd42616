"""Keep assets and locations."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_ORGANIZATION = "nullif(current_setting('crosshead.organization', true), '')::uuid"
_CONNECTION = "nullif(current_setting('crosshead.connection', true), '')::uuid"
_TYPES = "type IN ('SITE', 'WAREHOUSE', 'STORAGE', 'TECHNICAL', 'VIRTUAL', 'UNKNOWN')"
_INDEXES = {
    "asset": {
        "asset_number": "number",
        "asset_category": "category",
        "asset_native_status": "native_status",
        "asset_serial_number": "serial_number",
        "asset_location": "location_source_id",
        "asset_location_code": "location_code",
        "asset_site": "site",
        "asset_source_updated_at": "source_updated_at",
        "asset_synced_at": "synced_at",
        "asset_first_run": "first_run_id",
    },
    "location": {
        "location_code": "code",
        "location_name": "name",
        "location_type": "type",
        "location_site": "site",
        "location_parent": "parent_source_id",
        "location_source_updated_at": "source_updated_at",
        "location_synced_at": "synced_at",
        "location_first_run": "first_run_id",
    },
}


def _text(name: str, *, nullable: bool = True) -> sa.Column[str]:
    return sa.Column(name, sa.Text(collation="C"), nullable=nullable)


def _json(name: str, *, nullable: bool = False) -> sa.Column[dict[str, object]]:
    return sa.Column(name, postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=nullable)


def _record() -> list[sa.Column[object]]:
    """Give what every record carries beside its fields."""
    return [
        sa.Column("organization_id", sa.UUID(), nullable=False),
        sa.Column("connection_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        _text("source_id", nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("source_updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("synced_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        _text("first_cause", nullable=False),
        sa.Column("first_run_id", sa.UUID(), nullable=True),
        sa.Column("first_operation_id", sa.UUID(), nullable=True),
    ]


def _make(table: str, *parts: sa.schema.SchemaItem) -> None:
    op.create_table(
        table,
        *_record(),
        *parts,
        sa.CheckConstraint("first_cause IN ('SYNC', 'WRITE', 'MAPPING')", name="first_cause_known"),
        sa.PrimaryKeyConstraint("connection_id", "id"),
        sa.UniqueConstraint("connection_id", "source_id"),
    )
    for name, column in _INDEXES[table].items():
        op.create_index(name, table, ["connection_id", column, "id"], unique=False)
    op.create_index(
        f"{table}_first_operation",
        table,
        ["connection_id", "first_operation_id"],
        postgresql_where="first_operation_id IS NOT NULL",
    )
    across = sa.literal_column("nullif(organization_id, '00000000-0000-0000-0000-000000000000'::uuid)")
    op.create_index(f"{table}_organization", table, [across, "id"], unique=False)


def _secure(table: str) -> None:
    """Let the app see the rows of its scope, and keep custom fields as rows; see 0008."""
    rows = (
        f"coalesce(organization_id = (SELECT {_ORGANIZATION}), false)"
        f" AND coalesce(connection_id = (SELECT {_CONNECTION}), true)"
    )
    op.execute(f"CREATE POLICY app ON {table} TO crosshead_app USING ({rows})")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO crosshead_app")
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    seen = {"insert": "NEW TABLE AS new_rows", "delete": "OLD TABLE AS old_rows"}
    for name in ("insert", "update", "delete"):
        op.execute(
            f"CREATE TRIGGER custom_value_{name} AFTER {name.upper()} ON {table}"
            f" REFERENCING {seen.get(name, 'OLD TABLE AS old_rows NEW TABLE AS new_rows')}"
            f" FOR EACH STATEMENT EXECUTE FUNCTION custom_value_{name}('{table.upper()}')"
        )


def upgrade() -> None:
    _make(
        "asset",
        _text("number"),
        _text("name"),
        _text("description"),
        _text("category"),
        _text("native_status"),
        _text("criticality"),
        _text("manufacturer"),
        _text("model"),
        _text("serial_number"),
        _text("vendor_source_id"),
        _text("parent_source_id"),
        _text("location_source_id"),
        _text("location_code"),
        _text("site"),
        _text("assignee"),
        sa.Column("started_on", sa.Date(), nullable=True),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        _json("custom_fields"),
    )
    _make(
        "location",
        _text("code"),
        _text("name"),
        _text("description"),
        _text("type", nullable=False),
        _text("native_type"),
        _text("parent_source_id"),
        _text("site"),
        _json("address", nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        _json("custom_fields"),
        sa.CheckConstraint(_TYPES, name="type_known"),
    )
    for table in ("asset", "location"):
        _secure(table)
    op.create_index("work_order_asset", "work_order", ["connection_id", "asset_source_id", "id"], unique=False)


def downgrade() -> None:
    op.drop_index("work_order_asset", table_name="work_order")
    for table in ("location", "asset"):
        op.drop_table(table)
