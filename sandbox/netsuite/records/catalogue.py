"""/services/rest/record/v1/metadata-catalog: which records there are, and their fields as a JSON schema."""

from collections.abc import Sequence
from typing import Any, Final

from sandbox.netsuite.errors import not_found
from sandbox.netsuite.records.shapes import RECORDS
from sandbox.netsuite.records.specs import LINE, SPECS, Field, Spec
from sandbox.netsuite.system import NetSuite

_TYPES: Final[dict[str, dict[str, Any]]] = {
    "flag": {"type": "boolean"},
    "number": {"type": "number", "format": "double"},
    "integer": {"type": "integer", "format": "int64"},
    "date": {"type": "string", "format": "date"},
    "stamp": {"type": "string", "format": "date-time"},
}
_CUSTOM: Final = ("custbody", "custcol", "custentity", "custitem")


def catalogue(system: NetSuite, parts: Sequence[str]) -> dict[str, Any]:
    """Show the catalogue, or the schema of one record.

    Raises:
        RestError: 404: there is no such record.
    """
    if not parts:
        return {"items": [{"name": spec.name, "links": _links(spec.name)} for spec in SPECS.values()]}
    spec = SPECS.get(parts[0].lower())
    if spec is None:
        raise not_found("metadata-catalog", parts[0])
    properties = {each.name: _property(system, each) for each in spec.fields}
    for name in spec.sublists:
        properties[name] = {"type": "object", "title": name.title(), "properties": _elements(system, spec, name)}
    return {
        "$schema": "http://json-schema.org/draft-06/hyper-schema#",
        "type": "object",
        "title": spec.name,
        "properties": properties,
        "x-ns-filterable": [each.name for each in spec.fields if each.kind != "status"],
    }


def _elements(system: NetSuite, spec: Spec, name: str) -> dict[str, Any]:
    fields = LINE if spec.name == "purchaseOrder" and name == "item" else ()
    items = {"type": "object", "properties": {each.name: _property(system, each) for each in fields}}
    return {"items": {"type": "array", "items": items}}


def _property(system: NetSuite, each: Field) -> dict[str, Any]:
    kind: dict[str, Any] = _TYPES.get(each.kind, {"type": "string"})
    if each.kind in {"ref", "status", "approval"}:
        kind = {"type": "object", "properties": {"id": {"type": "string"}, "refName": {"type": "string"}}}
    told = {**kind, "title": each.name, "nullable": each.writable, "readOnly": not each.writable}
    if each.name.startswith(_CUSTOM):
        row = system.store.one("customfield", {"scriptid": each.name.upper()}) or {}
        told |= {"title": row.get("name", each.name), "x-ns-custom-field": True}
    return told


def _links(name: str) -> list[dict[str, str]]:
    return [{"rel": "canonical", "href": f"{RECORDS}/metadata-catalog/{name}", "mediaType": "application/schema+json"}]
