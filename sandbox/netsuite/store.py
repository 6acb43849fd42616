"""The account's tables, in SQLite in memory.

Dates and instants are bytes `YYYY-MM-DD HH:MM:SS` in the account's zone, so that they sort, compare with one another,
and are told from text when an answer is written.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from sandbox.netsuite.schema import INDEXES, KEYS, TABLES, VIEWS
from sandbox.netsuite.suiteql.functions import register

Row = dict[str, Any]
_TYPES: Final = {"id": "INTEGER", "text": "TEXT", "number": "REAL", "flag": "TEXT", "date": "BLOB", "stamp": "BLOB"}


class Store:
    """Rows by table.

    Attributes:
        version: Grows with every change, so that running queries know that they are stale.
        now: What SYSDATE gives.
    """

    def __init__(self) -> None:
        self.version = 0
        self.now = b""
        self.clear()

    def clear(self) -> None:
        """Begin anew, with empty tables."""
        self.version += 1
        # One server loop uses it, which may run in another thread than the one that made it.
        self.db = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        register(self.db)
        self.db.create_function("sysdate", 0, lambda: self.now)
        for table, columns in TABLES.items():
            own = [f'"{name}" {_TYPES[kind]}' for name, kind in columns.items()]
            key = KEYS.get(table, (next(iter(columns)),))
            own += [f"PRIMARY KEY ({', '.join(_quoted(name) for name in key)})"] if key else []
            self.db.execute(f'CREATE TABLE "{table}" ({", ".join(own)})')
        for view, table in VIEWS.items():
            self.db.execute(f'CREATE VIEW {view} AS SELECT * FROM "{table}"')
        for number, index in enumerate(INDEXES):
            table, _, columns_ = index.partition("(")
            self.db.execute(f'CREATE INDEX i{number} ON "{table}" ({columns_}')

    def fill(self, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Put in many rows that all name the same columns, as data is seeded."""
        given = list(rows)
        if given:
            names = tuple(given[0])
            self.pour(table, names, [tuple(row[name] for name in names) for row in given])

    def pour(self, table: str, names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        """Put in many rows, as tuples."""
        self.db.execute("BEGIN")
        self.db.executemany(_insert(table, names), rows)
        self.db.execute("COMMIT")
        self.version += 1

    def add(self, table: str, row: Mapping[str, Any]) -> None:
        """Put in a row."""
        self.db.execute(_insert(table, tuple(row)), tuple(row.values()))
        self.version += 1

    def change(self, table: str, key: Mapping[str, Any], values: Mapping[str, Any]) -> None:
        """Change the rows of a key."""
        if not values:
            return
        sets = ", ".join(f"{_quoted(name)} = ?" for name in values)
        self.db.execute(f'UPDATE "{table}" SET {sets} WHERE {_where(key)}', (*values.values(), *key.values()))
        self.version += 1

    def remove(self, table: str, key: Mapping[str, Any]) -> None:
        """Take out the rows of a key."""
        self.db.execute(f'DELETE FROM "{table}" WHERE {_where(key)}', tuple(key.values()))
        self.version += 1

    def one(self, table: str, key: Mapping[str, Any]) -> Row | None:
        """Give the row of a key."""
        return next(self.rows(table, key), None)

    def rows(self, table: str, key: Mapping[str, Any], *, order: str = "rowid") -> Iterator[Row]:
        """Yield the rows of a key, in the order of a column."""
        where = f" WHERE {_where(key)}" if key else ""
        cursor = self.db.execute(f'SELECT * FROM "{table}"{where} ORDER BY {order}', tuple(key.values()))
        names = [column[0] for column in cursor.description]
        for values in cursor.fetchall():
            yield dict(zip(names, values, strict=True))

    def value(self, query: str, values: Sequence[Any] = ()) -> Any:
        """Give the single value of a query of ours; None where there is none."""
        found = self.db.execute(query, values).fetchone()
        return found[0] if found else None

    def next_id(self, table: str, column: str = "id") -> int:
        """Draw the next number of a table."""
        return int(self.value(f'SELECT coalesce(max("{column}"), 0) + 1 FROM "{table}"'))

    def count(self, table: str) -> int:
        """Count a table's rows."""
        return int(self.value(f'SELECT count(*) FROM "{table}"'))


def _insert(table: str, names: Sequence[str]) -> str:
    columns = ", ".join(_quoted(name) for name in names)
    return f'INSERT INTO "{table}" ({columns}) VALUES ({", ".join("?" * len(names))})'


def _where(key: Mapping[str, Any]) -> str:
    return " AND ".join(f"{_quoted(name)} = ?" for name in key)


def _quoted(name: str) -> str:
    return f'"{name}"'
