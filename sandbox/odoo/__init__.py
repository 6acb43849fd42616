"""A simulated Odoo, 16 to 19, that speaks JSON-RPC and JSON-2 as the real one does, warts included.

Imports nothing of ours. Walk: `app.create_app` seeds a `system.OdooSystem` (tables of `store`, fields by version in
`schema`; orders are made from their number when somebody looks at them) and puts `doors.Doors` behind the kit's
`Wire` (log, fault scripts). A call goes through a door to `calls`, from there to `orm` (what every model can) or to the
buttons in `rules`. Administration under /_sandbox: see `admin`.

Warts that are simulated: write_date is shown in whole seconds and compared with its microseconds, and is the time at
which a transaction began; the text of a line is changed without its order's stamp; methods that return nothing answer
without `result`; prices are rounded without a word; empty is `false`; confirmed orders can be written; deleted records
leave no trace; fields are renamed by version; JSON-RPC answers 200 whatever happens.

Not simulated: XML-RPC, receipts and bills as documents (the administration lets goods arrive), several companies,
translations, `read_group`, `load`, Odoo's own limits.
"""
