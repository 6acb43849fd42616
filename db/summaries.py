"""Summaries: records counted and summed by groups, as one statement.

Amounts of different currencies, and quantities of different units, are never added: sums stand apart by what they are
counted in, whatever else the groups go by.
"""

from collections.abc import Callable
from typing import Final

from db.keysets import CONNECTION, ORGANIZATION
from db.lists import Whose, scope_clause
from db.models.summary import Summary
from db.pieces import Told, known, listed, told_object
from db.predicates import Rows, filtered
from db.selection import Inside, Leaf, Part, SummaryOf
from db.shapes import SHAPES, Column, Shape
from db.told import refusal, told_column, told_typename

MOST: Final = 1_000
"""So many groups are told; more are refused."""
_GROUP: Final = "g"
_MONTHS: Final = {
    "date": "date_trunc('month', {x})::date",
    "instant": "date_trunc('month', {x} AT TIME ZONE 'UTC')::date",
}
Teller = Callable[[Part, Shape, str], Told]
"""Tells a part of a record, from the record's shape and its alias."""


def summarised(root: SummaryOf, *, alias: str, held: bool, next_alias: Callable[[], str], tell: Teller) -> str:
    """Give the statement of a summary."""
    shape = SHAPES[root.type_name]
    summary = shape.summary
    if summary is None:
        raise TypeError(f"{root.type_name} has no summary")
    keys = _keys(root, shape, summary)
    amounts = next((part for part in root.parts if isinstance(part, Inside)), None)
    per = summary.per if amounts is not None else None
    whose = Whose((scope_clause(shape, alias, held=held),), CONNECTION if held else None)
    inner = _rows(root, shape, alias, whose, next_alias, keys=keys, per=per)
    names = ", ".join(keys) or "()"
    told_amounts = ""
    if amounts is not None:
        one = told_object((leaf.key, _amount(leaf, shape, summary)) for leaf in amounts.fields).sql
        told_amounts = f", string_agg({one}, ',' ORDER BY a.{per}) AS amounts"
    grouped = (
        f"SELECT {''.join(f'{name}, ' for name in keys)}coalesce(sum(a.n), 0) AS n{told_amounts}"
        f" FROM ({inner}) a GROUP BY {names}"
    )
    told = told_object((part.key, _part(part, root, shape, summary, tell)) for part in root.parts).sql
    order = ", ".join(["g.n DESC", *(f"g.{name}" for name in keys)])
    groups = listed(f"string_agg({told}, ',' ORDER BY {order})").sql
    refused = refusal("TOO_MANY_GROUPS", f"'{MOST}'")
    there = f" FROM connection WHERE organization_id = {ORGANIZATION} AND id = {CONNECTION}" if root.named else ""
    whole = (
        f"SELECT CASE WHEN count(*) > {MOST} THEN {refused} ELSE {groups} END"
        f" FROM ({grouped} LIMIT {MOST + 1}) {_GROUP}"
    )
    return f"SELECT ({whole}){there}"


def _keys(root: SummaryOf, shape: Shape, summary: Summary) -> dict[str, str]:
    """Give what the groups go by: column of the group → its SQL over `{row}`."""
    keys: dict[str, str] = {}
    for name in root.groups:
        relation = shape.relations.get(name)
        if name in summary.months:
            column = shape.columns[summary.months[name]]
            keys[name] = _MONTHS[column.kind].format(x=f"{{row}}.{column.name}")
        elif relation is None:
            keys[name] = f"{{row}}.{shape.columns[name].name}"
        else:
            keys |= {own: f"{{row}}.{own}" for own in summary.joined(relation)}
    return keys


def _rows(
    root: SummaryOf,
    shape: Shape,
    alias: str,
    whose: Whose,
    next_alias: Callable[[], str],
    *,
    keys: dict[str, str],
    per: str | None,
) -> str:
    """Give the SQL of the counts and sums by all that groups and sums are apart by."""
    where = [*whose.where, f"{alias}.deleted_at IS NULL"]
    if root.condition is not None:
        connection = whose.connection or f"{alias}.{shape.connection_column}"
        where.append(filtered(root.condition, shape, Rows(alias, connection, next_alias)))
    columns = {name: sql.format(row=alias) for name, sql in keys.items()}
    if per is not None:
        columns.setdefault(per, f"{alias}.{shape.columns[per].name}")
    told = [f"{sql} AS {name}" for name, sql in columns.items()]
    if per is not None and shape.summary is not None:
        told += [f"sum({alias}.{shape.columns[each].name}) AS sum_{each}" for each in shape.summary.sums]
    by = ", ".join(columns.values()) or "()"
    return (
        f"SELECT {''.join(f'{each}, ' for each in told)}count(*) AS n FROM {shape.table} {alias}"
        f" WHERE {' AND '.join(where)} GROUP BY {by}"
    )


def _amount(leaf: Leaf, shape: Shape, summary: Summary) -> Told:
    if leaf.name == "__typename":
        return told_typename(f"{shape.type_name}Amounts")
    if leaf.name == "count":
        return Told(("a.n::text",))
    if leaf.name == summary.per:
        return told_column("a", shape.type_name, Column(leaf.name, "text"))
    return told_column("a", shape.type_name, Column(f"sum_{leaf.name}", "decimal"))


def _part(part: Part, root: SummaryOf, shape: Shape, summary: Summary, tell: Teller) -> Told:
    if part.name == "__typename":
        return told_typename(f"{shape.type_name}Summary")
    if part.name == "count":
        return Told((f"{_GROUP}.n::text",))
    if isinstance(part, Inside):
        return listed(f"{_GROUP}.amounts")
    if part.name not in root.groups:
        return known("null")
    if part.name in summary.months:
        return told_column(_GROUP, shape.type_name, Column(part.name, "date"))
    return tell(part, shape, _GROUP)
