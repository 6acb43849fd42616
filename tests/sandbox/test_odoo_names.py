"""Every field of the simulated Odoo, held by version against Odoo's own source, and against what real servers told."""

from typing import Any

import pytest

from sandbox.odoo import published
from sandbox.odoo.recorded import Recorded
from sandbox.odoo.schema.model import VERSIONS, models_of

_UNKNOWN = {"res.users", "ir.model", "ir.model.fields", "ir.model.data"}
"""What no connector reads is not listed."""

_LEFT_OUT = {("purchase.order", "picking_ids"), ("purchase.order", "fiscal_position_id")}
"""Receipts as documents of their own and fiscal positions are not simulated."""


@pytest.mark.parametrize("version", VERSIONS)
def test_every_field_is_one_of_odoos_in_this_version(version: int) -> None:
    """To see it fail, write a field that Odoo lacks into sandbox/odoo/schema."""
    strange: list[Any] = []
    held = set()
    for model in models_of(version).values():
        own = published.fields(model.name, version)
        if own is None or model.name in _UNKNOWN:
            continue
        held.add(model.name)
        strange += [
            (model.name, field.name, field.kind, own.get(field.name))
            for field in model.fields.values()
            if not field.manual and own.get(field.name) != field.kind
        ]

    assert strange == []
    assert held == ({"purchase.order"} if version == 16 else set(models_of(version)) - _UNKNOWN)


@pytest.mark.parametrize(("name", "version"), [("odoo16", 16), ("odoo18", 18)])
def test_every_field_that_a_real_server_told_is_simulated_alike(name: str, version: int) -> None:
    """Of models that are simulated: fields that a real server was asked for and gave, in its version."""
    told = {
        (model, field)
        for answer in Recorded(name).answers
        if answer["params"]["service"] == "object"
        for model, method in [answer["params"]["args"][3:5]]
        if method in {"search_read", "read"} and isinstance(answer["body"].get("result"), list)
        for row in answer["body"]["result"]
        for field in row
    }
    models = models_of(version)

    lacking = {(model, field) for model, field in told if model in models and field not in models[model].fields}

    assert len(told) > 50
    assert lacking <= _LEFT_OUT


@pytest.mark.parametrize(("version", "lacking"), [(18, "detailed_type"), (18, "__last_update"), (19, "location")])
def test_what_a_version_gave_up_is_gone(version: int, lacking: str) -> None:
    """The first two were refused by a real server of 18.0."""
    assert not any(lacking in model.fields for model in models_of(version).values())
    assert any(lacking in model.fields for model in models_of(version - 2).values())
