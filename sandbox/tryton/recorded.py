"""What real Trytons answered, served again: recorded/*.json. Each method has one answer, or none was asked for."""

from pathlib import Path
from typing import Any, Final

from sandbox.kit import recorded as kit
from sandbox.kit.recorded import JsonObject, written

_LINES: Final = "model.purchase.line.search_read"


class Recorded(kit.Recorded):
    """One server's answers."""

    folder = Path(__file__).parent / "recorded"

    def body(self, method: str) -> bytes:
        """Give the answer to a call, as it came; of a list that nobody asked for, an empty one."""
        told = next((each for each in self.answers if each["method"] == method and "result" in each), None)
        result: Any = told["result"] if told else [] if method.endswith(".search_read") else None
        if method.endswith(".search_count"):
            result = len(self._rows(method.replace(".search_count", ".search_read")))
        if method == "model.purchase.purchase.search_read":
            result = self._with_lines(result)
        return written({"id": 1, "result": result})

    def answer(self, path: str, body: JsonObject, refusal: str | None) -> tuple[int, bytes]:
        """Answer a call; one like that which was refused, by the refusal."""
        del path
        refused = next((each for each in self.answers if each["name"] == refusal), None)
        if refused is None or refused["method"] != body["method"]:
            return 200, self.body(body["method"])
        if "status" in refused:
            return refused["status"], b""
        return 200, written({"id": 1, "error": refused["error"]})

    def _rows(self, method: str) -> list[JsonObject]:
        return next((each["result"] for each in self.answers if each["method"] == method and "result" in each), [])

    def _with_lines(self, orders: list[JsonObject]) -> list[JsonObject]:
        """Lay lines that were read by a call of their own under their orders."""
        lines = self._rows(_LINES)
        if not lines:
            return orders
        return [{**order, "lines.": [line for line in lines if line["purchase"] == order["id"]]} for order in orders]
