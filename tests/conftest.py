"""Fixtures for all tests; each module of tests/fixtures brings one real part."""

pytest_plugins = [
    "tests.fixtures.servers",
    "tests.fixtures.database",
    "tests.fixtures.product",
    "tests.fixtures.engine",
    "tests.fixtures.everything",
    "tests.fixtures.tryton",
]
