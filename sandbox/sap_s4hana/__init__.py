"""A simulated SAP S/4HANA that speaks OData V2 as the real one does, warts included. Imports nothing of ours.

Walk: `app.create_app` seeds a `system.S4System` (tables of `store`, typed by the vendor's metadata in `edm`) and puts
`gateway.Gateway` behind the kit's `Wire` (log, fault scripts). A call goes through `sessions` (log-on, CSRF), `odata`
(path, query, body) to `reads` or `writes`, and from there to `rules`, the business checks. `sandbox.kit.server` runs
it, `python -m sandbox.sap_s4hana` as a process. Administration under /_sandbox: see `admin`.

Not simulated: $batch (501), writing products (501), Atom request bodies (415), OData V4, text determination, pricing.
"""
