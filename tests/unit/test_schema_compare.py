"""What may change in a released version of the schema, and what the changelog must say of it."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from crosshead.cli import app
from graph.schema import sdl
from graph.versions.catalogue import VERSIONS
from graph.versions.compare import breaking, changed, released, unnamed

OLD = """
type Query { order(id: ID!): Order  orders(first: Int): [Order!]! }
type Order { id: ID!  status: Status!  note: String }
enum Status { OPEN CLOSED }
input OrderFilter { status: Status }
"""
BREAKING = {
    "a field is gone": ("  note: String", ""),
    "a field is renamed": ("note: String", "notes: String"),
    "a field may be null": ("status: Status!", "status: Status"),
    "a type is another": ("note: String", "note: Int"),
    "a type is gone": ("input OrderFilter { status: Status }", ""),
    "a value is gone": ("OPEN CLOSED", "OPEN"),
    "an argument is gone": ("orders(first: Int)", "orders"),
    "an argument is needed": ("orders(first: Int)", "orders(first: Int, status: Status!)"),
    "an input field is needed": ("input OrderFilter { status: Status }", "input OrderFilter { status: Status! }"),
}
ADDED = {
    "a field": ("note: String", "note: String  total: String", ["Order.total"]),
    "a root field with a type of its own": (
        "type Query {",
        "type Vendor { id: ID!  name: String }  type Query { vendor: Vendor ",
        ["Query.vendor"],
    ),
    "an argument": ("orders(first: Int)", "orders(first: Int, after: String)", ["Query.orders(after:)"]),
    "a value": ("OPEN CLOSED", "OPEN CLOSED HELD", ["Status.HELD"]),
    "an input field": ("{ status: Status }", "{ status: Status  note: String }", ["OrderFilter.note"]),
    "a deprecation": (
        "note: String",
        'note: String @deprecated(reason: "Use text.")',
        ["Order.note", "Order.note (deprecated)"],
    ),
    "nothing but a description": ("type Order", '"""An order."""\ntype Order', []),
}


@pytest.mark.parametrize("name", BREAKING)
def test_what_breaks_callers_is_found(name: str) -> None:
    before, after = BREAKING[name]
    assert before in OLD

    assert len(breaking(OLD, OLD.replace(before, after))) >= 1


@pytest.mark.parametrize("name", ADDED)
def test_what_is_added_breaks_nobody_and_is_told_apart(name: str) -> None:
    before, after, coordinates = ADDED[name]
    new = OLD.replace(before, after)
    assert new != OLD

    assert (breaking(OLD, new), changed(OLD, new)) == ([], coordinates)


def test_the_changelog_names_a_change_in_code_marks_and_a_star_stands_for_what_is_alike() -> None:
    changelog = "# Changelog\n\n## Unreleased\n- `Order.total` and `*Summary(after:)`\n\n## 1.0\n- `held`\n"
    wanted = ["Order.total", "Query.orderSummary", "Query.orders(after:)", "Status.held", "Order.note"]

    assert unnamed(wanted, changelog) == ["Status.held", "Order.note"]


@pytest.mark.parametrize("version", [each.name for each in VERSIONS.all if each.released_at is not None])
def test_the_schema_serves_callers_of_every_released_version(version: str) -> None:
    """A version that is no longer served has no file, and no line in VERSIONS."""
    assert breaking(released(version), sdl()) == []


@pytest.mark.parametrize(
    ("change", "changelog", "code", "told"),
    [
        (("", ""), "## Unreleased\n", 0, "0 changes"),
        (("type Viewer {", "type Viewer {\n  mood: String"), "## Unreleased\n- `viewer.mood`\n", 0, "1 changes"),
        (("type Viewer {", "type Viewer {\n  mood: String"), "## Unreleased\n- Moods\n", 1, "Viewer.mood"),
        (("  viewer: Viewer!", "  who: Viewer!"), "## Unreleased\n- `viewer`, `who`\n", 1, "It breaks callers of v1"),
    ],
    ids=["unchanged", "told", "untold", "breaking"],
)
def test_the_command_refuses_what_breaks_callers_or_is_not_told(
    tmp_path: Path, change: tuple[str, str], changelog: str, code: int, told: str
) -> None:
    """A fresh clone without tags will do: what was released is a file."""
    schema, log = tmp_path / "schema.graphql", tmp_path / "CHANGELOG.md"
    schema.write_text(released("v1").replace(*change) if change[0] else released("v1"), encoding="utf-8")
    log.write_text(changelog, encoding="utf-8")

    ended = CliRunner().invoke(app, ["schema", "compare", str(schema), "--changelog", str(log)])

    assert (ended.exit_code, told in ended.output) == (code, True), ended.output
