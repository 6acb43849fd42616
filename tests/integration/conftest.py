"""Fixtures of tests against the real database."""

from tests.fixtures.reading import library, shelf

__all__ = ["library", "shelf"]
