"""Make an organization with its first key: the one thing that no key can do."""

from crosshead.compose import now
from db import audit, connections, tokens
from db.engine import Database
from db.models.organization import Organization, TokenKind, TokenScope
from db.scope import Scope
from db.types import new_id


async def make_organization(database: Database, *, name: str, credits_pool: int) -> tuple[Scope, str]:
    """Store an organization.

    Returns:
        Its scope, and its first key with all rights, shown once.
    """
    scope = Scope(new_id())
    key, row = tokens.issue(TokenKind.ORGANIZATION, scope=scope, may=TokenScope.ADMIN, name="First key", now=now())
    organization = Organization(id=scope.organization_id, name=name, credits_pool=credits_pool, created_at=now())
    async with database.write(scope) as session:
        await connections.add_organization(session, row=organization, token=row, now=now())
        told = {"name": name, "creditsPool": credits_pool, "lastFour": row.last_four}
        audit.record(session, scope, "createOrganization", target=("Organization", scope.organization_id), changes=told)
    return scope, key
