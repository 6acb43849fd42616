"""Carrying out one method call, whichever door it came through."""

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from sandbox.kit.system import NO_PAGE_FAULTS, PageFaults
from sandbox.odoo import orm
from sandbox.odoo.config import User
from sandbox.odoo.env import Env
from sandbox.odoo.errors import OdooError, bad_call, no_such
from sandbox.odoo.rules.registry import COMPUTED, METHODS
from sandbox.odoo.system import OdooSystem

_SINCE = {"has_access": 18}
_UNTIL = {"check_access_rights": 18, "button_done": 18}


def environment(system: OdooSystem, user: User, context: Mapping[str, Any], bent: PageFaults = NO_PAGE_FAULTS) -> Env:
    """Begin a transaction: its stamp is the present, however long it takes."""
    return Env(system, user, system.clock.stamp(), COMPUTED, {**context, orm.PAGE_FAULTS: bent})


def positional(env: Env, model: str, method: str, args: list[Any], kwargs: Mapping[str, Any]) -> Any:
    """Call a method as `execute_kw` does: ids first where the method is one of records.

    Raises:
        OdooError: Whatever Odoo raises.
    """
    function, on_records = _found(env, model, method)
    if on_records:
        if not args:
            raise bad_call(f"{model}.{method}() missing 1 required positional argument: 'ids'")
        ids, *args = args
        args = [[ids] if isinstance(ids, int) else ids, *args]
    return _run(env, function, method, args, kwargs)


def named(env: Env, model: str, method: str, ids: list[int] | None, parameters: Mapping[str, Any]) -> Any:
    """Call a method as JSON-2 does: by named parameters only.

    Raises:
        OdooError: Whatever Odoo raises.
    """
    if model not in env.system.models:
        raise no_such(f"the model {model!r} does not exist")
    try:
        function, on_records = _found(env, model, method)
    except OdooError as error:
        raise no_such(f"the method '{model}.{method}' does not exist") from error
    if ids is not None and not on_records:
        raise OdooError("werkzeug.exceptions.UnprocessableEntity", f"cannot call {model}.{method} with ids", 422)
    result = _run(env, function, method, [ids or []] if on_records else [], parameters)
    return [result] if method == "create" and isinstance(result, int) else result


def _found(env: Env, model: str, method: str) -> tuple[Callable[..., Any], bool]:
    """Give a method of a model, and whether it is one of records."""
    label = env.model(model).name
    if method.startswith("_"):
        raise OdooError(
            "odoo.exceptions.AccessError",
            f"Private methods (such as '{label}.{method}') cannot be called remotely.",
            403,
        )
    known = _SINCE.get(method, 0) <= env.system.version <= _UNTIL.get(method, 99)
    if known and method in orm.MODEL_METHODS:
        return partial(orm.MODEL_METHODS[method], env, model), False
    if known and method in orm.RECORD_METHODS:
        return partial(orm.RECORD_METHODS[method], env, model), True
    if known and method in METHODS.get(model, {}):
        return partial(METHODS[model][method], env), True
    if (model, method) == ("res.users", "context_get"):
        return partial(orm.context_get, env, model), False
    raise OdooError("builtins.AttributeError", f"The method '{label}.{method}' does not exist", 404)


def _run(env: Env, function: Callable[..., Any], method: str, args: list[Any], kwargs: Mapping[str, Any]) -> Any:
    try:
        bound = inspect.signature(function).bind(*args, **kwargs)
    except TypeError as error:
        raise bad_call(f"{method}() {error}") from error
    with env.system.transaction():
        return function(*bound.args, **bound.kwargs)
