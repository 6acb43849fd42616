"""Odoo 16 to 19, by JSON-RPC up to 18 and JSON-2 from 19 on.

`wire` knows both ways of calling, `session` signs, `faults` reads refusals, `client` puts them together and asks the
server which fields it has. `resources` says what is read, `read` and `stock` make items of it, `mapping` makes records.
`write` carries changes. Versions differ in names of fields: what a server has, its `fields_get` tells, not its number.
"""
