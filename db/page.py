"""One statement per read: a selection becomes SQL that returns the answer's JSON text."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

from db import changes
from db.fetch import Fetch, FetchPool
from db.keysets import CONNECTION, ORGANIZATION, bound
from db.lists import Whose, scope_clause, told_page
from db.models.base import AnyRecord, Many, One, Relation
from db.models.records import versions
from db.past import MOST, changed, children, forgotten, too_many, unchanged
from db.pieces import Told, listed, literal, told_object
from db.scope import Scope
from db.selection import (
    Inside,
    Leaf,
    OneById,
    PagePart,
    PageSelection,
    Part,
    Related,
    RelatedPage,
    RelatedRecord,
    Root,
    Selection,
    Slots,
    SummaryOf,
)
from db.shapes import SHAPES, Shape
from db.summaries import summarised
from db.told import answer, refusal, told_column, told_inside, told_list, told_typename


class _Statement:
    """One statement being written; hands out table aliases that no subquery shares."""

    def __init__(self) -> None:
        self._count = 0
        self._as_of: set[str] = set()

    def next_alias(self) -> str:
        self._count += 1
        return f"t{self._count}"

    def told(self, selection: Selection, alias: str) -> Told:
        """Tell an object."""
        shape = SHAPES[selection.type_name]
        return told_object((part.key, self._part(part, shape, alias)) for part in selection.parts)

    def page(self, page: PageSelection, *, alias: str, whose: Whose) -> Told:
        """Tell a list."""
        if page.as_of_slot is not None:
            self._as_of.add(alias)
        return told_page(page, alias=alias, whose=whose, next_alias=self.next_alias, tell=self.told)

    def one(self, root: OneById, alias: str, *, held: bool, key: str | None = None) -> str:
        """Give the SQL of one object by its id: the one in its slot, or the one that `key` tells."""
        shape = SHAPES[root.selection.type_name]
        key = key or bound("id" if shape.key == "id" else "text", root.id_slot)
        where = f"{scope_clause(shape, alias, held=held)} AND {alias}.{shape.key} = {key}"
        if root.as_of_slot is None:
            return f"SELECT {self.told(root.selection, alias).sql} FROM {shape.table} {alias} WHERE {where}"
        at = bound("instant", root.as_of_slot)
        self._as_of.add(alias)
        there = f"(SELECT {alias}.connection_id FROM {shape.table} {alias} WHERE {where})"
        sources = (
            unchanged(shape.type_name, at=at),
            changed(shape.type_name, at=at, connection=there, record=key),
        )
        rows = " UNION ALL ".join(f"SELECT {alias}.* FROM {source} {alias} WHERE {where}" for source in sources)
        gone, since = forgotten(at, connections=f"c.id = {alias}.connection_id")
        told = self.told(root.selection, alias).sql
        told = f"CASE WHEN {gone} THEN {refusal('HISTORY_EXPIRED', since)} ELSE {told} END"
        return f"SELECT {told} FROM ({rows}) {alias}"

    def summary(self, root: SummaryOf, alias: str, *, held: bool) -> str:
        """Give the SQL of a summary."""
        return summarised(root, alias=alias, held=held, next_alias=self.next_alias, tell=self._part)

    def _part(self, part: Part, shape: Shape, alias: str) -> Told:
        if isinstance(part, Leaf):
            return self._leaf(part, shape, alias)
        if isinstance(part, Inside):
            return told_inside(alias, shape, part)
        relation = shape.relations[part.name]
        if isinstance(relation, AnyRecord) or isinstance(part, RelatedRecord):
            return self._record(part, relation, alias)
        target, other = SHAPES[relation.target], self.next_alias()
        join = " AND ".join(
            [
                *(f"{other}.{theirs} = {alias}.{mine}" for theirs, mine in relation.on.items()),
                *(f"{other}.{theirs} = {literal(value)}" for theirs, value in relation.only.items()),
                *([f"NOT {alias}.past"] if part.name == "raw_item" and alias in self._as_of else []),
            ]
        )
        if isinstance(part, RelatedPage):
            source = None
            if shape.entity is not None and target.type_name == "RecordVersion":  # seven other tables need no planning
                source = versions({shape.table: shape.entity})
            whose = Whose((join,), f"{alias}.{shape.connection_column}", source)
            return self.page(part.page, alias=other, whose=whose)
        told = self.told(part.selection, other).sql
        own = children(shape.type_name, part.name, alias) if alias in self._as_of else None
        source = f"{own or target.table} {other} WHERE {join}"
        if isinstance(relation, One):
            return Told((f"(SELECT {told} FROM {source})",), "null")
        return self._whole(relation, told, source, other)

    def _leaf(self, part: Leaf, shape: Shape, alias: str) -> Told:
        if part.name == "__typename":
            return told_typename(shape.type_name)
        told = told_column(alias, shape.type_name, shape.columns[part.name])
        past = part.name == "raw" and alias in self._as_of  # what it was made of then is not kept
        return Told((f"CASE WHEN {alias}.past THEN 'null' ELSE {told.sql} END",)) if past else told

    def _record(self, part: Part, relation: Relation, alias: str) -> Told:
        """Tell a record of the kind that the row names."""
        if not isinstance(relation, AnyRecord) or not isinstance(part, RelatedRecord):
            raise TypeError(f"{part.name} is told as a record of any kind")
        told = []
        for selection in part.selections:
            target, other = SHAPES[selection.type_name], self.next_alias()
            where = f"{other}.connection_id = {alias}.connection_id AND {other}.id = {alias}.{relation.record}"
            found = f"SELECT {self.told(selection, other).sql} FROM {target.table} {other} WHERE {where}"
            told.append(f"WHEN '{target.entity}' THEN coalesce(({found}), 'null')")
        return Told((f"CASE {alias}.{relation.entity} {' '.join(told)} ELSE 'null' END",))

    @staticmethod
    def _whole(relation: Many, told: str, source: str, alias: str) -> Told:
        order = ", ".join(f"{alias}.{column}" for column in relation.order)
        return listed(f"(SELECT string_agg({told}, ',' ORDER BY {order}) FROM {source})")


@lru_cache(maxsize=2048)
def compiled(root: Root, *, held: bool = False) -> str:
    """Give the statement for a selection, held to one connection or not; equal shapes share it."""
    statement = _Statement()
    alias = statement.next_alias()
    if isinstance(root, PageSelection):
        return _page(root, statement, alias, held=held)
    if isinstance(root, SummaryOf):
        return statement.summary(root, alias, held=held)
    if isinstance(root, OneById):
        return statement.one(root, alias, held=held)
    shape = SHAPES[root.selection.type_name]
    told = statement.told(root.selection, alias).sql
    source = f"{shape.table} {alias} WHERE {scope_clause(shape, alias, held=held)}"
    return f"SELECT {told_list(f'SELECT {told} AS told, {alias}.{shape.key} FROM {source}', shape.key).sql}"


@lru_cache(maxsize=2048)
def _each(root: OneById, *, held: bool) -> str:
    """Give the statement of several objects that are read alike: an array in the order of the ids, which are $3."""
    statement = _Statement()
    one = statement.one(root, statement.next_alias(), held=held, key="asked.id")
    return f"SELECT ARRAY(SELECT ({one}) FROM unnest({bound('id', root.id_slot, many=True)}) AS asked(id))"


def _page(root: PageSelection, statement: _Statement, alias: str, *, held: bool) -> str:
    """Give the statement of a list of its own."""
    scope = scope_clause(SHAPES[root.type_name], alias, held=held)
    told = statement.page(root, alias=alias, whose=Whose((scope,), CONNECTION if held else None)).sql
    refused = changes.refused(root) if root.numbered else _refused(root, held=held)
    if refused:
        cases = " ".join(f"WHEN {condition} THEN {text}" for condition, text in refused)
        told = f"CASE {cases} ELSE {told} END"
    there = f" FROM connection WHERE organization_id = {ORGANIZATION} AND id = {CONNECTION}" if root.named else ""
    return f"SELECT {told}{there}"


def _refused(root: PageSelection, *, held: bool) -> list[tuple[str, str]]:
    """Give the SQL of what a list as of an instant is refused for, and of the text told then.

    In the order of ids, page by page, any list can be told. Else all that has changed since is looked at.
    """
    if root.as_of_slot is None:
        return []
    at = bound("instant", root.as_of_slot)
    own = f"c.organization_id = {ORGANIZATION} AND " + (f"c.id = {CONNECTION}" if held else f"{CONNECTION} IS NULL")
    gone, since = forgotten(at, connections=own)
    found = [(gone, refusal("HISTORY_EXPIRED", since))]
    walked = all(sort.column == "id" for sort in root.sorts[:1]) and root.condition is None
    if not walked or any(part.name == "totalCount" for part in root.parts):
        found.append((too_many(root.type_name, at=at, connections=own), refusal("HISTORY_TOO_LONG", f"'{MOST}'")))
    return found


@lru_cache(maxsize=2048)
def by_values(root: Root) -> bool:
    """Tell whether the values in the slots decide how a read is best done: whether anything in it is filtered."""
    if isinstance(root, PageSelection):
        return (
            root.condition is not None
            or root.as_of_slot is not None
            or any(_parts_by_values(part) for part in root.parts)
        )
    return root.condition is not None if isinstance(root, SummaryOf) else _by_values(root.selection)


def _parts_by_values(part: PagePart) -> bool:
    return (part.node is not None and _by_values(part.node)) or any(map(_parts_by_values, part.parts))


def _by_values(selection: Selection) -> bool:
    return any(
        by_values(part.page)
        if isinstance(part, RelatedPage)
        else isinstance(part, Related) and _by_values(part.selection)
        for part in selection.parts
    )


async def read_json(fetch: Fetch | FetchPool, root: Root, slots: Slots, *, scope: Scope) -> str | None:
    """Run a read as one statement.

    Args:
        fetch: A transaction held to the same scope, or the pool for a transaction of its own.
        root: The selection's shape.
        slots: Its values, in slot order, in the types of their columns.
        scope: Who asks.

    Returns:
        The answer as JSON text; None where no row has the id.

    Raises:
        Refused: The statement says why it cannot be answered.
    """
    statement = compiled(root, held=scope.connection_id is not None)
    return answer(await fetch.value(statement, scope.organization_id, scope.connection_id, *slots))


async def read_each(
    fetch: Fetch | FetchPool, root: OneById, ids: Sequence[UUID], others: Sequence[Any], *, scope: Scope
) -> list[str | None]:
    """Run the same read of several objects as one statement; gives what `read_json` gives for each id."""
    statement = _each(root, held=scope.connection_id is not None)
    told: list[str | None] = await fetch.value(statement, scope.organization_id, scope.connection_id, ids, *others)
    return told
