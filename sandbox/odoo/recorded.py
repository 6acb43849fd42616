"""What real Odoo servers of 16.0 and 18.0 answered, served again: recorded/*.json.

Each (model, method) has the answers that were recorded of it. Rows hold the fields that were asked for then; which
fields a model has is told from them where `fields_get` was not recorded.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from sandbox.kit import recorded as kit
from sandbox.kit.recorded import JsonObject, written

_TYPES: Final[tuple[tuple[Callable[[Any], bool], str], ...]] = (
    (lambda value: value is True, "boolean"),
    (lambda value: hasattr(value, "as_tuple"), "float"),
    (lambda value: isinstance(value, int) and value is not False, "integer"),
    (lambda value: isinstance(value, list), "many2one"),
)
_BOOLEANS: Final = frozenset({"archive", "done", "fold", "recurring_maintenance"})
_PRODUCTS: Final = "product.product"


class Recorded(kit.Recorded):
    """One server's answers."""

    folder = Path(__file__).parent / "recorded"

    def named(self, name: str) -> JsonObject:
        """Give an answer by the name of its recording."""
        return next(each for each in self.answers if each["name"].startswith(name))

    def result(self, model: str, method: str) -> Any:
        """Give what a method of a model gave, when it gave something; of several, the fullest."""
        found = [
            each["body"]["result"]
            for each in self.answers
            if _called(each["params"]) == [model, method] and "result" in each["body"]
        ]
        if not found and (model, method) == (_PRODUCTS, "search_read"):
            return self._products()
        return max(found, key=lambda told: len(str(told)), default=[] if method == "search_read" else None)

    def fields(self, model: str) -> dict[str, dict[str, str]]:
        """Give a model's fields."""
        told = self.result(model, "fields_get")
        if told and len(told) > 2:
            return dict(told)
        rows = self.result(model, "search_read")
        return {name: {"type": _type(name, [row[name] for row in rows])} for name in (rows[0] if rows else {"id": 1})}

    def answer(self, path: str, body: JsonObject, refusal: str | None) -> tuple[int, bytes]:
        """Answer a call; one like that which was refused, by the refusal."""
        if path != "/jsonrpc":
            return 404, b"{}"
        params = body["params"]
        if refusal is not None and _like(self.named(refusal)["params"], params):
            return 200, written(self.named(refusal)["body"])
        return 200, written(self._answer(params))

    def _answer(self, params: JsonObject) -> JsonObject:
        if params["service"] == "common":
            name = "00_version" if params["method"] == "version" else "01_authenticate"
            body: JsonObject = self.named(name)["body"]
            return body
        model, method = _called(params)
        if (model, method) == ("res.users", "context_get"):
            return _body({"lang": "en_US", "tz": "UTC", "uid": 2})
        if method == "fields_get":
            return _body(self.fields(model))
        told = self.result(model, method)
        return _body(len(self.result(model, "search_read")) if method == "search_count" else told)

    def _products(self) -> list[JsonObject]:
        """Give the products that others refer to: they were not read by themselves."""
        quants = self.result("stock.quant", "search_read")
        return [{"id": key} for key in sorted({row["product_id"][0] for row in quants})]


def _called(params: JsonObject) -> list[str]:
    called: list[str] = params["args"][3:5] if params["service"] == "object" else [params["service"], params["method"]]
    return called


def _like(refused: JsonObject, params: JsonObject) -> bool:
    """Tell whether a call is one like that which was refused."""
    return _called(refused) == _called(params)


def _body(result: Any) -> JsonObject:
    return {"jsonrpc": "2.0", "id": 1, "result": result}


def _type(name: str, values: list[Any]) -> str:
    if name in _BOOLEANS:
        return "boolean"
    return next((kind for fits, kind in _TYPES if any(fits(value) for value in values)), "char")
