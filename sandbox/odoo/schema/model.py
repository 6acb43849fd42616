"""Models and fields as the simulated Odoo knows them, read from the texts beside it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from sandbox.odoo.schema.purchase import PURCHASE
from sandbox.odoo.schema.stock import STOCK

# Every model of Odoo has these; `__last_update` went with 17.
_LOG: Final = """
id | integer | ID | ro
display_name | char | Display Name | ro calc
create_uid | many2one | Created by | ro rel=res.users
create_date | datetime | Created on | ro
write_uid | many2one | Last Updated by | ro rel=res.users
write_date | datetime | Last Updated on | ro
__last_update | datetime | Last Modified on | ro calc until=16
"""
VERSIONS: Final = (16, 17, 18, 19)
_MANY: Final = frozenset({"one2many", "many2many"})
_CHOICES: Final = {
    "@order_states": "draft:RFQ,sent:RFQ Sent,to approve:To Approve,purchase:Purchase Order,cancel:Cancelled",
    "@usages": "supplier:Vendor Location,view:View,internal:Internal Location,customer:Customer Location,"
    "inventory:Inventory Loss,production:Production,transit:Transit Location",
}


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a model.

    Attributes:
        kind: Odoo's own word for the type: char, many2one, monetary …
        relation: The model that it points to.
        stored: False for what is computed on reading: it cannot be searched here, nor written.
        manual: Made by the customer (Odoo Studio).
    """

    name: str
    kind: str
    label: str
    required: bool = False
    readonly: bool = False
    relation: str = ""
    selection: tuple[tuple[str, str], ...] = ()
    stored: bool = True
    manual: bool = False
    default: Any = None

    @property
    def many(self) -> bool:
        """True where it holds ids."""
        return self.kind in _MANY

    def described(self) -> dict[str, Any]:
        """Give what `fields_get` tells of it."""
        told: dict[str, Any] = {
            "type": self.kind,
            "string": self.label,
            "required": self.required,
            "readonly": self.readonly,
            "store": self.stored,
            "name": self.name,
            "manual": self.manual,
            "searchable": self.stored,
            "sortable": self.stored and not self.many,
        }
        if self.relation:
            told["relation"] = self.relation
        if self.selection:
            told["selection"] = [list(pair) for pair in self.selection]
        if self.kind == "one2many" and self.relation == "purchase.order.line":
            told["relation_field"] = "order_id"
        return told


@dataclass(frozen=True, slots=True)
class Model:
    """One model, as one version of Odoo has it."""

    name: str
    label: str
    fields: Mapping[str, Field] = field(default_factory=dict)

    @property
    def archives(self) -> bool:
        """True where records can be archived, and are then hidden from searches."""
        return "active" in self.fields


@cache
def models_of(version: int) -> Mapping[str, Model]:
    """Give the models of a version by name.

    Raises:
        ValueError: The version is not simulated.
    """
    if version not in VERSIONS:
        raise ValueError(f"Odoo {version} is not simulated; known are {', '.join(map(str, VERSIONS))}")
    return {model.name: model for text in (PURCHASE, STOCK) for model in read_models(text, version)}


def read_models(text: str, version: int) -> list[Model]:
    """Read models from text.

    Args:
        text: Blocks of `model = Label | flags`, then a line a field: name | type | label | flags. Flags are req, ro,
            calc, manual, rel=MODEL, default=VALUE, since=VERSION, until=VERSION, and last sel=VALUE:LABEL,….
        version: Fields of other versions are left out.
    """
    models = []
    for block in text.strip().split("\n\n"):
        head, *lines = block.splitlines()
        name, label = head.split(" = ")
        label, _, flags = label.partition(" | ")
        if not _has(version, flags):
            continue
        fields = [_field(line, version) for line in (*_LOG.strip().splitlines(), *lines)]
        models.append(Model(name, label, {each.name: each for each in fields if each is not None}))
    return models


def _field(line: str, version: int) -> Field | None:
    name, kind, label, flags = [*(part.strip() for part in line.split("|")), ""][:4]
    if not _has(version, flags):
        return None
    flags = _taken(_taken(flags, "since")[0], "until")[0]
    plain, _, selection = flags.partition("sel=")
    for short, choices in _CHOICES.items():
        selection = selection.replace(short, choices)
    words = set(plain.split())
    named = dict(word.split("=", 1) for word in words if "=" in word)
    pairs = tuple((pair.split(":")[0], pair.split(":")[1]) for pair in selection.strip().split(",") if pair)
    return Field(
        name,
        kind,
        label,
        required="req" in words,
        readonly="ro" in words,
        relation=named.get("rel", ""),
        selection=pairs,
        stored="calc" not in words,
        manual="manual" in words,
        default=named.get("default"),
    )


def _has(version: int, flags: str) -> bool:
    """Tell whether a version has what bears these flags."""
    return int(_taken(flags, "since")[1] or 0) <= version <= int(_taken(flags, "until")[1] or 99)


def _taken(flags: str, name: str) -> tuple[str, str]:
    """Take `name=NUMBER` out of the flags, wherever it stands."""
    before, found, rest = flags.partition(f"{name}=")
    if not found:
        return flags, ""
    number, _, after = rest.partition(" ")
    return f"{before}{after}", number
