"""What callers see: the Strawberry schema and the Starlette routes.

May import the doors of the layers below (`jobs.queue`, `jobs.events`,
`jobs.connect`, `jobs.write`, `connectors.registry`, `connectors.errors`) and
`db`. The walk of a read: `http` (who asks) → `schema` → a resolver of three
lines returns a `Read` → `executor` meets it, `selection` makes it plain data →
`db.page` answers with JSON that is sent untouched.
"""
