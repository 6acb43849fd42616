"""The methods that every model has, with the names and parameters of Odoo's external API."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final

from sandbox.kit.system import NO_PAGE_FAULTS, PageFaults
from sandbox.odoo import domain
from sandbox.odoo.env import Env
from sandbox.odoo.errors import bad_value
from sandbox.odoo.rules.registry import RULES
from sandbox.odoo.store import Row, Table
from sandbox.odoo.values import cleaned

PAGE_FAULTS: Final = "sandbox.page_faults"
"""Where the context of a call holds its faults of pages."""


def search_read(
    env: Env,
    model: str,
    domain: Any = None,
    fields: Any = None,
    offset: int = 0,
    limit: int | None = None,
    order: str | None = None,
) -> list[dict[str, Any]]:
    """Search, and read what was found, in one transaction."""
    env.allow(model, "read")
    found = _search(env, model, domain, offset=offset, limit=limit, order=order)
    return env.shown(model, _faults(env).rows(found), fields)


def search(
    env: Env, model: str, domain: Any = None, offset: int = 0, limit: int | None = None, order: str | None = None
) -> list[int]:
    """Give the ids of what matches."""
    env.allow(model, "read")
    found = _search(env, model, domain, offset=offset, limit=limit, order=order)
    return [row["id"] for row in _faults(env).rows(found)]


def search_count(env: Env, model: str, domain: Any = None, limit: int | None = None) -> int:
    """Count what matches."""
    env.allow(model, "read")
    if not domain and not env.model(model).archives:
        return len(env.table(model))
    return sum(1 for _ in islice(_matching(env, model, domain)[0], limit))


def name_search(env: Env, model: str, name: str = "", args: Any = None, limit: int = 100) -> list[list[Any]]:
    """Give id and name of what has a name like this."""
    env.allow(model, "read")
    found = (row["id"] for row in _search(env, model, args))
    named = ([number, env.system.named(model, number)] for number in found)
    return list(islice((pair for pair in named if name.lower() in pair[1].lower()), limit))


def read(env: Env, model: str, ids: list[int], fields: Any = None, load: str = "_classic_read") -> list[dict[str, Any]]:
    """Read records; those that are not there are left out, unless none is asked for anything else."""
    env.allow(model, "read")
    rows = [row for number in ids if (row := env.table(model).get(number)) is not None]
    shown = env.shown(model, rows, fields)
    if load != "_classic_read":
        ones = [name for name, one in env.model(model).fields.items() if one.kind == "many2one"]
        shown = [{n: v[0] if n in ones and v else v for n, v in row.items()} for row in shown]
    return shown


def fields_get(env: Env, model: str, allfields: Any = None, attributes: Any = None) -> dict[str, dict[str, Any]]:
    """Describe the fields."""
    found = {
        name: one.described() for name, one in env.model(model).fields.items() if not allfields or name in allfields
    }
    if not attributes:
        return found
    return {name: {k: v for k, v in told.items() if k in attributes} for name, told in found.items()}


def default_get(env: Env, model: str, fields_list: list[str]) -> dict[str, Any]:
    """Give defaults."""
    rules = RULES.get(model)
    values = rules.defaults(env, {}) if rules else {}
    return {name: value for name, value in values.items() if name in fields_list}


def check_access_rights(env: Env, model: str, operation: str, raise_exception: bool = True) -> bool:
    """Tell whether the user's groups allow an operation; raises where they do not and it is asked to."""
    if raise_exception:
        env.allow(model, operation)
    return env.allows(model, operation)


def has_access(env: Env, model: str, ids: list[int], operation: str) -> bool:
    """Tell the same, as of 18."""
    return all(number in env.table(model) for number in ids) and env.allows(model, operation)


def create(env: Env, model: str, vals_list: Any) -> Any:
    """Make records; one dict gives one id, a list of them a list."""
    env.allow(model, "create")
    if isinstance(vals_list, dict):
        return _create(env, model, vals_list)
    return [_create(env, model, values) for values in vals_list]


def write(env: Env, model: str, ids: list[int], vals: Any) -> bool:
    """Change records."""
    env.allow(model, "write")
    clean = cleaned(env, env.model(model), vals)
    for number in env.existing(model, ids):
        rules = RULES.get(model)
        if rules is not None:
            rules.write(env, number, clean)
        else:
            env.system.change(_stored_in(model), number, clean, stamp=env.now, uid=env.user.uid)
    return True


def unlink(env: Env, model: str, ids: list[int]) -> bool:
    """Delete records."""
    env.allow(model, "unlink")
    for number in env.existing(model, ids):
        rules = RULES.get(model)
        if rules is not None:
            rules.unlink(env, number)
        env.system.remove(_stored_in(model), number)
    return True


def action_archive(env: Env, model: str, ids: list[int]) -> bool:
    """Hide records."""
    return write(env, model, ids, {"active": False})


def action_unarchive(env: Env, model: str, ids: list[int]) -> bool:
    """Show records again."""
    return write(env, model, ids, {"active": True})


def exists(env: Env, model: str, ids: list[int]) -> list[int]:
    """Give those of the ids that are there."""
    return [number for number in ids if number in env.table(model)]


def context_get(env: Env, _model: str) -> dict[str, Any]:
    """Give the user's context."""
    return {"lang": "en_US", "tz": "Europe/Berlin", "uid": env.user.uid}


# Methods without records, and those on records.
MODEL_METHODS: Final[Mapping[str, Callable[..., Any]]] = {
    "search_read": search_read,
    "search": search,
    "search_count": search_count,
    "name_search": name_search,
    "fields_get": fields_get,
    "default_get": default_get,
    "check_access_rights": check_access_rights,
    "create": create,
}
RECORD_METHODS: Final[Mapping[str, Callable[..., Any]]] = {
    "read": read,
    "write": write,
    "unlink": unlink,
    "exists": exists,
    "has_access": has_access,
    "action_archive": action_archive,
    "action_unarchive": action_unarchive,
}


def _stored_in(model: str) -> str:
    return "product.product" if model == "product.template" else model


def _create(env: Env, model: str, values: Any) -> int:
    clean = cleaned(env, env.model(model), values)
    rules = RULES.get(model)
    if rules is not None:
        number: int = rules.create(env, clean)
        return number
    row = env.system.add(_stored_in(model), clean, stamp=env.now, uid=env.user.uid)
    made: int = row["id"]
    return made


def _faults(env: Env) -> PageFaults:
    found: PageFaults = env.context.get(PAGE_FAULTS, NO_PAGE_FAULTS)
    return found


def _search(
    env: Env, model: str, asked: Any, *, offset: int = 0, limit: int | None = None, order: str | None = None
) -> list[Row]:
    numbers, keys, sorted_already = _matching(env, model, asked, order)
    table = env.table(model)
    found = (row for number in numbers if (row := table.get(number)) is not None)
    rows: Iterable[Row] = found if sorted_already else _sorted(list(found), keys)
    start = _faults(env).start(offset or 0)
    return list(islice(rows, start, None if not limit else start + limit))


def _matching(
    env: Env, model: str, asked: Any, order: str | None = None
) -> tuple[Iterator[int], list[tuple[str, bool]], bool]:
    """Give the ids that match, what they are to be sorted by, and whether they are.

    Among seeded rows those that cannot match are told by what costs little, where the domain asks for no more.
    """
    tree = domain.read(asked or [])
    fields = env.model(model).fields
    test = env.compiler().test(model, tree)
    if env.model(model).archives and env.context.get("active_test", True) and "active" not in domain.fields_of(tree):
        inner = test
        test = lambda row: bool(row.get("active", True)) and inner(row)  # noqa: E731
    table = env.table(model)
    keys = _keys(order or _ORDERS.get(model, "id"), fields)
    candidates, sorted_already = _candidates(table, tree, keys, "order_id")
    light = table.base is not None and domain.paths_of(tree) <= table.base.light_fields
    look = table.light if light else table.get
    found = (number for number in candidates if (row := look(number)) is not None and test(row))
    return found, keys, sorted_already


# What a model is sorted by where nobody says: useless for cursors, as in Odoo.
_ORDERS: Final = {
    "purchase.order": "priority desc, id desc",
    "purchase.order.line": "order_id, sequence, id",
    "res.partner": "name, id desc",
    "product.product": "default_code, name, id",
    "product.template": "name, id",
    "maintenance.stage": "sequence, id",
}


def _keys(order: str, fields: Mapping[str, Any]) -> list[tuple[str, bool]]:
    keys = []
    for part in order.split(","):
        name, _, way = part.strip().partition(" ")
        if name not in fields:
            raise bad_value(f"Invalid field {name!r} in order {order!r}")
        keys.append((name, way.strip().lower().startswith("desc")))
    return keys


def _candidates(
    table: Table, tree: domain.Tree, keys: list[tuple[str, bool]], parent: str
) -> tuple[Iterator[int] | list[int], bool]:
    """Give ids that can match, and whether they come in the order that was asked for."""
    by_id = keys[0] == ("id", False)
    if (ids := domain.among(tree, "id")) is not None:
        return sorted({number for number in ids if isinstance(number, int)}), by_id
    if table.model.name == "purchase.order.line" and (parents := domain.among(tree, parent)) is not None:
        return sorted(number for each in set(parents) for number in table.children(each)), by_id
    stamp = domain.lower(tree, "write_date", domain.instant)
    if keys[0] == ("write_date", False) and keys[1:] in ([], [("id", False)]):
        return table.by_stamp(stamp), True
    low = domain.lower(tree, "id", int) or 0
    if stamp is not None and not by_id:
        return table.by_stamp(stamp), False
    ids = table.ids_from(low)
    return (ids, True) if by_id else (ids[::-1], keys[0] == ("id", True))


def _sorted(rows: list[Row], keys: list[tuple[str, bool]]) -> list[Row]:
    for name, descending in reversed(keys):
        rows.sort(key=lambda row: _sortable(row.get(name)), reverse=descending)
    return rows


def _sortable(value: Any) -> tuple[bool, Any]:
    return (value is None, "" if value is None else value)
