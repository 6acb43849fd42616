"""What is stored: tables, every SQL statement, migrations.

Imports nothing of ours. The walk through it: `types` (ids, codes, scalars),
`models` (one file per entity, declared once), `scope` (who may see what),
`engine` (sessions that carry a scope), `page` (one statement per read),
`upsert` (one transaction per page of a sync), `secrets` (sealed credentials).
"""
