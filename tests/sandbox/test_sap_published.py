"""The tables of the simulated S/4HANA, held against what the vendor's own metadata documents say."""

import pytest

from sandbox.sap_s4hana.edm import Property, load_services
from sandbox.sap_s4hana.published import names, services

SERVICES = load_services(custom_fields=False)
PUBLISHED = services()


def told(prop: Property) -> str:
    """Write a property's type as published.json does."""
    if prop.max_length is not None:
        return f"{prop.kind}({prop.max_length})"
    if prop.precision is None:
        return prop.kind
    return f"{prop.kind}({prop.precision},{prop.scale})" if prop.kind == "Decimal" else f"{prop.kind}({prop.precision})"


@pytest.mark.parametrize("service", PUBLISHED)
def test_every_property_is_one_of_the_vendors(service: str) -> None:
    """To see it fail, write a property of your own into a table in sandbox/sap_s4hana/metadata, or another length."""
    for name, kind in SERVICES[service].sets.items():
        own = PUBLISHED[service][name]
        assert {prop.name: told(prop) for prop in kind.properties.values()}.items() <= own.properties.items()
        assert list(kind.key) == own.key
        assert {each.name: each.target for each in kind.navigation.values()}.items() <= own.navigation.items()


def test_of_one_service_alone_no_document_was_at_hand() -> None:
    """What it takes and gives is held to nothing but tables made of its documentation."""
    assert SERVICES.keys() - PUBLISHED.keys() == {"API_MATERIAL_DOCUMENT_SRV"}


def test_a_place_is_found_along_the_navigation() -> None:
    lines = names("A_PurchaseOrder", ("to_PurchaseOrderItem", "to_ScheduleLine"))

    assert lines is not None
    assert {"ScheduleLineDeliveryDate", "PurchasingDocument"} <= lines
    assert "PurchaseOrderDate" not in lines
    assert names("A_PurchaseOrder", ("YY1_",)) is None
