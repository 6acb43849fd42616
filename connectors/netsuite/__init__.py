"""Oracle NetSuite over SuiteTalk REST: SuiteQL to read, records to write.

connector  what is declared                     forms     what a customer enters
source     one conversation                     tables    tables, columns, keys and filters of what is read
client     HTTP, paging, errors (faults)        read      pages of whole items
zone       the account's local time ↔ UTC       custom    fields that only the account knows
mapping    item → record, as data (values,      write/    change → requests
           status: what their values mean)      units     NetSuite's units ↔ UN/ECE Rec 20

See README.md for rights that the role needs, quirks with their sources, and what is untested.
"""
