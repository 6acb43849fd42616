"""Rules that most models share: defaults, mandatory fields, and a check before anything is stored."""

from collections.abc import Callable
from typing import Any

from sandbox.odoo.env import Env
from sandbox.odoo.store import Row
from sandbox.odoo.values import need

Defaults = Callable[[Env, Row], Row]
Check = Callable[[Env, Row, int | None], Row]
"""Looks at a record as it would be, and gives the values to store; the id is None for a new one."""


def _none(_env: Env, _values: Row) -> Row:
    return {}


def _as_given(_env: Env, values: Row, _number: int | None) -> Row:
    return values


def _may_go(_env: Env, _number: int) -> None:
    return None


class Plain:
    """Rules of one model.

    Args:
        defaults: Gives what a new record has where nothing is said.
        check: Refuses, or completes what is to be stored.
        may_go: Refuses deletion.
    """

    def __init__(
        self,
        model: str,
        *,
        defaults: Defaults = _none,
        check: Check = _as_given,
        may_go: Callable[[Env, int], None] = _may_go,
    ) -> None:
        self.model = model
        self._defaults = defaults
        self._check = check
        self._may_go = may_go

    def defaults(self, env: Env, values: Row) -> Row:
        """Give what a new record has where nothing is said."""
        return self._defaults(env, values)

    def create(self, env: Env, values: Row) -> int:
        """Make a record."""
        row = self._check(env, {**self.defaults(env, values), **values}, None)
        need(env.model(self.model), row)
        made: int = env.system.add(self.model, row, stamp=env.now, uid=env.user.uid)["id"]
        return made

    def write(self, env: Env, number: int, values: Row) -> None:
        """Change a record."""
        before = env.system.tables[self.model][number]
        row = self._check(env, {**before, **values}, number)
        need(env.model(self.model), row)
        changed: dict[str, Any] = {name: value for name, value in row.items() if before.get(name) != value}
        env.system.change(self.model, number, {**values, **changed}, stamp=env.now, uid=env.user.uid)

    def unlink(self, env: Env, number: int) -> None:
        """Refuse to delete a record, or not."""
        self._may_go(env, number)
