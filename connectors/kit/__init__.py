"""Pieces that several connectors share: authentication flows, converters."""
