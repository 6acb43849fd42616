"""The live check: address, database, credentials, company and rights, each with its own error."""

from typing import Final

from connectors.base import Checked
from connectors.errors import ConfigError, PermissionRefused, SourceFault
from connectors.tryton.client import Client
from connectors.tryton.fields import ITEMS
from db.types import Entity

_MODULES: Final = {Entity.PURCHASE_ORDER: "purchase", Entity.VENDOR: "party"}


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
    return Checked(facts=facts, refused=refused)


async def _readable(client: Client, entity: Entity) -> None:
    model, fields = ITEMS[entity]
    try:
        await client.find(model, [], fields, limit=1)
    except SourceFault as error:
        # Tryton tells an unknown model or field by the bare text of a KeyError.
        missing = (error.source_message or "").strip("'")
        if missing == model or missing in {name for path in fields for name in path.split(".")}:
            raise ConfigError(
                f"This Tryton does not know {missing!r}.",
                remedy=f"Activate the module {_MODULES[entity]!r}, or update Tryton to 7.4, and connect again.",
            ) from error
        raise


async def _company_name(client: Client, company: int) -> str:
    rows = await client.find("company.company", [["id", "=", company]], ["rec_name"], limit=1)
    return str(rows[0]["rec_name"]) if rows else str(company)
