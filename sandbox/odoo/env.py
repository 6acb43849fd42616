"""One call: who makes it, in which context, and at which instant its transaction began."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sandbox.odoo import domain
from sandbox.odoo.config import User
from sandbox.odoo.errors import OdooError, bad_value, missing, no_access
from sandbox.odoo.schema.model import Field, Model
from sandbox.odoo.store import Row, Table
from sandbox.odoo.system import OdooSystem

Computed = Callable[["Env", Row], Any]


@dataclass(slots=True)
class Env:
    """What Odoo calls an environment.

    Attributes:
        now: When the transaction began: all that it writes carries this stamp, whenever it ends.
        computed: Fields that are made on reading, by model and name.
    """

    system: OdooSystem
    user: User
    now: datetime
    computed: Mapping[tuple[str, str], Computed]
    context: Mapping[str, Any] = field(default_factory=dict)

    def model(self, name: str) -> Model:
        """Give a model.

        Raises:
            OdooError: There is none of that name.
        """
        if name not in self.system.models:
            raise OdooError("odoo.exceptions.UserError", f"Object {name} doesn't exist", 404)
        return self.system.models[name]

    def table(self, model: str) -> Table:
        """Give the table of a model; templates are their only variants here."""
        return self.system.tables["product.product" if model == "product.template" else model]

    def allow(self, model: str, operation: str) -> None:
        """Check the user's rights.

        Raises:
            OdooError: AccessError.
        """
        if not self.allows(model, operation):
            raise no_access(model, self.model(model).label, operation)

    def allows(self, model: str, operation: str) -> bool:
        """Tell whether the user may read, write, create or unlink records of a model."""
        if model in self.user.denied:
            return False
        return operation == "read" or not self.user.read_only

    def existing(self, model: str, ids: Iterable[int]) -> list[int]:
        """Give the ids, all of which must be there.

        Raises:
            OdooError: MissingError.
        """
        asked = list(ids)
        gone = [number for number in asked if number not in self.table(model)]
        if gone:
            raise missing(model, gone, self.user.uid)
        return asked

    def value(self, model: str, row: Row, one: Field) -> Any:
        """Give a field of a row, stored or computed."""
        if one.stored and not (one.kind == "one2many" and model == "purchase.order"):
            return row.get(one.name)
        if one.name == "display_name":
            return self.system.named(model, row["id"])
        if one.name == "__last_update":
            return row["write_date"]
        found = self.computed.get((model, one.name))
        return found(self, row) if found is not None else None

    def compiler(self) -> domain.Compiler:
        """Make what compiles domains."""
        return domain.Compiler(self.system.models, self.value, lambda m, n: self.table(m).get(n), self.system.named)

    def shown(self, model: str, rows: Iterable[Row], names: list[str] | None) -> list[dict[str, Any]]:
        """Write rows as they go over the wire: False for empty, [id, name] for references, whole seconds.

        Raises:
            OdooError: ValueError: no such field.
        """
        known = self.model(model).fields
        chosen = list(names) if names else list(known)
        for name in chosen:
            if name not in known:
                raise bad_value(f"Invalid field {name!r} on model {model!r}")
        fields = [known[name] for name in chosen if name != "id"]
        return [
            {"id": row["id"], **{one.name: self._shown(one, self.value(model, row, one)) for one in fields}}
            for row in rows
        ]

    def _shown(self, one: Field, value: Any) -> Any:
        match one.kind:
            case "many2one":
                return [value, self.system.named(one.relation, value)] if value else False
            case "datetime":
                return value.isoformat(" ")[:19] if value else False
            case "float" | "monetary":
                return float(value or 0)
            case "integer":
                return value or 0
            case "one2many" | "many2many":
                return list(value or ())
            case _:
                return value or False
