"""Note since when versions are kept, and find those that began after an instant."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("connection", sa.Column("history_since", sa.DateTime(timezone=True), nullable=True))
    op.create_index("record_version_since", "record_version", ["connection_id", "entity", "valid_from"], unique=False)


def downgrade() -> None:
    op.drop_index("record_version_since", table_name="record_version")
    op.drop_column("connection", "history_since")
