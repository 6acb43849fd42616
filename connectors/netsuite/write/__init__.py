"""Writes: changes as requests to NetSuite's record service."""
