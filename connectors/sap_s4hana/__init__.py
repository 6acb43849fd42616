"""SAP S/4HANA, cloud and on-premise, over its OData V2 services.

connector  what is declared                     forms     what a customer enters
source     one conversation                     services  the services, sets, keys and filters
client     HTTP, CSRF tokens, errors            read      pages of whole items
mapping/   item → record, as data               write/    change → requests
status     native states → ours                 units     SAP units ↔ UN/ECE Rec 20

Known limits: only an order's header has a change stamp, and a changed item does not always move it (a full
run finds such changes); stock has no stamp at all and is read whole; goods receipts and invoices show only as
the items' completion flags.
"""
