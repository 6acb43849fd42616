"""Tryton 7.4: purchase orders and vendors of a Tryton ERP over its JSON-RPC.

May import: connectors (base, mapping, errors, egress, kit), db.models, db.types.

Walk: `connector.TRYTON` declares forms, feeds, mappings and writes and opens `source.TrytonSource`. A source talks
through `client.Client`: `wire` makes and reads JSON-RPC envelopes, `session` signs requests, `faults` turns refusals
into our errors. `read` pages over feeds whose fields `fields` lists; `mapping` (with `converters`) makes records of
what it reads. `write` carries changes, guarded by `guard`, with `lines`, `vendors` and `references` beside it.
"""
