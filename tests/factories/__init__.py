"""Rows for tests, one file per area: `make_<row>(session, *, scope, …)` inserts one that is valid by default.

`scope` names the connection that the row belongs to; `session` is `Database.write(scope)` or wider.
"""
