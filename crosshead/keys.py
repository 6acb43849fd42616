"""Master keys: wrap every connection's data key under the one that seals now."""

from collections.abc import Callable

from db import credentials, endpoints, sessions
from db.engine import Database
from db.models.connection import ConnectionSecret
from db.secrets import Sealed, Vault

BATCH = 200


async def rotate(database: Database, vault: Vault) -> int:
    """Wrap the data keys that an older master key wraps; the credentials themselves stay as they are.

    It may run beside the product, and again after it was cut off.

    Returns:
        How many data keys were wrapped anew.

    Raises:
        SealBroken: A data key is under a master key that is not here; those wrapped by then stay so.
    """
    async with database.system() as session:
        scopes = await credentials.organizations(session)
    done = 0
    for scope in scopes:
        went = BATCH
        while went == BATCH:
            async with database.write(scope) as session:
                went = await credentials.rewrap(session, scope, _under(vault), active=vault.active, limit=BATCH)
            done += went
        went = BATCH
        while went == BATCH:
            async with database.write(scope) as session:
                went = await endpoints.rewrap(session, scope, vault.rewrap, active=vault.active, limit=BATCH)
            done += went
        went = BATCH
        while went == BATCH:  # credentials that wait in connect sessions for their code to be traded
            async with database.write(scope) as session:
                went = await sessions.rewrap(session, scope, vault.rewrap, active=vault.active, limit=BATCH)
            done += went
    return done


def _under(vault: Vault) -> Callable[[ConnectionSecret], Sealed]:
    def wrapped(row: ConnectionSecret) -> Sealed:
        return vault.rewrap(row.connection_id, Sealed(row.key_id, row.wrapped_key, row.sealed))

    return wrapped
