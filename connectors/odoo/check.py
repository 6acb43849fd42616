"""The live check: address, database, key, and which records and writes the user has."""

from collections.abc import Mapping
from typing import Final

from connectors.base import Checked
from connectors.errors import AuthError, BadResponse, ConnectorError, PermissionRefused, SourceUnavailable
from connectors.odoo.client import Client
from connectors.odoo.resources import QUANT_MODEL, RESOURCES
from connectors.odoo.write.specs import WRITES
from db.types import Entity, Operation

_MODELS: Final = {entity: resource.model for entity, resource in RESOURCES.items()} | {
    Entity.INVENTORY_LEVEL: QUANT_MODEL
}
_RIGHTS: Final[Mapping[Operation, str]] = {
    Operation.CREATE: "create",
    Operation.UPDATE: "write",
    Operation.CANCEL: "write",
    Operation.DELETE: "unlink",
    Operation.ADJUST: "write",
}
_HAS_ACCESS: Final = 18
"""From this version on `has_access` tells; before it `check_access_rights`."""


async def check(client: Client) -> Checked:
    """Ask for version and user, and for one record of each entity.

    Raises:
        ConfigError: No Odoo or database there. AuthError: the key is wrong. PermissionRefused: the user sees nothing.
    """
    await client.server()
    user = await client.user()
    refused: dict[Entity, str] = {}
    last: ConnectorError | None = None
    for entity, model in _MODELS.items():
        try:
            await client.find(model, [], ["id"], limit=1)
        except (PermissionRefused, BadResponse) as error:
            refused[entity] = error.source_message or error.message
            last = error
    if last is not None and len(refused) == len(_MODELS):
        raise last
    facts = {"version": client.version, "user": user["uid"]}
    return Checked(facts, refused, await _unwritable(client, refused))


async def _unwritable(client: Client, refused: Mapping[Entity, str]) -> dict[tuple[Entity, Operation], str]:
    """Ask Odoo's access rights what this user may not write."""
    told: dict[tuple[Entity, Operation], str] = {}
    known: dict[tuple[str, str], bool] = {}
    for entity, operation in WRITES:
        model, right = _MODELS[entity], _RIGHTS[operation]
        if entity in refused:
            continue
        if (model, right) not in known:
            known[model, right] = await _may(client, model, right)
        if not known[model, right]:
            told[entity, operation] = f"The user may not {right} {model} in Odoo."
    return told


async def _may(client: Client, model: str, right: str) -> bool:
    """Ask for one right; where Odoo does not tell, it is taken to be there, and the write will show."""
    try:
        if client.major >= _HAS_ACCESS:
            return bool(await client.call(model, "has_access", [], operation=right))
        return bool(await client.call(model, "check_access_rights", operation=right, raise_exception=False))
    except (AuthError, SourceUnavailable):
        raise
    except ConnectorError:
        return True
