"""Every property that the simulated S/4HANA emits, takes or names in its code, held against the vendor's metadata."""

import ast
import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from sandbox.sap_s4hana.edm import Property, load_services, parse_property
from sandbox.sap_s4hana.store import Row
from tests.fixtures.sap_caller import DOCUMENT, SapCaller, order_body

pytest_plugins = ["tests.fixtures.sap_s4hana"]
SERVICES = load_services()
SETS = [(service.name, name) for service in SERVICES.values() for name in service.sets]
PACKAGE = Path(__file__).parents[2] / "sandbox" / "sap_s4hana"
EDM = "{http://schemas.microsoft.com/ado/2008/09/edm}"
SAP = "{http://www.sap.com/Protocols/SAPData}"
PATTERNS = {
    "DateTime": r"/Date\(-?\d+\)/",
    "DateTimeOffset": r"/Date\(-?\d+\+0000\)/",
    "Time": r"PT\d{2}H\d{2}M\d{2}S",
    "Guid": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "Int64": r"-?\d+",
}


def faults_of(prop: Property, value: Any) -> list[str]:
    """Say what is wrong with an encoded value."""
    if value is None:
        return ["null"] if prop.required or prop.initial is not None else []
    natives: dict[str, type[Any]] = {"Boolean": bool, "Byte": int, "Int32": int}
    native = natives.get(prop.kind, str)
    if type(value) is not native:
        return [f"no {native.__name__}"]
    if prop.kind == "String":
        return faults_of_text(prop, value)
    if prop.kind == "Decimal":
        digits = rf"-?\d+\.\d{{{prop.scale}}}" if prop.scale else r"-?\d+"
        fits = re.fullmatch(digits, value) and len(re.sub(r"\D", "", value).lstrip("0")) <= (prop.precision or 0)
        return [] if fits else ["no decimal of this scale and precision"]
    return [] if native is not str or re.fullmatch(PATTERNS[prop.kind], value) else [f"no {prop.kind}"]


def faults_of_text(prop: Property, value: str) -> list[str]:
    long = prop.max_length is not None and len(value) > prop.max_length
    padded = prop.numeric and not re.fullmatch(r"0|[1-9]\d*", value)
    return ["too long"] * long + ["not numeric"] * padded


@pytest.mark.parametrize(("service", "set_name"), SETS)
async def test_every_emitted_property_keeps_to_the_metadata(sap: SapCaller, service: str, set_name: str) -> None:
    kind = SERVICES[service].sets[set_name]
    if service == DOCUMENT:
        item = {"Material": "TG00001", "Plant": "1010", "StorageLocation": "101A", "GoodsMovementType": "501"}
        amount = {"QuantityInEntryUnit": "1", "EntryUnit": "PC"}
        body = {"GoodsMovementCode": "05", "to_MaterialDocumentItem": [{**item, **amount}]}
        await sap.write("POST", f"{DOCUMENT}/A_MaterialDocumentHeader", body)
    if set_name == "A_PurchaseOrderItemNote":
        note = {"TextObjectType": "F01", "Language": "EN", "PlainLongText": "x"}
        order = order_body()
        order["to_PurchaseOrderItem"][0]["to_PurchaseOrderItemNote"] = [note]
        await sap.write("POST", "API_PURCHASEORDER_PROCESS_SRV/A_PurchaseOrder", order)

    rows = (await sap.get(f"{service}/{set_name}")).rows

    expected = {"__metadata", *kind.properties, *kind.navigation}
    assert rows
    assert {name for row in rows for name in row} == expected
    assert all(set(row) == expected for row in rows)
    wrong = {
        (name, row[name], fault)
        for row in rows
        for name, prop in kind.properties.items()
        for fault in faults_of(prop, row[name])
    }
    assert wrong == set()


@pytest.mark.parametrize(("service", "set_name"), SETS)
async def test_every_property_filters_sorts_and_selects(sap: SapCaller, service: str, set_name: str) -> None:
    kind = SERVICES[service].sets[set_name]
    literals = {"String": "'0'", "Boolean": "true", "DateTime": "datetime'2026-01-01T00:00:00'", "Time": "time'PT1H'"}
    literals["DateTimeOffset"] = "datetimeoffset'2026-01-01T00:00:00Z'"
    literals["Guid"] = "guid'00000000-0000-0000-0000-000000000000'"
    usable = [prop for prop in kind.properties.values() if prop.may("filterable") and prop.may("sortable")]
    text = " or ".join(f"{prop.name} ne {literals.get(prop.kind, '1')}" for prop in usable)
    order = ",".join(prop.name for prop in usable)

    answer = await sap.get(
        f"{service}/{set_name}?$top=1&$filter={text}&$orderby={order}&$select={','.join(kind.properties)}"
    )

    assert answer.status == 200, answer.text


@pytest.mark.parametrize("service", SERVICES)
async def test_the_metadata_document_holds_the_tables(sap: SapCaller, service: str) -> None:
    text = (await sap.get(f"{service}/$metadata", Accept="application/xml")).text

    schema = next(ET.fromstring(text).iter(f"{EDM}Schema"))  # noqa: S314 - our own server
    types = {one.get("Name"): one for one in schema.iter(f"{EDM}EntityType")}
    assert schema.get("Namespace") == SERVICES[service].namespace
    assert set(types) == {kind.name for kind in SERVICES[service].sets.values()}
    for kind in SERVICES[service].sets.values():
        element = types[kind.name]
        assert [ref.get("Name") for ref in element.iter(f"{EDM}PropertyRef")] == list(kind.key)
        shown = {one.get("Name"): one for one in element.findall(f"{EDM}Property")}
        assert list(shown) == list(kind.properties)
        for name, prop in kind.properties.items():
            assert shown[name].get("Type") == f"Edm.{prop.kind}"
            assert shown[name].get("MaxLength") == (None if prop.max_length is None else str(prop.max_length))
            assert (shown[name].get("Nullable") == "false") is prop.required
            assert (shown[name].get(f"{SAP}updatable") == "false") is not prop.may("updatable")
        assert [one.get("Name") for one in element.findall(f"{EDM}NavigationProperty")] == list(kind.navigation)


def test_no_row_takes_or_gives_a_property_that_the_metadata_lacks() -> None:
    row = Row(SERVICES["API_PURCHASEORDER_PROCESS_SRV"].sets["A_PurchaseOrder"], {})

    with pytest.raises(KeyError):
        row["PurchaseOder"] = "1"
    with pytest.raises(KeyError):
        _ = row["PurchaseOder"]
    with pytest.raises(KeyError):
        row.set(PurchaseOder="1")
    with pytest.raises(KeyError):
        Row(row.type, {"PurchaseOder": "1"})


def test_every_name_in_rules_and_seed_is_one_of_the_vendors() -> None:
    """A misspelt property in a branch that no test enters would otherwise go unseen."""
    known = {name for service in SERVICES.values() for name in (*service.sets, *service.functions)}
    for service in SERVICES.values():
        for kind in service.sets.values():
            known |= {*kind.properties, *kind.navigation}
        for function in service.functions.values():
            known |= set(function.parameters)
    words = re.compile(r"(?:to_)?[A-Z][a-z]+(?:[A-Z0-9][A-Za-z0-9]*)+|A_[A-Za-z]+")
    strange = set()
    for folder in ("rules", "seed"):
        for path in (PACKAGE / folder).glob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and words.fullmatch(node.value):
                    strange |= {node.value} - known
                if isinstance(node, ast.keyword) and node.arg and words.fullmatch(node.arg):
                    strange |= {node.arg} - known

    assert strange == set()


def test_a_line_of_the_tables_reads_as_it_is_written() -> None:
    prop = parse_property("OrderQuantity", "Decimal(13,3) unit=PurchaseOrderQuantityUnit no-updatable")

    assert (prop.kind, prop.precision, prop.scale, prop.max_length) == ("Decimal", 13, 3, None)
    assert (prop.annotation("unit"), prop.annotation("semantics")) == ("PurchaseOrderQuantityUnit", None)
    assert (prop.may("updatable"), prop.may("creatable"), prop.required) == (False, True, False)
    with pytest.raises(ValueError, match="cannot read"):
        parse_property("X", "(13)")


def test_the_tables_stay_small() -> None:
    files = list((PACKAGE / "metadata").glob("*.json"))

    assert sum(path.stat().st_size for path in files) < 300_000
    assert all(json.loads(path.read_text("utf-8")) for path in files)
