"""Root fields of queries, by area."""
