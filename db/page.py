"""One statement per read: a selection becomes SQL that returns the answer's JSON text."""

from functools import lru_cache
from uuid import UUID

from db.fetch import Fetch
from db.keysets import FIRST_SLOT
from db.lists import CONNECTION, ORGANIZATION, Whose, scope_clause, told_page
from db.models.base import Many, One
from db.scope import Scope
from db.selection import (
    All,
    Inside,
    Leaf,
    ManyById,
    PagePart,
    PageSelection,
    Part,
    Related,
    RelatedPage,
    Root,
    Selection,
    Slots,
)
from db.shapes import SHAPES, Shape
from db.told import literal, told_column, told_inside, told_list, told_object, told_typename


class _Statement:
    """One statement being written; hands out table aliases that no subquery shares."""

    def __init__(self) -> None:
        self._count = 0

    def next_alias(self) -> str:
        self._count += 1
        return f"t{self._count}"

    def told(self, selection: Selection, alias: str) -> str:
        """Give the SQL of an object's JSON."""
        shape = SHAPES[selection.type_name]
        return told_object((part.key, self._part(part, shape, alias)) for part in selection.parts)

    def page(self, page: PageSelection, *, alias: str, whose: Whose) -> str:
        """Give the SQL of a list's JSON."""
        return told_page(page, alias=alias, whose=whose, next_alias=self.next_alias, tell=self.told)

    def _part(self, part: Part, shape: Shape, alias: str) -> str:
        if isinstance(part, Leaf):
            if part.name == "__typename":
                return told_typename(shape.type_name)
            return told_column(alias, shape.type_name, shape.columns[part.name])
        if isinstance(part, Inside):
            return told_inside(alias, shape, part)
        relation = shape.relations[part.name]
        target, other = SHAPES[relation.target], self.next_alias()
        join = " AND ".join(
            [
                *(f"{other}.{theirs} = {alias}.{mine}" for theirs, mine in relation.on.items()),
                *(f"{other}.{theirs} = {literal(value)}" for theirs, value in relation.only.items()),
            ]
        )
        if isinstance(part, RelatedPage):
            connection = f"{alias}.{shape.connection_column}"
            return self.page(part.page, alias=other, whose=Whose((join,), connection))
        told = self.told(part.selection, other)
        if isinstance(relation, One):
            return f"coalesce((SELECT {told} FROM {target.table} {other} WHERE {join}), 'null')"
        return self._whole(relation, told, f"{target.table} {other} WHERE {join}", other)

    @staticmethod
    def _whole(relation: Many, told: str, source: str, alias: str) -> str:
        order = ", ".join(f"{alias}.{column}" for column in relation.order)
        return f"coalesce((SELECT '[' || string_agg({told}, ',' ORDER BY {order}) || ']' FROM {source}), '[]')"


@lru_cache(maxsize=2048)
def compiled(root: Root, *, held: bool = False) -> str:
    """Give the statement for a selection, held to one connection or not; equal shapes share it."""
    statement = _Statement()
    alias = statement.next_alias()
    if isinstance(root, PageSelection):
        scope = scope_clause(SHAPES[root.type_name], alias, held=held)
        told = statement.page(root, alias=alias, whose=Whose((scope,), CONNECTION if held else None))
        there = f" FROM connection WHERE organization_id = {ORGANIZATION} AND id = {CONNECTION}" if root.named else ""
        return f"SELECT {told}{there}"
    shape = SHAPES[root.selection.type_name]
    told = statement.told(root.selection, alias)
    source = f"{shape.table} {alias} WHERE {scope_clause(shape, alias, held=held)}"
    key = f"{alias}.{shape.key}"
    if isinstance(root, All):
        return f"SELECT {told_list(f'SELECT {told} AS told, {key} FROM {source}', shape.key)}"
    if isinstance(root, ManyById):
        return f"SELECT {key}, {told} FROM {source} AND {key} = ANY(${FIRST_SLOT + root.ids_slot}::uuid[])"
    cast = "uuid" if shape.key == "id" else "text"
    return f"SELECT {told} FROM {source} AND {key} = ${FIRST_SLOT + root.id_slot}::{cast}"


@lru_cache(maxsize=2048)
def by_values(root: Root) -> bool:
    """Tell whether the values in the slots decide how a read is best done: whether anything in it is filtered."""
    if isinstance(root, PageSelection):
        return root.condition is not None or any(_parts_by_values(part) for part in root.parts)
    return _by_values(root.selection)


def _parts_by_values(part: PagePart) -> bool:
    return (part.node is not None and _by_values(part.node)) or any(map(_parts_by_values, part.parts))


def _by_values(selection: Selection) -> bool:
    return any(
        by_values(part.page)
        if isinstance(part, RelatedPage)
        else isinstance(part, Related) and _by_values(part.selection)
        for part in selection.parts
    )


async def read_json(fetch: Fetch, root: Root, slots: Slots, *, scope: Scope) -> str | None:
    """Run a read as one statement.

    Args:
        fetch: A transaction held to the same scope.
        root: The selection's shape.
        slots: Its values, in slot order, in the types of their columns.
        scope: Who asks.

    Returns:
        The answer as JSON text; None where no row has the id.
    """
    statement = compiled(root, held=scope.connection_id is not None)
    told: str | None = await fetch.value(statement, scope.organization_id, scope.connection_id, *slots)
    return told


async def read_many(fetch: Fetch, root: ManyById, slots: Slots, *, scope: Scope) -> dict[UUID, str]:
    """Run a read of several objects of one type as one statement; gives id → JSON text of those that are there."""
    statement = compiled(root, held=scope.connection_id is not None)
    rows = await fetch.rows(statement, scope.organization_id, scope.connection_id, *slots)
    return {row[0]: row[1] for row in rows}
