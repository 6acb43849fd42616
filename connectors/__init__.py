"""How each source system speaks: one folder a system.

May import `db.models`, `db.types` and `db.units` (shapes only: no session, no SQL). Read
`base` first: a connector declares what it is and opens a source; `mapping`
turns items into records and back, as data; `errors` says whose fault a failure
is; `egress` is the only way out. `registry` lists the connectors; `kit` holds
what several of them share.
"""
