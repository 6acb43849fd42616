"""Dev mode's Postgres and Redis: the ones it is given, else embedded ones, with generated secrets."""

import asyncio
import base64
import json
import os
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crosshead.dev.lock import DataDir
from crosshead.embedded.postgres import EmbeddedPostgres
from crosshead.embedded.redis import EmbeddedRedis

LOGIN = DATABASE = "crosshead"


class State:
    """What dev mode remembers between starts: generated secrets, ports, connections; readable by its user only."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._values: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}

    def get(self, name: str) -> Any:
        """Give a value; None where there is none."""
        return self._values.get(name)

    def put(self, name: str, value: Any) -> None:
        """Keep a value, in one step."""
        self._values[name] = value
        partial = self._path.with_suffix(".partial")
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(self._values, file, indent=1)
        partial.replace(self._path)

    def once(self, name: str, make: Callable[[], Any]) -> Any:
        """Give a value, made the first time."""
        if name not in self._values:
            self.put(name, make())
        return self._values[name]


@dataclass(frozen=True, slots=True)
class Servers:
    """Running servers.

    Attributes:
        environment: CROSSHEAD_ variables for the API and the worker.
        postgres: The embedded cluster, which also holds Tryton's database; None where one was given and no Tryton.
        notices: What people should know.
        pids: Processes that dev mode cannot live without.
    """

    environment: dict[str, str]
    postgres: EmbeddedPostgres | None
    notices: tuple[str, ...]
    pids: tuple[int, ...]


@asynccontextmanager
async def running_servers(data: DataDir, state: State, *, tryton: bool) -> AsyncIterator[Servers]:
    """Start what is not given by CROSSHEAD_DATABASE_URL and CROSSHEAD_REDIS_URL; stop it at the end."""
    database_url, redis_url = os.environ.get("CROSSHEAD_DATABASE_URL"), os.environ.get("CROSSHEAD_REDIS_URL")
    postgres = EmbeddedPostgres(data.folder("postgres")) if database_url is None or tryton else None
    redis = EmbeddedRedis(data.folder("redis")) if redis_url is None else None
    pids: list[int] = []
    notices: list[str] = []
    try:
        if postgres is not None:
            await asyncio.to_thread(postgres.start)
            pids.append(postgres.pid)
        if redis is not None:
            await asyncio.to_thread(redis.start)
            pids.append(redis.pid)
            redis_url = redis.url
            notices += [redis.notice] if redis.notice else []
        if database_url is None and postgres is not None:
            database_url = await asyncio.to_thread(_own_database, postgres, state)
        environment = {
            "CROSSHEAD_DATABASE_URL": str(database_url),
            "CROSSHEAD_REDIS_URL": str(redis_url),
            "CROSSHEAD_MASTER_KEYS": os.environ.get("CROSSHEAD_MASTER_KEYS") or state.once("master_keys", _master_key),
        }
        yield Servers(environment, postgres, tuple(notices), tuple(pids))
    finally:
        for server in (redis, postgres):
            if server is not None:
                await asyncio.to_thread(server.stop)


def _own_database(postgres: EmbeddedPostgres, state: State) -> str:
    password = state.once("database_password", lambda: secrets.token_urlsafe(24))
    postgres.ensure_role(LOGIN, password, createrole=True)
    postgres.ensure_database(DATABASE, LOGIN)
    return postgres.dsn(DATABASE, user=LOGIN, password=password)


def _master_key() -> str:
    return "dev:" + base64.b64encode(os.urandom(32)).decode()
