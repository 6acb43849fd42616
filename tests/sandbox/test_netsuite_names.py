"""Every column of the simulated NetSuite, and every one that the connector asks for, held against what others tell."""

import pytest

from connectors.netsuite.tables import LINES, Table
from connectors.netsuite.tables import TABLES as ASKED
from sandbox.netsuite.published import columns, unheld
from sandbox.netsuite.schema import TABLES

CUSTOM = ("custbody", "custcol", "custentity", "custitem")
HELD = sorted(table for table in TABLES if columns(table))


@pytest.mark.parametrize("table", HELD)
def test_every_column_is_told_of_somewhere_or_said_to_be_told_of_nowhere(table: str) -> None:
    """To see it fail, write a column of your own into sandbox/netsuite/schema.py."""
    own = {name for name in TABLES[table] if not name.startswith(("_", *CUSTOM))}

    assert own - columns(table) == unheld(table)


def test_tables_that_are_read_are_held() -> None:
    assert HELD == [
        "account", "classification", "currency", "employee", "entityaddress", "inventoryitemlocations", "item",
        "location", "subsidiary", "transaction", "transactionline", "vendor",
    ]  # fmt: skip


@pytest.mark.parametrize("table", [*ASKED.values(), LINES], ids=lambda table: str(table.name))
def test_the_connector_asks_for_no_column_that_nobody_tells_of(table: Table) -> None:
    """But for one, which an account that lacks it may leave out."""
    strange = {column.field for column in table.columns} - columns(table.name)

    assert strange == ({"incoterm"} if table.name == "transaction" else set())
    assert all(column.optional for column in table.columns if column.field in strange)
