"""What a system publishes of itself: published.json in its folder, which says where it comes from."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any


@cache
def beside(module: str) -> Mapping[str, Any]:
    """Give the published.json that stands beside a module, by its `__file__`."""
    told: Mapping[str, Any] = json.loads(Path(module).with_name("published.json").read_text("utf-8"))
    return told
