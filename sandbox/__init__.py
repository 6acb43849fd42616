"""Source systems to develop and test against, each on its real wire protocol.

Imports nothing of ours. `tryton` runs the real ERP from PyPI with demo data;
`sap_s4hana` simulates S/4HANA's OData V2 services, warts included; `ledger` is
a minimal source for tests of the engine. `kit` is what the simulated ones share:
faults on request, log, oracle. Each starts with `python -m sandbox.SYSTEM
--port 0 --ready-file F`. See docs/sandboxes.md.
"""
