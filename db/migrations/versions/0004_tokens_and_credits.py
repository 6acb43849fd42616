"""Tell why tokens ended and since when statuses hold; count credits in a ledger."""

import sqlalchemy as sa
from alembic import op

from db.types import new_id

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


_ORGANIZATION = "nullif(current_setting('crosshead.organization', true), '')::uuid"
_CONNECTION = "nullif(current_setting('crosshead.connection', true), '')::uuid"
_ROWS = f"organization_id = {_ORGANIZATION} AND ({_CONNECTION} IS NULL OR connection_id = {_CONNECTION})"

# The ledger's sum is what the organization's row says, in every committed state. Checked at the commit, for both
# change in one transaction; all of the organization's entries are summed up, whatever connection the scope is held to.
_EXACT = """
CREATE FUNCTION credits_are_exact() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  whose uuid := to_jsonb(coalesce(NEW, OLD)) ->> TG_ARGV[0];
  own text := coalesce(current_setting('crosshead.connection', true), '');
  held bigint;
  told bigint;
BEGIN
  PERFORM set_config('crosshead.connection', '', true);
  SELECT credits_used INTO held FROM organization WHERE id = whose;
  SELECT coalesce(sum(CASE kind WHEN 'HOLD' THEN credits ELSE -credits END), 0) INTO told
    FROM credit_entry WHERE organization_id = whose;
  PERFORM set_config('crosshead.connection', own, true);
  IF coalesce(held, 0) <> told THEN
    RAISE EXCEPTION 'the ledger of credits sums up to %, the organization holds %', told, held
      USING ERRCODE = 'check_violation', CONSTRAINT = 'credits_are_exact';
  END IF;
  RETURN NULL;
END $$
"""


def upgrade() -> None:
    op.add_column("connection", sa.Column("status_changed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("connection", sa.Column("data_deletion_requested_at", sa.DateTime(timezone=True), nullable=True))
    op.drop_column("api_token", "revoked_reason")
    op.add_column("api_token", sa.Column("revoked_as", sa.Text(collation="C"), nullable=True))
    op.create_check_constraint("revoked_as_known", "api_token", "revoked_as IN ('ROTATED', 'REVOKED', 'DISCONNECTED')")
    op.create_check_constraint("revoked_whole", "api_token", "(revoked_at IS NULL) = (revoked_as IS NULL)")
    op.create_index("api_token_organization", "api_token", ["organization_id", "id"], unique=False)
    op.create_index("api_token_kind", "api_token", ["organization_id", "kind", "id"], unique=False)
    op.add_column("organization", sa.Column("credits_used", sa.Integer(), nullable=False, server_default="0"))
    op.alter_column("organization", "credits_used", server_default=None)
    op.create_table(
        "credit_entry",
        sa.Column("organization_id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.Text(collation="C"), nullable=False),
        sa.Column("credits", sa.Integer(), nullable=False),
        sa.Column("used_after", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("connection_id", sa.UUID(), nullable=False),
        sa.CheckConstraint("kind IN ('HOLD', 'RETURN')", name="kind_known"),
        sa.CheckConstraint("credits > 0", name="credits_positive"),
        sa.CheckConstraint("used_after >= 0", name="used_after_known"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("connection_id", "kind"),
    )
    op.create_index("credit_entry_organization", "credit_entry", ["organization_id", "id"], unique=False)
    op.execute(f"CREATE POLICY app ON credit_entry TO crosshead_app USING ({_ROWS})")
    op.execute("GRANT SELECT, INSERT ON credit_entry TO crosshead_app")
    op.execute("ALTER TABLE credit_entry ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE credit_entry FORCE ROW LEVEL SECURITY")
    op.execute("GRANT SELECT (data_deletion_requested_at) ON connection TO crosshead_system")
    _hold_what_is_held()
    op.create_check_constraint("credits_within_pool", "organization", "credits_used BETWEEN 0 AND credits_pool")
    op.execute(_EXACT)
    for table, events, column in (
        ("credit_entry", "INSERT OR UPDATE OR DELETE", "organization_id"),
        ("organization", "INSERT OR UPDATE OF credits_used", "id"),
    ):
        op.execute(
            f"CREATE CONSTRAINT TRIGGER credits_are_exact AFTER {events} ON {table} DEFERRABLE INITIALLY DEFERRED"
            f" FOR EACH ROW EXECUTE FUNCTION credits_are_exact('{column}')"
        )


def _hold_what_is_held() -> None:
    """Begin the ledger with the connections that stand, one organization's scope after the other."""
    here = op.get_bind()
    here.execute(sa.text("SET LOCAL ROLE crosshead_system"))
    organizations = here.execute(sa.text("SELECT id FROM organization")).scalars().all()
    standing = here.execute(sa.text("SELECT count(*) FROM connection WHERE status <> 'DISCONNECTED'")).scalar_one()
    here.execute(sa.text("SET LOCAL ROLE crosshead_app"))
    held = 0
    for organization in organizations:
        here.execute(sa.text("SELECT set_config('crosshead.organization', :id, true)"), {"id": str(organization)})
        used = 0
        for row in here.execute(
            sa.text("SELECT id, credits, created_at FROM connection WHERE status <> 'DISCONNECTED' ORDER BY id")
        ).all():
            used, held = used + row.credits, held + 1
            if row.credits == 0:
                continue
            here.execute(
                sa.text(
                    "INSERT INTO credit_entry"
                    " (organization_id, kind, credits, used_after, created_at, id, connection_id)"
                    " VALUES (:organization, 'HOLD', :credits, :used, :at, :id, :connection)"
                ),
                {
                    "organization": organization,
                    "credits": row.credits,
                    "used": used,
                    "at": row.created_at,
                    "id": new_id(),
                    "connection": row.id,
                },
            )
        here.execute(
            sa.text(
                "UPDATE organization SET credits_used = :used, credits_pool = greatest(credits_pool, :used)"
                " WHERE id = :id"
            ),
            {"used": used, "id": organization},
        )
    here.execute(sa.text("SELECT set_config('crosshead.organization', '', true)"))
    here.execute(sa.text("SET LOCAL ROLE crosshead_owner"))
    if held != standing:
        raise RuntimeError(f"{standing} connections stand, but {held} were found in their organizations")


def downgrade() -> None:
    for table in ("organization", "credit_entry"):
        op.execute(f"DROP TRIGGER credits_are_exact ON {table}")
    op.execute("DROP FUNCTION credits_are_exact()")
    op.drop_constraint("credits_within_pool", "organization")
    op.drop_index("credit_entry_organization", table_name="credit_entry")
    op.drop_table("credit_entry")
    op.drop_column("organization", "credits_used")
    op.drop_index("api_token_kind", table_name="api_token")
    op.drop_index("api_token_organization", table_name="api_token")
    op.drop_constraint("revoked_whole", "api_token")
    op.drop_constraint("revoked_as_known", "api_token")
    op.drop_column("api_token", "revoked_as")
    op.add_column("api_token", sa.Column("revoked_reason", sa.Text(collation="C"), nullable=True))
    op.execute("REVOKE SELECT (data_deletion_requested_at) ON connection FROM crosshead_system")
    op.drop_column("connection", "data_deletion_requested_at")
    op.drop_column("connection", "status_changed_at")
