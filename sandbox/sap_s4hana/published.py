"""What the vendor's own metadata documents tell of entity sets: published.json, which says where it comes from."""

from dataclasses import dataclass
from functools import cache
from typing import Final

from sandbox.kit.published import beside

CUSTOM: Final = "YY1_"
"""Where an item holds the properties that only its tenant has."""


@dataclass(frozen=True, slots=True)
class Published:
    """An entity set.

    Attributes:
        properties: Name → Edm type, with max length, or precision and scale.
        navigation: Name → the set that it leads to.
    """

    key: list[str]
    properties: dict[str, str]
    navigation: dict[str, str]


@cache
def services() -> dict[str, dict[str, Published]]:
    """Give service → entity set → what it has."""
    told = beside(__file__)["services"]
    return {name: {one: Published(**kind) for one, kind in sets.items()} for name, sets in told.items()}


def names(set_name: str, path: tuple[str, ...]) -> set[str] | None:
    """Give the names at a place in the entities of a set, along its navigation; None among a tenant's own."""
    sets = {name: kind for each in services().values() for name, kind in each.items()}
    kind = sets[set_name]
    for step in path:
        if step == CUSTOM:
            return None
        kind = sets[kind.navigation[step]]
    return {*kind.properties, *kind.navigation, CUSTOM}
