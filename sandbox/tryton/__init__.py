"""A real Tryton ERP (trytond from PyPI) as a source system for dev mode and tests.

May import: the standard library only. trytond itself runs in subprocesses, never in this interpreter.

Walk: `server.TrytonServer` has `image.restore_seeded` fill a fresh database from a dump that is built once and cached:
`initialise.initialise` sets the modules up with trytond-admin, `seed.seed` (with `masterdata`, `orders`, `catalogue`)
fills them through Tryton's own JSON-RPC API by `client.TrytonClient`, `databases.Databases` dumps and restores. Then
`process.TrytonProcess` runs trytond on the database, inside `daemon.py`.
"""
