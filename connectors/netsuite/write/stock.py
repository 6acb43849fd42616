"""Stock adjustments: an inventoryAdjustment moves what is there by a quantity; there is no absolute one."""

from decimal import Decimal
from typing import Final

from connectors.base import Change, JsonObject, Written
from connectors.errors import WriteRejected
from connectors.netsuite import values as v
from connectors.netsuite.forms import WriteDefaults
from connectors.netsuite.read import Reader
from connectors.netsuite.tables import LEVELS
from connectors.netsuite.write.steps import Steps, create, given, number, problem, reference_to, refuse

RECORD: Final = "inventoryAdjustment"
_MEMO: Final = 900


async def adjust(reader: Reader, steps: Steps, change: Change, defaults: WriteDefaults) -> Written:
    """Book the difference between what is there and what should be, unless our reference was booked before.

    The level is read first, and a movement between the two calls is not seen: the operation tells the quantity that
    it started from.

    Raises:
        WriteRejected: Item, location or account are missing.
    """
    item, location = _place(change, defaults)
    level_id = v.level_id(item, location)
    levels = await reader.fetch(LEVELS, [level_id])
    on_hand = (v.exact(levels[0].body.get("quantityonhand")) if levels else None) or Decimal(0)
    delta = _difference(change, on_hand)
    facts = {"onHand": str(on_hand), "difference": str(delta)}
    if not delta:
        return Written(level_id, facts)
    extra = dict(change.source_fields)
    line: JsonObject = {
        "item": {"id": item},
        "location": {"id": location},
        "adjustQtyBy": number(delta, ("quantity",)),
        **extra.pop("inventory", {}),
    }
    body: JsonObject = {
        **given(
            {
                "subsidiary": reference_to(defaults.subsidiary),
                "account": reference_to(defaults.adjustment_account),
                "adjLocation": {"id": location},
                "memo": (change.values.get("reason") or "")[:_MEMO] or None,
            }
        ),
        **extra,
        "inventory": {"items": [line]},
    }
    if not body.get("account"):
        message = "NetSuite needs account: give it in sourceFields, or set adjustmentAccount in the write defaults."
        refuse([problem(message, "sourceFields", "account")])
    done = await create(steps, RECORD, body, change.reference)
    return Written(level_id, {**facts, **done.facts, "inventoryAdjustment": done.source_id})


def _place(change: Change, defaults: WriteDefaults) -> tuple[str, str]:
    if change.source_id:
        item, _, location = change.source_id.partition(":")
        if not (item.isdigit() and location.isdigit()):
            raise WriteRejected("This is not the key of a level of NetSuite.")
        return item, location
    told = change.values.get("location_source_id") or defaults.location
    item = str(change.values.get("item_source_id") or "")
    problems = [] if item else [problem("NetSuite needs the item.", "item")]
    problems += [] if told else [problem("NetSuite needs the location, here or in the write defaults.", "location")]
    refuse(problems)
    return item, str(told)


def _difference(change: Change, on_hand: Decimal) -> Decimal:
    quantity, delta = change.values.get("quantity"), change.values.get("delta")
    if (quantity is None) == (delta is None):
        refuse([problem("Give either quantity or delta.", "quantity")])
    return Decimal(delta) if quantity is None else Decimal(quantity) - on_hand  # type: ignore[arg-type]


def level_of(change: Change, defaults: WriteDefaults) -> str:
    """Give the key of the level that a change adjusts."""
    return v.level_id(*_place(change, defaults))
