"""Writing: deep inserts, changes, deletions and function imports."""

import json
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from sandbox.sap_s4hana.config import User
from sandbox.sap_s4hana.edm import EntityType, Property, Service
from sandbox.sap_s4hana.odata.bodies import Draft, parse_body
from sandbox.sap_s4hana.odata.encode import ETAG_SETS, Shape, entity_path, etag
from sandbox.sap_s4hana.odata.errors import ODataError, bad_option, not_allowed, not_implemented
from sandbox.sap_s4hana.odata.literals import literal_fits, parse_uri_literal
from sandbox.sap_s4hana.odata.paths import Target
from sandbox.sap_s4hana.odata.query import Query
from sandbox.sap_s4hana.reads import Reader, json_response
from sandbox.sap_s4hana.rules import maintenance
from sandbox.sap_s4hana.rules.registry import RULES, SetRules
from sandbox.sap_s4hana.store import DuplicateKeyError, Row, canonical
from sandbox.sap_s4hana.system import S4System

_SUCCESS = {
    "A_PurchaseOrder": ("06/017", "Standard PO created under the number {}"),
    "MaintenanceOrder": ("IW/085", "Order saved with number {}"),
}


class Writer:
    """Writes for one request."""

    def __init__(self, system: S4System, service: Service, root: str, user: User, *, as_json: bool) -> None:
        self.system = system
        self.service = service
        self.root = root
        self.user = user
        self.json = as_json

    def create(self, target: Target, body: bytes, headers: Mapping[str, str]) -> Response:
        """Answer a POST to a set or to a to-many navigation: 201 with the entity and its Location."""
        if target.kind not in {"set", "children"} or target.count:
            raise not_allowed()
        create = _rules(target.type).create
        if create is None or not (target.type.creatable or target.kind == "children"):
            raise not_implemented(_method(target.type, "CREATE"))
        _expect_json(headers)
        draft = parse_body(body, target.type, self.system.types, "creatable")
        if target.row is not None and target.navigation is not None:
            draft.values.update((right, target.row[left]) for left, right in target.navigation.on)
        _check_duplicates(draft)
        try:
            row = create(self.system, draft, self.user)
        except DuplicateKeyError:
            raise _duplicate(target.type.name) from None
        reader = Reader(self.system, self.service, self.root, as_json=self.json)
        more = {"location": f"{self.root}/{entity_path(row)}", **_success(row)}
        return reader.entity(row, _shape(draft), status=201, headers=more)

    def update(self, target: Target, body: bytes, headers: Mapping[str, str], *, replace: bool) -> Response:
        """Answer PATCH, MERGE or PUT: 204 without body."""
        row = _entity(target)
        update = _rules(target.type).update
        if update is None or not target.type.updatable:
            raise not_implemented(_method(target.type, "UPDATE"))
        _check_etag(row, headers)
        _expect_json(headers)
        draft = parse_body(body, target.type, self.system.types, "updatable")
        if draft.nested:
            name = next(iter(draft.nested))
            raise ODataError(400, "/IWBEP/CM_MGW_RT/041", f"Inline entity '{name}' is not allowed in an update")
        if replace:
            _fill(draft)
        update(self.system, row, draft, self.user)
        more = {} if (tag := etag(row)) is None else {"etag": tag}
        return Response(status_code=204, headers={"dataserviceversion": "2.0", **more})

    def delete(self, target: Target, headers: Mapping[str, str]) -> Response:
        """Answer DELETE: 204; most objects get a deletion indicator and stay readable."""
        row = _entity(target)
        delete = _rules(target.type).delete
        if delete is None or not target.type.deletable:
            raise not_implemented(_method(target.type, "DELETE"))
        _check_etag(row, headers)
        delete(self.system, row, self.user)
        return Response(status_code=204, headers={"dataserviceversion": "2.0"})

    def call_function(self, target: Target, method: str, query: Query) -> Response:
        """Answer a function import: POST with its parameters in the query string."""
        function = target.function
        if function is None or method != function.method:
            raise not_allowed()
        given = dict(query.pairs)
        arguments: dict[str, Any] = {}
        for name, prop in function.parameters.items():
            if name in given:
                arguments[name] = _argument(prop, given[name])
            elif prop.required:
                text = f"No value for mandatory parameter '{name}' specified"
                raise ODataError(400, "/IWCOR/CX_OD_EP_PARAM_ERROR", text)
        maintenance.call_function(self.system, function.name, arguments, self.user)
        about = {"type": f"{self.service.namespace}.{function.returns}"}
        return json_response({"d": {function.name: {"__metadata": about, "IsInvalid": False}}}, 200, {})


def _entity(target: Target) -> Row:
    if target.kind != "entity" or target.row is None:
        raise not_allowed()
    return target.row


def _check_duplicates(draft: Draft) -> None:
    """Refuse siblings with the same key before anything is stored; keys that the application gives do not count."""
    for rows in draft.nested.values():
        given = [
            tuple(row[name] for name in row.type.key) for row in rows if any(n in row.values for n in row.type.key)
        ]
        if len(given) != len(set(given)):
            raise _duplicate(rows[0].type.name)
        for row in rows:
            _check_duplicates(row)


def _duplicate(name: str) -> ODataError:
    return ODataError(400, "/IWBEP/CM_MGW_RT/032", f"Entity of type '{name}' with this key already exists")


def _rules(entity_type: EntityType) -> SetRules:
    return RULES.get(entity_type.set_name, SetRules())


def _method(entity_type: EntityType, verb: str) -> str:
    return f"{entity_type.set_name.upper()}_{verb}_ENTITY"


def _expect_json(headers: Mapping[str, str]) -> None:
    media = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != "application/json":
        raise ODataError(415, "005056A509B11ED1B9BF9F46AC8A42E6", f"Unsupported media type requested: '{media}'")


def _check_etag(row: Row, headers: Mapping[str, str]) -> None:
    """Ask for If-Match where the service has entity tags."""
    if row.type.set_name not in ETAG_SETS:
        return
    given = headers.get("if-match")
    if given is None:
        text = "The request is required to be conditional. Try using the If-Match header."
        raise ODataError(428, "SADL_ENTITY_RUNTIME/006", text)
    if given not in {"*", etag(row)}:
        text = "The state of the resource (entity) was already changed (If-Match)"
        raise ODataError(412, "/IWBEP/CM_MGW_RT/190", text)


def _fill(draft: Draft) -> None:
    """Turn a PUT into the change it means: what is not sent goes back to its initial value."""
    for name, prop in draft.type.properties.items():
        if prop.may("updatable") and name not in draft.type.key:
            draft.values.setdefault(name, prop.initial)


def _argument(prop: Property, text: str) -> Any:
    try:
        kind, value = parse_uri_literal(text)
    except ValueError:
        raise bad_option(f"Invalid parameter '{prop.name}'") from None
    if not literal_fits(kind, prop):
        raise bad_option(f"Invalid Function Import Parameter '{prop.name}'")
    return canonical(prop, value) if isinstance(value, str) else value


def _shape(draft: Draft) -> Shape:
    """Show what was sent inline as it was stored."""
    return Shape(expand={name: _shape(rows[0]) if rows else Shape() for name, rows in draft.nested.items()})


def _success(row: Row) -> dict[str, str]:
    """Give the sap-message header of a success: a message of severity success is no warning."""
    known = _SUCCESS.get(row.type.set_name)
    if known is None:
        return {}
    code, text = known
    message = {"code": code, "message": text.format(row.key[0]), "severity": "success", "target": "", "details": []}
    return {"sap-message": json.dumps(message)}
