"""Stock adjustments: a goods movement, for stock itself is read-only in SAP.

The request is SAP's own (API_MATERIAL_DOCUMENT_SRV, knowledge base article 3027233): a deep insert of header and
item. Which movement type adds and takes stock, and under which code, is a matter of the tenant's customizing: the
connection's write defaults say it, and without them nothing is sent.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from connectors.base import Change, JsonObject, Written
from connectors.kit.odata2 import text_literal, write_day, write_decimal
from connectors.sap_s4hana import values as v
from connectors.sap_s4hana.client import SapClient
from connectors.sap_s4hana.forms import WriteDefaults
from connectors.sap_s4hana.services import STOCK_KEY, stock_id, stock_key
from connectors.sap_s4hana.units import native_unit
from connectors.sap_s4hana.write.orders import made, place_fields
from connectors.sap_s4hana.write.steps import Steps, found, known, missing, refuse
from db.types import ErrorCode, Problem

SERVICE: Final = "API_MATERIAL_DOCUMENT_SRV"
STOCK: Final = "API_MATERIAL_STOCK_SRV"
REFERENCE: Final = "ReferenceDocument"
UNRESTRICTED: Final = "01"
_DEFAULTS: Final = {
    "GoodsMovementCode": "goodsMovementCode",
    "GoodsMovementType": "increaseMovementType or decreaseMovementType",
    "Plant": "plant",
    "StorageLocation": "storageLocation",
}


async def adjust(client: SapClient, steps: Steps, change: Change, defaults: WriteDefaults) -> Written:
    """Post the difference between what is there and what should be, unless our reference was posted before.

    SAP takes no absolute quantity: the level is read first, and a movement between the two calls is not
    seen. The operation tells the quantity it started from.
    """
    key, row = await _level(client, level_key(change, defaults))
    on_hand = v.exact(row.get("MatlWrhsStkQtyInMatlBaseUnit")) or Decimal(0)
    unit = v.text(row.get("MaterialBaseUnit"))
    before = await known(
        client, SERVICE, "A_MaterialDocumentHeader", field=REFERENCE, reference=change.reference, key="MaterialDocument"
    )
    if before is not None:
        return found(stock_id(key), change.reference)
    delta = difference(change.values, on_hand)
    if not delta:
        return Written(stock_id(key), {"onHand": str(on_hand), "difference": "0"})
    now = await client.clock()
    body = movement_body(change, defaults, key=key, delta=delta, unit=unit, today=now)
    answer = await steps.call("POST", SERVICE, "A_MaterialDocumentHeader", body=body)
    document = made(steps, answer, "MaterialDocument").source_id
    facts = {"materialDocument": document, "onHand": str(on_hand), "difference": str(delta)}
    return Written(stock_id(key), facts)


def level_key(change: Change, defaults: WriteDefaults) -> dict[str, str]:
    """Give the key of the level to adjust: the record's own, or unrestricted stock of an item at a place.

    Raises:
        WriteRejected: Item, plant or storage location are missing.
    """
    if change.source_id:
        return stock_key(change.source_id)
    values = change.values
    default = {"Plant": defaults.plant, "StorageLocation": defaults.storage_location}
    place = {**default, **({"Plant": values["site"]} if values.get("site") else {}), **place_fields(values)}
    problems = missing(place, where=_DEFAULTS)
    if not values.get("item_source_id"):
        problems.append(Problem(ErrorCode.BAD_USER_INPUT, "SAP needs the item.", ("item",)))
    refuse(problems)
    told = {
        "Material": values["item_source_id"],
        "InventoryStockType": UNRESTRICTED,
        "Batch": values.get("lot"),
        **place,
    }
    return {name: str(told.get(name) or "") for name in STOCK_KEY}


async def level_id(client: SapClient, change: Change, defaults: WriteDefaults) -> str:
    """Give the key of the level that a change adjusts, as SAP tells it."""
    return stock_id((await _level(client, level_key(change, defaults)))[0])


def difference(values: Mapping[str, Any], on_hand: Decimal) -> Decimal:
    """Give what to add (positive) or take away.

    Raises:
        WriteRejected: Not exactly one of `quantity` and `delta` is given.
    """
    quantity, delta = values.get("quantity"), values.get("delta")
    if (quantity is None) == (delta is None):
        refuse([Problem(ErrorCode.BAD_USER_INPUT, "Give either quantity or delta.", ("quantity",))])
    return Decimal(delta) if quantity is None else Decimal(quantity) - on_hand  # type: ignore[arg-type]


def movement_body(
    change: Change,
    defaults: WriteDefaults,
    *,
    key: Mapping[str, str],
    delta: Decimal,
    unit: str | None,
    today: datetime,
) -> JsonObject:
    """Make header and item of the goods movement.

    Raises:
        WriteRejected: The connection does not say how its SAP posts it.
    """
    movement = defaults.increase_movement_type if delta > 0 else defaults.decrease_movement_type
    asked = change.values.get("unit")
    entry_unit = native_unit(asked, overrides=defaults.unit_map) if asked else unit
    item: JsonObject = {
        "Material": key["Material"],
        "Plant": key["Plant"],
        "StorageLocation": key["StorageLocation"],
        "Batch": key["Batch"] or None,
        "InventorySpecialStockType": key["InventorySpecialStockType"] or None,
        "InventoryStockType": None if key["InventoryStockType"] == UNRESTRICTED else key["InventoryStockType"],
        "GoodsMovementType": movement,
        "QuantityInEntryUnit": write_decimal(abs(delta)),
        "EntryUnit": entry_unit,
        "MaterialDocumentItemText": (change.values.get("reason") or "")[:50] or None,
    }
    extra = dict(change.source_fields)
    item |= extra.pop("to_MaterialDocumentItem", {})
    header: JsonObject = {
        "DocumentDate": write_day(today.date()),
        "PostingDate": write_day(today.date()),
        "GoodsMovementCode": defaults.goods_movement_code,
        **extra,
        REFERENCE: change.reference,
    }
    needed = {"GoodsMovementCode": header["GoodsMovementCode"], "GoodsMovementType": item["GoodsMovementType"]}
    refuse(missing(needed, where=_DEFAULTS))
    return {**header, "to_MaterialDocumentItem": [{name: value for name, value in item.items() if value is not None}]}


async def _level(client: SapClient, asked: Mapping[str, str]) -> tuple[dict[str, str], JsonObject]:
    """Find the level: its key as SAP tells it and its row, or the key asked for and nothing.

    Blank parts are not asked for, as SAP tells some of them as `0`; only the special stock indicator is.
    """
    told = {name: value for name, value in asked.items() if value or name == "InventorySpecialStockType"}
    filters = " and ".join(f"{name} eq {text_literal(value)}" for name, value in told.items())
    rows = (await client.list(STOCK, "A_MatlStkInAcctMod", {"$filter": filters, "$top": "2"}, at_most=2)).rows
    if len(rows) > 1:
        refuse([Problem(ErrorCode.BAD_USER_INPUT, "There are several batches there: say which lot.", ("lot",))])
    return ({name: str(rows[0].get(name) or "") for name in STOCK_KEY}, rows[0]) if rows else (dict(asked), {})
