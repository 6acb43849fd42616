"""Alembic's environment: runs as the owner role, on the connection it is handed."""

from alembic import context
from sqlmodel import SQLModel

import db.models.event
import db.models.history
import db.models.organization
import db.models.registry
import db.models.session  # noqa: F401  (imports register the tables)

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    compare_type=True,
    compare_server_default=False,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
