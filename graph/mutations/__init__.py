"""The mutations, one file per area; each returns its object and userErrors."""
