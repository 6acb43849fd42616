"""What callers see: the Strawberry schema and the Starlette routes.

May import the doors of `jobs`, and `db`. The walk of a read: `door.http` (who asks) → `schema` → a resolver of one line
returns a `Read` → `executor` meets it, `selection` makes it plain data → `db.page` answers with JSON that is sent
untouched.
"""
