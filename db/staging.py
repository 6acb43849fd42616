"""Rows on their way in: COPY into a table of the session, and from there in one statement as the scoped role.

COPY straight into a table under row-level security is refused. The tables hold text, which Postgres casts as it stores.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from sqlalchemy import BigInteger, Boolean, Date, DateTime, Integer, Numeric
from sqlalchemy.dialects.postgresql import JSON, JSONB
from sqlmodel import SQLModel

from db.engine import WriteSession, fetching

_CASTS: Final = (
    (JSONB, "::jsonb"),
    (JSON, "::json"),
    (Numeric, "::numeric"),
    (DateTime, "::timestamptz"),
    (Date, "::date"),
    (BigInteger, "::bigint"),
    (Integer, "::integer"),
    (Boolean, "::boolean"),
)


def cast_of(table: type[SQLModel], name: str) -> str:
    """Give the cast from text to a column's type; none for text."""
    kind = table.__table__.columns[name].type  # type: ignore[attr-defined]
    return next((cast for of, cast in _CASTS if isinstance(kind, of)), "")


@dataclass(frozen=True, slots=True)
class Stage:
    """A table of the session.

    Attributes:
        name: Its name.
        keys: Columns with types of their own: name → type; `batch` stands before them.
        texts: Columns of text.
    """

    name: str
    keys: tuple[tuple[str, str], ...]
    texts: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns, in the order of the rows."""
        return (*(name for name, _ in self.keys), *self.texts)


@cache
def _made(stages: tuple[Stage, ...]) -> str:
    # Planned for its own values, a statement about a connection that the statistics do not know yet is planned for one
    # row, and reads all of the connection's, each time.
    told = ["SET LOCAL plan_cache_mode = force_generic_plan"]
    for stage in stages:
        columns = [f"{name} {kind}" for name, kind in stage.keys] + [f"{name} text" for name in stage.texts]
        # Made once a connection and emptied by each commit: making it anew for each page bloats the catalogue.
        # Rows up to a block stay as they are: what is read once is not worth compressing.
        told.append(
            f"CREATE TEMPORARY TABLE IF NOT EXISTS {stage.name} ({', '.join(columns)})"
            " WITH (toast_tuple_target = 8160) ON COMMIT DELETE ROWS"
        )
    return "; ".join(told)


def number(session: WriteSession) -> int:
    """Give a number for the rows of a batch; `batch` is the first column of every stage."""
    batch: int = session.info.get("batch", 0) + 1
    session.info["batch"] = batch
    return batch


async def make(session: WriteSession, *stages: Stage) -> None:
    """Make the tables where the connection has none yet; a session is one transaction, so what it made stays made.

    From then on its statements are planned once a connection, for any values.
    """
    made: set[str] = session.info.setdefault("stages", set())
    missing = tuple(stage for stage in stages if stage.name not in made)
    if missing:
        async with fetching(session) as fetch:
            await fetch.script(_made(missing))
        made.update(stage.name for stage in missing)


async def copy(session: WriteSession, stage: Stage, rows: Sequence[tuple[Any, ...]]) -> None:
    """COPY rows into a table that `make` made."""
    if rows:
        async with fetching(session) as fetch:
            await fetch.copy(stage.name, rows, columns=stage.columns)
