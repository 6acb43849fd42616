"""The REST record service.

`specs` names each record's fields as data, `shapes` shows records, `filters` reads `q`,
`values` reads bodies; `orders`, `vendors`, `stock` and `receipts` hold the business rules of what is written, `service`
answers the calls and `jobs` those that are asked to answer later.
"""
