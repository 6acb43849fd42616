"""Make the first tables, with row-level security on every one that holds an organization's rows."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


_ORGANIZATION = "nullif(current_setting('crosshead.organization', true), '')::uuid"
_CONNECTION = "nullif(current_setting('crosshead.connection', true), '')::uuid"
# Table → column that names its connection. A scope without a connection sees all of the organization.
_SCOPED = {
    "connection": "id",
    "connection_secret": "connection_id",
    "connected_entity": "connection_id",
    "sync_run": "connection_id",
    "raw_item": "connection_id",
    "quarantined_item": "connection_id",
    "write_operation": "connection_id",
    "event_counter": "connection_id",
    "event": "connection_id",
    "api_token": "connection_id",
    "purchase_order": "connection_id",
    "purchase_order_line": "connection_id",
    "vendor": "connection_id",
    "item": "connection_id",
    "inventory_level": "connection_id",
    "work_order": "connection_id",
}
# What the system role may do; with no entry a table is closed to it.
_SYSTEM = {
    "api_token": "SELECT, UPDATE (last_used_at)",
    "organization": "SELECT (id, name)",
    "connection": "SELECT (id, organization_id, status, status_reason, system_slug, disconnected_at)",
    "connected_entity": "SELECT, UPDATE",
    "sync_run": "SELECT, INSERT, UPDATE",
    "write_operation": "SELECT (organization_id, connection_id, id, state, created_at, sent_at)",
}


def _secure() -> None:
    for table, connection in _SCOPED.items():
        rows = f"organization_id = {_ORGANIZATION} AND ({_CONNECTION} IS NULL OR {connection} = {_CONNECTION})"
        op.execute(f"CREATE POLICY app ON {table} TO crosshead_app USING ({rows})")
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO crosshead_app")
    op.execute(f"CREATE POLICY app ON organization TO crosshead_app USING (id = {_ORGANIZATION})")
    op.execute("GRANT SELECT, INSERT, UPDATE ON organization TO crosshead_app")
    for table, rights in _SYSTEM.items():
        op.execute(f"CREATE POLICY system ON {table} TO crosshead_system USING (true)")
        op.execute(f"GRANT {rights} ON {table} TO crosshead_system")
    for table in (*_SCOPED, "organization"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute("GRANT SELECT ON system TO crosshead_app")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON system TO crosshead_system")
    op.execute("GRANT SELECT ON alembic_version TO crosshead_app, crosshead_system")


def upgrade() -> None:
    op.create_table(
        "api_token",
        sa.Column("organization_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("connection_id", sa.UUID(), nullable=True),
        sa.Column("kind", sa.Text(collation="C"), nullable=False),
        sa.Column("name", sa.Text(collation="C"), nullable=False),
        sa.Column("scope", sa.Text(collation="C"), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("last_four", sa.Text(collation="C"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_reason", sa.Text(collation="C"), nullable=True),
        sa.CheckConstraint("kind IN ('ORGANIZATION', 'CONNECTION')", name="kind_known"),
        sa.CheckConstraint("scope IN ('READ', 'WRITE', 'ADMIN')", name="scope_known"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("token_hash"),
    )
    op.create_index("api_token_connection", "api_token", ["connection_id"], unique=False)
    op.create_table(
        "connected_entity",
        sa.Column("organization_id", sa.UUID(), nullable=False),
        sa.Column("connection_id", sa.UUID(), nullable=False),
        sa.Column("entity", sa.Text(collation="C"), nullable=False),
        sa.Column("state", sa.Text(collation="C"), nullable=False),
        sa.Column("every_minutes", sa.Integer(), nullable=False),
        sa.Column("next_run_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_success_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("complete_through", sa.DateTime(timezone=True), nullable=True),
        sa.Column("checkpoints", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("lease_owner", sa.Text(collation="C"), nullable=True),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("lease_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "entity IN ('PURCHASE_ORDER', 'WORK_ORDER', 'VENDOR', 'ITEM', 'INVENTORY_LEVEL', 'ASSET', 'LOCATION')",
            name="entity_known",
        ),
        sa.CheckConstraint("state IN ('ACTIVE', 'DEGRADED', 'PAUSED')", name="state_known"),
        sa.PrimaryKeyConstraint("connection_id", "entity"),
    )
    op.create_index("connected_entity_due", "connected_entity", ["next_run_at"], unique=False)
    op.create_table(
        "connection",
        sa.Column("organization_id", sa.UUID(), nullable=False),
        sa.Column("status", sa.Text(collation="C"), nullable=False),
        sa.Column("status_reason", sa.Text(collation="C"), nullable=True),
        sa.Column("customer", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("tags", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("metadata_", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("base_url", sa.Text(collation="C"), nullable=True),
        sa.Column("write_defaults", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("historical_period_days", sa.Integer(), nullable=False),
        sa.Column("credits", sa.Integer(), nullable=False),
        sa.Column("token_last_four", sa.Text(collation="C"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("disconnected_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("system_slug", sa.Text(collation="C"), nullable=False),
        sa.CheckConstraint(
            "status IN ('ACTIVE', 'UNREACHABLE', 'REAUTHORIZATION_REQUIRED', 'PAUSED', 'DISCONNECTED')",
            name="status_known",
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("connection_organization", "connection", ["organization_id", "id"], unique=False)
    op.create_table(
        "connection_secret",
        sa.Column("organization_id", sa.UUID(), nullable=False),
        sa.Column("connection_id", sa.UUID(), nullable=False),
        sa.Column("key_id", sa.Text(collation="C"), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("connection_id"),
    )
    op.create_table(
        "event",
        sa.Column("organization_id", sa.UUID(), nullable=False),
        sa.Column("stream_id", sa.UUID(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("connection_id", sa.UUID(), nullable=True),
        sa.Column("type", sa.Text(collation="C"), nullable=False),
        sa.Column("entity", sa.Text(collation="C"), nullable=True),
        sa.Column("record_id", sa.UUID(), nullable=True),
        sa.Column("data", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("stream_id", "sequence"),
    )
    op.create_index("event_record", "event", ["connection_id", "record_id"], unique=False)
    op.create_table(
        "event_counter",
        sa.Column("organization_id", sa.UUID(), nullable=False),
        sa.Column("stream_id", sa.UUID(), nullable=False),
        sa.Column("connection_id", sa.UUID(), nullable=True),
        sa.Column("last_sequence", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("stream_id"),
    )
    op.create_table(
        "inventory_level",
        sa.Column("organization_id", sa.UUID(), nullable=False),
        sa.Column("connection_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("source_id", sa.Text(collation="C"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("source_updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("synced_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("item_source_id", sa.Text(collation="C"), nullable=True),
        sa.Column("item_code", sa.Text(collation="C"), nullable=True),
        sa.Column("site", sa.Text(collation="C"), nullable=True),
        sa.Column("location", sa.Text(collation="C"), nullable=True),
        sa.Column("bin", sa.Text(collation="C"), nullable=True),
        sa.Column("lot", sa.Text(collation="C"), nullable=True),
        sa.Column("stock_class", sa.Text(collation="C"), nullable=False),
        sa.Column("native_stock_class", sa.Text(collation="C"), nullable=True),
        sa.Column("on_hand", sa.Numeric(), nullable=True),
        sa.Column("reserved", sa.Numeric(), nullable=True),
        sa.Column("available", sa.Numeric(), nullable=True),
        sa.Column("on_order", sa.Numeric(), nullable=True),
        sa.Column("unit", sa.Text(collation="C"), nullable=True),
        sa.Column("native_unit", sa.Text(collation="C"), nullable=True),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=True),
        sa.Column("custom_fields", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint(
            "stock_class IN ('UNRESTRICTED', 'QUALITY', 'BLOCKED', 'RESERVED', 'TRANSIT', 'UNKNOWN')",
            name="stock_class_known",
        ),
        sa.PrimaryKeyConstraint("connection_id", "id"),
        sa.UniqueConstraint("connection_id", "source_id"),
    )
    op.create_index("inventory_level_item", "inventory_level", ["connection_id", "item_source_id", "id"], unique=False)
    op.create_index("inventory_level_item_code", "inventory_level", ["connection_id", "item_code", "id"], unique=False)
    op.create_index("inventory_level_location", "inventory_level", ["connection_id", "location", "id"], unique=False)
    op.create_index("inventory_level_site", "inventory_level", ["connection_id", "site", "id"], unique=False)
    op.create_index(
        "inventory_level_source_updated_at",
        "inventory_level",
        ["connection_id", "source_updated_at", "id"],
        unique=False,
    )
    op.create_index(
        "inventory_level_stock_class", "inventory_level", ["connection_id", "stock_class", "id"], unique=False
    )
    op.create_table(
        "item",
        sa.Column("organization_id", sa.UUID(), nullable=False),
        sa.Column("connection_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("source_id", sa.Text(collation="C"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("source_updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("synced_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("code", sa.Text(collation="C"), nullable=False),
        sa.Column("description", sa.Text(collation="C"), nullable=True),
        sa.Column("type", sa.Text(collation="C"), nullable=False),
        sa.Column("native_type", sa.Text(collation="C"), nullable=True),
        sa.Column("category", sa.Text(collation="C"), nullable=True),
        sa.Column("base_unit", sa.Text(collation="C"), nullable=True),
        sa.Column("purchase_unit", sa.Text(collation="C"), nullable=True),
        sa.Column("gtin", sa.Text(collation="C"), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("standard_cost", sa.Numeric(), nullable=True),
        sa.Column("cost_currency", sa.Text(collation="C"), nullable=True),
        sa.Column("custom_fields", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint("type IN ('STOCK', 'NON_STOCK', 'SERVICE', 'KIT', 'ASSET', 'UNKNOWN')", name="type_known"),
        sa.PrimaryKeyConstraint("connection_id", "id"),
        sa.UniqueConstraint("connection_id", "source_id"),
    )
    op.create_index("item_category", "item", ["connection_id", "category", "id"], unique=False)
    op.create_index("item_code", "item", ["connection_id", "code", "id"], unique=False)
    op.create_index("item_gtin", "item", ["connection_id", "gtin", "id"], unique=False)
    op.create_index("item_source_updated_at", "item", ["connection_id", "source_updated_at", "id"], unique=False)
    op.create_index("item_type", "item", ["connection_id", "type", "id"], unique=False)
    op.create_table(
        "organization",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(collation="C"), nullable=False),
        sa.Column("credits_pool", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "purchase_order",
        sa.Column("organization_id", sa.UUID(), nullable=False),
        sa.Column("connection_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("source_id", sa.Text(collation="C"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("source_updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("synced_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("order_number", sa.Text(collation="C"), nullable=True),
        sa.Column("revision", sa.Text(collation="C"), nullable=True),
        sa.Column("status", sa.Text(collation="C"), nullable=False),
        sa.Column("native_status", sa.Text(collation="C"), nullable=True),
        sa.Column("approval", sa.Text(collation="C"), nullable=False),
        sa.Column("receipt", sa.Text(collation="C"), nullable=False),
        sa.Column("billing", sa.Text(collation="C"), nullable=False),
        sa.Column("vendor_source_id", sa.Text(collation="C"), nullable=True),
        sa.Column("vendor_reference", sa.Text(collation="C"), nullable=True),
        sa.Column("buyer", sa.Text(collation="C"), nullable=True),
        sa.Column("company", sa.Text(collation="C"), nullable=True),
        sa.Column("currency", sa.Text(collation="C"), nullable=True),
        sa.Column("order_date", sa.Date(), nullable=True),
        sa.Column("required_date", sa.Date(), nullable=True),
        sa.Column("delivery_date", sa.Date(), nullable=True),
        sa.Column("payment_terms", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("incoterms", sa.Text(collation="C"), nullable=True),
        sa.Column("ship_to", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("bill_to", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("total_net", sa.Numeric(), nullable=True),
        sa.Column("total_tax", sa.Numeric(), nullable=True),
        sa.Column("total_gross", sa.Numeric(), nullable=True),
        sa.Column("notes", sa.Text(collation="C"), nullable=True),
        sa.Column("custom_fields", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint(
            "approval IN ('NOT_REQUIRED', 'PENDING', 'APPROVED', 'REJECTED', 'UNKNOWN')", name="approval_known"
        ),
        sa.CheckConstraint("billing IN ('NONE', 'PARTIAL', 'FULL', 'UNKNOWN')", name="billing_known"),
        sa.CheckConstraint("receipt IN ('NONE', 'PARTIAL', 'FULL', 'UNKNOWN')", name="receipt_known"),
        sa.CheckConstraint(
            "status IN ('DRAFT', 'PENDING_APPROVAL', 'REJECTED', 'APPROVED', 'SENT', 'PARTIALLY_RECEIVED', 'RECEIVED', 'CLOSED', 'CANCELLED', 'ON_HOLD', 'UNKNOWN')",
            name="status_known",
        ),
        sa.PrimaryKeyConstraint("connection_id", "id"),
        sa.UniqueConstraint("connection_id", "source_id"),
    )
    op.create_index(
        "purchase_order_native_status", "purchase_order", ["connection_id", "native_status", "id"], unique=False
    )
    op.create_index(
        "purchase_order_vendor_reference", "purchase_order", ["connection_id", "vendor_reference", "id"], unique=False
    )
    op.create_index("purchase_order_currency", "purchase_order", ["connection_id", "currency", "id"], unique=False)
    op.create_index(
        "purchase_order_required_date", "purchase_order", ["connection_id", "required_date", "id"], unique=False
    )
    op.create_index("purchase_order_order_date", "purchase_order", ["connection_id", "order_date", "id"], unique=False)
    op.create_index(
        "purchase_order_order_number", "purchase_order", ["connection_id", "order_number", "id"], unique=False
    )
    op.create_index(
        "purchase_order_source_updated_at", "purchase_order", ["connection_id", "source_updated_at", "id"], unique=False
    )
    op.create_index("purchase_order_status", "purchase_order", ["connection_id", "status", "id"], unique=False)
    op.create_index(
        "purchase_order_vendor", "purchase_order", ["connection_id", "vendor_source_id", "id"], unique=False
    )
    op.create_table(
        "quarantined_item",
        sa.Column("organization_id", sa.UUID(), nullable=False),
        sa.Column("connection_id", sa.UUID(), nullable=False),
        sa.Column("entity", sa.Text(collation="C"), nullable=False),
        sa.Column("source_id", sa.Text(collation="C"), nullable=False),
        sa.Column("body", postgresql.JSON(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("reason", sa.Text(collation="C"), nullable=False),
        sa.Column("run_id", sa.UUID(), nullable=True),
        sa.Column("quarantined_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "entity IN ('PURCHASE_ORDER', 'WORK_ORDER', 'VENDOR', 'ITEM', 'INVENTORY_LEVEL', 'ASSET', 'LOCATION')",
            name="entity_known",
        ),
        sa.PrimaryKeyConstraint("connection_id", "entity", "source_id"),
    )
    op.create_table(
        "raw_item",
        sa.Column("organization_id", sa.UUID(), nullable=False),
        sa.Column("connection_id", sa.UUID(), nullable=False),
        sa.Column("entity", sa.Text(collation="C"), nullable=False),
        sa.Column("source_id", sa.Text(collation="C"), nullable=False),
        sa.Column("item_hash", sa.LargeBinary(), nullable=False),
        sa.Column("body", postgresql.JSON(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("run_id", sa.UUID(), nullable=True),
        sa.CheckConstraint(
            "entity IN ('PURCHASE_ORDER', 'WORK_ORDER', 'VENDOR', 'ITEM', 'INVENTORY_LEVEL', 'ASSET', 'LOCATION')",
            name="entity_known",
        ),
        sa.PrimaryKeyConstraint("connection_id", "entity", "source_id"),
    )
    op.create_table(
        "sync_run",
        sa.Column("organization_id", sa.UUID(), nullable=False),
        sa.Column("connection_id", sa.UUID(), nullable=False),
        sa.Column("entity", sa.Text(collation="C"), nullable=False),
        sa.Column("mode", sa.Text(collation="C"), nullable=False),
        sa.Column("trigger", sa.Text(collation="C"), nullable=False),
        sa.Column("status", sa.Text(collation="C"), nullable=False),
        sa.Column("fetched", sa.Integer(), nullable=False),
        sa.Column("created", sa.Integer(), nullable=False),
        sa.Column("updated", sa.Integer(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False),
        sa.Column("deleted", sa.Integer(), nullable=False),
        sa.Column("quarantined", sa.Integer(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("window_start", sa.DateTime(timezone=True), nullable=True),
        sa.Column("feeds", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("woken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "entity IN ('PURCHASE_ORDER', 'WORK_ORDER', 'VENDOR', 'ITEM', 'INVENTORY_LEVEL', 'ASSET', 'LOCATION')",
            name="entity_known",
        ),
        sa.CheckConstraint("mode IN ('INCREMENTAL', 'FULL')", name="mode_known"),
        sa.CheckConstraint(
            "status IN ('QUEUED', 'RUNNING', 'WAITING', 'SUCCEEDED', 'PARTIAL', 'FAILED', 'CANCELLED')",
            name="status_known",
        ),
        sa.CheckConstraint("trigger IN ('INITIAL', 'SCHEDULED', 'MANUAL', 'RETRY', 'WORKFLOW')", name="trigger_known"),
        sa.PrimaryKeyConstraint("connection_id", "id"),
    )
    op.create_index(
        "sync_run_one_open",
        "sync_run",
        ["connection_id", "entity"],
        unique=True,
        postgresql_where="status IN ('QUEUED', 'RUNNING', 'WAITING')",
    )
    op.create_index("sync_run_recent", "sync_run", ["organization_id", "id"], unique=False)
    op.create_table(
        "system",
        sa.Column("slug", sa.Text(collation="C"), nullable=False),
        sa.Column("name", sa.Text(collation="C"), nullable=False),
        sa.Column("vendor", sa.Text(collation="C"), nullable=False),
        sa.Column("category", sa.Text(collation="C"), nullable=False),
        sa.Column("credits", sa.Integer(), nullable=False),
        sa.Column("credential_form", postgresql.JSON(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("write_defaults_form", postgresql.JSON(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("capabilities", postgresql.JSON(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint("category IN ('ERP', 'EAM', 'CMMS', 'WMS')", name="category_known"),
        sa.PrimaryKeyConstraint("slug"),
    )
    op.create_table(
        "vendor",
        sa.Column("organization_id", sa.UUID(), nullable=False),
        sa.Column("connection_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("source_id", sa.Text(collation="C"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("source_updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("synced_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("number", sa.Text(collation="C"), nullable=True),
        sa.Column("name", sa.Text(collation="C"), nullable=False),
        sa.Column("tax_id", sa.Text(collation="C"), nullable=True),
        sa.Column("email", sa.Text(collation="C"), nullable=True),
        sa.Column("phone", sa.Text(collation="C"), nullable=True),
        sa.Column("addresses", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("currency", sa.Text(collation="C"), nullable=True),
        sa.Column("payment_terms", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("blocked_for_purchasing", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("connection_id", "id"),
        sa.UniqueConstraint("connection_id", "source_id"),
    )
    op.create_index("vendor_name", "vendor", ["connection_id", "name", "id"], unique=False)
    op.create_index("vendor_number", "vendor", ["connection_id", "number", "id"], unique=False)
    op.create_index("vendor_source_updated_at", "vendor", ["connection_id", "source_updated_at", "id"], unique=False)
    op.create_table(
        "work_order",
        sa.Column("organization_id", sa.UUID(), nullable=False),
        sa.Column("connection_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("source_id", sa.Text(collation="C"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("source_updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("synced_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("number", sa.Text(collation="C"), nullable=True),
        sa.Column("title", sa.Text(collation="C"), nullable=True),
        sa.Column("description", sa.Text(collation="C"), nullable=True),
        sa.Column("type", sa.Text(collation="C"), nullable=False),
        sa.Column("native_type", sa.Text(collation="C"), nullable=True),
        sa.Column("status", sa.Text(collation="C"), nullable=False),
        sa.Column("native_status", sa.Text(collation="C"), nullable=True),
        sa.Column("priority", sa.Integer(), nullable=True),
        sa.Column("native_priority", sa.Text(collation="C"), nullable=True),
        sa.Column("asset_source_id", sa.Text(collation="C"), nullable=True),
        sa.Column("asset_code", sa.Text(collation="C"), nullable=True),
        sa.Column("location_source_id", sa.Text(collation="C"), nullable=True),
        sa.Column("location_code", sa.Text(collation="C"), nullable=True),
        sa.Column("site", sa.Text(collation="C"), nullable=True),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("scheduled_start_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("scheduled_end_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("actual_start_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("actual_end_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("assignee", sa.Text(collation="C"), nullable=True),
        sa.Column("vendor_source_id", sa.Text(collation="C"), nullable=True),
        sa.Column("parent_source_id", sa.Text(collation="C"), nullable=True),
        sa.Column("tasks", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("parts", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("custom_fields", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint(
            "status IN ('DRAFT', 'WAITING_APPROVAL', 'APPROVED', 'SCHEDULED', 'WAITING', 'IN_PROGRESS', 'COMPLETED', 'CLOSED', 'CANCELLED', 'UNKNOWN')",
            name="status_known",
        ),
        sa.CheckConstraint(
            "type IN ('CORRECTIVE', 'PREVENTIVE', 'INSPECTION', 'PROJECT', 'PRODUCTION', 'OTHER')", name="type_known"
        ),
        sa.PrimaryKeyConstraint("connection_id", "id"),
        sa.UniqueConstraint("connection_id", "source_id"),
    )
    op.create_index("work_order_asset_code", "work_order", ["connection_id", "asset_code", "id"], unique=False)
    op.create_index("work_order_assignee", "work_order", ["connection_id", "assignee", "id"], unique=False)
    op.create_index("work_order_due_at", "work_order", ["connection_id", "due_at", "id"], unique=False)
    op.create_index("work_order_location_code", "work_order", ["connection_id", "location_code", "id"], unique=False)
    op.create_index("work_order_native_status", "work_order", ["connection_id", "native_status", "id"], unique=False)
    op.create_index("work_order_number", "work_order", ["connection_id", "number", "id"], unique=False)
    op.create_index("work_order_priority", "work_order", ["connection_id", "priority", "id"], unique=False)
    op.create_index(
        "work_order_scheduled_start_at", "work_order", ["connection_id", "scheduled_start_at", "id"], unique=False
    )
    op.create_index("work_order_site", "work_order", ["connection_id", "site", "id"], unique=False)
    op.create_index(
        "work_order_source_updated_at", "work_order", ["connection_id", "source_updated_at", "id"], unique=False
    )
    op.create_index("work_order_status", "work_order", ["connection_id", "status", "id"], unique=False)
    op.create_index("work_order_type", "work_order", ["connection_id", "type", "id"], unique=False)
    op.create_index("work_order_vendor", "work_order", ["connection_id", "vendor_source_id", "id"], unique=False)
    op.create_table(
        "write_operation",
        sa.Column("organization_id", sa.UUID(), nullable=False),
        sa.Column("connection_id", sa.UUID(), nullable=False),
        sa.Column("entity", sa.Text(collation="C"), nullable=False),
        sa.Column("operation", sa.Text(collation="C"), nullable=False),
        sa.Column("state", sa.Text(collation="C"), nullable=False),
        sa.Column("idempotency_key", sa.Text(collation="C"), nullable=True),
        sa.Column("request", postgresql.JSON(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("answer", postgresql.JSON(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("error", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("input_hash", sa.LargeBinary(), nullable=False),
        sa.Column("input", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("record_id", sa.UUID(), nullable=True),
        sa.Column("source_id", sa.Text(collation="C"), nullable=True),
        sa.Column("actor", sa.Text(collation="C"), nullable=True),
        sa.Column("request_id", sa.Text(collation="C"), nullable=True),
        sa.CheckConstraint(
            "entity IN ('PURCHASE_ORDER', 'WORK_ORDER', 'VENDOR', 'ITEM', 'INVENTORY_LEVEL', 'ASSET', 'LOCATION')",
            name="entity_known",
        ),
        sa.CheckConstraint(
            "operation IN ('READ', 'CREATE', 'UPDATE', 'CANCEL', 'DELETE', 'ADJUST')", name="operation_known"
        ),
        sa.CheckConstraint(
            "state IN ('PENDING', 'SENT', 'SUCCEEDED', 'FAILED', 'OUTCOME_UNKNOWN')", name="state_known"
        ),
        sa.PrimaryKeyConstraint("connection_id", "id"),
    )
    op.create_index(
        "write_operation_idempotency",
        "write_operation",
        ["connection_id", "idempotency_key"],
        unique=True,
        postgresql_where="idempotency_key IS NOT NULL",
    )
    op.create_index("write_operation_recent", "write_operation", ["organization_id", "id"], unique=False)
    op.create_table(
        "purchase_order_line",
        sa.Column("organization_id", sa.UUID(), nullable=False),
        sa.Column("connection_id", sa.UUID(), nullable=False),
        sa.Column("source_line_id", sa.Text(collation="C"), nullable=False),
        sa.Column("line_number", sa.Text(collation="C"), nullable=False),
        sa.Column("kind", sa.Text(collation="C"), nullable=False),
        sa.Column("item_source_id", sa.Text(collation="C"), nullable=True),
        sa.Column("item_code", sa.Text(collation="C"), nullable=True),
        sa.Column("vendor_item_code", sa.Text(collation="C"), nullable=True),
        sa.Column("description", sa.Text(collation="C"), nullable=True),
        sa.Column("quantity", sa.Numeric(), nullable=True),
        sa.Column("unit", sa.Text(collation="C"), nullable=True),
        sa.Column("native_unit", sa.Text(collation="C"), nullable=True),
        sa.Column("unit_price", sa.Numeric(), nullable=True),
        sa.Column("price_unit", sa.Text(collation="C"), nullable=True),
        sa.Column("source_price", sa.Numeric(), nullable=True),
        sa.Column("price_base", sa.Numeric(), nullable=True),
        sa.Column("discount_percent", sa.Numeric(), nullable=True),
        sa.Column("net_amount", sa.Numeric(), nullable=True),
        sa.Column("tax_code", sa.Text(collation="C"), nullable=True),
        sa.Column("status", sa.Text(collation="C"), nullable=False),
        sa.Column("received_quantity", sa.Numeric(), nullable=True),
        sa.Column("billed_quantity", sa.Numeric(), nullable=True),
        sa.Column("required_date", sa.Date(), nullable=True),
        sa.Column("delivery_date", sa.Date(), nullable=True),
        sa.Column("schedules", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("ship_to", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("location", sa.Text(collation="C"), nullable=True),
        sa.Column("account_assignment", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("custom_fields", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("purchase_order_id", sa.UUID(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.CheckConstraint("kind IN ('ITEM', 'SERVICE', 'COMMENT', 'CHARGE', 'ACCOUNT', 'ASSET')", name="kind_known"),
        sa.CheckConstraint(
            "status IN ('OPEN', 'PARTIALLY_RECEIVED', 'RECEIVED', 'CLOSED', 'CANCELLED', 'BLOCKED', 'UNKNOWN')",
            name="status_known",
        ),
        sa.ForeignKeyConstraint(
            ["connection_id", "purchase_order_id"],
            ["purchase_order.connection_id", "purchase_order.id"],
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("connection_id", "purchase_order_id", "position"),
    )
    op.create_index(
        "purchase_order_line_item_code", "purchase_order_line", ["connection_id", "item_code"], unique=False
    )
    _secure()


def downgrade() -> None:
    op.drop_index("purchase_order_line_item_code", table_name="purchase_order_line")
    op.drop_table("purchase_order_line")
    op.drop_index("write_operation_recent", table_name="write_operation")
    op.drop_index(
        "write_operation_idempotency", table_name="write_operation", postgresql_where="idempotency_key IS NOT NULL"
    )
    op.drop_table("write_operation")
    op.drop_index("work_order_vendor", table_name="work_order")
    op.drop_index("work_order_type", table_name="work_order")
    op.drop_index("work_order_status", table_name="work_order")
    op.drop_index("work_order_source_updated_at", table_name="work_order")
    op.drop_index("work_order_site", table_name="work_order")
    op.drop_index("work_order_scheduled_start_at", table_name="work_order")
    op.drop_index("work_order_priority", table_name="work_order")
    op.drop_index("work_order_number", table_name="work_order")
    op.drop_index("work_order_native_status", table_name="work_order")
    op.drop_index("work_order_location_code", table_name="work_order")
    op.drop_index("work_order_due_at", table_name="work_order")
    op.drop_index("work_order_assignee", table_name="work_order")
    op.drop_index("work_order_asset_code", table_name="work_order")
    op.drop_table("work_order")
    op.drop_index("vendor_source_updated_at", table_name="vendor")
    op.drop_index("vendor_number", table_name="vendor")
    op.drop_index("vendor_name", table_name="vendor")
    op.drop_table("vendor")
    op.drop_table("system")
    op.drop_index("sync_run_recent", table_name="sync_run")
    op.drop_index(
        "sync_run_one_open", table_name="sync_run", postgresql_where="status IN ('QUEUED', 'RUNNING', 'WAITING')"
    )
    op.drop_table("sync_run")
    op.drop_table("raw_item")
    op.drop_table("quarantined_item")
    op.drop_index("purchase_order_vendor", table_name="purchase_order")
    op.drop_index("purchase_order_status", table_name="purchase_order")
    op.drop_index("purchase_order_source_updated_at", table_name="purchase_order")
    op.drop_index("purchase_order_order_number", table_name="purchase_order")
    op.drop_index("purchase_order_order_number", table_name="purchase_order")
    op.drop_index("purchase_order_order_number", table_name="purchase_order")
    op.drop_index("purchase_order_order_number", table_name="purchase_order")
    op.drop_index("purchase_order_order_number", table_name="purchase_order")
    op.drop_index("purchase_order_order_date", table_name="purchase_order")
    op.drop_table("purchase_order")
    op.drop_table("organization")
    op.drop_index("item_type", table_name="item")
    op.drop_index("item_source_updated_at", table_name="item")
    op.drop_index("item_gtin", table_name="item")
    op.drop_index("item_code", table_name="item")
    op.drop_index("item_category", table_name="item")
    op.drop_table("item")
    op.drop_index("inventory_level_stock_class", table_name="inventory_level")
    op.drop_index("inventory_level_source_updated_at", table_name="inventory_level")
    op.drop_index("inventory_level_site", table_name="inventory_level")
    op.drop_index("inventory_level_location", table_name="inventory_level")
    op.drop_index("inventory_level_item_code", table_name="inventory_level")
    op.drop_index("inventory_level_item", table_name="inventory_level")
    op.drop_table("inventory_level")
    op.drop_table("event_counter")
    op.drop_index("event_record", table_name="event")
    op.drop_table("event")
    op.drop_table("connection_secret")
    op.drop_index("connection_organization", table_name="connection")
    op.drop_table("connection")
    op.drop_index("connected_entity_due", table_name="connected_entity")
    op.drop_table("connected_entity")
    op.drop_index("api_token_connection", table_name="api_token")
    op.drop_table("api_token")
