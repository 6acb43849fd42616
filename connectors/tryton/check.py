"""The live check: address, database, credentials, company and rights, each with its own error."""

from collections.abc import Mapping
from typing import Final

from connectors.base import Checked
from connectors.errors import ConfigError, PermissionRefused, SourceFault
from connectors.tryton.client import Client
from connectors.tryton.fields import ITEMS
from db.types import Entity, Operation

_MODULES: Final = {Entity.PURCHASE_ORDER: "purchase", Entity.VENDOR: "party", Entity.ITEM: "product"}
"""The modules that this connector cannot do without; others' entities are refused where they are missing."""
_ADDED: Final = {Entity.WORK_ORDER: "production", Entity.LOCATION: "stock"}
_WRITES: Final[Mapping[tuple[Entity, Operation], tuple[str, str]]] = {
    (Entity.PURCHASE_ORDER, Operation.CREATE): ("purchase.purchase", "create"),
    (Entity.PURCHASE_ORDER, Operation.UPDATE): ("purchase.purchase", "write"),
    (Entity.PURCHASE_ORDER, Operation.CANCEL): ("purchase.purchase", "write"),
    (Entity.PURCHASE_ORDER, Operation.DELETE): ("purchase.purchase", "delete"),
    (Entity.WORK_ORDER, Operation.CREATE): ("production", "create"),
    (Entity.WORK_ORDER, Operation.UPDATE): ("production", "write"),
    (Entity.VENDOR, Operation.CREATE): ("party.party", "create"),
    (Entity.VENDOR, Operation.UPDATE): ("party.party", "write"),
    (Entity.INVENTORY_LEVEL, Operation.ADJUST): ("stock.inventory", "create"),
}
"""Write → the model and the right to it that Tryton's own access rules are asked for."""


async def check(client: Client) -> Checked:
    """Ask for version, company and one record of each entity with all its fields.

    Raises:
        ConfigError: No Tryton, database, company or needed module there. AuthError: wrong user or password.
    """
    version, _ = await client.server()
    company = (await client.context())["company"]
    refused: dict[Entity, str] = {}
    for entity in ITEMS:
        try:
            await _readable(client, entity)
        except PermissionRefused as error:
            refused[entity] = error.source_message or error.message
    facts = {"version": version, "company": await _company_name(client, company)}
    return Checked(facts=facts, refused=refused, unwritable=await _unwritable(client))


async def _unwritable(client: Client) -> dict[tuple[Entity, Operation], str]:
    """Ask Tryton's access rules what this user may not write."""
    models = sorted({model for model, _ in _WRITES.values()})
    rights = await client.call("ir.model.access", "get_access", models)
    return {
        write: f"The user may not {right} {model} in Tryton."
        for write, (model, right) in _WRITES.items()
        if not rights.get(model, {}).get(right, True)
    }


async def _readable(client: Client, entity: Entity) -> None:
    model, fields = ITEMS[entity]
    try:
        await client.find(model, [], fields, limit=1)
    except SourceFault as error:
        # Tryton tells an unknown model or field by the bare text of a KeyError.
        missing = (error.source_message or "").strip("'")
        if missing == model or missing in {name for path in fields for name in path.split(".")}:
            if entity in _ADDED:
                raise PermissionRefused(f"This Tryton lacks the module {_ADDED[entity]!r}.") from error
            raise ConfigError(
                f"This Tryton does not know {missing!r}.",
                remedy=f"Activate the module {_MODULES[entity]!r}, or update Tryton to 7.4, and connect again.",
            ) from error
        raise


async def _company_name(client: Client, company: int) -> str:
    rows = await client.find("company.company", [["id", "=", company]], ["rec_name"], limit=1)
    return str(rows[0]["rec_name"]) if rows else str(company)
