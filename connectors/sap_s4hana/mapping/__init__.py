"""Items of SAP as our records: data, one file an entity."""
