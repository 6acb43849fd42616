"""Let the writes of one record take turns."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_TABLE = "write_operation"
_RECORD = ["connection_id", "entity", "source_id"]
_ON_RECORD = "source_id IS NOT NULL AND settled_at IS NULL AND next_attempt_at IS NOT NULL"


def upgrade() -> None:
    op.add_column(_TABLE, sa.Column("has_turn", sa.Boolean(), nullable=False, server_default=sa.text("false")))
    op.alter_column(_TABLE, "has_turn", server_default=None)
    op.create_index("write_operation_record", _TABLE, [*_RECORD, "id"], unique=False, postgresql_where=_ON_RECORD)
    turn = f"has_turn AND {_ON_RECORD}"
    op.create_index("write_operation_turn", _TABLE, _RECORD, unique=True, postgresql_where=turn)


def downgrade() -> None:
    op.drop_index("write_operation_turn", table_name=_TABLE)
    op.drop_index("write_operation_record", table_name=_TABLE)
    op.drop_column(_TABLE, "has_turn")
