"""Fixtures for all tests; each module of tests/fixtures brings one real part."""

import os

# Sources of tests listen on loopback, which the product does not connect to unless it is told.
os.environ["CROSSHEAD_EGRESS_ALLOWED_CIDRS"] = "127.0.0.0/8"

pytest_plugins = [
    "tests.fixtures.servers",
    "tests.fixtures.database",
    "tests.fixtures.product",
    "tests.fixtures.engine",
    "tests.fixtures.front",
    "tests.fixtures.everything",
    "tests.fixtures.hostile_addresses",
    "tests.fixtures.tenants",
    "tests.fixtures.policies_alone",
    "tests.fixtures.storing",
    "tests.fixtures.plenty",
    "tests.fixtures.tryton",
]
