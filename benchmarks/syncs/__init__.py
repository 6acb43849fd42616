"""What the benchmark of syncs runs: the data, the product, its peer and the ceiling."""
