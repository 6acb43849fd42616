"""Units and exact amounts: what records may hold, and what connectors map to."""

from decimal import Decimal

import pytest
from pydantic import TypeAdapter, ValidationError

from connectors.registry import CONNECTORS
from connectors.sap_s4hana.units import native_unit
from connectors.tryton.units import native, unit_map
from db.types import Exact
from db.units import REC20, SAME_COUNT

EXACT: TypeAdapter[Decimal] = TypeAdapter(Exact)


@pytest.mark.parametrize("connector", CONNECTORS, ids=lambda connector: connector.spec.slug)
def test_connectors_map_their_own_units_to_rec_20_codes(connector: object) -> None:
    mapped = set(connector.units(connector.spec.write_defaults()).values())  # type: ignore[attr-defined]

    assert mapped - REC20.keys() == set()
    assert "EA" in mapped


def test_near_synonyms_of_each_are_no_units_that_connectors_tell() -> None:
    told = {code for connector in CONNECTORS for code in connector.units(connector.spec.write_defaults()).values()}

    assert told & SAME_COUNT.keys() == set()


@pytest.mark.parametrize("code", ["EA", "C62", "H87"])
def test_each_and_its_near_synonyms_are_written_as_the_sources_own_unit(code: str) -> None:
    assert native(code, unit_map({})) == ("u",)
    assert native_unit(code, overrides={}) == "PC"


@pytest.mark.parametrize("text", ["0.000001", "123456789012345678.123456", "-1.50", "0.1950"])
def test_amounts_keep_every_digit(text: str) -> None:
    assert str(EXACT.validate_python(text)) == text


@pytest.mark.parametrize("value", [0.1, float("nan"), "NaN", "Infinity", Decimal("NaN")])
def test_what_is_not_exact_is_refused(value: object) -> None:
    with pytest.raises(ValidationError):
        EXACT.validate_python(value)
