"""Fixtures of tests against the real database."""

from tests.fixtures.reading import shelf

__all__ = ["shelf"]
