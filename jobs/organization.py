"""The door to an organization's own settings."""

from collections.abc import Mapping
from typing import Any, Final

from db import audit, connections
from db.engine import Database
from db.scope import Scope
from db.types import ErrorCode, Problem
from jobs.origins import bare_origin_of

MAX_ORIGINS: Final = 50
_MAX_NAME: Final = 255


class OrganizationDoor:
    """Changes organizations."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def update(self, scope: Scope, changes: Mapping[str, Any]) -> list[Problem]:
        """Change an organization's settings: all of them, or none where something is wrong.

        Args:
            changes: name, allowed_origins; each where it is given.
        """
        values, problems = dict(changes), []
        if "name" in values:
            values["name"] = values["name"].strip()
            if not 0 < len(values["name"]) <= _MAX_NAME or "\0" in values["name"]:
                problems.append(_bad("name", f"an organization's name has 1 to {_MAX_NAME} characters"))
        if "allowed_origins" in values:
            values["allowed_origins"], wrong = _origins(values["allowed_origins"])
            problems += wrong
        if problems:
            return problems
        async with self._database.write(scope) as session:
            await connections.update_organization(session, scope, values)
            told = {_NAMES.get(name, name): value for name, value in values.items()}
            target = ("Organization", scope.organization_id)
            audit.record(session, scope, "updateOrganization", target=target, changes=told)
        return []


_NAMES: Final = {"allowed_origins": "allowedOrigins"}


def _origins(given: list[str]) -> tuple[list[str], list[Problem]]:
    if len(given) > MAX_ORIGINS:
        return [], [_bad("allowedOrigins", f"there are at most {MAX_ORIGINS} of them")]
    origins, problems = [], []
    for number, text in enumerate(given):
        try:
            origins.append(bare_origin_of(text))
        except ValueError as error:
            problems.append(_bad("allowedOrigins", str(error), str(number)))
    return list(dict.fromkeys(origins)), problems


def _bad(name: str, message: str, *more: str) -> Problem:
    return Problem(ErrorCode.BAD_USER_INPUT, f"{'.'.join((name, *more))}: {message}.", (name, *more))
