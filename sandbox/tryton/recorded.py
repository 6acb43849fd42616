"""What real Trytons answered, served again: recorded/*.json. Each method has one answer, or none was asked for."""

from functools import cache
from pathlib import Path
from typing import Any, Final

from sandbox.kit import recorded
from sandbox.kit.recorded import JsonObject, Recording

_FOLDER: Final = Path(__file__).parent / "recorded"
_LINES: Final = "model.purchase.line.search_read"


@cache
def recordings() -> tuple[Recording, ...]:
    """Give all recordings."""
    return tuple(Recorded(path.stem).recording() for path in sorted(_FOLDER.glob("*.json")))


class Recorded:
    """One server's answers."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.told = recorded.read(_FOLDER / f"{name}.json")
        self.answers: list[JsonObject] = self.told["answers"]

    def recording(self) -> Recording:
        """Make it one to be served."""
        told = self.told
        return Recording(self.name, told["origin"], told["credentials"], told["expected"], told["refused"], self.answer)

    def body(self, method: str) -> bytes:
        """Give the answer to a call, as it came; of a list that nobody asked for, an empty one."""
        told = next((each for each in self.answers if each["method"] == method and "result" in each), None)
        result: Any = told["result"] if told else [] if method.endswith(".search_read") else None
        if method.endswith(".search_count"):
            result = len(self._rows(method.replace(".search_count", ".search_read")))
        if method == "model.purchase.purchase.search_read":
            result = self._with_lines(result)
        return recorded.written({"id": 1, "result": result})

    def answer(self, path: str, body: JsonObject, refusal: str | None) -> tuple[int, bytes]:
        """Answer a call; one like that which was refused, by the refusal."""
        del path
        refused = next((each for each in self.answers if each["name"] == refusal), None)
        if refused is None or refused["method"] != body["method"]:
            return 200, self.body(body["method"])
        if "status" in refused:
            return refused["status"], b""
        return 200, recorded.written({"id": 1, "error": refused["error"]})

    def _rows(self, method: str) -> list[JsonObject]:
        return next((each["result"] for each in self.answers if each["method"] == method and "result" in each), [])

    def _with_lines(self, orders: list[JsonObject]) -> list[JsonObject]:
        """Lay lines that were read by a call of their own under their orders."""
        lines = self._rows(_LINES)
        if not lines:
            return orders
        return [{**order, "lines.": [line for line in lines if line["purchase"] == order["id"]]} for order in orders]
