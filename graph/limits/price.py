"""What a selection costs, as numbers that add up: points, and what is limited by itself."""

import math
from dataclasses import dataclass
from typing import Final

from graph.errors import too_complex

MAX_POINTS: Final = 10_000
MAX_READS: Final = 150
MAX_LISTS: Final = 50
MAX_RELATIONS: Final = 200
MAX_CONDITIONS: Final = 100
FIELDS_A_POINT: Final = 10
_FAR: Final = 1e15


@dataclass(frozen=True, slots=True)
class Told:
    """What is told: how many objects, their points, and the points of what is done whatever is found."""

    objects: float = 0
    points: float = 0
    fixed: float = 0

    def __add__(self, other: "Told") -> "Told":
        return Told(self.objects + other.objects, self.points + other.points, self.fixed + other.fixed)

    def __mul__(self, count: float) -> "Told":
        return Told(self.objects * count, self.points * count, self.fixed * count)


@dataclass(frozen=True, slots=True)
class Counted:
    """What stands in the document, its fragments written out."""

    reads: float = 0
    lists: float = 0
    relations: float = 0
    conditions: float = 0

    def __add__(self, other: "Counted") -> "Counted":
        return Counted(
            self.reads + other.reads,
            self.lists + other.lists,
            self.relations + other.relations,
            self.conditions + other.conditions,
        )


@dataclass(frozen=True, slots=True)
class Price:
    """What a selection costs.

    Attributes:
        leaves: Fields of its own level that have none below.
        own: What it tells once.
        row: What it tells for each row of the list around it; only inside a Relay list.
        counted: What is limited by itself.
    """

    leaves: float = 0
    own: Told = Told()
    row: Told = Told()
    counted: Counted = Counted()

    def __add__(self, other: "Price") -> "Price":
        return Price(
            self.leaves + other.leaves, self.own + other.own, self.row + other.row, self.counted + other.counted
        )

    @property
    def _object(self) -> Told:
        return Told(1, max(1, math.ceil(min(self.leaves, _FAR) / FIELDS_A_POINT))) + self.own

    def as_objects(self, count: float) -> "Price":
        """Give the price of several objects of which this is selected."""
        return Price(own=self._object * count, counted=self.counted)

    def as_rows(self) -> "Price":
        """Give the price of a Relay list's rows of which this is selected."""
        return Price(row=self._object, counted=self.counted)

    def as_page(self, rows: float) -> "Price":
        """Give the price of a Relay list of which this is selected."""
        return Price(own=self._object + self.row * rows, counted=self.counted)

    @property
    def points(self) -> int:
        """The whole price, before it is known what will be found."""
        return max(1, math.ceil(min(self.own.points + self.own.fixed, _FAR)))

    @property
    def reads(self) -> int:
        """How many reads of the store there are at most."""
        return math.ceil(min(self.counted.reads, _FAR))

    def actual(self, told: int) -> int:
        """Give the price once it is known how many objects were told."""
        share = min(1.0, told / self.own.objects) if self.own.objects else 0.0
        return max(1, math.ceil(self.own.fixed + self.own.points * share))

    def check(self) -> None:
        """Refuse what is too much.

        Raises:
            ApiError: QUERY_TOO_COMPLEX, with what was counted and the limit.
        """
        counted = self.counted
        for what, found, limit in (
            ("reads", counted.reads, MAX_READS),
            ("lists", counted.lists, MAX_LISTS),
            ("relations", counted.relations, MAX_RELATIONS),
            ("filter conditions", counted.conditions, MAX_CONDITIONS),
            ("points", self.points, MAX_POINTS),
        ):
            if found > limit:
                raise too_complex(what, found, limit, advice=_ADVICE.get(what))


_ADVICE: Final = {
    "reads": "Read a list, or send several requests.",
    "points": "Ask for smaller pages or fewer levels.",
}
NOTHING: Final = Price()
