"""Keep what each connector leaves out of its entities, to tell why a field is null."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "system_entity",
        sa.Column("system_slug", sa.Text(collation="C"), nullable=False),
        sa.Column("entity", sa.Text(collation="C"), nullable=False),
        sa.Column("unavailable", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint(
            "entity IN ('PURCHASE_ORDER', 'WORK_ORDER', 'VENDOR', 'ITEM', 'INVENTORY_LEVEL', 'ASSET', 'LOCATION')",
            name="entity_known",
        ),
        sa.PrimaryKeyConstraint("system_slug", "entity"),
    )
    op.execute("GRANT SELECT ON system_entity TO crosshead_app")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON system_entity TO crosshead_system")


def downgrade() -> None:
    op.drop_table("system_entity")
