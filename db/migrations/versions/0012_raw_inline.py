"""Keep raw items up to a block in their row, as they are: compressing each of them took longer than storing it."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE raw_item SET (toast_tuple_target = 8160)")


def downgrade() -> None:
    op.execute("ALTER TABLE raw_item RESET (toast_tuple_target)")
