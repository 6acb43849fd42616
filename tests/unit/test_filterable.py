"""Every column that lists can be filtered and ordered by has an index that begins with its connection."""

import pytest
from sqlalchemy import Index, UniqueConstraint

from db.models.registry import ENTITIES
from db.shapes import SHAPES

COLUMNS = [
    (spec.type_name, column.ordinal or column.name)
    for spec in ENTITIES
    for column in SHAPES[spec.type_name].columns.values()
    if column.filterable
]


@pytest.mark.parametrize(("type_name", "column"), COLUMNS)
def test_a_filterable_column_is_indexed_behind_its_connection(type_name: str, column: str) -> None:
    table = next(spec.table for spec in ENTITIES if spec.type_name == type_name).__table__  # type: ignore[attr-defined]
    keys = [
        [c.name for c in each.columns]
        for each in (*table.indexes, *table.constraints)
        if isinstance(each, (Index, UniqueConstraint))
    ]

    assert [key for key in keys if key[:2] == ["connection_id", column]] != []
