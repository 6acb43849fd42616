"""Relay lists as SQL: which rows, in which order, from where, and what is told of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from db.changes import POSITIONS, told_position, window
from db.incomplete import told_incomplete
from db.keysets import CONNECTION, FIRST_SLOT, ORGANIZATION, bound, order_by, ranges, told_cursor
from db.models.base import across
from db.past import changed, unchanged
from db.pieces import Told, joined, known, listed, quoted, told_object
from db.predicates import Rows, filtered
from db.selection import PagePart, PageSelection, Selection
from db.shapes import SHAPES, Shape
from db.told import told_typename

Teller = Callable[[Selection, str], Told]
"""Tells a row from what is selected of it and its alias."""
_ROWS: Final = frozenset({"nodes", "edges"})
_CURSORS: Final = frozenset({"startCursor", "endCursor"})


@dataclass(frozen=True, slots=True)
class Whose:
    """Which rows a list is of.

    Attributes:
        where: Conditions on the list's own table.
        connection: SQL of the one connection that the rows belong to; None where they are an organization's.
        source: Where the rows are, where that is narrower than their table.
    """

    where: tuple[str, ...]
    connection: str | None
    source: str | None = None


def scope_clause(shape: Shape, alias: str, *, held: bool = False) -> str:
    """Give the application's own scope filter; row-level security holds without it too.

    Args:
        held: $2 names the connection that the read is held to. Were that asked in SQL ($2 IS NULL OR …), a plan
            made for any values could not begin at the connection in an index.
    """
    if shape.connection_column is None:
        return f"coalesce({CONNECTION}, {ORGANIZATION}) IS NOT NULL"
    if held:
        return f"{alias}.organization_id = {ORGANIZATION} AND {alias}.{shape.connection_column} = {CONNECTION}"
    own = across(f"{alias}.organization_id") if shape.indexed_across else f"{alias}.organization_id"
    return f"{own} = {ORGANIZATION} AND {CONNECTION} IS NULL"


@dataclass(frozen=True, slots=True)
class _List:
    """One list of a statement, with the names that it uses."""

    page: PageSelection
    shape: Shape
    alias: str
    whose: Whose
    next_alias: Callable[[], str]
    tell: Teller

    @property
    def limit(self) -> str:
        return f"${FIRST_SLOT + self.page.limit_slot}::int"

    @property
    def order(self) -> str:
        return order_by(self.page, self.shape, self.alias)

    @property
    def more(self) -> bool:
        """One row more than asked is read where `hasNextPage` is asked for, which costs nothing else."""
        return self.page.numbered or bool(_asked_of_info(self.page) & {_more(self.page)})

    @property
    def counted_off(self) -> bool:
        """The rows' places are needed, to leave that row out or to find the first and last."""
        return self.more or bool(_asked_of_info(self.page) & _CURSORS)

    @property
    def tail(self) -> str:
        return f"ORDER BY {self.order} LIMIT {self.limit}{' + 1' if self.more else ''}"


def _asked_of_info(page: PageSelection) -> set[str]:
    return {each.name for part in page.parts if part.name == "pageInfo" for each in part.parts}


def _more(page: PageSelection) -> str:
    return "hasPreviousPage" if page.backward else "hasNextPage"


def told_page(page: PageSelection, *, alias: str, whose: Whose, next_alias: Callable[[], str], tell: Teller) -> Told:
    """Tell a Relay list."""
    one = _List(page, SHAPES[page.type_name], alias, whose, next_alias, tell)
    if page.numbered:
        rows, counted = window(page, alias, where=" AND ".join(whose.where)), "SELECT 0"
    else:
        rows, counted = _everywhere(one) if _is_spread(one) else _in_place(one, whose)
    told = told_object((part.key, _part(part, one, counted)) for part in page.parts)
    pieces = told.pieces
    if not any(part.name in _ROWS for part in page.parts):
        # The empty count makes it an aggregate, and so one row, whatever was selected.
        pieces = (*pieces, "left(count(*)::text, 0)")
    if one.counted_off:
        places = f"row_number() OVER (ORDER BY {one.order}) AS list_row, count(*) OVER () AS list_rows"
        rows = f"SELECT {alias}.*, {places} FROM ({rows}) {alias}"
    return Told((f"(SELECT {joined(pieces)} FROM ({rows}) {alias})",))


def _is_spread(one: _List) -> bool:
    """Tell whether rows of many connections are wanted in an order that no index has across connections."""
    if one.whose.connection is not None or not one.shape.by_connection:
        return False
    if one.page.as_of_slot is not None:
        return True
    return one.page.condition is not None or any(sort.column != one.shape.key for sort in one.page.sorts)


def _sources(one: _List, whose: Whose) -> list[tuple[str, str]]:
    """Give where the list's rows are found, and the condition on them there."""
    shape, alias, page = one.shape, one.alias, one.page
    where = [*whose.where, *([] if page.gone_too or not shape.deletable else [f"{alias}.deleted_at IS NULL"])]

    def held(*, past: bool) -> str:
        if page.condition is None:
            return " AND ".join(where)
        connection = whose.connection or f"{alias}.{shape.connection_column}"
        rows = Rows(alias, connection, one.next_alias, past=past)
        return " AND ".join([*where, filtered(page.condition, shape, rows)])

    if page.as_of_slot is None:
        return [(whose.source or shape.table, held(past=False))]
    if whose.connection is None:
        raise TypeError("history is read connection by connection")
    at = bound("instant", page.as_of_slot)
    return [
        (unchanged(page.type_name, at=at), held(past=False)),
        (changed(page.type_name, at=at, connection=whose.connection), held(past=True)),
    ]


def _in_place(one: _List, whose: Whose) -> tuple[str, str]:
    """Give the rows of the page, read in order, and their count in the whole list."""
    shape, alias, page = one.shape, one.alias, one.page
    sources = _sources(one, whose)
    counts = [f"SELECT count(*) AS n FROM {source} {alias} WHERE {where}" for source, where in sources]
    counted = counts[0] if len(counts) == 1 else f"SELECT ({') + ('.join(counts)}) AS n"
    selects = [
        f"SELECT {alias}.* FROM {source} {alias} WHERE {where} AND {beyond} {one.tail}"
        for source, where in sources
        for beyond in ranges(page, shape, alias) or ["true"]
    ]
    if len(selects) == 1:
        return selects[0], counted
    # Each part is read in order and no further than the page needs: they are merged row by row.
    return f"SELECT {alias}.* FROM (({') UNION ALL ('.join(selects)})) {alias} {one.tail}", counted


def _everywhere(one: _List) -> tuple[str, str]:
    """Give the page's rows from the first ones of each connection of the organization, and the count of all."""
    each = one.next_alias()
    where = (f"{one.alias}.organization_id = {ORGANIZATION}", f"{one.alias}.connection_id = {each}.id")
    rows, counted = _in_place(one, Whose(where, f"{each}.id"))
    own = f"{each}.organization_id = {ORGANIZATION} AND {CONNECTION} IS NULL"
    lateral = "SELECT {told} FROM connection {each} CROSS JOIN LATERAL ({rows}) {alias} WHERE {own}"
    return (
        lateral.format(told=f"{one.alias}.*", each=each, rows=rows, alias=one.alias, own=own) + f" {one.tail}",
        lateral.format(told=f"coalesce(sum({one.alias}.n), 0)", each=each, rows=counted, alias=one.alias, own=own),
    )


def _listed(told: Told, one: _List) -> Told:
    order = order_by(one.page, one.shape, one.alias, told=True)
    shown = f" FILTER (WHERE {one.alias}.list_row <= {one.limit})" if one.more else ""
    return listed(f"string_agg({told.sql}, ',' ORDER BY {order}){shown}")


def _cursor_at(cursor: Told, one: _List, row: str) -> Told:
    at = f"max({cursor.sql}) FILTER (WHERE {one.limit} > 0 AND {one.alias}.list_row = {row})"
    return Told((at,), "null")


def _part(part: PagePart, one: _List, counted: str) -> Told:
    page, alias = one.page, one.alias
    if part.name == "__typename":
        return told_typename("ChangeConnection" if page.numbered else f"{page.type_name}Connection")
    if part.name == "incomplete":
        connection = one.whose.connection
        scope = f"c.organization_id = {ORGANIZATION}"
        of = f"{scope} AND {CONNECTION} IS NULL" if connection is None else f"c.id = {connection}"
        return told_incomplete(part, one.shape, of=of)
    if part.name == "totalCount":
        return Told((f"(SELECT ({counted})::text)",))
    if part.name in _ROWS:
        return _rows(part, one)
    return quoted(f"{told_position(part.name, page, alias)}::text") if part.name in POSITIONS else _page_info(part, one)


def _rows(part: PagePart, one: _List) -> Told:
    page, alias = one.page, one.alias
    if part.name == "nodes":
        return _listed(one.tell(part.node, alias) if part.node else known("null"), one)
    edge: dict[str, Callable[[PagePart], Told]] = {
        "cursor": lambda _: told_cursor(page, one.shape, alias),
        "__typename": lambda _: told_typename("ChangeEdge" if page.numbered else f"{page.type_name}Edge"),
        "node": lambda p: one.tell(p.node, alias) if p.node else known("null"),
    }
    return _listed(told_object((p.key, edge[p.name](p)) for p in part.parts), one)


def _page_info(part: PagePart, one: _List) -> Told:
    page = one.page
    more = Told((f"(count(*) > {one.limit})::text",))
    resumed = known("true" if page.keyset is not None else "false")
    cursor = told_cursor(page, one.shape, one.alias)
    first = _cursor_at(cursor, one, "1")
    last = _cursor_at(cursor, one, f"least({one.alias}.list_rows, {one.limit})")
    info = {
        "__typename": told_typename("PageInfo"),
        "hasNextPage": resumed if page.backward else more,
        "hasPreviousPage": more if page.backward else resumed,
        "startCursor": last if page.backward else first,
        "endCursor": first if page.backward else last,
    }
    if page.numbered:
        ends = {name: told_position(name, page, one.alias) for name in ("nextSequence", "lastSequence")}
        info["hasNextPage"] = Told((f"({ends['nextSequence']} < {ends['lastSequence']})::text",))
        info["endCursor"] = quoted(f"{ends['nextSequence']}::text")
    return told_object((p.key, info[p.name]) for p in part.parts)
