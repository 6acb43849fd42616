"""A simulated Oracle NetSuite: SuiteQL, REST records, token-based and OAuth 2 log-on. Imports nothing of ours.

Walk: `app.create_app` seeds a `system.NetSuite` (tables of `schema` in SQLite, by `store`) and puts `gateway.Gateway`
behind the kit's `Wire` (log, fault scripts). A call passes `logins` (signatures of OAuth 1.0a in `signatures`, bearer
tokens of `tokens`), the account's concurrency, then `suiteql` (translated to SQLite's dialect) or `records` (specs as
data; reads, writes, business rules). `python -m sandbox.netsuite` runs it; administration under /_sandbox: see `admin`.

Not simulated: SOAP, RESTlets, the batch of the record service, expense lines, taxes, approval routing by workflow,
units of measure other than a type's own, SuiteQL's window and analytic functions beyond SQLite's.
"""
