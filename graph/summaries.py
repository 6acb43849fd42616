"""Summary types derived from a table's declaration: groups, amounts, and the field that takes them."""

from collections.abc import Mapping
from datetime import date
from enum import Enum
from typing import Any

import strawberry

from db.models.base import One
from db.models.summary import Summary
from db.shapes import SHAPES, Column
from graph.context import Context, Read
from graph.entity import described, graphql_type, made
from graph.lists import OF_CONNECTION, TABLES, argued, filter_type


def summary_field(type_name: str, related: dict[str, Any], description: str) -> Any:
    """Make a field that counts and sums records.

    Args:
        type_name: What is counted.
        related: API type → its class, of what groups point at.
        description: One sentence for the documentation.
    """
    summary = SHAPES[type_name].summary
    if summary is None:
        raise TypeError(f"{type_name} has no summary")
    told = _summary_type(type_name, summary, related)

    def resolve(_: Context, __: Mapping[str, Any]) -> Read:
        return Read(type_name, summary=True)

    group = _group_type(type_name, summary)
    arguments: dict[str, tuple[Any, str]] = {
        "connection_id": OF_CONNECTION,
        "filter": (filter_type(type_name) | None, "Which records; all of them by default."),
        "group_by": (
            list[group],  # type: ignore[valid-type]
            "What to count apart, the first one first; an empty list counts all together.",
        ),
    }
    return argued(resolve, arguments, list[told], description, required={"group_by"})  # type: ignore[valid-type]


def _group_type(type_name: str, summary: Summary) -> Any:
    members: Any = Enum(f"{type_name}Group", {name.upper(): name for name in summary.groups})  # type: ignore[misc]
    group = strawberry.enum(members, description=f"What {type_name} records can be counted by.")
    return described(group, {name.upper(): _meaning(type_name, summary, name) for name in summary.groups})


def _meaning(type_name: str, summary: Summary, name: str) -> str:
    fields = TABLES[type_name].model_fields
    if name in summary.months:
        return f"The month, as its first day. Of: {fields[summary.months[name]].description}"
    if name in SHAPES[type_name].relations:
        return "What the records point at; those of one connection only are counted together."
    return fields[SHAPES[type_name].columns[name].name].description or name


def _told(type_name: str, summary: Summary, name: str, related: dict[str, Any]) -> Any:
    shape = SHAPES[type_name]
    if name in summary.months:
        return date | None
    relation = shape.relations.get(name)
    if isinstance(relation, One):
        return related[relation.target] | None
    column: Column = shape.columns[name]
    annotation = TABLES[type_name].model_fields[column.name].annotation
    told = graphql_type(annotation)
    return told if column.nullable else told | None


def _summary_type(type_name: str, summary: Summary, related: dict[str, Any]) -> Any:
    fields: dict[str, tuple[Any, str | None]] = {"count": (int, "How many records.")}
    for name in summary.groups:
        told = _meaning(type_name, summary, name)
        fields[name] = (
            _told(type_name, summary, name, related),
            f"{told} Null also where groupBy does not name it.",
        )
    if summary.per is not None:
        amounts: Any = _amounts_type(type_name, summary, summary.per)
        fields["amounts"] = (
            list[amounts],
            f"Sums, one for each {summary.per}: different ones are never added.",
        )
    return made(f"{type_name}Summary", fields, f"One group of {type_name} records.")


def _amounts_type(type_name: str, summary: Summary, per: str) -> Any:
    columns = TABLES[type_name].model_fields
    fields: dict[str, tuple[Any, str | None]] = {
        per: (str | None, columns[per].description),
        "count": (int, "How many records, whether or not they have amounts."),
    }
    for name in summary.sums:
        told = graphql_type(columns[name].annotation)
        fields[name] = (told, f"{columns[name].description} Added up; null where no record has it.")
    return made(f"{type_name}Amounts", fields, f"Sums of {type_name} records that share their {per}.")
