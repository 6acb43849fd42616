"""The OData V2 protocol as SAP Gateway speaks it: literals, filters, queries, bodies, JSON, Atom, metadata and errors.

May import: `edm`, `store` and each other. Nothing here knows a business rule.
"""
