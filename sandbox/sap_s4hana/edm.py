"""The metadata tables as typed values: services, entity types, properties, navigation.

The tables in `metadata/*.json` hold the facts of the vendor's own `$metadata` documents, read out once: on-premise
API_PURCHASEORDER_PROCESS_SRV, API_BUSINESS_PARTNER, API_PRODUCT_SRV, API_MATERIAL_STOCK_SRV, API_MAINTENANCEORDER, and
API_MATERIAL_DOCUMENT_SRV (schema version 1.2.0), API_EQUIPMENT and API_FUNCTIONALLOCATION (version 1.1.0, by its
OpenAPI document), the last three from copies in public repositories, cut down to the entity types
served here. A property is one line: its Edm type with max length or precision and scale, then flags.
`custom_fields.json` adds what a key user would have added in a customer's system (prefix YY1_).
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

METADATA = Path(__file__).parent / "metadata"
_SPEC = re.compile(r"(?P<kind>\w+)(?:\((?P<first>\d+)(?:,(?P<scale>\d+))?\))?")


@dataclass(frozen=True, slots=True)
class Property:
    """One property of an entity type, as the vendor's metadata annotates it.

    `kind` is the Edm type without its prefix. `numeric` marks sap:display-format NonNegative: digits whose leading
    zeros are left out on the wire.
    """

    name: str
    kind: str
    max_length: int | None = None
    precision: int | None = None
    scale: int | None = None
    flags: frozenset[str] = frozenset()

    @property
    def required(self) -> bool:
        """Whether the metadata says Nullable=false."""
        return "required" in self.flags

    @property
    def numeric(self) -> bool:
        """Whether the value is a number kept as text (ABAP type NUMC)."""
        return "numeric" in self.flags

    def may(self, what: str) -> bool:
        """Say whether the property is creatable, updatable, filterable or sortable."""
        return f"no-{what}" not in self.flags

    def annotation(self, name: str) -> str | None:
        """Give the value of a flag written as name=value (unit, semantics)."""
        return next((flag.partition("=")[2] for flag in self.flags if flag.startswith(f"{name}=")), None)

    @property
    def initial(self) -> Any:
        """The value that an ABAP system shows when nothing was entered: never null, except for dates and times."""
        if self.kind == "String":
            return "0" if self.numeric else ""
        return {"Decimal": Decimal(0), "Boolean": False, "Byte": 0, "Int32": 0, "Int64": 0}.get(self.kind)


@dataclass(frozen=True, slots=True)
class Navigation:
    """A navigation property: the set it leads to, its multiplicity there, and the pairs of properties it joins on."""

    name: str
    target: str
    multiplicity: str
    on: tuple[tuple[str, str], ...]

    @property
    def many(self) -> bool:
        """Whether the target is a collection."""
        return self.multiplicity == "*"


@dataclass(frozen=True, slots=True)
class EntityType:
    """An entity type together with its one entity set."""

    service: str
    namespace: str
    set_name: str
    name: str
    key: tuple[str, ...]
    properties: Mapping[str, Property]
    navigation: Mapping[str, Navigation]
    creatable: bool
    updatable: bool
    deletable: bool

    @property
    def full_name(self) -> str:
        """The name that stands in `__metadata.type`."""
        return f"{self.namespace}.{self.name}"


@dataclass(frozen=True, slots=True)
class FunctionImport:
    """A function import: its HTTP method, the complex type it returns, its parameters."""

    name: str
    method: str
    returns: str
    parameters: Mapping[str, Property]


@dataclass(frozen=True, slots=True)
class Service:
    """One OData service."""

    name: str
    namespace: str
    container: str
    sets: Mapping[str, EntityType]
    functions: Mapping[str, FunctionImport] = field(default_factory=dict)
    complex_types: Mapping[str, Mapping[str, Property]] = field(default_factory=dict)


def load_services(*, custom_fields: bool = True) -> dict[str, Service]:
    """Read the metadata tables; with `custom_fields` the YY1_ extension fields are part of them."""
    extra = json.loads((METADATA / "custom_fields.json").read_text("utf-8")) if custom_fields else {}
    files = sorted(path for path in METADATA.glob("*.json") if path.name != "custom_fields.json")
    return {path.stem: _service(path.stem, json.loads(path.read_text("utf-8")), extra) for path in files}


def parse_property(name: str, spec: str) -> Property:
    """Read one line of a table, e.g. `Decimal(13,3) unit=EntryUnit`.

    Raises:
        ValueError: The line does not begin with an Edm type.
    """
    head, *flags = spec.split(" ")
    match = _SPEC.fullmatch(head)
    if match is None:
        raise ValueError(f"{name}: cannot read property line {spec!r}")
    kind, first, scale = match["kind"], match["first"], match["scale"]
    number = int(first) if first else None
    return Property(
        name=name,
        kind=kind,
        max_length=number if kind == "String" else None,
        precision=None if kind == "String" else number,
        scale=int(scale) if scale else (0 if kind == "Decimal" else None),
        flags=frozenset(flags),
    )


def _service(name: str, table: dict[str, Any], extra: dict[str, dict[str, str]]) -> Service:
    namespace = table["namespace"]
    return Service(
        name=name,
        namespace=namespace,
        container=table["container"],
        sets={key: _entity_type(name, namespace, key, row, extra.get(key, {})) for key, row in table["sets"].items()},
        functions={key: _function(key, row) for key, row in table["functions"].items()},
        complex_types={key: _properties(row) for key, row in table.get("complex_types", {}).items()},
    )


def _entity_type(service: str, namespace: str, set_name: str, row: dict[str, Any], extra: dict[str, str]) -> EntityType:
    return EntityType(
        service=service,
        namespace=namespace,
        set_name=set_name,
        name=row["type"],
        key=tuple(row["key"]),
        properties=_properties({**row["properties"], **extra}),
        navigation={
            key: Navigation(key, nav["set"], nav["multiplicity"], tuple((left, right) for left, right in nav["on"]))
            for key, nav in row["navigation"].items()
        },
        creatable=row.get("creatable", True),
        updatable=row.get("updatable", True),
        deletable=row.get("deletable", True),
    )


def _function(name: str, row: dict[str, Any]) -> FunctionImport:
    return FunctionImport(name, row["method"], row["returns"], _properties(row["parameters"]))


def _properties(rows: dict[str, str]) -> dict[str, Property]:
    return {name: parse_property(name, spec) for name, spec in rows.items()}
