"""Documents other than rows: `$metadata` (EDMX), the service document, and answers as Atom XML."""

from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from sandbox.sap_s4hana.edm import EntityType, Navigation, Property, Service

_D = "http://schemas.microsoft.com/ado/2007/08/dataservices"
_HEAD = '<?xml version="1.0" encoding="utf-8"?>'
_EDMX = (
    '<edmx:Edmx Version="1.0" xmlns:edmx="http://schemas.microsoft.com/ado/2007/06/edmx" '
    f'xmlns:m="{_D}/metadata" xmlns:sap="http://www.sap.com/Protocols/SAPData">'
    '<edmx:DataServices m:DataServiceVersion="2.0">'
)
_ATOM = f'xmlns="http://www.w3.org/2005/Atom" xmlns:m="{_D}/metadata" xmlns:d="{_D}"'


def edmx(service: Service) -> str:
    """Write the metadata document of a service."""
    inner = "".join(_entity_type(service, entity_type) for entity_type in service.sets.values())
    complex_types = "".join(
        f"<ComplexType Name={quoteattr(name)}>{''.join(_property(prop) for prop in props.values())}</ComplexType>"
        for name, props in service.complex_types.items()
    )
    links = [(one, nav) for one in service.sets.values() for nav in one.navigation.values()]
    associations = "".join(_association(service, one, nav) for one, nav in links)
    return (
        f'{_HEAD}{_EDMX}<Schema Namespace={quoteattr(service.namespace)} xml:lang="en" sap:schema-version="1" '
        'xmlns="http://schemas.microsoft.com/ado/2008/09/edm">'
        f"{inner}{complex_types}{associations}{_container(service, links)}"
        "</Schema></edmx:DataServices></edmx:Edmx>"
    )


def service_document(service: Service, root: str) -> str:
    """Write the service document as AtomPub."""
    sets = "".join(
        f'<app:collection href="{name}"><atom:title type="text">{name}</atom:title></app:collection>'
        for name in service.sets
    )
    return (
        f'{_HEAD}<app:service xml:base={quoteattr(root + "/")} xmlns:app="http://www.w3.org/2007/app" '
        'xmlns:atom="http://www.w3.org/2005/Atom"><app:workspace><atom:title type="text">Data</atom:title>'
        f"{sets}</app:workspace></app:service>"
    )


def feed(results: Sequence[Mapping[str, Any]], title: str, *, count: str | None, following: str | None) -> str:
    """Write encoded rows as an Atom feed."""
    total = "" if count is None else f"<m:count>{count}</m:count>"
    link = "" if following is None else f'<link href={quoteattr(following)} rel="next"/>'
    entries = "".join(_entry(row, "") for row in results)
    return f'{_HEAD}<feed {_ATOM}><title type="text">{title}</title>{total}{entries}{link}</feed>'


def entry(row: Mapping[str, Any]) -> str:
    """Write one encoded row as an Atom entry."""
    return _HEAD + _entry(row, f" {_ATOM}")


def single_property(name: str, value: Any) -> str:
    """Write one property alone."""
    namespaces = f'<d:{name} xmlns:d="{_D}" xmlns:m="{_D}/metadata"'
    return _HEAD + _element(name, value).replace(f"<d:{name}", namespaces, 1)


def _entry(row: Mapping[str, Any], namespaces: str) -> str:
    about = row["__metadata"]
    plain = "".join(_element(name, value) for name, value in row.items() if not isinstance(value, dict))
    return (
        f'<entry{namespaces}><id>{escape(about["id"])}</id><title type="text">{escape(about["id"])}</title>'
        f'<category term={quoteattr(about["type"])} scheme="{_D}/scheme"/>'
        f'<content type="application/xml"><m:properties>{plain}</m:properties></content></entry>'
    )


def _element(name: str, value: Any) -> str:
    if value is None:
        return f'<d:{name} m:null="true"/>'
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"<d:{name}>{escape(text)}</d:{name}>"


def _entity_type(service: Service, entity_type: EntityType) -> str:
    key = "".join(f"<PropertyRef Name={quoteattr(name)}/>" for name in entity_type.key)
    props = "".join(_property(prop) for prop in entity_type.properties.values())
    navigation = "".join(
        f"<NavigationProperty Name={quoteattr(nav.name)} "
        f"Relationship={quoteattr(f'{service.namespace}.{_association_name(entity_type, nav)}')} "
        f'FromRole="FromRole" ToRole="ToRole"/>'
        for nav in entity_type.navigation.values()
    )
    return f"<EntityType Name={quoteattr(entity_type.name)}><Key>{key}</Key>{props}{navigation}</EntityType>"


def _property(prop: Property, tag: str = "Property") -> str:
    parts = [f'Name={quoteattr(prop.name)} Type="Edm.{prop.kind}"']
    if prop.required and tag == "Property":
        parts.append('Nullable="false"')
    for name, value in (("MaxLength", prop.max_length), ("Precision", prop.precision)):
        if value is not None:
            parts.append(f'{name}="{value}"')
    if prop.kind == "Decimal":
        parts.append(f'Scale="{prop.scale}"')
    parts += [
        f'sap:{what}="false"' for what in ("creatable", "updatable", "filterable", "sortable") if not prop.may(what)
    ]
    parts += [f"sap:{name}={quoteattr(text)}" for name in ("unit", "semantics") if (text := prop.annotation(name))]
    for flag, shown in (("upper", "UpperCase"), ("numeric", "NonNegative"), ("date", "Date")):
        if flag in prop.flags:
            parts.append(f'sap:display-format="{shown}"')
    return f"<{tag} {' '.join(parts)}/>"


def _association_name(entity_type: EntityType, navigation: Navigation) -> str:
    return f"assoc_{entity_type.set_name}_{navigation.name}"


def _association(service: Service, entity_type: EntityType, navigation: Navigation) -> str:
    target = service.sets[navigation.target]
    source_end = "1" if navigation.many else "*"
    return (
        f"<Association Name={quoteattr(_association_name(entity_type, navigation))}>"
        f'<End Type="{entity_type.full_name}" Multiplicity="{source_end}" Role="FromRole"/>'
        f'<End Type="{target.full_name}" Multiplicity="{navigation.multiplicity}" Role="ToRole"/></Association>'
    )


def _container(service: Service, links: Sequence[tuple[EntityType, Navigation]]) -> str:
    sets = "".join(
        f'<EntitySet Name="{one.set_name}" EntityType="{one.full_name}"'
        + "".join(f' sap:{what}="false"' for what in ("creatable", "updatable", "deletable") if not getattr(one, what))
        + "/>"
        for one in service.sets.values()
    )
    joined = "".join(
        f'<AssociationSet Name="{_association_name(one, nav)}_set" '
        f'Association="{service.namespace}.{_association_name(one, nav)}">'
        f'<End EntitySet="{one.set_name}" Role="FromRole"/><End EntitySet="{nav.target}" Role="ToRole"/>'
        "</AssociationSet>"
        for one, nav in links
    )
    functions = "".join(
        f'<FunctionImport Name="{one.name}" ReturnType="{service.namespace}.{one.returns}" m:HttpMethod="{one.method}">'
        + "".join(_property(prop, "Parameter") for prop in one.parameters.values())
        + "</FunctionImport>"
        for one in service.functions.values()
    )
    name = quoteattr(service.container)
    return f'<EntityContainer Name={name} m:IsDefaultEntityContainer="true">{sets}{joined}{functions}</EntityContainer>'
