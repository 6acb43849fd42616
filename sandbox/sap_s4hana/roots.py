"""Which document a row is part of: an order's items, schedule lines and notes are changes of the order."""

from collections.abc import Mapping
from typing import Final

from sandbox.sap_s4hana.edm import EntityType
from sandbox.sap_s4hana.store import Row

_ROOTS: Final = ("A_PurchaseOrder", "A_BusinessPartner", "A_Product", "MaintenanceOrder", "A_MaterialDocumentHeader")
# The same number under another name; suppliers have the number of their business partner.
_ALIASES: Final[Mapping[str, str]] = {"PurchasingDocument": "PurchaseOrder", "Supplier": "BusinessPartner"}
REFERENCES: Final[Mapping[str, str]] = {
    "A_PurchaseOrder": "CorrespncExternalReference",
    "A_BusinessPartner": "BusinessPartnerIDByExtSystem",
    "A_MaterialDocumentHeader": "ReferenceDocument",
}
"""Where a document keeps the reference of whoever made it."""


class Roots:
    """Finds the documents of rows."""

    def __init__(self, types: Mapping[str, EntityType]) -> None:
        self._roots = {name: _root(kind, types) for name, kind in types.items()}

    def of(self, row: Row) -> tuple[str, str, str]:
        """Give the document's set and key, and which part of it the row is: "" for the document's own row."""
        root, parts = self._roots[row.type.set_name]
        own = root == row.type.set_name
        return root, ",".join(row.key[:parts]), "" if own else f"{row.type.set_name}({','.join(row.key[parts:])})"


def _root(kind: EntityType, types: Mapping[str, EntityType]) -> tuple[str, int]:
    """Give the root set of a set, and how many parts of the key are the root's."""
    names = tuple(_ALIASES.get(name, name) for name in kind.key)
    for root in _ROOTS:
        key = tuple(types[root].key)
        if types[root].service == kind.service and names[: len(key)] == key:
            return root, len(key)
    return kind.set_name, len(kind.key)
